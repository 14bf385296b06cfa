"""Measurements: what the README claims about speed and memory, with the commands to repeat it."""

"""Raft with all options in one spec."""

"""Protocols as executable specs, a folder each, and the environment they share."""

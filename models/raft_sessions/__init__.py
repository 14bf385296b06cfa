"""Raft with client sessions: a command that comes again is executed once."""

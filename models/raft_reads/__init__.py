"""Raft with linearizable reads that are not written to the log."""

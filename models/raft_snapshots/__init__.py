"""Raft with log compaction: a snapshot stands for the beginning of the log."""

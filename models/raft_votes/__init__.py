"""Raft with its votes remembered: elections as those of raft-election."""

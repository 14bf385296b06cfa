"""Raft, to hold beside Figure 2 of its paper."""

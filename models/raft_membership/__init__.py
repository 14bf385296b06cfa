"""Raft with membership changes: the set of servers is replaced while the cluster runs."""

"""Raft as its author specified it, for calibration: the semantics of ongardie/raft.tla."""

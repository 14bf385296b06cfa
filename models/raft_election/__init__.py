"""How Raft elects leaders, without logs."""

"""Two-phase commit with a backup coordinator that drives termination."""

"""Two-phase commit with messages that are never lost."""

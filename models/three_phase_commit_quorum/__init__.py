"""Three-phase commit where a quorum terminates a transaction, whatever the network does."""

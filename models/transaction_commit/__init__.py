"""What atomic commitment means, before any protocol."""

"""The `quorate` command and the registry of models."""

"""Acceptors that vote: what makes a choice safe, before any messages."""

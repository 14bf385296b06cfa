"""Adapters: each knows one spec and one implementation, and lets traces be replayed."""

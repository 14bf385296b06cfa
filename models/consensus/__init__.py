"""Agreeing on one value, before any algorithm."""

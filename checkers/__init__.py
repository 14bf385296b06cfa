"""Engines: each from an instance, properties and a budget to a verdict."""

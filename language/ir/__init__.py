"""The typed intermediate representation of a spec."""

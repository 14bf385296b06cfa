"""A lock that nodes hand to each other, with epochs."""

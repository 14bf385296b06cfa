"""The `quorate` command, and the registry of models behind it.

Heavy modules (the explorer with Numba, rich) are imported where a command needs them, so that
`quorate list` and `--help` answer at once.
"""

"""The symbolic engines: the same specs, from the same IR, as formulas for Z3."""

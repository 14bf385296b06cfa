"""Proofs for any number of nodes, values and ballots: the same spec, without its sizes."""

"""Errors of the checkers, in three families: misuse, a bad spec, our bug."""

from __future__ import annotations

from ..language.failures import UsageError

__all__ = ["InternalDisagreement", "SpecProblem", "UsageError"]


class SpecProblem(Exception):
    """The spec claims something that is not so, as symmetry that does not hold."""


class InternalDisagreement(RuntimeError):
    """Two engines gave different answers: one of them is wrong. Always our bug."""

"""What the search needs to know of a compiled spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AbstractFunctions:
    """A refinement: the address of its mapping, and the abstract spec's functions."""

    abstract: int
    expand: int
    initial: int
    words: int
    actions: int


@dataclass(frozen=True)
class Functions:
    """A compiled spec: addresses of C functions of the native ABI, 0 where there is none.

    `expand_by` has one restricted `expand` for each set of actions asked for. `actions`,
    `predicates` and `steps` are counts.
    """

    words: int
    actions: int
    expand: int
    initial: int
    predicates: int = 0
    predicate_count: int = 0
    steps: int = 0
    step_count: int = 0
    constraint: int = 0
    canonical: int = 0
    expand_by: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    refinements: tuple[AbstractFunctions, ...] = ()

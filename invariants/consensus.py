"""Consensus: what an algorithm that chooses a single value has to keep.

Stated as in Lamport, 'Paxos Made Simple' (2001), section 2.1: only a value that has been proposed
may be chosen; only a single value is chosen; a process never learns that a value has been chosen
unless it actually has been. Integrity is what a choice is for: it stays.

The properties ask a spec for the methods below and for nothing else. A choice counts for ever, and
so does what somebody has learned.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Node, Set, always_possible, invariant, step_property, witness
from ..models.consensus.spec import Value


class Choosing(Protocol):
    """A spec in which values are proposed, and one is chosen."""

    def choosable(self) -> Set[Value]:
        """The values there are."""

    def proposed(self, value: Value) -> bool:
        """Whether the value has been proposed."""

    def is_chosen(self, value: Value) -> bool:
        """Whether the value has been chosen."""


class Learning(Choosing, Protocol):
    """One in which processes learn what is chosen, and things go wrong on the way."""

    def listeners(self) -> Set[Node]:
        """The processes that learn."""

    def learned(self, listener: Node, value: Value) -> bool:
        """Whether the process has taken the value for chosen at some time."""

    def given_up(self) -> bool:
        """Whether nothing more can be asked of the proposers: their numbers have run out."""


@invariant
def agreement(spec: Choosing) -> bool:
    """Agreement: only a single value is chosen."""
    return all(
        value == other or not (spec.is_chosen(value) and spec.is_chosen(other))
        for value in spec.choosable()
        for other in spec.choosable()
    )


@invariant
def validity(spec: Choosing) -> bool:
    """Validity: only a value that has been proposed is chosen."""
    return all(spec.proposed(value) or not spec.is_chosen(value) for value in spec.choosable())


@step_property
def integrity(spec: Choosing, after: Choosing) -> bool:
    """Integrity: what is chosen stays chosen."""
    return all(after.is_chosen(value) or not spec.is_chosen(value) for value in spec.choosable())


@invariant
def learners_agree(spec: Learning) -> bool:
    """Agreement, as learners see it: all that was ever learned is the same value."""
    return all(
        value == other
        or not any(spec.learned(listener, value) for listener in spec.listeners())
        or not any(spec.learned(listener, other) for listener in spec.listeners())
        for value in spec.choosable()
        for other in spec.choosable()
    )


@invariant
def learned_is_chosen(spec: Learning) -> bool:
    """A process never learns that a value has been chosen unless it actually has been."""
    return all(
        spec.is_chosen(value)
        or not any(spec.learned(listener, value) for listener in spec.listeners())
        for value in spec.choosable()
    )


@always_possible()
def can_choose(spec: Choosing) -> bool:
    """A value can still be chosen."""
    return any(spec.is_chosen(value) for value in spec.choosable())


@always_possible()
def can_learn(spec: Learning) -> bool:
    """All that learn can still learn a value, as long as proposers have numbers left."""
    return spec.given_up() or all(
        any(spec.learned(listener, value) for value in spec.choosable())
        for listener in spec.listeners()
    )


@always_possible()
def can_choose_unless_given_up(spec: Learning) -> bool:
    """A value can still be chosen, as long as proposers have numbers left."""
    return spec.given_up() or any(spec.is_chosen(value) for value in spec.choosable())


@witness
def some_chosen(spec: Choosing) -> bool:
    """A value is chosen."""
    return any(spec.is_chosen(value) for value in spec.choosable())


@witness
def all_learn(spec: Learning) -> bool:
    """All that learn have learned a value."""
    return all(
        any(spec.learned(listener, value) for value in spec.choosable())
        for listener in spec.listeners()
    )

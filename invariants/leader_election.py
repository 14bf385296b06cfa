"""Leader election: who may lead, and why nobody else does on a ring.

What an election is for, and the inductive invariant of the algorithm of Chang and Roberts (1979),
conjunct by conjunct: Padon et al., 'Ivy: Safety Verification by Interactive Generalization' (PLDI
2016), section 2. The properties ask a spec for the names below and for nothing else.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Map, OrderedNodes, Set, always_possible, invariant, witness
from ..models.ring_leader_election.spec import Message, Process


class Ring(Protocol):
    """A spec in which processes on a ring have numbers, and send them round."""

    processes: OrderedNodes[Process]
    number: Map[Process, int]
    numbered: bool
    messages: Set[Message]
    leaders: Set[Process]

    def is_between(self, start: Process, middle: Process, end: Process) -> bool:
        """Whether a message from `start` passes `middle` before it is at `end`."""

    def is_next(self, process: Process, successor: Process) -> bool:
        """Whether a message of the one goes to the other."""


@invariant
def unique_leader(spec: Ring) -> bool:
    """There is at most one leader."""
    return all(leader == other for leader in spec.leaders for other in spec.leaders)


@invariant
def leader_is_highest(spec: Ring) -> bool:
    """No process has a number above the leader's."""
    return all(
        spec.number[process] <= spec.number[leader]
        for leader in spec.leaders
        for process in spec.processes
    )


@invariant
def numbers_differ(spec: Ring) -> bool:
    """Once the processes are numbered, no two have the same number."""
    return not spec.numbered or all(
        process == other or spec.number[process] != spec.number[other]
        for process in spec.processes
        for other in spec.processes
    )


@invariant
def numbered_first(spec: Ring) -> bool:
    """Before the processes are numbered, nothing is sent and nobody leads."""
    return spec.numbered or (len(spec.messages) == 0 and len(spec.leaders) == 0)


@invariant
def highest_comes_back(spec: Ring) -> bool:
    """A number that is back at its own process is the highest."""
    return all(
        spec.number[process] <= spec.number[owner]
        for owner in spec.processes
        if Message(spec.number[owner], owner) in spec.messages
        for process in spec.processes
    )


@invariant
def passed_are_lower(spec: Ring) -> bool:
    """A number that has passed a process on its way from its own is above that process's."""
    return all(
        spec.number[passed] <= spec.number[owner]
        for owner in spec.processes
        for place in spec.processes
        if Message(spec.number[owner], place) in spec.messages
        for passed in spec.processes
        if spec.is_between(owner, passed, place)
    )


@always_possible()
def can_elect(spec: Ring) -> bool:
    """A leader can still be elected."""
    return len(spec.leaders) > 0


@witness
def elected(spec: Ring) -> bool:
    """A process leads."""
    return len(spec.leaders) > 0


@witness
def elected_by_others(spec: Ring) -> bool:
    """A process leads though another has not sent its own number."""
    return len(spec.leaders) > 0 and any(
        Message(spec.number[process], successor) not in spec.messages
        for process in spec.processes
        for successor in spec.processes
        if spec.is_next(process, successor)
    )


@witness
def thrown_away(spec: Ring) -> bool:
    """A number is with a process that has a higher one, and goes no further."""
    return any(message.number < spec.number[message.to] for message in spec.messages)

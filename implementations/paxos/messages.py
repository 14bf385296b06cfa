"""Messages between proposers, acceptors and learners. Each belongs to one instance.

The names are those of Lamport, "Paxos Made Simple" (2001); 1a, 1b, 2a, 2b are those of his specs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, order=True)
class Ballot:
    """A proposal number: ordered by round, then by proposer.

    The proposer's name is part of the number, so the numbers of different proposers come from
    disjoint sets (section 2.5).
    """

    round: int
    proposer: str


@dataclass(frozen=True)
class Vote:
    """A proposal that an acceptor has accepted: maxVBal and maxVal, if it is its latest."""

    ballot: Ballot
    value: str


@dataclass(frozen=True)
class Prepare:
    """Proposer to acceptor, 1a: promise to accept nothing below, and say what you accepted."""

    instance: str
    ballot: Ballot


@dataclass(frozen=True)
class Promise:
    """Acceptor to proposer, 1b: the promise, and the latest vote, if there is one."""

    instance: str
    ballot: Ballot
    vote: Vote | None


@dataclass(frozen=True)
class Accept:
    """Proposer to acceptor, 2a: accept this proposal."""

    instance: str
    ballot: Ballot
    value: str


@dataclass(frozen=True)
class Accepted:
    """Acceptor to learner, 2b: I have accepted this proposal."""

    instance: str
    ballot: Ballot
    value: str


@dataclass(frozen=True)
class Refused:
    """Acceptor to proposer: your number is too low, I have promised `max_bal`."""

    instance: str
    ballot: Ballot
    max_bal: Ballot


@dataclass(frozen=True)
class Inquiry:
    """Learner to acceptor, learner or proposer: what have you accepted, or learned?"""

    instance: str


@dataclass(frozen=True)
class Chosen:
    """From whoever has learned it to whoever should: this value is chosen."""

    instance: str
    value: str


Message: TypeAlias = Prepare | Promise | Accept | Accepted | Refused | Inquiry | Chosen


def is_above(ballot: Ballot, other: Ballot | None) -> bool:
    """Whether a ballot is higher than another; every ballot is higher than none."""
    return other is None or ballot > other

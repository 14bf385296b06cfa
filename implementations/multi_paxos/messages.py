"""What a log holds, and the messages between replicas. Slots are numbered from 1.

The names are those of Lamport, "Paxos Made Simple" (2001), section 3; his instances are slots here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..paxos.messages import Ballot


@dataclass(frozen=True)
class Command:
    """What a client wants executed, once.

    Invariant: a client numbers its commands upwards from 1, and submits the next one when the one
    before has been answered. Repeating one is harmless.
    """

    client: str
    sequence: int
    operation: str


@dataclass(frozen=True)
class Noop:
    """The command that leaves the state unchanged: it fills a gap."""


Value: TypeAlias = Command | Noop


@dataclass(frozen=True)
class Vote:
    """What a replica has accepted in a slot: maxVBal and maxVal there."""

    ballot: Ballot
    value: Value


@dataclass(frozen=True)
class Prepare:
    """A candidate to all, 1a: for all slots from `first` on at once."""

    ballot: Ballot
    first: int


@dataclass(frozen=True)
class Promise:
    """The answer, 1b: the latest vote in every slot from `first` on that has one.

    Slots up to `checkpoint` are chosen, executed and discarded: it says nothing of them.
    """

    ballot: Ballot
    votes: tuple[tuple[int, Vote], ...]
    checkpoint: int = 0


@dataclass(frozen=True)
class Accept:
    """The leader to all, 2a: accept this value in this slot."""

    ballot: Ballot
    slot: int
    value: Value


@dataclass(frozen=True)
class Accepted:
    """The answer to the leader, 2b. The leader is the distinguished learner (section 3)."""

    ballot: Ballot
    slot: int


@dataclass(frozen=True)
class Refused:
    """Your ballot is too low: I have promised `max_bal`."""

    ballot: Ballot
    max_bal: Ballot


@dataclass(frozen=True)
class Chosen:
    """From whoever knows: this value is chosen in this slot."""

    slot: int
    value: Value


@dataclass(frozen=True)
class Heartbeat:
    """The leader to all: I am here, and know all that is chosen up to `prefix`.

    It has asked for votes in no slot above `last`.
    """

    ballot: Ballot
    prefix: int
    last: int = 0


@dataclass(frozen=True)
class Behind:
    """I know what is chosen only up to `prefix`: tell me what comes next."""

    prefix: int


@dataclass(frozen=True)
class Snapshot:
    """The application's state after slot `slot`, and the last sequence executed, by client."""

    slot: int
    state: str
    sessions: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Forward:
    """A client's command, passed on to the leader."""

    command: Command


Message: TypeAlias = (
    Prepare
    | Promise
    | Accept
    | Accepted
    | Refused
    | Chosen
    | Heartbeat
    | Behind
    | Snapshot
    | Forward
)

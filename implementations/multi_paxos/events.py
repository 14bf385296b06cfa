"""Events: what a driver tells a replica."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .messages import Command, Message


class Timer(Enum):
    """What a replica's only timer waits for; the driver chooses how long.

    ELECTION: a sign of a leader, or, in a candidate, promises. At random, several times a
    HEARTBEAT and the time of a round trip, so that candidates seldom meet (section 2.4).
    HEARTBEAT: the leader's turn to show that it is there.
    """

    ELECTION = "election"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True)
class Submit:
    """A client wants this command executed."""

    command: Command


@dataclass(frozen=True)
class Received:
    """A message arrived from `sender`. May happen any number of times for one sending."""

    sender: str
    message: Message


@dataclass(frozen=True)
class TimedOut:
    """The timer that `SetTimer` set ran out."""

    timer: Timer


@dataclass(frozen=True)
class TakeOver:
    """Become the leader if a majority agrees: the operator wants it, or knows the old one is down.

    `round` is that of the ballot, above all that this replica has seen; None: the next one.
    """

    round: int | None = None


@dataclass(frozen=True)
class Checkpoint:
    """The application's state after it had executed `slot`: the log up to there may go."""

    slot: int
    state: str


Event: TypeAlias = Submit | Received | TimedOut | TakeOver | Checkpoint

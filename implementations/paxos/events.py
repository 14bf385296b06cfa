"""Events: what a driver tells a core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .messages import Message


@dataclass(frozen=True)
class Propose:
    """The application wants this value chosen; what the proposer was proposing is dropped.

    `round` is the round of the ballot, above all that this proposer has used; None: the next one.
    """

    instance: str
    value: str
    round: int | None = None


@dataclass(frozen=True)
class Abandon:
    """The application wants nothing chosen any more. What was sent may still be accepted."""

    instance: str


@dataclass(frozen=True)
class Ask:
    """The application wants to know what is chosen."""

    instance: str


@dataclass(frozen=True)
class Received:
    """A message arrived from `sender`. May happen any number of times for one sending."""

    sender: str
    message: Message

    @property
    def instance(self) -> str:
        """The instance the message belongs to."""
        return self.message.instance


@dataclass(frozen=True)
class TimedOut:
    """The timer that `SetTimer` set ran out."""

    instance: str


ProposerEvent: TypeAlias = Propose | Abandon | Received | TimedOut
AcceptorEvent: TypeAlias = Received
LearnerEvent: TypeAlias = Ask | Received | TimedOut

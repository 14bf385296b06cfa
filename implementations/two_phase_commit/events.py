"""Events: what a driver tells a core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .messages import Message, Vote


@dataclass(frozen=True)
class Request:
    """The application asks the coordinator to commit a transaction of these participants."""

    transaction: str
    participants: tuple[str, ...]


@dataclass(frozen=True)
class Received:
    """A message arrived from `sender`. May happen any number of times for one sending."""

    sender: str
    message: Message

    @property
    def transaction(self) -> str:
        """The transaction the message belongs to."""
        return self.message.transaction


@dataclass(frozen=True)
class Decide:
    """The coordinator's driver takes up a `DecisionReady`, possibly several in one group."""

    transaction: str


@dataclass(frozen=True)
class TimedOut:
    """The timer that `SetTimer` set ran out."""

    transaction: str


@dataclass(frozen=True)
class Proceed:
    """The sends before a `ProceedWhenSent` have been handed to the network."""

    transaction: str


@dataclass(frozen=True)
class Enlist:
    """The application does work for a transaction whose coordinator is `coordinator`."""

    transaction: str
    coordinator: str


@dataclass(frozen=True)
class CastVote:
    """The application's answer to `VoteRequested`: can it commit?"""

    transaction: str
    vote: Vote


@dataclass(frozen=True)
class Forget:
    """Every participant is known to have decided: the transaction may be forgotten.

    Not before: a peer that is still uncertain would be told Abort by a participant that has
    forgotten a commit. The coordinator's `Ended` says when, except under presumed commit.
    """

    transaction: str


@dataclass(frozen=True)
class TakeOver:
    """The coordinator is down: the backup asks these participants."""

    transaction: str
    participants: tuple[str, ...]


CoordinatorEvent: TypeAlias = Request | Received | Decide | TimedOut | Proceed
ParticipantEvent: TypeAlias = Enlist | Received | CastVote | TimedOut | Proceed | Forget
BackupEvent: TypeAlias = TakeOver | Received | TimedOut | Forget

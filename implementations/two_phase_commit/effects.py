"""Effects: what a core asks of its driver, to be carried out in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .messages import Decision, Message
from .records import Record


class Wait(Enum):
    """What a timer waits for; the driver chooses how long."""

    VOTE_REQUEST = "vote request"
    VOTES = "votes"
    DECISION = "decision"
    ACKNOWLEDGEMENTS = "acknowledgements"
    REPORTS = "reports"


@dataclass(frozen=True)
class Send:
    """Send a message. It may be lost, delayed, duplicated and overtaken."""

    to: str
    message: Message


@dataclass(frozen=True)
class Persist:
    """Append a record to the log; if `forced`, later effects wait until it is durable."""

    record: Record
    forced: bool


@dataclass(frozen=True)
class SetTimer:
    """Set the transaction's timer, in place of one that is running."""

    transaction: str
    wait: Wait


@dataclass(frozen=True)
class CancelTimer:
    """Stop the transaction's timer: `TimedOut` must not come any more."""

    transaction: str


@dataclass(frozen=True)
class VoteRequested:
    """Ask the application whether it can commit; it answers with `CastVote`."""

    transaction: str


@dataclass(frozen=True)
class DecisionReady:
    """The coordinator can decide; it does with `Decide`."""

    transaction: str


@dataclass(frozen=True)
class ProceedWhenSent:
    """Answer with `Proceed` once the sends before this are with the network."""

    transaction: str


@dataclass(frozen=True)
class Decided:
    """Tell the application the outcome. Comes again after recovery: idempotent redo or undo."""

    transaction: str
    decision: Decision


@dataclass(frozen=True)
class Ended:
    """The process owes nobody anything for the transaction: its log entries may be discarded."""

    transaction: str


Effect: TypeAlias = (
    Send
    | Persist
    | SetTimer
    | CancelTimer
    | VoteRequested
    | DecisionReady
    | ProceedWhenSent
    | Decided
    | Ended
)

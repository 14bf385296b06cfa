"""Effects: what a core asks of its driver, to be carried out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .events import Timer
from .messages import Command, Message, Snapshot
from .records import Record


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
    """Set a timer, in place of the same one that is running."""

    timer: Timer


@dataclass(frozen=True)
class CancelTimer:
    """Stop a timer: its `TimedOut` must not come any more."""

    timer: Timer


@dataclass(frozen=True)
class Accepted:
    """The leader has a client's command in its log; it may still be lost until it is applied."""

    index: int
    term: int


@dataclass(frozen=True)
class Apply:
    """Execute a committed command; if this server leads, answer the client with the result."""

    index: int
    command: Command


@dataclass(frozen=True)
class AlreadyApplied:
    """A client repeats a command that was executed: answer with the result of that time."""

    client: str
    sequence: int


@dataclass(frozen=True)
class Restore:
    """Replace the state machine's state by a snapshot's."""

    snapshot: Snapshot


@dataclass(frozen=True)
class ReadReady:
    """Read the state machine now and answer: it has all that was committed when the read came."""

    number: int


@dataclass(frozen=True)
class ReadFailed:
    """The server leads no more: the client should ask another."""

    number: int


Effect: TypeAlias = (
    Send
    | Persist
    | SetTimer
    | CancelTimer
    | Accepted
    | Apply
    | AlreadyApplied
    | Restore
    | ReadReady
    | ReadFailed
)

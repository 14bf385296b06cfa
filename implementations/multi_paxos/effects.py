"""Effects: what a replica asks of its driver, to be carried out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .events import Timer
from .messages import Command, Message
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
class Discard:
    """Drop the entries of these keys from the log; a record before this has what they held."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class SetTimer:
    """Set the replica's timer, in place of the one that is running."""

    timer: Timer


@dataclass(frozen=True)
class Execute:
    """Execute a command; slots come in order. The leader's application answers the client.

    Comes again after recovery, from the last `Restore`, or the initial state, on.
    """

    slot: int
    command: Command


@dataclass(frozen=True)
class Repeated:
    """The client submits again what is executed: answer it as then, or with a later answer."""

    command: Command


@dataclass(frozen=True)
class Unavailable:
    """Nothing will come of this command here and now: the client should submit it again."""

    command: Command


@dataclass(frozen=True)
class Restore:
    """Replace the application's state by this one, that after `slot`."""

    slot: int
    state: str


Effect: TypeAlias = Send | Persist | Discard | SetTimer | Execute | Repeated | Unavailable | Restore

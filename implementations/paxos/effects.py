"""Effects: what a core asks of its driver, to be carried out in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .messages import Message
from .records import Record


class Wait(Enum):
    """What a timer waits for; the driver chooses how long, and longer after each time-out.

    Proposers that back off for different times get out of each other's way (section 2.4).
    """

    PROMISES = "promises"
    CHOICE = "choice"  # by a majority, once the accept requests have left
    BACK_OFF = "back off"
    ANSWERS = "answers"


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
    """Set the instance's timer, in place of one that is running."""

    instance: str
    wait: Wait


@dataclass(frozen=True)
class CancelTimer:
    """Stop the instance's timer: `TimedOut` must not come any more."""

    instance: str


@dataclass(frozen=True)
class Learned:
    """Tell the application what is chosen. May come again, after a crash or when asked again.

    With another value only if a process of the system is flawed: agreement is broken.
    """

    instance: str
    value: str


Effect: TypeAlias = Send | Persist | SetTimer | CancelTimer | Learned

"""Events: what a driver tells a core. All randomness and all time come in here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .messages import Message


class Timer(Enum):
    """What a timer waits for; the driver chooses how long.

    ELECTION: a random time, at least `Options.election_timeout` (5.2). HEARTBEAT: much shorter.
    QUORUM: an election time-out, over which a leader listens (6.2). TRANSFER: as long (3.10).
    """

    ELECTION = "election"
    HEARTBEAT = "heartbeat"
    QUORUM = "quorum"
    TRANSFER = "transfer"


@dataclass(frozen=True)
class TimedOut:
    """The timer that `SetTimer` set ran out."""

    timer: Timer


@dataclass(frozen=True)
class Clock:
    """The local clock shows `now` ticks; it never goes back.

    Leases and the refusal of needless elections go by the last of these: without one right before
    every other event, a lease is worth nothing. Nothing else asks for the time.
    """

    now: int


@dataclass(frozen=True)
class Received:
    """A message arrived from `sender`. May happen any number of times for one sending."""

    sender: str
    message: Message


@dataclass(frozen=True)
class ClientRequest:
    """A client wants a command executed (5.3).

    With `Options.deduplicate`, a command of a client is executed once for each sequence number;
    the client counts upwards and sends a new command only after the answer to the one before.
    """

    data: bytes
    client: str | None = None
    sequence: int = 0


@dataclass(frozen=True)
class ReadRequest:
    """A client wants to read; `ReadReady` or `ReadFailed` with its number answers (6.4)."""

    number: int


@dataclass(frozen=True)
class Replicate:
    """Send a server the entries that it lacks, now. `Options.eager` does so unasked."""

    to: str


@dataclass(frozen=True)
class Heartbeat:
    """Send a server AppendEntries without entries, now."""

    to: str


@dataclass(frozen=True)
class ApplyCommitted:
    """With `Options.lazy_apply`: apply the next committed entry."""


@dataclass(frozen=True)
class Compact:
    """The application has saved its state after the entry at `index` as `data` (7)."""

    index: int
    data: bytes


@dataclass(frozen=True)
class AddServer:
    """Let one more server vote (4.1)."""

    name: str


@dataclass(frozen=True)
class RemoveServer:
    """Let one server vote no more (4.1)."""

    name: str


@dataclass(frozen=True)
class Reconfigure:
    """Replace the voters, by joint consensus (4.3)."""

    voters: tuple[str, ...]


@dataclass(frozen=True)
class TransferLeadership:
    """Hand leadership to a server, without waiting for time-outs (3.10)."""

    to: str


Event: TypeAlias = (
    TimedOut
    | Clock
    | Received
    | ClientRequest
    | ReadRequest
    | Replicate
    | Heartbeat
    | ApplyCommitted
    | Compact
    | AddServer
    | RemoveServer
    | Reconfigure
    | TransferLeadership
)

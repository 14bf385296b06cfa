"""What goes in and out of a site of quorum-based commit, and what it keeps in its log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .messages import AskVote, Decide, LocalError, Notify, Vote, VoteCast, VoteRequest
from .records import RecordLog


class QuorumState(Enum):
    """Where a site stands; the letters are Skeen's."""

    INITIAL = "q"
    UNCERTAIN = "w"
    PRE_COMMITTED = "pc"
    PRE_ABORTED = "pa"
    COMMITTED = "c"
    ABORTED = "a"


@dataclass(frozen=True, slots=True)
class Inquire:
    """Leader to site: I was elected; report."""

    transaction: str


@dataclass(frozen=True, slots=True)
class Counter:
    """Answer to Inquire: the last election that the site took part in."""

    transaction: str
    last_elected: int


@dataclass(frozen=True, slots=True)
class Number:
    """Leader to site: this election has a number higher than all that I was told."""

    transaction: str
    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """Answer to Number: the state, and the last attempt that the site took part in."""

    transaction: str
    state: QuorumState
    last_attempt: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """Leader to site: move to pc or to pa, in election `number`."""

    transaction: str
    number: int
    target: QuorumState


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer to Attempt: I have moved."""

    transaction: str
    number: int


QuorumMessage = VoteRequest | Vote | Inquire | Counter | Number | Report | Attempt | Accept | Decide


@dataclass(frozen=True, slots=True)
class QuorumBegin:
    """The application starts a transaction; `sites` includes the coordinator, which votes yes."""

    transaction: str
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuorumReceived:
    """A message came in."""

    sender: str
    message: QuorumMessage


@dataclass(frozen=True, slots=True)
class Elected:
    """The membership service: `members` are connected, and this site, one of them, leads."""

    transaction: str
    members: frozenset[str]


QuorumEvent = QuorumBegin | QuorumReceived | VoteCast | Elected


@dataclass(frozen=True, slots=True)
class QuorumEntered:
    """A record for the log: what must survive a crash. The last of a transaction counts."""

    transaction: str
    sites: tuple[str, ...]
    state: QuorumState
    last_elected: int
    last_attempt: int


@dataclass(frozen=True, slots=True)
class QuorumPersist:
    """Make a record durable before any effect after this one is carried out."""

    record: QuorumEntered


@dataclass(frozen=True, slots=True)
class QuorumSend:
    """Send a message."""

    to: str
    message: QuorumMessage


QuorumEffect = QuorumPersist | QuorumSend | AskVote | Notify


def persist(effects: Iterable[QuorumEffect], log: RecordLog) -> tuple[QuorumEffect, ...]:
    """Write every record among the effects, forcing at most once; returns the other effects."""
    records = [effect.record for effect in effects if isinstance(effect, QuorumPersist)]
    for record in records:
        log.append(record.transaction, _encode(record), forced=False)
    if records:
        log.force()
    return tuple(effect for effect in effects if not isinstance(effect, QuorumPersist))


def load(log: RecordLog) -> tuple[QuorumEntered, ...]:
    """All records of a log, oldest first, for `recover`; LocalError at one that is not ours."""
    return tuple(_decode(key, entry) for key, entry in log.entries())


def _encode(record: QuorumEntered) -> bytes:
    fields = (list(record.sites), record.state.value, record.last_elected, record.last_attempt)
    return json.dumps(fields).encode()


def _decode(transaction: str, entry: bytes) -> QuorumEntered:
    try:
        sites, state, elected, attempt = json.loads(entry)
        if not all(isinstance(site, str) for site in sites):
            raise TypeError("sites are strings")
        return QuorumEntered(
            transaction, tuple(sites), QuorumState(state), int(elected), int(attempt)
        )
    except (ValueError, TypeError) as error:
        raise LocalError(f"not a record of quorum commit: {entry!r}") from error

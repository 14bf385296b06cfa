"""Between effects and a log: writes records, forces once for many, reads them back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .effects import Discard, Effect, Persist
from .records import Record, decode, encode


class RecordLog(Protocol):
    """The part of a log that the core needs; `quorate.implementations.storage` has logs."""

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry under a key; durable on return if `forced`."""

    def force(self) -> None:
        """Make every entry appended so far durable."""

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries as (key, entry), oldest first."""

    def discard(self, key: str) -> None:
        """Drop all entries of a key; durable with the next force, and never before an append."""


def persist(effects: Iterable[Effect], log: RecordLog) -> tuple[Effect, ...]:
    """Do what concerns the log, in order, forcing at most once; returns the other effects.

    Group commit: pass the effects of many events together, and carry out what is returned
    afterwards. Moving a record before an earlier send is safe, the reverse is not.
    """
    rest: list[Effect] = []
    force = False
    for effect in effects:
        match effect:
            case Persist(record, forced):
                log.append(record.key, encode(record), forced=False)
                force = force or forced
            case Discard(keys):
                for key in keys:
                    log.discard(key)
            case _:
                rest.append(effect)
    if force:
        log.force()
    return tuple(rest)


def load(log: RecordLog) -> tuple[Record, ...]:
    """All records of a log, oldest first, for `recover`. Raises DamagedRecordError."""
    return tuple(decode(entry) for _, entry in log.entries())

"""Between effects and a log: writes records, forces once for many, reads them back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .effects import Effect, Persist
from .records import Record, decode, encode


class RecordLog(Protocol):
    """The part of a log that the cores need; `quorate.implementations.storage` has logs."""

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry under a key; durable on return if `forced`."""

    def force(self) -> None:
        """Make every entry appended so far durable."""

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries as (key, entry), oldest first."""


def persist(effects: Iterable[Effect], log: RecordLog) -> tuple[Effect, ...]:
    """Write every record among the effects, forcing at most once; returns the other effects.

    Group commit: pass the effects of many events together, and carry out what is returned
    afterwards. Moving a record before an earlier send is safe, the reverse is not.
    """
    rest: list[Effect] = []
    force = False
    for effect in effects:
        if isinstance(effect, Persist):
            log.append(effect.record.instance, encode(effect.record), forced=False)
            force = force or effect.forced
        else:
            rest.append(effect)
    if force:
        log.force()
    return tuple(rest)


def load(log: RecordLog) -> tuple[Record, ...]:
    """All records of a log, oldest first, for `recover`. Raises DamagedRecordError."""
    return tuple(decode(entry) for _, entry in log.entries())

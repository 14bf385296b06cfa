"""Between effects and a log: writes records, forces once for many, reads them back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .effects import Effect, Persist
from .errors import DamagedRecordError
from .records import CheckpointRecord, Record, decode, encode


class RecordLog(Protocol):
    """The part of a log that the core needs; `quorate.implementations.storage` has logs."""

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry under a key; durable on return if `forced`."""

    def force(self) -> None:
        """Make every entry appended so far durable."""

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries as (key, entry), oldest first."""

    def discard(self, key: str) -> None:
        """Drop all entries of a key at once, never only some; durable with the next force."""


class Journal:
    """A server's records in a log.

    A checkpoint begins a new generation, the key of all records until the next, and lets go of the
    old one. What a crash leaves is a prefix of what was done: the old generation whole, or the
    checkpoint, with the old generation before it or without. All three recover alike.
    """

    def __init__(self, log: RecordLog) -> None:
        self._log = log
        keys = [_generation(key) for key, _ in log.entries()]
        self._generation = keys[-1] if keys else 0
        self._forget(set(keys) - {self._generation})

    def write(self, effects: Iterable[Effect]) -> tuple[Effect, ...]:
        """Write every record among the effects, forcing at most once; returns the other effects.

        Group commit: pass the effects of many events together, and carry out what is returned
        afterwards. Moving a record before an earlier send is safe, the reverse is not. Records
        behind the last forced one are not forced with it.
        """
        rest: list[Effect] = []
        records: list[Persist] = []
        for effect in effects:
            if isinstance(effect, Persist):
                records.append(effect)
            else:
                rest.append(effect)
        last = max((at for at, record in enumerate(records) if record.forced), default=-1)
        for at, effect in enumerate(records):
            self._append(effect.record)
            if at == last:
                self._log.force()
        return tuple(rest)

    def load(self) -> tuple[Record, ...]:
        """All records, oldest first, for `recover`. Raises DamagedRecordError."""
        return tuple(decode(entry) for _, entry in self._log.entries())

    def _append(self, record: Record) -> None:
        old = self._generation
        if isinstance(record, CheckpointRecord):
            self._generation += 1
        self._log.append(str(self._generation), encode(record), forced=False)
        if self._generation != old:
            self._forget({old})

    def _forget(self, generations: set[int]) -> None:
        for generation in sorted(generations):
            self._log.discard(str(generation))


def _generation(key: str) -> int:
    if not key.isdecimal():
        raise DamagedRecordError(f"the log has a key {key!r}, which is not a generation")
    return int(key)

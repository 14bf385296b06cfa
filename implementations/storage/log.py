"""What a protocol core's driver needs of stable storage: one append-only log a process."""

from __future__ import annotations

from typing import Protocol


class StorageError(Exception):
    """The log cannot be opened, read or written."""


class Log(Protocol):
    """Entries under keys (a transaction, an instance, a term), in the order they were appended.

    An entry is durable once a later `force`, or an append with `forced=True`, has returned: it
    then survives the death of the process and of the machine. Until then it may be lost, and then
    every later entry is lost with it: what survives is a prefix.
    """

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry; `forced` makes it and all before it durable before returning."""

    def force(self) -> None:
        """Make every entry appended so far durable. One call serves many: group commit."""

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries as (key, entry), oldest first, those not yet durable included."""

    def discard(self, key: str) -> None:
        """Drop all entries of a key at once, never only some; durable with the next force."""

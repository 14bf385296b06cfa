"""A log in memory that knows what a crash would lose."""

from __future__ import annotations


class MemoryLog:
    """A `Log` whose `crash` loses what was not forced.

    Invariants: 1. `durable()` is what the last force left. 2. A crash keeps `durable()` and, of
    the operations since, the first `kept`: what the operating system had written by itself.
    """

    def __init__(self) -> None:
        self._durable: list[tuple[str, bytes]] = []
        # (key, entry), or (key, None) for a discarded key
        self._pending: list[tuple[str, bytes | None]] = []

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry; see `Log.append`."""
        self._pending.append((key, entry))
        if forced:
            self.force()

    def force(self) -> None:
        """Make every operation so far durable."""
        self._durable = _applied(self._durable, self._pending)
        self._pending = []

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries, those not yet durable included."""
        return tuple(_applied(self._durable, self._pending))

    def discard(self, key: str) -> None:
        """Drop all entries of a key."""
        self._pending.append((key, None))

    def durable(self) -> tuple[tuple[str, bytes], ...]:
        """The entries that a crash cannot lose."""
        return tuple(self._durable)

    def unforced(self) -> int:
        """How many operations a crash can lose."""
        return len(self._pending)

    def crash(self, *, kept: int = 0) -> None:
        """Lose what was not forced, but for its first `kept` operations.

        Raises ValueError if `kept` is negative or more than there are.
        """
        if not 0 <= kept <= len(self._pending):
            raise ValueError(f"kept={kept}: {len(self._pending)} operations are not forced")
        self._durable = _applied(self._durable, self._pending[:kept])
        self._pending = []


def _applied(
    entries: list[tuple[str, bytes]], operations: list[tuple[str, bytes | None]]
) -> list[tuple[str, bytes]]:
    result = list(entries)
    for key, entry in operations:
        if entry is None:
            result = [item for item in result if item[0] != key]
        else:
            result.append((key, entry))
    return result

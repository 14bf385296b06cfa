"""The replicated log of one server: a compacted beginning, then entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .configuration import Configuration
from .messages import Entry


class RaftLog:
    """Entries behind a base, which is 0 or the last entry that a snapshot covers.

    Invariants: 1. Indexes run from `base_index` + 1 to `last_index` without a gap. 2. Terms never
    decrease. 3. `configurations` has the entries that are configurations, with their indexes.
    """

    def __init__(
        self, base_index: int = 0, base_term: int = 0, entries: Iterable[Entry] = ()
    ) -> None:
        self.base_index = base_index
        self.base_term = base_term
        self.configurations: list[tuple[int, Configuration]] = []
        self._entries: list[Entry] = []
        self.replace_from(base_index + 1, tuple(entries))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries that are not compacted."""
        return tuple(self._entries)

    @property
    def last_index(self) -> int:
        """The index of the last entry, compacted or not; 0 if there has never been one."""
        return self.base_index + len(self._entries)

    @property
    def last_term(self) -> int:
        """The term of the last entry, compacted or not; 0 if there has never been one."""
        return self._entries[-1].term if self._entries else self.base_term

    def term_at(self, index: int) -> int | None:
        """The term of the entry at an index; None if it is compacted or not there."""
        if index == self.base_index:
            return self.base_term
        if self.base_index < index <= self.last_index:
            return self._entries[index - self.base_index - 1].term
        return None

    def entry_at(self, index: int) -> Entry:
        """The entry at an index. Raises IndexError if it is compacted or not there."""
        if not self.base_index < index <= self.last_index:
            raise IndexError(f"no entry {index}: {self.base_index + 1} to {self.last_index} are")
        return self._entries[index - self.base_index - 1]

    def slice(self, first: int, most: int) -> tuple[Entry, ...]:
        """Up to `most` entries from `first` on; none if that is compacted."""
        if first <= self.base_index:
            return ()
        start = first - self.base_index - 1
        return tuple(self._entries[start : start + most])

    def replace_from(self, first: int, entries: Sequence[Entry]) -> None:
        """Remove what is at `first` and behind, and append entries there."""
        del self._entries[first - self.base_index - 1 :]
        while self.configurations and self.configurations[-1][0] >= first:
            self.configurations.pop()
        self._entries.extend(entries)
        self.configurations.extend(
            (index, entry.payload)
            for index, entry in enumerate(entries, first)
            if isinstance(entry.payload, Configuration)
        )

    def agreement_before(self, index: int, term: int) -> int:
        """The last index, at most `index`, where an entry of a log with `term` there may be ours.

        Terms never decrease in either log, so an entry of a later term than `term` cannot be.
        Never before the base.
        """
        index = min(index, self.last_index)
        while index > self.base_index and (self.term_at(index) or 0) > term:
            index -= 1
        return index

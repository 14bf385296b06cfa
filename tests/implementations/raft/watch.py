"""Figure 3, and what follows from Figure 2, checked on servers as they run."""

from __future__ import annotations

from quorate.implementations.raft import Command, Entry, Raft, Role


class Watch:
    """What has been seen of all servers so far. Every method fails with what went wrong."""

    def __init__(self) -> None:
        self.leaders: dict[int, str] = {}
        self.complete: set[int] = set()
        self.votes: dict[tuple[str, int], str | None] = {}
        self.matches: dict[tuple[str, int, str], int] = {}
        self.progress: dict[str, tuple[int, int]] = {}
        self.applied: dict[int, bytes] = {}
        self.written: dict[tuple[int, int], tuple[Entry, ...]] = {}

    def apply(self, index: int, data: bytes) -> None:
        """State Machine Safety."""
        assert self.applied.setdefault(index, data) == data, f"State Machine Safety at {index}"

    def restart(self, name: str) -> None:
        """A restart keeps currentTerm, and may forget commitIndex."""
        self.progress[name] = (self.progress.get(name, (0, 0))[0], 0)

    def check(self, core: Raft) -> None:
        """All of a server's state."""
        self._vote(core)
        self._progress(core)
        if core.role is Role.LEADER:
            self._leader(core)
        self._log(core)

    def _vote(self, core: Raft) -> None:
        """One vote a term, crashes or not (5.2)."""
        known = self.votes.setdefault((core.name, core.current_term), core.voted_for)
        assert known in (None, core.voted_for), f"votes of {core.name} in {core.current_term}"
        self.votes[core.name, core.current_term] = core.voted_for

    def _progress(self, core: Raft) -> None:
        """commitIndex never goes back while a server is up, nor matchIndex within a term."""
        before = self.progress.get(core.name, (0, 0))
        self.progress[core.name] = (core.current_term, core.commit_index)
        assert before[0] <= core.current_term, f"currentTerm of {core.name} went back"
        assert before[1] <= core.commit_index, f"commitIndex of {core.name} went back"
        for peer, match in core.match_index.items():
            key = (core.name, core.current_term, peer)
            known = self.matches.get(key, 0)
            assert known <= match, f"matchIndex of {key} went back"
            assert match < core.next_index[peer], f"nextIndex of {key} is not behind matchIndex"
            self.matches[key] = match

    def _leader(self, core: Raft) -> None:
        """Election Safety; and Leader Completeness, of what was applied when it was elected."""
        term = core.current_term
        known = self.leaders.setdefault(term, core.name)
        assert known == core.name, f"Election Safety: term {term}"
        if term in self.complete:
            return
        self.complete.add(term)
        base = core.last_index - len(core.log)
        for index, data in self.applied.items():
            if index > base:
                has = index <= core.last_index and core.log[index - base - 1].payload
                found = isinstance(has, Command) and has.data == data
                assert found, f"Leader Completeness: entry {index} in term {term}"

    def _log(self, core: Raft) -> None:
        """Log Matching, on neighbours: by induction it is all of it."""
        base = core.last_index - len(core.log)
        previous = core.snapshot.last_term if core.snapshot else 0
        for index, entry in enumerate(core.log, base + 1):
            pair = (Entry(previous, entry.payload), entry)
            found = self.written.setdefault((index, entry.term), pair)
            assert found == pair, f"Log Matching at {index} of {core.name}"
            previous = entry.term

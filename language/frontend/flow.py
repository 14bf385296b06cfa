"""What is known along the arms of a branch, and where they meet."""

from __future__ import annotations

from ..ir.types import Type
from .context import Body


class Flow:
    """What is known along the arms of a branch, and what is left where they meet."""

    def __init__(self, body: Body) -> None:
        self._body = body
        unit = body.unit
        self._narrowed = dict(body.narrowed)
        self._defined = set(unit.defined)
        self._stale = dict(unit.stale)
        self._aliases = dict(unit.aliases)
        self._ends: list[tuple[dict[str, Type], set[str]]] = []
        self._all_stale = dict(unit.stale)
        self._all_aliases = dict(unit.aliases)

    def enter(self, learnt: dict[str, Type]) -> None:
        """Start an arm."""
        unit = self._body.unit
        self._body.narrowed = {**self._narrowed, **learnt}
        unit.defined = set(self._defined)
        unit.stale, unit.aliases = dict(self._stale), dict(self._aliases)

    def leave(self, ended: bool) -> None:
        """End an arm; one that returned does not reach the meeting point."""
        unit = self._body.unit
        # The result of a helper is bound in arms that end: what it shares is needed after them.
        for local, shared in unit.aliases.items():
            self._all_aliases[local] = shared | self._all_aliases.get(local, frozenset())
        if not ended:
            self._ends.append((dict(self._body.narrowed), set(unit.defined)))
            self._all_stale.update(unit.stale)

    def join(self) -> None:
        """After the branch: what holds at the end of every arm that gets there."""
        unit = self._body.unit
        first = self._ends[0] if self._ends else (self._narrowed, self._defined)
        narrowed, defined = dict(first[0]), set(first[1])
        for other, names in self._ends[1:]:
            narrowed = {k: t for k, t in narrowed.items() if other.get(k) == t}
            defined &= names
        self._body.narrowed, unit.defined = narrowed, defined
        unit.stale, unit.aliases = self._all_stale, self._all_aliases

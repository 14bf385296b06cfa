"""Whether states are reachable, and how: asked of the explorer's visited set."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

from ...language.instance import Instance
from ...language.values import State
from ..confirmation import Confirmation, Run
from . import control as c
from .compiled import Compiled
from .paths import path_to
from .search import Goals, Limits, Reason, Search
from .tiers import Upgrade
from .workers import Words, Worker

_PART = 1 << 12  # states that are looked through at once


@dataclass(frozen=True)
class Reach:
    """The answer about a state: a shortest run to it; else whether there is certainly none."""

    run: Run | None
    unreachable: bool


def reached(
    instance: Instance,
    states: Sequence[State],
    *,
    max_states: int | None = None,
    time_limit: float | None = None,
) -> list[Reach]:
    """Which of the states are reachable inside the constraint, as far as the limits allow to know.

    Runs are those of the reference. No property is checked on the way.
    """
    compiled = Compiled.of(instance, (), False)
    upgrade = Upgrade(compiled)
    search = Search(
        compiled.functions(), Goals(), Limits(max_states, None, time_limit), faster=upgrade
    )
    try:
        reason = search.run()
        if reason is Reason.INTERRUPTED:
            raise KeyboardInterrupt
        complete = reason is Reason.COMPLETE
        confirmed = Confirmation(instance, "explore", ())
        answers = []
        for state in states:
            words = compiled.form(state)
            level = _level(search, words)
            if level is None:
                answers.append(Reach(None, complete))
                continue
            run = confirmed.run([compiled.unpack(w) for w in path_to(search.crew, words, level)])
            answers.append(Reach(run, False))
        return answers
    finally:
        upgrade.close()
        search.crew.close()


def _level(search: Search, words: Words) -> int | None:
    """The level on which a state was found; None where it was not."""
    for worker in search.crew.workers:
        position = _position(worker, words)
        if position is not None:
            return 1 + sum(1 for start in worker.levels[1:] if start <= position)
    return None


def _position(worker: Worker, words: Words) -> int | None:
    """Where a state is in a worker's arena: its states have no index but by hash."""
    size = 8 * len(words)
    wanted = bytes((ctypes.c_uint64 * len(words))(*words))
    for first in range(0, worker[c.COUNT], _PART):
        count = min(_PART, worker[c.COUNT] - first)
        part = ctypes.string_at(worker[c.ARENA] + size * first, size * count)
        found = part.find(wanted)
        while found >= 0 and found % size:
            found = part.find(wanted, found + 1)
        if found >= 0:
            return first + found // size
    return None

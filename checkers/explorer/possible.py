"""Always-possible properties: from every stored state, some actions can bring P about.

After a complete search, every stored state gets a mark (a byte beside its slot of the table) once P
is known to be in reach: first those with P, then, sweep after sweep over the states not yet marked,
those with a marked successor. Sweeps alternate in direction; most specs need a few. Nothing else
is stored: a sweep expands the states again. Where P has to stay in reach from some states only, the
others are marked in the end.
"""

from __future__ import annotations

from . import control as c
from .memory import Region
from .search import Search
from .workers import Words

_SLICE = 1 << 18  # states that a worker looks at before somebody looks at the clock


def out_of_reach(
    search: Search, predicate: int, actions: tuple[str, ...], excuse: int | None = None
) -> tuple[int, Words] | None:
    """The least state, on the first such level, from which the predicate is out of reach of the
    actions: its level and words. None where there is no such state, but for states in which the
    predicate `excuse` holds.

    The search has to be complete. Raises TimeoutError past its limits of time and memory.
    """
    search.require_time()
    crew = search.crew
    marks = []
    for worker in crew.workers:
        marks.append(Region(8 * (worker[c.BUCKETS] + c.PAD), large_pages=True))
        worker[c.MARKS] = marks[-1].address
    search.charge(sum(8 * (worker[c.BUCKETS] + c.PAD) for worker in crew.workers))
    marked = sum(crew.run_alike("seed", predicate))
    stored = sum(worker[c.COUNT] for worker in crew.workers)
    backwards = True
    while marked < stored:
        search.renew()
        for worker in crew.workers:
            worker[c.EXPAND_SOME] = search.functions.expand_by[actions]
        changed = _sweep(search, backwards)
        if changed == 0:
            if excuse is not None:
                crew.run_alike("seed", excuse)
            found = _first_unmarked(search)
            if found is None and excuse is None:
                raise RuntimeError("a state without a mark has got lost")
            return found
        marked += changed
        backwards = not backwards
    return None


def _sweep(search: Search, backwards: bool) -> int:
    """Look at all states once. How many got a mark. Raises TimeoutError past the limit of time."""
    crew = search.crew
    counts = [worker[c.COUNT] for worker in crew.workers]
    changed = 0
    for first in range(0, max(counts), _SLICE):
        parts = [(min(first, count), min(first + _SLICE, count)) for count in counts]
        if backwards:
            mirrored = zip(parts, counts, strict=True)
            parts = [(count - start, count - end) for (start, end), count in mirrored]
        results = crew.run("sweep", parts)
        if c.OVERFULL in results:
            raise RuntimeError("a state has more successors than in the search")
        changed += sum(results)
        search.require_time()
    return changed


def _first_unmarked(search: Search) -> tuple[int, Words] | None:
    crew = search.crew
    for level in range(1, len(crew.workers[0].levels) + 1):
        ranges = [worker.range(level) for worker in crew.workers]
        positions = crew.run("unmarked", ranges)
        found = [
            worker.state(position)
            for worker, position in zip(crew.workers, positions, strict=True)
            if position >= 0
        ]
        if found:
            return level, min(found)
    return None

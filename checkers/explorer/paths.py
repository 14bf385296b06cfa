"""From a state found to a run that leads there.

No parents are stored: the states are, level by level. The state before one is looked for among
those of the level before, by expanding them again; of several, the canonically least is taken, so
that a path depends neither on the number of workers nor on the order of the search.
"""

from __future__ import annotations

from . import control as c
from .workers import Crew, Words


def path_to(crew: Crew, target: Words, level: int) -> list[Words]:
    """A shortest run to a state of a level (the first being 1), as packed states.

    The target itself need not be stored; under symmetry it has to be in canonical form.
    """
    path = [target]
    for before in range(level - 1, 0, -1):
        path.append(_before(crew, path[-1], before))
    path.reverse()
    return path


def _before(crew: Crew, target: Words, level: int) -> Words:
    for worker in crew.workers:
        worker.put(worker[c.TARGET], target)
    positions = crew.run("predecessor", [worker.range(level) for worker in crew.workers])
    if c.OVERFULL in positions:
        raise RuntimeError("a state has more successors than in the search")
    found = [
        worker.state(position)
        for worker, position in zip(crew.workers, positions, strict=True)
        if position >= 0
    ]
    if not found:
        raise RuntimeError(f"no state of level {level} leads to a state of the next")
    return min(found)

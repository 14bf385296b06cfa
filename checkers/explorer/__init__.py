"""The explorer: every reachable state of an instance, natively, shortest counterexample first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...language.instance import Instance
from ..result import CheckResult
from .check import Options, check
from .search import Limits, Progress

__all__ = ["Progress", "explore"]


def explore(
    instance: Instance,
    *,
    properties: Sequence[str] | None = None,
    symmetry: bool | None = None,
    workers: int = 1,
    max_states: int | None = None,
    max_depth: int | None = None,
    time_limit: float | None = None,
    max_memory: int | None = None,
    deadlock: bool = False,
    witness_traces: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> CheckResult:
    """Check properties in every reachable state, breadth first.

    `properties` names properties and refinements of the instance (None: all). With `symmetry`,
    states that differ only in the numbering of interchangeable nodes count as one; it is off
    unless asked for, so that counts are those of other tools. The limits are in states, levels,
    seconds, and bytes of the engine's own data (a share of the machine's memory by default); a
    search that reaches one is inconclusive, unless it had found something by then. The seconds are
    those of the search, and are looked at before each level and a few times a second: a search that
    was over by then answers, however long it took. `deadlock` asks for states without a step.
    `progress` is called a few times a second. `witness_traces` asks for a run to each witness, not
    only its length.

    The search finishes the level on which it finds something, and reports all that is violated
    there, each with a shortest counterexample that the reference semantics has confirmed.

    Raises UsageError for names and numbers that are not allowed, SpecProblem for a spec that is
    not symmetric, InternalDisagreement where the engine contradicts the reference.
    """
    limits = Limits(max_states, max_depth, time_limit, max_memory)
    options = Options(workers, limits, deadlock, witness_traces, progress)
    return check(instance, properties, bool(symmetry), options)

"""Does an adapter follow its spec? Random walks of the spec, replayed; for tests of adapters."""

from __future__ import annotations

import random
from collections.abc import Mapping

from ..language.ir.nodes import SpecIR
from ..language.labels import Label, Trap
from ..language.semantics import Semantics
from ..language.values import State
from .adapter import Adapter
from .replay import ReplayResult, follow
from .trace import Outcome, Setting, Trace, TraceMeta


def walk(semantics: Semantics, ir: SpecIR, meta: TraceMeta, *, steps: int, seed: int) -> Trace:
    """A random run of a spec of at most so many steps; the same for the same seed.

    It makes no claim, and stops early where no step has a next state.
    """
    chance = random.Random(seed)
    state = chance.choice([one for one in semantics.initial_states() if not isinstance(one, Trap)])
    states: list[State] = [state]
    labels: list[Label] = []
    for _ in range(steps):
        enabled = [
            (one.label, one.target)
            for one in semantics.successors(states[-1])
            if not isinstance(one.target, Trap)
        ]
        if not enabled:
            break
        label, target = chance.choice(enabled)
        labels.append(label)
        states.append(target)
    names = tuple(variable.name for variable in ir.variables)
    return Trace(names, tuple(states), tuple(labels), meta)


def check_adapter(
    adapter: Adapter,
    semantics: Semantics,
    *,
    ir: SpecIR,
    parameters: Mapping[str, Setting] | None = None,
    flaws: tuple[str, ...] = (),
    walks: int = 20,
    steps: int = 20,
    seed: int = 0,
    step_limit: float = 10.0,
) -> tuple[Trace, ReplayResult] | None:
    """The first random walk of the spec that the implementation does not follow, None if all agree.

    Sessions follow one another, so one that leaves something behind for the next is found too.
    """
    meta = TraceMeta(model=ir.name, parameters=dict(parameters or {}), flaws=flaws)
    for number in range(walks):
        trace = walk(semantics, ir, meta, steps=steps, seed=seed + number)
        result = follow(trace, adapter, ir=ir, step_limit=step_limit)
        if result.outcome is not Outcome.REPRODUCED or result.notes:
            return trace, result
    return None

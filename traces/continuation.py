"""A trace that gets stuck, and how it goes on where the flaw is not: always-possible properties."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from ..language.ir.nodes import SpecIR
from ..language.labels import Transition, Trap
from ..language.semantics import Semantics
from ..language.values import State
from .trace import Trace


def goes_on(
    trace: Trace, semantics: Semantics, ir: SpecIR, *, max_states: int = 20_000
) -> Trace | None:
    """The trace with the shortest way on to where its property holds, claiming nothing.

    By the actions that the property names, on `semantics`: the trace's spec, with other flaws.
    None if there is no way, or none among so many states.
    """
    name = trace.meta.property
    by = next((one.by for one in ir.properties if one.name == name), ())
    start = trace.states[-1]
    came: dict[State, tuple[State, Transition] | None] = {start: None}
    waiting = deque([start])
    while waiting and len(came) < max_states:
        state = waiting.popleft()
        if semantics.holds(name, state):
            return _longer(trace, came, state)
        for step in semantics.successors(state):
            target = step.target
            if step.label.action in by and not isinstance(target, Trap) and target not in came:
                came[target] = (state, step)
                waiting.append(target)
    return None


def _longer(trace: Trace, came: dict[State, tuple[State, Transition] | None], last: State) -> Trace:
    states, labels = [last], []
    while (step := came[states[-1]]) is not None:
        states.append(step[0])
        labels.append(step[1].label)
    return Trace(
        trace.variables,
        (*trace.states, *reversed(states[:-1])),
        (*trace.labels, *reversed(labels)),
        replace(trace.meta, property="", property_kind=""),
    )

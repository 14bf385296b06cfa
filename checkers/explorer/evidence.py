"""Counterexamples: runs of packed states, re-evaluated by the reference semantics into traces.

Whatever the native engine says it found has to be so for the reference too, step by step, or
`InternalDisagreement` is raised. Under symmetry a run of representatives is followed from a real
initial state, by the first transition each time whose target the next representative stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import Enum

from ...language.ir.evaluator import Evaluator
from ...language.ir.nodes import Property
from ...language.labels import Label, Transition, Trap, Trapped
from ...language.values import State
from ...traces.shows import valueless
from ...traces.trace import Setting, Trace, TraceMeta, TrapStep
from ..errors import InternalDisagreement
from .compiled import Compiled
from .workers import Words

_REACH = 2000  # states that the reference looks at to confirm that something is out of reach


class Witness:
    """Makes traces of one compiled check."""

    def __init__(self, compiled: Compiled, engine: str) -> None:
        self._compiled = compiled
        self._instance = compiled.instance
        self._reference = compiled.instance.reference()
        self._evaluator = compiled.instance.evaluator()
        self._engine = engine

    def state(self, path: Sequence[Words], item: Property, *, holds: bool) -> Trace:
        """A run to a state in which a predicate fails, or holds."""
        states, labels = self._follow(path)
        if self._holds(item.name, states[-1]) is not holds:
            raise self._disagreement(f"{item.name} is {not holds} in a state", states[-1])
        return self._trace(states, labels, item.name, item.kind.value)

    def step(self, path: Sequence[Words], after: Words, item: Property, *, holds: bool) -> Trace:
        """A run on whose last step, from the end of `path`, a predicate fails, or holds."""

        def wanted(before: State, target: State) -> bool:
            return self._holds(item.name, before, target) is holds

        return self._last_step(path, after, wanted, item.name, item.kind.value)

    def refinement(self, path: Sequence[Words], after: Words, name: str) -> Trace:
        """A run whose last step, from the end of `path`, is no step of the abstract spec."""
        reference = self._reference
        abstract = self._abstract(name)

        def broken(before: State, target: State) -> bool:
            first, second = reference.abstract(name, before), reference.abstract(name, target)
            if first == second:
                return False
            return all(step.target != second for step in abstract.successors(first))

        return self._last_step(path, after, broken, name, "refinement")

    def start(self, state: Words, name: str) -> Trace:
        """An initial state that is no initial state of the abstract spec."""
        states, labels = self._follow([state])
        if self._reference.abstract(name, states[0]) in self._abstract(name).initial_states():
            raise self._disagreement(f"{name} is violated at the start", states[0])
        return self._trace(states, labels, name, "refinement")

    def deadlock(self, path: Sequence[Words]) -> Trace:
        """A run to a state without a step."""
        states, labels = self._follow(path)
        if self._reference.successors(states[-1]):
            raise self._disagreement("no step is possible", states[-1])
        return self._trace(states, labels, "deadlock", "deadlock")

    def out_of_reach(self, path: Sequence[Words], item: Property) -> Trace:
        """A run to a state from which the actions of a property cannot bring it about."""
        states, labels = self._follow(path)
        if not self._reference.demands(item.name, states[-1]):
            raise self._disagreement(f"{item.name} has to stay in reach", states[-1])
        seen = {states[-1]}
        todo = [states[-1]]
        while todo and len(seen) < _REACH:
            state = todo.pop()
            if self._holds(item.name, state):
                raise self._disagreement(f"{item.name} is out of reach", states[-1])
            for step in self._steps(state):
                if step.label.action not in item.by or isinstance(step.target, Trap):
                    continue
                if step.target not in seen:
                    seen.add(step.target)
                    todo.append(step.target)
        return self._trace(states, labels, item.name, item.kind.value)

    def trap(self, path: Sequence[Words]) -> tuple[Trace, Trap]:
        """A run to a state out of which a step has no next state."""
        states, labels = self._follow(path)
        for step in self._reference.successors(states[-1]):
            if isinstance(step.target, Trap):
                ending = TrapStep(step.label, step.target)
                return self._trace(states, labels, "bounds", "bounds", ending), step.target
        raise self._disagreement("a step leaves a bound", states[-1])

    def property_trap(self, path: Sequence[Words], after: Words) -> tuple[Trace, Trap, str]:
        """A run to a state, or a step, in which a property has no value: which, and why.

        For a step, `path` ends in the state before it; else in the state itself.
        """
        states, labels = self._follow(path)
        found = self._valueless(states[-1], None)
        if found is None:
            for step in self._reference.successors(states[-1]):
                if isinstance(step.target, Trap):
                    continue
                found = self._valueless(states[-1], step.target)
                if found is not None:
                    states.append(step.target)
                    labels.append(step.label)
                    break
        if found is None:
            raise self._disagreement("a property has no value", states[-1])
        name, trap = found
        trace = self._trace(states, labels, "bounds", "bounds")
        note = f"{name} cannot be evaluated: {trap.message}"
        return replace(trace, meta=replace(trace.meta, note=note)), trap, name

    def _valueless(self, state: State, after: State | None) -> tuple[str, Trap] | None:
        """The first of the properties, the constraint and the mappings that has no value."""
        compiled = self._compiled
        return valueless(self._reference, compiled.properties, compiled.refinements, state, after)

    def _last_step(
        self,
        path: Sequence[Words],
        after: Words,
        shows: Callable[[State, State], bool],
        name: str,
        kind: str,
    ) -> Trace:
        states, labels = self._follow(path)
        compiled = self._compiled
        wanted = compiled.form(compiled.unpack(after))
        for step in self._reference.successors(states[-1]):
            if isinstance(step.target, Trap) or compiled.form(step.target) != wanted:
                continue
            if shows(states[-1], step.target):
                states.append(step.target)
                labels.append(step.label)
                return self._trace(states, labels, name, kind)
        raise self._disagreement(f"a step decides {name}", states[-1])

    def _follow(self, path: Sequence[Words]) -> tuple[list[State], list[Label]]:
        """The run of the reference that a run of packed states stands for."""
        form = self._compiled.form
        starts = [s for s in self._reference.initial_states() if not isinstance(s, Trap)]
        first = next((state for state in starts if form(state) == path[0]), None)
        if first is None:
            raise InternalDisagreement(
                f"the explorer starts {self._instance.name} in a state that the reference does not"
            )
        states, labels = [first], list[Label]()
        for words in path[1:]:
            label, target = self._step_to(states[-1], words)
            states.append(target)
            labels.append(label)
        return states, labels

    def _steps(self, state: State) -> Iterator[Transition]:
        """What the reference makes of the steps that the evaluator finds; see `_step_to`."""
        labels = {(label.action, label.parameters): label for label in self._labels(state)}
        for label in labels.values():
            yield from self._reference.taken(state, label)

    def _labels(self, state: State) -> Iterator[Label]:
        return (step.label for step in self._evaluator.successors(state))

    def _step_to(self, state: State, words: Words) -> tuple[Label, State]:
        # The evaluator says which action to try: the reference takes long to try them all.
        for likely in self._evaluator.successors(state):
            if isinstance(likely.target, Trap) or self._compiled.form(likely.target) != words:
                continue
            for step in self._reference.taken(state, likely.label):
                if not isinstance(step.target, Trap) and self._compiled.form(step.target) == words:
                    return step.label, step.target
        raise self._disagreement("the explorer takes a step that the reference does not", state)

    def _holds(self, name: str, state: State, after: State | None = None) -> bool:
        try:
            return self._reference.holds(name, state, after)
        except Trapped as trapped:
            raise self._disagreement(f"{name} has a value ({trapped})", state) from None

    def _abstract(self, name: str) -> Evaluator:
        item = next(r for r in self._compiled.refinements if r.name == name)
        return Evaluator(item.abstract, self._instance.universe)

    def _trace(
        self,
        states: Sequence[State],
        labels: Sequence[Label],
        name: str,
        kind: str,
        trap: TrapStep | None = None,
    ) -> Trace:
        instance = self._instance
        meta = TraceMeta(
            model=instance.name,
            parameters={key: _setting(value) for key, value in instance.parameters.items()},
            flaws=instance.flaws,
            property=name,
            property_kind=kind,
            engine=self._engine,
            trap=trap,
        )
        names = tuple(variable.name for variable in instance.ir.variables)
        return Trace(names, tuple(states), tuple(labels), meta)

    def _disagreement(self, claim: str, state: State) -> InternalDisagreement:
        names = [variable.name for variable in self._instance.ir.variables]
        shown = ", ".join(f"{n}={v!r}" for n, v in zip(names, state, strict=True))
        return InternalDisagreement(
            f"the explorer and the reference disagree on {self._instance.name}: "
            f"the explorer says that {claim}; the state is {shown}"
        )


def _setting(value: object) -> Setting:
    if isinstance(value, bool | int | str):
        return value
    return value.name if isinstance(value, Enum) else str(value)

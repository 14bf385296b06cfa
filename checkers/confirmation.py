"""Traces of frozen states, confirmed by the reference semantics.

Whatever an engine says that it found has to be so for the reference too, step by step, or
`InternalDisagreement` is raised: one of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from operator import eq

from ..language.instance import Instance
from ..language.ir.nodes import Property, Refinement
from ..language.labels import Label, Transition, Trap, Trapped
from ..language.semantics import Semantics
from ..language.values import State
from ..traces.shows import valueless
from ..traces.trace import Setting, Trace, TraceMeta, TrapStep
from .errors import InternalDisagreement

Matches = Callable[[State], bool]
"""Whether a state is the one that an engine means."""


@dataclass(frozen=True)
class Run:
    """A run of the reference: the states, and the labels of the steps between them."""

    states: tuple[State, ...]
    labels: tuple[Label, ...] = ()

    @property
    def last(self) -> State:
        """The state it ends in."""
        return self.states[-1]

    def then(self, label: Label, state: State) -> Run:
        """The run with one more step."""
        return Run((*self.states, state), (*self.labels, label))


@dataclass(frozen=True)
class Confirmation:
    """Makes traces of what an engine found about some properties of an instance."""

    instance: Instance
    engine: str
    properties: tuple[Property, ...]
    refinements: tuple[Refinement, ...] = ()
    reference: Semantics = field(init=False, repr=False)
    evaluator: Semantics = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Have both semantics at hand: making them takes a while."""
        object.__setattr__(self, "reference", self.instance.reference())
        object.__setattr__(self, "evaluator", self.instance.evaluator())

    # -- runs --------------------------------------------------------------------------------------

    def run(self, states: Sequence[State]) -> Run:
        """The run through these states, of which the first is initial."""
        return self.follow([partial(eq, state) for state in states])

    def follow(self, wanted: Sequence[Matches]) -> Run:
        """The first run from an initial state that is as wanted, state by state."""
        starts = [s for s in self.reference.initial_states() if not isinstance(s, Trap)]
        first = next((state for state in starts if wanted[0](state)), None)
        if first is None:
            raise InternalDisagreement(
                f"{self.engine} starts {self.instance.name} in a state that the reference does not"
            )
        run = Run((first,))
        for matches in wanted[1:]:
            run = run.then(*self.step_to(run.last, matches))
        return run

    def step_to(self, state: State, matches: Matches) -> tuple[Label, State]:
        """The first step to a state that is as wanted.

        The evaluator says which action to try: the reference takes long to try them all.
        """
        for likely in self.evaluator.successors(state):
            if isinstance(likely.target, Trap) or not matches(likely.target):
                continue
            for step in self.reference.taken(state, likely.label):
                if not isinstance(step.target, Trap) and matches(step.target):
                    return step.label, step.target
        raise self.disagreement("there is a step that the reference does not take", state)

    def steps(self, state: State) -> Iterator[Transition]:
        """What the reference makes of the steps that the evaluator finds; see `step_to`."""
        found = (step.label for step in self.evaluator.successors(state))
        labels = {(label.action, label.parameters): label for label in found}
        for label in labels.values():
            yield from self.reference.taken(state, label)

    def holds(self, name: str, state: State, after: State | None = None) -> bool:
        """What the reference says of a property, which has to have a value."""
        try:
            return self.reference.holds(name, state, after)
        except Trapped as trapped:
            raise self.disagreement(f"{name} has a value ({trapped})", state) from None

    # -- traces ------------------------------------------------------------------------------------

    def state(self, run: Run, item: Property, *, holds: bool) -> Trace:
        """A run to a state in which a predicate fails, or holds."""
        if self.holds(item.name, run.last) is not holds:
            raise self.disagreement(f"{item.name} is {holds} in a state", run.last)
        return self.trace(run, item.name, item.kind.value)

    def step(self, run: Run, item: Property, *, holds: bool) -> Trace:
        """A run on whose last step a predicate fails, or holds."""
        if self.holds(item.name, run.states[-2], run.last) is not holds:
            raise self.disagreement(f"{item.name} is {holds} on a step", run.states[-2])
        return self.trace(run, item.name, item.kind.value)

    def trap(self, run: Run) -> tuple[Trace, Trap]:
        """A run to a state out of which a step has no next state."""
        for step in self.reference.successors(run.last):
            if isinstance(step.target, Trap):
                ending = TrapStep(step.label, step.target)
                return self.trace(run, "bounds", "bounds", ending), step.target
        raise self.disagreement("a step leaves a bound", run.last)

    def property_trap(self, run: Run) -> tuple[Trace, Trap, str]:
        """A run to a state, or to one before a step, in which a property has no value: which."""
        found = self._valueless(run.last, None)
        if found is None:
            for step in self.reference.successors(run.last):
                if isinstance(step.target, Trap):
                    continue
                found = self._valueless(run.last, step.target)
                if found is not None:
                    run = run.then(step.label, step.target)
                    break
        if found is None:
            raise self.disagreement("a property has no value", run.last)
        name, trap = found
        trace = self.trace(run, "bounds", "bounds")
        note = f"{name} cannot be evaluated: {trap.message}"
        return replace(trace, meta=replace(trace.meta, note=note)), trap, name

    def _valueless(self, state: State, after: State | None) -> tuple[str, Trap] | None:
        """The first of the properties, the constraint and the mappings that has no value."""
        return valueless(self.reference, self.properties, self.refinements, state, after)

    def trace(self, run: Run, name: str, kind: str, trap: TrapStep | None = None) -> Trace:
        """The run as a trace about a property."""
        instance = self.instance
        meta = TraceMeta(
            model=instance.name,
            parameters={key: _setting(value) for key, value in instance.parameters.items()},
            flaws=instance.flaws,
            property=name,
            property_kind=kind,
            engine=self.engine,
            trap=trap,
        )
        names = tuple(variable.name for variable in instance.ir.variables)
        return Trace(names, run.states, run.labels, meta)

    def disagreement(self, claim: str, state: State) -> InternalDisagreement:
        """The error to raise where the engine claims what the reference does not confirm."""
        names = [variable.name for variable in self.instance.ir.variables]
        shown = ", ".join(f"{n}={v!r}" for n, v in zip(names, state, strict=True))
        return InternalDisagreement(
            f"the engine and the reference disagree on {self.instance.name}: "
            f"{self.engine} says that {claim}; the state is {shown}"
        )


def _setting(value: object) -> Setting:
    if isinstance(value, bool | int | str):
        return value
    return value.name if isinstance(value, Enum) else str(value)

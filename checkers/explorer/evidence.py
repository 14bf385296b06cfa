"""Counterexamples: runs of packed states, as the reference confirms them.

Under symmetry a run of representatives is followed from a real initial state, by the first
transition each time whose target the next representative stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...language.ir.evaluator import Evaluator
from ...language.ir.nodes import Property
from ...language.labels import Trap
from ...language.values import State
from ...traces.trace import Trace
from ..confirmation import Confirmation, Matches, Run
from .compiled import Compiled
from .workers import Words

_REACH = 2000  # states that the reference looks at to confirm that something is out of reach


class Witness:
    """Makes traces of one compiled check."""

    def __init__(self, compiled: Compiled, engine: str) -> None:
        self._compiled = compiled
        self._confirmed = Confirmation(
            compiled.instance, engine, compiled.properties, compiled.refinements
        )

    def state(self, path: Sequence[Words], item: Property, *, holds: bool) -> Trace:
        """A run to a state in which a predicate fails, or holds."""
        return self._confirmed.state(self._follow(path), item, holds=holds)

    def step(self, path: Sequence[Words], after: Words, item: Property, *, holds: bool) -> Trace:
        """A run on whose last step, from the end of `path`, a predicate fails, or holds."""

        def wanted(before: State, target: State) -> bool:
            return self._confirmed.holds(item.name, before, target) is holds

        return self._last_step(path, after, wanted, item.name, item.kind.value)

    def refinement(self, path: Sequence[Words], after: Words, name: str) -> Trace:
        """A run whose last step, from the end of `path`, is no step of the abstract spec."""
        reference = self._confirmed.reference
        abstract = self._abstract(name)

        def broken(before: State, target: State) -> bool:
            first, second = reference.abstract(name, before), reference.abstract(name, target)
            if first == second:
                return False
            return all(step.target != second for step in abstract.successors(first))

        return self._last_step(path, after, broken, name, "refinement")

    def start(self, state: Words, name: str) -> Trace:
        """An initial state that is no initial state of the abstract spec."""
        confirmed = self._confirmed
        run = self._follow([state])
        if confirmed.reference.abstract(name, run.last) in self._abstract(name).initial_states():
            raise confirmed.disagreement(f"{name} is violated at the start", run.last)
        return confirmed.trace(run, name, "refinement")

    def deadlock(self, path: Sequence[Words]) -> Trace:
        """A run to a state without a step."""
        run = self._follow(path)
        if self._confirmed.reference.successors(run.last):
            raise self._confirmed.disagreement("no step is possible", run.last)
        return self._confirmed.trace(run, "deadlock", "deadlock")

    def out_of_reach(self, path: Sequence[Words], item: Property) -> Trace:
        """A run to a state from which the actions of a property cannot bring it about."""
        confirmed = self._confirmed
        run = self._follow(path)
        if not confirmed.reference.demands(item.name, run.last):
            raise confirmed.disagreement(f"{item.name} has to stay in reach", run.last)
        seen = {run.last}
        todo = [run.last]
        while todo and len(seen) < _REACH:
            state = todo.pop()
            if confirmed.holds(item.name, state):
                raise confirmed.disagreement(f"{item.name} is out of reach", run.last)
            for step in confirmed.steps(state):
                if step.label.action not in item.by or isinstance(step.target, Trap):
                    continue
                if step.target not in seen:
                    seen.add(step.target)
                    todo.append(step.target)
        return confirmed.trace(run, item.name, item.kind.value)

    def trap(self, path: Sequence[Words]) -> tuple[Trace, Trap]:
        """A run to a state out of which a step has no next state."""
        return self._confirmed.trap(self._follow(path))

    def property_trap(self, path: Sequence[Words]) -> tuple[Trace, Trap, str]:
        """A run to a state, or a step, in which a property has no value: which, and why.

        For a step, `path` ends in the state before it; else in the state itself.
        """
        return self._confirmed.property_trap(self._follow(path))

    def _last_step(
        self,
        path: Sequence[Words],
        after: Words,
        shows: Callable[[State, State], bool],
        name: str,
        kind: str,
    ) -> Trace:
        confirmed, form = self._confirmed, self._compiled.form
        run = self._follow(path)
        wanted = form(self._compiled.unpack(after))
        for step in confirmed.reference.successors(run.last):
            if isinstance(step.target, Trap) or form(step.target) != wanted:
                continue
            if shows(run.last, step.target):
                return confirmed.trace(run.then(step.label, step.target), name, kind)
        raise confirmed.disagreement(f"a step decides {name}", run.last)

    def _follow(self, path: Sequence[Words]) -> Run:
        """The run of the reference that a run of packed states stands for."""
        return self._confirmed.follow([self._stands_for(words) for words in path])

    def _stands_for(self, words: Words) -> Matches:
        form = self._compiled.form
        return lambda state: form(state) == words

    def _abstract(self, name: str) -> Evaluator:
        item = next(r for r in self._compiled.refinements if r.name == name)
        return Evaluator(item.abstract, self._confirmed.instance.universe)

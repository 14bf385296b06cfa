"""Formulas mean what CPython computes: successors, traps and predicates of states that are reached.

The state is an unknown of the formula and set from outside, so that nothing is simplified away
which a search with unknown states would meet.
"""

from __future__ import annotations

import random

import pytest
import z3

from quorate.checkers.symbolic import bits
from quorate.checkers.symbolic.bits import Bit
from quorate.checkers.symbolic.system import Snapshot, Step, System
from quorate.cli.check import build
from quorate.cli.registry import from_manifest, manifests
from quorate.cli.settings import settle
from quorate.language import Instance
from quorate.language.failures import UsageError
from quorate.language.ir.nodes import Property
from quorate.language.labels import Label, Transition, Trap, Trapped
from quorate.language.semantics import Semantics
from quorate.language.values import State
from quorate.tests.generated.specs import random_spec

SPECS = 60
"""Generated specs; more with other seeds were held against the evaluator while this was written."""


def reached(semantics: Semantics, limit: int) -> list[State]:
    """States reached breadth first, until there are as many as `limit`."""
    found = [s for s in semantics.initial_states() if not isinstance(s, Trap)]
    seen = set(found)
    for state in found:
        if len(found) >= limit:
            break
        for step in semantics.successors(state):
            if not isinstance(step.target, Trap) and step.target not in seen:
                seen.add(step.target)
                found.append(step.target)
    return found


class Formulas:
    """The formulas of an instance, over the unknown states `before` and `after`."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.system = System.of(instance)
        self.before = self.system.snapshot("before")
        self.after = self.system.snapshot("after")
        self.steps = [
            self.system.step(action, self.before, action.name) for action in instance.ir.actions
        ]

    def at(self, state: State) -> z3.Solver:
        """A solver that knows which state `before` is."""
        return self.solver((self.before, state))

    def solver(self, *given: tuple[Snapshot, State]) -> z3.Solver:
        """A solver that knows which states some unknown states are."""
        solver = z3.SolverFor("QF_FD")
        for snapshot, state in given:
            solver.add(bits.term(snapshot.fits))
            solver.add(
                bits.term(self.system.is_state(self.system.known(state).variables, snapshot))
            )
        return solver

    def targets(self, state: State, step: Step) -> dict[State, Label]:
        """Every next state that the formula of an action allows, with one label each."""
        solver, found = self.at(state), dict[State, Label]()
        arrives = self.system.is_state(step.target, self.after)
        solver.add(bits.term(bits.every((step.enabled, self.after.fits, arrives))))
        while solver.check() == z3.sat:
            model = solver.model()
            target = self.system.read_state(self.after.variables, model)
            assert target not in found, "a state that was ruled out came again"
            found[target] = self.system.read_label(step, model)
            again = self.system.is_state(self.system.known(target).variables, self.after)
            solver.add(bits.term(bits.negation(again)))
        return found

    def traps(self, state: State, step: Step) -> set[Trap]:
        """The traps that the formula of an action allows."""
        kinds = {trap for _, trap in step.endings}
        return {
            trap
            for trap in kinds
            if self.possible(state, bits.some(c for c, other in step.endings if other == trap))
        }

    def possible(self, state: State, bit: Bit) -> bool:
        solver = self.at(state)
        solver.add(bits.term(bit))
        return bool(solver.check() == z3.sat)

    def holds(self, item: Property, state: State, after: State | None) -> object:
        """The value of a predicate, or the traps that it may run into."""
        later = None if after is None else self.after
        predicate = self.system.predicate(item.predicate, self.before, later)
        given = (
            [(self.before, state)] if after is None else [(self.before, state), (self.after, after)]
        )
        answers = []
        for bit in (bits.some(c for c, _ in predicate.traps), predicate.holds):
            solver = self.solver(*given)
            solver.add(bits.term(bit))
            answers.append(solver.check() == z3.sat)
        return "trap" if answers[0] else answers[1]


def assert_same_steps(formulas: Formulas, semantics: Semantics, state: State) -> None:
    """The formulas' next states, labels and traps are the evaluator's."""
    steps = list(semantics.successors(state))
    for step in formulas.steps:
        assert step.action is not None
        name = step.action.name
        ours = formulas.targets(state, step)
        theirs: dict[State, set[Label]] = {}
        for transition in steps:
            if transition.label.action == name and not isinstance(transition.target, Trap):
                theirs.setdefault(transition.target, set()).add(transition.label)
        assert ours.keys() == theirs.keys(), name
        for target, label in ours.items():
            assert label in theirs[target], name
        assert formulas.traps(state, step) == trapped(steps, name)


def trapped(steps: list[Transition], name: str) -> set[Trap]:
    return {s.target for s in steps if s.label.action == name and isinstance(s.target, Trap)}


def outcome(semantics: Semantics, name: str, state: State, after: State | None) -> object:
    try:
        return semantics.holds(name, state, after)
    except Trapped:
        return "trap"


def assert_same_predicates(formulas: Formulas, semantics: Semantics, state: State) -> None:
    afters = [s.target for s in semantics.successors(state) if not isinstance(s.target, Trap)]
    for item in formulas.instance.ir.properties:
        for after in afters[:2] if item.kind.of_steps else [None]:
            expected = outcome(semantics, item.name, state, after)
            assert formulas.holds(item, state, after) == expected, item.name


def assert_agreement(instance: Instance, count: int, limit: int) -> None:
    """On `count` of the first `limit` states reached, formulas say what the evaluator says."""
    semantics = instance.evaluator()
    states = reached(semantics, limit)
    formulas = Formulas(instance)
    for state in random.Random(1).sample(states, min(count, len(states))):
        assert_same_steps(formulas, semantics, state)
        assert_same_predicates(formulas, semantics, state)


def assert_same_start(instance: Instance) -> None:
    system = System.of(instance)
    start, state = system.start(), system.snapshot("state")
    solver = z3.SolverFor("QF_FD")
    there = system.is_state(start.target, state)
    solver.add(bits.term(bits.every((start.enabled, state.fits, there))))
    found = set()
    while solver.check() == z3.sat:
        found.add(system.read_state(state.variables, solver.model()))
        last = system.read_state(state.variables, solver.model())
        solver.add(bits.term(bits.negation(system.is_state(system.known(last).variables, state))))
    expected = instance.evaluator().initial_states()
    assert found == {s for s in expected if not isinstance(s, Trap)}


@pytest.mark.parametrize("name", manifests())
def test_every_model_has_the_successors_that_cpython_computes(name: str) -> None:
    model = from_manifest(manifests()[name])
    settings = settle(model, instance=model.instances[0].name)
    instance = build(model, settings.parameters, settings.flaws)
    assert_same_start(instance)
    assert_agreement(instance, count=1, limit=200)


@pytest.mark.parametrize("seed", range(SPECS))
def test_generated_specs_have_the_successors_that_are_computed(seed: int) -> None:
    instance = Instance.from_ir(random_spec(seed))
    assert_same_start(instance)
    assert_agreement(instance, count=3, limit=40)


def test_a_type_too_large_for_a_formula_is_refused() -> None:
    model = from_manifest(manifests()["paxos"])
    settings = settle(model, set_=["acceptors=6", "ballots=8", "values=8"])
    with pytest.raises(UsageError, match="too large for a formula"):
        System.of(build(model, settings.parameters, ())).snapshot("state")

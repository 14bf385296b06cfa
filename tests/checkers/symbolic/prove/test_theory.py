"""A spec without its sizes says of an instance what the instance says of itself."""

from __future__ import annotations

import random

import pytest

from quorate.checkers.symbolic import bits
from quorate.language.ir.nodes import PropertyKind
from quorate.language.labels import Trap
from quorate.language.values import State

from .finite import Finite

SIZES: dict[str, dict[str, int]] = {
    "transaction-commit": {"rms": 2},
    "two-phase-commit": {"rms": 2},
    "voting": {"acceptors": 3, "values": 2, "ballots": 2},
    "paxos": {"acceptors": 3, "values": 2, "ballots": 2},
    "ring-leader-election": {"processes": 3, "numbers": 3},
    "distributed-lock": {"nodes": 2, "epochs": 3},
    "raft-election": {"servers": 3, "max_term": 2},
    "lock-service": {"clients": 2, "max_token": 2},
}
STATES = {"voting": 1, "paxos": 1}
"""States of a model that are looked at, where its formulas are large; of others three."""


LARGE = ("paxos",)
"""Models whose formulas take long when they are written out."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in SIZES],
)
def finite(request: pytest.FixtureRequest) -> Finite:
    return Finite(request.param, SIZES[request.param])


def sampled(finite: Finite) -> list[State]:
    semantics = finite.instance.evaluator()
    found = [s for s in semantics.initial_states() if not isinstance(s, Trap)]
    seen = set(found)
    for state in found:
        for step in semantics.successors(state):
            if not isinstance(step.target, Trap) and step.target not in seen and len(found) < 300:
                seen.add(step.target)
                found.append(step.target)
    return random.Random(2).sample(found, STATES.get(finite.model.name, 3))


def test_invariants_hold_where_the_evaluator_says(finite: Finite) -> None:
    semantics, theory = finite.instance.evaluator(), finite.theory
    for state in sampled(finite):
        here = finite.is_state(finite.world, state)
        for item in theory.lifted.ir.properties:
            if item.kind in (PropertyKind.ALWAYS, PropertyKind.SOMETIMES):
                said = theory.holds(item.predicate, finite.world)
                expected = semantics.holds(item.name, state)
                assert finite.possible(here, said) is expected, item.name
                assert finite.possible(here, bits.negation(said)) is not expected, item.name


def test_steps_are_those_of_the_evaluator(finite: Finite) -> None:
    semantics, theory = finite.instance.evaluator(), finite.theory
    for state in sampled(finite):
        here = finite.is_state(finite.world, state)
        taken = [s for s in semantics.successors(state) if not isinstance(s.target, Trap)]
        for move in theory.moves(finite.world):
            ours = [s.target for s in taken if s.label.action == move.name]
            targets = {target for target in ours if not isinstance(target, Trap)}
            arrives = [finite.is_state(move.after, target) for target in targets]
            for bit in arrives:
                assert finite.possible(here, move.enabled, bit), move.name
            elsewhere = [bits.negation(bit) for bit in arrives]
            more = finite.possible(here, move.enabled, *elsewhere)
            # What is left out of an action may make more possible, never less.
            assert not more or move.left_out, move.name


def test_the_start_is_that_of_the_evaluator(finite: Finite) -> None:
    start = finite.theory.start()
    states = [s for s in finite.instance.evaluator().initial_states() if not isinstance(s, Trap)]
    arrives = [finite.is_state(start.after, state) for state in states]
    assert all(finite.possible(start.enabled, bit) for bit in arrives)
    assert not finite.possible(start.enabled, *(bits.negation(bit) for bit in arrives))

"""CPython and the IR mean the same: every state of the feature specs, step by step."""

from __future__ import annotations

import pytest

from quorate.language import Instance, Spec, instantiate
from quorate.language.ir.parser import parse_ir
from quorate.language.ir.printer import print_ir
from quorate.language.ir.verifier import verify
from quorate.language.labels import Transition, Trap, Trapped
from quorate.language.semantics import Semantics
from quorate.language.values import State

from .author_spec import Lock
from .feature_specs import SPECS as FEATURE_SPECS
from .odd_specs import ODD_SPECS

LIMIT = 400
LOCK: dict[str, object] = {"sites": 2, "acceptors": 1, "ring": 1}
SPECS = [*FEATURE_SPECS, *ODD_SPECS, (Lock, LOCK)]


def reachable(instance: Instance, limit: int) -> list[State]:
    """States reached breadth first by the reference, as many as `limit`."""
    semantics = instance.reference()
    found = [s for s in semantics.initial_states() if not isinstance(s, Trap)]
    seen = set(found)
    for state in found:
        for transition in semantics.successors(state):
            target = transition.target
            if not isinstance(target, Trap) and target not in seen and len(found) < limit:
                seen.add(target)
                found.append(target)
    return found


def comparable(transitions: list[Transition]) -> list[object]:
    """Traps by kind and subject: messages are for people."""
    return [
        (t.label, (t.target.kind, t.target.subject) if isinstance(t.target, Trap) else t.target)
        for t in transitions
    ]


def outcome(semantics: Semantics, name: str, state: State, after: State | None) -> object:
    try:
        return semantics.holds(name, state, after)
    except Trapped as error:
        return error.trap.kind, error.trap.subject


def _binding(step: Transition) -> tuple[object, ...]:
    return step.label.action, step.label.parameters


@pytest.mark.parametrize(("spec", "parameters"), SPECS)
def test_reference_and_ir_agree(spec: type[Spec], parameters: dict[str, object]) -> None:
    flaws = tuple(n for n, v in parameters.items() if n == "forgets" and v)
    given = {n: v for n, v in parameters.items() if n not in flaws}
    instance = instantiate(spec, given, flaws)
    assert verify(instance.ir) == []
    reference, evaluator = instance.reference(), instance.evaluator()
    assert list(reference.initial_states()) == list(evaluator.initial_states())
    states = reachable(instance, LIMIT)
    assert len(states) > 1
    taken = set()
    for state in states:
        ours, theirs = reference.successors(state), evaluator.successors(state)
        assert comparable(list(ours)) == comparable(list(theirs))
        taken |= {t.label.action for t in ours}
        for one in ours[::3]:
            alike = [t for t in ours if _binding(t) == _binding(one)]
            assert comparable(list(reference.taken(state, one.label))) == comparable(alike)
            assert comparable(list(evaluator.taken(state, one.label))) == comparable(alike)
        for item in instance.ir.properties:
            step = item.kind.of_steps
            afters = [t.target for t in ours if not isinstance(t.target, Trap)]
            for after in afters if step else [None]:
                assert outcome(reference, item.name, state, after) == outcome(
                    evaluator, item.name, state, after
                )
        assert reference.allowed(state) == evaluator.allowed(state)
        for refinement in instance.ir.refinements:
            assert reference.abstract(refinement.name, state) == evaluator.abstract(
                refinement.name, state
            )
    # Every action does something somewhere, or the comparison shows nothing about it.
    assert taken == {action.name for action in instance.ir.actions}


@pytest.mark.parametrize(("spec", "parameters"), SPECS)
def test_ir_text_round_trip(spec: type[Spec], parameters: dict[str, object]) -> None:
    given = {n: v for n, v in parameters.items() if n != "forgets"}
    ir = instantiate(spec, given).ir
    text = print_ir(ir)
    assert parse_ir(text) == ir
    assert print_ir(parse_ir(text)) == text

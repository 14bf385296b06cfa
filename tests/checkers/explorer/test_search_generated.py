"""The explorer against the reference search, on specs that nobody wrote."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer import explore
from quorate.checkers.result import CheckResult, PropertyVerdict, Verdict
from quorate.language.instance import Instance
from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import PropertyKind
from quorate.language.labels import Trap, Trapped
from quorate.tests.generated.specs import random_spec
from quorate.tests.reference_search import Found, always_possible, reference_search

MOST = 300  # stored states of the specs that are compared


def expected_refinements(instance: Instance, found: Found) -> dict[str, int]:
    """The length of a shortest counterexample to each refinement."""
    semantics = instance.evaluator()
    lengths: dict[str, int] = {}
    for refinement in instance.ir.refinements:
        abstract = Evaluator(refinement.abstract, instance.universe)
        name = refinement.name
        try:
            starts = abstract.initial_states()
            for state in semantics.initial_states():
                if isinstance(state, Trap):
                    continue
                if semantics.abstract(name, state) not in starts:
                    lengths[name] = 1
            for state, level in found.states.items():
                if lengths.get(name, level + 1) <= level:
                    continue
                before = semantics.abstract(name, state)
                for step in semantics.successors(state):
                    if isinstance(step.target, Trap):
                        continue
                    after = semantics.abstract(name, step.target)
                    if after != before and all(
                        option.target != after for option in abstract.successors(before)
                    ):
                        lengths[name] = min(lengths.get(name, level + 1), level + 1)
        except Trapped:
            continue  # the explorer says so
    return lengths


def unevaluated(instance: Instance) -> list[str]:
    """What the reference search leaves out: always-possible properties and refinements."""
    possible = PropertyKind.ALWAYS_POSSIBLE
    names = [item.name for item in instance.ir.properties if item.kind is possible]
    return names + [item.name for item in instance.ir.refinements]


def compare_trap(instance: Instance, length: int, found: Found, result: CheckResult) -> None:
    """A trap decides, unless something is violated by a shorter run."""
    earlier = {name: at for name, at in found.violated.items() if at < length}
    refinements = {item.name for item in instance.ir.refinements}
    lengths = {v.property: len(v.trace) for v in result.violations if v.trace is not None}
    if result.verdict is Verdict.ERROR:
        assert not earlier
        assert "bounds" in lengths or length == 1
    else:
        shortest = min(lengths.values())
        assert shortest < length
        for name, at in lengths.items():
            assert name in refinements or earlier[name] == at == shortest


def compare(instance: Instance, found: Found, result: CheckResult) -> None:
    """Every verdict and length, and the counts where the search ran to its end."""
    ir = instance.ir
    refinements = expected_refinements(instance, found) if found.complete else {}
    bad = {**found.violated, **refinements}
    if any(f"{name} cannot be" in result.reason for name in unevaluated(instance)):
        return  # the reference search does not evaluate these: how far it came is another matter
    if found.trap_length is not None:
        compare_trap(instance, found.trap_length, found, result)
        return
    shortest = min(bad.values(), default=None)
    lengths = {v.property: len(v.trace) for v in result.violations if v.trace is not None}
    if shortest is not None:
        assert lengths == {name: length for name, length in bad.items() if length == shortest}
        return
    assert (result.distinct_states, result.generated_states, result.depth) == (
        found.distinct,
        found.generated,
        found.depth,
    )
    assert dict(result.witnesses) == found.reached
    for item in ir.properties:
        verdict = result.properties[item.name]
        if ir.constraint is None and item.kind is PropertyKind.ALWAYS_POSSIBLE:
            semantics = instance.evaluator()
            able = {state for state in found.states if semantics.holds(item.name, state)}
            excused = {state for state in found.states if not semantics.demands(item.name, state)}
            possible = always_possible(found, able, item.by, excused)
            assert (verdict is PropertyVerdict.HOLDS) is possible
        elif item.kind in (PropertyKind.ALWAYS, PropertyKind.STEP):
            assert verdict is PropertyVerdict.HOLDS


@pytest.mark.parametrize("seed", range(120))
def test_generated_specs(seed: int) -> None:
    ir = random_spec(seed)
    instance = Instance.from_ir(ir)
    found = reference_search(instance.evaluator(), ir.properties, max_states=MOST)
    if not found.complete and found.trap is None:
        pytest.skip("too many states to compare")
    compare(instance, found, explore(instance))
    compare(instance, found, explore(instance, workers=2))

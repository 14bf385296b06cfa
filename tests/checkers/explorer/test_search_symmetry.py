"""Exploring up to permutations of interchangeable nodes."""

from __future__ import annotations

import pytest

from quorate.checkers.errors import SpecProblem
from quorate.checkers.explorer import explore
from quorate.checkers.explorer.compiled import Compiled
from quorate.checkers.explorer.symmetry import require_symmetry
from quorate.checkers.result import Verdict
from quorate.language.instance import Instance
from quorate.language.ir.parser import parse_ir
from quorate.language.ir.printer import print_ir
from quorate.tests.two_phase_commit_ir import two_phase_commit

PADDING = """
  (variable padding (map (int 0 40) (int 0 3)) (each :(map (int 0 40) (int 0 3)) 0))
  (action"""


def instance(rms: int, *, wide: bool = False) -> Instance:
    text = print_ir(two_phase_commit(rms))
    if wide:
        text = text.replace("\n  (action", PADDING, 1)
    return Instance.from_ir(parse_ir(text))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("rms", "classes"), [(3, 80), (4, 166), (5, 314), (6, 553)])
def test_classes_of_two_phase_commit(rms: int, classes: int, workers: int, wide: bool) -> None:
    names = ["consistent", "all_commit", "never_reversed", "can_end"]
    result = explore(instance(rms, wide=wide), properties=names, symmetry=True, workers=workers)
    assert result.verdict is Verdict.HOLDS
    assert result.distinct_states == classes
    assert result.witnesses == {"all_commit": 3 * rms + 2}


def test_a_run_of_representatives_becomes_a_real_one() -> None:
    spec = instance(3)
    plain, reduced = explore(spec), explore(spec, symmetry=True)
    (violation,) = reduced.violations
    assert violation.property == "nobody_commits"
    assert violation.trace is not None
    assert plain.violations[0].trace is not None
    assert len(violation.trace) == len(plain.violations[0].trace)
    reference = spec.reference()
    for before, label, after in zip(
        violation.trace.states, violation.trace.labels, violation.trace.states[1:], strict=False
    ):
        assert any(s.label == label and s.target == after for s in reference.successors(before))


def test_a_step_that_breaks_a_property_is_found_under_symmetry() -> None:
    text = """
    (spec turns
      (sort nodes 3)
      (variable taken (set (node nodes)) (set :(set (node nodes))))
      (action take internal ((n (node nodes))) (add! self.taken n))
      (action drop internal ((n (node nodes)))
        (require (lt 1 (size self.taken))) (discard! self.taken n))
      (property grows step (subset self.taken after.taken)))
    """
    result = explore(Instance.from_ir(parse_ir(text)), symmetry=True)
    trace = result.violations[0].trace
    assert trace is not None
    assert [len(state[0]) for state in trace.states] == [0, 1, 2, 1]


LOPSIDED = """
(spec lopsided
  (sort nodes 3)
  (variable taken (set (node nodes)) (set :(set (node nodes))))
  (variable last (option (node nodes)) (none (option (node nodes))))
  (variable marked (set (node nodes)) (set :(set (node nodes))))
  (action take internal ((n (node nodes))) (add! self.taken n))
  (action mark internal ((n (node nodes))) (add! self.marked n))
  {more})
"""
LAST = """(for (n self.taken) (assign self.last (coerce :(option (node nodes)) @value n)))"""


def test_an_action_that_tells_interchangeable_nodes_apart_is_named() -> None:
    # What a loop leaves behind depends on the order of the nodes, which interchangeable ones lack.
    more = f"(action elect internal () {LAST})"
    lopsided = Instance.from_ir(parse_ir(LOPSIDED.replace("{more}", more)))
    with pytest.raises(SpecProblem, match="action elect is not symmetric in nodes"):
        explore(lopsided, symmetry=True)
    assert explore(lopsided).verdict is Verdict.HOLDS


def test_a_property_that_tells_interchangeable_nodes_apart_is_named() -> None:
    more = """(property odd always
      (do ((bind first #true) (bind seen #false)
           (for (n (domain :(set (node nodes))))
             (if first (then (bind seen (contains self.taken n))))
             (bind first #false)))
        (not (and seen (eq (size self.taken) 1)))))"""
    lopsided = Instance.from_ir(parse_ir(LOPSIDED.replace("{more}", more)))
    with pytest.raises(SpecProblem, match="property odd is not symmetric in nodes"):
        explore(lopsided, symmetry=True)


def test_symmetric_specs_pass_the_trial() -> None:
    require_symmetry(Compiled.of(instance(4), None, True))

"""The reference search, on two-phase commit written by hand: figures measured with TLC."""

from __future__ import annotations

import pytest

from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import TrapKind
from quorate.language.ir.parser import parse_ir
from quorate.language.ir.verifier import verify
from quorate.tests.reference_search import always_possible, reference_search
from quorate.tests.two_phase_commit_ir import two_phase_commit


def test_two_phase_commit_counts_as_tlc_does() -> None:
    spec = two_phase_commit(3)
    assert verify(spec) == []
    found = reference_search(Evaluator(spec), spec.properties)
    assert (found.distinct, found.generated, found.depth) == (288, 1146, 11)
    assert found.complete
    assert found.deadlocks == []
    # All three prepare and are heard, the decision, then one receives it; then the others too.
    assert found.violated == {"nobody_commits": 9}
    assert found.reached == {"all_commit": 11}


def test_always_possible_depends_on_the_actions_allowed() -> None:
    spec = two_phase_commit(3)
    semantics = Evaluator(spec)
    found = reference_search(semantics)
    ended = {state for state in found.states if semantics.holds("can_end", state)}
    by = next(item.by for item in spec.properties if item.name == "can_end")
    assert always_possible(found, ended, by)
    assert not always_possible(found, ended, ("rm_receive_commit", "rm_receive_abort"))


COUNTER = """
(spec counter
  (variable x (int 0 5) 0)
  (action up internal () (require (lt self.x 4)) (assign self.x (coerce :(int 0 5) (add self.x 1))))
  {more})
"""


@pytest.mark.parametrize(
    ("more", "distinct", "generated", "depth", "complete"),
    [
        ("", 5, 5, 5, True),
        ("(constraint (lt self.x 2))", 2, 3, 2, True),
        ("(constraint (lt 0 self.x))", 0, 1, 0, True),
        ("(start (choose (y (range 0 3))) (assign self.x (coerce :(int 0 5) y)))", 5, 7, 3, True),
    ],
)
def test_counts_of_a_counter(
    more: str, distinct: int, generated: int, depth: int, complete: bool
) -> None:
    found = reference_search(Evaluator(parse_ir(COUNTER.replace("{more}", more))))
    assert (found.distinct, found.generated, found.depth) == (distinct, generated, depth)
    assert found.complete is complete


def test_a_state_outside_the_constraint_is_checked_but_not_expanded() -> None:
    more = "(constraint (lt self.x 2)) (property small always (lt self.x 2))"
    spec = parse_ir(COUNTER.replace("{more}", more))
    found = reference_search(Evaluator(spec), spec.properties)
    assert found.violated == {"small": 3}
    assert (2,) not in found.states


def test_the_first_trap_ends_the_search() -> None:
    text = COUNTER.replace("{more}", "").replace("(lt self.x 4)", "#true")
    found = reference_search(Evaluator(parse_ir(text)))
    assert found.trap is not None
    assert (found.trap.kind, found.trap_length, found.complete) == (TrapKind.BOUND, 7, False)


def test_a_limit_makes_the_search_incomplete() -> None:
    found = reference_search(Evaluator(two_phase_commit(3)), max_states=50)
    assert not found.complete
    assert 50 < found.distinct < 288


def test_deadlocks_are_states_without_successors() -> None:
    found = reference_search(Evaluator(parse_ir(COUNTER.replace("{more}", ""))))
    assert found.deadlocks == [(4,)]

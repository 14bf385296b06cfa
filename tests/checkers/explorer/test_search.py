"""The search: counts, workers, limits, and every kind of finding."""

from __future__ import annotations

import importlib

import pytest

from quorate.checkers.errors import UsageError
from quorate.checkers.explorer import Progress, explore
from quorate.checkers.result import CheckResult, PropertyVerdict, Verdict
from quorate.language.instance import Instance
from quorate.language.ir.parser import parse_ir
from quorate.language.ir.printer import print_ir
from quorate.tests.two_phase_commit_ir import two_phase_commit

workers_module = importlib.import_module("quorate.checkers.explorer.workers")

PADDING = """
  (variable padding (map (int 0 40) (int 0 3)) (each :(map (int 0 40) (int 0 3)) 0))
  (action"""


def instance(rms: int = 3, *, wide: bool = False) -> Instance:
    """Two-phase commit; `wide` adds a variable that never changes, for states of two words."""
    text = print_ir(two_phase_commit(rms))
    if wide:
        text = text.replace("\n  (action", PADDING, 1)
    return Instance.from_ir(parse_ir(text))


def counts(result: CheckResult) -> tuple[int | None, int | None, int]:
    return result.distinct_states, result.generated_states, result.depth


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(("rms", "expected"), [(3, (288, 1146, 11)), (5, (8832, 58146, 17))])
def test_counts_are_those_of_tlc(
    rms: int, expected: tuple[int, int, int], workers: int, wide: bool
) -> None:
    result = explore(instance(rms, wide=wide), properties=["consistent"], workers=workers)
    assert counts(result) == expected
    assert result.verdict is Verdict.HOLDS
    assert sum(result.coverage.values()) == expected[1] - 1


def test_tables_that_grow_lose_nothing() -> None:
    figures = set()
    for wide in (False, True):
        for workers in (1, 2, 5):
            result = explore(instance(8, wide=wide), properties=["never_reversed"], workers=workers)
            assert result.verdict is Verdict.HOLDS
            figures.add((*counts(result), tuple(result.coverage.values())))
    assert len(figures) == 1
    assert (counts(result)[0] or 0) > 1_000_000


@pytest.mark.parametrize("workers", [1, 3])
def test_tables_grow_where_entries_have_no_bits_left_for_places(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """As with more states than fit into memory here: places are those of the states, hashed."""
    plain = explore(instance(7, wide=True), properties=["consistent"], workers=workers)
    monkeypatch.setattr(workers_module, "index_bits", lambda states: 53)
    crowded = explore(instance(7, wide=True), properties=["consistent"], workers=workers)
    assert counts(crowded) == counts(plain)
    assert crowded.coverage == plain.coverage
    assert (crowded.distinct_states or 0) > 8 << 11, "tables have grown beyond 11 bits"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("wide", [False, True])
def test_the_shortest_counterexample_does_not_depend_on_workers(wide: bool, workers: int) -> None:
    spec = instance(wide=wide)
    result = explore(spec, workers=workers)
    assert result.verdict is Verdict.VIOLATED
    (violation,) = result.violations
    assert (violation.property, violation.kind) == ("nobody_commits", "always")
    assert violation.trace is not None
    assert len(violation.trace) == 9
    alone = explore(spec).violations[0].trace
    assert alone is not None
    assert violation.trace.states == alone.states
    assert violation.trace.labels == alone.labels
    assert result.properties["can_end"] is PropertyVerdict.INCONCLUSIVE


def test_a_complete_run_decides_everything() -> None:
    names = ["consistent", "all_commit", "never_reversed", "can_end"]
    result = explore(instance(), properties=names, deadlock=True, witness_traces=True)
    assert result.verdict is Verdict.HOLDS
    assert [v.value for v in result.properties.values()] == [
        "holds",
        "reached",
        "holds",
        "holds",
        "holds",
    ]
    assert result.witnesses == {"all_commit": 11}
    assert len(result.witness_traces["all_commit"]) == 11
    assert any("nobody_commits" in note for note in result.not_checked)


COUNTER = """
(spec counter
  (variable x (int 0 9) 0)
  (action up internal () (require (lt self.x {top}))
    (assign self.x (coerce :(int 0 9) @x (add self.x 1))))
  (action reset internal () (assign self.x 0))
  {more})
"""


def counter(more: str = "", top: int = 9) -> Instance:
    return Instance.from_ir(parse_ir(COUNTER.replace("{more}", more).replace("{top}", str(top))))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_value_outside_its_bound_is_an_error_with_a_trace(workers: int) -> None:
    result = explore(counter(top=10), workers=workers)
    assert result.verdict is Verdict.ERROR
    (violation,) = result.violations
    assert (violation.property, violation.kind) == ("bounds", "bounds")
    assert violation.trace is not None
    assert len(violation.trace) == 10
    assert violation.trace.meta.trap is not None
    assert violation.trace.meta.trap.label.action == "up"
    assert "x" in result.reason


def test_a_step_property_is_violated_by_the_last_step() -> None:
    result = explore(counter("(property grows step (le self.x after.x))"))
    (violation,) = result.violations
    assert violation.kind == "step"
    assert violation.trace is not None
    assert violation.trace.states == ((0,), (1,), (0,))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_witness_over_a_step_ends_with_that_step(workers: int) -> None:
    more = "(property falls sometimes_step (lt after.x self.x))"
    result = explore(counter(more), workers=workers, witness_traces=True)
    assert result.properties["falls"] is PropertyVerdict.REACHED
    assert dict(result.witnesses) == {"falls": 3}
    trace = result.witness_traces["falls"]
    assert trace.states == ((0,), (1,), (0,))
    assert trace.meta.property_kind == "sometimes_step"


def test_a_witness_over_a_step_that_no_step_is_has_to_be_reached() -> None:
    more = "(property jumps sometimes_step (lt (add self.x 1) after.x))"
    result = explore(counter(more))
    assert result.properties["jumps"] is PropertyVerdict.UNREACHED
    (violation,) = result.violations
    assert (violation.kind, violation.message) == (
        "sometimes",
        "no reachable step is a witness of jumps",
    )
    short = explore(counter(more), max_depth=2)
    assert short.properties["jumps"] is PropertyVerdict.INCONCLUSIVE


def test_a_deadlock_is_a_finding_only_when_asked_for() -> None:
    text = COUNTER.replace("(assign self.x 0)", "(require (lt self.x 3)) (assign self.x 0)")
    stuck = Instance.from_ir(parse_ir(text.replace("{more}", "").replace("{top}", "9")))
    assert explore(stuck).verdict is Verdict.HOLDS
    result = explore(stuck, deadlock=True)
    assert result.properties == {"deadlock": PropertyVerdict.VIOLATED}
    trace = result.violations[0].trace
    assert trace is not None
    assert len(trace) == 10


def test_a_witness_that_is_not_reached_is_a_finding_only_when_the_search_was_complete() -> None:
    more = "(property ten sometimes (eq self.x 9))"
    result = explore(counter(more, top=5))
    assert result.verdict is Verdict.VIOLATED
    assert result.properties["ten"] is PropertyVerdict.UNREACHED
    assert result.violations[0].trace is None
    result = explore(counter(more, top=5), max_depth=3)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.properties["ten"] is PropertyVerdict.INCONCLUSIVE
    result = explore(counter(more + "(constraint (lt self.x 5))", top=9))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "constraint" in result.reason


def test_always_possible_needs_the_actions_it_names() -> None:
    more = "(property low always_possible (by {by}) (eq self.x 0))"
    assert explore(counter(more.replace("{by}", "reset"))).verdict is Verdict.HOLDS
    for workers in (1, 2):
        result = explore(counter(more.replace("{by}", "up")), workers=workers)
        assert result.properties["low"] is PropertyVerdict.VIOLATED
        trace = result.violations[0].trace
        assert trace is not None
        assert trace.states == ((0,), (1,))
    cut = explore(counter(more.replace("{by}", "up") + "(constraint (lt self.x 5))"))
    assert cut.properties["low"] is PropertyVerdict.INCONCLUSIVE


def test_states_outside_the_constraint_are_checked_and_not_stored() -> None:
    more = "(constraint (lt self.x 4)) (property small always (lt self.x {n}))"
    result = explore(counter(more.replace("{n}", "5")))
    assert counts(result) == (4, 9, 4)
    assert result.verdict is Verdict.HOLDS
    assert any("constraint" in note for note in result.not_checked)
    result = explore(counter(more.replace("{n}", "4")))
    trace = result.violations[0].trace
    assert trace is not None
    assert trace.states[-1] == (4,)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_limit_of_states_is_exact(workers: int) -> None:
    inside = explore(instance(), properties=[], max_states=288, workers=workers)
    assert inside.verdict is Verdict.HOLDS
    outside = explore(instance(), properties=[], max_states=287, workers=workers)
    assert outside.verdict is Verdict.INCONCLUSIVE
    assert "287 states" in outside.reason
    assert outside.distinct_states == 287


@pytest.mark.parametrize("workers", [1, 2])
def test_a_limit_of_depth(workers: int) -> None:
    result = explore(instance(), properties=[], max_depth=4, workers=workers)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "depth 4" in result.reason
    assert result.depth == 4
    assert explore(instance(), properties=[], max_depth=12).verdict is Verdict.HOLDS


@pytest.mark.parametrize("workers", [1, 2])
def test_limits_of_time_and_memory(workers: int) -> None:
    result = explore(instance(10), properties=[], time_limit=0.2, workers=workers)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "0.2 seconds" in result.reason
    assert (result.distinct_states or 0) > 0
    assert result.seconds < 5
    result = explore(instance(9), properties=[], max_memory=16 << 20, workers=workers)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "memory" in result.reason
    assert (result.distinct_states or 0) > 100_000


def test_progress_is_reported_while_searching() -> None:
    seen: list[Progress] = []
    explore(instance(10), properties=[], time_limit=1.2, progress=seen.append)
    assert len(seen) >= 2
    assert seen[-1].distinct > seen[0].distinct


def test_an_interrupt_is_inconclusive_with_the_figures_so_far() -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    for workers in (1, 2):
        result = explore(instance(10), properties=[], progress=interrupt, workers=workers)
        assert result.verdict is Verdict.INCONCLUSIVE
        assert result.reason == "interrupted"
        assert (result.distinct_states or 0) > 0


def test_more_successors_than_expected_are_counted_once() -> None:
    text = """
    (spec fan
      (variable x (int 0 5000) 0)
      (action small internal () (require (eq self.x 0)) (assign self.x 1))
      (action jump internal ((to (int 0 5000))) (assign self.x to)))
    """
    for workers in (1, 2):
        result = explore(Instance.from_ir(parse_ir(text)), workers=workers)
        assert counts(result) == (5001, 1 + 1 + 5001 * 5001, 2)
        assert result.coverage == {"small": 1, "jump": 5001 * 5001}


def test_wrong_names_and_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="no property 'nonsense'"):
        explore(instance(), properties=["nonsense"])
    with pytest.raises(UsageError, match="workers is 0"):
        explore(instance(), workers=0)
    with pytest.raises(UsageError, match="max_states is 0"):
        explore(instance(), max_states=0)

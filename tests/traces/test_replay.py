"""Replay: each way it can end, on the spec and on an implementation."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import Apply, Kind, Op, TrapKind, Var
from quorate.language.ir.types import BOOL
from quorate.language.labels import Label, Trap
from quorate.language.values import FrozenBag, FrozenMap
from quorate.tests.traces.support import (
    ABOUT,
    DISAGREE,
    RMS,
    ROUND,
    UNIVERSE,
    VOTE,
    const,
    disagreement,
    run,
)
from quorate.traces import (
    IGNORE,
    Control,
    NondeterministicStep,
    Outcome,
    Setting,
    StepRefused,
    Trace,
    TraceError,
    TraceMeta,
    TrapStep,
    any_of,
    check_adapter,
    replay,
)
from quorate.traces.compare import differences, state_differences, unified
from quorate.traces.replay import ReplayResult, follow

SPEC = Evaluator(VOTE, UNIVERSE)
PHASE = UNIVERSE.enums["Phase"]
RM1, RM2 = UNIVERSE.nodes["rms"]
prepared = UNIVERSE.records["Prepared"]
COMMITTED, ABORTED = PHASE["COMMITTED"], PHASE["ABORTED"]


class Echo:
    """An implementation that is the spec itself; tests change one of its answers."""

    def __init__(self, **changes: Callable[..., Any]) -> None:
        self.control = Control.IN_PROCESS
        self.changes = changes
        self.log: list[str] = []
        self.state: dict[str, Any] = {}

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> Echo:
        self.log.append(f"start {dict(parameters)} {flaws}")
        (first,) = SPEC.initial_states()
        assert isinstance(first, tuple)
        self.state = dict(zip((one.name for one in VOTE.variables), first, strict=True))
        if "start" in self.changes:
            self.changes["start"]()
        return self

    def apply(self, label: Label, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        assert self.state == before
        self.log.append(str(label))
        self.state = dict(after)
        if "apply" in self.changes:
            self.changes["apply"](label, self.state)

    def project(self) -> Mapping[str, Any]:
        shown = dict(self.state)
        answer = self.changes.get("project")
        changed: Mapping[str, Any] = answer(shown) if answer else shown
        return changed

    def close(self) -> None:
        self.log.append("close")
        if "close" in self.changes:
            self.changes["close"]()


class Watching(Echo):
    """One that reports effects and judges the property by itself."""

    def effects(self) -> Iterable[str]:
        found: list[str] = (
            self.changes["effects"](self.log[-1]) if "effects" in self.changes else []
        )
        return found

    def violates(self, name: str) -> bool | None:
        judge = self.changes.get("violates")
        answer: bool | None = judge(name) if judge else None
        return answer


def against(adapter: Echo | None, trace: Trace | None = None, **options: Any) -> ReplayResult:
    return replay(trace or disagreement(), SPEC, adapter, ir=VOTE, universe=UNIVERSE, **options)


# -- on the spec -----------------------------------------------------------------------------------


def test_the_spec_reproduces_its_trace() -> None:
    result = against(None)
    assert (result.outcome, result.on, result.step) == (Outcome.REPRODUCED, "spec", 6)
    assert result.as_expected
    assert "agree is violated in the last state" in result.reason


def test_a_trace_that_stops_before_the_violation_shows_nothing() -> None:
    result = against(None, run(DISAGREE[:-1], ABOUT))
    assert result.outcome is Outcome.NOT_REPRODUCED
    assert "agree holds in the last state" in result.reason


def test_a_first_state_that_is_not_initial() -> None:
    trace = disagreement()
    first = list(trace.states[0])
    first[3] = 2
    result = against(None, replace(trace, states=(tuple(first), *trace.states[1:])))
    assert (result.outcome, result.step) == (Outcome.DIVERGED_ON_SPEC, 0)
    assert result.diff == ("--- trace", "+++ spec", "@@ round @@", "- 2", "+ 0")


def test_a_step_that_leads_elsewhere() -> None:
    trace = disagreement()
    wrong = list(trace.states[6])
    wrong[0] = FrozenMap({RM1: COMMITTED, RM2: COMMITTED})
    result = against(None, replace(trace, states=(*trace.states[:6], tuple(wrong))))
    assert (result.outcome, result.step) == (Outcome.DIVERGED_ON_SPEC, 6)
    assert result.diff[2:] == ("@@ phase[rm2] @@", "- COMMITTED", "+ ABORTED")


def test_a_step_that_is_not_possible_says_which_guard_is_false_and_when_it_would_be() -> None:
    trace = disagreement()
    # The coordinator receives a vote before it is cast.
    early = replace(
        trace,
        states=(trace.states[0], trace.states[0], *trace.states[1:]),
        labels=(trace.labels[1], *trace.labels),
    )
    result = against(None, early)
    assert (result.outcome, result.step) == (Outcome.DIVERGED_ON_SPEC, 1)
    assert result.why_not is not None
    (guard,) = result.why_not.guards
    assert (guard.place, dict(guard.values)) == (
        "vote.py:20",
        {"messages": "{}", "message": "Prepared(rm=rm1)"},
    )
    assert result.why_not.next_enabled == 2


def test_only_the_false_conjunct_is_named() -> None:
    trace = run(["prepare(rm1)"])
    again = replace(
        trace, states=(*trace.states, trace.states[-1]), labels=(*trace.labels, trace.labels[0])
    )
    result = against(None, again)
    assert result.why_not is not None
    (guard,) = result.why_not.guards
    assert (guard.place, guard.values) == ("vote.py:11", (("phase[rm1]", "PREPARED"),))
    assert result.why_not.next_enabled is None
    assert "it is not enabled later in this trace" in result.lines()


def test_a_choice_that_is_not_there() -> None:
    trace = run(DISAGREE[:3])
    label = replace(trace.labels[-1], choices=(7,))
    result = against(None, replace(trace, labels=(*trace.labels[:-1], label)))
    assert result.why_not is not None
    assert result.why_not.reason == "decide cannot choose 7 here"


PROPERTIES = [
    ("sometimes", "early", DISAGREE[:3], Outcome.REPRODUCED),
    ("sometimes", "early", DISAGREE[:2], Outcome.NOT_REPRODUCED),
    ("step", "monotone", DISAGREE[:3], Outcome.REPRODUCED),
    ("step", "monotone", DISAGREE[:2], Outcome.NOT_REPRODUCED),
    ("step", "monotone", (), Outcome.NOT_REPRODUCED),
    ("sometimes_step", "leaps", DISAGREE[:3], Outcome.REPRODUCED),
    ("sometimes_step", "leaps", DISAGREE[:2], Outcome.NOT_REPRODUCED),
    ("sometimes_step", "leaps", (), Outcome.NOT_REPRODUCED),
    ("always_possible", "can_finish", DISAGREE[:2], Outcome.REPRODUCED),
    ("always_possible", "can_finish", DISAGREE[:3], Outcome.NOT_REPRODUCED),
    ("deadlock", "deadlock", DISAGREE, Outcome.NOT_REPRODUCED),
    ("", "", DISAGREE[:2], Outcome.REPRODUCED),
]


@pytest.mark.parametrize(("kind", "name", "steps", "outcome"), PROPERTIES)
def test_what_a_trace_claims_is_judged_by_its_kind(
    kind: str, name: str, steps: tuple[str, ...], outcome: Outcome
) -> None:
    trace = run(steps, TraceMeta("vote", property=name, property_kind=kind))
    assert against(None, trace).outcome is outcome


def test_what_lies_beyond_the_constraint_is_out_of_reach() -> None:
    trace = run(
        DISAGREE[:3], TraceMeta("vote", property="can_finish", property_kind="always_possible")
    )
    # With the decision sent, no step is explored any more.
    limit = Apply(BOOL, Op.EQ, (Var(ROUND, "round"), const(ROUND, 0)))
    bounded = replace(VOTE, constraint=limit)
    semantics = Evaluator(bounded, UNIVERSE)
    result = replay(trace, semantics, ir=bounded, universe=UNIVERSE)
    assert result.outcome is Outcome.REPRODUCED


def test_a_deadlock_is_seen() -> None:
    stuck = replace(VOTE, actions=VOTE.actions[:1])
    meta = TraceMeta("vote", property="deadlock", property_kind="deadlock")
    trace = run(["prepare(rm1)", "prepare(rm2)"], meta)
    semantics = Evaluator(stuck, UNIVERSE)
    result = replay(trace, semantics, ir=stuck, universe=UNIVERSE)
    assert result.outcome is Outcome.REPRODUCED


def trapped() -> Trace:
    """The round leaves its bound with the fourth decision."""
    trap = TrapStep(
        Label("decide", Kind.TIMEOUT, (), (True,)), Trap(TrapKind.BOUND, "round", "too high")
    )
    meta = TraceMeta("vote", property="bounds", property_kind="bounds", trap=trap)
    return run([*DISAGREE[:2], *["decide(chose True)"] * 3], meta)


def test_a_trap_is_reproduced_on_the_spec_and_has_no_equal_in_an_implementation() -> None:
    assert against(None, trapped()).outcome is Outcome.REPRODUCED
    result = against(Echo(), trapped())
    assert (result.outcome, result.on) == (Outcome.INCONCLUSIVE, "implementation")
    shorter = replace(trapped(), states=trapped().states[:-1], labels=trapped().labels[:-1])
    assert against(None, shorter).outcome is Outcome.NOT_REPRODUCED


def test_an_unknown_property_or_another_spec_is_misuse() -> None:
    trace = disagreement()
    with pytest.raises(TraceError, match="no property 'peace'; it has: agree"):
        against(None, replace(trace, meta=replace(trace.meta, property="peace")))
    with pytest.raises(TraceError, match="variables are not those of Vote"):
        against(None, replace(trace, variables=("a", "b", "c", "d")))


# -- on an implementation --------------------------------------------------------------------------


def test_an_implementation_that_agrees_reproduces_the_trace() -> None:
    adapter = Echo()
    result = against(adapter)
    assert (result.outcome, result.on, result.steps) == (Outcome.REPRODUCED, "implementation", 6)
    assert result.control is Control.IN_PROCESS
    assert adapter.log[0] == f"start {ABOUT.parameters} ('decides_twice',)"
    assert adapter.log[1] == "prepare(rm1)"
    assert adapter.log.count("close") == 1


def test_the_implementation_may_be_run_without_the_flaw() -> None:
    adapter = Echo()
    against(adapter, flaws=())
    assert adapter.log[0].endswith(" ()")


@pytest.mark.parametrize("kind", ["always_possible", "deadlock"])
def test_what_can_follow_with_the_flaw_says_nothing_of_code_without_it(kind: str) -> None:
    trace = disagreement()
    trace = replace(trace, meta=replace(trace.meta, property_kind=kind))
    assert follow(trace, Echo(), ir=VOTE).outcome is Outcome.REPRODUCED
    correct = follow(trace, Echo(), ir=VOTE, flaws=())
    assert (correct.outcome, correct.steps) == (Outcome.INCONCLUSIVE, 6)
    assert follow(trace, Watching(violates=lambda _: False), ir=VOTE, flaws=()).outcome is (
        Outcome.NOT_REPRODUCED
    )


def test_an_implementation_is_not_started_where_the_spec_diverges() -> None:
    adapter = Echo()
    against(adapter, run(DISAGREE[:-1], ABOUT))
    assert adapter.log == []


def wrong_phase(label: Label, state: dict[str, Any]) -> None:
    if label.action == "finish":
        state["phase"] = FrozenMap({**state["phase"], RM1: ABORTED})
        state["messages"] = state["messages"] | {UNIVERSE.records["Prepared"](RM2)}


def test_a_mismatch_names_the_step_and_the_fields() -> None:
    result = against(Echo(apply=wrong_phase))
    assert (result.outcome, result.step, result.steps) == (Outcome.STATE_MISMATCH, 5, 4)
    assert str(result.label) == "finish(Decision(commit=True, round=0), rm1)"
    assert result.diff == (
        "--- spec",
        "+++ implementation",
        "@@ phase[rm1] @@",
        "- COMMITTED",
        "+ ABORTED",
        "@@ messages @@",
        "+ Prepared(rm=rm2)",
    )


def test_the_initial_state_is_compared_too() -> None:
    result = against(Echo(project=lambda shown: {**shown, "round": 1}))
    assert (result.outcome, result.step, result.label) == (Outcome.STATE_MISMATCH, 0, None)


def test_sentinels_stand_for_what_is_not_known() -> None:
    def partly(shown: dict[str, Any]) -> dict[str, Any]:
        phase = dict(shown["phase"]) | {RM2: IGNORE}
        return {"phase": phase, "round": any_of(0, 1, 2), "votes": IGNORE}

    assert against(Echo(project=partly)).outcome is Outcome.REPRODUCED

    result = against(Echo(project=lambda shown: {**shown, "round": any_of(5, 6)}))
    assert result.diff[2:] == ("@@ round @@", "- 0", "+ 5 or 6")


def test_nothing_is_claimed_of_what_the_adapter_does_not_show() -> None:
    result = against(Echo(project=lambda shown: {**shown, "phase": IGNORE}))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "shows nothing that agree reads: phase" in result.reason
    assert result.steps == 6


def refuse(label: Label, state: dict[str, Any]) -> None:
    if label.action == "decide":
        raise StepRefused("the decision is made")


def leave_open(label: Label, state: dict[str, Any]) -> None:
    raise NondeterministicStep("the kernel schedules")


def break_down(label: Label, state: dict[str, Any]) -> None:
    state["nothing"]


def quit_all(label: Label, state: dict[str, Any]) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("apply", "outcome", "step", "reason"),
    [
        (refuse, Outcome.STEP_REFUSED, 3, "the decision is made"),
        (leave_open, Outcome.INCONCLUSIVE, 1, "not under the adapter's control: the kernel"),
        (break_down, Outcome.ADAPTER_ERROR, 1, "KeyError: 'nothing' (test_replay.py:"),
        (quit_all, Outcome.ADAPTER_ERROR, 1, "SystemExit: 3"),
    ],
)
def test_what_a_step_can_end_with(
    apply: Callable[[Label, dict[str, Any]], None], outcome: Outcome, step: int, reason: str
) -> None:
    adapter = Echo(apply=apply)
    result = against(adapter)
    assert (result.outcome, result.step) == (outcome, step)
    assert reason in result.reason
    assert adapter.log[-1] == "close"


@pytest.mark.parametrize(
    ("project", "reason"),
    [
        (lambda shown: {**shown, "fase": 1}, "project gives fase; the spec's variables are phase"),
        (lambda shown: shown[1], "KeyError: 1"),
    ],
)
def test_a_bad_projection_is_the_adapters_error(
    project: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    result = against(Echo(project=project))
    assert result.outcome is Outcome.ADAPTER_ERROR
    assert reason in result.reason


def test_a_start_that_fails_is_the_adapters_error_and_closes_nothing() -> None:
    def fail() -> None:
        raise OSError("no port")

    adapter = Echo(start=fail)
    result = against(adapter)
    assert (result.outcome, result.step) == (Outcome.ADAPTER_ERROR, 0)
    assert "close" not in adapter.log


def test_a_step_that_takes_too_long_is_inconclusive() -> None:
    begun = time.monotonic()
    adapter = Echo(apply=lambda label, state: time.sleep(1.0))
    result = against(adapter, step_limit=0.05)
    assert time.monotonic() - begun < 0.9
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "did not return within 0.05 seconds" in result.reason
    assert result.notes == ("the session did not answer and was left behind, not closed",)


def test_a_close_that_fails_is_noted() -> None:
    def fail() -> None:
        raise OSError("busy")

    result = against(Echo(close=fail))
    assert result.outcome is Outcome.REPRODUCED
    assert "OSError: busy" in result.notes[0]


def test_effects_beyond_the_step_are_unexpected() -> None:
    def sent(last: str) -> list[str]:
        return ["send Decision to rm2"] if last.startswith("decide") else []

    result = against(Watching(effects=sent))
    assert (result.outcome, result.step) == (Outcome.UNEXPECTED_EFFECT, 3)
    assert "send Decision to rm2" in result.reason


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (True, Outcome.REPRODUCED),
        (False, Outcome.NOT_REPRODUCED),
        (None, Outcome.REPRODUCED),
    ],
)
def test_the_session_may_judge_the_property(answer: bool | None, outcome: Outcome) -> None:
    assert against(Watching(violates=lambda name: answer)).outcome is outcome
    assert against(Echo(), judge=lambda shown: answer).outcome is outcome


def test_a_session_may_ask_for_the_initial_state() -> None:
    class Beginning(Echo):
        def begin(self, initial: Mapping[str, Any]) -> None:
            self.log.append(f"begin {initial['round']}")

    adapter = Beginning()
    against(adapter)
    assert adapter.log[1] == "begin 0"


def test_a_session_lives_in_one_thread() -> None:
    # SQLite refuses a connection of another thread.
    held: list[sqlite3.Connection] = []
    adapter = Echo(
        start=lambda: held.append(sqlite3.connect(":memory:")),
        apply=lambda label, state: held[0].execute("select 1"),
        close=lambda: held[0].close(),
    )
    assert against(adapter).notes == ()


# -- comparison ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (FrozenBag({1: 2, 2: 1}), {1: 1, 2: 1, 3: 1}, [("x", ("2 x 1",), ("1 x 1", "1 x 3"))]),
        (
            frozenset({COMMITTED}),
            {"COMMITTED"},
            [("x", ("<Phase.COMMITTED: 3>",), ("'COMMITTED'",))],
        ),
        ((1, 2), [1, 3], [("x[1]", ("2",), ("3",))]),
        ((1, 2), (1,), [("x", ("[1, 2]",), ("[1]",))]),
        (FrozenMap({RM1: 1}), {RM2: 2}, [("x[rm1]", ("1",), ()), ("x[rm2]", (), ("2",))]),
        (None, RM1, [("x", ("None",), ("rm1",))]),
        (UNIVERSE.records["Prepared"](RM1), UNIVERSE.records["Prepared"](IGNORE), []),
        (
            UNIVERSE.records["Prepared"](RM1),
            UNIVERSE.records["Prepared"](RM2),
            [("x.rm", ("rm1",), ("rm2",))],
        ),
        (FrozenMap({RM1: 1}), any_of({RM1: IGNORE}, {}), []),
    ],
)
def test_differences_go_down_to_the_field(left: Any, right: Any, expected: list[Any]) -> None:
    found = [(one.field, one.left, one.right) for one in differences(left, right, "x")]
    assert found == expected


def test_no_difference_gives_no_diff() -> None:
    assert unified(state_differences({"x": 1}, {"x": 1}), "a", "b") == ()


# -- adapters --------------------------------------------------------------------------------------


def test_an_adapter_is_checked_on_random_walks() -> None:
    options: Any = {"ir": VOTE, "walks": 5, "steps": 8}
    assert check_adapter(Echo(), SPEC, **options) is None
    found = check_adapter(Echo(apply=wrong_phase), SPEC, **options)
    assert found is not None
    trace, result = found
    assert result.outcome is Outcome.STATE_MISMATCH
    assert len(trace) == 9
    assert RMS.size == 2

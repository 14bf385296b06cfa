"""Why a step is not possible, told in the words of a spec's author."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path

from quorate.language import Map, Node, Nodes, Set, Spec, action, choose, each, empty, require
from quorate.language.instance import Instance, instantiate
from quorate.language.labels import Label
from quorate.traces import Trace, TraceMeta
from quorate.traces.conformance import walk
from quorate.traces.why_not import WhyNot, why_not


class Phase(Enum):
    IDLE = "idle"
    WAITING = "waiting"
    INSIDE = "inside"


class Mutex(Spec):
    """Two processes and a lock."""

    ps: Nodes
    phase: Map[Node, Phase] = each(Phase.IDLE)
    holders: Set[Node] = empty()

    @action
    def ask(self, p: Node) -> None:
        require(self.phase[p] is Phase.IDLE)
        self.phase[p] = Phase.WAITING

    @action
    def enter(self, p: Node) -> None:
        require(self.phase[p] is Phase.WAITING and len(self.holders) == 0)
        self.phase[p] = Phase.INSIDE
        self.holders.add(p)

    @action
    def leave(self) -> None:
        p = choose(self.holders)
        require(all(self.phase[other] is not Phase.WAITING for other in self.ps))
        self.phase[p] = Phase.IDLE
        self.holders.discard(p)

    @action
    def push(self) -> None:
        p = choose(self.ps)
        require(self.phase[p] is Phase.INSIDE)
        self.phase[p] = Phase.WAITING

    @action
    def pass_on(self, p: Node, q: Node) -> None:
        require(
            not any(
                self.phase[other] is Phase.IDLE  # nobody is idle
                for other in self.ps
            )
        )
        self.phase[p] = Phase.WAITING
        self.phase[q] = Phase.INSIDE


INSTANCE: Instance = instantiate(Mutex, {"ps": 2})
P1, P2 = INSTANCE.universe.nodes["ps"]


def path(*steps: str) -> Trace:
    """The trace of these steps, each told by the text of its label."""
    semantics = INSTANCE.reference()
    trace = walk(semantics, INSTANCE.ir, TraceMeta("mutex"), steps=0, seed=0)
    for text in steps:
        taken = next(t for t in semantics.successors(trace.states[-1]) if str(t.label) == text)
        assert isinstance(taken.target, tuple)
        trace = replace(
            trace, states=(*trace.states, taken.target), labels=(*trace.labels, taken.label)
        )
    return trace


def ask_why(trace: Trace, index: int, action: str, *nodes: Node) -> WhyNot:
    known = next(one for one in INSTANCE.ir.actions if one.name == action)
    names = [parameter.name for parameter in known.parameters]
    label = Label(action, known.kind, tuple(zip(names, nodes, strict=True)))
    semantics = INSTANCE.reference()
    return why_not(label, trace, index, semantics, INSTANCE.ir, INSTANCE.universe)


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_the_false_conjunct_is_quoted_with_its_line_and_values() -> None:
    trace = path("ask(p1)", "ask(p2)", "enter(p1)")
    answer = ask_why(trace, 3, "enter", P2)
    (guard,) = answer.guards
    assert guard.text == "len(self.holders) == 0"
    assert guard.place == f"{__file__}:{line_of('is Phase.WAITING and len')}"
    assert guard.values == (("holders", "{p1}"),)
    assert answer.next_enabled is None


def test_every_false_conjunct_is_told() -> None:
    trace = path("ask(p1)", "enter(p1)")
    answer = ask_why(trace, 2, "enter", P1)
    assert [guard.text for guard in answer.guards] == [
        "self.phase[p] is Phase.WAITING",
        "len(self.holders) == 0",
    ]
    assert dict(answer.guards[0].values) == {"phase[p1]": "INSIDE"}


def test_it_says_when_the_step_would_be_enabled() -> None:
    trace = path("ask(p1)", "enter(p1)")
    assert ask_why(trace, 0, "enter", P1).next_enabled == 1
    assert "it would next be enabled in state 1" in ask_why(trace, 0, "enter", P1).lines()


def test_a_quantifier_is_told_with_what_breaks_it() -> None:
    trace = path("ask(p1)", "enter(p1)", "ask(p2)")
    (guard,) = ask_why(trace, 3, "leave").guards
    assert guard.text == "all(self.phase[other] is not Phase.WAITING for other in self.ps)"
    assert guard.values == (("other", "p2"), ("phase[p2]", "WAITING"))
    assert guard.choices == (P1,)
    assert "after choosing p1" in str(guard)


def test_a_guard_over_several_lines_is_told_in_one() -> None:
    (guard,) = ask_why(path(), 0, "pass_on", P1, P2).guards
    assert guard.text == "not any((self.phase[other] is Phase.IDLE for other in self.ps))"
    assert dict(guard.values) == {"other": "p1", "phase[p1]": "IDLE"}


def test_only_the_guards_behind_the_choice_of_the_label_are_told() -> None:
    known = next(one for one in INSTANCE.ir.actions if one.name == "push")
    label = Label("push", known.kind, (), (P2,))
    answer = why_not(
        label, path("ask(p1)"), 1, INSTANCE.reference(), INSTANCE.ir, INSTANCE.universe
    )
    assert [guard.choices for guard in answer.guards] == [(P2,)]


def test_nothing_to_choose_from() -> None:
    answer = ask_why(path(), 0, "leave")
    assert answer.guards == ()
    assert answer.reason == "leave() is not enabled: there is nothing to choose from"

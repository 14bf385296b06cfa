"""A trace about a refinement: its last step, or its first state, is none of the abstract spec."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated

from quorate.language import Map, Node, Nodes, Spec, action, between, each, refines, require
from quorate.language.instance import instantiate
from quorate.traces import Outcome, TraceMeta, replay
from quorate.traces.conformance import walk
from quorate.traces.trace import Trace


class Light(Enum):
    OFF = "off"
    ON = "on"


class Lamps(Spec):
    """Lamps are switched on one by one."""

    ps: Nodes
    light: Map[Node, Light] = each(Light.OFF)

    @action
    def switch(self, p: Node) -> None:
        require(self.light[p] is Light.OFF)
        self.light[p] = Light.ON


class Panel(Spec):
    """Lamps with a counter; one button switches on everything at once."""

    ps: Nodes
    light: Map[Node, Light] = each(Light.OFF)
    count: Annotated[int, between(0, 3)] = 0

    @action
    def tick(self) -> None:
        require(self.count < 3)
        self.count += 1

    @action
    def one(self, p: Node) -> None:
        require(self.light[p] is Light.OFF)
        self.light[p] = Light.ON

    @action
    def everything(self) -> None:
        for p in self.ps:
            self.light[p] = Light.ON

    @refines(Lamps)
    def lamps(self) -> Lamps:
        return Lamps(ps=self.ps, light=self.light)


INSTANCE = instantiate(Panel, {"ps": 2})
META = TraceMeta("panel", property="lamps", property_kind="refinement")


def outcome(*actions: str) -> Outcome:
    """How the replay of a path that claims to break the refinement ends."""
    semantics = INSTANCE.reference()
    trace: Trace = walk(semantics, INSTANCE.ir, META, steps=0, seed=0)
    for name in actions:
        taken = next(t for t in semantics.successors(trace.states[-1]) if t.label.action == name)
        assert isinstance(taken.target, tuple)
        trace = replace(
            trace, states=(*trace.states, taken.target), labels=(*trace.labels, taken.label)
        )
    return replay(trace, semantics, ir=INSTANCE.ir, universe=INSTANCE.universe).outcome


def test_a_step_that_the_abstract_spec_does_not_have_is_shown() -> None:
    assert outcome("everything") is Outcome.REPRODUCED
    assert outcome("tick", "everything") is Outcome.REPRODUCED


def test_a_step_of_the_abstract_spec_and_a_stutter_show_nothing() -> None:
    assert outcome("one") is Outcome.NOT_REPRODUCED
    assert outcome("tick") is Outcome.NOT_REPRODUCED
    assert outcome("one", "everything") is Outcome.NOT_REPRODUCED
    assert outcome() is Outcome.NOT_REPRODUCED

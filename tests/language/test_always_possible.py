"""Which steps an always-possible property may use, when it names them and when it does not."""

from __future__ import annotations

from typing import Annotated

import pytest

from quorate.checkers.explorer import explore
from quorate.checkers.result import PropertyVerdict
from quorate.language import (
    Map,
    Node,
    Nodes,
    Spec,
    SpecErrors,
    action,
    always_possible,
    between,
    crash,
    deliver,
    drop,
    each,
    instantiate,
    require,
    restart,
    timeout,
)


class Server(Spec):
    """A step of each kind that matters here."""

    nodes: Nodes
    up: Map[Node, bool] = each(True)

    @deliver
    def arrive(self, node: Node) -> None:
        require(self.up[node])

    @timeout
    def expire(self, node: Node) -> None:
        require(self.up[node])

    @drop
    def lose(self, node: Node) -> None:
        require(self.up[node])

    @crash
    def fail(self, node: Node) -> None:
        self.up[node] = False

    @restart
    def recover(self, node: Node) -> None:
        self.up[node] = True

    @always_possible()
    def repaired(self) -> bool:
        return all(self.up[n] for n in self.nodes)

    @always_possible(repairs=False)
    def unrepaired(self) -> bool:
        return all(self.up[n] for n in self.nodes)

    @always_possible(by=("fail",))
    def named(self) -> bool:
        return all(self.up[n] for n in self.nodes)


def test_faults_are_left_out_and_repairs_when_asked() -> None:
    by = {item.name: item.by for item in instantiate(Server, {"nodes": 1}).ir.properties}
    assert by == {
        "repaired": ("arrive", "expire", "recover"),
        "unrepaired": ("arrive", "expire"),
        "named": ("fail",),
    }


class Fuse(Spec):
    """A fuse burns once; what is burnt stays so."""

    length: Annotated[int, between(0, 2)] = 2
    lit: bool = False

    @action
    def light(self) -> None:
        self.lit = True

    @action
    def burn(self) -> None:
        require(self.lit and self.length > 0)
        self.length -= 1

    @action
    def put_out(self) -> None:
        require(self.lit and self.length == 1)
        self.lit = False

    def is_long(self) -> bool:
        return self.length == 2

    @always_possible(when="is_long")
    def half(self) -> bool:
        return self.length == 1

    @always_possible(when="is_long", by=("burn",))
    def half_alone(self) -> bool:
        return self.length == 1

    @always_possible()
    def half_for_ever(self) -> bool:
        return self.length == 1


def test_a_condition_says_from_which_states() -> None:
    found = explore(instantiate(Fuse))
    assert found.properties == {
        "half": PropertyVerdict.HOLDS,
        "half_alone": PropertyVerdict.VIOLATED,
        "half_for_ever": PropertyVerdict.VIOLATED,
    }
    traces = {v.property: v.trace for v in found.violations}
    assert {name: len(trace) for name, trace in traces.items() if trace} == {
        "half_alone": 1,
        "half_for_ever": 4,
    }


def test_reference_and_ir_agree_about_the_condition() -> None:
    instance = instantiate(Fuse)
    reference, evaluator = instance.reference(), instance.evaluator()
    for length in range(3):
        for semantics in (reference, evaluator):
            assert semantics.demands("half", (length, False)) is (length == 2)
            assert semantics.demands("half_for_ever", (length, False))


def test_a_condition_that_is_no_method_is_refused() -> None:
    class Wrong(Spec):
        done: bool = False

        @action
        def finish(self) -> None:
            self.done = True

        @always_possible(when="begun")
        def finished(self) -> bool:
            return self.done

    with pytest.raises(SpecErrors, match="`when` names 'begun'"):
        instantiate(Wrong)

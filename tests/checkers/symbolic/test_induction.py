"""Induction: what is kept by every step is proved, and what is not is shown by a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pytest

from quorate.benchmarks.agreement import instance_of
from quorate.checkers.result import CheckResult, PropertyVerdict, Verdict
from quorate.checkers.symbolic.conjuncts import conjuncts
from quorate.checkers.symbolic.induction import prove
from quorate.cli.registry import find, manifests
from quorate.language import (
    Instance,
    Map,
    Node,
    Nodes,
    Spec,
    action,
    between,
    each,
    flaw,
    instantiate,
    invariant,
    parameter,
    require,
    witness,
)
from quorate.language.failures import UsageError
from quorate.traces.replay import replay
from quorate.traces.trace import Outcome


class Tickets(Spec):
    """Clients take tickets in order; only two numbers up are ever sold at once."""

    clients: Nodes
    most: int = parameter(6, at_least=4, at_most=9)
    twice: bool = flaw("a ticket is sold twice")

    sold: Annotated[int, between(0, "most")] = 0
    served: Annotated[int, between(0, "most")] = 0
    waits: Map[Node, bool] = each(False)

    @action
    def sell(self, client: Node) -> None:
        """A client buys the next ticket."""
        require(self.sold < self.most and not self.waits[client])
        self.waits[client] = True
        if not self.twice:
            self.sold += 1

    @action
    def serve(self, client: Node) -> None:
        """Somebody is served."""
        require(self.waits[client])
        self.waits[client] = False
        self.served += 1

    @invariant
    def in_order(self) -> bool:
        """Nobody is served that has bought nothing."""
        return self.served <= self.sold

    @invariant
    def counted(self) -> bool:
        """Who waits has bought, and was not served; all numbers are in their range."""
        return self.served + sum(1 for c in self.clients if self.waits[c]) == self.sold and (
            self.sold <= self.most
        )

    @witness
    def sold_out(self) -> bool:
        """All are sold."""
        return self.sold == self.most


class Walk(Spec):
    """0, 1, 2, 0, ...: never 5, but 4 leads there, and only 3 leads to 4, and nothing to 3."""

    at: Annotated[int, between(0, 5)] = 0

    @action
    def go(self) -> None:
        """One on."""
        require(self.at < 5)
        self.at = 0 if self.at == 2 else self.at + 1

    @invariant
    def away(self) -> bool:
        """It never gets to 5."""
        return self.at != 5


def tickets(*flaws: str) -> Instance:
    return instantiate(Tickets, {"clients": 2}, flaws)


def failed(result: CheckResult) -> set[tuple[str, str]]:
    """The property of each conjunct that failed, with the action."""
    return {(o.property, o.action) for o in result.obligations if o.answer != "proved"}


def both(instance: Instance, properties: Sequence[str] | None = None) -> CheckResult:
    return prove(instance, properties=properties)


def test_invariants_that_need_each_other() -> None:
    found = both(tickets(), ["in_order", "counted"])
    assert (found.verdict, failed(found)) == (Verdict.HOLDS, set())
    assert set(found.properties.values()) == {PropertyVerdict.HOLDS}
    # Three conjuncts, each at the start and for two actions.
    assert len(found.obligations) == 9
    assert {o.action for o in found.obligations} == {"", "sell", "serve"}
    assert not found.unproved
    assert "3 conjuncts, true at the start and kept by 2 actions" in found.covered


def test_without_the_auxiliary_invariant_the_action_is_named() -> None:
    found = both(tickets(), ["in_order"])
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "not inductive: in_order")
    assert failed(found) == {("in_order", "serve")}
    (step,) = found.unproved
    assert step.trace is not None
    assert (len(step.trace), step.trace.meta.property_kind) == (2, "inductive")
    assert step.trace.labels[0].action == "serve"
    assert "self.served <= self.sold" in step.message
    assert "is no reachable state" in step.message
    line = next(o.place for o in found.obligations if o.action == "serve")
    assert line.startswith("symbolic/test_induction.py:") or "test_induction.py:" in line


def test_the_step_is_out_of_a_state_as_near_to_the_start_as_can_be() -> None:
    (step,) = both(tickets(), ["in_order"]).unproved
    assert step.trace is not None
    sold, served, waits = step.trace.states[0]
    assert (sold, served) == (0, 0)
    assert sorted(waits.values()) == [False, True]


@pytest.mark.parametrize("name", [n for n, m in manifests().items() if m.inductive])
def test_what_a_manifest_calls_inductive_is(name: str) -> None:
    model = find(name)
    instance, _ = instance_of(model, model.instances[0])
    found = both(instance, model.inductive)
    assert (found.verdict, failed(found)) == (Verdict.HOLDS, set())


def test_each_conjunct_of_a_proof_may_be_needed() -> None:
    model = find("distributed-lock")
    instance, _ = instance_of(model, model.instances[0])
    found = both(instance, [n for n in model.inductive if n != "transfer-is-ahead-of-nodes"])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert {action for _, action in failed(found)} == {"accept"}
    assert all("is no reachable state" in step.message for step in found.unproved)


def test_a_step_out_of_a_reachable_state_is_a_violation() -> None:
    found = both(tickets("twice"), ["counted"])
    assert found.verdict is Verdict.VIOLATED
    (violation,) = found.violations
    assert (violation.property, violation.kind) == ("counted", "always")
    assert violation.trace is not None
    instance = tickets("twice")
    again = replay(
        violation.trace, instance.reference(), ir=instance.ir, universe=instance.universe
    )
    assert again.outcome is Outcome.REPRODUCED


def test_a_step_is_replayed_from_where_it_starts() -> None:
    instance = tickets()
    (step,) = both(instance, ["in_order"]).unproved
    assert step.trace is not None
    told = replay(step.trace, instance.reference(), ir=instance.ir, universe=instance.universe)
    assert told.outcome is Outcome.REPRODUCED
    assert "whether the first state is reachable is not looked at" in told.reason


def test_more_steps_at_a_time() -> None:
    instance = instantiate(Walk)
    # 4 to 5 breaks it; 3, 4, 5 too; nothing leads to 3.
    assert [prove(instance, k=k).verdict for k in (1, 2, 3)] == [
        Verdict.INCONCLUSIVE,
        Verdict.INCONCLUSIVE,
        Verdict.HOLDS,
    ]
    (two,) = prove(instance, k=2).unproved
    assert two.trace is not None
    assert [state[0] for state in two.trace.states] == [3, 4, 5]


def test_a_limit_of_time_is_inconclusive() -> None:
    found = prove(tickets(), properties=["in_order", "counted"], time_limit=1e-6)
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "the limit of 1e-06 seconds was reached",
    )
    assert set(found.properties.values()) == {PropertyVerdict.INCONCLUSIVE}


def test_what_is_no_invariant_is_refused_when_named() -> None:
    with pytest.raises(UsageError, match="cannot check sold_out, of the kind sometimes"):
        prove(tickets(), properties=["sold_out"], named=["sold_out"])
    with pytest.raises(UsageError, match="no invariant to prove"):
        prove(tickets(), properties=["sold_out"])


def test_a_property_is_taken_apart_at_its_ands() -> None:
    instance = tickets()
    item = next(p for p in instance.ir.properties if p.name == "counted")
    assert [part.text for part in conjuncts(item)] == [
        "self.served + sum(1 for c in self.clients if self.waits[c]) == self.sold",
        "self.sold <= self.most",
    ]

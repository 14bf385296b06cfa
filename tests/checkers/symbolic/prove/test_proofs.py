"""Proofs for any size: what the manifests call inductive is proved, and a flaw breaks the proof."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from quorate.checkers.explorer import explore
from quorate.checkers.result import CheckResult, Verdict
from quorate.checkers.symbolic.prove.engine import prove
from quorate.checkers.symbolic.prove.lifting import NotGeneric
from quorate.cli.check import build
from quorate.cli.registry import Model, from_manifest, manifests
from quorate.language import (
    Instance,
    Node,
    Nodes,
    Set,
    Spec,
    action,
    empty,
    instantiate,
    invariant,
    parameter,
    require,
)
from quorate.language.failures import UsageError
from quorate.language.ir.nodes import If, Require, Stmt

PROVED = (
    "transaction-commit",
    "two-phase-commit",
    "voting",
    "raft-election",
    "ring-leader-election",
    "lock-service",
    "distributed-lock",
)
FLAWS = [
    ("raft-election", "vote_not_persisted", "restart_server"),
    ("raft-election", "vote_not_recorded", "vote"),
    ("raft-election", "stale_vote_reply_accepted", "become_leader"),
    ("raft-election", "majority_half", "become_leader"),
    ("ring-leader-election", "duplicate_ids", "number_processes"),
    ("ring-leader-election", "no_comparison", "pass_on"),
    ("distributed-lock", "accepts_old_epoch", "accept"),
    ("distributed-lock", "keeps_lock", "grant"),
    ("distributed-lock", "reuses_epoch", "grant"),
]


def named(name: str) -> Model:
    return from_manifest(manifests()[name])


def proved(model: Model, flaws: tuple[str, ...] = ()) -> CheckResult:
    parameters = model.instances[0].parameters

    def resized(sizes: Mapping[str, Any]) -> Instance:
        return build(model, {**parameters, **sizes}, flaws)

    return prove(resized({}), resized, properties=model.inductive)


def broken(result: CheckResult) -> set[str]:
    return {one.action for one in result.obligations if one.answer != "proved"}


@pytest.mark.parametrize("name", PROVED)
def test_what_is_called_inductive_is_proved_for_any_size(name: str) -> None:
    result = proved(named(name))
    assert result.verdict is Verdict.HOLDS, result.reason
    assert {one.answer for one in result.obligations} == {"proved"}
    assert all(length > 0 for length in result.witnesses.values())


@pytest.mark.slow
def test_paxos_is_proved_for_any_size() -> None:
    result = proved(named("paxos"))
    assert result.verdict is Verdict.HOLDS, result.reason


@pytest.mark.parametrize(("name", "flaw", "step"), FLAWS)
def test_a_flaw_breaks_the_proof_at_its_action(name: str, flaw: str, step: str) -> None:
    result = proved(named(name), (flaw,))
    assert result.verdict is not Verdict.HOLDS
    assert step in broken(result)


# --- Without a guard: what is proved is so, and what is not so is not proved ---


def guards(body: tuple[Stmt, ...]) -> int:
    return sum(
        1
        if isinstance(s, Require)
        else guards(s.then) + guards(s.orelse)
        if isinstance(s, If)
        else 0
        for s in body
    )


def without(body: tuple[Stmt, ...], left: Iterator[bool]) -> tuple[Stmt, ...]:
    """The body without the guards for which `left` says so."""
    found: list[Stmt] = []
    for stmt in body:
        if isinstance(stmt, Require) and next(left):
            continue
        if isinstance(stmt, If):
            then, orelse = without(stmt.then, left), without(stmt.orelse, left)
            stmt = dataclasses.replace(stmt, then=then, orelse=orelse)
        found.append(stmt)
    return tuple(found)


def unguarded(instance: Instance, place: int, guard: int) -> Instance:
    """An instance whose action at `place` lacks one of its guards."""
    actions = list(instance.ir.actions)
    old = actions[place]
    count = guards(old.body)
    body = without(old.body, iter([number == guard for number in range(count)]))
    actions[place] = dataclasses.replace(old, body=body)
    ir = dataclasses.replace(instance.ir, actions=tuple(actions), refinements=())
    return dataclasses.replace(instance, ir=ir, _reference=None)


@pytest.mark.parametrize(
    "name",
    [
        "two-phase-commit",
        "distributed-lock",
        pytest.param("ring-leader-election", marks=pytest.mark.slow),
    ],
)
def test_a_proof_and_a_search_never_contradict_each_other(name: str) -> None:
    model = named(name)
    parameters = model.instances[0].parameters
    whole = build(model, parameters, ())
    for place, each in enumerate(whole.ir.actions):
        for guard in range(guards(each.body)):

            def resized(
                sizes: Mapping[str, Any], place: int = place, guard: int = guard
            ) -> Instance:
                return unguarded(build(model, {**parameters, **sizes}, ()), place, guard)

            result = prove(resized({}), resized, properties=model.inductive)
            searched = explore(resized({}), properties=model.inductive)
            if not broken(result):
                assert searched.verdict is Verdict.HOLDS, (each.name, guard)
            else:
                assert searched.verdict is Verdict.VIOLATED, (each.name, guard)


# --- What cannot be proved is said ---


class Seats(Spec):
    """Guests take seats; there are as many as guests."""

    guests: Nodes
    seats: int = parameter(3, at_least=1, at_most=9)

    seated: Set[Node] = empty()

    @action
    def sit(self, guest: Node) -> None:
        """A guest sits down."""
        require(len(self.seated) < self.seats)
        self.seated.add(guest)

    @invariant
    def few(self) -> bool:
        """There is a seat for everybody who sits."""
        return len(self.seated) <= self.seats


def test_counting_is_refused_with_its_place() -> None:
    def resized(sizes: Mapping[str, Any]) -> Instance:
        return instantiate(Seats, {"guests": 3, "seats": 2, **sizes})

    with pytest.raises((UsageError, NotGeneric), match=r"seats|how many elements"):
        prove(resized({}), resized, properties=["few"])


def test_a_property_that_is_no_invariant_is_refused() -> None:
    model = named("two-phase-commit")

    def resized(sizes: Mapping[str, Any]) -> Instance:
        return build(model, {"rms": 3, **sizes}, ())

    with pytest.raises(UsageError, match="proves invariants, and all-commit is none"):
        prove(resized({}), resized, properties=["all-commit"])

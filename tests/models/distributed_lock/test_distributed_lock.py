"""The lock that is handed on: its counts by a formula, its steps by hand, each property broken."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.language.failures import Disabled
from quorate.models.distributed_lock.spec import DistributedLock, Locked, Transfer
from quorate.tests.reference_search import reference_search

MODEL = registry.find("distributed-lock")
COUNTED = [e for e in MODEL.instances if e.distinct is not None and not e.symmetry]
FLAWED = [entry for entry in MODEL.instances if entry.flaws]


def states_by_formula(nodes: int, epochs: int) -> int:
    """A state is a history: who had the lock first, and for each later epoch, to whom it went.

    In each of the other epochs the lock goes to one of the `nodes - 1` others, or the epoch is left
    out: `nodes` ways. Every history but one without a transfer is twice there, since the last
    transfer may be under way.
    """
    return int(nodes * (2 * nodes ** (epochs - 1) - 1))


@pytest.mark.parametrize("entry", COUNTED, ids=lambda entry: entry.name)
def test_the_formula_agrees(entry: InstanceEntry) -> None:
    nodes, epochs = entry.parameters["nodes"], entry.parameters["epochs"]
    assert isinstance(nodes, int)
    assert isinstance(epochs, int)
    assert states_by_formula(nodes, epochs) == entry.distinct == entry.generated


def test_the_reference_search_agrees() -> None:
    entry = MODEL.instance("nodes-3")
    instance = check.build(MODEL, entry.parameters, ())
    found = reference_search(instance.evaluator(), instance.ir.properties)
    counts = (found.distinct, found.generated, found.depth)
    assert counts == (entry.distinct, entry.generated, entry.depth)
    assert set(found.reached) >= set(entry.witnesses)
    assert not found.violated


@pytest.mark.parametrize("entry", FLAWED, ids=lambda entry: entry.name)
def test_the_reference_search_finds_the_flaw_as_soon(entry: InstanceEntry) -> None:
    assert entry.parameters == MODEL.instance("nodes-3").parameters
    instance = check.build(MODEL, entry.parameters, entry.flaws)
    wanted = [p for p in instance.ir.properties if p.name == entry.violates]
    found = reference_search(instance.evaluator(), wanted, max_states=150)
    assert found.violated[entry.violates or ""] == entry.length


def test_the_lock_goes_round_and_an_old_transfer_is_refused() -> None:
    spec = DistributedLock(nodes=2, epochs=4)
    a, b = spec.nodes
    spec.held[a] = True
    spec.messages.add(Locked(0, a))
    spec.grant(a, b, 1)
    assert not any(spec.held.values())
    spec.accept(Transfer(1, b))
    spec.grant(b, a, 3)
    with pytest.raises(Disabled):
        spec.accept(Transfer(1, b))
    with pytest.raises(Disabled):
        spec.grant(b, a, 3)
    spec.accept(Transfer(3, a))
    assert (spec.held[a], spec.held[b]) == (True, False)
    assert {Locked(0, a), Locked(1, b), Locked(3, a)} <= spec.messages


BROKEN = {
    "keeps_lock": {"MutualExclusion", "holder-is-ahead-of-transfers", "held-or-under-way"},
    "reuses_epoch": {
        "OneHolderPerEpoch",
        "HistoryGrows",
        "transfer-is-ahead-of-nodes",
        "transfer-is-ahead-of-transfers",
        "can-be-held",
    },
    "accepts_old_epoch": {"holder-is-ahead-of-nodes", "holders-know-their-epoch"},
}


@pytest.mark.parametrize("flaw", BROKEN)
def test_a_flaw_breaks_the_property(flaw: str) -> None:
    instance = check.build(MODEL, {"nodes": 3, "epochs": 4}, (flaw,))
    for name in sorted(BROKEN[flaw]):
        result = explore(instance, properties=[name])
        assert [violation.property for violation in result.violations] == [name]


def test_every_property_is_broken_by_something() -> None:
    stated = {name for name, info in MODEL.properties.items() if info.kind != "sometimes"}
    assert stated == set().union(*BROKEN.values())

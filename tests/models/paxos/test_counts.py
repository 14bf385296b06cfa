"""The Paxos family: published counts, and the manifests' counts found again by the reference."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.cli.registry import Model
from quorate.language.instance import Instance
from quorate.tests.reference_search import always_possible, reference_search

MODELS = (
    "consensus",
    "voting",
    "paxos",
    "paxos-system",
    "multi-paxos",
    "multi-paxos-disk-loss",
)
QUICK = [
    (model, entry)
    for model in map(registry.find, MODELS)
    for entry in model.instances
    if entry.distinct is not None and entry.distinct < 520 and not entry.symmetry
]
# Flaws in bounds that the reference search takes no time for.
SYSTEM = {"learners": 1, "tells_learners": False, "duplicating": True, "max_crashes": 0}
SMALL: list[tuple[str, str, str, dict[str, int | bool]]] = [
    (
        "paxos-system",
        "accept_without_check",
        "P1a",
        {**SYSTEM, "proposers": 1, "acceptors": 2, "values": 1, "ballots": 2},
    ),
    (
        "paxos-system",
        "ballot_reuse",
        "OneValuePerBallot",
        {**SYSTEM, "proposers": 2, "acceptors": 2, "values": 2, "ballots": 1},
    ),
    (
        "paxos-system",
        "forget_ballot",
        "Agreement",
        {
            **SYSTEM,
            "proposers": 1,
            "acceptors": 1,
            "values": 2,
            "ballots": 1,
            "max_crashes": 1,
            "proposers_crash": True,
        },
    ),
    (
        "multi-paxos",
        "multi_gap_skip",
        "executed_in_order",
        {"acceptors": 1, "replicas": 1, "commands": 1, "ballots": 1, "slots": 2},
    ),
]


def built(model: Model, entry: InstanceEntry) -> Instance:
    return check.build(model, entry.parameters, entry.flaws)


@pytest.mark.parametrize(("model", "entry"), QUICK, ids=[f"{m.name}/{e.name}" for m, e in QUICK])
def test_the_reference_search_agrees(model: Model, entry: InstanceEntry) -> None:
    instance = built(model, entry)
    found = reference_search(instance.evaluator(), instance.ir.properties)
    assert (found.distinct, found.generated, found.depth) == (
        entry.distinct,
        entry.generated,
        entry.depth,
    )
    assert set(found.reached) >= set(entry.witnesses)
    assert not found.violated


@pytest.mark.parametrize(("name", "flaw", "broken", "parameters"), SMALL)
def test_the_reference_search_finds_the_flaw_as_soon(
    name: str, flaw: str, broken: str, parameters: dict[str, int | bool]
) -> None:
    model = registry.find(name)
    clean = check.build(model, parameters, flaws=())
    assert broken not in reference_search(clean.evaluator(), clean.ir.properties).violated
    instance = check.build(model, parameters, (flaw,))
    (trace,) = (v.trace for v in explore(instance, properties=[broken]).violations)
    assert trace is not None
    wanted = [item for item in instance.ir.properties if item.name == broken]
    assert reference_search(instance.evaluator(), wanted).violated == {broken: len(trace)}


@pytest.mark.parametrize("name", MODELS)
def test_every_flaw_is_found_where_the_protocol_is_clean_without_it(name: str) -> None:
    entries = registry.find(name).instances
    clean = [one for one in entries if one.expected == "holds" and not one.flaws]
    for entry in entries:
        if entry.expected != "holds":
            pairs = [one for one in clean if one.parameters == entry.parameters]
            assert any(not p.properties or entry.violates in p.properties for p in pairs), entry


@pytest.mark.slow
def test_paxos_counts_as_tlc_does() -> None:
    """3,921 distinct, 23,563 generated, depth 17: TLC, for Paxos.tla of tlaplus/Examples.

    The explorer is always held to them: they are those of the manifest's `ballots-2`.

    Each quorum that permits a 2a message is a step, and so is each report in it that is the latest.
    """
    instance = check.build(
        registry.find("paxos"), {"acceptors": 3, "values": 2, "ballots": 2}, flaws=()
    )
    found = reference_search(instance.evaluator())
    assert (found.distinct, found.generated, found.depth) == (3921, 23563, 17)


@pytest.mark.parametrize(("ballots", "classes"), [(2, 443), (3, 17_153)])
def test_paxos_has_as_many_classes_as_other_searches_find(ballots: int, classes: int) -> None:
    parameters = {"acceptors": 3, "values": 2, "ballots": ballots}
    instance = check.build(registry.find("paxos"), parameters, flaws=())
    result = explore(instance, properties=["voting"], symmetry=True)
    assert result.distinct_states == classes


def test_no_number_above_its_promise_means_no_choice() -> None:
    """P08: an acceptor that wants more than its promise never votes for what it has promised."""
    model = registry.find("paxos-system")
    entry = next(e for e in model.instances if e.name == "P08-accept-gt")
    small = {**entry.parameters, "ballots": 1}
    for flaws, possible in (((), True), (entry.flaws, False)):
        instance = check.build(model, small, flaws)
        semantics = instance.evaluator()
        found = reference_search(semantics)
        chosen = {state for state in found.states if semantics.holds("can-choose", state)}
        (wanted,) = (p for p in instance.ir.properties if p.name == "can-choose")
        assert always_possible(found, chosen, wanted.by or ()) is possible

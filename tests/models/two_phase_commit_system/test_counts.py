"""The counts of the manifests, found again by the reference search where it is quick."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.cli.registry import Model
from quorate.tests.reference_search import reference_search

MODELS = (
    "two-phase-commit-system",
    "two-phase-commit-backup",
    "two-phase-commit-forwarding",
)
QUICK = [
    (model, entry)
    for model in map(registry.find, MODELS)
    for entry in model.instances
    if entry.distinct is not None and entry.distinct < 600
]


@pytest.mark.parametrize(("model", "entry"), QUICK, ids=lambda item: item.name)
def test_the_reference_search_agrees(model: Model, entry: InstanceEntry) -> None:
    instance = check.build(model, entry.parameters, entry.flaws)
    found = reference_search(instance.evaluator(), instance.ir.properties)
    assert (found.distinct, found.generated, found.depth) == (
        entry.distinct,
        entry.generated,
        entry.depth,
    )
    assert set(found.reached) >= set(entry.witnesses)
    assert not set(found.violated) & set(entry.properties or ())


SHORT = [
    (model, entry)
    for model in map(registry.find, MODELS)
    for entry in model.instances
    if entry.flaws and entry.length is not None and entry.length <= 8 and model.name == MODELS[0]
]


@pytest.mark.parametrize(("model", "entry"), SHORT, ids=lambda item: item.name)
def test_the_reference_search_finds_the_flaw_as_soon(model: Model, entry: InstanceEntry) -> None:
    instance = check.build(model, entry.parameters, entry.flaws)
    found = reference_search(instance.evaluator(), instance.ir.properties, max_states=600)
    assert entry.violates is not None
    assert found.violated[entry.violates] == entry.length

"""Every registered model: its manifest, and what its fast instances say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from quorate.checkers.explorer import tiers
from quorate.checkers.result import CheckResult, PropertyVerdict, Verdict, Violation
from quorate.cli import check, listing, registry
from quorate.cli.engines import Limits
from quorate.cli.expectations import surprises
from quorate.cli.manifest import InstanceEntry, Manifest
from quorate.cli.registry import Model
from quorate.cli.settings import settle
from quorate.cli.status import Status
from quorate.traces import Trace, TraceMeta

MANIFESTS = list(registry.manifests().values())
MODELS = [registry.from_manifest(manifest) for manifest in MANIFESTS]
FAST = [(model, entry) for model in MODELS for entry in model.instances if entry.fast]
LIMITS = Limits(time_limit=120)


def test_the_models_of_atomic_commitment_are_registered() -> None:
    systems = {"two-phase-commit-system", "three-phase-commit-system"}
    assert {"transaction-commit", "two-phase-commit", *systems} <= {m.name for m in MANIFESTS}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)
def test_what_a_manifest_names_is_there(manifest: Manifest) -> None:
    model = registry.from_manifest(manifest)
    assert manifest.instances
    assert manifest.title
    for entry in manifest.instances:
        settled = settle(model, instance=entry.name)
        if not entry.fast:  # the fast ones are built where they are checked, below
            assert check.build(model, settled.parameters, settled.flaws)
        assert set(entry.witnesses) <= set(model.properties)
    for implementation in manifest.implementations:
        assert model.adapter(implementation.name)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)
def test_nothing_asked_for_is_a_fast_instance_that_is_as_expected(manifest: Manifest) -> None:
    model = registry.from_manifest(manifest)
    first = manifest.instances[0]
    assert settle(model) == settle(model, instance=first.name)
    assert (first.fast, first.expected, first.flaws) == (True, "holds", ())


def test_every_flaw_is_found_by_some_instance() -> None:
    # Over all manifests: a variant inherits the flaws of the model that it varies.
    entries = [entry for manifest in MANIFESTS for entry in manifest.instances]
    found = {flaw for entry in entries if entry.violates is not None for flaw in entry.flaws}
    borne = {flaw for entry in entries if entry.violates is None for flaw in entry.flaws}
    known = {flaw for manifest in MANIFESTS for flaw in registry.from_manifest(manifest).flaws}
    assert known - found == {"candidate_forgets_vote"}  # harmless
    assert known - found <= borne


@pytest.mark.parametrize(("model", "entry"), FAST, ids=[f"{m.name}/{e.name}" for m, e in FAST])
def test_a_fast_instance_is_as_expected(
    model: Model, entry: InstanceEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cache is empty: fast code would be made in the last second of many a search, and waited
    # for. The longest have it made still, and test_tiers.py is about nothing else.
    monkeypatch.setattr(tiers, "PATIENCE", 5.0)
    settled = settle(model, instance=entry.name)
    report = check.run(model, settled, limits=LIMITS, trace_dir=tmp_path, quiet=True)
    assert surprises(entry, report.result) == []
    assert set(report.saved) == {v.property for v in report.result.violations if v.trace}


def result(length: int) -> CheckResult:
    """A result in which `p` is violated by a trace of some length, and `w` is reached."""
    trace = Trace((), ((),) * length, (), TraceMeta(model="m"))
    return CheckResult(
        engine="explore",
        verdict=Verdict.VIOLATED,
        reason="",
        distinct_states=10,
        generated_states=20,
        depth=5,
        seconds=0.1,
        peak_memory_bytes=0,
        engine_bytes=0,
        properties={"p": PropertyVerdict.VIOLATED, "w": PropertyVerdict.REACHED},
        violations=(Violation("p", "always", trace, ""),),
        coverage={},
    )


EXPECTED = InstanceEntry(
    name="i",
    parameters={},
    expected="violated",
    violates="p",
    length=3,
    distinct=10,
    generated=20,
    depth=5,
    provenance="by hand",
    witnesses=("w",),
)


def test_no_surprise() -> None:
    assert surprises(EXPECTED, result(3)) == []
    assert surprises(dataclasses.replace(EXPECTED, length=None, distinct=None), result(4)) == []


@pytest.mark.parametrize(
    ("change", "surprise"),
    [
        ({"length": 4}, "p: expected 4 states, got 3"),
        ({"violates": "q"}, "expected a violation of q, got one of p"),
        ({"expected": "holds", "violates": None}, "expected holds, got violated"),
        ({"distinct": 11}, "distinct states: expected 11 (by hand), got 10"),
        ({"generated": 21}, "generated states: expected 21"),
        ({"depth": 6}, "depth: expected 6"),
        ({"witnesses": ("p",)}, "witness p: expected to be reached, violated"),
        ({"witnesses": ("v",)}, "witness v: expected to be reached, not checked"),
    ],
)
def test_a_surprise(change: dict[str, object], surprise: str) -> None:
    entry = dataclasses.replace(EXPECTED, **change)  # type: ignore[arg-type]
    (found,) = surprises(entry, result(3))
    assert surprise in found


def test_the_symmetry_of_instances_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert listing.list_models() is Status.HOLDS
    lines = capsys.readouterr().out.splitlines()
    for manifest in MANIFESTS:
        for entry in manifest.instances:
            shown = [line for line in lines if f" {entry.name} " in line]
            asked = "--symmetry" if entry.symmetry else "--no-symmetry"
            assert any(asked in line for line in shown) or entry.symmetry is None
    assert any("--symmetry: holds" in line for line in lines)

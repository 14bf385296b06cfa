"""Random runs of each two-phase commit spec, replayed on the implementation, flaw by flaw."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.traces import Setting, check_adapter

MODELS = (
    "two-phase-commit-system",
    "two-phase-commit-backup",
    "two-phase-commit-forwarding",
)


def follows(
    name: str, parameters: dict[str, Setting], flaws: tuple[str, ...] = (), *, seed: int = 0
) -> None:
    model = registry.find(name)
    instance = check.build(model, parameters, flaws)
    found = check_adapter(
        model.adapter("two-phase-commit"),
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        walks=12,
        steps=25,
        seed=seed,
    )
    assert found is None, found


BAD: dict[str, Setting] = {
    "participants": 2,
    "max_crashes": 2,
    "lossy": True,
    "duplicating": True,
    "partitions": True,
}


@pytest.mark.parametrize("presumption", ["NOTHING", "ABORT", "COMMIT"])
@pytest.mark.parametrize("name", MODELS[:2])
def test_the_implementation_follows_the_spec(name: str, presumption: str) -> None:
    follows(name, {**BAD, "presumption": presumption})


def test_the_implementation_follows_the_forwarding_spec() -> None:
    follows("two-phase-commit-forwarding", {"participants": 3, "max_crashes": 3})


FLAWS = [(name, flaw) for name in MODELS for flaw in registry.find(name).flaws]


@pytest.mark.parametrize(("name", "flaw"), FLAWS)
def test_the_flawed_implementation_follows_the_flawed_spec(name: str, flaw: str) -> None:
    parameters: dict[str, Setting] = {"participants": 2, "max_crashes": 1}
    follows(name, parameters, (flaw,), seed=100)

"""Generated specs are worth comparing engines on: everything occurs, and most of them run."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from functools import cache

import pytest

from quorate.language.ir import nodes, types
from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import Change, Fold, Op, PropertyKind, SpecIR, TrapKind
from quorate.tests.generated.specs import random_spec
from quorate.tests.reference_search import reference_search

SEEDS = range(120)


def parts(root: object) -> Iterator[object]:
    """Every node, type and enumeration member below an IR object."""
    yield root
    if isinstance(root, tuple):
        for item in root:
            yield from parts(item)
    elif dataclasses.is_dataclass(root) and not isinstance(root, Enum | type):
        for field in dataclasses.fields(root):
            yield from parts(getattr(root, field.name))


@cache
def found_in_seeds() -> Counter[object]:
    """How often members and node classes occur in the specs of all seeds."""
    found: Counter[object] = Counter()
    for seed in SEEDS:
        for part in parts(random_spec(seed)):
            found[part if isinstance(part, Enum) else type(part)] += 1
    return found


@pytest.mark.parametrize("family", [Op, Fold, Change, PropertyKind])
def test_every_member_occurs(family: type[Enum]) -> None:
    assert [member for member in family if found_in_seeds()[member] == 0] == []


def test_every_kind_of_node_and_type_occurs() -> None:
    missing = [
        kind.__name__
        for module in (nodes, types)
        for kind in vars(module).values()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type) and not found_in_seeds()[kind]
    ]
    assert missing == ["Span"]


def test_the_same_seed_gives_the_same_spec() -> None:
    assert random_spec(7) == random_spec(7)
    assert random_spec(7) != random_spec(8)


def explored(spec: SpecIR) -> tuple[int, TrapKind | None]:
    found = reference_search(Evaluator(spec), spec.properties, max_states=40)
    return found.distinct, None if found.trap is None else found.trap.kind


def test_many_specs_run_and_traps_of_every_kind_are_met() -> None:
    results = [explored(random_spec(seed)) for seed in range(300)]
    assert sum(states > 1 for states, _ in results) > 200
    assert sum(states > 10 for states, _ in results) > 90
    assert {trap for _, trap in results} >= set(TrapKind)

"""That a proof is about something: the instance at hand is a model of what it assumes."""

from __future__ import annotations

from dataclasses import dataclass

from ....language.instance import Instance
from ....language.ir.nodes import Property, PropertyKind
from ...explorer import explore
from ...result import Violation

STATES = 1_000_000
"""States of the instance that are looked at."""


@dataclass(frozen=True)
class Evidence:
    """What exploring the instance to a `depth` showed: `empty` has what makes a proof worthless."""

    depth: int
    violations: tuple[Violation, ...]
    witnesses: dict[str, int]
    lines: tuple[str, ...]
    empty: tuple[str, ...]


def evidence(instance: Instance, items: tuple[Property, ...]) -> Evidence:
    """Explore the instance: the conjuncts hold, every action is taken, witnesses are reached.

    Its node sets are finite and its quorums the majorities, two of which always share a node; its
    integers are ordered: so it is a model of the axioms.
    """
    seen = [
        item.name
        for item in instance.ir.properties
        if item.kind in (PropertyKind.SOMETIMES, PropertyKind.SOMETIMES_STEP)
    ]
    result = explore(
        instance, properties=[*(item.name for item in items), *seen], max_states=STATES
    )
    broken = tuple(v for v in result.violations if v.kind != "sometimes")
    shown = ", ".join(f"{name}={value}" for name, value in instance.parameters.items())
    idle = [action for action, times in result.coverage.items() if not times]
    lines = [f"a model of the axioms: {shown}, {result.distinct_states:,} states of it explored"]
    lines += [f"{name} is reached there in {n} states" for name, n in result.witnesses.items()]
    empty = []
    if idle and not broken:
        empty.append(f"with {shown}, {', '.join(idle)} never happens: what is proved says little")
    return Evidence(result.depth, broken, dict(result.witnesses), tuple(lines), tuple(empty))

"""The table of scenarios in which flaws show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from quorate.implementations.raft import (
    Flaw,
)
from quorate.tests.implementations.raft.cluster import (
    Cluster,
)


@dataclass(frozen=True)
class Case:
    """What a scenario shows of the correct core, and of the flawed one."""

    scenario: Callable[[Cluster], object]
    correct: object
    flawed: object
    servers: int = 3
    options: dict[str, Any] = field(default_factory=dict)
    together: frozenset[Flaw] = frozenset()
    """Other flaws, on in both runs: guards that mask this one."""


CASES: dict[Flaw, Case] = {}


def shows(flaw: Flaw, correct: object, flawed: object, **how: Any) -> Callable[[Any], Any]:
    """Add a scenario to the table."""

    def add(scenario: Callable[[Cluster], object]) -> Callable[[Cluster], object]:
        assert flaw not in CASES
        CASES[flaw] = Case(scenario, correct, flawed, **how)
        return scenario

    return add


def play(case: Case, flaws: Iterable[Flaw]) -> object:
    cluster = Cluster(case.servers, flaws=case.together | set(flaws), **case.options)
    return case.scenario(cluster)

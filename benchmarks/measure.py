"""Searches to be measured: on fast code from the start, with figures that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..checkers.explorer import explore
from ..checkers.explorer.compiled import chosen
from ..checkers.explorer.native import compile_instance
from ..checkers.result import CheckResult, Verdict
from ..language import Instance


@dataclass(frozen=True)
class Known:
    """What a search has to come to: figures from elsewhere, so that no wrong one is measured."""

    distinct: int
    generated: int
    depth: int


def prepare(instance: Instance, properties: Sequence[str] | None) -> None:
    """Have fast code in the cache: a search begins with quickly made code otherwise."""
    ir = chosen(instance.ir, properties)
    subsets = tuple(dict.fromkeys(item.by for item in ir.properties if item.by))
    compile_instance(ir, universe=instance.universe, subsets=subsets)
    for refinement in ir.refinements:
        compile_instance(refinement.abstract)


def explored(
    instance: Instance, known: Known, properties: Sequence[str] | None, workers: int
) -> CheckResult:
    """One search. AssertionError where it comes to something else than what is known."""
    result = explore(instance, properties=properties, workers=workers)
    assert result.verdict is Verdict.HOLDS
    found = Known(result.distinct_states or 0, result.generated_states or 0, result.depth)
    assert found == known, f"{instance.name}: {found}, and not {known}"
    return result

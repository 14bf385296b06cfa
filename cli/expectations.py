"""An instance against what its manifest says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .manifest import InstanceEntry

if TYPE_CHECKING:
    from ..checkers.result import CheckResult


def surprises(entry: InstanceEntry, result: CheckResult) -> list[str]:
    """How a result differs from what the manifest expects: one line each, none as expected.

    An engine that counts no states may not check all properties either: what it did not look at
    is no surprise.
    """
    if result.distinct_states is None:
        return _of_verdict(entry, result) if _looked_at(entry, result) else []
    found = _of_verdict(entry, result)
    counts = (
        ("distinct states", entry.distinct, result.distinct_states),
        ("generated states", entry.generated, result.generated_states),
        ("depth", entry.depth, result.depth),
    )
    for what, expected, actual in counts:
        if expected is not None and expected != actual:
            found.append(f"{what}: expected {expected:,} ({entry.provenance}), got {actual}")
    for name in entry.witnesses:
        verdict = result.properties.get(name)
        if verdict is None or verdict.value != "reached":
            told = "not checked" if verdict is None else verdict.value
            found.append(f"witness {name}: expected to be reached, {told}")
    return found


def _looked_at(entry: InstanceEntry, result: CheckResult) -> bool:
    """Whether what the instance is expected to violate is among what was checked."""
    return entry.violates in {None, "bounds", *result.properties}


def _of_verdict(entry: InstanceEntry, result: CheckResult) -> list[str]:
    found = []
    if result.verdict.value != entry.expected:
        found.append(f"expected {entry.expected}, got {result.verdict.value} ({result.reason})")
    lengths = {v.property: len(v.trace) if v.trace else None for v in result.violations}
    if entry.violates is not None and entry.violates not in lengths:
        broken = ", ".join(lengths) or "nothing"
        found.append(f"expected a violation of {entry.violates}, got one of {broken}")
    elif entry.violates is not None and entry.length not in (None, lengths[entry.violates]):
        length = lengths[entry.violates]
        found.append(f"{entry.violates}: expected {entry.length} states, got {length}")
    return found

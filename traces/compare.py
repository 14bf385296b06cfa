"""Field by field: what the spec says against what an implementation shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..language.values import FrozenBag, Value
from .adapter import IGNORE, AnyOf, Named
from .show import record_fields, record_name, show, sorted_values


@dataclass(frozen=True)
class Difference:
    """A field in which two states differ: lines of one side only, lines of the other only.

    `field` is a variable, with keys and record fields: `log[rm1].ballot`. `elements` says that the
    lines are elements of a set or bag and not the whole value.
    """

    field: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    elements: bool = False


def differences(left: Value, right: Value, field: str) -> Iterator[Difference]:
    """Where `right`, which may hold sentinels, differs from `left`, which may not."""
    if right is IGNORE:
        return
    match left, right:
        case _, AnyOf(values):
            if not any(next(differences(left, one, field), None) is None for one in values):
                several = " or ".join(show(one) for one in values)
                yield Difference(field, (show(left),), (several,))
        case FrozenBag(), Mapping():
            yield from _bags(left, right, field)
        case Mapping(), Mapping():
            yield from _keys(left, right, field)
        case frozenset(), frozenset() | set():
            ours, theirs = _apart(sorted_values(left - right), sorted_values(right - left))
            if ours or theirs:
                yield Difference(field, ours, theirs, elements=True)
        case tuple(), tuple() | list() if len(left) == len(right):
            for position, (one, other) in enumerate(zip(left, right, strict=True)):
                yield from differences(one, other, f"{field}[{position}]")
        case _ if record_fields(left) and type(left) is type(right):
            yield from _records(left, right, field)
        case _:
            if left != right:
                yield Difference(field, *_apart([left], [right]))


def state_differences(left: Named, right: Named) -> tuple[Difference, ...]:
    """The fields in which two states differ; a variable that `right` leaves out is not compared."""
    return tuple(
        found
        for name, value in left.items()
        for found in differences(value, right.get(name, IGNORE), name)
    )


def unified(found: Sequence[Difference], left: str, right: str) -> tuple[str, ...]:
    """The differences as a unified diff, a hunk for each field; empty where there are none."""
    if not found:
        return ()
    lines = [f"--- {left}", f"+++ {right}"]
    for one in found:
        lines.append(f"@@ {one.field} @@")
        lines += [f"- {text}" for text in one.left]
        lines += [f"+ {text}" for text in one.right]
    return tuple(lines)


def _keys(left: Mapping[Value, Value], right: Named, field: str) -> Iterator[Difference]:
    for key in sorted_values(left):
        inner = f"{field}[{show(key)}]"
        if key in right:
            yield from differences(left[key], right[key], inner)
        else:
            yield Difference(inner, (show(left[key]),), ())
    for key in sorted_values(one for one in right if one not in left):
        if right[key] is not IGNORE:
            yield Difference(f"{field}[{show(key)}]", (), (show(right[key]),))


def _records(left: Value, right: Value, field: str) -> Iterator[Difference]:
    if record_name(left) != record_name(right):
        yield Difference(field, (show(left),), (show(right),))
        return
    theirs = dict(record_fields(right))
    for name, value in record_fields(left):
        yield from differences(value, theirs.get(name, IGNORE), f"{field}.{name}")


def _bags(left: Mapping[Value, int], right: Named, field: str) -> Iterator[Difference]:
    changed = [one for one in {*left, *right} if left.get(one, 0) != right.get(one, 0)]
    ours = tuple(f"{left[one]} x {show(one)}" for one in sorted_values(changed) if one in left)
    theirs = tuple(f"{right[one]} x {show(one)}" for one in sorted_values(changed) if one in right)
    if changed:
        yield Difference(field, ours, theirs, elements=True)


def _apart(left: list[Value], right: list[Value]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two lists of values as text; by their Python form where they would look the same."""
    ours, theirs = tuple(map(show, left)), tuple(map(show, right))
    if set(ours) & set(theirs):
        return tuple(map(repr, left)), tuple(map(repr, right))
    return ours, theirs

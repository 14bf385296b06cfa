"""All values of a type, in canonical order (`values.order_key`)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from .ir.types import (
    BagType,
    BoolType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from .values import FrozenBag, FrozenMap, Universe, Value


def values_of(kind: Type, universe: Universe) -> Iterator[Value]:
    """The values of a type, one by one, smallest first.

    Lazy where the type is large: a set type of n elements has 2**n values. Element types are
    enumerated up front.
    """
    match kind:
        case BoolType():
            return iter((False, True))
        case IntType(low, high):
            return iter(range(low, high + 1))
        case EnumType(name, members):
            return iter([universe.enums[name][member] for member in members])
        case NodeType(sort):
            return iter(universe.nodes[sort.name])
        case OptionType(inner):
            return _options(inner, universe)
        case RecordType(name, fields):
            ranges = [values_of(field, universe) for _, field in fields]
            return (universe.records[name](*values) for values in product(*ranges))
        case UnionType(variants):
            return (value for variant in variants for value in values_of(variant, universe))
        case SetType(element, capacity):
            return (frozenset(bag) for bag in _bags(element, 1, capacity, universe))
        case MapType(key, value):
            return _maps(key, value, universe)
        case SeqType(element, capacity):
            return _sequences(element, capacity, universe)
        case BagType(element, copies, capacity):
            return _bags(element, copies, capacity, universe)


def _options(inner: Type, universe: Universe) -> Iterator[Value]:
    yield None
    yield from values_of(inner, universe)


def _maps(key: Type, value: Type, universe: Universe) -> Iterator[Value]:
    keys = list(values_of(key, universe))
    for values in product(list(values_of(value, universe)), repeat=len(keys)):
        yield FrozenMap(zip(keys, values, strict=True))


def _sequences(element: Type, capacity: int, universe: Universe) -> Iterator[Value]:
    elements = list(values_of(element, universe))
    for length in range(capacity + 1):
        yield from product(elements, repeat=length)


def _bags(
    element: Type, copies: int, capacity: int | None, universe: Universe
) -> Iterator[FrozenBag[Value]]:
    elements = list(values_of(element, universe))
    limit = len(elements) if capacity is None else capacity
    return (FrozenBag(items) for items in _counts(elements, len(elements), copies, limit))


def _counts(
    elements: list[Value], below: int, copies: int, limit: int
) -> Iterator[tuple[tuple[Value, int], ...]]:
    """Bags of at most `limit` of the first `below` elements, by their largest element first."""
    yield ()
    if limit == 0:
        return
    for position in range(below):
        for count in range(1, copies + 1):
            for smaller in _counts(elements, position, copies, limit - 1):
                yield (*smaller, (elements[position], count))

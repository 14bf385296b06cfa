"""All values of a type, in canonical order (`values.order_key`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sized
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


def is_value(value: object, kind: Type, universe: Universe) -> bool:
    """Whether something is a value of a type: one of `values_of`, which may be too many to list."""
    match kind:
        case BoolType():
            return isinstance(value, bool)
        case IntType(low, high):
            return type(value) is int and low <= value <= high
        case EnumType(name, members):
            return any(value is universe.enums[name][member] for member in members)
        case NodeType(sort):
            return value in universe.nodes[sort.name]
        case OptionType(inner):
            return value is None or is_value(value, inner, universe)
        case RecordType(name, fields):
            return type(value) is universe.records[name] and all(
                is_value(getattr(value, field), inner, universe) for field, inner in fields
            )
        case UnionType(variants):
            return any(is_value(value, variant, universe) for variant in variants)
    return _is_collection(value, kind, universe)


def _is_collection(value: object, kind: Type, universe: Universe) -> bool:
    def all_are(items: Iterable[object], element: Type) -> bool:
        return all(is_value(item, element, universe) for item in items)

    match kind, value:
        case SetType(element, capacity), frozenset():
            return _at_most(value, capacity) and all_are(value, element)
        case MapType(key, inner), FrozenMap():
            total = type(value) is FrozenMap and len(value) == sum(
                1 for _ in values_of(key, universe)
            )
            return total and all_are(value, key) and all_are(value.values(), inner)
        case SeqType(element, capacity), tuple():
            return _at_most(value, capacity) and all_are(value, element)
        case BagType(element, copies, capacity), FrozenBag():
            counts = Counter(value)
            within = _at_most(counts, capacity) and max(counts.values(), default=0) <= copies
            return within and all_are(counts, element)
    return False


def _at_most(items: Sized, capacity: int | None) -> bool:
    return capacity is None or len(items) <= capacity


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

"""Between plain values and the live collections of a running spec.

`adopt` is the gateway of every store into a state variable: it copies (stores are by value),
checks the declared bounds, and returns a live value. `freeze` goes the other way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NoReturn

from .domains import values_of
from .frozen import FrozenSeq, FrozenSet
from .ir.nodes import TrapKind
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
from .labels import Trap, Trapped
from .values import FrozenBag, FrozenMap, Node, Universe, Value, order_key


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a value is stored: its declared type, the name messages use, the instance's world."""

    type: Type
    subject: str
    universe: Universe

    def of(self, inner: Type, subject: str | None = None) -> Place:
        """A place inside this one."""
        return Place(inner, subject or self.subject, self.universe)


class Live:
    """Base of the live collections."""

    __slots__ = ()

    def frozen(self) -> Value:
        """The immutable value this collection holds now."""
        raise TypeError(f"{type(self).__name__} has no frozen form")


class Empty:
    """The empty set, bag or sequence: which one follows from where it is stored."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Empty) or (hasattr(other, "__len__") and len(other) == 0)

    def __hash__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "empty()"


@dataclasses.dataclass(frozen=True)
class Each:
    """A map with the same value at every key, before the keys are known."""

    value: Any


def trap(kind: TrapKind, subject: str, message: str) -> NoReturn:
    """Raise `Trapped`."""
    raise Trapped(Trap(kind, subject, message))


def out_of_bound(subject: str, value: object, allowed: str) -> NoReturn:
    """Raise the trap of a value outside its declared bound."""
    trap(TrapKind.BOUND, subject, f"{subject} would be {value!r}; it is declared as {allowed}")


def adopt(value: Any, place: Place) -> Any:
    """A live copy of `value` for `place`.

    Raises `Trapped` (BOUND) where the value is outside the declared bounds, TypeError where it is
    not of the type at all.
    """
    from .collections import Bag, Map, Seq, Set

    match place.type:
        case OptionType(inner):
            return None if value is None else adopt(value, place.of(inner))
        case SetType():
            return Set.at(place, value)
        case SeqType():
            return Seq.at(place, value)
        case BagType():
            return Bag.at(place, value)
        case MapType():
            return Map.at(place, value)
        case _:
            return check(value, place)


def check(value: Any, place: Place) -> Value:
    """The frozen form of `value`, within the bounds of `place`; raises as `adopt` does."""
    match place.type:
        case BoolType():
            if isinstance(value, bool):
                return value
        case IntType(low, high):
            if isinstance(value, int) and not isinstance(value, bool):
                if not low <= value <= high:
                    out_of_bound(place.subject, value, f"{low} .. {high}")
                return value
        case EnumType(name, members):
            if isinstance(value, Enum) and value.name in members and type(value).__name__ == name:
                return value
        case NodeType(sort):
            if isinstance(value, Node) and value.sort.name == sort.name:
                return value
        case OptionType(inner):
            return None if value is None else check(value, place.of(inner))
        case RecordType() | UnionType():
            return _check_record(value, place)
        case _:
            return _check_collection(value, place)
    raise TypeError(f"{place.subject}: {value!r} is not a value of its declared type")


def _check_record(value: Any, place: Place) -> Value:
    kind = place.type
    variants = kind.variants if isinstance(kind, UnionType) else (kind,)
    for variant in variants:
        assert isinstance(variant, RecordType)
        if type(value).__name__ == variant.name and dataclasses.is_dataclass(value):
            for field, inner in variant.fields:
                check(getattr(value, field), place.of(inner, f"{variant.name}.{field}"))
            return value
    raise TypeError(f"{place.subject}: {value!r} is not a value of its declared type")


def _check_collection(value: Any, place: Place) -> Value:
    match place.type:
        case SetType(element, capacity):
            items = FrozenSet(check(item, place.of(element)) for item in value)
            check_size(len(items), capacity, place.subject, "elements")
            return items
        case SeqType(element, capacity):
            sequence = FrozenSeq(check(item, place.of(element)) for item in value)
            check_size(len(sequence), capacity, place.subject, "elements")
            return sequence
        case BagType():
            return _check_bag(value, place, place.type)
        case MapType():
            return _check_map(value, place, place.type)
    raise TypeError(f"{place.subject}: {value!r} is not a collection")


def check_size(size: int, capacity: int | None, subject: str, what: str) -> None:
    """Raise the trap of a collection that outgrew its capacity."""
    if capacity is not None and size > capacity:
        out_of_bound(subject, f"{size} {what}", f"at most {capacity} {what}")


def _check_bag(value: Any, place: Place, kind: BagType) -> FrozenBag[Any]:
    counts: dict[Any, int] = {}
    pairs = value.items() if isinstance(value, Mapping) else ((item, 1) for item in value)
    for item, copies in pairs:
        key = check(item, place.of(kind.element))
        counts[key] = counts.get(key, 0) + copies
        check_size(counts[key], kind.copies, place.subject, "copies")
    check_size(len(counts), kind.capacity, place.subject, "distinct elements")
    return FrozenBag({key: counts[key] for key in sorted(counts, key=order_key)})


def _check_map(value: Any, place: Place, kind: MapType) -> FrozenMap[Any, Any]:
    keys = list(values_of(kind.key, place.universe))
    if isinstance(value, Each):
        single = check(value.value, place.of(kind.value))
        return FrozenMap(dict.fromkeys(keys, single))
    if not isinstance(value, Mapping) or set(value) != set(keys):
        raise TypeError(f"{place.subject}: a map needs a value for each of {keys!r}")
    return FrozenMap({key: check(value[key], place.of(kind.value)) for key in keys})


def freeze(value: Any) -> Value:
    """The frozen form of a live value; a frozen value is its own."""
    match value:
        case Live():
            return value.frozen()
        case FrozenSet() | FrozenSeq():
            return value
        case set() | frozenset():
            return FrozenSet(freeze(item) for item in value)
        case list() | tuple():
            return FrozenSeq(freeze(item) for item in value)
        case dict():
            return FrozenMap({key: freeze(item) for key, item in value.items()})
    return value

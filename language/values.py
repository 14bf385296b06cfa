"""Values of states: the user's own enumeration members and records, and frozen collections.

Every engine speaks these values: the reference interpreter freezes into them, the IR evaluator
computes with them, the explorer packs them, traces print and store them. They are immutable and
hashable, and `order_key` orders them canonically, the same way in every engine.

| type | value |
| --- | --- |
| bool, int | as is |
| enumeration | a member of the user's `Enum` |
| node | `Node` |
| option | None, or the inner value |
| record, union | an instance of the user's frozen dataclass |
| set | frozenset |
| sequence | tuple |
| map | `FrozenMap` |
| bag | `FrozenBag` (element -> copies, at least 1) |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from .ir.nodes import SpecIR
from .ir.types import (
    BagType,
    EnumType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Sort,
    Type,
    UnionType,
)

Value = Any
State = tuple[Value, ...]
"""A state: the values of the variables, in the order of `SpecIR.variables`."""

K = TypeVar("K")
V = TypeVar("V", covariant=True)


class Node:
    """A node of a sort. Equal by sort and index; ordered by index where the sort is ordered.

    Subclass it to name a second kind of node: `class Acceptor(Node): ...`.
    """

    __slots__ = ("_hash", "index", "sort")

    def __init__(self, sort: Sort, index: int) -> None:
        self.sort = sort
        self.index = index
        self._hash = hash((sort.name, index))

    @property
    def name(self) -> str:
        """The name shown: the parameter's in the singular, numbered from 1 (`rms` -> `rm1`)."""
        stem = self.sort.name
        if len(stem) > 1 and stem.endswith("s"):
            stem = stem[:-1]
        return f"{stem}{self.index + 1}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return self.index == other.index and self.sort.name == other.sort.name

    def __hash__(self) -> int:
        return self._hash

    def __lt__(self, other: Node) -> bool:
        return self._ordered(other).index < other.index

    def __le__(self, other: Node) -> bool:
        return self._ordered(other).index <= other.index

    def __gt__(self, other: Node) -> bool:
        return self._ordered(other).index > other.index

    def __ge__(self, other: Node) -> bool:
        return self._ordered(other).index >= other.index

    def _ordered(self, other: Node) -> Node:
        if not self.sort.ordered or self.sort.name != other.sort.name:
            raise TypeError(f"nodes of {self.sort.name!r} are interchangeable: they have no order")
        return self

    def __repr__(self) -> str:
        return self.name


class FrozenMap(Mapping[K, V]):
    """An immutable, hashable mapping; equal to any mapping with the same items."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        self._items = dict(items)
        self._hash: int | None = None

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return isinstance(other, Mapping) and self._items == dict(other)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        inner = ", ".join(f"{key!r}: {self._items[key]!r}" for key in self._items)
        return f"{{{inner}}}"


class FrozenBag(FrozenMap[K, int]):
    """An immutable multiset: each element with its number of copies, at least 1."""

    __slots__ = ()


def order_key(value: Value) -> tuple[Any, ...]:
    """The canonical order of values of one type, as a sort key.

    - False before True, None before any value, enumeration members and nodes by position;
    - records by field, the first field most significant; variants of a union by name;
    - maps by their values, the first key most significant;
    - sequences by length, then by element, the first most significant;
    - sets as bit masks: the smallest element is the least significant bit, masks compare as
      integers ({}, {a}, {b}, {a, b}, {c}, ...). A set with a capacity has the same order;
    - bags likewise, as numbers whose digits are the copies, the smallest element's the lowest.

    So a packed dense set or bag is its own sort key, and counting up enumerates all subsets.
    """
    match value:
        case None:
            return (0,)
        case Enum():  # before int: an IntEnum is ordered by position too
            return (1, list(type(value)).index(value))
        case bool() | int():
            return (1, int(value))
        case Node():
            return (1, value.index)
        case frozenset():
            # Comparing masks is comparing the largest elements first.
            return (1, *sorted((order_key(element) for element in value), reverse=True))
        case tuple():
            return (1, len(value), *(order_key(element) for element in value))
        case FrozenBag():
            digits = ((order_key(element), copies) for element, copies in value.items())
            return (1, *sorted(digits, reverse=True))
        case FrozenMap():
            keys = sorted(value, key=order_key)
            return (1, *((order_key(key), order_key(value[key])) for key in keys))
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return (1, type(value).__name__, *(order_key(getattr(value, f.name)) for f in fields))
    raise TypeError(f"not a value of a spec: {value!r}")


@dataclasses.dataclass(frozen=True)
class Universe:
    """The Python classes behind the names in an IR, and the nodes of its sorts."""

    enums: Mapping[str, type[Enum]]
    records: Mapping[str, type]
    nodes: Mapping[str, tuple[Node, ...]]

    @classmethod
    def of(cls, spec: SpecIR) -> Universe:
        """Classes made up for an IR that came from text."""
        enums: dict[str, type[Enum]] = {}
        records: dict[str, type] = {}
        for kind in types_of(spec):
            if isinstance(kind, EnumType):
                enums.setdefault(kind.name, _enum(kind))
            elif isinstance(kind, RecordType) and kind.name not in records:
                names = [name for name, _ in kind.fields]
                records[kind.name] = dataclasses.make_dataclass(kind.name, names, frozen=True)
        nodes = {s.name: tuple(Node(s, i) for i in range(s.size)) for s in spec.sorts}
        return cls(enums, records, nodes)


def _enum(kind: EnumType) -> type[Enum]:
    make: Any = Enum  # The functional form, which type checkers read for literal names only.
    made: type[Enum] = make(kind.name, list(kind.members))
    return made


def types_of(root: object) -> Iterator[Type]:
    """Every type that occurs below an IR object, inner types included; repeats are possible."""
    if isinstance(root, tuple):
        for item in root:
            yield from types_of(item)
    elif dataclasses.is_dataclass(root) and not isinstance(root, Enum):
        if isinstance(root, _COMPOSITE):
            yield root
        for item in dataclasses.fields(root):
            if item.name != "span":
                yield from types_of(getattr(root, item.name))


_COMPOSITE = (
    EnumType,
    NodeType,
    OptionType,
    RecordType,
    UnionType,
    SetType,
    MapType,
    SeqType,
    BagType,
)

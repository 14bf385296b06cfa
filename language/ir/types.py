"""The types of the IR: finite once the sizes of the sorts are known.

Types are compared by structure. A record, an enumeration and a sort are nominal: the name is part
of the structure, and within one spec a name has one definition (the verifier checks that).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb

INT_MIN = -(2**31)
INT_MAX = 2**31 - 1


@dataclass(frozen=True)
class BoolType:
    """True or False; False comes first in the canonical order."""


@dataclass(frozen=True)
class IntType:
    """An integer between `low` and `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class EnumType:
    """An enumeration; the canonical order is the order of definition."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Sort:
    """A set of nodes, fixed for an instance. `ordered` ones may be compared, and not permuted."""

    name: str
    size: int
    ordered: bool = False


@dataclass(frozen=True)
class NodeType:
    """A node of a sort."""

    sort: Sort


@dataclass(frozen=True)
class OptionType:
    """None, or a value of `inner` (never itself an option). None comes first."""

    inner: Type


@dataclass(frozen=True)
class RecordType:
    """A named tuple of fields; ordered lexicographically by field."""

    name: str
    fields: tuple[tuple[str, Type], ...]

    def field(self, name: str) -> Type | None:
        """The type of a field, None where the record has no such field."""
        return next((kind for field, kind in self.fields if field == name), None)


@dataclass(frozen=True)
class UnionType:
    """One of at least two records, sorted by name: that order is the canonical one."""

    variants: tuple[RecordType, ...]

    def tag(self, name: str) -> int | None:
        """The position of the variant of that name, None where the union has no such variant."""
        return next((i for i, variant in enumerate(self.variants) if variant.name == name), None)


@dataclass(frozen=True)
class SetType:
    """A finite set. With `capacity`, at most that many elements (a bound like any other)."""

    element: Type
    capacity: int | None = None


@dataclass(frozen=True)
class MapType:
    """A total map: every key of the finite type `key` has a value."""

    key: Type
    value: Type


@dataclass(frozen=True)
class SeqType:
    """A sequence of at most `capacity` elements."""

    element: Type
    capacity: int


@dataclass(frozen=True)
class BagType:
    """A multiset: at most `copies` of an element and, with `capacity`, that many distinct ones."""

    element: Type
    copies: int
    capacity: int | None = None


Type = (
    BoolType
    | IntType
    | EnumType
    | NodeType
    | OptionType
    | RecordType
    | UnionType
    | SetType
    | MapType
    | SeqType
    | BagType
)
Collection = SetType | SeqType | BagType

BOOL = BoolType()
ANY_INT = IntType(INT_MIN, INT_MAX)


@lru_cache(maxsize=4096)
def cardinality(kind: Type) -> int:
    """How many values a type has. Exact, and so possibly astronomically large."""
    match kind:
        case BoolType():
            return 2
        case IntType(low, high):
            return high - low + 1
        case EnumType(_, members):
            return len(members)
        case NodeType(sort):
            return sort.size
        case OptionType(inner):
            return 1 + cardinality(inner)
        case RecordType(_, fields):
            product = 1
            for _, field in fields:
                product *= cardinality(field)
            return product
        case UnionType(variants):
            return sum(cardinality(variant) for variant in variants)
        case SetType(element, capacity):
            return _subsets(cardinality(element), capacity)
        case MapType(key, value):
            return int(cardinality(value) ** cardinality(key))
        case SeqType(element, capacity):
            return sum(cardinality(element) ** length for length in range(capacity + 1))
        case BagType(element, copies, capacity):
            return _bags(cardinality(element), copies, capacity)


def _subsets(elements: int, capacity: int | None) -> int:
    if capacity is None or capacity >= elements:
        return int(2**elements)
    return sum(comb(elements, size) for size in range(capacity + 1))


def _bags(elements: int, copies: int, capacity: int | None) -> int:
    if capacity is None or capacity >= elements:
        return int((copies + 1) ** elements)
    return sum(comb(elements, size) * copies**size for size in range(capacity + 1))

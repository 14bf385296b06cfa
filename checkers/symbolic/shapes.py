"""Values of formulas: the shape is known, the leaves are `Bit` and `Num`.

| type | value of a formula |
| --- | --- |
| bool | `Bit` |
| int, enumeration, node | `Num`: the number, or the position |
| option | `Option` |
| record | `Record` |
| union | `Union` |
| map | `Table`: a value for each key |
| sequence | `Sequence` |
| set | `Dense`: a bit for each value of the element type; or `Sparse`: its elements, sorted |
| bag | `DenseBag`: a number for each; or `SparseBag`: elements with their copies, sorted |

What does not count is unconstrained: the inner value of an option that is None, elements past the
length of a sequence. No operation looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ...language.ir.types import BagType, SetType, cardinality
from ...language.values import Value
from . import numbers
from .bits import Bit
from .numbers import Num

LARGEST = 4096
"""Values of a type of elements or keys that are written out one by one, at most."""

SMALL = 64
"""A set or bag of so few possible elements is written out whatever its capacity."""

_SLOT = 16
"""A slot for an element costs about as much as so many bits of elements written out."""


@dataclass(frozen=True, eq=False)
class Option:
    """None unless `present`; `inner` is None where it can never be present."""

    present: Bit
    inner: Symbolic | None


@dataclass(frozen=True, eq=False)
class Record:
    """Fields in order of definition."""

    fields: tuple[Symbolic, ...]


@dataclass(frozen=True, eq=False)
class Union:
    """The record of the variant at position `tag`; None for a variant that it cannot be."""

    tag: Num
    variants: tuple[Record | None, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """A map: a value for each key of the domain."""

    domain: Domain
    values: tuple[Symbolic, ...]


@dataclass(frozen=True, eq=False)
class Sequence:
    """The first `length` of the items."""

    length: Num
    items: tuple[Symbolic, ...]


@dataclass(frozen=True, eq=False)
class Dense:
    """A set: which values of the domain are in it."""

    domain: Domain
    members: tuple[Bit, ...]


@dataclass(frozen=True, eq=False)
class Slot:
    """A place for an element of a sparse set or bag; `copies` is 1 in a set."""

    present: Bit
    element: Symbolic
    copies: Num = field(default_factory=lambda: numbers.known(1))


@dataclass(frozen=True, eq=False)
class Sparse:
    """A set: its elements in canonical order, then slots that are not present."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, eq=False)
class DenseBag:
    """A bag: how many of each value of the domain."""

    domain: Domain
    copies: tuple[Num, ...]


@dataclass(frozen=True, eq=False)
class SparseBag:
    """A bag: its distinct elements in canonical order, then slots that are not present."""

    slots: tuple[Slot, ...]


Symbolic: TypeAlias = (
    Bit | Num | Option | Record | Union | Table | Sequence | Dense | Sparse | DenseBag | SparseBag
)
Collection = Dense | Sparse | DenseBag | SparseBag | Sequence


@dataclass(frozen=True, eq=False)
class Domain:
    """The values of a type, in canonical order, with what each is in a formula."""

    values: tuple[Value, ...]
    constants: tuple[Symbolic, ...]
    positions: dict[Value, int]


def is_dense(kind: SetType | BagType) -> bool:
    """Whether a set or bag is written out by the values that may be in it, or by its elements."""
    count = cardinality(kind.element)
    if kind.capacity is None:
        return count <= LARGEST
    return count <= max(SMALL, min(LARGEST, _SLOT * kind.capacity))

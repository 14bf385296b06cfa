"""Values of first-order logic: what expressions of a spec without sizes stand for.

Sets and maps are what they answer: a set whether something is in it, a map what it has at a key. A
state variable answers with relations and functions that nothing is known of.

Integers are `Point`s of an ordered parameter, `Number`s that are known, or the `Count` of a set, of
which only whether it is 0 can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import z3

from ....language.ir.nodes import Span
from ....language.ir.types import (
    IntType,
    MapType,
    SetType,
)
from ..bits import Bit
from .lifting import Ordered


class Outside(Exception):
    """Something that the logic has no words for: what, and where it is written."""

    def __init__(self, what: str, span: Span | None = None) -> None:
        super().__init__(what)
        self.span = span


@dataclass(frozen=True, eq=False)
class Individual:
    """A node, or a member of an enumeration; `sort` is the name of its sort."""

    sort: str
    term: z3.ExprRef


@dataclass(frozen=True, eq=False)
class Point:
    """A value of an ordered parameter, `offset` steps further on."""

    parameter: str
    low: int
    term: z3.ExprRef
    offset: int = 0


@dataclass(frozen=True, eq=False)
class Number:
    """An integer that is known; None is one more than all values of a parameter."""

    value: int | None


@dataclass(frozen=True, eq=False)
class Count:
    """How many elements a set has."""

    of: SetOf


@dataclass(frozen=True, eq=False)
class Optional:
    """None unless `present`; `inner` is None where it can never be present."""

    present: Bit
    inner: Meaning | None


@dataclass(frozen=True, eq=False)
class Tuple:
    """A record: its fields in order of definition."""

    fields: tuple[Meaning, ...]


@dataclass(frozen=True, eq=False)
class Variants:
    """A value of a union: for each variant that it may be, when it is that and its record."""

    cases: Mapping[int, tuple[Bit, Tuple]]


@dataclass(frozen=True, eq=False)
class SetOf:
    """A set: whether a value of `element` is in it. `whole`: certainly all values are."""

    element: Any
    contains: Callable[[Meaning], Bit]
    whole: bool = False


@dataclass(frozen=True, eq=False)
class MapOf:
    """A map: what it has at a key."""

    key: Any
    value: Any
    get: Callable[[Meaning], Meaning]


Meaning: TypeAlias = (
    Bit | Individual | Point | Number | Count | Optional | Tuple | Variants | SetOf | MapOf
)


@dataclass(frozen=True, eq=False)
class Case:
    """Some values of a type: those that `value` has as its variables run, where `fits` holds."""

    variables: tuple[z3.ExprRef, ...]
    value: Meaning
    fits: Bit = True


def as_bit(value: Meaning) -> Bit:
    """A value that is true or false."""
    assert isinstance(value, bool | z3.BoolRef)
    return value


def as_tuple(value: Meaning) -> Tuple:
    """A value that is a record."""
    assert isinstance(value, Tuple)
    return value


def describe(kind: Any) -> str:
    """A type, for a message."""
    match kind:
        case IntType(low, high):
            return f"integers from {low} to {high}"
        case Ordered(parameter):
            return f"values of {parameter}"
        case SetType():
            return "sets"
        case MapType():
            return "maps"
    return type(kind).__name__.removesuffix("Type").lower() + "s"

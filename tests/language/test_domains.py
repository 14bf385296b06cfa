"""What is a value of a type, against the values of that type one by one."""

from __future__ import annotations

from itertools import product

import pytest

from quorate.language.domains import is_value, values_of
from quorate.language.ir.types import (
    BOOL,
    BagType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from quorate.tests.traces.support import universe_of

SMALL = IntType(0, 2)
PAIR = RecordType("Pair", (("left", BOOL), ("right", SMALL)))
SINGLE = RecordType("Single", (("left", BOOL),))
KINDS: tuple[Type, ...] = (
    BOOL,
    SMALL,
    IntType(-1, 1),
    OptionType(SMALL),
    PAIR,
    UnionType((PAIR, SINGLE)),
    SetType(SMALL),
    SetType(SMALL, 1),
    SetType(BOOL),
    SeqType(SMALL, 2),
    SeqType(BOOL, 1),
    MapType(BOOL, SMALL),
    MapType(SMALL, BOOL),
    BagType(SMALL, 2),
    BagType(SMALL, 1, 1),
)
UNIVERSE = universe_of(MapType(BOOL, UnionType((PAIR, SINGLE))))


def shape(value: object) -> object:
    """A value with the kind of its parts: 1 is not True here."""
    if isinstance(value, tuple | frozenset):
        return type(value), frozenset(map(shape, value)), value
    return type(value), value


@pytest.mark.parametrize(("kind", "other"), list(product(KINDS, repeat=2)))
def test_a_value_of_a_type_is_one_of_those_listed(kind: Type, other: Type) -> None:
    listed = {shape(value) for value in values_of(kind, UNIVERSE)}
    for value in values_of(other, UNIVERSE):
        assert is_value(value, kind, UNIVERSE) == (shape(value) in listed), value

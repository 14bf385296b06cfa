"""Packing: every value comes back, different values differ, and codes are in canonical order."""

from __future__ import annotations

from itertools import islice

import pytest

from quorate.checkers.explorer.codec import Codec
from quorate.checkers.explorer.layout import StateLayout
from quorate.language.domains import values_of
from quorate.language.ir.nodes import Const, SpecIR, Variable
from quorate.language.ir.types import (
    BOOL,
    BagType,
    EnumType,
    IntType,
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
from quorate.language.values import Universe, order_key
from quorate.tests.checkers.explorer.agreement import narrow_layouts

NODE = NodeType(Sort("rms", 3))
COLOUR = EnumType("Colour", ("RED", "GREEN", "BLUE"))
ASK = RecordType("Ask", (("who", NODE), ("round", IntType(-1, 1))))
TELL = RecordType("Tell", (("what", OptionType(COLOUR)),))
MESSAGE = UnionType((ASK, TELL))
KINDS: list[Type] = [
    BOOL,
    IntType(-2, 3),
    OptionType(NODE),
    OptionType(ASK),
    MESSAGE,
    SetType(NODE),
    SetType(MESSAGE),
    SetType(MESSAGE, 2),
    MapType(NODE, OptionType(COLOUR)),
    MapType(BOOL, SetType(NODE)),
    SeqType(MESSAGE, 2),
    BagType(NODE, 2),
    BagType(MESSAGE, 2, 2),
    RecordType("Pair", (("log", SeqType(NODE, 2)), ("votes", SetType(NODE)))),
]


def codec_of(*kinds: Type) -> tuple[Codec, Universe]:
    variables = tuple(Variable(f"v{i}", kind, Const(BOOL, False)) for i, kind in enumerate(kinds))
    universe = Universe.of(SpecIR("s", (NODE.sort,), variables, ()))
    return Codec(variables, StateLayout.of(variables), universe), universe


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_codes_are_as_many_and_as_ordered_as_values(kind: Type) -> None:
    codec, universe = codec_of(kind)
    values = list(islice(values_of(kind, universe), 3000))
    packed = [codec.pack((value,)) for value in values]
    assert [codec.unpack(words) for words in packed] == [(value,) for value in values]
    assert sorted(values, key=order_key) == values
    assert sorted(set(packed)) == packed


@pytest.mark.parametrize(("small", "dense"), [(6, 2), (12, 4)])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_wide_values_come_back(kind: Type, small: int, dense: int) -> None:
    with narrow_layouts(small, dense):
        codec, universe = codec_of(kind, COLOUR)
        last = universe.enums["Colour"]["BLUE"]
        states = [(value, last) for value in islice(values_of(kind, universe), 500)]
        packed = [codec.pack(state) for state in states]
        assert len(set(packed)) == len(states)
        assert [codec.unpack(words) for words in packed] == states


def test_words_from_numpy_are_understood() -> None:
    codec, universe = codec_of(SetType(IntType(0, 80)), NODE)
    state = (frozenset({0, 63, 64, 80}), universe.nodes["rms"][2])
    words = codec.pack(state)
    assert all(0 <= word < 2**64 for word in words)
    assert codec.unpack([word - 2**64 if word >> 63 else word for word in words]) == state

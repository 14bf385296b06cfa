"""Layouts: how many bits types take, what is dense and what is sparse, where variables go."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer.layout import (
    Array,
    Bits,
    LayoutError,
    StateLayout,
    layout_of,
)
from quorate.language.ir.nodes import Const, Variable
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

NODE = NodeType(Sort("rms", 5))
COLOUR = EnumType("Colour", ("RED", "GREEN", "BLUE"))
ASK = RecordType("Ask", (("who", NODE), ("round", IntType(3, 10))))
TELL = RecordType("Tell", (("what", COLOUR),))
LARGE = RecordType("Large", (("a", IntType(0, 2**30)), ("b", IntType(0, 2**30))))


def variables(*kinds: Type) -> list[Variable]:
    return [Variable(f"v{i}", kind, Const(BOOL, False)) for i, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("kind", "width"),
    [
        (BOOL, 1),
        (IntType(7, 7), 0),
        (IntType(-1, 2), 2),
        (COLOUR, 2),
        (NODE, 3),
        (OptionType(NODE), 3),
        (OptionType(COLOUR), 2),
        (OptionType(ASK), 7),
        (ASK, 6),
        (UnionType((ASK, TELL)), 7),
        (SetType(NODE), 5),
        (SetType(UnionType((ASK, TELL))), 43),
        (MapType(NODE, COLOUR), 10),
        (SeqType(COLOUR, 3), 8),
        (BagType(COLOUR, 2), 6),
    ],
)
def test_small_types_take_the_bits_they_need(kind: Type, width: int) -> None:
    layout = layout_of(kind)
    assert (layout.small, layout.width) == (True, width)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SetType(IntType(0, 64)), 2),
        (MapType(IntType(0, 7), IntType(0, 1000)), 2),
        (SeqType(IntType(0, 2**20 - 1), 4), 2),
        (RecordType("R", (("a", IntType(0, 2**40)), ("b", IntType(0, 2**40)))), 2),
        (SetType(LARGE, 3), 4),
        (SetType(LARGE, 2), 3),
    ],
)
def test_wide_types_take_whole_words(kind: Type, words: int) -> None:
    layout = layout_of(kind)
    assert (layout.small, layout.words) == (False, words)


def test_sets_are_dense_where_that_is_smaller() -> None:
    assert isinstance(layout_of(SetType(NODE, 1)), Bits)
    assert isinstance(layout_of(SetType(IntType(0, 999))), Bits)
    assert isinstance(layout_of(SetType(IntType(0, 999), 500)), Bits)
    assert isinstance(layout_of(SetType(IntType(0, 999), 6)), Array)
    assert isinstance(layout_of(SetType(LARGE, 6)), Array)
    dense = layout_of(BagType(NODE, 3))
    sparse = layout_of(BagType(LARGE, 3, 6))
    assert isinstance(dense, Array)
    assert isinstance(sparse, Array)
    assert dense.header is None
    assert sparse.header is not None


def test_what_has_no_bound_is_refused_by_name() -> None:
    with pytest.raises(LayoutError, match="v1: a set over"):
        StateLayout.of(variables(BOOL, SetType(LARGE)))
    with pytest.raises(LayoutError, match="bag"):
        layout_of(BagType(LARGE, 2))
    with pytest.raises(LayoutError, match="keys"):
        layout_of(MapType(IntType(0, 10**6), BOOL))


def test_a_state_of_one_word_leaves_a_bit_free() -> None:
    assert StateLayout.of(variables(SetType(IntType(0, 62)))).words == 1
    assert StateLayout.of(variables(SetType(IntType(0, 63)))).words == 2
    assert StateLayout.of(variables(SetType(IntType(0, 61)), COLOUR)).words == 2
    assert StateLayout.of(variables(SetType(IntType(0, 60)), COLOUR)).words == 1


def test_variables_do_not_overlap() -> None:
    kinds: list[Type] = [
        SetType(IntType(0, 39)),
        COLOUR,
        SetType(IntType(0, 99)),
        IntType(5, 5),
        SetType(IntType(0, 30)),
        MapType(NODE, SetType(NODE)),
        SetType(LARGE, 4),
        BOOL,
    ]
    layout = StateLayout.of(variables(*kinds))
    used = [0] * layout.words
    for part in layout.parts.values():
        for word in range(part.layout.size):
            mask = (1 << part.layout.width) - 1 if part.layout.small else 2**64 - 1
            assert used[part.word + word] & (mask << part.shift) == 0
            used[part.word + word] |= mask << part.shift
    assert all(word < 2**64 for word in used)
    assert layout.words == 2 + 2 + 5

"""How values and states are laid out in 64-bit words.

A type of at most 64 bits is *small*: its value is one bit field, the `code`. Codes are canonical
(one code a value) and, but for sparse sets and bags, ordered as the values are. A larger type is
*wide*: an array of words of its own. Items of arrays never straddle words, so that a wide value is
read and changed a word at a time.

A set or bag is *dense* (a bit, or a count, for each value of the element type) or *sparse* (the
sorted array of its elements), whichever is smaller; a dense one of up to 64 elements always wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ...language.ir.nodes import Span, Variable
from ...language.ir.types import (
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
    cardinality,
)

WORD = 64

SMALL = 64
"""Bits of a small value, at most. Tests lower it to make wide values of ordinary types."""

DENSE_ANYWAY = 64
"""A set type with at most so many elements is dense whatever its capacity."""

DENSE_LIMIT = 4096
"""Elements of a dense set without a capacity, and keys of a map, at most."""

TAG_RESERVE = 6
"""Bits that wide records leave free in their first word, for the tag of a union around them."""

KEY = "key"
COUNT = "count"
TAG = ""
VALUE = "value"


class LayoutError(Exception):
    """A type too large for the explorer; the user has to bound it (at `span`, if that is known)."""

    def __init__(self, message: str, span: Span | None = None) -> None:
        super().__init__(message)
        self.span = span


@dataclass(frozen=True)
class Layout:
    """Common to all: `width` in bits where `words` is 0 (small), else `words` in 64-bit words."""

    kind: Type
    width: int
    words: int

    @property
    def small(self) -> bool:
        """Whether a value is a single bit field."""
        return self.words == 0

    @property
    def size(self) -> int:
        """Words that a value takes on its own, in memory."""
        return self.words or 1


@dataclass(frozen=True)
class Scalar(Layout):
    """Bool, int, enumeration, node: the code is the position among the values of the type."""

    low: int
    count: int


@dataclass(frozen=True)
class Nullable(Layout):
    """An option of a scalar: 0 for None, else the scalar's code plus 1."""

    inner: Scalar


@dataclass(frozen=True)
class Part:
    """Where a field is: in the word `word`, from bit `shift` on (0 where the field is wide)."""

    layout: Layout
    word: int
    shift: int


@dataclass(frozen=True)
class Struct(Layout):
    """Record (parts by field), union (`TAG` and parts by variant), option (`TAG`, `VALUE`)."""

    parts: dict[str, Part]

    def __hash__(self) -> int:
        return hash(self.kind)


@dataclass(frozen=True)
class Array(Layout):
    """Items by position: maps (no header), dense bags (of counts), sequences and sparse
    collections (the header is the length).

    Small: item i is at bit `origin + i * step`. Wide with small items: item i is the slot
    `i + lead` of `per_word` slots of `step` bits a word. Wide with wide items: item i begins at
    the word `lead + i * stride`.
    """

    item: Layout
    count: int
    header: Part | None
    origin: int
    step: int
    lead: int
    per_word: int
    stride: int


@dataclass(frozen=True)
class Bits(Layout):
    """A dense set: the bit of each ordinal of the element type, the lowest first."""

    element: Layout
    count: int


def bits_for(count: int) -> int:
    """Bits that tell `count` values apart."""
    return (count - 1).bit_length()


@cache
def layout_of(kind: Type) -> Layout:
    """The layout of a type; raises LayoutError."""
    match kind:
        case BoolType() | IntType() | EnumType() | NodeType():
            count = cardinality(kind)
            low = kind.low if isinstance(kind, IntType) else 0
            return Scalar(kind, bits_for(count), 0, low, count)
        case OptionType(inner):
            return _option(kind, layout_of(inner))
        case RecordType(_, fields):
            return _record(kind, [(name, layout_of(field)) for name, field in fields])
        case UnionType(variants):
            return _union(kind, [(variant.name, layout_of(variant)) for variant in variants])
        case SetType(element, capacity):
            return _set(kind, element, capacity)
        case BagType():
            return _bag(kind)
        case SeqType(element, capacity):
            return _array(kind, layout_of(element), capacity, length=True)
        case MapType(key, value):
            if not enumerable(key) or cardinality(key) > DENSE_LIMIT:
                raise LayoutError(f"a map with {cardinality(key)} keys is too large to explore")
            return _array(kind, layout_of(value), cardinality(key), length=False)


def _option(kind: Type, inner: Layout) -> Layout:
    if isinstance(inner, Scalar):
        return Nullable(kind, bits_for(inner.count + 1), 0, inner)
    flag = Scalar(BoolType(), 1, 0, 0, 2)
    if inner.small and inner.width < SMALL:
        parts = {TAG: Part(flag, 0, inner.width), VALUE: Part(inner, 0, 0)}
        return Struct(kind, inner.width + 1, 0, parts)
    parts = {TAG: Part(flag, 0, 0), VALUE: Part(inner, 1, 0)}
    return Struct(kind, 0, 1 + inner.size, parts)


def _record(kind: Type, fields: list[tuple[str, Layout]]) -> Struct:
    width = sum(layout.width for _, layout in fields)
    if all(layout.small for _, layout in fields) and width <= SMALL:
        parts = {}
        shift = width
        for name, layout in fields:
            shift -= layout.width
            parts[name] = Part(layout, 0, shift)
        return Struct(kind, width, 0, parts)
    placed, words = place(fields, reserve=TAG_RESERVE)
    return Struct(kind, 0, max(2, words), placed)


def _union(kind: Type, variants: list[tuple[str, Layout]]) -> Struct:
    tag_width = bits_for(len(variants))
    tag = Scalar(IntType(0, len(variants) - 1), tag_width, 0, 0, len(variants))
    widest = max(layout.width for _, layout in variants)
    if all(layout.small for _, layout in variants) and widest + tag_width <= SMALL:
        parts = {name: Part(layout, 0, 0) for name, layout in variants}
        parts[TAG] = Part(tag, 0, widest)
        return Struct(kind, widest + tag_width, 0, parts)
    if tag_width > TAG_RESERVE:
        raise LayoutError(f"a union of {len(variants)} variants is too large to explore")
    parts = {TAG: Part(tag, 0, WORD - tag_width)}
    for name, layout in variants:
        crowded = layout.small and layout.width + tag_width > WORD
        parts[name] = Part(layout, 1 if crowded else 0, 0)
    words = max(parts[name].word + layout.size for name, layout in variants)
    return Struct(kind, 0, max(2, words), parts)


def _set(kind: SetType, element: Type, capacity: int | None) -> Layout:
    count = cardinality(element)
    if enumerable(element) and count <= DENSE_LIMIT:
        few = None if capacity is None or capacity >= count else capacity
        if count <= DENSE_ANYWAY or few is None or count <= few * layout_of(element).width:
            wide = count > SMALL
            words = -(-count // WORD) if wide else 0
            return Bits(kind, 0 if wide else count, words, layout_of(element), count)
    if capacity is None:
        raise LayoutError(
            f"a set over {count:,} possible elements is too large to explore without at_most(...)"
        )
    return _array(kind, layout_of(element), min(capacity, count), length=True)


def _bag(kind: BagType) -> Layout:
    count = cardinality(kind.element)
    digit = kind.copies.bit_length()
    if enumerable(kind.element) and count <= DENSE_LIMIT:
        few = None if kind.capacity is None or kind.capacity >= count else kind.capacity
        if (
            count * digit <= DENSE_ANYWAY
            or few is None
            or (count * digit <= few * (layout_of(kind.element).width + digit))
        ):
            item = layout_of(IntType(0, kind.copies))
            return _array(kind, item, count, length=False, lowest_first=True)
    if kind.capacity is None:
        raise LayoutError(
            f"a bag over {count:,} possible elements is too large to explore without at_most(...)"
        )
    entry = RecordType("", ((KEY, kind.element), (COUNT, IntType(1, kind.copies))))
    return _array(kind, layout_of(entry), min(kind.capacity, count), length=True)


def _array(
    kind: Type, item: Layout, count: int, *, length: bool, lowest_first: bool = False
) -> Array:
    header_width = bits_for(count + 1) if length else 0
    header = Scalar(IntType(0, count), header_width, 0, 0, count + 1)
    if item.small and header_width + count * item.width <= SMALL:
        top = max(0, count - 1) * item.width
        origin, step = (0, item.width) if lowest_first else (top, -item.width)
        part = Part(header, 0, count * item.width) if length else None
        width = header_width + count * item.width
        return Array(kind, width, 0, item, count, part, origin, step, 0, 0, 0)
    part = Part(header, 0, 0) if length else None
    lead = 1 if length else 0
    if not item.small:
        words = max(2, lead + count * item.words)
        return Array(kind, 0, words, item, count, part, 0, 0, lead, 0, item.words)
    step = max(item.width, header_width, 1)
    per_word = WORD // step
    words = -(-(count + lead) // per_word)
    rounded = 1 << (per_word.bit_length() - 1)
    if -(-(count + lead) // rounded) == words:
        per_word = rounded  # Positions by shifts instead of a division, at no cost in space.
    return Array(kind, 0, max(2, words), item, count, part, 0, step, lead, per_word, 0)


@cache
def enumerable(kind: Type) -> bool:
    """Whether values of the type have ordinals in compiled code (`0 .. cardinality - 1`)."""
    if cardinality(kind) >= 2**62:
        return False
    match kind:
        case BoolType() | IntType() | EnumType() | NodeType():
            return True
        case OptionType(inner):
            return enumerable(inner) and layout_of(kind).small
        case RecordType(_, fields):
            return all(enumerable(field) and layout_of(field).small for _, field in fields) and (
                layout_of(kind).small
            )
        case UnionType(variants):
            return all(enumerable(variant) for variant in variants) and layout_of(kind).small
        case SetType(element, capacity):
            count = cardinality(element)
            unbounded = capacity is None or capacity >= count
            return enumerable(element) and unbounded and layout_of(kind).small
        case MapType(key, value):
            return enumerable(key) and enumerable(value) and layout_of(kind).small
        case SeqType(element, _):
            return enumerable(element) and layout_of(kind).small
        case BagType():
            return False


def place(
    fields: Sequence[tuple[str, Layout]], *, reserve: int = 0, word: int = WORD
) -> tuple[dict[str, Part], int]:
    """Fields in words, large ones first, and how many words they take.

    `reserve` bits at the top of the first word stay free; small fields use `word` bits of a word.
    Wide fields come after the words of the small ones. The order of the result is the given one.
    """
    free: list[int] = []
    found: dict[str, tuple[int, int]] = {}
    small = [(name, layout) for name, layout in fields if layout.small]
    for name, layout in sorted(small, key=lambda field: -field[1].width):
        slot = next((i for i, room in enumerate(free) if room >= layout.width), None)
        if slot is None:
            room = word - reserve if not free else word
            if room < layout.width:
                free.append(room)
                room = word
            slot = len(free)
            free.append(room)
        used = (word - (reserve if slot == 0 else 0)) - free[slot]
        found[name] = (slot, used)
        free[slot] -= layout.width
    words = len(free) if free else (1 if reserve else 0)
    for name, layout in fields:
        if not layout.small:
            found[name] = (words, 0)
            words += layout.words
    return {name: Part(layout, *found[name]) for name, layout in fields}, words


@dataclass(frozen=True)
class StateLayout:
    """Where each variable of a state is.

    1. Small variables share words; a wide one has words of its own.
    2. A state of one word uses at most 63 bits, so that an all-ones word is never a state.
    """

    parts: dict[str, Part]
    words: int
    bits: int

    @classmethod
    def of(cls, variables: Sequence[Variable]) -> StateLayout:
        """The layout of a state with these variables; raises LayoutError."""
        fields = []
        for variable in variables:
            try:
                fields.append((variable.name, layout_of(variable.type)))
            except LayoutError as error:
                raise LayoutError(f"{variable.name}: {error}", variable.span) from None
        parts, words = place(fields, word=WORD - 1)
        if words != 1 or any(layout.width == WORD for _, layout in fields):
            parts, words = place(fields)
            words = max(words, 2)
        bits = sum(layout.width or WORD * layout.words for _, layout in fields)
        return cls(parts, words, bits)

"""Values and places: reading and writing bit fields and words by layout.

A `Value` of a small type is a register: its code, for an int the number itself. A wide one is the
address of words that do not change while the value is in use. A `Place` is where a value is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..layout import Array, Layout, Part, Scalar, Struct
from .text import Function, Pointer, Word, mask_of, signed


@dataclass(frozen=True)
class Value:
    """A value in the hands of compiled code. `raw`: code, number (ints) or address (wide).

    `known` holds parts that were at hand when the value was made: a union made of a record has
    that variant only.
    """

    layout: Layout
    raw: Word
    known: Mapping[str, Value] = field(default_factory=dict)

    @property
    def address(self) -> Pointer:
        """The address of a wide value."""
        assert isinstance(self.raw, str)
        assert not self.layout.small
        return self.raw


@dataclass(frozen=True)
class Place:
    """A value in memory: in the word at `pointer` from bit `shift` on, or the words from there.

    `alone`: a small value with a word of its own, all other bits of which are zero.
    """

    layout: Layout
    pointer: Pointer
    shift: Word = 0
    alone: bool = False


def code(fn: Function, value: Value) -> Word:
    """The bit field of a small value."""
    layout = value.layout
    return fn.sub(value.raw, layout.low) if isinstance(layout, Scalar) else value.raw


def code_in(fn: Function, value: Value, layout: Layout) -> Word:
    """The bit field of a small value in a layout: its own, or another of ints where it fits."""
    return code(fn, Value(layout, value.raw))


def decoded(fn: Function, layout: Layout, bits: Word) -> Value:
    """The value of a bit field."""
    return Value(layout, fn.add(bits, layout.low) if isinstance(layout, Scalar) else bits)


def extract(fn: Function, layout: Layout, word: Word, shift: Word) -> Value:
    """The small value in a word from bit `shift` on."""
    if layout.width == 0:
        return decoded(fn, layout, 0)
    return decoded(fn, layout, fn.masked(fn.right(word, shift), mask_of(layout.width)))


def read(fn: Function, place: Place) -> Value:
    """The value at a place; of a wide one the address, so copy it before the place changes."""
    if not place.layout.small:
        return Value(place.layout, place.pointer)
    if place.layout.width == 0:
        return decoded(fn, place.layout, 0)
    if place.alone:
        return decoded(fn, place.layout, fn.load(place.pointer))
    return extract(fn, place.layout, fn.load(place.pointer), place.shift)


def write(fn: Function, place: Place, value: Value) -> None:
    """Store a value of the place's layout, or an int that fits it."""
    if not place.layout.small:
        fn.copy(place.pointer, value.address, place.layout.words)
    elif place.layout.width:
        put(fn, place, code_in(fn, value, place.layout))


def put(fn: Function, place: Place, bits: Word) -> None:
    """Store a bit field."""
    width = place.layout.width
    if width == 0:
        return
    if width == 64 or place.alone:
        fn.store(place.pointer, bits)
        return
    hole = fn.left(mask_of(width), place.shift)
    rest = fn.without(fn.load(place.pointer), hole)
    fn.store(place.pointer, fn.either(rest, fn.left(bits, place.shift)))


def clear(fn: Function, place: Place) -> None:
    """Store the value whose representation is all zeros: the empty collection, None, the first."""
    if place.layout.small:
        put(fn, place, 0)
    else:
        fn.clear(place.pointer, place.layout.words)


def temporary(fn: Function, layout: Layout) -> Place:
    """A place of its own, cleared."""
    place = Place(layout, fn.slot(layout.size), alone=layout.small)
    fn.clear(place.pointer, layout.size)
    return place


def copied(fn: Function, value: Value) -> Place:
    """A place of its own with a copy of the value."""
    place = Place(value.layout, fn.slot(value.layout.size), alone=value.layout.small)
    if value.layout.small:
        fn.store(place.pointer, code(fn, value))
    else:
        fn.copy(place.pointer, value.address, value.layout.words)
    return place


def part_place(fn: Function, place: Place, part: Part) -> Place:
    """The place of a field."""
    if place.layout.small:
        return Place(part.layout, place.pointer, fn.add(place.shift, part.shift))
    return Place(part.layout, fn.offset(place.pointer, part.word), part.shift)


def part_named(fn: Function, value: Value, name: str) -> Value:
    """A field of a value, by its name in the layout."""
    if name in value.known:
        return value.known[name]
    return part_of(fn, value, structure(value.layout).parts[name])


def part_of(fn: Function, value: Value, part: Part) -> Value:
    """A field of a value."""
    if value.layout.small:
        return extract(fn, part.layout, value.raw, part.shift)
    return read(fn, part_place(fn, Place(value.layout, value.address), part))


def item_place(fn: Function, place: Place, index: Word) -> Place:
    """The place of an item of an array; the index is in range."""
    array = place.layout
    assert isinstance(array, Array)
    if array.small:
        shift = fn.add(place.shift, item_shift(fn, array, index))
        return Place(array.item, place.pointer, shift)
    if array.stride:
        start = fn.add(array.lead, fn.mul(index, array.stride))
        return Place(array.item, fn.offset(place.pointer, start))
    slot = fn.add(index, array.lead)
    word = fn.op("udiv", slot, array.per_word)
    within = fn.op("urem", slot, array.per_word)
    return Place(array.item, fn.offset(place.pointer, word), fn.mul(within, array.step))


def item_shift(fn: Function, array: Array, index: Word) -> Word:
    """The bit position of an item of a small array."""
    if array.step < 0:
        return fn.sub(array.origin, fn.mul(index, -array.step))
    return fn.add(array.origin, fn.mul(index, array.step))


def item_of(fn: Function, value: Value, index: Word) -> Value:
    """An item of an array; the index is in range."""
    array = value.layout
    assert isinstance(array, Array)
    if array.small:
        return extract(fn, array.item, value.raw, item_shift(fn, array, index))
    return read(fn, item_place(fn, Place(array, value.address), index))


def length_of(fn: Function, value: Value) -> Word:
    """The length of a sequence, or of a sparse collection."""
    array = value.layout
    assert isinstance(array, Array)
    assert array.header is not None
    return part_of(fn, value, array.header).raw


def set_length(fn: Function, place: Place, length: Word) -> None:
    """Change the length; the items beyond have to be zero."""
    array = place.layout
    assert isinstance(array, Array)
    assert array.header is not None
    put(fn, part_place(fn, place, array.header), length)


def structure(layout: Layout) -> Struct:
    """The layout as that of a record, union or option of something composite."""
    assert isinstance(layout, Struct)
    return layout


def constant(layout: Layout, number: int) -> Value:
    """A constant small value: a number for an int, else a code."""
    return Value(layout, signed(number))


def argument(value: Value) -> str:
    """A value as an argument of a call of a helper: `i64` raw or `ptr`."""
    return f"i64 {value.raw}" if value.layout.small else f"ptr {value.raw}"


def parameter(layout: Layout, name: str) -> str:
    """The declaration that matches `argument`."""
    return f"i64 %{name}" if layout.small else f"ptr %{name}"

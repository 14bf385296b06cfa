"""Bounded sequences: access from both ends, slices, concatenation."""

from __future__ import annotations

from ..layout import Array, Layout
from .access import (
    Place,
    Value,
    code,
    decoded,
    item_of,
    item_place,
    length_of,
    put,
    read,
    set_length,
    temporary,
    write,
)
from .collections import Refuse, close_gap
from .text import Function, Word, mask_of


def position(fn: Function, length: Word, index: Word, missing: Refuse) -> Word:
    """The position that an index means (from the end where it is negative), in range."""
    from_end = fn.compare("slt", index, 0)
    at = fn.select(from_end, fn.add(index, length), index)
    outside = fn.negated(fn.compare("ult", at, length))
    fn.when(outside, missing)
    return at


def element_at(fn: Function, sequence: Value, index: Word, missing: Refuse) -> Value:
    """The element at an index."""
    return item_of(fn, sequence, position(fn, length_of(fn, sequence), index, missing))


def append(fn: Function, place: Place, element: Value, full: Refuse) -> None:
    """Put an element at the end."""
    array = _array(place.layout)
    length = length_of(fn, read(fn, place))
    fn.when(fn.compare("sle", array.count, length), full)
    write(fn, item_place(fn, place, length), element)
    set_length(fn, place, fn.add(length, 1))


def pop_first(fn: Function, place: Place, missing: Refuse) -> None:
    """Drop the first element."""
    value = read(fn, place)
    length = length_of(fn, value)
    fn.when(fn.compare("eq", length, 0), missing)
    if place.layout.small:
        put(fn, place, _dropped(fn, value, length, 1))
    else:
        close_gap(fn, place, 0, length)


def pop_last(fn: Function, place: Place, missing: Refuse) -> None:
    """Drop the last element."""
    length = length_of(fn, read(fn, place))
    fn.when(fn.compare("eq", length, 0), missing)
    last = fn.sub(length, 1)
    item = item_place(fn, place, last)
    if item.layout.small:
        put(fn, item, 0)
    else:
        fn.clear(item.pointer, item.layout.words)
    set_length(fn, place, last)


def taken(fn: Function, sequence: Value, count: Word) -> Value:
    """`s[:count]`."""
    length = length_of(fn, sequence)
    kept = _clamped(fn, count, length)
    return _copied_range(fn, sequence, 0, kept)


def dropped(fn: Function, sequence: Value, count: Word) -> Value:
    """`s[count:]`."""
    length = length_of(fn, sequence)
    gone = _clamped(fn, count, length)
    if sequence.layout.small:
        return decoded(fn, sequence.layout, _dropped(fn, sequence, length, gone))
    return _copied_range(fn, sequence, gone, length)


def _dropped(fn: Function, sequence: Value, length: Word, gone: Word) -> Word:
    """The code of a small sequence without its first elements: the items move up."""
    array = _array(sequence.layout)
    assert array.header is not None
    width = array.count * array.item.width
    items = fn.left(code(fn, sequence), fn.mul(gone, array.item.width))
    header = fn.left(fn.sub(length, gone), array.header.shift)
    return fn.either(fn.masked(items, mask_of(width)), header)


def _copied_range(fn: Function, sequence: Value, start: Word, stop: Word) -> Value:
    result = temporary(fn, sequence.layout)

    def move(index: Word, _after: str) -> None:
        item = item_of(fn, sequence, fn.add(start, index))
        write(fn, item_place(fn, result, index), item)

    length = fn.sub(stop, start)
    fn.count(0, length, move)
    set_length(fn, result, length)
    return read(fn, result)


def concatenated(fn: Function, a: Value, b: Value, layout: Layout) -> Value:
    """The elements of `a`, then those of `b`, in a layout with room for both."""
    result = temporary(fn, layout)
    first, second = length_of(fn, a), length_of(fn, b)

    def move(index: Word, _after: str) -> None:
        write(fn, item_place(fn, result, index), item_of(fn, a, index))

    def move_on(index: Word, _after: str) -> None:
        write(fn, item_place(fn, result, fn.add(first, index)), item_of(fn, b, index))

    fn.count(0, first, move)
    fn.count(0, second, move_on)
    set_length(fn, result, fn.add(first, second))
    return read(fn, result)


def _clamped(fn: Function, count: Word, length: Word) -> Word:
    """A slice bound as a position between 0 and the length, as Python has it."""
    negative = fn.compare("slt", count, 0)
    at = fn.select(negative, fn.add(count, length), count)
    at = fn.select(fn.compare("slt", at, 0), 0, at)
    return fn.select(fn.compare("slt", length, at), length, at)


def _array(layout: Layout) -> Array:
    assert isinstance(layout, Array)
    return layout

"""Sequences of formulas. Python's rules for indexes and slices hold."""

from __future__ import annotations

from . import bits, compare, numbers
from .bits import Bit
from .numbers import Num
from .shapes import Sequence, Symbolic


def place(sequence: Sequence, index: Num) -> tuple[Num, Bit]:
    """The position that an index means, counted from 0, and whether there is one."""
    position = from_start(sequence, index)
    inside = bits.both(
        numbers.no_more(numbers.known(0), position), numbers.less(position, sequence.length)
    )
    return position, inside


def from_start(sequence: Sequence, index: Num) -> Num:
    """An index as it counts from the start: a negative one counts from the end."""
    if index.low >= 0:
        return index
    below = numbers.less(index, numbers.known(0))
    return numbers.chosen(below, numbers.plus(index, sequence.length), index)


def at(sequence: Sequence, position: Num) -> Symbolic | None:
    """The item at a position that is inside; None where there can be none."""
    found: Symbolic | None = None
    for number, item in enumerate(sequence.items):
        is_it = numbers.equal(position, numbers.known(number))
        if is_it is not False:
            found = item if found is None else compare.chosen(is_it, item, found)
    return found


def with_item(sequence: Sequence, position: Num, new: Symbolic) -> Sequence:
    """With another item at a position that is inside."""
    items = (
        compare.chosen(numbers.equal(position, numbers.known(number)), new, item)
        for number, item in enumerate(sequence.items)
    )
    return Sequence(sequence.length, tuple(items))


def _clamped(sequence: Sequence, count: Num) -> Num:
    """How many items a slice bound means: from 0 to the length."""
    position = from_start(sequence, count)
    zero = numbers.known(0)
    above = numbers.chosen(numbers.less(position, zero), zero, position)
    above = numbers.narrowed(above, 0, above.high)
    fewer = numbers.less(above, sequence.length)
    return numbers.narrowed(numbers.chosen(fewer, above, sequence.length), 0, sequence.length.high)


def take(sequence: Sequence, count: Num) -> Sequence:
    """`s[:count]`."""
    length = _clamped(sequence, count)
    return Sequence(length, sequence.items[: length.high])


def drop(sequence: Sequence, count: Num) -> Sequence:
    """`s[count:]`."""
    gone = _clamped(sequence, count)
    length = numbers.minus(sequence.length, gone)
    length = numbers.narrowed(length, 0, sequence.length.high)
    shifted = _shifted(sequence.items, gone)
    return Sequence(length, shifted[: length.high])


def _shifted(items: tuple[Symbolic, ...], gone: Num) -> tuple[Symbolic, ...]:
    """The items from a position on; what is past their end does not count."""
    found: list[Symbolic] = []
    for start in range(len(items)):
        value = items[-1]
        for number in range(gone.high, gone.low - 1, -1):
            if start + number < len(items):
                is_it = numbers.equal(gone, numbers.known(number))
                value = compare.chosen(is_it, items[start + number], value)
        found.append(value)
    return tuple(found)


def joined(first: Sequence, second: Sequence) -> Sequence:
    """`first + second`."""
    length = numbers.plus(first.length, second.length)
    found: list[Symbolic] = []
    for position in range(min(length.high, len(first.items) + len(second.items))):
        value: Symbolic | None = None
        for shift in range(first.length.low, first.length.high + 1):
            offset = position - shift
            if 0 <= offset < len(second.items):
                is_it = numbers.equal(first.length, numbers.known(shift))
                item = second.items[offset]
                value = item if value is None else compare.chosen(is_it, item, value)
        if position < len(first.items):
            own = numbers.less(numbers.known(position), first.length)
            item = first.items[position]
            value = item if value is None else compare.chosen(own, item, value)
        if value is None:
            break
        found.append(value)
    return Sequence(length, tuple(found))


def appended(sequence: Sequence, item: Symbolic) -> Sequence:
    """With one more item at the end."""
    return joined(sequence, Sequence(numbers.known(1), (item,)))

"""Records, unions, options and maps: building and taking apart."""

from __future__ import annotations

from collections.abc import Sequence

from ....language.ir.types import RecordType, UnionType
from ..layout import TAG, VALUE, WORD, Array, Layout, Nullable
from .access import (
    Place,
    Value,
    code,
    code_in,
    copied,
    decoded,
    item_of,
    item_place,
    item_shift,
    part_named,
    part_place,
    put,
    read,
    structure,
    temporary,
    write,
)
from .order import ordinal
from .text import Bit, Function, Word, mask_of


def record(fn: Function, layout: Layout, values: Sequence[Value]) -> Value:
    """A record of its fields, in order."""
    struct = structure(layout)
    assert isinstance(struct.kind, RecordType)
    known = {
        name: Value(struct.parts[name].layout, value.raw, value.known)
        for (name, _), value in zip(struct.kind.fields, values, strict=True)
    }
    if struct.small:
        bits: Word = 0
        for name, value in known.items():
            part = struct.parts[name]
            bits = fn.either(bits, fn.left(code_in(fn, value, part.layout), part.shift))
        return Value(struct, bits, known)
    place = temporary(fn, struct)
    for name, value in known.items():
        write(fn, part_place(fn, place, struct.parts[name]), value)
    return read(fn, place)


def tagged(fn: Function, layout: Layout, value: Value) -> Value:
    """A union of one of its records."""
    struct = structure(layout)
    assert isinstance(struct.kind, UnionType)
    assert isinstance(value.layout.kind, RecordType)
    name = value.layout.kind.name
    number = struct.kind.tag(name)
    assert number is not None
    if struct.small:
        bits = fn.either(code(fn, value), fn.left(number, struct.parts[TAG].shift))
        return Value(struct, bits, {name: value})
    place = temporary(fn, struct)
    write(fn, part_place(fn, place, struct.parts[name]), value)
    put(fn, part_place(fn, place, struct.parts[TAG]), number)
    return Value(struct, place.pointer, {name: value})


def has_variant(fn: Function, union: Value, name: str) -> Bit:
    """Whether a union is the record of that name."""
    if union.known:
        return name in union.known
    assert isinstance(union.layout.kind, UnionType)
    number = union.layout.kind.tag(name)
    assert number is not None
    return fn.compare("eq", part_named(fn, union, TAG).raw, number)


def variant(fn: Function, union: Value, name: str) -> Value:
    """The record that a union is."""
    if name in union.known:
        return union.known[name]
    value = part_named(fn, union, name)
    if value.layout.small:
        return value
    # The tag is in bits that the record leaves free, and which are zero in a record by itself.
    place = copied(fn, value)
    tag = structure(union.layout).parts[TAG].layout
    first = fn.load(place.pointer)
    fn.store(place.pointer, fn.masked(first, mask_of(WORD - tag.width)))
    return read(fn, place)


def absent(fn: Function, layout: Layout) -> Value:
    """None."""
    return decoded(fn, layout, 0) if layout.small else read(fn, temporary(fn, layout))


def present(fn: Function, layout: Layout, value: Value) -> Value:
    """An option that is a value."""
    if isinstance(layout, Nullable):
        return Value(layout, fn.add(code(fn, value), 1), {VALUE: value})
    struct = structure(layout)
    if struct.small:
        bits = fn.either(code(fn, value), fn.left(1, struct.parts[TAG].shift))
        return Value(struct, bits, {VALUE: value})
    place = temporary(fn, struct)
    write(fn, part_place(fn, place, struct.parts[VALUE]), value)
    put(fn, part_place(fn, place, struct.parts[TAG]), 1)
    return Value(struct, place.pointer, {VALUE: value})


def is_none(fn: Function, option: Value) -> Bit:
    """Whether an option is None."""
    if option.known:
        return False
    if isinstance(option.layout, Nullable):
        return fn.compare("eq", option.raw, 0)
    return fn.compare("eq", part_named(fn, option, TAG).raw, 0)


def unwrapped(fn: Function, option: Value) -> Value:
    """The value of an option that is not None."""
    if VALUE in option.known:
        return option.known[VALUE]
    if isinstance(option.layout, Nullable):
        return decoded(fn, option.layout.inner, fn.sub(option.raw, 1))
    return part_named(fn, option, VALUE)


def each(fn: Function, layout: Layout, value: Value) -> Value:
    """A map with one value at every key."""
    assert isinstance(layout, Array)
    if layout.small:
        ones = sum(1 << _constant(item_shift(fn, layout, index)) for index in range(layout.count))
        return decoded(
            fn, layout, fn.mul(code_in(fn, value, layout.item), ones) if layout.item.width else 0
        )
    place = temporary(fn, layout)
    fn.count(0, layout.count, lambda index, _: write(fn, item_place(fn, place, index), value))
    return read(fn, place)


def _constant(word: Word) -> int:
    assert isinstance(word, int)
    return word


def get(fn: Function, mapping: Value, key: Value) -> Value:
    """The value at a key."""
    return item_of(fn, mapping, ordinal(fn, key))


def with_item(fn: Function, mapping: Value, key: Value, value: Value) -> Value:
    """A map changed at one key."""
    place = copied(fn, mapping)
    write(fn, item_place(fn, place, ordinal(fn, key)), value)
    return read(fn, place)


def variant_place(fn: Function, union: Value, name: str) -> Value:
    """The record in a wide union as it lies there: good for reading fields, not as a value."""
    part = structure(union.layout).parts[name]
    return read(fn, part_place(fn, Place(union.layout, union.address), part))

"""COERCE: the same value in another type, with a trap where it does not fit."""

from __future__ import annotations

from ....language.ir.types import (
    BagType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    UnionType,
)
from ..layout import Array, Bits, Layout, layout_of
from . import collections, shapes
from .access import (
    Value,
    item_of,
    item_place,
    length_of,
    read,
    set_length,
    temporary,
    write,
)
from .collections import Refuse
from .text import Function, Word


def coerce(fn: Function, value: Value, layout: Layout, bound: Refuse) -> Value:
    """The value in a layout of another type; `bound` where it does not fit."""
    if value.layout == layout:
        return value
    match value.layout.kind, layout.kind:
        case IntType(), IntType():
            inside, _ = collections.fitted(fn, value, layout)
            fn.when(fn.negated(inside), bound)
            return Value(layout, value.raw)
        case OptionType(), OptionType():
            return _option(fn, value, layout, bound)
        case _, OptionType(inner):
            return shapes.present(fn, layout, coerce(fn, value, layout_of(inner), bound))
        case RecordType(), UnionType():
            return shapes.tagged(fn, layout, value)
        case UnionType(), UnionType():
            return _union(fn, value, layout, bound)
        case SetType(), SetType():
            return _set(fn, value, layout, bound)
        case BagType(), BagType():
            return _bag(fn, value, layout, bound)
        case SeqType(), SeqType():
            return _sequence(fn, value, layout, bound)
        case MapType(), MapType():
            return _items(fn, value, layout, _count(layout), bound)
    raise AssertionError(f"no coercion from {value.layout.kind} to {layout.kind}")


def _count(layout: Layout) -> int:
    assert isinstance(layout, Array)
    return layout.count


def _option(fn: Function, value: Value, layout: Layout, bound: Refuse) -> Value:
    assert isinstance(layout.kind, OptionType)
    inner = layout_of(layout.kind.inner)
    result = temporary(fn, layout)

    def there() -> None:
        wanted = coerce(fn, shapes.unwrapped(fn, value), inner, bound)
        write(fn, result, shapes.present(fn, layout, wanted))

    fn.when(fn.negated(shapes.is_none(fn, value)), there)
    return read(fn, result)


def _union(fn: Function, value: Value, layout: Layout, bound: Refuse) -> Value:
    source, target = value.layout.kind, layout.kind
    assert isinstance(source, UnionType)
    assert isinstance(target, UnionType)
    for name, known in value.known.items():
        if target.tag(name) is not None:
            return shapes.tagged(fn, layout, known)
    result = temporary(fn, layout)
    for record in source.variants:

        def keep(name: str = record.name) -> None:
            if target.tag(name) is None:
                bound()
                return
            write(fn, result, shapes.tagged(fn, layout, shapes.variant(fn, value, name)))

        fn.when(shapes.has_variant(fn, value, record.name), keep)
    return read(fn, result)


def _set(fn: Function, value: Value, layout: Layout, bound: Refuse) -> Value:
    assert isinstance(layout.kind, SetType)
    target = collections.element_layout(layout)
    if (
        isinstance(value.layout, Bits)
        and isinstance(layout, Bits)
        and value.layout.element == target
    ):
        capacity = layout.kind.capacity
        if capacity is not None and capacity < layout.count:
            fn.when(fn.compare("slt", capacity, collections.size(fn, value)), bound)
        return Value(layout, value.raw)
    result = temporary(fn, layout)

    def keep(element: Value, _after: str) -> None:
        collections.insert(fn, result, coerce(fn, element, target, bound), bound)

    collections.iterate(fn, value, keep)
    return read(fn, result)


def _bag(fn: Function, value: Value, layout: Layout, bound: Refuse) -> Value:
    target = collections.element_layout(layout)
    result = temporary(fn, layout)

    def keep(element: Value, copies: Word, _after: str) -> None:
        wanted = coerce(fn, element, target, bound)
        collections.add_copies(fn, result, wanted, copies, bound)

    collections.iterate_counts(fn, value, keep)
    return read(fn, result)


def _sequence(fn: Function, value: Value, layout: Layout, bound: Refuse) -> Value:
    length = length_of(fn, value)
    if _count(layout) < _count(value.layout):
        fn.when(fn.compare("slt", _count(layout), length), bound)
    return _items(fn, value, layout, length, bound)


def _items(fn: Function, value: Value, layout: Layout, length: Word, bound: Refuse) -> Value:
    """The items of an array one by one."""
    assert isinstance(layout, Array)
    item = layout.item
    result = temporary(fn, layout)

    def convert(index: Word, _after: str) -> None:
        converted = coerce(fn, item_of(fn, value, index), item, bound)
        write(fn, item_place(fn, result, index), converted)

    fn.count(0, length, convert)
    if layout.header is not None:
        set_length(fn, result, length)
    return read(fn, result)

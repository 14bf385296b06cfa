"""Ordinals, order and equality of values, by layout."""

from __future__ import annotations

from functools import partial

from ....language.ir.types import (
    BagType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    UnionType,
    cardinality,
)
from ..layout import TAG, VALUE, Array, Bits, Layout, Nullable, Part, Scalar, Struct
from .access import (
    Value,
    argument,
    code,
    decoded,
    item_of,
    item_shift,
    length_of,
    parameter,
    part_named,
    part_of,
)
from .text import Bit, Function, Word


def ordinal(fn: Function, value: Value) -> Word:
    """The position of a value among all values of its (enumerable) type."""
    layout = value.layout
    match layout:
        case Scalar() | Nullable() | Bits():
            return code(fn, value)
        case Struct(kind=RecordType(_, fields)):
            total: Word = 0
            for name, kind in fields:
                digit = ordinal(fn, part_named(fn, value, name))
                total = fn.add(fn.mul(total, cardinality(kind)), digit)
            return total
        case Struct(kind=UnionType()):
            return _union_ordinal(fn, value)
        case Struct(kind=OptionType()):
            flag = fn.compare("ne", part_named(fn, value, TAG).raw, 0)
            inner = fn.add(ordinal(fn, part_named(fn, value, VALUE)), 1)
            return fn.select(flag, inner, 0)
        case Array(kind=MapType(_, kind)):
            total = 0
            for index in range(layout.count):
                digit = ordinal(fn, item_of(fn, value, index))
                total = fn.add(fn.mul(total, cardinality(kind)), digit)
            return total
        case Array(kind=SeqType(element)):
            return _sequence_ordinal(fn, value, layout, cardinality(element))
    raise AssertionError(f"no ordinals for {layout.kind}")


def _union_ordinal(fn: Function, value: Value) -> Word:
    kind = value.layout.kind
    assert isinstance(kind, UnionType)
    base, result = 0, None
    tag = part_named(fn, value, TAG).raw
    for position, variant in enumerate(kind.variants):
        if variant.name in value.known:
            return fn.add(ordinal(fn, value.known[variant.name]), base)
        here = fn.add(ordinal(fn, part_named(fn, value, variant.name)), base)
        if result is None:
            result = here
        else:
            result = fn.select(fn.compare("eq", tag, position), here, result)
        base += cardinality(variant)
    assert result is not None
    return result


def _sequence_ordinal(fn: Function, value: Value, layout: Array, radix: int) -> Word:
    length = length_of(fn, value)
    total: Word = 0
    for index in range(layout.count):
        longer = fn.add(fn.mul(total, radix), ordinal(fn, item_of(fn, value, index)))
        total = fn.select(fn.compare("slt", index, length), longer, total)
    # The sequences of a length come after all shorter ones.
    offset: Word = 0
    base = 0
    for index in range(layout.count):
        base += radix**index
        offset = fn.select(fn.compare("slt", index, length), base, offset)
    return fn.add(total, offset)


def from_ordinal(fn: Function, layout: Layout, position: Word) -> Value:
    """The value of an (enumerable) type at a position."""
    match layout:
        case Scalar() | Nullable() | Bits():
            return decoded(fn, layout, position)
        case Struct(kind=RecordType(_, fields)):
            rest, bits = position, 0
            known: dict[str, Value] = {}
            total: Word = bits
            for place, (name, kind) in reversed(list(enumerate(fields))):
                radix = cardinality(kind)
                digit = fn.op("urem", rest, radix) if place else rest
                rest = fn.op("udiv", rest, radix)
                part = layout.parts[name]
                known[name] = from_ordinal(fn, part.layout, digit)
                total = fn.either(total, fn.left(code(fn, known[name]), part.shift))
            return Value(layout, total, known)
        case Struct(kind=UnionType()):
            return _union_at(fn, layout, position)
        case Struct(kind=OptionType()):
            inner = layout.parts[VALUE].layout
            bits_of = code(fn, from_ordinal(fn, inner, fn.sub(position, 1)))
            present = fn.either(bits_of, fn.left(1, layout.parts[TAG].shift))
            return Value(layout, fn.select(fn.compare("eq", position, 0), 0, present))
        case Array(kind=MapType()):
            return _items_at(fn, layout, position, layout.count)
        case Array(kind=SeqType(element)):
            return _sequence_at(fn, layout, position, cardinality(element))
    raise AssertionError(f"no ordinals for {layout.kind}")


def _union_at(fn: Function, layout: Struct, position: Word) -> Value:
    kind = layout.kind
    assert isinstance(kind, UnionType)
    base = 0
    result: Word = 0
    for tag, variant in enumerate(kind.variants):
        inner = layout.parts[variant.name].layout
        bits = code(fn, from_ordinal(fn, inner, fn.sub(position, base)))
        here = fn.either(bits, fn.left(tag, layout.parts[TAG].shift))
        result = fn.select(fn.compare("sle", base, position), here, result)
        base += cardinality(variant)
    return Value(layout, result)


def _items_at(fn: Function, layout: Array, position: Word, count: int) -> Value:
    """An array whose first `count` items are the digits of a number, the last the lowest."""
    rest, total = position, 0
    result: Word = total
    radix = cardinality(layout.item.kind)
    for index in reversed(range(count)):
        digit = fn.op("urem", rest, radix)
        rest = fn.op("udiv", rest, radix)
        bits = code(fn, from_ordinal(fn, layout.item, digit))
        result = fn.either(result, fn.left(bits, item_shift(fn, layout, index)))
    return Value(layout, result)


def _sequence_at(fn: Function, layout: Array, position: Word, radix: int) -> Value:
    assert layout.header is not None
    base = 0
    result: Word = 0
    for length in range(layout.count + 1):
        items = _items_at(fn, layout, fn.sub(position, base), length)
        here = fn.either(items.raw, fn.left(length, layout.header.shift))
        result = fn.select(fn.compare("sle", base, position), here, result)
        base += radix**length
    return Value(layout, result)


def equal(fn: Function, a: Value, b: Value) -> Bit:
    """Equality of values of one layout."""
    assert a.layout == b.layout
    if a.layout.small:
        return fn.compare("eq", a.raw, b.raw)
    words = a.layout.words

    def make(helper: Function) -> None:
        different = helper.block()

        def body(index: Word, _after: str) -> None:
            same = helper.block()
            left = helper.load(helper.offset("%a", index))
            right = helper.load(helper.offset("%b", index))
            helper.branch(helper.compare("eq", left, right), same, different)
            helper.at(same)

        helper.count(0, words, body)
        helper.give(1)
        helper.at(different)
        helper.give(0)

    name = fn.module.helper(("equal", words), "ptr %a, ptr %b", "i64", make)
    return fn.compare("ne", fn.call(name, f"ptr {a.raw}, ptr {b.raw}"), 0)


def monotone(layout: Layout) -> bool:
    """Whether codes are ordered as the values are."""
    match layout:
        case Struct(parts=parts):
            return layout.small and all(monotone(part.layout) for part in parts.values())
        case Array(kind=kind, item=item):
            sparse = isinstance(kind, SetType | BagType) and layout.header is not None
            return layout.small and not sparse and monotone(item)
    return layout.small


def less(fn: Function, a: Value, b: Value) -> Bit:
    """Whether `a` comes before `b` in the canonical order; of one layout."""
    if monotone(a.layout):
        how = "slt" if isinstance(a.layout, Scalar) else "ult"
        return fn.compare(how, a.raw, b.raw)
    return fn.compare("slt", _compare(fn, a, b), 0)


def _compare(fn: Function, a: Value, b: Value) -> Word:
    """Negative, 0 or positive, as `a` comes before, with or after `b`."""
    layout = a.layout
    if monotone(layout):
        return fn.sub(fn.word(less(fn, b, a)), fn.word(less(fn, a, b)))

    def make(helper: Function) -> None:
        _fill_compare(helper, Value(layout, "%a"), Value(layout, "%b"))

    parameters = f"{parameter(layout, 'a')}, {parameter(layout, 'b')}"
    name = fn.module.helper(("compare", layout), parameters, "i64", make)
    return fn.call(name, f"{argument(a)}, {argument(b)}")


def _settle(fn: Function, a: Value, b: Value) -> None:
    """Return how `a` and `b` compare, unless they are equal."""
    _settle_by(fn, _compare(fn, a, b))


def _settle_part(fn: Function, a: Value, b: Value, part: Part) -> None:
    _settle(fn, part_of(fn, a, part), part_of(fn, b, part))


def _settle_by(fn: Function, order: Word) -> None:
    fn.when(fn.compare("ne", order, 0), lambda: fn.give(order))


def _fill_compare(fn: Function, a: Value, b: Value) -> None:
    match a.layout:
        case Struct(kind=RecordType(_, fields), parts=parts):
            for name, _ in fields:
                _settle(fn, part_of(fn, a, parts[name]), part_of(fn, b, parts[name]))
        case Struct(parts=parts):
            _settle(fn, part_of(fn, a, parts[TAG]), part_of(fn, b, parts[TAG]))
            tag = part_of(fn, a, parts[TAG]).raw
            for number, name in _alternatives(a.layout):
                here = fn.compare("eq", tag, number)
                fn.when(here, partial(_settle_part, fn, a, b, parts[name]))
        case Bits(words=words):
            for index in reversed(range(words)):
                left = constant_word(fn, a, index)
                right = constant_word(fn, b, index)
                later = fn.word(fn.compare("ult", right, left))
                _settle_by(fn, fn.sub(later, fn.word(fn.compare("ult", left, right))))
        case Array():
            _compare_arrays(fn, a, b)
    fn.give(0)


def constant_word(fn: Function, value: Value, index: Word) -> Word:
    """A word of a wide value."""
    return fn.load(fn.offset(value.address, index))


def _alternatives(layout: Layout) -> list[tuple[int, str]]:
    """Tags of a union or option with the parts they stand for."""
    match layout.kind:
        case UnionType(variants):
            return [(tag, variant.name) for tag, variant in enumerate(variants)]
    return [(1, VALUE)]


def _compare_arrays(fn: Function, a: Value, b: Value) -> None:
    """Maps and sequences from the front, bags and sparse sets from the back."""
    array = a.layout
    assert isinstance(array, Array)
    if array.header is None:
        last = array.count - 1
        backwards = isinstance(array.kind, BagType)

        def entry(index: Word, _after: str) -> None:
            at = fn.sub(last, index) if backwards else index
            _settle(fn, item_of(fn, a, at), item_of(fn, b, at))

        fn.count(0, array.count, entry)
        return
    left, right = length_of(fn, a), length_of(fn, b)
    lengths = _compare(fn, Value(array.header.layout, left), Value(array.header.layout, right))
    if isinstance(array.kind, SeqType):
        _settle_by(fn, lengths)
        fn.count(0, left, lambda i, _: _settle(fn, item_of(fn, a, i), item_of(fn, b, i)))
        return
    shorter = fn.select(fn.compare("slt", left, right), left, right)

    def from_back(index: Word, _after: str) -> None:
        at = fn.add(index, 1)
        _settle(fn, item_of(fn, a, fn.sub(left, at)), item_of(fn, b, fn.sub(right, at)))

    fn.count(0, shorter, from_back)
    fn.give(lengths)

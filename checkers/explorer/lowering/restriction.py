"""The elements of a dense set that fulfil a condition: an intersection with a table's row."""

from __future__ import annotations

from collections.abc import Callable

from ....language.ir.nodes import Apply, Expr, Local, Op
from ....language.ir.types import RecordType, UnionType, cardinality
from ..layout import WORD, Bits
from .access import Place, Value, decoded, read
from .context import Context
from .masks import Mask
from .text import Bit, Function, Pointer, Word, mask_of

_ONES = (1 << WORD) - 1

Number = Callable[[Expr], Word]
"""Writes the position of a key among the values of its type."""


def restricted(cx: Context, source: Value, found: list[Mask], number: Number) -> Value:
    """The elements of a dense set that all the masks admit."""
    layout = source.layout
    assert isinstance(layout, Bits)
    if not found:
        return source
    rows = [_row(cx.fn, mask, layout.size, number) for mask in found]
    fn = cx.fn
    if layout.small:
        word = source.raw
        for row in rows:
            word = fn.masked(word, fn.load(row))
        return Value(layout, word)
    slot = fn.slot(layout.words)
    for index in range(layout.words):
        word = fn.load(fn.offset(source.address, index))
        for row in rows:
            word = fn.masked(word, fn.load(fn.offset(row, index)))
        fn.store(fn.offset(slot, index), word)
    return Value(layout, slot)


def _row(fn: Function, mask: Mask, words: int, number: Number) -> Pointer:
    """The address of the row of a mask for the keys as they are."""
    table = [row >> (WORD * index) & _ONES for row in mask.rows for index in range(words)]
    position: Word = 0
    for key in mask.keys:
        position = fn.add(fn.mul(position, cardinality(key.type)), number(key))
    return fn.offset(fn.module.table(table), fn.mul(position, words))


def nonempty(fn: Function, bits: Value) -> Bit:
    """Whether a dense set has an element."""
    if bits.layout.small:
        return fn.compare("ne", bits.raw, 0)
    word: Word = 0
    for index in range(bits.layout.words):
        word = fn.either(word, fn.load(fn.offset(bits.address, index)))
    return fn.compare("ne", word, 0)


def variants(fn: Function, bits: Value, name: str, target: Bits) -> Value:
    """The records of that name in a dense set of a union, as a set of that record."""
    layout = bits.layout
    assert isinstance(layout, Bits)
    assert isinstance(layout.element.kind, UnionType)
    start = 0
    for kind in layout.element.kind.variants:
        if kind.name == name:
            break
        start += cardinality(kind)
    words = [_word_from(fn, bits, start + WORD * index) for index in range(target.size)]
    words[-1] = fn.masked(words[-1], mask_of(target.count - WORD * (target.size - 1)))
    if target.small:
        return decoded(fn, target, words[0])
    slot = fn.slot(target.words)
    for index, word in enumerate(words):
        fn.store(fn.offset(slot, index), word)
    return read(fn, Place(target, slot))


def _word_from(fn: Function, bits: Value, start: int) -> Word:
    """The 64 bits of a dense set from one on; zeros after its end."""
    index, shift = divmod(start, WORD)
    low = fn.right(_word(fn, bits, index), shift)
    return fn.either(low, fn.left(_word(fn, bits, index + 1), WORD - shift)) if shift else low


def _word(fn: Function, bits: Value, index: int) -> Word:
    if index >= bits.layout.size:
        return 0
    return bits.raw if bits.layout.small else fn.load(fn.offset(bits.address, index))


def is_variant(expr: Expr, name: str) -> str | None:
    """The record that an expression narrows the local `name` to; None for other expressions."""
    match expr:
        case Apply(type=RecordType(record, _), op=Op.NARROW, args=(Local(UnionType(), local),)):
            return record if local == name else None
    return None

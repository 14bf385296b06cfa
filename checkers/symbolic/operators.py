"""The strict operators of the IR on values of formulas: all their arguments have been evaluated."""

from __future__ import annotations

from collections.abc import Callable

import z3

from ...language.ir.nodes import Apply, Op, TrapKind
from ...language.ir.types import (
    BagType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from . import bits, collections, compare, numbers, sequences
from .bits import Bit
from .numbers import Num
from .shapes import (
    Collection,
    Dense,
    DenseBag,
    Option,
    Record,
    Sequence,
    Sparse,
    SparseBag,
    Symbolic,
    Table,
    Union,
)
from .types import Types, of_variant

Note = Callable[[TrapKind, Apply, Bit], None]
"""Notes a trap at a node, run into where a condition holds."""


class Operators:
    """Applies operators; what has no value is handed to `note`."""

    def __init__(self, types: Types, note: Note) -> None:
        self.types = types
        self._note = note

    def apply(self, expr: Apply, args: list[Symbolic]) -> Symbolic:
        """The value of an operator applied."""
        if expr.op in _NUMERIC:
            return _NUMERIC[expr.op](*(_number(arg) for arg in args))
        match expr.op:
            case Op.NOT:
                return bits.negation(as_bit(args[0]))
            case Op.EQ:
                return compare.equal(args[0], args[1])
            case Op.LT:
                return compare.less(args[0], args[1])
            case Op.LE:
                return bits.negation(compare.less(args[1], args[0]))
            case Op.FLOORDIV | Op.MOD:
                first, second = _number(args[0]), _number(args[1])
                self._note(TrapKind.DIVISION, expr, numbers.equal(second, numbers.known(0)))
                apply = numbers.quotient if expr.op is Op.FLOORDIV else numbers.modulo
                return apply(first, second)
            case Op.FIELD | Op.IS | Op.NARROW | Op.IS_NONE | Op.COERCE | Op.RECORD:
                return self._on_value(expr, args)
            case Op.GET | Op.WITH | Op.EACH:
                return self._on_map(expr, args)
            case Op.SEQ | Op.AT | Op.TAKE | Op.DROP | Op.CONCAT:
                return self._on_sequence(expr, args)
        return self._on_collection(expr, args)

    def _on_value(self, expr: Apply, args: list[Symbolic]) -> Symbolic:
        source, value = expr.args[0].type if expr.args else None, args[0] if args else None
        match expr.op, value:
            case Op.RECORD, _:
                return Record(tuple(args))
            case Op.FIELD, Record(fields):
                assert isinstance(source, RecordType)
                names = [name for name, _ in source.fields]
                return fields[names.index(expr.name)]
            case Op.IS, Union(tag):
                assert isinstance(source, UnionType)
                position = source.tag(expr.name)
                assert position is not None
                return numbers.equal(tag, numbers.known(position))
            case Op.IS_NONE, Option(present):
                return bits.negation(present)
            case Op.NARROW, Option(present, inner):
                self._note(TrapKind.NARROW, expr, bits.negation(present))
                return self.anything(expr.type) if inner is None else inner
            case Op.NARROW, Union(tag, variants):
                assert isinstance(source, UnionType)
                assert isinstance(expr.type, RecordType)
                position = source.tag(expr.type.name)
                assert position is not None
                is_it = numbers.equal(tag, numbers.known(position))
                self._note(TrapKind.NARROW, expr, bits.negation(is_it))
                record = variants[position]
                return self.anything(expr.type) if record is None else record
        assert expr.op is Op.COERCE
        assert source is not None
        assert value is not None
        coerced, fits = self.coerced(value, source, expr.type)
        self._note(TrapKind.BOUND, expr, bits.negation(fits))
        return coerced

    def anything(self, kind: Type) -> Symbolic:
        """Some value of a type, where none is ever looked at: after a certain trap."""
        value, _ = self.types.fresh(kind, "nothing")
        return value

    def coerced(self, value: Symbolic, source: Type, target: Type) -> tuple[Symbolic, Bit]:
        """A value of type `source` as one of type `target`, and whether it is one."""
        match source, target:
            case _ if source == target:
                return value, True
            case IntType(), IntType(low, high):
                number = _number(value)
                return self._bounded(number, low, high)
            case OptionType(inner), OptionType(wanted):
                assert isinstance(value, Option)
                if value.inner is None:
                    return value, True
                content, fits = self.coerced(value.inner, inner, wanted)
                return Option(value.present, content), bits.implies(value.present, fits)
            case _, OptionType(wanted):
                content, fits = self.coerced(value, source, wanted)
                return Option(True, content), fits
            case RecordType(name), UnionType(variants):
                assert isinstance(value, Record)
                tag = target.tag(name)
                assert tag is not None
                return of_variant(value, tag, len(variants)), True
            case UnionType(), UnionType():
                assert isinstance(value, Union)
                return _revariant(value, source, target)
            case MapType(_, inner), MapType(_, wanted):
                assert isinstance(value, Table)
                made = [self.coerced(v, inner, wanted) for v in value.values]
                return Table(value.domain, tuple(v for v, _ in made)), bits.every(
                    f for _, f in made
                )
        return self._coerced_collection(value, source, target)

    def _bounded(self, number: Num, low: int, high: int) -> tuple[Num, Bit]:
        fits = numbers.within(number, low, high)
        if fits is False:
            return numbers.known(low), False
        return numbers.narrowed(number, low, high), fits

    def _coerced_collection(
        self, value: Symbolic, source: Type, target: Type
    ) -> tuple[Symbolic, Bit]:
        match source, target:
            case SeqType(inner), SeqType(wanted, limit):
                assert isinstance(value, Sequence)
                made = [self.coerced(item, inner, wanted) for item in value.items]
                fine = [numbers.no_more(value.length, numbers.known(limit))]
                for position, (_, fits) in enumerate(made):
                    there = numbers.less(numbers.known(position), value.length)
                    fine.append(bits.implies(there, fits))
                length = numbers.narrowed(value.length, 0, limit)
                return Sequence(length, tuple(v for v, _ in made[:limit])), bits.every(fine)
            case SetType(inner), SetType(wanted, capacity):
                found = collections.empty(target, self.types)
                fine = []
                for there, element in collections.items(as_collection(value)):
                    item, fits = self.coerced(element, inner, wanted)
                    fine.append(bits.implies(there, fits))
                    found = collections.added(found, item, bits.both(there, fits))
                return self.capped(found, capacity, fine)
            case BagType(inner), BagType(wanted, copies, capacity):
                found = collections.empty(target, self.types)
                fine = []
                for there, element in collections.items(as_collection(value)):
                    item, fits = self.coerced(element, inner, wanted)
                    number = collections.count(value, element)
                    few = numbers.no_more(number, numbers.known(copies))
                    fine.append(bits.implies(there, bits.both(fits, few)))
                    found = collections.with_copies(found, item, there, number)
                return self.capped(found, capacity, fine)
        raise AssertionError(f"no coercion from {source!r} to {target!r}")

    def capped(
        self, found: Symbolic, capacity: int | None, fine: list[Bit]
    ) -> tuple[Symbolic, Bit]:
        """A set or bag cut to a capacity, and whether it was within it and all was fine before."""
        if capacity is None:
            return found, bits.every(fine)
        distinct = collections.distinct(as_collection(found))
        few = numbers.no_more(distinct, numbers.known(capacity))
        return collections.cut(found, capacity), bits.every((*fine, few))

    def _on_map(self, expr: Apply, args: list[Symbolic]) -> Symbolic:
        if expr.op is Op.EACH:
            assert isinstance(expr.type, MapType)
            domain = self.types.domain(expr.type.key)
            return Table(domain, tuple(args[0] for _ in domain.values))
        table = args[0]
        assert isinstance(table, Table)
        if expr.op is Op.GET:
            return looked_up(table, args[1])
        return with_value(table, args[1], args[2])

    def _on_sequence(self, expr: Apply, args: list[Symbolic]) -> Symbolic:
        if expr.op is Op.SEQ:
            return Sequence(numbers.known(len(args)), tuple(args))
        first = args[0]
        assert isinstance(first, Sequence)
        if expr.op is Op.CONCAT:
            assert isinstance(args[1], Sequence)
            return sequences.joined(first, args[1])
        index = _number(args[1])
        if expr.op is Op.TAKE:
            return sequences.take(first, index)
        if expr.op is Op.DROP:
            return sequences.drop(first, index)
        position, inside = sequences.place(first, index)
        self._note(TrapKind.INDEX, expr, bits.negation(inside))
        found = sequences.at(first, position)
        return self.anything(expr.type) if found is None else found

    def _on_collection(self, expr: Apply, args: list[Symbolic]) -> Symbolic:
        kind = expr.type
        match expr.op:
            case Op.SET | Op.BAG:
                assert isinstance(kind, SetType | BagType)
                there = [(True, arg) for arg in args]
                return collections.of_items(kind, there, self.types)
            case Op.RANGE:
                assert isinstance(kind, SetType)
                return self._range(kind, _number(args[0]), _number(args[1]))
            case Op.CONTAINS:
                return collections.contains(as_collection(args[0]), args[1])
            case Op.SIZE:
                return collections.size(as_collection(args[0]))
            case Op.QUORUM:
                part, whole = (collections.size(as_collection(arg)) for arg in args)
                return numbers.less(whole, numbers.times(numbers.known(2), part))
            case Op.COUNT:
                return collections.count(args[0], args[1])
            case Op.SUBSET:
                return collections.subset(as_collection(args[0]), as_collection(args[1]))
        assert isinstance(kind, SetType)
        first = collections.in_form(as_collection(args[0]), kind, self.types)
        second = as_collection(args[1])
        if expr.op is Op.UNION:
            return collections.united(first, second)
        return collections.kept_if(first, second, inside=expr.op is Op.INTERSECTION)

    def _range(self, kind: SetType, first: Num, last: Num) -> Symbolic:
        there = []
        for number in range(first.low, last.high):
            value = numbers.known(number)
            inside = bits.both(numbers.no_more(first, value), numbers.less(value, last))
            there.append((inside, value))
        return collections.of_items(kind, there, self.types)


def looked_up(table: Table, key: Symbolic) -> Symbolic:
    """The value of a map at a key."""
    found: Symbolic | None = None
    for constant, value in zip(table.domain.constants, table.values, strict=True):
        is_it = compare.equal(constant, key)
        if is_it is True:
            return value
        if is_it is not False:
            found = value if found is None else compare.chosen(is_it, value, found)
    assert found is not None, "a key is a value of the key type"
    return found


def with_value(table: Table, key: Symbolic, new: Symbolic) -> Table:
    """A map with another value at a key."""
    pairs = zip(table.domain.constants, table.values, strict=True)
    values = (compare.chosen(compare.equal(k, key), new, value) for k, value in pairs)
    return Table(table.domain, tuple(values))


def _revariant(value: Union, source: UnionType, target: UnionType) -> tuple[Union, Bit]:
    """A value of a union as one of another union."""
    variants: list[Record | None] = [None] * len(target.variants)
    tag: Num | None = None
    fine: list[Bit] = []
    for position, (variant, record) in enumerate(zip(source.variants, value.variants, strict=True)):
        is_it = numbers.equal(value.tag, numbers.known(position))
        place = target.tag(variant.name)
        if place is not None and record is not None and is_it is not False:
            variants[place] = record
            fine.append(is_it)
            number = numbers.known(place)
            tag = number if tag is None else numbers.chosen(is_it, number, tag)
    return Union(tag or numbers.known(0), tuple(variants)), bits.some(fine)


def as_collection(value: Symbolic) -> Collection:
    """A value that is a collection."""
    assert isinstance(value, Dense | Sparse | DenseBag | SparseBag | Sequence)
    return value


def as_bit(value: Symbolic) -> Bit:
    """A value that is true or false."""
    assert isinstance(value, bool | z3.BoolRef)
    return value


def _number(value: Symbolic) -> Num:
    assert isinstance(value, Num)
    return value


def _smaller(first: Num, second: Num) -> Num:
    found = numbers.chosen(numbers.less(second, first), second, first)
    return numbers.narrowed(found, found.low, min(first.high, second.high))


def _larger(first: Num, second: Num) -> Num:
    found = numbers.chosen(numbers.less(first, second), second, first)
    return numbers.narrowed(found, max(first.low, second.low), found.high)


_NUMERIC: dict[Op, Callable[..., Num]] = {
    Op.ADD: numbers.plus,
    Op.SUB: numbers.minus,
    Op.MUL: numbers.times,
    Op.NEG: numbers.negated,
    Op.MIN: _smaller,
    Op.MAX: _larger,
}

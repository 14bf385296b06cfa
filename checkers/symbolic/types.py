"""From types and frozen values to formulas, and from a model of a formula back to values."""

from __future__ import annotations

import z3

from ...language.domains import values_of
from ...language.failures import UsageError
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
from ...language.values import FrozenBag, FrozenMap, Universe, Value, order_key
from . import bits, compare, numbers
from .bits import Bit
from .numbers import Num
from .shapes import (
    LARGEST,
    Dense,
    DenseBag,
    Domain,
    Option,
    Record,
    Sequence,
    Slot,
    Sparse,
    SparseBag,
    Symbolic,
    Table,
    Union,
    is_dense,
)


class Types:
    """What depends on a type and on the names of an instance: domains, constants, unknowns."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self._domains: dict[Type, Domain] = {}

    def domain(self, kind: Type) -> Domain:
        """The values of a type; raises UsageError where there are too many."""
        if kind not in self._domains:
            if cardinality(kind) > LARGEST:
                raise UsageError(
                    f"a collection over {cardinality(kind):,} possible elements or keys is too"
                    f" large for a formula (at most {LARGEST:,}): bound it"
                )
            values = tuple(values_of(kind, self.universe))
            constants = tuple(self.constant(value, kind) for value in values)
            positions = {value: position for position, value in enumerate(values)}
            self._domains[kind] = Domain(values, constants, positions)
        return self._domains[kind]

    def constant(self, value: Value, kind: Type) -> Symbolic:
        """A frozen value of a type in a formula."""
        match kind:
            case BoolType():
                return bool(value)
            case IntType():
                return numbers.known(value)
            case EnumType():
                return numbers.known(kind.members.index(value.name))
            case NodeType():
                return numbers.known(value.index)
            case OptionType(inner):
                return Option(
                    value is not None, self.constant(value, inner) if value is not None else None
                )
            case RecordType(_, fields):
                return Record(tuple(self.constant(getattr(value, n), k) for n, k in fields))
            case UnionType(variants):
                tag = kind.tag(type(value).__name__)
                assert tag is not None, f"{value!r} is of no variant"
                record = self.constant(value, variants[tag])
                assert isinstance(record, Record)
                return of_variant(record, tag, len(variants))
            case MapType(key, inner):
                domain = self.domain(key)
                return Table(domain, tuple(self.constant(value[k], inner) for k in domain.values))
            case SeqType(element):
                items = tuple(self.constant(item, element) for item in value)
                return Sequence(numbers.known(len(items)), items)
        return self._constant_collection(value, kind)

    def _constant_collection(self, value: Value, kind: Type) -> Symbolic:
        match kind:
            case SetType(element) if is_dense(kind):
                domain = self.domain(element)
                return Dense(domain, tuple(item in value for item in domain.values))
            case SetType(element):
                ordered = sorted(value, key=order_key)
                return Sparse(tuple(Slot(True, self.constant(item, element)) for item in ordered))
            case BagType(element) if is_dense(kind):
                domain = self.domain(element)
                copies = (numbers.known(value.get(item, 0)) for item in domain.values)
                return DenseBag(domain, tuple(copies))
            case BagType(element):
                ordered = sorted(value, key=order_key)
                return SparseBag(
                    tuple(
                        Slot(True, self.constant(item, element), numbers.known(value[item]))
                        for item in ordered
                    )
                )
        raise AssertionError(f"not a type: {kind!r}")

    def fresh(self, kind: Type, name: str) -> tuple[Symbolic, Bit]:
        """An unknown of a type, and the condition that it is a value of the type."""
        match kind:
            case BoolType():
                return bits.fresh_bit(name), True
            case IntType(low, high):
                return numbers.fresh(name, low, high)
            case EnumType() | NodeType():
                return numbers.fresh(name, 0, cardinality(kind) - 1)
            case OptionType(inner):
                value, fits = self.fresh(inner, f"{name}.value")
                present = bits.fresh_bit(f"{name}.present")
                return Option(present, value), bits.implies(present, fits)
            case RecordType(_, fields):
                made = [self.fresh(field, f"{name}.{label}") for label, field in fields]
                return Record(tuple(value for value, _ in made)), bits.every(f for _, f in made)
            case UnionType(variants):
                return self._fresh_union(variants, name)
            case MapType(key, inner):
                domain = self.domain(key)
                made = [self.fresh(inner, f"{name}[{key!r}]") for key in domain.values]
                return Table(domain, tuple(v for v, _ in made)), bits.every(f for _, f in made)
            case SeqType(element, capacity):
                length, fits = numbers.fresh(f"{name}.length", 0, capacity)
                made = [self.fresh(element, f"{name}[{i}]") for i in range(capacity)]
                used = (
                    bits.implies(numbers.less(numbers.known(i), length), fine)
                    for i, (_, fine) in enumerate(made)
                )
                return Sequence(length, tuple(v for v, _ in made)), bits.every((fits, *used))
        return self._fresh_collection(kind, name)

    def _fresh_union(self, variants: tuple[RecordType, ...], name: str) -> tuple[Union, Bit]:
        tag, fits = numbers.fresh(f"{name}.variant", 0, len(variants) - 1)
        records, fine = [], [fits]
        for position, variant in enumerate(variants):
            record, inside = self.fresh(variant, f"{name}.{variant.name}")
            assert isinstance(record, Record)
            records.append(record)
            is_it = numbers.equal(tag, numbers.known(position))
            fine.append(bits.implies(is_it, inside))
        return Union(tag, tuple(records)), bits.every(fine)

    def _fresh_collection(self, kind: Type, name: str) -> tuple[Symbolic, Bit]:
        match kind:
            case SetType(element, capacity) if is_dense(kind):
                domain = self.domain(element)
                members = tuple(bits.fresh_bit(f"{name}[{value!r}]") for value in domain.values)
                return Dense(domain, members), _few(members, capacity)
            case BagType(element, copies, capacity) if is_dense(kind):
                domain = self.domain(element)
                made = [numbers.fresh(f"{name}[{v!r}]", 0, copies) for v in domain.values]
                counts = tuple(count for count, _ in made)
                there = [numbers.less(numbers.known(0), count) for count in counts]
                return DenseBag(domain, counts), bits.every(
                    (*(fits for _, fits in made), _few(there, capacity))
                )
            case SetType(element, capacity):
                slots, fits = self._fresh_slots(element, _slots(kind, capacity), 1, name)
                return Sparse(slots), fits
            case BagType(element, copies, capacity):
                slots, fits = self._fresh_slots(element, _slots(kind, capacity), copies, name)
                return SparseBag(slots), fits
        raise AssertionError(f"not a type: {kind!r}")

    def _fresh_slots(
        self, element: Type, count: int, copies: int, name: str
    ) -> tuple[tuple[Slot, ...], Bit]:
        """Slots that are filled from the first on, in ascending order."""
        slots: list[Slot] = []
        fine: list[Bit] = []
        for position in range(count):
            value, fits = self.fresh(element, f"{name}[{position}]")
            present = bits.fresh_bit(f"{name}[{position}].present")
            number, few = numbers.fresh(f"{name}[{position}].copies", 1, copies)
            fine.append(bits.implies(present, bits.both(fits, few)))
            if slots:
                before = slots[-1]
                ascending = compare.less(before.element, value)
                fine.append(bits.implies(present, bits.both(before.present, ascending)))
            slots.append(Slot(present, value, number))
        return tuple(slots), bits.every(fine)

    def read(self, value: Symbolic, kind: Type, model: z3.ModelRef) -> Value:
        """The frozen value that something of a type has in a model."""
        match kind, value:
            case BoolType(), _:
                return _bit(value, model)
            case IntType(), Num():
                return _number(value, model)
            case EnumType(name, members), Num():
                return self.universe.enums[name][members[_number(value, model)]]
            case NodeType(sort), Num():
                return self.universe.nodes[sort.name][_number(value, model)]
            case OptionType(inner), Option(present, content):
                if not _bit(present, model):
                    return None
                assert content is not None
                return self.read(content, inner, model)
            case RecordType(name, fields), Record(parts):
                values = [self.read(p, k, model) for p, (_, k) in zip(parts, fields, strict=True)]
                return self.universe.records[name](*values)
            case UnionType(variants), Union(tag, records):
                position = _number(tag, model)
                record = records[position]
                assert record is not None
                return self.read(record, variants[position], model)
            case MapType(_, inner), Table(domain, parts):
                pairs = zip(domain.values, parts, strict=True)
                return FrozenMap((k, self.read(v, inner, model)) for k, v in pairs)
            case SeqType(element), Sequence(length, items):
                there = items[: _number(length, model)]
                return tuple(self.read(item, element, model) for item in there)
        return self._read_collection(value, kind, model)

    def _read_collection(self, value: Symbolic, kind: Type, model: z3.ModelRef) -> Value:
        match kind, value:
            case SetType(), Dense(domain, members):
                pairs = zip(domain.values, members, strict=True)
                return frozenset(item for item, member in pairs if _bit(member, model))
            case SetType(element), Sparse(slots):
                there = [slot for slot in slots if _bit(slot.present, model)]
                return frozenset(self.read(slot.element, element, model) for slot in there)
            case BagType(), DenseBag(domain, copies):
                counts = [_number(count, model) for count in copies]
                pairs = zip(domain.values, counts, strict=True)
                return FrozenBag((item, count) for item, count in pairs if count)
            case BagType(element), SparseBag(slots):
                there = [slot for slot in slots if _bit(slot.present, model)]
                return FrozenBag(
                    (self.read(slot.element, element, model), _number(slot.copies, model))
                    for slot in there
                )
        raise AssertionError(f"{value!r} is nothing of the type {kind!r}")


def of_variant(record: Record, tag: int, count: int) -> Union:
    """A record as a value of a union of `count` variants."""
    variants = tuple(record if i == tag else None for i in range(count))
    return Union(numbers.known(tag), variants)


def _slots(kind: SetType | BagType, capacity: int | None) -> int:
    if capacity is None:
        raise UsageError(
            f"a collection over {cardinality(kind.element):,} possible elements without a capacity"
            f" is too large for a formula (at most {LARGEST:,}): bound it"
        )
    return capacity


def _few(members: tuple[Bit, ...] | list[Bit], capacity: int | None) -> Bit:
    if capacity is None or capacity >= len(members):
        return True
    count = numbers.total([numbers.of_bit(member) for member in members])
    return numbers.no_more(count, numbers.known(capacity))


def _bit(bit: Symbolic, model: z3.ModelRef) -> bool:
    if isinstance(bit, bool):
        return bit
    assert isinstance(bit, z3.BoolRef)
    return bool(z3.is_true(model.eval(bit, model_completion=True)))


def _number(number: Num, model: z3.ModelRef) -> int:
    if isinstance(number.term, int):
        return number.term
    found = model.eval(number.term, model_completion=True)
    return int(found.as_signed_long() if number.low < 0 else found.as_long())

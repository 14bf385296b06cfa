"""Values of formulas compared and merged, whatever their type."""

from __future__ import annotations

from collections.abc import Sequence as Items

import z3

from . import bits, numbers
from .bits import Bit
from .numbers import Num
from .shapes import (
    Dense,
    DenseBag,
    Option,
    Record,
    Sequence,
    Slot,
    Sparse,
    SparseBag,
    Symbolic,
    Table,
    Union,
)


def equal(first: Symbolic, second: Symbolic) -> Bit:
    """Whether two values of one type are the same."""
    if first is second:
        return True
    match first, second:
        case Num(), Num():
            return numbers.equal(first, second)
        case Option(there, one), Option(also, other):
            if one is None or other is None:
                return bits.negation(bits.either(there, also))
            inside = bits.implies(there, equal(one, other)) if there is not False else True
            return bits.both(bits.same(there, also), inside)
        case Record(fields), Record(others):
            return _all_equal(fields, others)
        case Union(tag, records), Union(other_tag, other_records):
            parts: list[Bit] = [numbers.equal(tag, other_tag)]
            for position, (one, other) in enumerate(zip(records, other_records, strict=True)):
                if one is not None and other is not None and parts[0] is not False:
                    is_it = numbers.equal(tag, numbers.known(position))
                    parts.append(bits.implies(is_it, equal(one, other)))
            return bits.every(parts)
        case Table(_, values), Table(_, others):
            return _all_equal(values, others)
        case Sequence(length, items), Sequence(other_length, others):
            parts = [numbers.equal(length, other_length)]
            for position, (one, other) in enumerate(zip(items, others, strict=False)):
                there = numbers.less(numbers.known(position), length)
                if there is not False and parts[0] is not False:
                    parts.append(bits.implies(there, equal(one, other)))
            return bits.every(parts)
    return _equal_collections(first, second)


def _equal_collections(first: Symbolic, second: Symbolic) -> Bit:
    match first, second:
        case Dense(_, members), Dense(_, others):
            return bits.every(bits.same(a, b) for a, b in zip(members, others, strict=True))
        case DenseBag(_, copies), DenseBag(_, others):
            return _all_equal(copies, others)
        case (Sparse(slots), Sparse(others)) | (SparseBag(slots), SparseBag(others)):
            return _equal_slots(slots, others)
    if isinstance(first, bool | z3.BoolRef) and isinstance(second, bool | z3.BoolRef):
        return bits.same(first, second)
    raise AssertionError(f"not values of one type: {first!r}, {second!r}")


def _all_equal(first: Items[Symbolic], second: Items[Symbolic]) -> Bit:
    found: list[Bit] = []
    for one, other in zip(first, second, strict=True):
        found.append(equal(one, other))
        if found[-1] is False:
            return False
    return bits.every(found)


def _equal_slots(first: tuple[Slot, ...], second: tuple[Slot, ...]) -> Bit:
    """Both sorted, so slot by slot; the longer one must have nothing more."""
    parts: list[Bit] = []
    for one, other in zip(first, second, strict=False):
        there = bits.same(one.present, other.present)
        alike = bits.both(
            equal(one.element, other.element), numbers.equal(one.copies, other.copies)
        )
        parts.append(bits.both(there, bits.implies(one.present, alike)))
    shorter = min(len(first), len(second))
    parts += [bits.negation(slot.present) for slot in (*first[shorter:], *second[shorter:])]
    return bits.every(parts)


def less(first: Symbolic, second: Symbolic) -> Bit:
    """Whether the first comes before the second in the canonical order (`values.order_key`)."""
    match first, second:
        case Num(), Num():
            return numbers.less(first, second)
        case Option(there, one), Option(also, other):
            if one is None or other is None:
                return bits.both(bits.negation(there), also)
            below = bits.implies(there, less(one, other))
            return bits.both(also, below)
        case Record(fields), Record(others):
            return _less_in_order(fields, others)
        case Union(tag, records), Union(other_tag, other_records):
            parts: list[Bit] = [numbers.less(tag, other_tag)]
            same_tag = numbers.equal(tag, other_tag)
            for position, (one, other) in enumerate(zip(records, other_records, strict=True)):
                if one is not None and other is not None and same_tag is not False:
                    is_it = numbers.equal(tag, numbers.known(position))
                    parts.append(bits.every((same_tag, is_it, less(one, other))))
            return bits.some(parts)
        case Table(_, values), Table(_, others):
            return _less_in_order(values, others)
        case Sequence(length, items), Sequence(other_length, others):
            shorter = numbers.less(length, other_length)
            same_length = numbers.equal(length, other_length)
            return bits.either(shorter, bits.both(same_length, _less_items(length, items, others)))
    return _less_collections(first, second)


def _less_in_order(first: Items[Symbolic], second: Items[Symbolic]) -> Bit:
    """Lexicographically, the first most significant."""
    found: Bit = False
    for one, other in reversed(list(zip(first, second, strict=True))):
        found = bits.either(less(one, other), bits.both(equal(one, other), found))
    return found


def _less_items(length: Num, first: Items[Symbolic], second: Items[Symbolic]) -> Bit:
    """The same for sequences of one length: past it, nothing is less."""
    found: Bit = False
    for position, (one, other) in reversed(list(enumerate(zip(first, second, strict=False)))):
        there = numbers.less(numbers.known(position), length)
        if there is not False:
            here = bits.either(less(one, other), bits.both(equal(one, other), found))
            found = bits.both(there, here)
    return found


def _less_collections(first: Symbolic, second: Symbolic) -> Bit:
    match first, second:
        case Dense(_, members), Dense(_, others):
            return _less_in_order(members[::-1], others[::-1])
        case DenseBag(_, copies), DenseBag(_, others):
            return _less_in_order(copies[::-1], others[::-1])
        case (Sparse(slots), Sparse(others)) | (SparseBag(slots), SparseBag(others)):
            return _less_slots(slots, others)
    if isinstance(first, bool | z3.BoolRef) and isinstance(second, bool | z3.BoolRef):
        return bits.both(bits.negation(first), second)
    raise AssertionError(f"not values of one type: {first!r}, {second!r}")


def _less_slots(first: tuple[Slot, ...], second: tuple[Slot, ...]) -> Bit:
    """At the largest element of which there are not as many in both, the second has more."""
    found: list[Bit] = []
    for place, slot in enumerate(second):
        more = numbers.less(_copies(first, slot.element), slot.copies)
        found.append(
            bits.every(
                (
                    slot.present,
                    more,
                    *(_alike_above(first, slot, one, second) for one in first),
                    *(
                        bits.implies(one.present, _as_many(first, one))
                        for one in second[place + 1 :]
                    ),
                )
            )
        )
    return bits.some(found)


def _alike_above(first: tuple[Slot, ...], slot: Slot, one: Slot, second: tuple[Slot, ...]) -> Bit:
    """An element of the first that is above the slot's is in the second as often."""
    above = bits.both(one.present, less(slot.element, one.element))
    return bits.implies(above, _as_many(second, one))


def _as_many(slots: tuple[Slot, ...], one: Slot) -> Bit:
    return numbers.equal(_copies(slots, one.element), one.copies)


def _copies(slots: tuple[Slot, ...], element: Symbolic) -> Num:
    count = numbers.known(0)
    for slot in slots:
        is_it = bits.both(slot.present, equal(slot.element, element))
        count = numbers.chosen(is_it, slot.copies, count)
    return count


def chosen(condition: Bit, then: Symbolic, otherwise: Symbolic) -> Symbolic:
    """`then` where the condition holds, else `otherwise`; both of one type."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if then is otherwise:
        return then
    match then, otherwise:
        case Num(), Num():
            return numbers.chosen(condition, then, otherwise)
        case Option(there, one), Option(also, other):
            present = bits.chosen(condition, there, also)
            return Option(present, _chosen_part(condition, one, other))
        case Record(), Record():
            return _chosen_record(condition, then, otherwise)
        case Union(tag, records), Union(other_tag, others):
            pairs = zip(records, others, strict=True)
            merged = tuple(_chosen_variant(condition, a, b) for a, b in pairs)
            return Union(numbers.chosen(condition, tag, other_tag), merged)
        case Table(domain, values), Table(_, others):
            return Table(domain, _chosen_all(condition, values, others))
        case Sequence(length, items), Sequence(other_length, others):
            common = min(len(items), len(others))
            merged_items = _chosen_all(condition, items[:common], others[:common])
            rest = (*items[common:], *others[common:])
            return Sequence(numbers.chosen(condition, length, other_length), (*merged_items, *rest))
    return _chosen_collection(condition, then, otherwise)


def _chosen_collection(condition: Bit, then: Symbolic, otherwise: Symbolic) -> Symbolic:
    match then, otherwise:
        case Dense(domain, members), Dense(_, others):
            pairs = zip(members, others, strict=True)
            return Dense(domain, tuple(bits.chosen(condition, a, b) for a, b in pairs))
        case DenseBag(domain, copies), DenseBag(_, others):
            counts = zip(copies, others, strict=True)
            return DenseBag(domain, tuple(numbers.chosen(condition, a, b) for a, b in counts))
        case Sparse(slots), Sparse(others):
            return Sparse(_chosen_slots(condition, slots, others))
        case SparseBag(slots), SparseBag(others):
            return SparseBag(_chosen_slots(condition, slots, others))
    if isinstance(then, bool | z3.BoolRef) and isinstance(otherwise, bool | z3.BoolRef):
        return bits.chosen(condition, then, otherwise)
    raise AssertionError(f"not values of one type: {then!r}, {otherwise!r}")


def _chosen_part(
    condition: Bit, then: Symbolic | None, otherwise: Symbolic | None
) -> Symbolic | None:
    if then is None or otherwise is None:
        return otherwise if then is None else then
    return chosen(condition, then, otherwise)


def _chosen_record(condition: Bit, then: Record, otherwise: Record) -> Record:
    return Record(_chosen_all(condition, then.fields, otherwise.fields))


def _chosen_variant(condition: Bit, then: Record | None, otherwise: Record | None) -> Record | None:
    if then is None or otherwise is None:
        return otherwise if then is None else then
    return _chosen_record(condition, then, otherwise)


def _chosen_all(
    condition: Bit, then: Items[Symbolic], otherwise: Items[Symbolic]
) -> tuple[Symbolic, ...]:
    return tuple(chosen(condition, a, b) for a, b in zip(then, otherwise, strict=True))


def _chosen_slots(
    condition: Bit, then: tuple[Slot, ...], otherwise: tuple[Slot, ...]
) -> tuple[Slot, ...]:
    """Slot by slot; where one has fewer, what is more is there only if that one is chosen."""
    common = min(len(then), len(otherwise))
    merged = [
        chosen_slot(condition, a, b) for a, b in zip(then[:common], otherwise[:common], strict=True)
    ]
    opposite = bits.negation(condition)
    merged += [_only_if(condition, slot) for slot in then[common:]]
    merged += [_only_if(opposite, slot) for slot in otherwise[common:]]
    return tuple(merged)


def _only_if(condition: Bit, slot: Slot) -> Slot:
    return Slot(bits.both(condition, slot.present), slot.element, slot.copies)


def chosen_slot(condition: Bit, then: Slot, otherwise: Slot) -> Slot:
    """A slot as the condition says."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    return Slot(
        bits.chosen(condition, then.present, otherwise.present),
        chosen(condition, then.element, otherwise.element),
        numbers.chosen(condition, then.copies, otherwise.copies),
    )

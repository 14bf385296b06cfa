"""Sets and bags of formulas: what their operators mean, however they are written down.

Sparse ones stay sorted: equal sets then have equal slots, and loops meet elements in canonical
order.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...language.ir.types import BagType, SetType
from . import bits, numbers
from .bits import Bit
from .compare import chosen_slot, equal, less
from .numbers import Num
from .shapes import (
    Collection,
    Dense,
    DenseBag,
    Sequence,
    Slot,
    Sparse,
    SparseBag,
    Symbolic,
    is_dense,
)
from .types import Types

Item = tuple[Bit, Symbolic]
"""Something that may be there: whether it is, and what it is."""


def items(collection: Collection) -> list[Item]:
    """What a collection may hold, in the order of iteration; certain absences are left out.

    Distinct elements of sets and bags in canonical order; of a sequence, position by position.
    """
    match collection:
        case Dense(domain, members):
            pairs = zip(members, domain.constants, strict=True)
            return [(member, value) for member, value in pairs if member is not False]
        case DenseBag(domain, copies):
            counts = zip(copies, domain.constants, strict=True)
            found = [(_any_of(count), value) for count, value in counts]
            return [(there, value) for there, value in found if there is not False]
        case Sparse(slots) | SparseBag(slots):
            return [(s.present, s.element) for s in slots if s.present is not False]
        case Sequence(length, values):
            places = ((numbers.less(numbers.known(i), length), v) for i, v in enumerate(values))
            return [(there, value) for there, value in places if there is not False]


def _any_of(count: Num) -> Bit:
    return numbers.less(numbers.known(0), count)


def contains(collection: Collection, element: Symbolic) -> Bit:
    """Whether an element is in a collection."""
    return bits.some(bits.both(there, equal(value, element)) for there, value in items(collection))


def count(bag: Symbolic, element: Symbolic) -> Num:
    """How many copies of an element a bag has."""
    found = numbers.known(0)
    match bag:
        case DenseBag(domain, copies):
            for value, number in zip(domain.constants, copies, strict=True):
                found = numbers.chosen(equal(value, element), number, found)
            return found
        case SparseBag(slots):
            for slot in slots:
                is_it = bits.both(slot.present, equal(slot.element, element))
                found = numbers.chosen(is_it, slot.copies, found)
            return found
    raise AssertionError(f"not a bag: {bag!r}")


def size(collection: Collection) -> Num:
    """How many elements, of a bag with multiplicity."""
    match collection:
        case DenseBag(_, copies):
            return numbers.total(list(copies))
        case SparseBag(slots):
            zero = numbers.known(0)
            return numbers.total([numbers.chosen(s.present, s.copies, zero) for s in slots])
        case Sequence(length):
            return length
    return distinct(collection)


def distinct(collection: Collection) -> Num:
    """How many different elements a set or bag has."""
    return numbers.total([numbers.of_bit(there) for there, _ in items(collection)])


def empty(kind: SetType | BagType, types: Types) -> Dense | Sparse | DenseBag | SparseBag:
    """No elements, in the form of the type."""
    if isinstance(kind, SetType):
        if not is_dense(kind):
            return Sparse(())
        domain = types.domain(kind.element)
        return Dense(domain, (False,) * len(domain.values))
    if not is_dense(kind):
        return SparseBag(())
    domain = types.domain(kind.element)
    return DenseBag(domain, (numbers.known(0),) * len(domain.values))


def of_items(
    kind: SetType | BagType, elements: Iterable[Item], types: Types
) -> Dense | Sparse | DenseBag | SparseBag:
    """The set or bag of what is there, in the form of the type."""
    found = empty(kind, types)
    for there, element in elements:
        found = added(found, element, there)
    return found


def in_form(
    collection: Collection, kind: SetType | BagType, types: Types
) -> Dense | Sparse | DenseBag | SparseBag:
    """A set or bag in the form of a type with the same elements; a set is given by anything."""
    match collection:
        case Dense() | DenseBag() if is_dense(kind):
            return collection
        case Sparse() | SparseBag() if not is_dense(kind):
            return collection
        case DenseBag(domain, copies):
            made: Symbolic = SparseBag(())
            for element, number in zip(domain.constants, copies, strict=True):
                made = with_copies(made, element, True, number)
            assert isinstance(made, SparseBag)
            return made
        case SparseBag():
            domain = types.domain(kind.element)
            return DenseBag(domain, tuple(count(collection, v) for v in domain.constants))
    return of_items(kind, items(collection), types)


def with_copies(
    bag: Symbolic, element: Symbolic, there: Bit, number: Num
) -> Dense | Sparse | DenseBag | SparseBag:
    """A bag with so many copies of an element that it does not have yet, where `there`."""
    match bag:
        case DenseBag(domain, copies):
            more = numbers.chosen(there, number, numbers.known(0))
            pairs = zip(domain.constants, copies, strict=True)
            return DenseBag(
                domain, tuple(numbers.chosen(equal(v, element), more, n) for v, n in pairs)
            )
        case SparseBag(slots):
            new = Slot(bits.both(there, _any_of(number)), element, number)
            return SparseBag(_inserted(slots, new))
    raise AssertionError(f"not a bag: {bag!r}")


def added(
    collection: Symbolic, element: Symbolic, there: Bit = True
) -> Dense | Sparse | DenseBag | SparseBag:
    """With one more element, where `there`; of a bag, with one more copy."""
    match collection:
        case Dense(domain, members):
            pairs = zip(members, domain.constants, strict=True)
            return Dense(domain, tuple(_or_equal(m, v, element, there) for m, v in pairs))
        case DenseBag(domain, copies):
            counts = zip(copies, domain.constants, strict=True)
            return DenseBag(
                domain,
                tuple(
                    numbers.plus(n, numbers.of_bit(bits.both(there, equal(v, element))))
                    for n, v in counts
                ),
            )
        case Sparse(slots):
            known = bits.some(bits.both(s.present, equal(s.element, element)) for s in slots)
            new = bits.both(there, bits.negation(known))
            return Sparse(_inserted(slots, Slot(new, element)))
        case SparseBag(slots):
            matches = [bits.both(s.present, equal(s.element, element)) for s in slots]
            new = bits.both(there, bits.negation(bits.some(matches)))
            more = tuple(
                Slot(
                    s.present,
                    s.element,
                    numbers.plus(s.copies, numbers.of_bit(bits.both(there, match))),
                )
                for s, match in zip(slots, matches, strict=True)
            )
            return SparseBag(_inserted(more, Slot(new, element)))
    raise AssertionError(f"not a set or bag: {collection!r}")


def _or_equal(member: Bit, value: Symbolic, element: Symbolic, there: Bit) -> Bit:
    if member is True:
        return True
    return bits.either(member, bits.both(there, equal(value, element)))


def _inserted(slots: tuple[Slot, ...], new: Slot) -> tuple[Slot, ...]:
    """Sorted slots with one more, where it is present; its element is none of theirs."""
    if new.present is False:
        return slots
    before = [bits.both(s.present, less(s.element, new.element)) for s in slots]
    found: list[Slot] = []
    for place in range(len(slots) + 1):
        here = True if place == 0 else before[place - 1]
        shifted = new if place == 0 else chosen_slot(here, new, slots[place - 1])
        if place == len(slots):
            found.append(_only_where(new.present, shifted))
        else:
            stays = bits.either(bits.negation(new.present), before[place])
            found.append(chosen_slot(stays, slots[place], shifted))
    return tuple(slot for slot in found if slot.present is not False)


def _only_where(condition: Bit, slot: Slot) -> Slot:
    return Slot(bits.both(condition, slot.present), slot.element, slot.copies)


def removed(collection: Symbolic, element: Symbolic) -> Dense | Sparse | DenseBag | SparseBag:
    """Without an element; of a bag, with one copy less; unchanged where it is absent."""
    match collection:
        case Dense(domain, members):
            pairs = zip(members, domain.constants, strict=True)
            return Dense(
                domain,
                tuple(bits.both(m, bits.negation(equal(v, element))) for m, v in pairs),
            )
        case DenseBag(domain, copies):
            counts = zip(copies, domain.constants, strict=True)
            return DenseBag(domain, tuple(_one_less(n, equal(v, element)) for n, v in counts))
        case Sparse(slots):
            return Sparse(_kept(slots, [bits.negation(equal(s.element, element)) for s in slots]))
        case SparseBag(slots):
            matches = [equal(s.element, element) for s in slots]
            fewer = tuple(
                Slot(s.present, s.element, _one_less(s.copies, match))
                for s, match in zip(slots, matches, strict=True)
            )
            return SparseBag(_kept(fewer, [_any_of(s.copies) for s in fewer]))
    raise AssertionError(f"not a set or bag: {collection!r}")


def _one_less(number: Num, condition: Bit) -> Num:
    if number.high <= 0:
        return number
    fewer = numbers.minus(number, numbers.known(1))
    least_zero = numbers.chosen(_any_of(number), numbers.narrowed(fewer, 0, fewer.high), number)
    return numbers.narrowed(numbers.chosen(condition, least_zero, number), 0, number.high)


def _kept(slots: tuple[Slot, ...], keep: list[Bit]) -> tuple[Slot, ...]:
    """The slots that are kept, moved together."""
    found: tuple[Slot, ...] = ()
    for slot, stays in zip(slots, keep, strict=True):
        found = _appended(found, _only_where(stays, slot))
    return found


def _appended(slots: tuple[Slot, ...], last: Slot) -> tuple[Slot, ...]:
    """With one more slot, in the first place that is free."""
    if last.present is False:
        return slots
    free: Bit = True  # whether all places before are taken
    found: list[Slot] = []
    for slot in slots:
        here = bits.every((free, bits.negation(slot.present), last.present))
        found.append(chosen_slot(here, last, slot))
        free = bits.both(free, slot.present)
    end = _only_where(free, last)
    return (*found, end) if end.present is not False else tuple(found)


def united(first: Symbolic, second: Collection) -> Dense | Sparse | DenseBag | SparseBag:
    """A set with the elements of another added."""
    if isinstance(first, Dense) and isinstance(second, Dense):
        pairs = zip(first.members, second.members, strict=True)
        return Dense(first.domain, tuple(bits.either(a, b) for a, b in pairs))
    found = first
    for there, element in items(second):
        found = added(found, element, there)
    assert isinstance(found, Dense | Sparse)
    return found


def kept_if(collection: Symbolic, other: Collection, inside: bool) -> Dense | Sparse:
    """The elements of a set that are in another one, or (not `inside`) that are not."""
    match collection:
        case Dense(domain, members):
            pairs = zip(members, domain.constants, strict=True)
            return Dense(
                domain,
                tuple(
                    False if m is False else bits.both(m, _membership(other, v, inside, place))
                    for place, (m, v) in enumerate(pairs)
                ),
            )
        case Sparse(slots):
            keep = [bits.same(contains(other, slot.element), inside) for slot in slots]
            return Sparse(_kept(slots, keep))
    raise AssertionError(f"not a set: {collection!r}")


def _membership(other: Collection, value: Symbolic, inside: bool, place: int) -> Bit:
    there = other.members[place] if isinstance(other, Dense) else contains(other, value)
    return bits.same(there, inside)


def subset(first: Collection, second: Collection) -> Bit:
    """Whether every element of the first set is in the second."""
    if isinstance(first, Dense) and isinstance(second, Dense):
        pairs = zip(first.members, second.members, strict=True)
        return bits.every(bits.implies(a, b) for a, b in pairs)
    return bits.every(bits.implies(t, contains(second, e)) for t, e in items(first))


def cut(collection: Symbolic, capacity: int) -> Symbolic:
    """A sparse collection that is known to have at most so many elements, in so many slots."""
    match collection:
        case Sparse(slots):
            return Sparse(slots[:capacity])
        case SparseBag(slots):
            return SparseBag(slots[:capacity])
    return collection


def limited(bag: Symbolic, most: int) -> Symbolic:
    """A bag that is known to have at most so many copies of each element."""
    match bag:
        case DenseBag(domain, copies):
            return DenseBag(domain, tuple(numbers.narrowed(n, 0, most) for n in copies))
        case SparseBag(slots):
            fewer = (Slot(s.present, s.element, numbers.narrowed(s.copies, 0, most)) for s in slots)
            return SparseBag(tuple(fewer))
    raise AssertionError(f"not a bag: {bag!r}")

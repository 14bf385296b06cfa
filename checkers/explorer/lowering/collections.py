"""Sets and bags, dense and sparse: membership, iteration, change."""

from __future__ import annotations

from collections.abc import Callable

from ....language.ir.types import BagType, IntType, SeqType, SetType
from ..layout import COUNT, KEY, WORD, Array, Bits, Layout, Struct, layout_of
from .access import (
    Place,
    Value,
    argument,
    clear,
    copied,
    decoded,
    item_of,
    item_place,
    length_of,
    parameter,
    part_named,
    part_place,
    put,
    read,
    set_length,
    temporary,
    write,
)
from .order import equal, from_ordinal, less, ordinal
from .text import Bit, Function, Word, mask_of

Refuse = Callable[[], None]
"""Writes the code of a trap, which does not come back."""

FULL = 2
"""What the helpers that insert give where there is no room; 0 where all went well."""


def element_layout(layout: Layout) -> Layout:
    """The layout of the elements of a set, bag or sequence."""
    match layout:
        case Bits(element=element):
            return element
        case Array(kind=BagType(), item=Struct(parts=parts)) if layout.header is not None:
            return parts[KEY].layout
        case Array(kind=BagType(element)):
            return layout_of(element)
        case Array(item=item):
            return item
    raise AssertionError(f"not a collection: {layout.kind}")


def fitted(fn: Function, value: Value, layout: Layout) -> tuple[Bit, Value]:
    """Whether an int is in the range of the layout, and the int (any, where it is not)."""
    if value.layout == layout:
        return True, value
    kind, given = layout.kind, value.layout.kind
    assert isinstance(kind, IntType)
    assert isinstance(given, IntType)
    inside: Bit = True
    if given.low < kind.low:
        inside = fn.compare("sle", kind.low, value.raw)
    if given.high > kind.high:
        inside = fn.both(inside, fn.compare("sle", value.raw, kind.high))
    return inside, Value(layout, fn.select(inside, value.raw, kind.low))


# Membership


def contains(fn: Function, collection: Value, element: Value) -> Bit:
    """Whether the element is in the set, bag or sequence."""
    inside, item = fitted(fn, element, element_layout(collection.layout))
    match collection.layout:
        case Bits():
            return fn.both(inside, _bit(fn, collection, ordinal(fn, item)))
        case Array(kind=SeqType()):
            found = fn.masked(_scan(fn, collection, item), 1)
            return fn.both(inside, fn.compare("ne", found, 0))
        case Array(kind=BagType(), header=None):
            there = fn.compare("ne", item_of(fn, collection, ordinal(fn, item)).raw, 0)
            return fn.both(inside, there)
    found = fn.masked(_search(fn, _address(fn, collection), item, collection.layout), 1)
    return fn.both(inside, fn.compare("ne", found, 0))


def copies_of(fn: Function, bag: Value, element: Value) -> Word:
    """How many copies of the element the bag has."""
    inside, item = fitted(fn, element, element_layout(bag.layout))
    layout = bag.layout
    assert isinstance(layout, Array)
    if layout.header is None:
        return fn.select(inside, item_of(fn, bag, ordinal(fn, item)).raw, 0)
    address = _address(fn, bag)
    found = _search(fn, address, item, layout)
    result = fn.slot()
    fn.store(result, 0)

    def count() -> None:
        entry = item_place(fn, Place(layout, address), fn.right(found, 1))
        fn.store(result, _part(fn, entry, COUNT).raw)

    fn.when(fn.both(inside, fn.compare("ne", fn.masked(found, 1), 0)), count)
    return fn.load(result)


def _bit(fn: Function, bits: Value, position: Word) -> Bit:
    if bits.layout.small:
        word = bits.raw
    else:
        word = fn.load(fn.offset(bits.address, fn.right(position, 6)))
        position = fn.masked(position, WORD - 1)
    return fn.compare("ne", fn.masked(fn.right(word, position), 1), 0)


def _address(fn: Function, value: Value) -> str:
    """The address of a copy of a small value, or of a wide value itself."""
    return copied(fn, value).pointer if value.layout.small else value.address


def _part(fn: Function, entry: Place, name: str) -> Value:
    return read(fn, _part_place(fn, entry, name))


def _part_place(fn: Function, entry: Place, name: str) -> Place:
    assert isinstance(entry.layout, Struct)
    return part_place(fn, entry, entry.layout.parts[name])


def _key_of(fn: Function, sparse: Value, index: Word) -> Value:
    item = item_of(fn, sparse, index)
    return part_named(fn, item, KEY) if isinstance(sparse.layout.kind, BagType) else item


def _search(fn: Function, address: str, element: Value, layout: Layout) -> Word:
    """Position (times 2) of the first element that is not less, plus 1 if it is the element."""
    assert isinstance(layout, Array)

    def make(helper: Function) -> None:
        sparse, wanted = _at(helper, layout, "%at"), Value(element.layout, "%element")
        length = length_of(helper, sparse)

        def body(index: Word, _after: str) -> None:
            key = _key_of(helper, sparse, index)
            position = helper.left(index, 1)

            def stop() -> None:
                helper.give(helper.either(position, helper.word(equal(helper, key, wanted))))

            helper.when(helper.negated(less(helper, key, wanted)), stop)

        helper.count(0, length, body)
        helper.give(helper.left(length, 1))

    return _call(fn, "search", address, element, layout, make)


def _scan(fn: Function, sequence: Value, element: Value) -> Word:
    """1 if the element is in the sequence, else 0."""
    layout = sequence.layout

    def make(helper: Function) -> None:
        items, wanted = _at(helper, layout, "%at"), Value(element.layout, "%element")

        def body(index: Word, _after: str) -> None:
            same = equal(helper, item_of(helper, items, index), wanted)
            helper.when(same, lambda: helper.give(1))

        helper.count(0, length_of(helper, items), body)
        helper.give(0)

    return _call(fn, "scan", _address(fn, sequence), element, layout, make)


def _at(fn: Function, layout: Layout, address: str) -> Value:
    return read(fn, Place(layout, address))


def _call(
    fn: Function,
    name: str,
    address: str,
    element: Value,
    layout: Layout,
    make: Callable[[Function], None],
) -> Word:
    parameters = f"ptr %at, {parameter(element.layout, 'element')}"
    helper = fn.module.helper((name, layout), parameters, "i64", make)
    return fn.call(helper, f"ptr {address}, {argument(element)}")


# Iteration


def iterate(fn: Function, collection: Value, body: Callable[[Value, str], None]) -> None:
    """The body for each element in canonical order; it gets the block after the loop too."""
    match collection.layout:
        case Bits(small=True):
            _iterate_word(fn, collection.layout, collection.raw, 0, body)
        case Bits(words=words):
            bits = collection.layout

            def in_word(index: Word, after: str) -> None:
                word = fn.load(fn.offset(collection.address, index))
                base = fn.left(index, 6)
                _iterate_word(fn, bits, word, base, lambda element, _: body(element, after))

            fn.count(0, words, in_word)
        case Array(kind=BagType()):
            iterate_counts(fn, collection, lambda element, _count, after: body(element, after))
        case Array():
            length = length_of(fn, collection)
            fn.count(0, length, lambda i, after: body(item_of(fn, collection, i), after))
        case _:
            raise AssertionError(f"not a collection: {collection.layout.kind}")


def _iterate_word(
    fn: Function, bits: Bits, word: Word, base: Word, body: Callable[[Value, str], None]
) -> None:
    left = fn.slot()
    fn.store(left, word)

    def inside(after: str) -> None:
        mask = fn.load(left)
        position = fn.add(fn.lowest(mask), base)
        fn.store(left, fn.masked(mask, fn.sub(mask, 1)))
        body(from_ordinal(fn, bits.element, position), after)

    fn.repeat(lambda: fn.compare("ne", fn.load(left), 0), inside)


def iterate_counts(fn: Function, bag: Value, body: Callable[[Value, Word, str], None]) -> None:
    """The body for each distinct element of a bag, with the number of its copies."""
    layout = bag.layout
    assert isinstance(layout, Array)

    def dense(index: Word, after: str) -> None:
        count = item_of(fn, bag, index).raw
        element = element_layout(layout)

        def there() -> None:
            body(from_ordinal(fn, element, index), count, after)

        fn.when(fn.compare("ne", count, 0), there)

    def sparse(index: Word, after: str) -> None:
        entry = item_of(fn, bag, index)
        body(part_named(fn, entry, KEY), part_named(fn, entry, COUNT).raw, after)

    if layout.header is None:
        fn.count(0, layout.count, dense)
    else:
        fn.count(0, length_of(fn, bag), sparse)


def size(fn: Function, collection: Value) -> Word:
    """How many elements; of a bag, with their copies."""
    match collection.layout:
        case Bits(small=True):
            return fn.ones(collection.raw)
        case Bits(words=words):
            total: Word = 0
            for index in range(words):
                word = fn.load(fn.offset(collection.address, index))
                total = fn.add(total, fn.ones(word))
            return total
        case Array(kind=BagType()):
            sum_slot = fn.slot()
            fn.store(sum_slot, 0)

            def tally(_element: Value, count: Word, _after: str) -> None:
                fn.store(sum_slot, fn.add(fn.load(sum_slot), count))

            iterate_counts(fn, collection, tally)
            return fn.load(sum_slot)
    return length_of(fn, collection)


def distinct(fn: Function, collection: Value) -> Word:
    """How many distinct elements a set or bag has."""
    layout = collection.layout
    if not (isinstance(layout, Array) and isinstance(layout.kind, BagType)):
        return size(fn, collection)
    if layout.header is not None:
        return length_of(fn, collection)
    total = fn.slot()
    fn.store(total, 0)
    iterate(fn, collection, lambda _e, _a: fn.store(total, fn.add(fn.load(total), 1)))
    return fn.load(total)


# Change


def insert(fn: Function, place: Place, element: Value, full: Refuse) -> None:
    """Put an element into a set."""
    match place.layout:
        case Bits(kind=SetType(_, capacity), count=count):
            position = ordinal(fn, element)
            if place.layout.small:
                bit = fn.left(1, fn.add(place.shift, position))
                fn.store(place.pointer, fn.either(fn.load(place.pointer), bit))
            else:
                word = fn.offset(place.pointer, fn.right(position, 6))
                bit = fn.left(1, fn.masked(position, WORD - 1))
                fn.store(word, fn.either(fn.load(word), bit))
            if capacity is not None and capacity < count:
                over = fn.compare("slt", capacity, size(fn, read(fn, place)))
                fn.when(over, full)
        case Array() as layout:
            status = _change(fn, "insert", place, element, lambda h: _fill_insert(h, layout))
            fn.when(fn.compare("eq", status, FULL), full)


def remove(fn: Function, place: Place, element: Value) -> Bit:
    """Take an element out of a set; whether it was there."""
    match place.layout:
        case Bits():
            position = ordinal(fn, element)
            there = _bit(fn, read(fn, place), position)
            pointer, shift = place.pointer, fn.add(place.shift, position)
            if not place.layout.small:
                pointer = fn.offset(pointer, fn.right(position, 6))
                shift = fn.masked(position, WORD - 1)
            fn.store(pointer, fn.without(fn.load(pointer), fn.left(1, shift)))
            return there
        case Array() as layout:
            status = _change(fn, "remove", place, element, lambda h: _fill_remove(h, layout))
            return fn.compare("ne", status, 0)
    raise AssertionError(f"not a set: {place.layout.kind}")


def add_copies(fn: Function, place: Place, element: Value, copies: Word, full: Refuse) -> None:
    """Put copies of an element (at least 1) into a bag."""
    layout = place.layout
    assert isinstance(layout, Array)
    assert isinstance(layout.kind, BagType)
    kind = layout.kind
    if layout.header is not None:
        name = "add" if copies == 1 else "add_many"
        slot = fn.slot()
        fn.store(slot, copies)
        status = _change(
            fn, name, place, element, lambda h: _fill_add(h, layout, copies == 1), extra=slot
        )
        fn.when(fn.compare("eq", status, FULL), full)
        return
    item = item_place(fn, place, ordinal(fn, element))
    count = fn.add(read(fn, item).raw, copies)
    fn.when(fn.compare("slt", kind.copies, count), full)
    write(fn, item, Value(layout.item, count))
    if kind.capacity is not None and kind.capacity < layout.count:
        over = fn.compare("slt", kind.capacity, distinct(fn, read(fn, place)))
        fn.when(over, full)


def remove_copy(fn: Function, place: Place, element: Value) -> Bit:
    """Take one copy of an element out of a bag; whether there was one."""
    layout = place.layout
    assert isinstance(layout, Array)
    if layout.header is not None:
        status = _change(fn, "take", place, element, lambda h: _fill_take(h, layout))
        return fn.compare("ne", status, 0)
    item = item_place(fn, place, ordinal(fn, element))
    count = read(fn, item).raw
    there = fn.compare("ne", count, 0)
    write(fn, item, Value(layout.item, fn.sub(count, fn.word(there))))
    return there


def _change(
    fn: Function,
    name: str,
    place: Place,
    element: Value,
    fill: Callable[[Function], None],
    extra: str = "",
) -> Word:
    """Call a helper that changes the sparse collection at an address; its status."""
    layout = place.layout
    parameters = f"ptr %at, {parameter(element.layout, 'element')}" + (
        ", ptr %extra" if extra else ""
    )
    helper = fn.module.helper((name, layout), parameters, "i64", fill)
    arguments = f", {argument(element)}" + (f", ptr {extra}" if extra else "")
    if not layout.small:
        return fn.call(helper, f"ptr {place.pointer}{arguments}")
    own = copied(fn, read(fn, place))
    status = fn.call(helper, f"ptr {own.pointer}{arguments}")
    put(fn, place, fn.load(own.pointer))
    return status


def _open_gap(fn: Function, place: Place, position: Word, length: Word) -> None:
    """Move the items from a position on one further; the item at the position is cleared."""
    moved = fn.sub(length, position)

    def move(index: Word, _after: str) -> None:
        source = fn.sub(fn.sub(length, index), 1)
        item = read(fn, item_place(fn, place, source))
        write(fn, item_place(fn, place, fn.add(source, 1)), item)

    fn.count(0, moved, move)
    clear(fn, item_place(fn, place, position))


def close_gap(fn: Function, place: Place, position: Word, length: Word) -> None:
    """Move the items after a position one back, and clear the last."""

    def move(index: Word, _after: str) -> None:
        item = read(fn, item_place(fn, place, fn.add(index, 1)))
        write(fn, item_place(fn, place, index), item)

    last = fn.sub(length, 1)
    fn.count(position, last, move)
    clear(fn, item_place(fn, place, last))
    set_length(fn, place, last)


def _fill_insert(fn: Function, layout: Array) -> None:
    place, element = Place(layout, "%at"), Value(element_layout(layout), "%element")
    found = _search(fn, "%at", element, layout)
    fn.when(fn.compare("ne", fn.masked(found, 1), 0), lambda: fn.give(0))
    length = length_of(fn, read(fn, place))
    fn.when(fn.compare("sle", layout.count, length), lambda: fn.give(FULL))
    position = fn.right(found, 1)
    _open_gap(fn, place, position, length)
    write(fn, item_place(fn, place, position), element)
    set_length(fn, place, fn.add(length, 1))
    fn.give(0)


def _fill_remove(fn: Function, layout: Array) -> None:
    place, element = Place(layout, "%at"), Value(element_layout(layout), "%element")
    found = _search(fn, "%at", element, layout)
    fn.when(fn.compare("eq", fn.masked(found, 1), 0), lambda: fn.give(0))
    close_gap(fn, place, fn.right(found, 1), length_of(fn, read(fn, place)))
    fn.give(1)


def _fill_add(fn: Function, layout: Array, single: bool) -> None:
    assert isinstance(layout.kind, BagType)
    limit = layout.kind.copies
    place, element = Place(layout, "%at"), Value(element_layout(layout), "%element")
    copies: Word = 1 if single else fn.load("%extra")
    found = _search(fn, "%at", element, layout)
    position = fn.right(found, 1)

    def more() -> None:
        target = _part_place(fn, item_place(fn, place, position), COUNT)
        count = fn.add(read(fn, target).raw, copies)
        fn.when(fn.compare("slt", limit, count), lambda: fn.give(FULL))
        write(fn, target, Value(target.layout, count))
        fn.give(0)

    fn.when(fn.compare("ne", fn.masked(found, 1), 0), more)
    length = length_of(fn, read(fn, place))
    over = fn.compare("sle", layout.count, length)
    fn.when(over, lambda: fn.give(FULL))
    fn.when(fn.compare("slt", limit, copies), lambda: fn.give(FULL))
    _open_gap(fn, place, position, length)
    entry = item_place(fn, place, position)
    write(fn, _part_place(fn, entry, KEY), element)
    target = _part_place(fn, entry, COUNT)
    write(fn, target, Value(target.layout, copies))
    set_length(fn, place, fn.add(length, 1))
    fn.give(0)


def _fill_take(fn: Function, layout: Array) -> None:
    place, element = Place(layout, "%at"), Value(element_layout(layout), "%element")
    found = _search(fn, "%at", element, layout)
    fn.when(fn.compare("eq", fn.masked(found, 1), 0), lambda: fn.give(0))
    position = fn.right(found, 1)
    target = _part_place(fn, item_place(fn, place, position), COUNT)
    count = read(fn, target).raw

    def last() -> None:
        close_gap(fn, place, position, length_of(fn, read(fn, place)))
        fn.give(1)

    fn.when(fn.compare("eq", count, 1), last)
    write(fn, target, Value(target.layout, fn.sub(count, 1)))
    fn.give(1)


# Operators


def combine(fn: Function, how: str, a: Value, b: Value, layout: Layout, full: Refuse) -> Value:
    """`union`, `intersection` or `difference` of two sets, in a layout of the caller's choice."""
    if isinstance(layout, Bits) and isinstance(a.layout, Bits) and isinstance(b.layout, Bits):
        return _combine_bits(fn, how, a, b, layout)
    result = temporary(fn, layout)

    def keep(element: Value, _after: str) -> None:
        wanted: Bit = True
        if how != "union":
            wanted = contains(fn, b, element)
        if how == "difference":
            wanted = fn.negated(wanted)
        fn.when(wanted, lambda: insert(fn, result, element, full))

    iterate(fn, a, keep)
    if how == "union":
        iterate(fn, b, lambda element, _: insert(fn, result, element, full))
    return read(fn, result)


_BITWISE: dict[str, Callable[[Function, Word, Word], Word]] = {
    "union": Function.either,
    "intersection": Function.masked,
    "difference": Function.without,
}


def _combine_bits(fn: Function, how: str, a: Value, b: Value, layout: Bits) -> Value:
    operator = _BITWISE[how]
    if layout.small:
        return Value(layout, operator(fn, a.raw, b.raw))
    pointer = fn.slot(layout.words)
    for index in range(layout.words):
        left = fn.load(fn.offset(a.address, index))
        right = fn.load(fn.offset(b.address, index))
        fn.store(fn.offset(pointer, index), operator(fn, left, right))
    return Value(layout, pointer)


def subset(fn: Function, a: Value, b: Value) -> Bit:
    """Whether each element of the set `a` is in the set `b`."""
    if isinstance(a.layout, Bits) and isinstance(b.layout, Bits):
        if a.layout.small:
            return fn.compare("eq", fn.without(a.raw, b.raw), 0)
        extra: Word = 0
        for index in range(a.layout.words):
            left = fn.load(fn.offset(a.address, index))
            right = fn.load(fn.offset(b.address, index))
            extra = fn.either(extra, fn.without(left, right))
        return fn.compare("eq", extra, 0)
    result = fn.slot()
    fn.store(result, 1)

    def check(element: Value, after: str) -> None:
        def fail() -> None:
            fn.store(result, 0)
            fn.jump(after)

        fn.when(fn.negated(contains(fn, b, element)), fail)

    iterate(fn, a, check)
    return fn.compare("ne", fn.load(result), 0)


def relaid(fn: Function, value: Value, layout: Layout, full: Refuse) -> Value:
    """A set or bag of the same elements in another layout."""
    if value.layout == layout:
        return value
    if isinstance(value.layout, Bits) and isinstance(layout, Bits):
        return Value(layout, value.raw)  # The same bits, whatever the capacity.
    result = temporary(fn, layout)
    if isinstance(layout.kind, BagType):
        iterate_counts(fn, value, lambda e, n, _: add_copies(fn, result, e, n, full))
    else:
        iterate(fn, value, lambda e, _: insert(fn, result, e, full))
    return read(fn, result)


def full_set(fn: Function, layout: Bits) -> Value:
    """The dense set of all values of the element type."""
    if layout.small:
        return decoded(fn, layout, mask_of(layout.count))
    pointer = fn.slot(layout.words)
    for index in range(layout.words):
        left = min(WORD, layout.count - index * WORD)
        fn.store(fn.offset(pointer, index), mask_of(left))
    return Value(layout, pointer)

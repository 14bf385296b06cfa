"""Signatures of nodes: numbers that say what a state holds about a node, however nodes are named.

Where the sort is *unary* (each part of a state names one node at most), the signature is those
parts themselves, side by side: two nodes of equal signature are interchangeable in that state.
Elsewhere it is a hash, in which another node is but its colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ....language.ir.types import (
    BagType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SetType,
    Sort,
    Type,
    UnionType,
)
from ..layout import Array, Bits, Layout, Nullable, Scalar, StateLayout, Struct, layout_of
from . import collections, shapes
from .access import (
    Value,
    argument,
    code,
    item_of,
    length_of,
    parameter,
    part_named,
    read,
)
from .context import state_places
from .order import from_ordinal
from .renaming import Renaming, mentions
from .text import Function, Word, signed

_ODD = signed(0x9E3779B97F4A7C15)
_MIX = signed(0xBF58476D1CE4E5B9)

Extract = Callable[[Function, Value, Word], Word]
"""Writes code that reads, from the value of a variable, bits about the node of an index."""


def mixed(fn: Function, word: Word) -> Word:
    """A word with its bits stirred: a bijection."""
    word = fn.mul(fn.op("xor", word, fn.right(word, 30)), _MIX)
    word = fn.mul(fn.op("xor", word, fn.right(word, 27)), _ODD)
    return fn.op("xor", word, fn.right(word, 31))


@dataclass(frozen=True)
class Fact:
    """Bits about one node in one variable."""

    variable: str
    width: int
    extract: Extract


def unary_facts(layout: StateLayout, sort: Sort, renaming: Renaming) -> list[Fact] | None:
    """Everything a state says about a node of the sort; None where it is not that simple.

    The state is then, up to the names of nodes, what is said of each node.
    """
    facts: list[Fact] = []
    for name, part in layout.parts.items():
        if not mentions(part.layout.kind, sort):
            continue
        found = _facts_in(part.layout, sort, renaming)
        if found is None:
            return None
        facts += [Fact(name, width, extract) for width, extract in found]
    return facts if sum(fact.width for fact in facts) <= 64 else None


def _facts_in(layout: Layout, sort: Sort, renaming: Renaming) -> list[tuple[int, Extract]] | None:
    match layout:
        case Scalar(kind=NodeType()):
            return [(1, lambda fn, value, node: fn.word(fn.compare("eq", value.raw, node)))]
        case Nullable(kind=OptionType(NodeType())):
            return [(1, lambda fn, v, node: fn.word(fn.compare("eq", v.raw, fn.add(node, 1))))]
        case Array(header=None, kind=MapType(NodeType(own), value)) if own == sort:
            if mentions(value) or not layout.item.small:
                return None
            return [(layout.item.width, lambda fn, v, node: code(fn, item_of(fn, v, node)))]
        case Bits(kind=SetType(element)):
            return _element_facts(layout, element, sort, renaming)
    return None


def _element_facts(
    layout: Bits, element: Type, sort: Sort, renaming: Renaming
) -> list[tuple[int, Extract]] | None:
    """A bit for each group of elements that differ in one node only."""
    images = renaming.images(element)
    if images is None or any(len(image.nodes) > 1 for image in images):
        return None
    first = renaming.starts[sort.name]
    single = [(image.base, *image.nodes[0]) for image in images if image.nodes]
    own = range(first, first + sort.size)
    groups = sorted({(base, factor) for base, factor, node in single if node in own})

    def bit(base: int, factor: int) -> Extract:
        def extract(fn: Function, value: Value, node: Word) -> Word:
            position = fn.add(fn.mul(node, factor), base)
            if layout.small:
                return fn.masked(fn.right(value.raw, position), 1)
            word = fn.load(fn.offset(value.address, fn.right(position, 6)))
            return fn.masked(fn.right(word, fn.masked(position, 63)), 1)

        return extract

    return [(1, bit(base, factor)) for base, factor in groups]


def write_exact(fn: Function, layout: StateLayout, facts: list[Fact], node: Word) -> Word:
    """The facts about a node in the state at `%state`, side by side."""
    places = state_places(layout, "%state", fn)
    result: Word = 0
    for fact in facts:
        bits = fact.extract(fn, read(fn, places[fact.variable]), node)
        result = fn.either(fn.left(result, fact.width), bits) if fact.width < 64 else bits
    return result


@dataclass(frozen=True)
class Hashing:
    """Writes code that hashes values in which nodes have colours.

    `starts`: where each sort begins in the table of colours at `%colours`.
    """

    starts: dict[str, int]

    def state(self, fn: Function, layout: StateLayout) -> Word:
        """The hash of what names nodes in the state at `%state`."""
        places = state_places(layout, "%state", fn)
        total: Word = 0
        for name, part in layout.parts.items():
            if mentions(part.layout.kind):
                hashed = self._hash(fn, read(fn, places[name]))
                total = mixed(fn, fn.add(fn.mul(total, _ODD), hashed))
        return total

    def _hash(self, fn: Function, value: Value) -> Word:
        layout = value.layout
        match layout:
            case _ if not mentions(layout.kind):
                return self._plain(fn, value)
            case Scalar(kind=NodeType(sort)):
                index = fn.add(value.raw, self.starts[sort.name])
                return fn.load(fn.offset("%colours", index))

        def make(helper: Function) -> None:
            helper.give(self._composite(helper, Value(layout, "%value")))

        parameters = f"{parameter(layout, 'value')}, ptr %colours"
        name = fn.module.helper(("hash", layout), parameters, "i64", make)
        return fn.call(name, f"{argument(value)}, ptr %colours")

    def _plain(self, fn: Function, value: Value) -> Word:
        if value.layout.small:
            return mixed(fn, fn.add(value.raw, 1))
        total: Word = 0
        for index in range(value.layout.words):
            word = fn.load(fn.offset(value.address, index))
            total = mixed(fn, fn.add(fn.mul(total, _ODD), word))
        return total

    def _composite(self, fn: Function, value: Value) -> Word:
        layout = value.layout
        match layout:
            case Struct(kind=RecordType(_, fields)):
                total: Word = len(fields)
                for name, _ in fields:
                    hashed = self._hash(fn, part_named(fn, value, name))
                    total = mixed(fn, fn.add(fn.mul(total, _ODD), hashed))
                return total
            case Struct() | Nullable():
                return self._alternative(fn, value)
            case Array(kind=MapType(key), header=None):
                return self._map(fn, value, layout_of(key), layout.count)
            case Array(kind=BagType()):
                return self._bag(fn, value)
            case Array(kind=SetType()) | Bits():
                return self._set(fn, value)
        return self._sequence(fn, value)

    def _alternative(self, fn: Function, value: Value) -> Word:
        result = fn.slot()
        fn.store(result, 1)

        def hashed(number: int, inner: Value) -> None:
            fn.store(result, mixed(fn, fn.add(self._hash(fn, inner), number)))

        def variant(number: int, name: str) -> None:
            hashed(number, shapes.variant(fn, value, name))

        kind = value.layout.kind
        if isinstance(kind, UnionType):
            for tag, record in enumerate(kind.variants):
                here = shapes.has_variant(fn, value, record.name)
                fn.when(here, partial(variant, tag, record.name))
        else:
            there = fn.negated(shapes.is_none(fn, value))
            fn.when(there, lambda: hashed(7, shapes.unwrapped(fn, value)))
        return fn.load(result)

    def _summed(self, fn: Function, walk: Callable[[Callable[[Word], None]], None]) -> Word:
        """The sum of what the walk hands over: the order does not count."""
        total = fn.slot()
        fn.store(total, 0)
        walk(lambda word: fn.store(total, fn.add(fn.load(total), mixed(fn, word))))
        return fn.load(total)

    def _map(self, fn: Function, value: Value, key: Layout, count: int) -> Word:
        def walk(add: Callable[[Word], None]) -> None:
            def entry(index: Word, _after: str) -> None:
                name = self._hash(fn, from_ordinal(fn, key, index))
                add(fn.add(fn.mul(name, _ODD), self._hash(fn, item_of(fn, value, index))))

            fn.count(0, count, entry)

        return self._summed(fn, walk)

    def _bag(self, fn: Function, value: Value) -> Word:
        def walk(add: Callable[[Word], None]) -> None:
            def entry(element: Value, copies: Word, _after: str) -> None:
                add(fn.add(fn.mul(self._hash(fn, element), _ODD), copies))

            collections.iterate_counts(fn, value, entry)

        return self._summed(fn, walk)

    def _set(self, fn: Function, value: Value) -> Word:
        def walk(add: Callable[[Word], None]) -> None:
            collections.iterate(fn, value, lambda element, _: add(self._hash(fn, element)))

        return self._summed(fn, walk)

    def _sequence(self, fn: Function, value: Value) -> Word:
        total = fn.slot()
        fn.store(total, 0)

        def entry(index: Word, _after: str) -> None:
            hashed = self._hash(fn, item_of(fn, value, index))
            fn.store(total, mixed(fn, fn.add(fn.mul(fn.load(total), _ODD), hashed)))

        fn.count(0, length_of(fn, value), entry)
        return fn.load(total)

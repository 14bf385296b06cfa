"""Renaming nodes in values: `permute`, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

from ....language.ir.types import (
    BagType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Sort,
    Type,
    UnionType,
    cardinality,
)
from ..layout import Array, Bits, Nullable, Scalar, Struct, layout_of
from . import collections, shapes
from .access import (
    Value,
    code,
    decoded,
    item_of,
    item_place,
    item_shift,
    length_of,
    part_named,
    read,
    set_length,
    temporary,
    write,
)
from .order import from_ordinal, ordinal
from .text import Function, Pointer, Word, signed

UNROLLED = 128
"""Elements of a dense set that are renamed one by one, without a loop, at most."""


@cache
def mentions(kind: Type, sort: Sort | None = None) -> bool:
    """Whether values of the type can name a node of the sort; of any that permutes, without one."""
    match kind:
        case NodeType(own):
            return own == sort if sort is not None else not own.ordered and own.size > 1
        case OptionType(inner) | SetType(inner) | BagType(inner) | SeqType(inner):
            return mentions(inner, sort)
        case MapType(key, value):
            return mentions(key, sort) or mentions(value, sort)
        case RecordType(_, fields):
            return any(mentions(field, sort) for _, field in fields)
        case UnionType(variants):
            return any(mentions(variant, sort) for variant in variants)
    return False


@dataclass(frozen=True)
class Image:
    """Where the element of an ordinal goes: `base` plus, for each node in it, `factor` times the
    new number of the node; nodes as positions in the permutation.
    """

    base: int
    nodes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Renaming:
    """Writes code that renames nodes. `starts`: where each sort begins in a permutation."""

    starts: dict[str, int]

    def value(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        """A value with its nodes renamed."""
        layout = value.layout
        if not mentions(layout.kind):
            return value
        match layout:
            case Scalar(kind=NodeType(sort)):
                return Value(layout, self._node(fn, sort, value.raw, permutation))
            case Nullable():
                return self._nullable(fn, value, permutation)
            case Struct(kind=RecordType()):
                parts = [
                    self.value(fn, part_named(fn, value, name), permutation)
                    for name, _ in _fields(layout.kind)
                ]
                return shapes.record(fn, layout, parts)
            case Struct():
                return self._alternative(fn, value, permutation)
            case Bits():
                return self._bits(fn, value, permutation)
            case Array(header=None):
                return self._dense(fn, value, permutation)
            case Array(kind=SeqType()):
                return self._sequence(fn, value, permutation)
        return self._sparse(fn, value, permutation)

    def _node(self, fn: Function, sort: Sort, index: Word, permutation: Pointer) -> Word:
        return fn.load(fn.offset(permutation, fn.add(index, self.starts[sort.name])))

    def _nullable(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        assert isinstance(value.layout, Nullable)
        sort = value.layout.inner.kind
        assert isinstance(sort, NodeType)
        none = fn.compare("eq", value.raw, 0)
        index = fn.select(none, 0, fn.sub(value.raw, 1))
        renamed = fn.add(self._node(fn, sort.sort, index, permutation), 1)
        return Value(value.layout, fn.select(none, 0, renamed))

    def _alternative(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        """A union, or an option of something composite."""
        layout = value.layout
        result = temporary(fn, layout)

        def variant(name: str) -> None:
            inner = self.value(fn, shapes.variant(fn, value, name), permutation)
            write(fn, result, shapes.tagged(fn, layout, inner))

        def some() -> None:
            inner = self.value(fn, shapes.unwrapped(fn, value), permutation)
            write(fn, result, shapes.present(fn, layout, inner))

        if isinstance(layout.kind, UnionType):
            for record in layout.kind.variants:
                here = shapes.has_variant(fn, value, record.name)
                fn.when(here, partial(variant, record.name))
        else:
            fn.when(fn.negated(shapes.is_none(fn, value)), some)
        return read(fn, result)

    def _bits(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        layout = value.layout
        assert isinstance(layout, Bits)
        assert isinstance(layout.kind, SetType)
        images = self.images(layout.kind.element)
        if images is None or not layout.small or layout.count > UNROLLED:
            return self._sparse(fn, value, permutation)
        fixed = sum(1 << i for i, image in enumerate(images) if not image.nodes)
        result = fn.masked(code(fn, value), signed(fixed))
        for position, image in enumerate(images):
            if image.nodes:
                bit = fn.masked(fn.right(value.raw, position), 1)
                target = self._target(fn, image, permutation)
                result = fn.either(result, fn.left(bit, target))
        return decoded(fn, layout, result)

    def _target(self, fn: Function, image: Image, permutation: Pointer) -> Word:
        target: Word = image.base
        for factor, node in image.nodes:
            number = fn.load(fn.offset(permutation, node))
            target = fn.add(target, fn.mul(number, factor))
        return target

    def images(self, kind: Type) -> list[Image] | None:
        """Where each value of a small type goes; None where that is not a sum over its nodes."""
        found = [self._image(kind, position) for position in range(cardinality(kind))]
        return None if None in found else [image for image in found if image is not None]

    def _image(self, kind: Type, position: int) -> Image | None:
        if not mentions(kind):
            return Image(position)
        match kind:
            case NodeType(sort):
                return Image(0, ((1, self.starts[sort.name] + position),))
            case OptionType(inner):
                if position == 0:
                    return Image(0)
                return _shifted(self._image(inner, position - 1), 1)
            case UnionType(variants):
                base = 0
                for variant in variants:
                    if position < base + cardinality(variant):
                        return _shifted(self._image(variant, position - base), base)
                    base += cardinality(variant)
            case RecordType(_, fields):
                return self._record_image([field for _, field in fields], position)
        return None

    def _record_image(self, fields: list[Type], position: int) -> Image | None:
        base, factor = 0, 1
        nodes: list[tuple[int, int]] = []
        for field in reversed(fields):
            position, digit = divmod(position, cardinality(field))
            image = self._image(field, digit)
            if image is None:
                return None
            base += image.base * factor
            nodes += [(inner * factor, node) for inner, node in image.nodes]
            factor *= cardinality(field)
        return Image(base, tuple(nodes))

    def _dense(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        """A map, or a dense bag: items move with their keys."""
        layout = value.layout
        assert isinstance(layout, Array)
        key = layout.kind.key if isinstance(layout.kind, MapType) else _element(layout.kind)
        images = self.images(key) if layout.count <= UNROLLED else None
        if layout.small and images is not None:
            result: Word = 0
            for position, image in enumerate(images):
                item = self.value(fn, item_of(fn, value, position), permutation)
                target = self._target(fn, image, permutation)
                shift = item_shift(fn, layout, target)
                result = fn.either(result, fn.left(code(fn, item), shift))
            return decoded(fn, layout, result)
        place = temporary(fn, layout)

        def move(index: Word, _after: str) -> None:
            renamed = self.value(fn, from_ordinal(fn, layout_of(key), index), permutation)
            item = self.value(fn, item_of(fn, value, index), permutation)
            write(fn, item_place(fn, place, ordinal(fn, renamed)), item)

        fn.count(0, layout.count, move)
        return read(fn, place)

    def _sequence(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        place = temporary(fn, value.layout)

        def move(index: Word, _after: str) -> None:
            item = self.value(fn, item_of(fn, value, index), permutation)
            write(fn, item_place(fn, place, index), item)

        length = length_of(fn, value)
        fn.count(0, length, move)
        set_length(fn, place, length)
        return read(fn, place)

    def _sparse(self, fn: Function, value: Value, permutation: Pointer) -> Value:
        """A set or bag, element by element."""
        place = temporary(fn, value.layout)

        def never() -> None:
            return  # As many elements as before: there is room.

        if isinstance(value.layout.kind, BagType):

            def copy(element: Value, copies: Word, _after: str) -> None:
                renamed = self.value(fn, element, permutation)
                collections.add_copies(fn, place, renamed, copies, never)

            collections.iterate_counts(fn, value, copy)
        else:

            def move(element: Value, _after: str) -> None:
                renamed = self.value(fn, element, permutation)
                collections.insert(fn, place, renamed, never)

            collections.iterate(fn, value, move)
        return read(fn, place)


def _fields(kind: Type) -> tuple[tuple[str, Type], ...]:
    assert isinstance(kind, RecordType)
    return kind.fields


def _element(kind: Type) -> Type:
    assert isinstance(kind, BagType)
    return kind.element


def _shifted(image: Image | None, by: int) -> Image | None:
    return None if image is None else Image(image.base + by, image.nodes)

"""Packing states of frozen values into words, and back: the layouts, read from Python."""

from __future__ import annotations

from collections.abc import Sequence

from ...language.domains import values_of
from ...language.ir.nodes import Variable
from ...language.ir.types import (
    BagType,
    BoolType,
    EnumType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from ...language.values import FrozenBag, FrozenMap, State, Universe, Value, order_key
from .layout import (
    TAG,
    VALUE,
    WORD,
    Array,
    Bits,
    Layout,
    Nullable,
    Part,
    Scalar,
    StateLayout,
    Struct,
)


class Codec:
    """Packs and unpacks states; the values are those of the universe."""

    def __init__(
        self, variables: Sequence[Variable], layout: StateLayout, universe: Universe
    ) -> None:
        self.layout = layout
        self.universe = universe
        self._parts = [layout.parts[variable.name] for variable in variables]
        self._values = _Values(universe)

    def pack(self, state: State) -> tuple[int, ...]:
        """The words of a state, unsigned. Values have to fit their types."""
        words = [0] * self.layout.words
        for part, value in zip(self._parts, state, strict=True):
            self._values.put(words, part, value)
        return tuple(words)

    def unpack(self, words: Sequence[int]) -> State:
        """The state of packed words."""
        plain = [int(word) & (2**WORD - 1) for word in words]
        return tuple(self._values.get(plain, part) for part in self._parts)


class _Values:
    """Encodes values by layout: small ones to a bit field, wide ones to a list of words."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._names = {made: name for name, made in universe.records.items()}
        self._domains: dict[Type, list[Value]] = {}
        self._ranks: dict[Type, dict[Value, int]] = {}

    def _domain(self, kind: Type) -> list[Value]:
        """All values of a small type, in canonical order."""
        if kind not in self._domains:
            self._domains[kind] = list(values_of(kind, self._universe))
        return self._domains[kind]

    def _rank(self, kind: Type) -> dict[Value, int]:
        if kind not in self._ranks:
            self._ranks[kind] = {value: i for i, value in enumerate(self._domain(kind))}
        return self._ranks[kind]

    # To words

    def put(self, words: list[int], part: Part, value: Value) -> None:
        """Write a value where a part is; those bits are zero."""
        layout = part.layout
        if layout.small:
            words[part.word] |= self.code(layout, value) << part.shift
            return
        for index, word in enumerate(self._words(layout, value)):
            words[part.word + index] |= word

    def code(self, layout: Layout, value: Value) -> int:
        """The bit field of a value of a small type."""
        match layout:
            case Scalar():
                return self._position(layout.kind, value)
            case Nullable(inner=inner):
                return 0 if value is None else 1 + self.code(inner, value)
            case Bits():
                return self._mask(layout, value)
            case Struct():
                return sum(
                    self.code(part.layout, item) << part.shift
                    for part, item in self._filled(layout, value)
                )
            case Array(header=header):
                items = self._items(layout, value)
                total = sum(
                    self.code(layout.item, item) << (layout.origin + index * layout.step)
                    for index, item in enumerate(items)
                )
                return total if header is None else total | len(items) << header.shift
        raise AssertionError(layout)

    def _words(self, layout: Layout, value: Value) -> list[int]:
        words = [0] * layout.words
        match layout:
            case Bits():
                mask = self._mask(layout, value)
                return [mask >> (WORD * i) & (2**WORD - 1) for i in range(layout.words)]
            case Struct():
                for part, item in self._filled(layout, value):
                    self.put(words, part, item)
            case Array(header=header):
                items = self._items(layout, value)
                if header is not None:
                    words[0] |= len(items)
                for index, item in enumerate(items):
                    self.put(words, _slot(layout, index), item)
        return words

    def _position(self, kind: Type, value: Value) -> int:
        match kind:
            case EnumType(_, members):
                return members.index(value.name)
            case NodeType():
                index: int = value.index
                return index
            case BoolType():
                return int(value)
        assert hasattr(kind, "low")
        return int(value) - int(kind.low)

    def _filled(self, layout: Struct, value: Value) -> list[tuple[Part, Value]]:
        """The parts that a value has, with their values."""
        parts = layout.parts
        match layout.kind:
            case RecordType(_, fields) if isinstance(value, tuple):
                # An entry of a sparse bag: the element and its copies.
                return [(parts[name], item) for (name, _), item in zip(fields, value, strict=True)]
            case RecordType(_, fields):
                return [(parts[name], getattr(value, name)) for name, _ in fields]
            case OptionType():
                return [] if value is None else [(parts[TAG], True), (parts[VALUE], value)]
            case UnionType() as union:
                name = self._names[type(value)]
                return [(parts[TAG], union.tag(name)), (parts[name], value)]
        raise AssertionError(layout)

    def _items(self, layout: Array, value: Value) -> list[Value]:
        match layout.kind:
            case SeqType():
                return list(value)
            case MapType(key, _):
                return [value[item] for item in self._domain(key)]
            case SetType():
                return sorted(value, key=order_key)
            case BagType(element) if layout.header is None:
                return [value.get(item, 0) for item in self._domain(element)]
        return sorted(value.items(), key=lambda entry: order_key(entry[0]))

    def _mask(self, layout: Bits, value: frozenset[Value]) -> int:
        assert isinstance(layout.kind, SetType)
        ranks = self._rank(layout.kind.element)
        return sum(1 << ranks[element] for element in value)

    # From words

    def get(self, words: Sequence[int], part: Part) -> Value:
        """The value where a part is."""
        layout = part.layout
        if layout.small:
            return self.value(layout, words[part.word] >> part.shift & (2**layout.width - 1))
        return self._wide(layout, words[part.word : part.word + layout.words])

    def value(self, layout: Layout, code: int) -> Value:
        """The value of a bit field."""
        match layout:
            case Scalar():
                return self._scalar(layout, code)
            case Nullable(inner=inner):
                return None if code == 0 else self.value(inner, code - 1)
            case Bits():
                return self._members(layout, code)
            case Struct() | Array():
                return self._wide(layout, [code])
        raise AssertionError(layout)

    def _wide(self, layout: Layout, words: Sequence[int]) -> Value:
        match layout:
            case Bits():
                mask = sum(word << (WORD * index) for index, word in enumerate(words))
                return self._members(layout, mask)
            case Struct():
                return self._struct(layout, words)
            case Array(header=header):
                count = layout.count if header is None else self.get(words, header)
                items = [self.get(words, _slot(layout, index)) for index in range(count)]
                return self._collected(layout, items)
        raise AssertionError(layout)

    def _scalar(self, layout: Scalar, code: int) -> Value:
        match layout.kind:
            case EnumType(name, members):
                return self._universe.enums[name][members[code]]
            case NodeType(sort):
                return self._universe.nodes[sort.name][code]
            case BoolType():
                return bool(code)
        return code + layout.low

    def _struct(self, layout: Struct, words: Sequence[int]) -> Value:
        parts = layout.parts
        match layout.kind:
            case RecordType(name, fields):
                values = [self.get(words, parts[field]) for field, _ in fields]
                return self._universe.records[name](*values) if name else tuple(values)
            case OptionType():
                return self.get(words, parts[VALUE]) if self.get(words, parts[TAG]) else None
            case UnionType(variants):
                return self.get(words, parts[variants[self.get(words, parts[TAG])].name])
        raise AssertionError(layout)

    def _members(self, layout: Bits, mask: int) -> frozenset[Value]:
        assert isinstance(layout.kind, SetType)
        domain = self._domain(layout.kind.element)
        return frozenset(domain[i] for i in range(layout.count) if mask >> i & 1)

    def _collected(self, layout: Array, items: list[Value]) -> Value:
        match layout.kind:
            case SeqType():
                return tuple(items)
            case MapType(key, _):
                return FrozenMap(zip(self._domain(key), items, strict=True))
            case SetType():
                return frozenset(items)
            case BagType(element) if layout.header is None:
                counts = zip(self._domain(element), items, strict=True)
                return FrozenBag((key, count) for key, count in counts if count)
        return FrozenBag(items)


def _slot(array: Array, index: int) -> Part:
    """Where an item of an array is, from the array's first word or bit on."""
    if array.small:
        return Part(array.item, 0, array.origin + index * array.step)
    if array.stride:
        return Part(array.item, array.lead + index * array.stride, 0)
    slot = index + array.lead
    return Part(array.item, slot // array.per_word, slot % array.per_word * array.step)

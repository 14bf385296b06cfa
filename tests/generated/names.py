"""What generated specs are about: a chooser, a pool of small types, and scopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from quorate.language.ir.types import (
    BOOL,
    BagType,
    EnumType,
    IntType,
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

T = TypeVar("T")

Below = Callable[[int], int]
"""Gives a number from 0 up to, not including, its argument. Smaller is simpler."""


@dataclass
class Choice:
    """Draws decisions, and spends fuel so that what is generated stays small."""

    below: Below
    fuel: int
    daring: bool = False
    """Whether traps are courted; in most specs they are guarded against, so that runs go on."""

    def risky(self) -> bool:
        """Whether to make something that may trap."""
        return self.daring and self.chance(3)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, the simplest first."""
        return items[self.below(len(items))] if len(items) > 1 else items[0]

    def chance(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.below(one_in) == one_in - 1

    def spend(self) -> bool:
        """Whether there is fuel left for something that is not a leaf."""
        self.fuel -= 1
        return self.fuel > 0


@dataclass
class Pool:
    """The types that a spec's values have. `scalars` are small enough to enumerate."""

    sorts: tuple[Sort, ...]
    scalars: tuple[Type, ...]
    collections: tuple[Type, ...]

    @property
    def all(self) -> tuple[Type, ...]:
        """Every type of the pool."""
        return self.scalars + self.collections

    def with_element(self, kind: type[SetType | SeqType | BagType], element: Type) -> list[Type]:
        """The collections of that kind and element type."""
        return [t for t in self.collections if isinstance(t, kind) and t.element == element]


def draw_pool(choice: Choice) -> Pool:
    """One of each kind of type at least, small and different from spec to spec."""
    peers = Sort("peers", 1 + choice.below(3))
    ranks = Sort("ranks", 1 + choice.below(2), ordered=True)
    colour = EnumType("Colour", ("RED", "GREEN", "BLUE")[: 2 + choice.below(2)])
    low = -choice.below(3)
    small = IntType(low, low + 1 + choice.below(3))
    basic: list[Type] = [BOOL, small, colour, NodeType(peers), NodeType(ranks)]
    records = _records(choice, basic, peers, small)
    wide = UnionType(tuple(records))
    narrow = UnionType(tuple(records[:2]))
    options: list[Type] = [OptionType(kind) for kind in (choice.pick(basic), wide)]
    scalars = (*basic, *records, narrow, wide, *options, IntType(small.low, small.high + 1))
    return Pool((peers, ranks), scalars, tuple(_collections(choice, scalars)))


def _records(choice: Choice, basic: list[Type], peers: Sort, small: IntType) -> list[RecordType]:
    word = (("flag", choice.pick(basic)), ("maybe", OptionType(choice.pick(basic))))
    return [
        RecordType("Ack", ()),
        RecordType("Ping", (("who", NodeType(peers)), ("round", small))),
        RecordType("Word", word),
    ]


def _collections(choice: Choice, scalars: Sequence[Type]) -> list[Type]:
    few = [kind for kind in scalars if cardinality(kind) <= 4]
    some = [kind for kind in scalars if cardinality(kind) <= 12]
    element = choice.pick(few)
    key = choice.pick(few)
    dense = SetType(element)
    queue = SeqType(choice.pick(some), 1 + choice.below(2))
    return [
        dense,
        SetType(choice.pick(some), choice.below(3)),
        SetType(queue.element),
        SeqType(element, 1 + choice.below(3)),
        queue,
        BagType(choice.pick(few), 1 + choice.below(2)),
        BagType(choice.pick(some), 2, 1 + choice.below(2)),
        MapType(key, choice.pick(some)),
        MapType(key, dense if choice.chance(2) else queue),
        MapType(choice.pick(few), OptionType(element) if not _optional(element) else element),
        *([OptionType(dense)] if choice.chance(3) else []),
        *([SetType(dense)] if cardinality(dense) <= 4 and choice.chance(3) else []),
    ]


def _optional(kind: Type) -> bool:
    return isinstance(kind, OptionType)


@dataclass
class Scope:
    """What an expression may read, and the names a body has used.

    `names` is shared by a whole body: fresh names are never used twice, so nothing is shadowed.
    """

    variables: dict[str, Type]
    after: bool = False
    locals: dict[str, Type] = field(default_factory=dict)
    assignable: dict[str, Type] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def fresh(self, stem: str) -> str:
        """A name that the body has not used."""
        name = f"{stem}{len(self.names)}"
        self.names.append(name)
        return name

    def inner(self) -> Scope:
        """A copy: what is bound there is not bound here."""
        return Scope(
            self.variables, self.after, dict(self.locals), dict(self.assignable), self.names
        )

    def isolated(self) -> Scope:
        """A copy in which no local may be assigned: the scope of a `Do`."""
        return Scope(self.variables, self.after, dict(self.locals), {}, self.names)

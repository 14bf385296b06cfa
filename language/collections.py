"""The collections of the language: `Set`, `Map`, `Seq`, `Bag` and node sets.

They behave as Python's own do, with three differences that make a step's meaning independent of
the machine: iteration is in the canonical order and over a snapshot, stores are by value, and a
collection in a state variable keeps to its declared bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, overload

from .adopt import (
    Empty,
    Live,
    Place,
    adopt,
    check,
    check_size,
    freeze,
    out_of_bound,
    trap,
)
from .frozen import FrozenSeq, FrozenSet
from .ir.nodes import TrapKind
from .ir.types import BagType, MapType, SeqType, SetType, Sort
from .values import FrozenBag, FrozenMap, Node, Value, order_key

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    N = TypeVar("N", bound=Node, default=Node)
else:
    from typing import TypeVar

    N = TypeVar("N", bound=Node)
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def copied(value: Any) -> Any:
    """A live value that shares nothing that can change with the given one."""
    if not isinstance(value, Live):
        return value
    old: Any = value
    new: Any = object.__new__(type(value))
    new._place = old._place
    match old._items:
        case dict() as items:
            new._items = {key: copied(item) for key, item in items.items()}
        case list() as items:
            new._items = [copied(item) for item in items]
        case items:
            new._items = set(items)
    return new


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=order_key)


class Set(Live, Generic[T]):
    """A finite set. Elements are values: to change one, remove it and add another."""

    __slots__ = ("_items", "_place")
    _items: set[Any]
    _place: Place | None

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = {freeze(item) for item in items}
        self._place = None

    @classmethod
    def at(cls, place: Place, items: Iterable[Any]) -> Set[Any]:
        """A copy of `items` for a place in the state."""
        new: Set[Any] = Set()
        new._items = set(check(items, place))
        new._place = place
        return new

    def frozen(self) -> Value:
        return FrozenSet(self._items)

    def add(self, item: T) -> None:
        """Add an element; nothing happens where it is there already."""
        value = self._element(item)
        if self._place is not None and isinstance(self._place.type, SetType):
            size = len(self._items | {value})
            check_size(size, self._place.type.capacity, self._place.subject, "elements")
        self._items.add(value)

    def discard(self, item: T) -> None:
        """Remove an element; nothing happens where it is absent."""
        self._items.discard(self._element(item))

    def remove(self, item: T) -> None:
        """Remove an element that is there; otherwise the step has no meaning (a trap)."""
        value = self._element(item)
        if value not in self._items:
            subject = self._place.subject if self._place else "set"
            trap(TrapKind.MISSING, subject, f"{subject} has no {item!r} to remove")
        self._items.remove(value)

    def _element(self, item: T) -> Value:
        value = freeze(item)
        if self._place is not None and isinstance(self._place.type, SetType):
            check(value, self._place.of(self._place.type.element))
        return value

    def update(self, items: Iterable[T]) -> None:
        """Add every element of another collection."""
        for item in _sorted(freeze(item) for item in items):
            self.add(item)

    def clear(self) -> None:
        """Remove every element."""
        self._items.clear()

    def __contains__(self, item: object) -> bool:
        return freeze(item) in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(_sorted(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __or__(self, other: Iterable[T]) -> Set[T]:
        return Set([*self._items, *other])

    def __and__(self, other: Iterable[T]) -> Set[T]:
        return Set(self._items & Set(other)._items)

    def __sub__(self, other: Iterable[T]) -> Set[T]:
        return Set(self._items - Set(other)._items)

    __ror__ = __or__
    __rand__ = __and__

    def __rsub__(self, other: Iterable[T]) -> Set[T]:
        return Set(other) - self

    def __le__(self, other: Iterable[T]) -> bool:
        return self._items <= Set(other)._items

    def __lt__(self, other: Iterable[T]) -> bool:
        return self._items < Set(other)._items

    def __ge__(self, other: Iterable[T]) -> bool:
        return self._items >= Set(other)._items

    def __gt__(self, other: Iterable[T]) -> bool:
        return self._items > Set(other)._items

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Set | set | frozenset | Empty):
            return self._items == Set(other)._items
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.frozen())

    def __repr__(self) -> str:
        return "{" + ", ".join(repr(item) for item in self) + "}"


class Nodes(Set[N]):
    """A set of nodes that an instance is given by its size; the nodes are interchangeable.

    `Nodes` alone is a set of `Node`; `Nodes[Acceptor]` of a subclass, where a spec has several.
    """

    __slots__ = ("sort",)
    sort: Sort

    @classmethod
    def of(cls, sort: Sort, node_class: type[Node] = Node) -> Nodes[Any]:
        """All nodes of a sort."""
        new: Nodes[Any] = cls()
        new.sort = sort
        new._items = {node_class(sort, index) for index in range(sort.size)}
        return new

    def add(self, item: N) -> None:
        raise TypeError(f"the nodes {self.sort.name!r} are fixed")

    remove = discard = update = add  # type: ignore[assignment]

    def clear(self) -> None:
        raise TypeError(f"the nodes {self.sort.name!r} are fixed")


class OrderedNodes(Nodes[N]):
    """Nodes with an order (`<`), as on a ring or with ranked identifiers. They are not permuted."""

    __slots__ = ()


class Map(Live, Generic[K, V]):
    """A total map: every key of the key type has a value."""

    __slots__ = ("_items", "_place")
    _items: dict[Any, Any]
    _place: Place

    @classmethod
    def at(cls, place: Place, items: Any) -> Map[Any, Any]:
        """A copy of a mapping for a place in the state."""
        assert isinstance(place.type, MapType)
        new: Map[Any, Any] = Map()
        new._place = place
        inner = place.of(place.type.value, f"{place.subject}[]")
        if isinstance(items, Map):
            items = items.frozen()
        values: Mapping[Any, Any] = check(items, place)
        new._items = {key: adopt(values[key], inner) for key in values}
        return new

    def frozen(self) -> Value:
        return FrozenMap({key: freeze(value) for key, value in self._items.items()})

    def __getitem__(self, key: K) -> V:
        return self._items[self._checked(key)]  # type: ignore[no-any-return]

    def __setitem__(self, key: K, value: V) -> None:
        assert isinstance(self._place.type, MapType)
        inner = self._place.of(self._place.type.value, f"{self._place.subject}[]")
        self._items[self._checked(key)] = adopt(value, inner)

    def _checked(self, key: K) -> Value:
        frozen = freeze(key)
        if frozen not in self._items:
            assert isinstance(self._place.type, MapType)
            check(frozen, self._place.of(self._place.type.key))
        return frozen

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._items))

    def keys(self) -> list[K]:
        """All keys, in the canonical order."""
        return list(self._items)

    def values(self) -> list[V]:
        """The values, in the order of the keys."""
        return list(self._items.values())

    def items(self) -> list[tuple[K, V]]:
        """The keys with their values, in the order of the keys."""
        return list(self._items.items())

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Map | Mapping):
            theirs = other.frozen() if isinstance(other, Map) else FrozenMap(other)
            return bool(self.frozen() == theirs)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.frozen())

    def __repr__(self) -> str:
        return repr(self._items)


class Seq(Live, Generic[T]):
    """A sequence of bounded length."""

    __slots__ = ("_items", "_place")
    _items: list[Any]
    _place: Place | None

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = [freeze(item) for item in items]
        self._place = None

    @classmethod
    def at(cls, place: Place, items: Iterable[Any]) -> Seq[Any]:
        """A copy of `items` for a place in the state."""
        assert isinstance(place.type, SeqType)
        new: Seq[Any] = Seq()
        inner = place.of(place.type.element, f"{place.subject}[.]")
        new._items = [adopt(item, inner) for item in check(items, place)]
        new._place = place
        return new

    def frozen(self) -> Value:
        return FrozenSeq(freeze(item) for item in self._items)

    def append(self, item: T) -> None:
        """Add an element at the end."""
        value: Any = freeze(item)
        place = self._place
        if place is not None and isinstance(place.type, SeqType):
            value = check(value, place.of(place.type.element))
            check_size(len(self._items) + 1, place.type.capacity, place.subject, "elements")
            value = adopt(value, place.of(place.type.element, f"{place.subject}[.]"))
        self._items.append(value)

    def pop(self, index: int = -1) -> T:
        """Take the last element, or with index 0 the first; the only two ends there are."""
        if index not in (0, -1):
            raise TypeError("pop() takes the last element, pop(0) the first")
        if not self._items:
            subject = self._place.subject if self._place else "sequence"
            trap(TrapKind.MISSING, subject, f"{subject} is empty: there is nothing to pop")
        return self._items.pop(index)  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Remove every element."""
        self._items.clear()

    def _position(self, index: int) -> int:
        if not -len(self._items) <= index < len(self._items):
            subject = self._place.subject if self._place else "sequence"
            message = f"{subject} has {len(self._items)} elements: there is no index {index}"
            trap(TrapKind.INDEX, subject, message)
        return index

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Seq[T]: ...
    def __getitem__(self, index: int | slice) -> T | Seq[T]:
        if isinstance(index, slice):
            return Seq(self._items[index])
        return self._items[self._position(index)]  # type: ignore[no-any-return]

    def __setitem__(self, index: int, item: T) -> None:
        value: Any = freeze(item)
        if self._place is not None and isinstance(self._place.type, SeqType):
            element = self._place.type.element
            value = adopt(item, self._place.of(element, f"{self._place.subject}[.]"))
        self._items[self._position(index)] = value

    def __contains__(self, item: object) -> bool:
        return freeze(item) in self.frozen()

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __add__(self, other: Iterable[T]) -> Seq[T]:
        return Seq([*self._items, *other])

    def __radd__(self, other: Iterable[T]) -> Seq[T]:
        return Seq([*other, *self._items])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Seq | list | tuple | Empty):
            return bool(self.frozen() == tuple(freeze(item) for item in other))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.frozen())

    def __repr__(self) -> str:
        return repr(self._items)


class Bag(Live, Generic[T]):
    """A multiset. `in`, iteration and `count` see an element once, whatever its copies."""

    __slots__ = ("_items", "_place")
    _items: dict[Any, int]
    _place: Place

    @classmethod
    def at(cls, place: Place, items: Any) -> Bag[Any]:
        """A copy of `items` for a place in the state."""
        new: Bag[Any] = Bag()
        source = items.frozen() if isinstance(items, Bag) else items
        new._items = dict(check(source, place))
        new._place = place
        return new

    def frozen(self) -> Value:
        return FrozenBag({key: self._items[key] for key in _sorted(self._items)})

    def add(self, item: T) -> None:
        """Add one copy."""
        assert isinstance(self._place.type, BagType)
        value = self._element(item)
        copies = self._items.get(value, 0) + 1
        if copies > self._place.type.copies:
            out_of_bound(
                self._place.subject,
                f"{copies} copies of {item!r}",
                f"at most {self._place.type.copies} copies",
            )
        size = len(self._items) + (value not in self._items)
        check_size(size, self._place.type.capacity, self._place.subject, "distinct elements")
        self._items[value] = copies

    def discard(self, item: T) -> None:
        """Remove one copy; nothing happens where there is none."""
        value = self._element(item)
        copies = self._items.pop(value, 0)
        if copies > 1:
            self._items[value] = copies - 1

    def remove(self, item: T) -> None:
        """Remove one copy of an element that is there; otherwise a trap."""
        if self._element(item) not in self._items:
            subject = self._place.subject
            trap(TrapKind.MISSING, subject, f"{subject} has no {item!r} to remove")
        self.discard(item)

    def clear(self) -> None:
        """Remove everything."""
        self._items.clear()

    def count(self, item: T) -> int:
        """How many copies there are."""
        return self._items.get(self._element(item), 0)

    def _element(self, item: T) -> Value:
        assert isinstance(self._place.type, BagType)
        return check(freeze(item), self._place.of(self._place.type.element))

    def __contains__(self, item: object) -> bool:
        return freeze(item) in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(_sorted(self._items))

    def __len__(self) -> int:
        return sum(self._items.values())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Bag):
            return self._items == other._items
        if isinstance(other, Empty):
            return not self._items
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.frozen())

    def __repr__(self) -> str:
        return "bag" + repr({key: self._items[key] for key in _sorted(self._items)})

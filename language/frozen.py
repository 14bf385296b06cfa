"""Sets and sequences inside records and sets: immutable, and otherwise as the live ones behave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, SupportsIndex, TypeVar

from .values import order_key

T = TypeVar("T")


class NoSuchIndexError(IndexError):
    """An index that is not there. The interpreter makes a trap of it."""

    def __init__(self, subject: str, size: int, index: object) -> None:
        super().__init__(f"{subject} has {size} elements: there is no index {index}")
        self.subject = subject


class FrozenSet(frozenset[T]):
    """A frozenset that is iterated in the canonical order, and so are those computed from it."""

    __slots__ = ()

    def __iter__(self) -> Iterator[T]:
        return iter(sorted(super().__iter__(), key=order_key))

    def __contains__(self, item: object) -> bool:
        from .adopt import freeze

        return super().__contains__(freeze(item))

    def _again(self, result: Any) -> Any:
        # A live set as the other operand answers for itself.
        return result if result is NotImplemented else FrozenSet(result)

    def __or__(self, other: Any) -> Any:
        return self._again(super().__or__(other))

    def __and__(self, other: Any) -> Any:
        return self._again(super().__and__(other))

    def __sub__(self, other: Any) -> Any:
        return self._again(super().__sub__(other))

    __ror__ = __or__
    __rand__ = __and__

    def __rsub__(self, other: Any) -> Any:
        return self._again(frozenset(other) - frozenset(self))


class FrozenSeq(tuple[T, ...]):
    """A tuple that is equal to a list of the same elements, and joins with one.

    `subject` names the field it is in, for the trap of an index that is not there.
    """

    subject = "sequence"

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        if isinstance(index, slice):
            return FrozenSeq(super().__getitem__(index))
        if not -len(self) <= index.__index__() < len(self):
            raise NoSuchIndexError(self.subject, len(self), index)
        return super().__getitem__(index)

    def __add__(self, other: Iterable[Any]) -> Any:
        from .adopt import freeze

        return FrozenSeq((*self, *(freeze(item) for item in other)))

    def __radd__(self, other: Iterable[Any]) -> Any:
        return FrozenSeq(other) + self

    def __eq__(self, other: object) -> bool:
        return super().__eq__(tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

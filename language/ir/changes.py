"""What in-place changes of collections do to their values."""

from __future__ import annotations

from ..values import FrozenBag, Value
from .nodes import Change, TrapKind
from .types import BagType, SeqType, SetType, Type


class ChangeRefusedError(Exception):
    """A change has no result."""

    def __init__(self, kind: TrapKind) -> None:
        super().__init__(kind)
        self.kind = kind


def changed(change: Change, kind: Type, old: Value, args: list[Value]) -> Value:
    """A collection of type `kind` after a change; raises ChangeRefusedError."""
    if change is Change.CLEAR:
        return type(old)()
    match kind:
        case SetType(_, capacity):
            return _changed_set(change, capacity, old, args[0])
        case BagType():
            return _changed_bag(change, kind, old, args[0])
        case SeqType(_, capacity):
            return _changed_sequence(change, capacity, old, args)
    raise AssertionError(f"not a collection that changes in place: {kind}")


def _changed_set(
    change: Change, capacity: int | None, old: frozenset[Value], argument: Value
) -> Value:
    match change:
        case Change.ADD:
            new = old | {argument}
        case Change.UNITE:
            new = old | argument
        case Change.DISCARD | Change.REMOVE:
            if change is Change.REMOVE and argument not in old:
                raise ChangeRefusedError(TrapKind.MISSING)
            return old - {argument}
        case _:
            raise AssertionError(f"not a change of a set: {change}")
    if capacity is not None and len(new) > capacity:
        raise ChangeRefusedError(TrapKind.BOUND)
    return new


def _changed_bag(change: Change, kind: BagType, old: FrozenBag[Value], element: Value) -> Value:
    count = old.get(element, 0)
    rest = {item: copies for item, copies in old.items() if item != element}
    match change:
        case Change.ADD:
            count += 1
        case Change.DISCARD | Change.REMOVE:
            if change is Change.REMOVE and count == 0:
                raise ChangeRefusedError(TrapKind.MISSING)
            count = max(0, count - 1)
        case _:
            raise AssertionError(f"not a change of a bag: {change}")
    new = FrozenBag({**rest, element: count} if count else rest)
    if count > kind.copies or (kind.capacity is not None and len(new) > kind.capacity):
        raise ChangeRefusedError(TrapKind.BOUND)
    return new


def _changed_sequence(
    change: Change, capacity: int, old: tuple[Value, ...], args: list[Value]
) -> Value:
    match change:
        case Change.APPEND:
            if len(old) >= capacity:
                raise ChangeRefusedError(TrapKind.BOUND)
            return (*old, args[0])
        case Change.POP_FIRST | Change.POP_LAST:
            if not old:
                raise ChangeRefusedError(TrapKind.MISSING)
            return old[1:] if change is Change.POP_FIRST else old[:-1]
    raise AssertionError(f"not a change of a sequence: {change}")

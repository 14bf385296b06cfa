"""What the lowering of a body knows: the function, where variables and locals are, the traps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ....language.ir.nodes import (
    Apply,
    Assign,
    Binder,
    Comprehension,
    Do,
    Expr,
    Fold,
    Local,
    Mutate,
    Op,
    TrapKind,
)
from ....language.ir.traps import trap_at
from ....language.ir.type_text import shown
from ....language.ir.types import BagType, SeqType, SetType, Type, cardinality
from ....language.labels import Trap
from ..layout import DENSE_LIMIT, Layout, LayoutError, StateLayout, layout_of
from .access import Place, Value
from .collections import Refuse
from .masks import Tables
from .text import Function, Pointer

LOCAL_ROOM = 64
"""Elements of a local set whose type has no bound of its own and is too large for bits."""


class TrapTable:
    """The traps that compiled code can run into, numbered from 1."""

    def __init__(self) -> None:
        self.traps: list[Trap] = []
        self._numbers: dict[Trap, int] = {}

    def number(self, trap: Trap) -> int:
        """The number of a trap, new or not."""
        if trap not in self._numbers:
            self.traps.append(trap)
            self._numbers[trap] = len(self.traps)
        return self._numbers[trap]


@dataclass
class Context:
    """The lowering of one body into one function.

    `variables` and `after` are the places of the state's variables. A local is a value (parameter,
    bound variable) or a place (`Bind` and `Choose` targets, which change). `on_trap` is the block
    that deals with the trap whose number is in `trap_slot`.
    """

    fn: Function
    traps: TrapTable
    trap_slot: Pointer
    on_trap: str
    tables: Tables
    variables: dict[str, Place] = field(default_factory=dict)
    after: dict[str, Place] = field(default_factory=dict)
    locals: dict[str, Value | Place] = field(default_factory=dict)

    def refuse(self, kind: TrapKind, node: Apply | Comprehension | Assign | Mutate) -> Refuse:
        """Code that runs into a trap at a node."""
        return self.refuse_with(trap_at(kind, node))

    def refuse_with(self, trap: Trap) -> Refuse:
        """Code that runs into a given trap."""

        def write() -> None:
            self.fn.store(self.trap_slot, self.traps.number(trap))
            self.fn.jump(self.on_trap)

        return write

    def overflow(self, subject: str) -> Refuse:
        """Code for a set that outgrew what compiled code has room for, where no bound is given."""
        message = f"{subject}: more elements at once than the explorer has room for"
        return self.refuse_with(Trap(TrapKind.BOUND, subject, message))


def state_places(layout: StateLayout, pointer: Pointer, fn: Function) -> dict[str, Place]:
    """The places of the variables in a packed state."""
    return {
        name: Place(part.layout, fn.offset(pointer, part.word), part.shift)
        for name, part in layout.parts.items()
    }


def result_layout(expr: Expr) -> Layout:
    """The layout of an expression's value.

    That of its type; for a set whose type is too large, and which is only passed through, one
    with room for as many elements as the expression can give.
    """
    return roomy_layout(expr.type, lambda: most_elements(expr))


def roomy_layout(kind: Type, room: Callable[[], int]) -> Layout:
    """The layout of a type; of a set or bag that is unbounded, with room for so many elements."""
    try:
        return layout_of(kind)
    except LayoutError:
        match kind:
            case SetType(element, None):
                return layout_of(SetType(element, _room(room(), kind)))
            case BagType(element, copies, None):
                return layout_of(BagType(element, copies, _room(room(), kind)))
        raise


def _room(wanted: int, kind: Type) -> int:
    if wanted > DENSE_LIMIT:
        raise LayoutError(f"a {shown(kind)} of up to {wanted} elements is too large to explore")
    return max(wanted, 1)


def most_elements(expr: Expr) -> int:
    """The most distinct elements that a collection expression can give."""
    match expr:
        case Apply(_, Op.SET | Op.BAG | Op.SEQ, args):
            return len(args)
        case Apply(_, Op.UNION, (left, right)):
            return most_elements(left) + most_elements(right)
        case Apply(_, Op.INTERSECTION, (left, right)):
            return min(most_elements(left), most_elements(right))
        case Apply(_, Op.DIFFERENCE | Op.TAKE | Op.DROP, (left, _)):
            return most_elements(left)
        case Apply(_, Op.IF, (_, left, right)):
            return max(most_elements(left), most_elements(right))
        case Apply(_, Op.COERCE, (inner,)):
            return min(most_elements(inner), _most_of(expr.type))
        case Comprehension(_, Fold.SET, binders):
            return min(_rounds(binders), _most_of(expr.type))
        case Local() if isinstance(expr.type, SetType | BagType) and expr.type.capacity is None:
            return min(LOCAL_ROOM, _most_of(expr.type))
        case Do(_, _, result):
            return most_elements(result)
    return _most_of(expr.type)


def _rounds(binders: tuple[Binder, ...]) -> int:
    count = 1
    for binder in binders:
        count *= most_elements(binder.source)
    return count


def _most_of(kind: Type) -> int:
    match kind:
        case SetType(element, capacity) | BagType(element, _, capacity):
            count = cardinality(element)
            return count if capacity is None else min(count, capacity)
        case SeqType(_, capacity):
            return capacity
    raise AssertionError(f"not a collection: {kind}")

"""What a trap says, by the IR node it is raised at. Every engine reports the same `Trap`.

A message names the place and never the values: compiled code does not carry them to the report,
and the trace shows them anyway.
"""

from __future__ import annotations

from ..labels import Trap
from .nodes import Apply, Assign, Comprehension, Expr, Index, Key, Mutate, Op, Path, TrapKind, Var

_MESSAGES = {
    TrapKind.BOUND: "a value of {} leaves its declared bound",
    TrapKind.INDEX: "{} has no element at this index",
    TrapKind.EMPTY: "the {} of no elements",
    TrapKind.NARROW: "{} is not of the kind needed here",
    TrapKind.DIVISION: "{} by zero",
    TrapKind.MISSING: "{} has no such element to take out",
}


def trap_at(kind: TrapKind, node: Apply | Comprehension | Assign | Mutate) -> Trap:
    """The trap of a kind raised at a node."""
    subject = _subject(kind, node)
    line = None if node.span is None else node.span.line
    return Trap(kind, subject, _MESSAGES[kind].format(subject), line)


def _subject(kind: TrapKind, node: Apply | Comprehension | Assign | Mutate) -> str:
    match node:
        case Assign() | Mutate() if kind is TrapKind.INDEX:
            steps = node.place.steps
            last = max((i for i, step in enumerate(steps) if isinstance(step, Index)), default=0)
            return place_name(Path(node.place.var, steps[:last], node.place.type))
        case Assign() | Mutate():
            return place_name(node.place)
        case Comprehension():
            return node.fold.value
        case Apply(_, Op.FLOORDIV | Op.MOD):
            return "division"
        case Apply():
            return node.label or (_name(node.args[0]) if node.args else "") or node.op.value


def place_name(place: Path) -> str:
    """The variable, with a mark for each step: `inbox[]`, `log[][]`."""
    return place.var + "".join("[]" if isinstance(s, Key) else "[.]" for s in place.steps)


def _name(expr: Expr) -> str:
    """The variable or local that an expression reads from, empty where there is no single one."""
    match expr:
        case Var(_, name):
            return name
        case Apply() if expr.name and expr.args:
            inner = _name(expr.args[0])
            return f"{inner}.{expr.name}" if inner else expr.name
        case Apply() if expr.args:
            return _name(expr.args[0])
    return ""

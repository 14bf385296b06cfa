"""Making IR expressions: operators with their result types, constants folded on the way."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from ..ir.nodes import Apply, Const, Expr, Op, Span
from ..ir.types import BOOL, IntType, NodeType, OptionType, SetType, Type
from .typing_rules import most_elements, within

LIMIT = 2**62


class OutOfRange(Exception):
    """An int expression whose value may leave what the engines compute with."""


def integer(value: int, span: Span | None = None) -> Const:
    """An int literal."""
    return Const(IntType(value, value), value, span)


def truth(value: bool, span: Span | None = None) -> Const:
    """A bool literal."""
    return Const(BOOL, value, span)


def is_true(expr: Expr) -> bool:
    """Whether an expression is the literal True."""
    return isinstance(expr, Const) and expr.value is True


def is_false(expr: Expr) -> bool:
    """Whether an expression is the literal False."""
    return isinstance(expr, Const) and expr.value is False


def negation(expr: Expr, span: Span | None = None) -> Expr:
    """Not."""
    if isinstance(expr, Const):
        return truth(not expr.value, span)
    if isinstance(expr, Apply) and expr.op is Op.NOT:
        return expr.args[0]
    return Apply(BOOL, Op.NOT, (expr,), span=span)


def junction(op: Op, args: Sequence[Expr], span: Span | None = None) -> Expr:
    """and, or: flattened, with literals removed."""
    neutral = op is Op.AND
    kept: list[Expr] = []
    for arg in args:
        if isinstance(arg, Const):
            if arg.value is not neutral:
                # What comes before may still trap, so only the rest can be left out.
                kept.append(arg)
                break
        elif isinstance(arg, Apply) and arg.op is op:
            kept.extend(arg.args)
        else:
            kept.append(arg)
    if kept and isinstance(kept[-1], Const) and not any(map(may_trap, kept[:-1])):
        return truth(not neutral, span)
    if not kept:
        return truth(neutral, span)
    return kept[0] if len(kept) == 1 else Apply(BOOL, op, tuple(kept), span=span)


def may_trap(expr: Expr) -> bool:
    """Whether evaluating may trap; True where it is not obvious."""
    if isinstance(expr, Apply):
        checked = expr.op in (Op.AT, Op.FLOORDIV, Op.MOD)  # NARROW follows a test, and never does
        coerced = expr.op is Op.COERCE and not within(expr.args[0].type, expr.type)
        return checked or coerced or any(map(may_trap, expr.args))
    return not isinstance(expr, Const) and hasattr(expr, "body")


def arithmetic(op: Op, args: Sequence[Expr], span: Span | None = None) -> Expr:
    """An int operator, with the interval of its result. OutOfRange beyond +-2**62."""
    if all(isinstance(arg, Const) for arg in args):
        folded = _folded(op, [arg.value for arg in args if isinstance(arg, Const)])
        if folded is not None and abs(folded) <= LIMIT:
            return integer(folded, span)
    bounds = [arg.type for arg in args]
    ranges = [(b.low, b.high) for b in bounds if isinstance(b, IntType)]
    low, high = _interval(op, ranges)
    if low < -LIMIT or high > LIMIT:
        raise OutOfRange
    return Apply(IntType(low, high), op, tuple(args), span=span)


def _folded(op: Op, values: Sequence[object]) -> int | None:
    """The value of an operator on literals; None where it has none."""
    numbers = [value for value in values if isinstance(value, int)]
    if op in (Op.FLOORDIV, Op.MOD) and numbers[1] == 0:
        return None
    return _FOLDED[op](*numbers)


_FOLDED: dict[Op, Callable[..., int]] = {
    Op.NEG: operator.neg,
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
    Op.FLOORDIV: operator.floordiv,
    Op.MOD: operator.mod,
    Op.MIN: min,
    Op.MAX: max,
}


def _interval(op: Op, ranges: list[tuple[int, int]]) -> tuple[int, int]:
    if op is Op.NEG:
        return -ranges[0][1], -ranges[0][0]
    (a, b), (c, d) = ranges
    match op:
        case Op.ADD:
            return a + c, b + d
        case Op.SUB:
            return a - d, b - c
        case Op.MUL:
            corners = [a * c, a * d, b * c, b * d]
            return min(corners), max(corners)
        case Op.MIN:
            return min(a, c), min(b, d)
        case Op.MAX:
            return max(a, c), max(b, d)
        case Op.FLOORDIV:
            divisors = [x for x in (c, d, -1, 1) if c <= x <= d and x != 0] or [1]
            corners = [x // y for x in (a, b) for y in divisors]
            return min(corners), max(corners)
        case Op.MOD:
            return min(0, c + 1), max(0, d - 1)
    raise TypeError(op)


def comparison(op: Op, left: Expr, right: Expr, span: Span | None = None) -> Expr:
    """eq, lt, le of operands of the same type; ints by their intervals where that decides."""
    if isinstance(left, Const) and isinstance(right, Const):
        a, b = left.value, right.value
        if op is Op.EQ:
            return truth(a == b, span)
        if isinstance(a, int) and isinstance(b, int):
            return truth(a < b if op is Op.LT else a <= b, span)
    return Apply(BOOL, op, (left, right), span=span)


def conditional(condition: Expr, then: Expr, orelse: Expr, span: Span | None = None) -> Expr:
    """Two arms of the same type."""
    if isinstance(condition, Const):
        return then if condition.value else orelse
    return Apply(then.type, Op.IF, (condition, then, orelse), span=span)


def size(collection: Expr, span: Span | None = None) -> Expr:
    """len(...) of a collection."""
    most = most_elements(collection.type)
    if isinstance(collection, Apply) and collection.op is Op.DOMAIN:
        return integer(most, span)
    return Apply(IntType(0, most), Op.SIZE, (collection,), span=span)


def domain(element: Type, span: Span | None = None) -> Apply:
    """All values of a type."""
    return Apply(SetType(element), Op.DOMAIN, span=span)


def is_node_domain(expr: Expr) -> bool:
    """Whether an expression is a node set."""
    return (
        isinstance(expr, Apply)
        and expr.op is Op.DOMAIN
        and isinstance(expr.type, SetType)
        and isinstance(expr.type.element, NodeType)
    )


def none(kind: OptionType, span: Span | None = None) -> Const:
    """None, as a value of an option type."""
    return Const(kind, None, span)

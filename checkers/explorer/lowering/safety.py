"""Which expressions cannot run into a trap, whatever the state: those may be evaluated early.

Conservative: False only says that it is not known. What a condition has established is a *fact*:
after `isinstance(m, Promise) and`, `m` is a Promise; after `x is not None and`, `x` is something.
"""

from __future__ import annotations

from ....language.ir.nodes import (
    Apply,
    Bind,
    Binder,
    Comprehension,
    Const,
    Do,
    Expr,
    Fold,
    Local,
    Op,
    Var,
)
from ....language.ir.types import (
    BagType,
    IntType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from ..layout import Array, Bits, LayoutError, layout_of

Fact = tuple[Expr, str]
"""A union and the name of the record that it is; an option and '': it is not None."""

Facts = frozenset[Fact]

NOTHING: Facts = frozenset()


def safe(expr: Expr, facts: Facts = NOTHING) -> bool:
    """Whether the expression has a value, given the facts."""
    match expr:
        case Const() | Local() | Var():
            return True
        case Apply(op=Op.AND | Op.OR as op, args=args):
            return _in_turn(args, facts, op is Op.AND)
        case Apply(op=Op.IF, args=(test, then, orelse)):
            return (
                safe(test, facts)
                and safe(then, facts | _established(test, True))
                and safe(orelse, facts | _established(test, False))
            )
        case Apply(args=args):
            return all(safe(arg, facts) for arg in args) and _defined(expr, facts)
        case Comprehension(binders=binders):
            return _fold_safe(expr, binders, facts)
        case Do(_, body, result):
            plain = all(isinstance(stmt, Bind) and safe(stmt.value, facts) for stmt in body)
            return plain and safe(result, facts)


def _in_turn(args: tuple[Expr, ...], facts: Facts, truth: bool) -> bool:
    for arg in args:
        if not safe(arg, facts):
            return False
        facts |= _established(arg, truth)
    return True


def _established(test: Expr, truth: bool) -> Facts:
    """What is known where a test has come out so."""
    match test:
        case Apply(op=Op.NOT, args=(inner,)):
            return _established(inner, not truth)
        case Apply(op=Op.AND | Op.OR as op, args=args) if (op is Op.AND) == truth:
            return frozenset().union(*(_established(arg, truth) for arg in args))
        case Apply(op=Op.IS, args=(union,), name=name) if truth:
            return frozenset({(union, name)})
        case Apply(op=Op.IS_NONE, args=(option,)) if not truth:
            return frozenset({(option, "")})
    return NOTHING


def _defined(expr: Apply, facts: Facts) -> bool:
    """Whether an operator gives a value for values."""
    match expr.op:
        case Op.NARROW:
            name = expr.type.name if isinstance(expr.type, RecordType) else ""
            source = expr.args[0]
            union = isinstance(source.type, UnionType)
            return (source, name if union else "") in facts
        case Op.FLOORDIV | Op.MOD:
            divisor = expr.args[1]
            return isinstance(divisor, Const) and divisor.value != 0
        case Op.COERCE:
            return _fits(expr.args[0].type, expr.type)
        case Op.AT:
            return False
    return _has_room(expr.type)


def _fits(given: Type, wanted: Type) -> bool:
    """Whether every value of a type is one of another."""
    match given, wanted:
        case IntType(), IntType():
            return wanted.low <= given.low and given.high <= wanted.high
        case OptionType(inner), OptionType(other):
            return _fits(inner, other)
        case _, OptionType(inner):
            return _fits(given, inner)
        case RecordType(), UnionType():
            return True
    return given == wanted


def _has_room(kind: Type) -> bool:
    """Whether a collection of the type is never too full to be made."""
    match kind:
        case SetType(_, capacity):
            return capacity is None and _dense(kind)
        case BagType():
            return False
        case SeqType():
            return True  # the type of an operator's result has room for what it can give
    return True


def _dense(kind: Type) -> bool:
    try:
        return isinstance(layout_of(kind), Bits | Array)
    except LayoutError:
        return False


def _fold_safe(expr: Comprehension, binders: tuple[Binder, ...], facts: Facts) -> bool:
    for binder in binders:
        if not safe(binder.source, facts):
            return False
        if binder.condition is not None:
            if not safe(binder.condition, facts):
                return False
            facts |= _established(binder.condition, True)
    if expr.fold in (Fold.MIN, Fold.MAX) and expr.default is None:
        return False
    given = expr.default is None or safe(expr.default, facts)
    return given and safe(expr.body, facts) and _has_room(expr.type)

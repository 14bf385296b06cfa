"""Which locals share a live collection with a state variable under CPython.

Stores copy, and what is in sets and records is frozen; a local is a second name. Reading it after
the variable was changed in place would differ between CPython and compiled code, so that is
refused (`Code.ALIAS`), and this module says which locals it is about.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..collections import Seq, Set
from ..diagnostics import Code
from ..ir.nodes import Apply, Comprehension, Do, Expr, Local, Op, Var
from ..ir.types import BagType, MapType, OptionType, SeqType, SetType, Type
from .context import Body, Unit

_SAME = (Op.GET, Op.AT, Op.COERCE, Op.NARROW)
_ELEMENTS = (
    Op.SET, Op.SEQ, Op.UNION, Op.INTERSECTION, Op.DIFFERENCE, Op.CONCAT, Op.TAKE, Op.DROP,
)  # fmt: skip


def may_be_live(kind: Type) -> bool:
    """Whether values of a type can be live collections; what is in a record never is."""
    if isinstance(kind, OptionType):
        return may_be_live(kind.inner)
    return isinstance(kind, SetType | SeqType | BagType | MapType)


def variables_shared(unit: Unit, expr: Expr) -> frozenset[str]:
    """The variables whose live collections the value of an expression is, or has elements of."""
    if not may_be_live(expr.type):
        return frozenset()
    match expr:
        case Var():
            return frozenset() if expr.after else frozenset({expr.name})
        case Local():
            return unit.aliases.get(expr.name, frozenset())
        case Do():
            return variables_shared(unit, expr.result)
        case Comprehension():
            sources = (binder.source for binder in expr.binders)
            return _of_elements(unit, expr.body.type, expr.body, *sources)
        case Apply(_, op, args) if op in _SAME:
            return variables_shared(unit, args[0])
        case Apply(_, Op.IF, (_, then, orelse)):
            return variables_shared(unit, then) | variables_shared(unit, orelse)
        case Apply(kind, op, args) if op in _ELEMENTS:
            assert isinstance(kind, SetType | SeqType)
            return _of_elements(unit, kind.element, *args)
    return frozenset()


def _of_elements(unit: Unit, element: Type, *parts: Expr) -> frozenset[str]:
    if not may_be_live(element):
        return frozenset()
    return frozenset().union(*(variables_shared(unit, part) for part in parts))


def note_alias(unit: Unit, local: str, value: Expr) -> None:
    """Remember what a local that is set to `value` shares; it is up to date now."""
    unit.stale.pop(local, None)
    unit.aliases.pop(local, None)
    shared = variables_shared(unit, value)
    if shared:
        unit.aliases[local] = shared


def note_element(unit: Unit, local: str, kind: Type, source: Expr) -> None:
    """The same for a local that runs over the elements of a collection."""
    unit.stale.pop(local, None)
    unit.aliases.pop(local, None)
    if may_be_live(kind):
        shared = variables_shared(unit, source)
        if shared:
            unit.aliases[local] = shared


def is_python_set(body: Body, node: ast.expr) -> bool:
    """Whether CPython has a set of its own here, which has no order of iteration."""
    return _builtin(body, node, (ast.Set, ast.SetComp), frozenset())


def require_hashable(body: Body, node: ast.expr) -> None:
    """Refuse an element of a display that is a set or list of Python's, which no set can hold."""
    if _builtin(body, node, (ast.Set, ast.SetComp, ast.List), frozenset()):
        advice = "write `Set(...)`, or `Seq(...)` of a list"
        message = "CPython cannot hold this in a set"
        body.fail(Code.TYPE, message, node, advice)


def is_copy(body: Body, node: ast.expr) -> bool:
    """Whether an expression copies a collection: `Set(self.sent)`."""
    match node:
        case ast.Call(func=ast.Name() as function, args=[_]):
            found = body.global_value(function.id)
            return found is not None and found.value in (Set, Seq, set, frozenset)
    return False


def _builtin(
    body: Body, node: ast.expr, displays: tuple[type[ast.expr], ...], seen: frozenset[str]
) -> bool:
    match node:
        case ast.IfExp(body=then, orelse=orelse):
            return any(_builtin(body, arm, displays, seen) for arm in (then, orelse))
        case ast.BinOp(left=left, right=right):
            return all(_builtin(body, part, displays, seen) for part in (left, right))
        case ast.Call(func=ast.Name(id="set")):
            return True
        case ast.Name(id=name) if name not in seen:
            values = _stored_values(body.node, name)
            return any(_builtin(body, value, displays, seen | {name}) for value in values)
    return isinstance(node, displays)


def _stored_values(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                if target == name:
                    yield value

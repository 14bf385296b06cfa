"""Places in the state, and the statements that change what is there."""

from __future__ import annotations

import ast

from .. import declarations
from ..diagnostics import Code
from ..ir.nodes import (
    Assign,
    Change,
    Expr,
    Index,
    Key,
    Mutate,
    Path,
    Require,
    Stmt,
)
from ..ir.traps import place_name
from ..ir.types import BagType, IntType, MapType, OptionType, SeqType, SetType, Type
from . import construct
from .context import Body, Constant, SpecObject
from .expressions import coerce, condition, expression, expression_hinted, meaning
from .inlining import forget_variable
from .narrowing import learn
from .typing_rules import describe

CHANGES: dict[type, dict[str, Change]] = {
    SetType: {
        "add": Change.ADD,
        "discard": Change.DISCARD,
        "remove": Change.REMOVE,
        "update": Change.UNITE,
        "clear": Change.CLEAR,
    },
    BagType: {
        "add": Change.ADD,
        "discard": Change.DISCARD,
        "remove": Change.REMOVE,
        "clear": Change.CLEAR,
    },
    SeqType: {"append": Change.APPEND, "pop": Change.POP_LAST, "clear": Change.CLEAR},
}


def place(body: Body, target: ast.expr) -> Path:
    """The place that an assignment or a change is about: a variable, or something inside it."""
    match target:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            found = body.names.get(name)
            if isinstance(found, SpecObject):
                return _variable(body, found, attribute, target)
        case ast.Subscript(value=inner, slice=index):
            return _inner(body, place(body, inner), index, target)
        case ast.Tuple() | ast.List() | ast.Starred():
            advice = "one name at a time: `a = x`, then `b = y`"
            body.fail(Code.SUBSET, "several targets are outside the language", target, advice)
    advice = "records are values: build another one; locals are bound with `x = ...`"
    body.fail(Code.EFFECT, "only state variables can be changed", target, advice)


def _variable(body: Body, found: SpecObject, name: str, node: ast.expr) -> Path:
    if found.after or not body.effects:
        body.fail(Code.EFFECT, "the state cannot be changed here, only in an action", node)
    if name not in body.shape.variables:
        known = ", ".join(body.shape.variables)
        what = "a parameter" if name in body.shape.parameters else "not a variable"
        advice = f"the variables are: {known}" if known else "there are no variables"
        if hasattr(body.shape.spec, name) and name not in body.shape.parameters:
            advice = f"give it a type where it is declared: `{name}: ... = ...`"
        body.fail(Code.NAME, f"{name!r} is {what}", node, advice)
    return Path(name, (), body.shape.variables[name].type, body.span(node))


def _inner(body: Body, outer: Path, index: ast.expr, node: ast.expr) -> Path:
    span = body.span(node)
    match outer.type:
        case MapType(key, value):
            at = coerce(body, expression(body, index), key, index, place_name(outer))
            return Path(outer.var, (*outer.steps, Key(at)), value, span)
        case SeqType(element, _):
            at = expression(body, index)
            if isinstance(at.type, IntType):
                return Path(outer.var, (*outer.steps, Index(at)), element, span)
        case OptionType():
            body.fail(Code.NONE, "this may be None here", node)
    body.fail(Code.TYPE, f"{describe(outer.type)} has no places inside", node)


def assign(body: Body, where: Path, value: Expr, node: ast.expr) -> Stmt:
    """Store a value; what tests have shown of the variable no longer holds."""
    stored = coerce(body, value, where.type, node, place_name(where))
    changed(body, where, node, in_place=bool(where.steps))
    return Assign(where, stored, body.span(node))


def changed(body: Body, where: Path, node: ast.AST, *, in_place: bool) -> None:
    """Note that a variable changed: for flow typing and for locals that share its collections."""
    forget_variable(body, where.var)
    if in_place:
        for local, shared in body.unit.aliases.items():
            if where.var in shared:
                body.unit.stale[local] = body.span(node)


def change_statement(body: Body, node: ast.Call) -> list[Stmt]:
    """A call as a statement: require, a helper with effects, or a change of a collection."""
    from .inlining import inline_procedure, method_of

    target = method_of(body, node.func)
    if target is not None:
        if not body.effects:
            body.fail(Code.EFFECT, "a helper with a value cannot have effects", node)
        if target.function.__name__ == "lose_volatile" and target.spec is not None:
            from .volatile import lose_volatile

            return lose_volatile(body, node)
        return inline_procedure(body, target, node)
    found = meaning(body, node.func)
    if isinstance(found, Constant) and found.value is declarations.require:
        return _require(body, node)
    if isinstance(found, Constant):
        message = f"{ast.unparse(node.func)}() is outside the language as a statement"
        body.fail(
            Code.SUBSET, message, node, "a guard is require(...); state is changed by methods"
        )
    if isinstance(node.func, ast.Attribute):
        return [mutate(body, place(body, node.func.value), node.func.attr, node)]
    body.fail(Code.SUBSET, "this call is outside the language", node)


def _require(body: Body, node: ast.Call) -> list[Stmt]:
    if not body.guards:
        body.fail(Code.EFFECT, "require() belongs in an action", node)
    if len(node.args) != 1 or node.keywords:
        body.fail(Code.CALL, "require() takes one condition", node)
    test = condition(body, node.args[0])
    body.narrowed = {**body.narrowed, **learn(body, node.args[0], True)}
    return [] if construct.is_true(test) else [Require(test, body.span(node.args[0]))]


def mutate(body: Body, where: Path, method: str, node: ast.expr) -> Mutate:
    """A change by method name; for "update" of an augmented assignment, `node` is the operand."""
    known = CHANGES.get(type(where.type), {})
    if method not in known:
        allowed = ", ".join(known) or "none: assign a new value"
        message = f"{describe(where.type)} has no change {method!r}"
        body.fail(Code.CALL, message, node, f"changes: {allowed}")
    change = known[method]
    given = node.args if isinstance(node, ast.Call) and _calls(node, method) else [node]
    if change is Change.POP_LAST:
        change, given = _pop_end(body, given, node), []
    kind = _argument_type(change, where.type)
    if len(given) != (kind is not None):
        body.fail(Code.CALL, f"{method}() takes {int(kind is not None)} argument(s)", node)
    args = [] if kind is None else [_changed_by(body, given[0], kind, where)]
    changed(body, where, node, in_place=True)
    return Mutate(change, where, tuple(args), body.span(node))


def _calls(node: ast.Call, method: str) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == method


def _pop_end(body: Body, given: list[ast.expr], node: ast.expr) -> Change:
    match given:
        case []:
            return Change.POP_LAST
        case [ast.Constant(value=0)]:
            return Change.POP_FIRST
    body.fail(Code.CALL, "pop() takes the last element, pop(0) the first", node)


def _argument_type(change: Change, kind: Type) -> Type | None:
    assert isinstance(kind, SetType | SeqType | BagType)
    if change in (Change.CLEAR, Change.POP_FIRST, Change.POP_LAST):
        return None
    return SetType(kind.element) if change is Change.UNITE else kind.element


def _changed_by(body: Body, node: ast.expr, kind: Type, where: Path) -> Expr:
    value = expression_hinted(body, node, kind, place_name(where))
    if isinstance(value.type, SetType) and isinstance(kind, SetType):
        kind = SetType(kind.element, value.type.capacity)
    return coerce(body, value, kind, node, place_name(where))

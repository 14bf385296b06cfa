"""Helpers are inlined: a method or function that has a value, or one that changes the state."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..diagnostics import Code
from ..ir.evaluator import parameter_of
from ..ir.nodes import Apply, Bind, Const, Do, Expr, Local, Op, Stmt, Var
from ..ir.types import ANY_INT, OptionType, Type
from .aliases import note_alias
from .context import Body, Constant, Meaning, SpecObject, open_body
from .expressions import coerce, expression, expression_hinted, meaning
from .scopes import assigned_names, written_variables

MAX_DEPTH = 24


@dataclasses.dataclass(frozen=True)
class Target:
    """A function to inline; for a method, the class that defines it and what it is called on."""

    function: Callable[..., Any]
    owner: type | None
    spec: SpecObject | None


def method_of(body: Body, function: ast.expr) -> Target | None:
    """The method that `self.name` or `super().name` calls; None for anything else."""
    if not isinstance(function, ast.Attribute):
        return None
    name = function.attr
    match function.value:
        case ast.Call(func=ast.Name(id="super"), args=[]) if body.owner is not None:
            classes = body.shape.spec.__mro__
            later = classes[classes.index(body.owner) + 1 :]
            spec = next(m for m in body.names.values() if isinstance(m, SpecObject))
            return _find(body, later, name, spec, function)
        case ast.Name():
            found = meaning(body, function.value)
            if isinstance(found, SpecObject):
                return _find(body, body.shape.spec.__mro__, name, found, function)
    return None


def _find(
    body: Body, classes: tuple[type, ...], name: str, spec: SpecObject, node: ast.expr
) -> Target:
    for owner in classes:
        if name in owner.__dict__:
            function = owner.__dict__[name]
            if isinstance(function, staticmethod):
                return Target(function.__func__, owner, None)
            if isinstance(function, types.FunctionType) and function.__name__ != "<lambda>":
                return Target(function, owner, spec)
            advice = "write a method: `def name(self, ...)`"
            body.fail(Code.SUBSET, f"{name!r} is not a plain method", node, advice)
    message = f"{body.shape.spec.__name__} has no method {name!r}"
    body.fail(Code.NAME, message, node)


def child_body(body: Body, target: Target, node: ast.Call) -> Body:
    """A body for an inlined function, without its parameters bound yet."""
    if len(body.calls) > MAX_DEPTH:
        message = f"helpers call each other more than {MAX_DEPTH} deep"
        body.fail(Code.RECURSION, message, node, "write some of them into their callers")
    if target.function in body.calls:
        message = f"{target.function.__name__} calls itself"
        advice = "write a loop or a comprehension over a finite collection"
        body.fail(Code.RECURSION, message, node, advice)
    child = open_body(
        body.shape, body.sources, body.sink, body.unit, target.function, target.owner, (body, node)
    )
    child.calls = (*body.calls, target.function)
    return child


_signature = lru_cache(maxsize=1024)(inspect.signature)


def bind_arguments(
    body: Body, child: Body, target: Target, node: ast.Call, *, by_value: bool
) -> list[Stmt]:
    """Bind the parameters of an inlined function; returns the `Bind`s that come first."""
    signature = _signature(target.function)
    if any(isinstance(a, ast.Starred) for a in node.args) or any(not k.arg for k in node.keywords):
        body.fail(Code.SUBSET, "a starred argument is outside the language", node)
    keywords: dict[str, Any] = {k.arg: k.value for k in node.keywords if k.arg}
    leading: list[Any] = [] if target.spec is None else [target.spec]
    try:
        bound = signature.bind(*leading, *node.args, **keywords)
    except TypeError as error:
        body.fail(Code.CALL, f"{target.function.__name__}(): {error}", node)
    bound.apply_defaults()
    assigned = assigned_names(child.node)
    annotations = {a.arg: a.annotation for a in child.node.args.args if a.annotation}
    binds: list[Stmt] = []
    for name, argument in bound.arguments.items():
        child.names[name] = _argument(
            body, child, name, argument, annotations.get(name), binds,
            by_value=by_value, rebound=name in assigned, node=node,
        )  # fmt: skip
    return binds


def _argument(
    body: Body,
    child: Body,
    name: str,
    argument: Any,
    annotation: ast.expr | None,
    binds: list[Stmt],
    *,
    by_value: bool,
    rebound: bool,
    node: ast.Call,
) -> Meaning:
    if isinstance(argument, SpecObject):
        return argument
    if not isinstance(argument, ast.AST):
        return Constant(argument)
    assert isinstance(argument, ast.expr)
    found = meaning(body, argument)
    if isinstance(found, SpecObject):
        return found
    if isinstance(found, Constant) and isinstance(found.value, type | types.FunctionType):
        return found
    kind = None if annotation is None else child.annotation(annotation)
    expr = _fitted(body, argument, kind)
    # A parameter stays one, so that a guard in the helper can say what its values are drawn from.
    simple = isinstance(expr, Const) or parameter_of(expr) is not None or _is_domain(expr)
    if not rebound and (simple or (not by_value and _is_path(expr))):
        return expr
    return bind_local(child, name, expr, binds, node)


def _fitted(body: Body, argument: ast.expr, kind: Type | None) -> Expr:
    if kind is None or kind == ANY_INT:
        return expression(body, argument)
    if isinstance(kind, OptionType) and kind.inner == ANY_INT:
        return expression_hinted(body, argument, None)
    expr = expression_hinted(body, argument, kind)
    return coerce(body, expr, kind, argument)


def _is_domain(expr: Expr) -> bool:
    return isinstance(expr, Apply) and expr.op is Op.DOMAIN


def _is_path(expr: Expr) -> bool:
    """Whether an expression is cheap enough to be evaluated at each use."""
    while isinstance(expr, Apply) and expr.op in (Op.GET, Op.FIELD, Op.NARROW, Op.COERCE):
        if any(not isinstance(arg, Const | Local) for arg in expr.args[1:]):
            return False
        expr = expr.args[0]
    return isinstance(expr, Var | Local | Const)


def bind_local(body: Body, name: str, expr: Expr, out: list[Stmt], node: ast.AST) -> Local:
    """Bind a fresh local to a value."""
    local = body.unit.fresh(name)
    body.unit.types[local] = expr.type
    body.unit.defined.add(local)
    note_alias(body.unit, local, expr)
    out.append(Bind(local, expr.type, expr, body.span(node) if body.file else None))
    return Local(expr.type, local)


def inline_value(body: Body, target: Target, node: ast.Call) -> Expr:
    """A call of a helper that has a value and no effects."""
    child = child_body(body, target, node)
    binds = bind_arguments(body, child, target, node, by_value=False)
    result = value_of(child)
    if not binds and not isinstance(result, Do):
        return result
    inner = result.body if isinstance(result, Do) else ()
    final = result.result if isinstance(result, Do) else result
    return Do(result.type, (*binds, *inner), final, body.span(node))


def value_of(child: Body) -> Expr:
    """The value of a function whose parameters are bound: its return expression, or a Do."""
    from .statements import returning

    statements = without_docstring(child.node)
    expected = _return_type(child)
    match statements:
        case [ast.Return(value=ast.expr() as value)]:
            if expected is None:
                return expression(child, value)
            return coerce(child, expression_hinted(child, value, expected), expected, value)
    return returning(child, statements, expected)


def _return_type(child: Body) -> Type | None:
    if child.node.returns is None:
        return None
    if isinstance(child.node.returns, ast.Constant) and child.node.returns.value is None:
        name = child.node.name
        advice = "it is a statement of its own"
        child.fail(Code.EFFECT, f"{name}() has no value", child.node.returns, advice)
    kind = child.annotation(child.node.returns)
    return None if ANY_INT in (kind, getattr(kind, "inner", None)) else kind


def without_docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function."""
    match function.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return function.body


def inline_procedure(body: Body, target: Target, node: ast.Call) -> list[Stmt]:
    """A call of a helper for its effects."""
    from .statements import block

    child = child_body(body, target, node)
    child.effects, child.guards = body.effects, body.guards
    binds = bind_arguments(body, child, target, node, by_value=True)
    statements, _ = block(child, without_docstring(child.node), None)
    for variable in written_variables(statements):
        forget_variable(body, variable)
    return [*binds, *statements]


def forget_variable(body: Body, variable: str) -> None:
    """Drop what tests have shown of a state variable that is stored to."""
    for key in list(body.narrowed):
        if f".{variable}" in key:
            del body.narrowed[key]

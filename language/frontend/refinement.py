"""Refinement mappings: a method that returns the abstract spec in the state it maps to."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..diagnostics import Code
from ..ir.nodes import Do, Expr, Stmt
from ..shape import Shape
from .context import Body, Constant, SpecObject
from .expressions import coerce, expression_hinted, meaning
from .initial import plain_value
from .inlining import without_docstring
from .statements import block

Mapping = Callable[[Shape], tuple[Expr, ...]]


def refinement_mapping(body: Body, abstract: type) -> tuple[dict[str, Any], Mapping]:
    """The abstract spec's parameters, and a function from its shape to its variables' values."""
    *statements, last = without_docstring(body.node)
    match last:
        case ast.Return(value=ast.Call(func=function, args=[], keywords=keywords) as call):
            found = meaning(body, function)
            if isinstance(found, Constant) and found.value is abstract:
                given = {k.arg: k.value for k in keywords if k.arg}
                leading, _ = block(body, statements, None)
                return _parameters(body, abstract, given), _values(body, call, given, leading)
    name = abstract.__name__
    advice = f"end with `return {name}(parameter=..., variable=...)`"
    body.fail(Code.SUBSET, f"this does not return a {name}", body.node, advice)


def _parameters(body: Body, abstract: Any, given: dict[str, ast.expr]) -> dict[str, Any]:
    from ..shape import parameter_attributes

    found: dict[str, Any] = {}
    for attribute in parameter_attributes(abstract):
        if attribute.name in given:
            found[attribute.name] = _known(body, given[attribute.name])
    return found


def _known(body: Body, node: ast.expr) -> Any:
    """The value of a parameter of the abstract spec: a parameter of this one, or a constant."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            owner = body.names.get(name)
            if isinstance(owner, SpecObject) and attribute in body.shape.parameters:
                return body.shape.parameters[attribute]
    found = meaning(body, node)
    if isinstance(found, Constant):
        return found.value
    body.fail(Code.SUBSET, "a parameter of the abstract spec must be known beforehand", node)


def _values(body: Body, call: ast.Call, given: dict[str, ast.expr], leading: list[Stmt]) -> Mapping:
    def mapping(shape: Shape) -> tuple[Expr, ...]:
        unknown = set(given) - set(shape.variables) - set(shape.parameters)
        if unknown:
            known = ", ".join([*shape.parameters, *shape.variables])
            message = f"{shape.spec.__name__} has no {min(unknown)!r}"
            body.fail(Code.NAME, message, call, f"it has: {known}")
        values = []
        for name, variable in shape.variables.items():
            if name in given:
                node = given[name]
                value = expression_hinted(body, node, variable.type)
                value = coerce(body, value, variable.type, node, name)
            else:
                value = plain_value(body, variable.initial, variable.type, call)
            values.append(Do(value.type, tuple(leading), value) if leading else value)
        return tuple(values)

    return mapping

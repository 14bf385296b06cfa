"""What only the source of a class shows of its methods: doubles, and decorators that hide them."""

from __future__ import annotations

import abc
import ast
import builtins
import sys
import typing
from typing import Any

from .. import declarations
from ..diagnostics import Code, Diagnostics
from .source import SourceFile, Sources

_ROLES = (
    *(getattr(declarations, kind) for kind in (
        "action", "request", "deliver", "drop", "duplicate", "timeout", "crash", "restart",
        "partition", "heal", "invariant", "witness", "step_property", "step_witness", "constraint",
        "start", "assume", "always_possible", "refines",
    )),
)  # fmt: skip
_HARMLESS = (abc.abstractmethod, typing.final, getattr(typing, "override", None))
_BUILTIN = (staticmethod, classmethod, property)


def check_methods(owner: type, sources: Sources, sink: Diagnostics) -> None:
    """Note the errors of the methods in the body of a spec class."""
    found = sources.class_body(owner)
    if found is None:
        return
    body, file = found
    lines: dict[str, int] = {}
    for node in body.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        if node.name in lines:
            message = f"{node.name} is defined twice: the first (line {lines[node.name]}) is lost"
            sink.error(Code.DECLARATION, message, file.span(node), "give it a name of its own")
        lines[node.name] = node.lineno
        _check_decorators(owner, node, file, sink)


def _check_decorators(
    owner: type, node: ast.FunctionDef, file: SourceFile, sink: Diagnostics
) -> None:
    values = [_value(owner, decorator) for decorator in node.decorator_list]
    role = any(value in _ROLES for value in values)
    for value, decorator in zip(values, node.decorator_list, strict=True):
        name = ast.unparse(decorator)
        if value in _BUILTIN and role:
            message = f"@{name} on a method with a role"
            sink.error(Code.DECLARATION, message, file.span(decorator), "its parameter is the spec")
        elif value not in (*_ROLES, *_HARMLESS, *_BUILTIN):
            message = f"the decorator @{name} is outside the language"
            advice = "what it does would be lost; write it into the method, or call a helper"
            sink.error(Code.SUBSET, message, file.span(decorator), advice)


def _value(owner: type, decorator: ast.expr) -> Any:
    """What a decorator (of a call, its function) is, by the names of the module."""
    match decorator:
        case ast.Call(func=function):
            return _value(owner, function)
        case ast.Name(id=name):
            scope = vars(sys.modules[owner.__module__])
            return scope.get(name, getattr(builtins, name, None))
        case ast.Attribute(value=inner, attr=name):
            return getattr(_value(owner, inner), name, None)
    return None

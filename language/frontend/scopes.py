"""Which names a function stores to, and which variables statements change."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ..ir.nodes import Assign, For, If, Mutate, Stmt

_SCOPES = (ast.SetComp, ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


@lru_cache(maxsize=1024)
def assigned_names(function: ast.FunctionDef) -> dict[str, int]:
    """The names a function stores to, with how often. Comprehensions have names of their own."""
    return _counted(function.body)


def assigned_in(nodes: Sequence[ast.stmt]) -> dict[str, int]:
    """The same for some of its statements."""
    return _counted(nodes)


def _counted(nodes: Sequence[ast.AST]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in (name for node in nodes for name in _all_stored(node)):
        counts[name] = counts.get(name, 0) + 1
    return counts


@lru_cache(maxsize=4096)
def _all_stored(node: ast.AST) -> tuple[str, ...]:
    return tuple(_stored(node))


def _stored(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            yield name
    if not isinstance(node, _SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _stored(child)


def attributes_changed(nodes: Sequence[ast.stmt]) -> set[str] | None:
    """The attributes that statements may store to or change; None where a helper may change any."""
    found: set[str] = set()
    for statement in nodes:
        changed = _changed_by(statement)
        if changed is None:
            return None
        found |= changed
    return found


@lru_cache(maxsize=4096)
def _changed_by(statement: ast.stmt) -> frozenset[str] | None:
    found: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() | ast.Call()))):
                return None
            case ast.Call(func=ast.Attribute(value=place)):
                found |= _attributes(place)
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                found |= _attributes(node)
    return frozenset(found)


def _attributes(node: ast.AST) -> set[str]:
    return {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}


def written_variables(statements: Sequence[Stmt]) -> Iterator[str]:
    """The state variables that statements store to or change, with repetitions."""
    for statement in statements:
        match statement:
            case Assign() | Mutate():
                yield statement.place.var
            case If():
                yield from written_variables(statement.then)
                yield from written_variables(statement.orelse)
            case For():
                yield from written_variables(statement.body)

"""`lose_volatile`: what a crash does to the state."""

from __future__ import annotations

import ast

from ..diagnostics import Code
from ..ir.nodes import Apply, Assign, Durability, Expr, Key, Op, Path, Stmt
from ..ir.types import MapType, NodeType
from ..shape import VariableShape
from .context import Body
from .expressions import expression
from .initial import plain_value
from .places import changed


def lose_volatile(body: Body, node: ast.Call) -> list[Stmt]:
    """The stores that `Spec.lose_volatile` makes."""
    if len(node.args) > 1 or node.keywords:
        body.fail(Code.CALL, "lose_volatile() or lose_volatile(node)", node)
    key = expression(body, node.args[0]) if node.args else None
    if key is not None and not isinstance(key.type, NodeType):
        body.fail(Code.TYPE, "lose_volatile() takes a node", node)
    found: list[Stmt] = []
    for variable in body.shape.variables.values():
        if variable.durability is not Durability.VOLATILE:
            continue
        kind, sort = variable.type, _sort_of(variable)
        if key is None and sort is None:
            path = Path(variable.name, (), kind, body.span(node))
            found.append(Assign(path, plain_value(body, variable.initial, kind, node)))
        elif key is not None and isinstance(kind, MapType) and sort == key.type:
            whole = plain_value(body, variable.initial, kind, node)
            path = Path(variable.name, (Key(key),), kind.value, body.span(node))
            found.append(Assign(path, value_at(whole, kind, key)))
        else:
            continue
        changed(body, path, node, in_place=True)
    return found


def _sort_of(variable: VariableShape) -> NodeType | None:
    kind = variable.type
    return kind.key if isinstance(kind, MapType) and isinstance(kind.key, NodeType) else None


def value_at(whole: Expr, kind: MapType, key: Expr) -> Expr:
    """The value of a map at a key; of a map with one value everywhere, that value."""
    if isinstance(whole, Apply) and whole.op is Op.EACH:
        return whole.args[0]
    return Apply(kind.value, Op.GET, (whole, key))

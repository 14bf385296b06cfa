"""Plain Python values (initial values, defaults) as IR expressions."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from typing import Any

from ..adopt import Each, Empty
from ..diagnostics import Code
from ..ir.nodes import Apply, Expr, Op
from ..ir.types import BagType, MapType, OptionType, RecordType, SeqType, SetType, Type, UnionType
from . import construct
from .context import Body
from .expressions import coerce, constant


def plain_value(body: Body, value: Any, kind: Type, node: ast.expr) -> Expr:
    """A value of type `kind` as an expression; Skip, with the error noted, if it does not fit."""
    span = body.span(node)
    match kind:
        case OptionType(inner):
            if value is None:
                return construct.none(kind, span)
            return Apply(kind, Op.COERCE, (plain_value(body, value, inner, node),), span=span)
        case MapType():
            return _map(body, value, kind, node)
        case SetType(element, _) | SeqType(element, _) | BagType(element, _, _):
            return _collection(body, value, kind, element, node)
        case RecordType() | UnionType():
            return coerce(body, _record(body, value, kind, node), kind, node)
    return coerce(body, constant(body, value, node), kind, node)


def _map(body: Body, value: Any, kind: MapType, node: ast.expr) -> Expr:
    span = body.span(node)
    if isinstance(value, Each):
        return Apply(kind, Op.EACH, (plain_value(body, value.value, kind.value, node),), span=span)
    if not isinstance(value, Mapping) or not value:
        body.fail(Code.DECLARATION, "a map starts as each(...)", node, "write each(value)")
    items = [
        (plain_value(body, key, kind.key, node), plain_value(body, item, kind.value, node))
        for key, item in value.items()
    ]
    result: Expr = Apply(kind, Op.EACH, (items[0][1],), span=span)
    for key, item in items:
        result = Apply(kind, Op.WITH, (result, key, item), span=span)
    return result


def _collection(
    body: Body, value: Any, kind: SetType | SeqType | BagType, element: Type, node: ast.expr
) -> Expr:
    items = () if isinstance(value, Empty) else value
    if isinstance(items, str) or not hasattr(items, "__iter__"):
        body.fail(Code.DECLARATION, f"{value!r} is not a collection", node, "write empty()")
    args = tuple(plain_value(body, item, element, node) for item in items)
    op = {SetType: Op.SET, SeqType: Op.SEQ, BagType: Op.BAG}[type(kind)]
    span = body.span(node)
    if isinstance(kind, SeqType):
        exact = SeqType(element, len(args))
        return coerce(body, Apply(exact, op, args, span=span), kind, node)
    return Apply(kind, op, args, span=span)


def _record(body: Body, value: Any, kind: RecordType | UnionType, node: ast.expr) -> Expr:
    variants = kind.variants if isinstance(kind, UnionType) else (kind,)
    for variant in variants:
        if dataclasses.is_dataclass(value) and type(value).__name__ == variant.name:
            args = tuple(
                plain_value(body, getattr(value, name), field, node)
                for name, field in variant.fields
            )
            return Apply(variant, Op.RECORD, args, span=body.span(node))
    body.fail(Code.DECLARATION, f"{value!r} is not a value of the declared type", node)

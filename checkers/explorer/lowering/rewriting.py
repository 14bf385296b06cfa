"""Walking over expressions: names, parts, substitution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from ....language.ir.nodes import Apply, Bind, Binder, Expr, Local, Op

N = TypeVar("N")


def parts(node: object) -> Iterator[object]:
    """The IR nodes right below a node (or below a tuple of them)."""
    if isinstance(node, tuple):
        yield from node
    elif is_dataclass(node):
        for item in fields(node):
            if item.name not in ("type", "span"):
                yield getattr(node, item.name)


def below(node: object) -> Iterator[object]:
    """A node and all below it."""
    yield node
    for part in parts(node):
        yield from below(part)


def free_names(node: object) -> set[str]:
    """The locals that are read below a node. Names are unique in a body, so none hides another."""
    return {item.name for item in below(node) if isinstance(item, Local)}


def bound_names(node: object) -> set[str]:
    """The locals that are bound below a node."""
    return {item.name for item in below(node) if isinstance(item, Binder | Bind)}


def mapped(node: N, change: Callable[[Any], Any]) -> N:
    """The node with `change` applied to each node right below it."""
    if isinstance(node, tuple):
        return cast(N, tuple(change(part) for part in node))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {}
    for item in fields(node):
        if item.name in ("type", "span"):
            continue
        before = getattr(node, item.name)
        if isinstance(before, tuple) or is_dataclass(before):
            after = change(before)
            if after is not before:
                changed[item.name] = after
    return cast(N, replace(cast(Any, node), **changed)) if changed else node


def substituted(node: N, name: str, value: Expr) -> N:
    """The node with a value in place of a local."""

    def change(part: Any) -> Any:
        if isinstance(part, Local) and part.name == name:
            return value
        return mapped(part, change)

    return cast(N, change(node))


def conjuncts(expr: Expr | None) -> list[Expr]:
    """The conditions that have to hold, one after the other, for a condition to hold."""
    match expr:
        case None:
            return []
        case Apply(op=Op.AND, args=args):
            return [item for arg in args for item in conjuncts(arg)]
        case Apply(op=Op.NOT, args=(Apply(op=Op.NOT, args=(inner,)),)):
            return conjuncts(inner)
        case Apply(type=kind, op=Op.NOT, args=(Apply(op=Op.OR, args=args),)):
            return [item for arg in args for item in conjuncts(Apply(kind, Op.NOT, (arg,)))]
    return [expr]


def conjunction(items: list[Expr]) -> Expr | None:
    """The conditions as one; None where there are none."""
    if len(items) < 2:
        return items[0] if items else None
    return Apply(items[0].type, Op.AND, tuple(items))

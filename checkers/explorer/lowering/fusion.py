"""Comprehensions over sets that are only made to be gone through: one loop in place of two.

    any(p(x) for x in {f(m) for m in messages if c(m)})   any(p(f(m)) for m in messages if c(m))

Only where how often an element comes up makes no difference, and where making the set cannot run
into a trap (an early end of the loop would hide it).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from ....language.ir.nodes import Binder, Comprehension, Expr, Fold
from .rewriting import (
    N,
    below,
    bound_names,
    conjunction,
    conjuncts,
    mapped,
    substituted,
)
from .safety import safe

_BODY = 8
"""Nodes of an expression that may be written out for each use of what it stands for."""


def fused(node: N) -> N:
    """A statement, expression or tuple of them, with its comprehensions fused."""

    def change(part: Any) -> Any:
        part = mapped(part, change)
        return _fused(part) if isinstance(part, Comprehension) else part

    return cast(N, change(node))


def _fused(expr: Comprehension) -> Comprehension:
    if expr.fold in (Fold.SUM, Fold.MAP):
        return expr
    for position, binder in enumerate(expr.binders):
        source = binder.source
        if isinstance(source, Comprehension) and _can(expr, position, source):
            return _fused(_in_place(expr, position, source))
    return expr


def _can(expr: Comprehension, position: int, source: Comprehension) -> bool:
    if source.fold is not Fold.SET or not safe(source):
        return False
    inner = bound_names(source)
    others = replace(
        expr,
        binders=(
            *expr.binders[:position],
            replace(expr.binders[position], source=expr.body),
            *expr.binders[position + 1 :],
        ),
    )
    short = len(list(below(source.body))) <= _BODY and not bound_names(source.body)
    return short and not inner & bound_names(others)


def _in_place(expr: Comprehension, position: int, source: Comprehension) -> Comprehension:
    binder = expr.binders[position]
    later: tuple[tuple[Binder, ...], Expr] = (expr.binders[position + 1 :], expr.body)
    condition = binder.condition
    if condition is not None:
        condition = substituted(condition, binder.name, source.body)
    rest, body = substituted(later, binder.name, source.body)
    *first, last = source.binders
    both = conjunction([*conjuncts(last.condition), *conjuncts(condition)])
    binders = (
        *expr.binders[:position],
        *first,
        replace(last, condition=both),
        *rest,
    )
    return replace(expr, binders=binders, body=body)

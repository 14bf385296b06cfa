"""Flow typing: what a test shows about the type of a value, for None and for unions."""

from __future__ import annotations

import ast

from ..ir.types import OptionType, RecordType, Type, UnionType
from .context import Body, Constant

CONTRADICTION = RecordType("", ())
"""What is learnt of a value that no test result is left for: the code is never reached."""


def contradictory(learnt: dict[str, Type]) -> bool:
    """Whether the code that follows is never reached."""
    return CONTRADICTION in learnt.values()


def learn(body: Body, test: ast.expr, outcome: bool) -> dict[str, Type]:
    """What holds of names and paths where `test` came out as `outcome`."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return learn(body, operand, not outcome)
        case ast.BoolOp(op=operator, values=values):
            if isinstance(operator, ast.And) is outcome:
                return _learn_each(body, values, outcome)
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[right]):
            return _compared(body, left, right, outcome)
        case ast.Compare(left=left, ops=[ast.IsNot() | ast.NotEq()], comparators=[right]):
            return _compared(body, left, right, not outcome)
        case ast.Call(func=ast.Name(id="isinstance"), args=[subject, classes]):
            return _instance(body, subject, classes, outcome)
    return {}


def _learn_each(body: Body, tests: list[ast.expr], outcome: bool) -> dict[str, Type]:
    learnt: dict[str, Type] = {}
    before = dict(body.narrowed)
    try:
        for test in tests:
            learnt.update(learn(body, test, outcome))
            body.narrowed = {**body.narrowed, **learnt}
    finally:
        body.narrowed = before
    return learnt


def _compared(body: Body, left: ast.expr, right: ast.expr, equal: bool) -> dict[str, Type]:
    """`x is None` came out False, or `x == value` came out True for a value that is not None."""
    from .expressions import expression, key_of

    key = key_of(left)
    if key is None:
        return {}
    kind = expression(body, left).type
    if not isinstance(kind, OptionType):
        return {}
    if isinstance(right, ast.Constant) and right.value is None:
        return {} if equal else {key: kind.inner}
    if equal and not isinstance(expression(body, right).type, OptionType):
        return {key: kind.inner}
    return {}


def _instance(body: Body, subject: ast.expr, classes: ast.expr, outcome: bool) -> dict[str, Type]:
    from .expressions import expression, key_of

    key = key_of(subject)
    if key is None:
        return {}
    kind = expression(body, subject).type
    union = kind.inner if isinstance(kind, OptionType) else kind
    named = {variant.name for variant in classes_of(body, classes)}
    if isinstance(kind, RecordType) and (kind.name in named) is not outcome:
        return {key: CONTRADICTION}
    if not isinstance(union, UnionType):
        return {key: union} if outcome and isinstance(kind, OptionType) else {}
    kept = tuple(v for v in union.variants if (v.name in named) is outcome)
    if isinstance(kind, OptionType) and not outcome:
        return {}
    if not kept:
        return {key: CONTRADICTION}
    return {key: kept[0] if len(kept) == 1 else UnionType(kept)}


def classes_of(body: Body, node: ast.expr) -> list[RecordType]:
    """The records a class expression names: a class, a tuple of classes, or a union of them."""
    from ..annotations import AnnotationError
    from ..diagnostics import Code
    from .expressions import meaning

    if isinstance(node, ast.Tuple):
        return [record for item in node.elts for record in classes_of(body, item)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*classes_of(body, node.left), *classes_of(body, node.right)]
    found = meaning(body, node)
    if isinstance(found, Constant):
        try:
            kind = body.shape.resolver.resolve(found.value)
        except AnnotationError as error:
            body.fail(Code.TYPE, error.message, node, error.advice)
        if isinstance(kind, RecordType):
            return [kind]
        if isinstance(kind, UnionType):
            return list(kind.variants)
    body.fail(Code.TYPE, f"{ast.unparse(node)} is not a record of the spec", node)

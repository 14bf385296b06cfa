"""Comprehensions and generators: binders, conditions, folds."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

from ..diagnostics import Code
from ..ir.nodes import Apply, Binder, Comprehension, Const, Expr, Fold, Local, Op
from ..ir.types import (
    BOOL,
    BagType,
    BoolType,
    IntType,
    MapType,
    SeqType,
    SetType,
    Type,
)
from . import construct
from .aliases import require_hashable
from .context import Body
from .expressions import coerce, condition, expression, expression_hinted
from .narrowing import learn
from .typing_rules import describe, most_elements


def source_of(body: Body, node: ast.expr) -> Expr:
    """What a loop runs over: a collection, the keys of a map, or a range."""
    expr = expression(body, node)
    if isinstance(expr.type, MapType):
        return construct.domain(expr.type.key, body.span(node))
    if isinstance(expr.type, SetType | SeqType | BagType):
        return expr
    body.fail(Code.TYPE, f"{describe(expr.type)} is not a collection to run over", node)


def element_type(source: Expr) -> Type:
    """The type of the elements of a collection."""
    assert isinstance(source.type, SetType | SeqType | BagType)
    return source.type.element


@contextlib.contextmanager
def binders_of(body: Body, generators: list[ast.comprehension]) -> Iterator[tuple[Binder, ...]]:
    """Binders for the `for ... in ... if ...` parts; the names are bound within the context."""
    names, before = dict(body.names), dict(body.narrowed)
    defined = set(body.unit.defined)
    binders: list[Binder] = []
    try:
        for generator in generators:
            if generator.is_async:
                body.fail(Code.SUBSET, "async is outside the language", generator.target)
            binders.append(_binder(body, generator))
        yield tuple(binders)
    finally:
        body.names, body.narrowed = names, before
        body.unit.defined = defined


def _binder(body: Body, generator: ast.comprehension) -> Binder:
    pair = _map_view(body, generator)
    source = pair[0] if pair else source_of(body, generator.iter)
    target = generator.target
    name = body.unit.fresh(target.id if isinstance(target, ast.Name) else "key")
    local = Local(element_type(source), name)
    if pair:
        _bind_view(body, target, pair[1], local)
    elif isinstance(target, ast.Name):
        body.names[target.id] = local
        body.narrowed = _without(body.narrowed, target.id)
    else:
        body.fail(Code.SUBSET, "only a plain name can be bound here", target)
    tests = []
    for test in generator.ifs:
        tests.append(condition(body, test))
        body.narrowed = {**body.narrowed, **learn(body, test, True)}
    where = construct.junction(Op.AND, tests) if tests else None
    return Binder(name, local.type, source, None if where and construct.is_true(where) else where)


def _without(narrowed: dict[str, Type], name: str) -> dict[str, Type]:
    """Forget what was shown of a name that is bound anew."""
    return {
        key: kind
        for key, kind in narrowed.items()
        if name not in {n.id for n in ast.walk(ast.parse(key)) if isinstance(n, ast.Name)}
    }


def _map_view(body: Body, generator: ast.comprehension) -> tuple[Expr, tuple[str, Expr]] | None:
    """`m.values()` and `m.items()`: the keys to run over, the method and the map."""
    match generator.iter:
        case ast.Call(
            func=ast.Attribute(value=inner, attr="keys" | "values" | "items" as method), args=[]
        ):
            base = expression(body, inner)
            if isinstance(base.type, MapType):
                return construct.domain(base.type.key), (method, base)
    return None


def _bind_view(body: Body, target: ast.expr, view: tuple[str, Expr], key: Local) -> None:
    method, base = view
    assert isinstance(base.type, MapType)
    value = Apply(base.type.value, Op.GET, (base, key))
    match method, target:
        case "keys", ast.Name(id=name):
            body.names[name] = key
        case "values", ast.Name(id=name):
            body.names[name] = value
        case "items", ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]):
            body.names[first], body.names[second] = key, value
        case _:
            body.fail(Code.SUBSET, f"the target does not fit .{method}()", target)


def fold_bool(body: Body, fold: Fold, node: ast.GeneratorExp) -> Expr:
    """any(...) and all(...)."""
    with binders_of(body, node.generators) as binders:
        test = condition(body, node.elt)
    span = body.span(node)
    decided = isinstance(test, Const) and test.value is (fold is Fold.ALL)
    if decided and not any(map(_may_trap, binders)):
        return construct.truth(fold is Fold.ALL, span)
    return Comprehension(BOOL, fold, binders, test, span=span)


def _may_trap(binder: Binder) -> bool:
    condition = binder.condition
    return construct.may_trap(binder.source) or (
        condition is not None and construct.may_trap(condition)
    )


def fold_int(body: Body, fold: Fold, node: ast.GeneratorExp, default: ast.expr | None) -> Expr:
    """sum(...), min(...), max(...)."""
    with binders_of(body, node.generators) as binders:
        value = as_int(body, expression(body, node.elt), node.elt)
    assert isinstance(value.type, IntType)
    span = body.span(node)
    if fold is Fold.SUM:
        count = 1
        for binder in binders:
            count *= most_elements(binder.source.type)
        kind = IntType(min(0, value.type.low * count), max(0, value.type.high * count))
        if kind.low < -construct.LIMIT or kind.high > construct.LIMIT:
            body.fail(Code.RANGE, "the sum may leave -2**62 .. 2**62", node)
        return Comprehension(kind, fold, binders, value, span=span)
    if default is None:
        return Comprehension(value.type, fold, binders, value, span=span)
    other = as_int(body, expression(body, default), default)
    assert isinstance(other.type, IntType)
    kind = IntType(min(value.type.low, other.type.low), max(value.type.high, other.type.high))
    value, other = coerce(body, value, kind, node.elt), coerce(body, other, kind, default)
    return Comprehension(kind, fold, binders, value, other, span=span)


def as_int(body: Body, expr: Expr, node: ast.expr) -> Expr:
    """An int; a bool counts as 0 or 1, as in sum(test for ...)."""
    if isinstance(expr.type, BoolType):
        unit = IntType(0, 1)
        return construct.conditional(expr, Const(unit, 1), Const(unit, 0), body.span(node))
    if not isinstance(expr.type, IntType):
        body.fail(Code.TYPE, f"an int is needed, this is {describe(expr.type)}", node)
    return expr


def set_comprehension(
    body: Body, node: ast.SetComp | ast.GeneratorExp, expected: Type | None
) -> Expr:
    """{f(x) for x in s if p(x)}."""
    hint = expected.element if isinstance(expected, SetType) else None
    if isinstance(node, ast.SetComp):
        require_hashable(body, node.elt)
    with binders_of(body, node.generators) as binders:
        value = expression_hinted(body, node.elt, hint)
    return Comprehension(SetType(value.type), Fold.SET, binders, value, span=body.span(node))


def dict_comprehension(body: Body, node: ast.DictComp, expected: Type | None) -> Expr:
    """{k: f(k) for k in nodes}: a map, so over all keys."""
    hint = expected.value if isinstance(expected, MapType) else None
    with binders_of(body, node.generators) as binders:
        whole = len(binders) == 1 and binders[0].condition is None
        binder = binders[0]
        key = expression(body, node.key)
        domain = isinstance(binder.source, Apply) and binder.source.op is Op.DOMAIN
        if not (whole and domain and key == Local(binder.type, binder.name)):
            advice = "write {k: ... for k in self.nodes}: a map has a value for every key"
            body.fail(Code.SUBSET, "this does not give every key a value", node, advice)
        value = expression_hinted(body, node.value, hint)
        if hint is not None:
            value = coerce(body, value, hint, node.value)
    kind = MapType(binder.type, value.type)
    return Comprehension(kind, Fold.MAP, binders, value, span=body.span(node))

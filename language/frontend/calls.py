"""Calls that have a value: builtins, records, helpers."""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Callable
from typing import Any

from .. import declarations
from ..annotations import AnnotationError
from ..collections import Seq, Set
from ..diagnostics import Code
from ..ir.nodes import Apply, Expr, Fold, Op
from ..ir.types import (
    BOOL,
    BagType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from . import construct
from .comprehensions import fold_bool, fold_int, set_comprehension
from .context import Body, Constant
from .expressions import coerce, expression, expression_hinted, int_expression, meaning
from .narrowing import classes_of
from .typing_rules import describe, join

Builtin = Callable[[Body, ast.Call, Type | None], Expr]


def call(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    """Translate a call used as a value."""
    from .inlining import inline_value, method_of

    target = method_of(body, node.func)
    if target is not None:
        return inline_value(body, target, node)
    found = meaning(body, node.func)
    if isinstance(found, Constant):
        return _call_constant(body, found.value, node, expected)
    if isinstance(node.func, ast.Attribute):
        return _collection_method(body, node.func, node)
    body.fail(Code.CALL, f"{ast.unparse(node.func)} cannot be called", node)


def _call_constant(body: Body, value: Any, node: ast.Call, expected: Type | None) -> Expr:
    from .inlining import Target, inline_value

    builtin = _builtin(value)
    if builtin is not None:
        return builtin(body, node, expected)
    if isinstance(value, type) and dataclasses.is_dataclass(value):
        return _record(body, value, node)
    if isinstance(value, types.FunctionType):
        return inline_value(body, Target(value, None, None), node)
    name = getattr(value, "__name__", ast.unparse(node.func))
    advice = "a spec calls its own helpers, records, and any all len sum min max isinstance range"
    body.fail(Code.SUBSET, f"{name}() is outside the language", node, advice)


def _builtin(value: Any) -> Builtin | None:
    for function, builtin in _BUILTINS:
        if value is function:
            return builtin
    return None


def _collection_method(body: Body, function: ast.Attribute, node: ast.Call) -> Expr:
    base = expression(body, function.value)
    if isinstance(base.type, BagType) and function.attr == "count":
        (argument,) = arguments(body, node, 1)
        value = expression(body, argument, base.type.element)
        kind = IntType(0, base.type.copies)
        return Apply(kind, Op.COUNT, (base, value), span=body.span(node))
    advice = "changes such as add, remove, append are statements of their own"
    if isinstance(base.type, MapType):
        advice = (
            "run over the keys, `for k in m`, and read `m[k]`; m.values() goes in any(...), say"
        )
    message = f"{describe(base.type)} has no method {function.attr!r} with a value"
    body.fail(Code.CALL, message, node, advice)


def arguments(body: Body, node: ast.Call, count: int) -> list[ast.expr]:
    """The positional arguments, exactly so many."""
    if len(node.args) != count or node.keywords:
        name = ast.unparse(node.func)
        body.fail(Code.CALL, f"{name}() takes {count} argument(s) here", node)
    return node.args


def _record(body: Body, cls: type, node: ast.Call) -> Expr:
    try:
        kind = body.shape.resolver.resolve(cls)
    except AnnotationError as error:
        body.fail(Code.TYPE, error.message, node, error.advice)
    assert isinstance(kind, RecordType)
    given = _by_name(body, [name for name, _ in kind.fields], node, kind.name)
    defaults = {f.name: f.default for f in dataclasses.fields(cls)}
    args = []
    for name, field in kind.fields:
        label = f"{kind.name}.{name}"
        if name in given:
            value = expression_hinted(body, given[name], field, label)
            if isinstance(value.type, OptionType) and isinstance(given[name], ast.Constant):
                value = expression(body, given[name], field)
            args.append(coerce(body, value, field, given[name], label))
        elif defaults[name] is not dataclasses.MISSING:
            args.append(_plain(body, defaults[name], field, node))
        else:
            body.fail(Code.CALL, f"{kind.name} needs a value for {name!r}", node)
    return Apply(kind, Op.RECORD, tuple(args), span=body.span(node))


def _plain(body: Body, value: Any, kind: Type, node: ast.expr) -> Expr:
    from .initial import plain_value

    return plain_value(body, value, kind, node)


def _by_name(body: Body, names: list[str], node: ast.Call, what: str) -> dict[str, ast.expr]:
    if len(node.args) > len(names) or any(isinstance(a, ast.Starred) for a in node.args):
        body.fail(Code.CALL, f"{what} takes {len(names)} value(s): {', '.join(names)}", node)
    given = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in given:
            body.fail(Code.CALL, f"{what} has no further field {keyword.arg!r}", node)
        given[keyword.arg] = keyword.value
    return given


def _replace(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    if len(node.args) != 1:
        body.fail(Code.CALL, "replace(record, field=value, ...)", node)
    base = expression(body, node.args[0])
    if not isinstance(base.type, RecordType):
        body.fail(Code.TYPE, f"a record is needed, this is {describe(base.type)}", node.args[0])
    given = {k.arg: k.value for k in node.keywords}
    span = body.span(node)
    args = []
    for name, field in base.type.fields:
        if name in given:
            value = expression(body, given.pop(name))
            args.append(coerce(body, value, field, node, f"{base.type.name}.{name}"))
        else:
            args.append(Apply(field, Op.FIELD, (base,), name=name, span=span))
    if given:
        body.fail(Code.CALL, f"{base.type.name} has no field {next(iter(given))!r}", node)
    return Apply(base.type, Op.RECORD, tuple(args), span=span)


def _len(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    (argument,) = arguments(body, node, 1)
    collection = expression(body, argument)
    if isinstance(collection.type, MapType):
        collection = construct.domain(collection.type.key)
    if not isinstance(collection.type, SetType | SeqType | BagType):
        body.fail(Code.TYPE, f"{describe(collection.type)} has no length", argument)
    return construct.size(collection, body.span(node))


def _generator(body: Body, node: ast.Call) -> ast.GeneratorExp:
    """The generator argument; a collection stands for its elements."""
    if len(node.args) != 1:
        name = ast.unparse(node.func)
        body.fail(Code.CALL, f"write {name}(... for x in ...)", node)
    (argument,) = node.args
    if isinstance(argument, ast.GeneratorExp):
        return argument
    name = "element"
    part = ast.comprehension(ast.Name(name, ast.Store()), argument, [], 0)
    whole = ast.GeneratorExp(ast.Name(name, ast.Load()), [part])
    for made in (whole, whole.elt, part.target):
        ast.copy_location(made, argument)
    return whole


def _any(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    return fold_bool(body, Fold.ANY, _generator(body, node))


def _all(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    return fold_bool(body, Fold.ALL, _generator(body, node))


def _sum(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    return fold_int(body, Fold.SUM, _generator(body, node), None)


def _extreme(fold: Fold, op: Op) -> Builtin:
    def build(body: Body, node: ast.Call, expected: Type | None) -> Expr:
        if len(node.args) > 1 and node.keywords:
            name = ast.unparse(node.func)
            body.fail(Code.CALL, f"{name}() of several values takes no keyword", node)
        if len(node.args) > 1:
            result = int_expression(body, node.args[0])
            for argument in node.args[1:]:
                args = [result, int_expression(body, argument)]
                result = construct.arithmetic(op, args, body.span(node))
            return result
        defaults = [k.value for k in node.keywords if k.arg == "default"]
        generator = _generator(body, node)
        return fold_int(body, fold, generator, defaults[0] if defaults else None)

    return build


def _isinstance(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    subject_node, classes = arguments(body, node, 2)
    subject = expression(body, subject_node)
    span = body.span(node)
    guard: list[Expr] = []
    if isinstance(subject.type, OptionType):
        guard = [construct.negation(Apply(BOOL, Op.IS_NONE, (subject,), span=span))]
        subject = Apply(subject.type.inner, Op.NARROW, (subject,), span=span)
    named = classes_of(body, classes)
    if isinstance(subject.type, RecordType):
        known = construct.truth(subject.type in named, span)
        return construct.junction(Op.AND, [*guard, known], span)
    if not isinstance(subject.type, UnionType):
        body.fail(Code.TYPE, f"{describe(subject.type)} is not a record", subject_node)
    tests = [
        Apply(BOOL, Op.IS, (subject,), name=variant.name, span=span)
        for variant in named
        if subject.type.tag(variant.name) is not None
    ]
    either = construct.junction(Op.OR, tests, span)
    return construct.junction(Op.AND, [*guard, either], span)


def _range(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    if len(node.args) not in (1, 2):
        body.fail(Code.SUBSET, "range(last) or range(first, last)", node)
    values = [int_expression(body, argument) for argument in node.args]
    first, last = values if len(values) == 2 else (construct.integer(0), values[0])
    assert isinstance(first.type, IntType)
    assert isinstance(last.type, IntType)
    element = IntType(first.type.low, max(first.type.low, last.type.high - 1))
    if element.high - element.low > 4096:
        body.fail(Code.RANGE, "the range may have more than 4096 elements", node)
    return Apply(SetType(element), Op.RANGE, (first, last), span=body.span(node))


def _copy(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    if not node.args:
        return _empty(body, node, expected)
    (argument,) = arguments(body, node, 1)
    if isinstance(argument, ast.GeneratorExp):
        return set_comprehension(body, argument, expected)
    return expression(body, argument)


def _empty(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    span = body.span(node)
    match expected:
        case SetType():
            return Apply(expected, Op.SET, span=span)
        case SeqType(element, _):
            return Apply(SeqType(element, 0), Op.SEQ, span=span)
        case BagType():
            return Apply(expected, Op.BAG, span=span)
    advice = "store it in a variable, or compare len(...) with 0"
    body.fail(Code.TYPE, "empty of what?", node, advice)


def _each(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    (argument,) = arguments(body, node, 1)
    if not isinstance(expected, MapType):
        body.fail(Code.TYPE, "each(...) is the value of a map", node)
    value = expression(body, argument, expected.value)
    return Apply(expected, Op.EACH, (value,), span=body.span(node))


def _is_quorum(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    subset, nodes = (expression(body, argument) for argument in arguments(body, node, 2))
    if join(subset.type, nodes.type) is None:
        message = f"{describe(subset.type)} is not part of {describe(nodes.type)}"
        body.fail(Code.TYPE, message, node)
    return Apply(BOOL, Op.QUORUM, (subset, nodes), span=body.span(node))


def _statement_only(body: Body, node: ast.Call, expected: Type | None) -> Expr:
    name = ast.unparse(node.func)
    advice = "write `require(...)` as a statement, and `x = choose(...)`"
    body.fail(Code.EFFECT, f"{name}() cannot be part of an expression", node, advice)


_BUILTINS: list[tuple[Any, Builtin]] = [
    (len, _len),
    (any, _any),
    (all, _all),
    (sum, _sum),
    (min, _extreme(Fold.MIN, Op.MIN)),
    (max, _extreme(Fold.MAX, Op.MAX)),
    (isinstance, _isinstance),
    (range, _range),
    (set, _copy),
    (frozenset, _copy),
    (Set, _copy),
    (Seq, _copy),
    (dataclasses.replace, _replace),
    (declarations.empty, _empty),
    (declarations.each, _each),
    (declarations.is_quorum, _is_quorum),
    (declarations.require, _statement_only),
    (declarations.choose, _statement_only),
]

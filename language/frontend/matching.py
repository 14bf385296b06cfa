"""`match`: on records, enumerations, None and ints; a chain of branches in the IR."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence

from ..diagnostics import Code
from ..ir.nodes import Apply, Const, Expr, If, Local, Op, Stmt
from ..ir.types import BOOL, OptionType, RecordType, Type, UnionType
from . import construct
from .context import Body, Lost
from .expressions import condition, expression, field_of, key_of, narrow_to, unify
from .flow import Flow
from .inlining import bind_local
from .narrowing import CONTRADICTION, classes_of
from .scopes import assigned_names
from .typing_rules import describe


@dataclasses.dataclass
class Matched:
    """A pattern translated: when it matches, what it binds, what it shows of the subject."""

    tests: list[Expr]
    names: dict[str, Expr]
    narrowed: Type | None = None


def match_statement(
    body: Body, node: ast.Match, rest: Sequence[ast.stmt], result: str | None
) -> tuple[list[Stmt], bool]:
    """Translate a match; `rest` is what follows it where an arm may return."""
    out: list[Stmt] = []
    subject = expression(body, node.subject)
    again = isinstance(node.subject, ast.Name) and assigned_names(body.node).get(node.subject.id, 0)
    if again or not isinstance(subject, Const | Local):
        # Captured fields must not change under the arm that uses them.
        subject = bind_local(body, "subject", subject, out, node.subject)
    flow = Flow(body)
    statements, ended = _cases(body, node, subject, list(node.cases), rest, result, flow)
    flow.join()
    return [*out, *statements], ended


def _cases(
    body: Body,
    node: ast.Match,
    subject: Expr,
    cases: list[ast.match_case],
    rest: Sequence[ast.stmt],
    result: str | None,
    flow: Flow,
) -> tuple[list[Stmt], bool]:
    from .statements import block, forget, rebindable

    flow.enter({})
    if not cases:
        statements, ended = block(body, rest, result)
        flow.leave(ended)
        return statements, ended
    case, *others = cases
    matched = pattern(body, case.pattern, subject, node.subject)
    body.names = {**body.names, **matched.names}
    for name in matched.names:
        forget(body, name)
    key = key_of(node.subject)
    if key is not None and matched.narrowed is not None:
        body.narrowed = {**body.narrowed, key: matched.narrowed}
    tests = list(matched.tests)
    if case.guard is not None and matched.narrowed is not CONTRADICTION:
        tests.append(condition(body, case.guard))
    test = construct.junction(Op.AND, tests, body.span(case.pattern))
    reached = matched.narrowed is not CONTRADICTION
    then: list[Stmt] = []
    then_ended = not reached
    if reached:
        following = [*case.body, *rest]
        then = rebindable(body, list(matched.names), following)
        statements, then_ended = block(body, following, result)
        then += statements
    unreachable = construct.is_false(test)
    flow.leave(then_ended or unreachable)
    # Also where the guard is False: CPython has bound the names by then.
    body.names.update(dict.fromkeys(matched.names, Lost(case.pattern.lineno)))
    if construct.is_true(test):
        return then, then_ended
    orelse, else_ended = _cases(body, node, subject, others, rest, result, flow)
    if unreachable:
        return orelse, else_ended
    ended = then_ended and else_ended
    return [If(test, tuple(then), tuple(orelse), body.span(case.pattern))], ended


def pattern(body: Body, node: ast.pattern, subject: Expr, source: ast.expr) -> Matched:
    """Translate a pattern against a subject."""
    match node:
        case ast.MatchAs(pattern=None, name=None):
            return Matched([], {})
        case ast.MatchAs(pattern=None, name=str() as name):
            return Matched([], {name: subject})
        case ast.MatchAs(pattern=ast.pattern() as inner, name=str() as name):
            matched = pattern(body, inner, subject, source)
            shown = matched.narrowed
            value = subject if shown is None else narrow_to(body, subject, shown, source)
            return Matched(matched.tests, {**matched.names, name: value}, shown)
        case ast.MatchSingleton(value=None):
            return _none(body, node, subject)
        case ast.MatchSingleton(value=bool() as value):
            return _equal(body, construct.truth(value), subject, node, source)
        case ast.MatchValue(value=value):
            return _equal(body, expression(body, value), subject, node, source)
        case ast.MatchOr(patterns=patterns):
            return _either(body, patterns, subject, source)
        case ast.MatchClass():
            return _record(body, node, subject, source)
    body.fail(Code.SUBSET, "this pattern is outside the language", node)


def _none(body: Body, node: ast.pattern, subject: Expr) -> Matched:
    if not isinstance(subject.type, OptionType):
        return Matched([construct.truth(False)], {})
    return Matched([Apply(BOOL, Op.IS_NONE, (subject,), span=body.span(node))], {})


def _present(body: Body, subject: Expr, node: ast.AST) -> tuple[list[Expr], Expr]:
    """For a pattern on the inside of an option: the test that there is a value, and the value."""
    if not isinstance(subject.type, OptionType):
        return [], subject
    span = body.span(node)
    absent = Apply(BOOL, Op.IS_NONE, (subject,), span=span)
    inner = Apply(subject.type.inner, Op.NARROW, (subject,), span=span)
    return [construct.negation(absent)], inner


def _equal(body: Body, value: Expr, subject: Expr, node: ast.pattern, source: ast.expr) -> Matched:
    tests, inner = _present(body, subject, node)
    left, right = unify(body, inner, value, source)
    shown = inner.type if tests else None
    return Matched([*tests, construct.comparison(Op.EQ, left, right, body.span(node))], {}, shown)


def _either(body: Body, patterns: list[ast.pattern], subject: Expr, source: ast.expr) -> Matched:
    found = [pattern(body, item, subject, source) for item in patterns]
    if any(item.names for item in found):
        advice = "write a case for each"
        body.fail(Code.SUBSET, "a name bound in a pattern with `|`", patterns[0], advice)
    tests = [construct.junction(Op.AND, item.tests) for item in found]
    shown = [item.narrowed for item in found]
    records = [kind for kind in shown if isinstance(kind, RecordType)]
    union: Type | None = None
    if len(records) == len(shown):
        variants = tuple(sorted(set(records), key=lambda record: record.name))
        union = variants[0] if len(variants) == 1 else UnionType(variants)
    elif shown[0] is not None and all(kind == shown[0] for kind in shown):
        union = shown[0]
    return Matched([construct.junction(Op.OR, tests)], {}, union)


def _record(body: Body, node: ast.MatchClass, subject: Expr, source: ast.expr) -> Matched:
    tests, inner = _present(body, subject, node)
    (kind,) = classes_of(body, node.cls)
    span = body.span(node)
    if isinstance(inner.type, UnionType) and kind in inner.type.variants:
        tests.append(Apply(BOOL, Op.IS, (inner,), name=kind.name, span=span))
        inner = Apply(kind, Op.NARROW, (inner,), span=span)
    elif isinstance(inner.type, RecordType | UnionType) and inner.type != kind:
        # Ruled out by what was tested before: the arm is never taken.
        return Matched([construct.truth(False)], {}, CONTRADICTION)
    elif inner.type != kind:
        message = f"{describe(subject.type)} is never a {kind.name}"
        body.fail(Code.TYPE, message, node)
    names: dict[str, Expr] = {}
    fields = [name for name, _ in kind.fields]
    if len(node.patterns) > len(fields):
        body.fail(Code.CALL, f"{kind.name} has {len(fields)} field(s)", node)
    pairs = [*zip(fields, node.patterns, strict=False)]
    pairs += [*zip(node.kwd_attrs, node.kwd_patterns, strict=True)]
    for name, inside in pairs:
        attribute = ast.copy_location(ast.Attribute(source, name, ast.Load()), node)
        value = field_of(body, inner, attribute)
        matched = pattern(body, inside, value, source)
        tests.extend(matched.tests)
        names.update(matched.names)
    return Matched(tests, names, kind)

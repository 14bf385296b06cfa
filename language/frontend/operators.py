"""Operators: and, or, not, arithmetic, comparison, membership, displays."""

from __future__ import annotations

import ast

from ..diagnostics import Code
from ..ir.nodes import Apply, Const, Expr, Op
from ..ir.types import (
    BOOL,
    BagType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    SeqType,
    SetType,
    Type,
)
from . import construct
from .aliases import require_hashable
from .context import Body
from .expressions import (
    coerce,
    common_type,
    condition,
    expression,
    expression_hinted,
    int_expression,
    is_none,
    translate,
    unify,
)
from .narrowing import contradictory, learn
from .typing_rules import describe, join

COMPARISONS = {ast.Lt: Op.LT, ast.LtE: Op.LE, ast.Gt: Op.LT, ast.GtE: Op.LE}
ARITHMETIC = {
    ast.Add: Op.ADD,
    ast.Sub: Op.SUB,
    ast.Mult: Op.MUL,
    ast.FloorDiv: Op.FLOORDIV,
    ast.Mod: Op.MOD,
}
SET_OPERATORS = {
    ast.BitOr: Op.UNION,
    ast.BitAnd: Op.INTERSECTION,
    ast.Sub: Op.DIFFERENCE,
}


def bool_operator(body: Body, node: ast.BoolOp) -> Expr:
    """and, or; what one operand shows holds in the next."""
    op = Op.AND if isinstance(node.op, ast.And) else Op.OR
    before = dict(body.narrowed)
    args = []
    try:
        for value in node.values:
            args.append(condition(body, value))
            learnt = learn(body, value, op is Op.AND)
            if contradictory(learnt):
                break
            body.narrowed = {**body.narrowed, **learnt}
    finally:
        body.narrowed = before
    return construct.junction(op, args, body.span(node))


def unary(body: Body, node: ast.UnaryOp) -> Expr:
    """not, minus."""
    match node.op:
        case ast.Not():
            return construct.negation(condition(body, node.operand), body.span(node))
        case ast.USub():
            return construct.arithmetic(
                Op.NEG, [int_expression(body, node.operand)], body.span(node)
            )
    body.fail(Code.SUBSET, "this operator is outside the language", node)


def binary_operator(body: Body, node: ast.BinOp, expected: Type | None) -> Expr:
    """The operand that is a display takes its element type from the other."""
    displays = (ast.Set, ast.List, ast.SetComp)
    if isinstance(node.left, displays) and not isinstance(node.right, displays):
        right = expression(body, node.right)
        left = translate(body, node.left, right.type)
    else:
        shown = isinstance(node.left, displays)
        left = translate(body, node.left, expected) if shown else expression(body, node.left)
        hinted = isinstance(node.right, displays) or _needs_hint(node.right)
        right = translate(body, node.right, left.type) if hinted else expression(body, node.right)
    return binary(body, node.op, left, right, node)


def binary(body: Body, operator: ast.operator, left: Expr, right: Expr, node: ast.expr) -> Expr:
    """A binary operator on translated operands."""
    kind = type(operator)
    span = body.span(node)
    if isinstance(left.type, IntType) and isinstance(right.type, IntType) and kind in ARITHMETIC:
        try:
            return construct.arithmetic(ARITHMETIC[kind], [left, right], span)
        except construct.OutOfRange:
            message = "the value may leave -2**62 .. 2**62"
            body.fail(Code.RANGE, message, node, "bound the operands more tightly")
    sets = isinstance(left.type, SetType) and isinstance(right.type, SetType)
    if sets and kind in SET_OPERATORS:
        return _set_operator(body, SET_OPERATORS[kind], left, right, node)
    if isinstance(left.type, SeqType) and isinstance(right.type, SeqType) and kind is ast.Add:
        element = join(left.type.element, right.type.element)
        if element is not None:
            kinds = SeqType(element, left.type.capacity), SeqType(element, right.type.capacity)
            args = coerce(body, left, kinds[0], node), coerce(body, right, kinds[1], node)
            total = SeqType(element, kinds[0].capacity + kinds[1].capacity)
            return Apply(total, Op.CONCAT, args, span=span)
    message = f"no such operator between {describe(left.type)} and {describe(right.type)}"
    body.fail(Code.TYPE, message, node)


def _set_operator(body: Body, op: Op, left: Expr, right: Expr, node: ast.expr) -> Expr:
    left, right = unify(body, left, right, node)
    kind = left.type
    assert isinstance(kind, SetType)
    if op is Op.UNION and kind.capacity is not None:
        kind = SetType(kind.element, 2 * kind.capacity)
        left, right = coerce(body, left, kind, node), coerce(body, right, kind, node)
    return Apply(kind, op, (left, right), span=body.span(node))


def comparisons(body: Body, node: ast.Compare) -> Expr:
    """One comparison or a chain of them."""
    operands = [node.left, *node.comparators]
    tests = [
        _comparison(body, operator, operands[i], operands[i + 1], node)
        for i, operator in enumerate(node.ops)
    ]
    return construct.junction(Op.AND, tests, body.span(node))


def _comparison(
    body: Body, operator: ast.cmpop, left: ast.expr, right: ast.expr, node: ast.expr
) -> Expr:
    match operator:
        case ast.Is() | ast.Eq():
            return _equality(body, left, right, node)
        case ast.IsNot() | ast.NotEq():
            return construct.negation(_equality(body, left, right, node), body.span(node))
        case ast.In():
            return _membership(body, left, right, node)
        case ast.NotIn():
            return construct.negation(_membership(body, left, right, node), body.span(node))
    return _order(body, operator, left, right, node)


def _equality(body: Body, left: ast.expr, right: ast.expr, node: ast.expr) -> Expr:
    if is_none(left):
        left, right = right, left
    span = body.span(node)
    if is_none(right):
        value = expression(body, left)
        if not isinstance(value.type, OptionType) and not construct.may_trap(value):
            return construct.truth(False, span)
        if not isinstance(value.type, OptionType):
            value = coerce(body, value, OptionType(value.type), left)
        return Apply(BOOL, Op.IS_NONE, (value,), span=span)
    if _needs_hint(left):
        left, right = right, left
    a = expression(body, left)
    b = expression(body, right, a.type) if _needs_hint(right) else expression(body, right)
    a, b = unify(body, a, b, node)
    return construct.comparison(Op.EQ, a, b, span)


def _needs_hint(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.List():
            return True
        case ast.Call(func=ast.Name(id="empty" | "set" | "Set" | "each"), args=arguments):
            return not arguments or isinstance(arguments[0], ast.Constant)
    return False


def _membership(body: Body, left: ast.expr, right: ast.expr, node: ast.expr) -> Expr:
    span = body.span(node)
    if isinstance(right, ast.Tuple | ast.Set | ast.List):
        for item in [left, *right.elts] if isinstance(right, ast.Set) else []:
            require_hashable(body, item)
        tests = [_equality(body, left, item, node) for item in right.elts]
        return construct.junction(Op.OR, tests, span)
    collection = expression(body, right)
    value = expression(body, left)
    match collection.type:
        case SetType(element) | SeqType(element) | BagType(element):
            return contains(body, collection, element, value, left, node)
        case MapType():
            body.fail(Code.TYPE, "a map has every key", node, "compare the value at the key")
    body.fail(Code.TYPE, f"{describe(collection.type)} is not a collection", right)


def contains(
    body: Body, collection: Expr, element: Type, value: Expr, left: ast.expr, node: ast.expr
) -> Expr:
    """`value in collection`; an int outside the element range is simply not in it."""
    if isinstance(value.type, OptionType) and not isinstance(element, OptionType):
        inner = Apply(value.type.inner, Op.NARROW, (value,), span=body.span(left))
        present = construct.negation(Apply(BOOL, Op.IS_NONE, (value,), span=body.span(left)))
        inside = contains(body, collection, element, inner, left, node)
        return construct.junction(Op.AND, [present, inside], body.span(node))
    if not (isinstance(value.type, IntType) and isinstance(element, IntType)):
        value = coerce(body, value, element, left)
    if construct.is_node_domain(collection) and not construct.may_trap(value):
        return construct.truth(True, body.span(node))
    return Apply(BOOL, Op.CONTAINS, (collection, value), span=body.span(node))


def _order(
    body: Body, operator: ast.cmpop, left: ast.expr, right: ast.expr, node: ast.expr
) -> Expr:
    a, b = expression(body, left), expression(body, right)
    swapped = isinstance(operator, ast.Gt | ast.GtE)
    if swapped:
        a, b = b, a
    a, b = unify(body, a, b, node)
    span = body.span(node)
    op = COMPARISONS[type(operator)]
    match a.type:
        case IntType():
            return construct.comparison(op, a, b, span)
        case NodeType(sort) if not sort.ordered:
            advice = "declare the nodes as OrderedNodes if they have ranks"
            body.fail(Code.ORDER, f"the nodes of {sort.name} have no order", node, advice)
        case NodeType():
            return Apply(BOOL, op, (a, b), span=span)
        case SetType():
            subset = Apply(BOOL, Op.SUBSET, (a, b), span=span)
            if op is Op.LE:
                return subset
            proper = construct.negation(Apply(BOOL, Op.EQ, (a, b), span=span))
            return construct.junction(Op.AND, [subset, proper], span)
    body.fail(Code.TYPE, f"{describe(a.type)} has no order", node)


def conditional(body: Body, node: ast.IfExp, expected: Type | None) -> Expr:
    """`a if test else b`."""
    test = condition(body, node.test)
    before = dict(body.narrowed)
    arms = []
    known = learn(body, node.test, True), learn(body, node.test, False)
    try:
        for arm, learnt in zip((node.body, node.orelse), known, strict=True):
            if contradictory(learnt):
                continue
            body.narrowed = {**before, **learnt}
            arms.append(expression_hinted(body, arm, expected))
    finally:
        body.narrowed = before
    if len(arms) == 1:
        return arms[0]
    then, orelse = arms
    if isinstance(test, Const):
        return then if test.value else orelse
    if is_none(node.body) or is_none(node.orelse):
        then, orelse = _with_none(body, then, orelse, node)
    then, orelse = unify(body, then, orelse, node)
    return construct.conditional(test, then, orelse, body.span(node))


def _with_none(body: Body, then: Expr, orelse: Expr, node: ast.IfExp) -> tuple[Expr, Expr]:
    other = orelse if is_none(node.body) else then
    kind = other.type if isinstance(other.type, OptionType) else OptionType(other.type)
    none = construct.none(kind, body.span(node))
    return (none, orelse) if is_none(node.body) else (then, none)


def set_display(body: Body, node: ast.Set, expected: Type | None) -> Expr:
    """{a, b}, {*s, a}."""
    hint = expected.element if isinstance(expected, SetType) else None
    plain = [item for item in node.elts if not isinstance(item, ast.Starred)]
    parts = [expression(body, s.value) for s in node.elts if isinstance(s, ast.Starred)]
    if plain or not parts:
        for item in plain:
            require_hashable(body, item)
        items = [expression_hinted(body, item, hint) for item in plain]
        element = common_type(body, items, node)
        args = tuple(coerce(body, item, element, node) for item in items)
        parts.append(Apply(SetType(element), Op.SET, args, span=body.span(node)))
    result = parts[0]
    for part in parts[1:]:
        result = binary(body, ast.BitOr(), result, part, node)
    return result


def list_display(body: Body, node: ast.List, expected: Type | None) -> Expr:
    """[a, b], [*q, a]: a sequence."""
    hint = expected.element if isinstance(expected, SeqType) else None
    span = body.span(node)
    if not node.elts:
        if not isinstance(expected, SeqType):
            body.fail(Code.TYPE, "an empty list of what?", node, "write empty()")
        return Apply(SeqType(expected.element, 0), Op.SEQ, span=span)
    parts: list[Expr] = []
    run: list[Expr] = []
    for item in [*node.elts, None]:
        if (item is None or isinstance(item, ast.Starred)) and run:
            element = common_type(body, run, node)
            args = tuple(coerce(body, value, element, node) for value in run)
            parts.append(Apply(SeqType(element, len(args)), Op.SEQ, args, span=span))
            run = []
        if isinstance(item, ast.Starred):
            parts.append(expression(body, item.value))
        elif item is not None:
            run.append(expression_hinted(body, item, hint))
    result = parts[0]
    for part in parts[1:]:
        result = binary(body, ast.Add(), result, part, node)
    return result

"""Expressions: Python's to IR's."""

from __future__ import annotations

import ast
from enum import Enum
from typing import Any

from ..collections import Nodes
from ..diagnostics import Code
from ..ir.nodes import Apply, Const, Expr, Local, Op, Var
from ..ir.types import (
    BOOL,
    BagType,
    BoolType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from . import construct
from .context import Body, Constant, Meaning, SpecObject
from .typing_rules import describe, fits, is_collection, join

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


def expression(body: Body, node: ast.expr, expected: Type | None = None) -> Expr:
    """Translate an expression; with `expected`, to exactly that type."""
    expr = narrowed(body, node, _translate(body, node, expected))
    return expr if expected is None else coerce(body, expr, expected, node)


def condition(body: Body, node: ast.expr) -> Expr:
    """Translate an expression that must be a bool."""
    expr = expression(body, node)
    if not isinstance(expr.type, BoolType):
        help = "compare: `len(s) > 0`, `x is not None`, `n != 0`"
        body.fail(Code.TYPE, f"a bool is needed, this is {describe(expr.type)}", node, help)
    return expr


def coerce(body: Body, expr: Expr, target: Type, node: ast.expr, label: str = "") -> Expr:
    """The expression as a value of `target`; ints that may not fit are checked at run time."""
    if expr.type == target:
        return expr
    span = body.span(node)
    if isinstance(expr, Const) and isinstance(target, IntType) and isinstance(expr.type, IntType):
        assert isinstance(expr.value, int)
        if not target.low <= expr.value <= target.high:
            message = f"{expr.value} is outside {target.low} .. {target.high}"
            body.fail(Code.TYPE, message, node)
        return Const(target, expr.value, span)
    if isinstance(expr.type, OptionType) and not isinstance(target, OptionType):
        if fits(expr.type.inner, target):
            help = "guard it: `require(x is not None)`, or `if x is not None:`"
            body.fail(Code.NONE, "this may be None here", node, help)
    if not fits(expr.type, target):
        message = f"{describe(target)} is needed, this is {describe(expr.type)}"
        body.fail(Code.TYPE, message, node)
    return Apply(target, Op.COERCE, (expr,), label=label, span=span)


def unify(body: Body, left: Expr, right: Expr, node: ast.expr) -> tuple[Expr, Expr]:
    """Both as values of the least common type."""
    common = join(left.type, right.type)
    if common is None:
        message = f"{describe(left.type)} and {describe(right.type)} have no common type"
        body.fail(Code.TYPE, message, node)
    return coerce(body, left, common, node), coerce(body, right, common, node)


def meaning(body: Body, node: ast.expr) -> Meaning | None:
    """What a name or dotted name stands for where that is not a value; None for anything else."""
    match node:
        case ast.Name(id=name):
            if name in body.names:
                return body.names[name]
            return body.global_value(name)
        case ast.Attribute(value=inner, attr=attribute):
            base = meaning(body, inner)
            if isinstance(base, Constant) and hasattr(base.value, attribute):
                return Constant(getattr(base.value, attribute))
    return None


def key_of(node: ast.expr) -> str | None:
    """A key for flow typing: names, attributes and subscripts of them; else None."""
    match node:
        case ast.Name():
            return ast.unparse(node)
        case ast.Attribute(value=inner):
            return ast.unparse(node) if key_of(inner) else None
        case ast.Subscript(value=inner, slice=ast.Name() | ast.Constant() | ast.Attribute()):
            return ast.unparse(node) if key_of(inner) else None
    return None


def narrowed(body: Body, node: ast.expr, expr: Expr) -> Expr:
    """The expression with what the tests on the way here have shown of it."""
    key = key_of(node) if body.narrowed else None
    if key is None or key not in body.narrowed:
        return expr
    return narrow_to(body, expr, body.narrowed[key], node)


def narrow_to(body: Body, expr: Expr, target: Type, node: ast.expr) -> Expr:
    """The value as one of a type that a test has shown it to have."""
    span = body.span(node)
    if isinstance(expr.type, OptionType) and not isinstance(target, OptionType):
        expr = Apply(expr.type.inner, Op.NARROW, (expr,), span=span)
    if isinstance(expr.type, UnionType) and isinstance(target, RecordType):
        expr = Apply(target, Op.NARROW, (expr,), name=target.name, span=span)
    if isinstance(expr.type, UnionType) and isinstance(target, UnionType) and expr.type != target:
        expr = Apply(target, Op.COERCE, (expr,), span=span)
    return expr


def _translate(body: Body, node: ast.expr, expected: Type | None) -> Expr:
    from .calls import call
    from .comprehensions import dict_comprehension, set_comprehension

    match node:
        case ast.Constant():
            return _literal(body, node, expected)
        case ast.Name():
            return _name(body, node, expected)
        case ast.Attribute():
            return _attribute(body, node)
        case ast.Subscript():
            return _subscript(body, node)
        case ast.BoolOp():
            return _bool_operator(body, node)
        case ast.UnaryOp():
            return _unary(body, node)
        case ast.BinOp():
            return _binary(body, node, expected)
        case ast.Compare():
            return _comparisons(body, node)
        case ast.IfExp():
            return _conditional(body, node, expected)
        case ast.Call():
            return call(body, node, expected)
        case ast.Set():
            return _display(body, node, expected)
        case ast.List():
            return _sequence(body, node, expected)
        case ast.SetComp():
            return set_comprehension(body, node, expected)
        case ast.DictComp():
            return dict_comprehension(body, node, expected)
    what = type(node).__name__
    help = "see the language guide for what a spec may contain"
    body.fail(Code.SUBSET, f"{SUBSET_NAMES.get(what, what)} is outside the language", node, help)


SUBSET_NAMES = {
    "Lambda": "a lambda",
    "ListComp": "a list comprehension",
    "GeneratorExp": "a generator outside any(), all(), sum(), min(), max() and choose()",
    "Dict": "a dict display",
    "Tuple": "a tuple",
    "JoinedStr": "an f-string",
    "Await": "await",
    "Yield": "yield",
    "YieldFrom": "yield",
    "NamedExpr": "an assignment expression",
    "Starred": "a starred expression",
}


def constant(body: Body, value: Any, node: ast.expr, expected: Type | None = None) -> Expr:
    """A Python object as a literal."""
    span = body.span(node)
    match value:
        case None if isinstance(expected, OptionType):
            return construct.none(expected, span)
        case bool():
            return construct.truth(value, span)
        case Enum():
            kind = body.shape.resolver.resolve(type(value))
            return Const(kind, value.name, span)
        case int():
            return construct.integer(value, span)
        case Nodes():
            return construct.domain(NodeType(value.sort), span)
    if value is None:
        body.fail(Code.TYPE, "None is not expected here", node)
    shown = getattr(value, "__name__", type(value).__name__)
    body.fail(Code.TYPE, f"{shown} is not a value of the spec language", node)


def _literal(body: Body, node: ast.Constant, expected: Type | None) -> Expr:
    if node.value is None or isinstance(node.value, bool | int):
        return constant(body, node.value, node, expected)
    what = type(node.value).__name__
    help = "use an Enum instead of strings" if what == "str" else "use bounded ints"
    body.fail(Code.SUBSET, f"a {what} is outside the language", node, help)


def _name(body: Body, node: ast.Name, expected: Type | None) -> Expr:
    found = meaning(body, node)
    match found:
        case None:
            body.fail(Code.NAME, f"the name {node.id!r} is not known", node)
        case SpecObject():
            help = "use its variables and methods"
            body.fail(Code.SUBSET, f"{node.id!r} as a value is outside the language", node, help)
        case Constant(value):
            return constant(body, value, node, expected)
        case Local(type=_, name=name):
            return _local(body, name, found, node)
    return found


def _local(body: Body, name: str, found: Local, node: ast.Name) -> Expr:
    unit = body.unit
    if name in unit.types and name not in unit.defined:
        body.fail(Code.NAME, f"{node.id!r} may have no value here", node)
    if name in unit.stale:
        span = unit.stale[name]
        line = span.line if span else "?"
        help = f"take a copy: `{node.id} = Set(...)`, or read the variable again"
        message = f"{node.id!r} is a collection that was changed since (line {line})"
        body.fail(Code.ALIAS, message, node, help)
    return Local(unit.types.get(name, found.type), name, body.span(node))


def _attribute(body: Body, node: ast.Attribute) -> Expr:
    found = meaning(body, node)
    if isinstance(found, Constant):
        return constant(body, found.value, node)
    base = meaning(body, node.value)
    if isinstance(base, SpecObject):
        return _spec_attribute(body, base, node)
    if isinstance(base, Constant) and not isinstance(base.value, Enum):
        owner = getattr(base.value, "__name__", base.value)
        body.fail(Code.NAME, f"{owner} has no attribute {node.attr!r}", node)
    return field_of(body, expression(body, node.value), node)


def _spec_attribute(body: Body, base: SpecObject, node: ast.Attribute) -> Expr:
    shape, name = body.shape, node.attr
    if name in shape.variables:
        return Var(shape.variables[name].type, name, base.after, body.span(node))
    if name in shape.parameters:
        return constant(body, shape.parameters[name], node)
    if callable(getattr(shape.spec, name, None)):
        body.fail(Code.SUBSET, f"the method {name!r} as a value is outside the language", node)
    known = ", ".join([*shape.variables, *shape.parameters])
    message = f"{shape.spec.__name__} has no variable or parameter {name!r}"
    body.fail(Code.NAME, message, node, f"it has: {known}")


def field_of(body: Body, base: Expr, node: ast.Attribute) -> Expr:
    """A field of a record, or one that every variant of a union has."""
    span = body.span(node)
    if isinstance(base.type, OptionType):
        help = "guard it: `if x is not None`"
        body.fail(Code.NONE, f"this may be None: it has no field {node.attr!r}", node.value, help)
    if isinstance(base.type, RecordType):
        kind = base.type.field(node.attr)
        if kind is not None:
            return Apply(kind, Op.FIELD, (base,), name=node.attr, span=span)
    if isinstance(base.type, UnionType):
        return _union_field(body, base, base.type, node)
    body.fail(Code.TYPE, f"{describe(base.type)} has no field {node.attr!r}", node)


def _union_field(body: Body, base: Expr, union: UnionType, node: ast.Attribute) -> Expr:
    common: Type | None = None
    for variant in union.variants:
        kind = variant.field(node.attr)
        if kind is None:
            message = f"{variant.name} has no field {node.attr!r}"
            help = "test for the variants first: match, or isinstance"
            body.fail(Code.NONE, message, node, help)
        common = kind if common is None else join(common, kind)
        if common is None:
            body.fail(Code.TYPE, f"the fields {node.attr!r} have no common type", node)
    assert common is not None
    span = body.span(node)
    result: Expr | None = None
    for variant in reversed(union.variants):
        record = Apply(variant, Op.NARROW, (base,), name=variant.name, span=span)
        kind = variant.field(node.attr)
        assert kind is not None
        value: Expr = Apply(kind, Op.FIELD, (record,), name=node.attr, span=span)
        value = coerce(body, value, common, node)
        test = Apply(BOOL, Op.IS, (base,), name=variant.name, span=span)
        result = value if result is None else construct.conditional(test, value, result, span)
    assert result is not None
    return result


def _subscript(body: Body, node: ast.Subscript) -> Expr:
    base = expression(body, node.value)
    span = body.span(node)
    match base.type:
        case MapType(key, value):
            index = coerce(body, expression(body, node.slice), key, node.slice, label_of(base))
            return Apply(value, Op.GET, (base, index), label=label_of(base), span=span)
        case SeqType(element, capacity):
            if isinstance(node.slice, ast.Slice):
                return _slice(body, base, node.slice, capacity, node)
            index = _int(body, node.slice)
            return Apply(element, Op.AT, (base, index), label=label_of(base), span=span)
        case OptionType():
            body.fail(Code.NONE, "this may be None here", node.value)
    body.fail(Code.TYPE, f"{describe(base.type)} has no elements by key or index", node)


def label_of(expr: Expr) -> str:
    """What a trap about a collection names: the variable it is in, where it is in one."""
    while isinstance(expr, Apply) and expr.op in (Op.GET, Op.AT) and expr.args:
        expr = expr.args[0]
    if isinstance(expr, Apply) and expr.op is Op.FIELD:
        return expr.name
    return expr.name if isinstance(expr, Var | Local) else ""


def _slice(
    body: Body, base: Expr, bounds: ast.Slice, capacity: int, node: ast.Subscript
) -> Expr:
    if bounds.step is not None:
        body.fail(Code.SUBSET, "a slice with a step is outside the language", node)
    result = base
    # The end first: s[a:b] is s[:b][a:] as long as both count from the front.
    if bounds.upper is not None:
        last = _int(body, bounds.upper)
        result = Apply(base.type, Op.TAKE, (result, last), span=body.span(node))
    if bounds.lower is not None:
        first = _int(body, bounds.lower)
        if bounds.upper is not None and isinstance(first.type, IntType) and first.type.low < 0:
            help = "slice in two steps"
            body.fail(Code.SUBSET, "a slice from a negative index to an end", node, help)
        result = Apply(base.type, Op.DROP, (result, first), span=body.span(node))
    return result


def _int(body: Body, node: ast.expr) -> Expr:
    expr = expression(body, node)
    if not isinstance(expr.type, IntType):
        body.fail(Code.TYPE, f"an int is needed, this is {describe(expr.type)}", node)
    return expr


def _bool_operator(body: Body, node: ast.BoolOp) -> Expr:
    from .narrowing import learn

    op = Op.AND if isinstance(node.op, ast.And) else Op.OR
    before = dict(body.narrowed)
    args = []
    try:
        for value in node.values:
            args.append(condition(body, value))
            body.narrowed = {**body.narrowed, **learn(body, value, op is Op.AND)}
    finally:
        body.narrowed = before
    return construct.junction(op, args, body.span(node))


def _unary(body: Body, node: ast.UnaryOp) -> Expr:
    match node.op:
        case ast.Not():
            return construct.negation(condition(body, node.operand), body.span(node))
        case ast.USub():
            return construct.arithmetic(Op.NEG, [_int(body, node.operand)], body.span(node))
    body.fail(Code.SUBSET, "this operator is outside the language", node)


def _binary(body: Body, node: ast.BinOp, expected: Type | None) -> Expr:
    """The operand that is a display takes its element type from the other."""
    displays = (ast.Set, ast.List, ast.SetComp)
    if isinstance(node.left, displays) and not isinstance(node.right, displays):
        right = expression(body, node.right)
        left = _translate(body, node.left, right.type)
    else:
        left = _translate(body, node.left, expected) if isinstance(node.left, displays) else None
        left = left or expression(body, node.left)
        hinted = isinstance(node.right, displays) or _needs_hint(node.right)
        right = _translate(body, node.right, left.type) if hinted else expression(body, node.right)
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
    if isinstance(left.type, SetType) and isinstance(right.type, SetType):
        if kind in SET_OPERATORS:
            return _set_operator(body, SET_OPERATORS[kind], left, right, node)
    if isinstance(left.type, SeqType) and isinstance(right.type, SeqType) and kind is ast.Add:
        element = join(left.type.element, right.type.element)
        if element is not None:
            wide = [SeqType(element, x.type.capacity) for x in (left, right)]  # type: ignore[union-attr]
            args = tuple(coerce(body, x, t, node) for x, t in zip((left, right), wide, strict=True))
            total = SeqType(element, wide[0].capacity + wide[1].capacity)
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


def _comparisons(body: Body, node: ast.Compare) -> Expr:
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


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _equality(body: Body, left: ast.expr, right: ast.expr, node: ast.expr) -> Expr:
    if _is_none(left):
        left, right = right, left
    span = body.span(node)
    if _is_none(right):
        value = _translate(body, left, None)
        if not isinstance(value.type, OptionType):
            return construct.truth(False, span)
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
        help = "guard it: `x is not None and x in s`"
        body.fail(Code.NONE, "this may be None here", left, help)
    if not (isinstance(value.type, IntType) and isinstance(element, IntType)):
        value = coerce(body, value, element, left)
    if construct.is_node_domain(collection):
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
            help = "declare the nodes as OrderedNodes if they have ranks"
            body.fail(Code.ORDER, f"the nodes of {sort.name} have no order", node, help)
        case NodeType():
            return Apply(BOOL, op, (a, b), span=span)
        case SetType():
            subset = Apply(BOOL, Op.SUBSET, (a, b), span=span)
            if op is Op.LE:
                return subset
            proper = construct.negation(Apply(BOOL, Op.EQ, (a, b), span=span))
            return construct.junction(Op.AND, [subset, proper], span)
    body.fail(Code.TYPE, f"{describe(a.type)} has no order", node)


def _conditional(body: Body, node: ast.IfExp, expected: Type | None) -> Expr:
    from .narrowing import learn

    test = condition(body, node.test)
    before = dict(body.narrowed)
    arms = []
    try:
        for arm, outcome in ((node.body, True), (node.orelse, False)):
            body.narrowed = {**before, **learn(body, node.test, outcome)}
            arms.append(expression_hinted(body, arm, expected))
    finally:
        body.narrowed = before
    then, orelse = arms
    if isinstance(test, Const):
        return then if test.value else orelse
    if _is_none(node.body) or _is_none(node.orelse):
        then, orelse = _with_none(body, then, orelse, node)
    then, orelse = unify(body, then, orelse, node)
    return construct.conditional(test, then, orelse, body.span(node))


def expression_hinted(body: Body, node: ast.expr, expected: Type | None) -> Expr:
    """With the expected type as a hint only; None becomes an option of anything, to be unified."""
    if _is_none(node) and not isinstance(expected, OptionType):
        return construct.none(OptionType(BOOL), body.span(node))
    return expression(body, node, expected) if expected is not None else expression(body, node)


def _with_none(body: Body, then: Expr, orelse: Expr, node: ast.IfExp) -> tuple[Expr, Expr]:
    other = orelse if _is_none(node.body) else then
    kind = other.type if isinstance(other.type, OptionType) else OptionType(other.type)
    none = construct.none(kind, body.span(node))
    return (none, orelse) if _is_none(node.body) else (then, none)


def _display(body: Body, node: ast.Set, expected: Type | None) -> Expr:
    hint = expected.element if isinstance(expected, SetType) else None
    items = [expression_hinted(body, item, hint) for item in node.elts]
    element = common_type(body, items, node)
    args = tuple(coerce(body, item, element, node) for item in items)
    return Apply(SetType(element), Op.SET, args, span=body.span(node))


def _sequence(body: Body, node: ast.List, expected: Type | None) -> Expr:
    hint = expected.element if isinstance(expected, SeqType) else None
    if not node.elts:
        if not isinstance(expected, SeqType):
            body.fail(Code.TYPE, "an empty list of what?", node, "write empty()")
        return Apply(SeqType(expected.element, 0), Op.SEQ, span=body.span(node))
    items = [expression_hinted(body, item, hint) for item in node.elts]
    element = common_type(body, items, node)
    args = tuple(coerce(body, item, element, node) for item in items)
    return Apply(SeqType(element, len(args)), Op.SEQ, args, span=body.span(node))


def common_type(body: Body, items: list[Expr], node: ast.expr) -> Type:
    """The least type that holds all the items."""
    common = items[0].type
    for item in items[1:]:
        joined = join(common, item.type)
        if joined is None:
            message = f"{describe(common)} and {describe(item.type)} have no common type"
            body.fail(Code.TYPE, message, node)
        common = joined
    return common


def holds_collection(expr: Expr) -> str | None:
    """The variable whose live collection an expression reads, where it does not copy it."""
    if not is_collection(expr.type):
        return None
    while isinstance(expr, Apply) and expr.op in (Op.GET, Op.AT, Op.COERCE, Op.NARROW):
        expr = expr.args[0]
    return expr.name if isinstance(expr, Var) and not expr.after else None

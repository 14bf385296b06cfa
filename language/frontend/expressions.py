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
    BoolType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    Type,
    UnionType,
)
from . import construct
from .context import Body, Constant, Lost, Meaning, SpecObject
from .scopes import assigned_names
from .typing_rules import describe, fits, join


def expression(body: Body, node: ast.expr, expected: Type | None = None, label: str = "") -> Expr:
    """Translate an expression; with `expected`, to exactly that type.

    `label` names the place whose bound the value is checked against.
    """
    expr = narrowed(body, node, translate(body, node, expected))
    return expr if expected is None else coerce(body, expr, expected, node, label)


def condition(body: Body, node: ast.expr) -> Expr:
    """Translate an expression that must be a bool."""
    expr = expression(body, node)
    if not isinstance(expr.type, BoolType):
        advice = "compare: `len(s) > 0`, `x is not None`, `n != 0`"
        body.fail(Code.TYPE, f"a bool is needed, this is {describe(expr.type)}", node, advice)
    return expr


def coerce(body: Body, expr: Expr, target: Type, node: ast.expr, label: str = "") -> Expr:
    """The expression as a value of `target`; ints that may not fit are checked at run time."""
    if expr.type == target:
        return expr
    span = body.span(node)
    if isinstance(expr, Const) and isinstance(target, IntType) and isinstance(expr.type, IntType):
        assert isinstance(expr.value, int)
        outside = not target.low <= expr.value <= target.high
        if outside and (body.unit.dead or not _is_literal(node)):
            return Apply(target, Op.COERCE, (expr,), label=label, span=span)
        if outside:
            message = f"{expr.value} is outside {target.low} .. {target.high}"
            body.fail(Code.TYPE, message, node)
        return Const(target, expr.value, span)
    optional = isinstance(expr.type, OptionType) and not isinstance(target, OptionType)
    if optional and isinstance(expr.type, OptionType) and fits(expr.type.inner, target):
        advice = "guard it: `require(x is not None)`, or `if x is not None:`"
        body.fail(Code.NONE, "this may be None here", node, advice)
    if not fits(expr.type, target) and isinstance(expr, Const) and expr.value is None:
        body.fail(Code.TYPE, f"None is no {describe(target)}", node)
    if not fits(expr.type, target):
        message = f"{describe(target)} is needed, this is {describe(expr.type)}"
        body.fail(Code.TYPE, message, node)
    return Apply(target, Op.COERCE, (expr,), label=label, span=span)


def _is_literal(node: ast.expr) -> bool:
    """Whether an int stands in the source, rather than following from parameters."""
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant)


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
            if name in body.names or name in assigned_names(body.node):
                return body.names.get(name)  # As in Python, a name stored to is never a global.
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
        expr = Apply(target, Op.NARROW, (expr,), span=span)
    if isinstance(expr.type, UnionType) and isinstance(target, UnionType) and expr.type != target:
        expr = Apply(target, Op.COERCE, (expr,), span=span)
    return expr


def translate(body: Body, node: ast.expr, expected: Type | None) -> Expr:
    """Translate an expression; `expected` is a hint for displays and None, not a demand."""
    match node:
        case ast.Constant():
            return _literal(body, node, expected)
        case ast.Name():
            return _name(body, node, expected)
        case ast.Attribute():
            return _attribute(body, node)
        case ast.Subscript():
            return _subscript(body, node)
    from . import operators
    from .calls import call
    from .comprehensions import dict_comprehension, set_comprehension

    match node:
        case ast.BoolOp():
            return operators.bool_operator(body, node)
        case ast.UnaryOp():
            return operators.unary(body, node)
        case ast.BinOp():
            return operators.binary_operator(body, node, expected)
        case ast.Compare():
            return operators.comparisons(body, node)
        case ast.IfExp():
            return operators.conditional(body, node, expected)
        case ast.Call():
            return call(body, node, expected)
        case ast.Set():
            return operators.set_display(body, node, expected)
        case ast.List():
            return operators.list_display(body, node, expected)
        case ast.SetComp():
            return set_comprehension(body, node, expected)
        case ast.DictComp():
            return dict_comprehension(body, node, expected)
    what = type(node).__name__
    advice = "docs/language.md lists what a spec may contain"
    body.fail(Code.SUBSET, f"{SUBSET_NAMES.get(what, what)} is outside the language", node, advice)


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
    advice = "use an Enum instead of strings" if what == "str" else "use bounded ints"
    body.fail(Code.SUBSET, f"a {what} is outside the language", node, advice)


def _name(body: Body, node: ast.Name, expected: Type | None) -> Expr:
    found = meaning(body, node)
    match found:
        case None if node.id in assigned_names(body.node):
            advice = "give it a value before the branch or loop"
            body.fail(Code.NAME, f"{node.id!r} may have no value here", node, advice)
        case None:
            body.fail(Code.NAME, f"the name {node.id!r} is not known", node)
        case Lost(line):
            message = f"{node.id!r} was bound by a loop or a case (line {line}) that is over"
            body.fail(Code.NAME, message, node, "use another name there")
        case SpecObject():
            advice = "use its variables and methods"
            body.fail(Code.SUBSET, f"{node.id!r} as a value is outside the language", node, advice)
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
        advice = f"take a copy: `{node.id} = Set(...)`, or read the variable again"
        message = f"{node.id!r} is a collection that was changed since (line {line})"
        body.fail(Code.ALIAS, message, node, advice)
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
    if name in shape.variables and not base.state:
        advice = "what is true of a state is an @invariant, or a @constraint"
        body.fail(Code.EFFECT, f"an assumption cannot read the variable {name!r}", node, advice)
    if name in shape.variables:
        return Var(shape.variables[name].type, name, base.after, body.span(node))
    if name in shape.parameters:
        return constant(body, shape.parameters[name], node)
    plain = getattr(shape.spec, name, None)
    if isinstance(plain, bool | int | Enum):
        return constant(body, plain, node)  # a class attribute that is no variable
    if isinstance(plain, property):
        advice = f"write a method, and call it: `self.{name}()`"
        body.fail(Code.SUBSET, f"the property {name!r} is outside the language", node, advice)
    if callable(plain):
        body.fail(Code.SUBSET, f"the method {name!r} as a value is outside the language", node)
    known = ", ".join([*shape.variables, *shape.parameters])
    message = f"{shape.spec.__name__} has no variable or parameter {name!r}"
    body.fail(Code.NAME, message, node, f"it has: {known}")


def field_of(body: Body, base: Expr, node: ast.Attribute) -> Expr:
    """A field of a record, or one that every variant of a union has."""
    span = body.span(node)
    if isinstance(base.type, OptionType):
        advice = "guard it: `if x is not None`"
        body.fail(Code.NONE, f"this may be None: it has no field {node.attr!r}", node.value, advice)
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
            advice = "test for the variants first: match, or isinstance"
            body.fail(Code.NONE, message, node, advice)
        common = kind if common is None else join(common, kind)
        if common is None:
            body.fail(Code.TYPE, f"the fields {node.attr!r} have no common type", node)
    assert common is not None
    span = body.span(node)
    result: Expr | None = None
    for variant in reversed(union.variants):
        record = Apply(variant, Op.NARROW, (base,), span=span)
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
            index = int_expression(body, node.slice)
            return Apply(element, Op.AT, (base, index), label=label_of(base), span=span)
        case OptionType():
            body.fail(Code.NONE, "this may be None here", node.value)
    body.fail(Code.TYPE, f"{describe(base.type)} has no elements by key or index", node)


def label_of(expr: Expr) -> str:
    """What a trap about a collection names: the variable it is in, `[]` for an entry of a map."""
    match expr:
        case Apply(_, Op.GET | Op.AT as op, (inner, *_)):
            return label_of(inner) + ("[]" if op is Op.GET else "[.]")
        case Apply(_, Op.FIELD):
            return expr.name
        case Var() | Local():
            return expr.name
    return ""


def _slice(body: Body, base: Expr, bounds: ast.Slice, capacity: int, node: ast.Subscript) -> Expr:
    if bounds.step is not None:
        body.fail(Code.SUBSET, "a slice with a step is outside the language", node)
    result = base
    # The end first: s[a:b] is s[:b][a:] as long as both count from the front.
    if bounds.upper is not None:
        last = int_expression(body, bounds.upper)
        result = Apply(base.type, Op.TAKE, (result, last), span=body.span(node))
    if bounds.lower is not None:
        first = int_expression(body, bounds.lower)
        if bounds.upper is not None and isinstance(first.type, IntType) and first.type.low < 0:
            advice = "slice in two steps"
            body.fail(Code.SUBSET, "a slice from a negative index to an end", node, advice)
        result = Apply(base.type, Op.DROP, (result, first), span=body.span(node))
    return result


def int_expression(body: Body, node: ast.expr) -> Expr:
    """Translate an expression that must be an int."""
    expr = expression(body, node)
    if not isinstance(expr.type, IntType):
        body.fail(Code.TYPE, f"an int is needed, this is {describe(expr.type)}", node)
    return expr


def is_none(node: ast.expr) -> bool:
    """Whether the source says None."""
    return isinstance(node, ast.Constant) and node.value is None


def expression_hinted(body: Body, node: ast.expr, expected: Type | None, label: str = "") -> Expr:
    """With the expected type as a hint only; None becomes an option of anything, to be unified."""
    if is_none(node) and not isinstance(expected, OptionType):
        return construct.none(OptionType(BOOL), body.span(node))
    return expression(body, node, expected, label)


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

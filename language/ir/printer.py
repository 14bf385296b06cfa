"""Canonical text of an IR: the same text for equal IR, read back by `parser.py`.

    (spec NAME
      (sort rms 3) (enum Vote YES NO) (record Prepared (rm (node rms)))
      (variable rm_state (map (node rms) Vote) (each :(map (node rms) Vote) Vote::NO))
      (action prepare internal ((rm (node rms))) STATEMENT...)
      (start STATEMENT...) (constraint EXPR)
      (property agree always EXPR) (refinement name (spec ...) EXPR...))

Types: `bool`, `(int 0 3)`, `(node rms)`, a name, `(option T)`, `(union A B)`, `(set T)`,
`(set T capacity)`, `(map K V)`, `(seq T capacity)`, `(bag T copies)`, `(bag T copies capacity)`.

Expressions: `#true`, `3`, `Vote::YES`, a local by its name, `self.rm_state`, `after.rm_state`,
`(op ARG...)`, `(fold.any ((rm SOURCE CONDITION)) BODY)`, `(do (STATEMENT...) RESULT)`. A type
follows as `:TYPE` only where it is not the natural one (`signatures.py`), a label as `@label`.

Statements: `(assign PLACE EXPR)`, `(add! PLACE EXPR)`, `(bind name EXPR)`, `(require EXPR)`,
`(if EXPR (then ...) (else ...))`, `(for (x SOURCE) ...)`, `(choose (x SOURCE))`. A place is
`self.x` or `(place self.x (key EXPR) (index EXPR))`.

Positions in source files are not printed. The IR must have passed `verify`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import assert_never

from .nodes import (
    Action,
    Apply,
    Assign,
    Bind,
    Binder,
    Choose,
    Comprehension,
    Const,
    Do,
    Durability,
    Expr,
    For,
    If,
    Key,
    Local,
    Mutate,
    Path,
    Property,
    Refinement,
    Require,
    SpecIR,
    Stmt,
    Var,
    Variable,
)
from .sexpr import Atom, Form, Node, form, quoted, write
from .signatures import natural_fold_type, natural_type
from .type_text import type_node
from .types import (
    BoolType,
    EnumType,
    IntType,
    RecordType,
    Type,
)


def print_ir(spec: SpecIR) -> str:
    """The canonical text of a spec, ending in a newline."""
    return write(_spec(spec)) + "\n"


# --- Declarations --------------------------------------------------------------------------------


def _spec(spec: SpecIR) -> Form:
    items: list[Node] = []
    for sort in spec.sorts:
        order = ["ordered"] if sort.ordered else []
        items.append(form("sort", quoted(sort.name), str(sort.size), *order))
    items += [_definition(kind) for kind in _definitions(spec)]
    items += [_variable(variable) for variable in spec.variables]
    if spec.start:
        items.append(form("start", *_statements(spec.start)))
    items += [_action(action) for action in spec.actions]
    if spec.constraint is not None:
        items.append(form("constraint", _expr(spec.constraint)))
    items += [_property(item) for item in spec.properties]
    items += [_refinement(item) for item in spec.refinements]
    return form("spec", quoted(spec.name), *items)


def _definitions(spec: SpecIR) -> list[EnumType | RecordType]:
    """The named types of a spec (not those of its abstract specs alone): enumerations, then
    records, inner ones first.
    """
    found: dict[EnumType | RecordType, None] = {}
    visited: set[Type] = set()
    parts = [getattr(spec, field.name) for field in dataclasses.fields(spec)]
    for part in parts:
        if part is spec.refinements:
            part = tuple(item.mapping for item in spec.refinements)
        for kind in _types_below(part, visited):
            found.setdefault(kind)
    return sorted(found, key=lambda kind: isinstance(kind, RecordType))


def _types_below(root: object, visited: set[Type]) -> Iterator[EnumType | RecordType]:
    if isinstance(root, tuple):
        for item in root:
            yield from _types_below(item, visited)
    elif dataclasses.is_dataclass(root) and not isinstance(root, Enum | type):
        if isinstance(root, Type):
            if root in visited:
                return
            visited.add(root)
        for field in dataclasses.fields(root):
            if field.name != "span":
                yield from _types_below(getattr(root, field.name), visited)
        if isinstance(root, EnumType | RecordType):
            yield root


def _definition(kind: EnumType | RecordType) -> Form:
    if isinstance(kind, EnumType):
        return form("enum", quoted(kind.name), *map(quoted, kind.members))
    fields = [form(quoted(name), type_node(inner)) for name, inner in kind.fields]
    return form("record", quoted(kind.name), *fields)


def _variable(variable: Variable) -> Form:
    plain = variable.durability is Durability.PLAIN
    durability = [] if plain else [variable.durability.value]
    value = _expr(variable.initial)
    return form("variable", quoted(variable.name), type_node(variable.type), *durability, value)


def _action(action: Action) -> Form:
    parameters = [form(quoted(item.name), type_node(item.type)) for item in action.parameters]
    body = _statements(action.body)
    return form("action", quoted(action.name), action.kind.value, form(*parameters), *body)


def _property(item: Property) -> Form:
    by = [form("by", *map(quoted, item.by))] if item.by else []
    when = [form("when", _expr(item.when))] if item.when is not None else []
    return form("property", quoted(item.name), item.kind.value, *by, *when, _expr(item.predicate))


def _refinement(item: Refinement) -> Form:
    mapping = [_expr(expr) for expr in item.mapping]
    return form("refinement", quoted(item.name), _spec(item.abstract), *mapping)


# --- Expressions ---------------------------------------------------------------------------------


def _expr(expr: Expr) -> Node:
    match expr:
        case Const():
            return _constant(expr)
        case Local(_, name):
            return Atom(quoted(name))
        case Var(_, name, after):
            return Atom(f"{'after' if after else 'self'}.{name}")
        case Apply():
            kinds = [arg.type for arg in expr.args]
            natural = natural_type(expr.op, kinds, expr.name)
            notes = _annotation(expr.type, natural)
            notes += [Atom(f"@{quoted(expr.label)}")] if expr.label else []
            notes += [Atom(quoted(expr.name))] if expr.name else []
            return form(expr.op.value, *notes, *map(_expr, expr.args))
        case Comprehension():
            return _comprehension(expr)
        case Do():
            notes = _annotation(expr.type, expr.result.type)
            return form("do", *notes, form(*_statements(expr.body)), _expr(expr.result))
    assert_never(expr)


def _annotation(declared: Type, natural: Type | None) -> list[Node]:
    """`:TYPE`, in two nodes where the type is a list."""
    if declared == natural:
        return []
    kind = type_node(declared)
    return [Atom(f":{kind.text}")] if isinstance(kind, Atom) else [Atom(":"), kind]


def _constant(expr: Const) -> Node:
    match expr.type, expr.value:
        case BoolType(), value:
            return Atom("#true" if value else "#false")
        case EnumType(name), value:
            return Atom(f"{name}::{value}")
        case IntType(low, high), value if low == high:
            return Atom(str(value))
        case IntType(), value:
            return form("const", str(value), type_node(expr.type))
    return form("none", type_node(expr.type))


def _comprehension(expr: Comprehension) -> Form:
    sources = [binder.source.type for binder in expr.binders]
    default = None if expr.default is None else expr.default.type
    natural = natural_fold_type(expr.fold, sources, expr.body.type, default)
    binders = form(*map(_binder, expr.binders))
    ending = [] if expr.default is None else [_expr(expr.default)]
    notes = _annotation(expr.type, natural)
    return form(f"fold.{expr.fold.value}", *notes, binders, _expr(expr.body), *ending)


def _binder(binder: Binder) -> Form:
    condition = [] if binder.condition is None else [_expr(binder.condition)]
    return form(quoted(binder.name), _expr(binder.source), *condition)


# --- Statements ----------------------------------------------------------------------------------


def _statements(body: Iterable[Stmt]) -> list[Node]:
    return [_statement(stmt) for stmt in body]


def _statement(stmt: Stmt) -> Form:
    match stmt:
        case Assign(place, value):
            return form("assign", _place(place), _expr(value))
        case Mutate(change, place, args):
            return form(f"{change.value}!", _place(place), *map(_expr, args))
        case Bind(name, kind, value):
            notes = _annotation(kind, value.type)
            return form("bind", quoted(name), *notes, _expr(value))
        case Require(condition):
            return form("require", _expr(condition))
        case If(condition, then, orelse):
            arms = [form("then", *_statements(then))]
            if orelse:
                arms.append(form("else", *_statements(orelse)))
            return form("if", _expr(condition), *arms)
        case For(binder, body):
            return form("for", _binder(binder), *_statements(body))
        case Choose(binder):
            return form("choose", _binder(binder))
    assert_never(stmt)


def _place(place: Path) -> Node:
    variable = f"self.{place.var}"
    if not place.steps:
        return Atom(variable)
    steps = [
        form("key", _expr(step.key)) if isinstance(step, Key) else form("index", _expr(step.index))
        for step in place.steps
    ]
    return form("place", variable, *steps)

"""Statements: guards, choices, stores, branches, loops."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Sequence
from functools import lru_cache

from .. import declarations
from ..diagnostics import Code
from ..ir.nodes import (
    Apply,
    Bind,
    Binder,
    Change,
    Choose,
    Const,
    Do,
    Expr,
    For,
    If,
    Local,
    Op,
    Require,
    Stmt,
)
from ..ir.traps import place_name
from ..ir.types import OptionType, SetType, Type
from . import construct
from .aliases import is_copy, is_python_set, may_be_live, note_alias, note_element
from .comprehensions import element_type, set_comprehension, source_of
from .context import Body, Constant, Lost, Skip, SpecObject
from .expressions import (
    coerce,
    condition,
    expression,
    expression_hinted,
    is_none,
    key_of,
    meaning,
)
from .flow import Flow
from .inlining import bind_local
from .narrowing import contradictory, learn
from .operators import binary
from .places import assign, change_statement, mutate, place
from .scopes import assigned_in, assigned_names, attributes_changed
from .typing_rules import describe, fits, join

Result = str | None
"""Where a helper's value goes: the name of a local; None for a procedure or an action."""


def block(body: Body, nodes: Sequence[ast.stmt], result: Result) -> tuple[list[Stmt], bool]:
    """Translate statements in a row; True where every way through ends in `return`.

    Statements after a branch that may return are translated inside its arms, so that control stays
    structured.
    """
    out: list[Stmt] = []
    with contextlib.ExitStack() as rest:
        for position, node in enumerate(nodes):
            try:
                if isinstance(node, ast.Return):
                    out.extend(_return(body, node, result))
                    return out, True
                if _returns(node):
                    statements, ended = _branch(body, node, nodes[position + 1 :], result)
                    out.extend(statements)
                    return out, ended
                done = statement(body, node)
            except Skip:
                continue
            out.extend(done)
            if any(isinstance(s, Require) and construct.is_false(s.condition) for s in done):
                rest.enter_context(body.unit.unreached(True))
    return out, False


@lru_cache(maxsize=4096)
def _returns(node: ast.stmt) -> bool:
    inner = (ast.FunctionDef, ast.Lambda)
    return any(isinstance(n, ast.Return) for n in ast.walk(node) if not isinstance(n, inner))


def _return(body: Body, node: ast.Return, result: Result) -> list[Stmt]:
    if result is None:
        if node.value is not None and not is_none(node.value):
            body.fail(Code.EFFECT, "an action or procedure returns no value", node)
        return []
    if node.value is None:
        body.fail(Code.EFFECT, "this helper returns a value elsewhere, but none here", node)
    hint = body.unit.types.get(result) if result in body.unit.annotated else None
    value = expression_hinted(body, node.value, hint)
    return [_bind(body, result, value, node.value)]


def _branch(
    body: Body, node: ast.stmt, rest: Sequence[ast.stmt], result: Result
) -> tuple[list[Stmt], bool]:
    match node:
        case ast.If():
            return _if(body, node, rest, result)
        case ast.Match():
            from .matching import match_statement

            return match_statement(body, node, rest, result)
    advice = "use any(...), all(...), min(...) or choose(...)"
    body.fail(Code.SUBSET, "a return inside a loop is outside the language", node, advice)


def returning(body: Body, nodes: Sequence[ast.stmt], expected: Type | None) -> Expr:
    """The value of a helper with several statements."""
    result = body.unit.fresh("result")
    if expected is not None:
        body.unit.types[result] = expected
        body.unit.annotated.add(result)
    statements, ended = block(body, nodes, result)
    if not ended:
        name = body.node.name
        body.fail(Code.EFFECT, f"{name}() does not return a value on every way through", body.node)
    return Do(body.unit.types[result], tuple(statements), Local(body.unit.types[result], result))


def statement(body: Body, node: ast.stmt) -> list[Stmt]:
    """Translate one statement that does not return."""
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return []
        case ast.Expr(value=ast.Call() as call):
            return change_statement(body, call)
        case ast.Assign(targets=[target], value=value):
            return _assign(body, target, value, None)
        case ast.AnnAssign(target=target, value=ast.expr() as value, annotation=annotation):
            return _assign(body, target, value, body.annotation(annotation))
        case ast.AugAssign():
            return _augmented(body, node)
        case ast.If():
            return _if(body, node, (), None)[0]
        case ast.For():
            return _for(body, node)
        case ast.Match():
            from .matching import match_statement

            return match_statement(body, node, (), None)[0]
        case ast.Assert(test=test):
            # For type checkers, which do not learn from require().
            if not construct.is_true(condition(body, test)):
                advice = "a guard is require(...); what must always hold is an @invariant"
                message = "this assertion is not shown by what comes before"
                body.fail(Code.SUBSET, message, node, advice)
            return []
    what = _NAMES.get(type(node), type(node).__name__.lower())
    body.fail(Code.SUBSET, f"{what} is outside the language", node, _HELP.get(type(node), ""))


_NAMES = {
    ast.Expr: "an expression without effect",
    ast.Assign: "an assignment to several targets",
    ast.AnnAssign: "a declaration without value",
    ast.FunctionDef: "a function within a function",
}
_HELP = {
    ast.While: "use `for` over a finite collection, or another action for each round",
    ast.Break: "use any(...), choose(...), or a condition in the loop",
    ast.Continue: "put the rest of the loop under an `if`",
    ast.Raise: "a guard is require(...)",
    ast.Try: "guard with require(...) or if",
    ast.Assign: "write one assignment a line",
}


def is_call_of(body: Body, node: ast.expr, function: object) -> bool:
    """Whether an expression calls that function of the language."""
    if not isinstance(node, ast.Call):
        return False
    found = meaning(body, node.func)
    return isinstance(found, Constant) and found.value is function


def _assign(body: Body, target: ast.expr, value: ast.expr, annotated: Type | None) -> list[Stmt]:
    if is_call_of(body, value, declarations.choose):
        assert isinstance(value, ast.Call)
        return _choose(body, target, value, annotated)
    popped = _pop(body, value)
    if popped is not None:
        before, taken = popped
        return [*before, *_store(body, target, taken, value)]
    if isinstance(target, ast.Name):
        known = _annotated_local(body, target.id)
        bind = _assign_local(body, target, _value(body, value, annotated or known), annotated)
        if isinstance(bind, Bind) and is_copy(body, value):
            body.unit.aliases.pop(bind.name, None)
        return [bind]
    where = place(body, target)
    stored = expression_hinted(body, value, where.type, place_name(where))
    made = assign(body, where, stored, value)
    key = key_of(target)
    if key is not None and isinstance(where.type, OptionType) and _is_present(stored):
        body.narrowed[key] = where.type.inner
    return [made]


def _is_present(value: Expr) -> bool:
    """Whether a value, as coerced for its place, is certainly not None."""
    while isinstance(value, Apply) and value.op is Op.COERCE:
        value = value.args[0]
    return not isinstance(value.type, OptionType)


def _value(body: Body, value: ast.expr, kind: Type | None) -> Expr:
    expr = expression_hinted(body, value, kind)
    return expr if kind is None else coerce(body, expr, kind, value)


def _annotated_local(body: Body, name: str) -> Type | None:
    found = body.names.get(name)
    if isinstance(found, Local) and found.name in body.unit.annotated:
        return body.unit.types[found.name]
    return None


def _store(body: Body, target: ast.expr, value: Expr, node: ast.expr) -> list[Stmt]:
    if isinstance(target, ast.Name):
        return [_assign_local(body, target, value, None)]
    return [assign(body, place(body, target), value, node)]


def _assign_local(body: Body, target: ast.Name, value: Expr, annotated: Type | None) -> Stmt:
    found = body.names.get(target.id)
    if isinstance(found, SpecObject):
        body.fail(Code.SUBSET, f"{target.id!r} stands for the spec", target)
    if not (isinstance(found, Local) and found.name in body.unit.types):
        found = Local(value.type, body.unit.fresh(target.id))
        body.names[target.id] = found
        if annotated is not None:
            body.unit.types[found.name] = annotated
            body.unit.annotated.add(found.name)
    forget(body, target.id)
    return _bind(body, found.name, value, target)


def _bind(body: Body, name: str, value: Expr, node: ast.expr) -> Stmt:
    """Bind a local; its type grows to hold the value unless it was annotated."""
    unit = body.unit
    known = unit.types.get(name)
    if known is None:
        unit.types[name] = value.type
    elif known != value.type and name not in unit.annotated:
        common = join(known, value.type)
        if common is None:
            message = f"{name} was {describe(known)} before; this is {describe(value.type)}"
            advice = "use another name"
            if isinstance(known, OptionType) or isinstance(value.type, OptionType):
                advice = "say its type where it is first set: `x: Node | None = None`"
            body.fail(Code.TYPE, message, node, advice)
        if common != known:
            unit.types[name], unit.grown = common, True
    kind = unit.types[name]
    unit.defined.add(name)
    note_alias(unit, name, value)
    return Bind(name, kind, coerce(body, value, kind, node, name), body.span(node))


def forget(body: Body, name: str) -> None:
    """Drop what tests have shown of paths through a name that is stored to."""
    kept = {}
    for key, kind in body.narrowed.items():
        names = {n.id for n in ast.walk(ast.parse(key)) if isinstance(n, ast.Name)}
        if name not in names:
            kept[key] = kind
    body.narrowed = kept


def _choose(body: Body, target: ast.expr, node: ast.Call, annotated: Type | None) -> list[Stmt]:
    if not body.guards:
        body.fail(Code.EFFECT, "choose() belongs in an action or in start", node)
    if len(node.args) != 1 or node.keywords:
        body.fail(Code.CALL, "choose() takes one collection", node)
    options = node.args[0]
    if isinstance(options, ast.GeneratorExp):
        source: Expr = set_comprehension(body, options, None)
    else:
        source = source_of(body, options)
    element = element_type(source)
    name = body.unit.fresh(target.id if isinstance(target, ast.Name) else "chosen")
    choice = Choose(Binder(name, element, source), body.span(node))
    note_element(body.unit, name, element, source)
    local = Local(element, name)
    once = isinstance(target, ast.Name) and assigned_names(body.node)[target.id] == 1
    if once and annotated is None and isinstance(target, ast.Name):
        body.unit.types[name] = element
        body.unit.defined.add(name)
        body.names[target.id] = local
        forget(body, target.id)
        return [choice]
    value: Expr = local if annotated is None else coerce(body, local, annotated, node)
    return [choice, *_store(body, target, value, node)]


def _pop(body: Body, value: ast.expr) -> tuple[list[Stmt], Expr] | None:
    """`x = self.queue.pop(0)`: what takes the element out, and the local that holds it."""
    match value:
        case ast.Call(func=ast.Attribute(value=inner, attr="pop")):
            where = place(body, inner)
            base = expression(body, inner)
            change = mutate(body, where, "pop", value)
            index = 0 if change.change is Change.POP_FIRST else -1
            at = (base, construct.integer(index))
            element = Apply(element_type(base), Op.AT, at, label=place_name(where))
            empty = construct.comparison(Op.EQ, construct.size(base), construct.integer(0))
            # Of an empty sequence the change says what is missing, not the index.
            out: list[Stmt] = [If(empty, (change,), span=change.span)]
            taken = bind_local(body, "taken", element, out, value)
            body.unit.aliases.pop(taken.name, None)
            return [*out, change], taken
    return None


def _augmented(body: Body, node: ast.AugAssign) -> list[Stmt]:
    if isinstance(node.target, ast.Name):
        name = node.target.id
        current = expression(body, ast.Name(name, ast.Load(), **_at(node.target)))
        if may_be_live(current.type):
            message = "a local collection is not changed in place: other names may share it"
            body.fail(Code.ALIAS, message, node, f"write `{name} = {name} | ...`")
        value = binary(body, node.op, current, expression(body, node.value), node.value)
        return [_assign_local(body, node.target, value, None)]
    where = place(body, node.target)
    current = expression(body, node.target)
    if isinstance(node.op, ast.BitOr) and isinstance(where.type, SetType):
        value = expression_hinted(body, node.value, where.type)
        if fits(value.type, where.type):
            return [mutate(body, where, "update", node.value)]
    hint = where.type if isinstance(where.type, SetType) else None
    operand = expression_hinted(body, node.value, hint)
    return [assign(body, where, binary(body, node.op, current, operand, node.value), node.value)]


def _at(node: ast.expr) -> dict[str, int]:
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno or node.lineno,
        "end_col_offset": node.end_col_offset or node.col_offset,
    }


def _if(
    body: Body, node: ast.If, rest: Sequence[ast.stmt], result: Result
) -> tuple[list[Stmt], bool]:
    test = condition(body, node.test)
    arms = []
    entry = Flow(body)
    # Both before the first arm is entered: what that one knows does not hold in the other.
    known = learn(body, node.test, True), learn(body, node.test, False)
    for nodes, outcome, learnt in zip((node.body, node.orelse), (True, False), known, strict=True):
        entry.enter(learnt)
        reached = not contradictory(learnt)
        dead = isinstance(test, Const) and test.value is not outcome
        if dead:
            statements, ended = _unreached(body, nodes, result), True
        else:
            statements, ended = block(body, [*nodes, *rest], result) if reached else ([], True)
        entry.leave(ended)
        arms.append((tuple(statements), ended))
    entry.join()
    (then, then_ended), (orelse, orelse_ended) = arms
    if isinstance(test, Const):
        return (list(then), then_ended) if test.value else (list(orelse), orelse_ended)
    ended = then_ended and orelse_ended
    if not then and not orelse:
        return [], ended
    if not then:
        test, then, orelse = construct.negation(test), orelse, ()
    return [If(test, then, orelse, body.span(node))], ended


def _unreached(body: Body, nodes: Sequence[ast.stmt], result: Result) -> list[Stmt]:
    """What these parameters rule out is translated for its errors, and in one call is enough.

    What follows it is reached another way, and translated there.
    """
    if nodes and nodes[0] not in body.unit.ruled_out:
        body.unit.ruled_out.add(nodes[0])
        with body.unit.unreached(True):
            block(body, nodes, result)
    return []


def _for(body: Body, node: ast.For) -> list[Stmt]:
    if node.orelse:
        body.fail(Code.SUBSET, "`else` on a loop is outside the language", node)
    if not isinstance(node.target, ast.Name):
        body.fail(Code.SUBSET, "only a plain name can be bound here", node.target)
    source = source_of(body, node.iter)
    if is_python_set(body, node.iter):
        advice = "write `for x in Set(...)`, which has an order"
        body.fail(Code.ORDER, "the order of Python's own sets is not fixed", node.iter, advice)
    names = dict(body.names)
    # Twice, because what a round leaves behind (types, changed collections) meets the next one.
    taken, ruled_out = dict(body.unit.names), set(body.unit.ruled_out)
    statements: list[Stmt] = []
    for _ in range(2):
        body.unit.names, body.unit.ruled_out = dict(taken), set(ruled_out)
        local = Local(element_type(source), body.unit.fresh(node.target.id))
        body.names = {**names, node.target.id: local}
        flow = Flow(body)
        flow.enter({})
        body.narrowed = _stable(body, node)
        note_element(body.unit, local.name, local.type, source)
        statements = rebindable(body, [node.target.id], node.body)
        statements += block(body, node.body, None)[0]
        flow.leave(False)
        flow.enter({})
        flow.leave(False)
        flow.join()
    # A local that is first bound inside has no value after the loop.
    body.names = {**names, node.target.id: Lost(node.lineno)}
    forget(body, node.target.id)
    binder = Binder(local.name, local.type, source)
    return [For(binder, tuple(statements), body.span(node))]


def rebindable(body: Body, names: Sequence[str], nodes: Sequence[ast.stmt]) -> list[Stmt]:
    """Bind locals for the names of a loop or a case that are stored to as well."""
    stored = assigned_in(nodes)
    out: list[Stmt] = []
    for name in names:
        found = body.names[name]
        if name in stored and isinstance(found, Expr):
            body.names[name] = bind_local(body, name, found, out, nodes[0])
    return out


def _stable(body: Body, loop: ast.For) -> dict[str, Type]:
    """What stays shown in every round: what the loop stores to nowhere."""
    specs = {name for name, found in body.names.items() if isinstance(found, SpecObject)}
    stored = {*assigned_in([loop])}
    written = attributes_changed(loop.body)
    kept = {}
    for key, kind in body.narrowed.items():
        tree = ast.parse(key)
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        of_spec = bool(names & specs)
        if not names & stored and not (of_spec and (written is None or attributes & written)):
            kept[key] = kind
    return kept

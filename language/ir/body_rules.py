"""The verifier's rules for expressions and statements: rules 3 to 7 of `verifier.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from .nodes import (
    Apply,
    Assign,
    Bind,
    Binder,
    Choose,
    Comprehension,
    Const,
    Do,
    Expr,
    Fold,
    For,
    If,
    Key,
    Local,
    Mutate,
    Op,
    Path,
    Require,
    Span,
    Stmt,
    Var,
)
from .signatures import (
    IllTypedError,
    check_apply,
    check_change,
    check_fold,
    element_type,
    fits,
)
from .type_text import shown
from .types import BOOL, BoolType, EnumType, IntType, MapType, OptionType, SeqType, Type

Scope = dict[str, Type]
"""The locals that are bound for certain, with their types."""


@dataclass(frozen=True)
class Problem:
    """A broken rule: where in the spec, and in the source where that is known."""

    where: str
    message: str
    span: Span | None = None

    def __str__(self) -> str:
        place = "" if self.span is None else f" ({self.span.file}:{self.span.line})"
        return f"{self.where}: {self.message}{place}"


@dataclass(frozen=True)
class Report:
    """Where problems go, and what is being checked."""

    problems: list[Problem]
    where: str

    def __call__(self, message: str, span: Span | None = None) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.where, message, span))


@dataclass
class BodyRules:
    """Checks one body or expression. `variables` are the ones it may read."""

    variables: dict[str, Type]
    report: Report
    after: bool = False
    fixed: set[str] = field(default_factory=set)
    assigned: dict[str, Type] = field(default_factory=dict)

    # --- Expressions ---

    def value(self, expr: Expr, wanted: Type, scope: Scope | None = None) -> None:
        """Check an expression whose value is stored in, or used as, the type `wanted`."""
        self.expression(expr, {} if scope is None else scope)
        if not fits(expr.type, wanted):
            self.report(
                f"a value of {shown(wanted)} is needed, not of {shown(expr.type)}",
                expr.span,
            )

    def expression(self, expr: Expr, scope: Scope) -> None:
        """Check an expression against its own declared type."""
        match expr:
            case Const():
                if not _constant_fits(expr):
                    self.report(
                        f"{expr.value!r} is not a constant of {shown(expr.type)}", expr.span
                    )
            case Local(kind, name):
                if name not in scope:
                    self.report(f"{name!r} may be read before it is bound", expr.span)
                elif scope[name] != kind:
                    self.report(
                        f"{name!r} is of {shown(scope[name])}, not {shown(kind)}", expr.span
                    )
            case Var():
                self._variable(expr)
            case Apply():
                for arg in expr.args:
                    self.expression(arg, scope)
                with _Rule(self.report, expr.span):
                    kinds = [arg.type for arg in expr.args]
                    check_apply(expr.op, kinds, expr.name, expr.type)
            case Comprehension():
                self._comprehension(expr, scope)
            case Do():
                inner = dict(scope)
                self._pure(expr.body, scope)
                self.statements(expr.body, inner)
                self.value(expr.result, expr.type, inner)
            case _:
                assert_never(expr)

    def _variable(self, expr: Var) -> None:
        if expr.name not in self.variables:
            self.report(f"no variable {expr.name!r} may be read here", expr.span)
        elif self.variables[expr.name] != expr.type:
            kind = self.variables[expr.name]
            self.report(
                f"the variable {expr.name!r} is of {shown(kind)}, not {shown(expr.type)}",
                expr.span,
            )
        if expr.after and not self.after:
            self.report("only step properties read the later state", expr.span)

    def _comprehension(self, expr: Comprehension, scope: Scope) -> None:
        inner = dict(scope)
        for binder in expr.binders:
            self._binder(binder, inner)
            inner[binder.name] = binder.type
        names = {binder.name for binder in expr.binders}
        added = names - self.fixed
        self.fixed |= added
        self.expression(expr.body, inner)
        self.fixed -= added
        if expr.default is not None:
            self.expression(expr.default, scope)
        default = None if expr.default is None else expr.default.type
        with _Rule(self.report, expr.span):
            sources = [binder.source.type for binder in expr.binders]
            check_fold(expr.fold, sources, expr.body.type, default, expr.type)
        if not expr.binders:
            self.report("a comprehension needs a binder", expr.span)
        if expr.fold is Fold.MAP and not _is_over_domain(expr.binders):
            self.report("a map comprehension runs over a whole domain", expr.span)

    def _binder(self, binder: Binder, scope: Scope) -> None:
        self.expression(binder.source, scope)
        with _Rule(self.report, binder.source.span):
            if element_type(binder.source.type) != binder.type:
                self.report(f"{binder.name!r} has not the type of an element", binder.source.span)
        if binder.name in scope:
            self.report(f"{binder.name!r} is bound already", binder.source.span)
        if binder.condition is not None:
            self.value(binder.condition, BOOL, {**scope, binder.name: binder.type})

    def _pure(self, body: Iterable[Stmt], scope: Scope) -> None:
        for stmt in body:
            match stmt:
                case Bind(name):
                    if name in scope:
                        self.report(f"a Do binds {name!r} of its surroundings", stmt.span)
                case If(_, then, orelse):
                    self._pure((*then, *orelse), scope)
                case For(_, inner):
                    self._pure(inner, scope)
                case _:
                    self.report(f"{type(stmt).__name__} in a Do, which is pure", stmt.span)

    # --- Statements ---

    def statements(self, body: Iterable[Stmt], scope: Scope) -> bool:
        """Check statements; `scope` gains what they bind. False where the end is never reached."""
        reachable = True
        for stmt in body:
            reachable = self._statement(stmt, scope) and reachable
        return reachable

    def _statement(self, stmt: Stmt, scope: Scope) -> bool:
        match stmt:
            case Assign(place, value):
                self.value(value, place.type, scope)
                self._place(place, scope)
            case Mutate(change, place, args):
                self._place(place, scope)
                for arg in args:
                    self.expression(arg, scope)
                with _Rule(self.report, stmt.span):
                    check_change(change, place.type, [arg.type for arg in args])
            case Bind(name, kind, value):
                self.value(value, kind, scope)
                self._assigns(name, kind, scope, stmt.span)
            case Require(condition):
                self.value(condition, BOOL, scope)
                return not (isinstance(condition, Const) and condition.value is False)
            case If(condition, then, orelse):
                self.value(condition, BOOL, scope)
                return self._arms(then, orelse, scope)
            case For(binder, body):
                self._binder(binder, scope)
                inner = {**scope, binder.name: binder.type}
                self.fixed.add(binder.name)
                self.statements(body, inner)
                self.fixed.discard(binder.name)
            case Choose(binder):
                others = {name: kind for name, kind in scope.items() if name != binder.name}
                self._binder(binder, others)
                self._assigns(binder.name, binder.type, scope, stmt.span)
            case _:
                assert_never(stmt)
        return True

    def _arms(self, then: Iterable[Stmt], orelse: Iterable[Stmt], scope: Scope) -> bool:
        first, second = dict(scope), dict(scope)
        ends = self.statements(then, first), self.statements(orelse, second)
        match ends:
            case (True, False):
                scope.update(first)
            case (False, True):
                scope.update(second)
            case _:
                scope.update((name, first[name]) for name in first.keys() & second.keys())
        return any(ends)

    def _assigns(self, name: str, kind: Type, scope: Scope, span: Span | None) -> None:
        if name in self.fixed:
            self.report(f"{name!r} is bound already and cannot be changed", span)
        if self.assigned.setdefault(name, kind) != kind:
            self.report(f"{name!r} is of {shown(self.assigned[name])}, then of {shown(kind)}", span)
        scope[name] = kind

    def _place(self, place: Path, scope: Scope) -> None:
        if place.var not in self.variables:
            self.report(f"no variable {place.var!r} can be changed here", place.span)
            return
        kind = self.variables[place.var]
        for step in place.steps:
            inner = step.key if isinstance(step, Key) else step.index
            self.expression(inner, scope)
            match step, kind:
                case (Key(), MapType(key, value)) if fits(inner.type, key):
                    kind = value
                case (_, SeqType(element)) if isinstance(inner.type, IntType) and step != Key(
                    inner
                ):
                    kind = element
                case _:
                    self.report(
                        f"a place of {shown(kind)} has no step by {shown(inner.type)}",
                        place.span,
                    )
                    return
        if kind != place.type:
            self.report(f"the place is of {shown(kind)}, not {shown(place.type)}", place.span)


class _Rule:
    """Turns a broken type rule into a problem."""

    def __init__(self, report: Report, span: Span | None) -> None:
        self.report = report
        self.span = span

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, IllTypedError):
            return False
        self.report(str(error), self.span)
        return True


def _constant_fits(expr: Const) -> bool:
    value = expr.value
    match expr.type:
        case BoolType():
            return isinstance(value, bool)
        case IntType(low, high):
            return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        case EnumType(_, members):
            return value in members
        case OptionType():
            return value is None
    return False


def _is_over_domain(binders: tuple[Binder, ...]) -> bool:
    if len(binders) != 1 or binders[0].condition is not None:
        return False
    source = binders[0].source
    return isinstance(source, Apply) and source.op is Op.DOMAIN

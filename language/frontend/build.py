"""From a spec class, parameters and properties to an `Instance` with its IR.

Start reading here. Errors are collected over the whole spec and raised together.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, TypeVar

from ..collections import Nodes
from ..declarations import Mark
from ..diagnostics import Code, Diagnostics
from ..ir.evaluator import parameter_of
from ..ir.nodes import (
    Action,
    Apply,
    Expr,
    Kind,
    Local,
    Op,
    Parameter,
    Property,
    PropertyKind,
    Refinement,
    Require,
    SpecIR,
    Stmt,
    Variable,
)
from ..ir.types import BoolType, Sort, cardinality
from ..shape import DeclarationError, DeclarationErrors, Method, Shape, shape_of
from ..spec import Spec
from . import construct
from .context import Body, Skip, SpecObject, Unit, open_body
from .initial import plain_value
from .inlining import value_of, without_docstring
from .methods import check_methods
from .refinement import refinement_mapping
from .scopes import assigned_names
from .source import Sources
from .statements import block

R = TypeVar("R")
ROUNDS = 8
MAX_BINDINGS = 2**20
FAULTS = frozenset({Kind.CRASH, Kind.DROP, Kind.DUPLICATE, Kind.PARTITION})
REPAIRS = frozenset({Kind.RESTART, Kind.HEAL})


class Builder:
    """Builds the IR of one shaped spec; errors go to the sink."""

    def __init__(self, shape: Shape, sources: Sources, sink: Diagnostics) -> None:
        self.shape = shape
        self.sources = sources
        self.sink = sink
        self.ruled_out: frozenset[ast.stmt] = frozenset()  # as in `Unit`

    def attempt(self, build: Callable[[Unit, Diagnostics], R]) -> R | None:
        """Build until the types of the locals are stable; None where there was an error."""
        unit = Unit(self.ruled_out)
        for _ in range(ROUNDS):
            unit.begin()
            sink = Diagnostics()
            try:
                result: R | None = build(unit, sink)
            except Skip:
                result = None
            except RecursionError:
                result = None
                advice = "split it: use locals and helpers"
                sink.error(Code.SIZE, "this is nested too deeply", unit.place, advice)
            if not unit.grown or sink.all():
                break
        else:
            unit.widen()
            unit.begin()
            sink = Diagnostics()
            result = build(unit, sink)
        self.sink.extend(sink)
        if sink.all():
            return None
        self.ruled_out = frozenset(unit.ruled_out)
        return result

    def body(
        self, unit: Unit, sink: Diagnostics, function: Callable[..., Any], owner: type | None
    ) -> Body:
        """The body of a function with its first parameter bound to the spec."""
        body = open_body(self.shape, self.sources, sink, unit, function, owner)
        given = body.node.args
        names = [argument.arg for argument in given.args]
        if not names:
            body.fail(Code.DECLARATION, "a first parameter is needed: the spec", body.node)
        odd = [given.vararg, given.kwarg, *given.kwonlyargs, *given.posonlyargs]
        if given.defaults or any(argument is not None for argument in odd):
            advice = "each parameter is a plain name with a type"
            message = "this kind of parameter is outside the language"
            body.fail(Code.DECLARATION, message, body.node, advice)
        unit.place = body.span(body.node)
        body.names[names[0]] = SpecObject(after=False)
        body.calls = (function,)
        return body

    def variable(self, name: str) -> Variable | None:
        """A state variable with its initial value."""
        shape = self.shape.variables[name]
        span = self.sources.attribute(shape.owner, name)

        def build(unit: Unit, sink: Diagnostics) -> Variable:
            body = _Declared(self, unit, sink, span)
            initial = plain_value(body, shape.initial, shape.type, ast.Constant(None))
            return Variable(name, shape.type, initial, shape.durability, span)

        return self.attempt(build)

    def action(self, method: Method) -> Action | None:
        """An action; None where an error was noted."""

        def build(unit: Unit, sink: Diagnostics) -> Action:
            body = self.body(unit, sink, method.function, method.owner)
            body.effects = body.guards = True
            parameters = self._parameters(body, unit)
            statements, _ = block(body, without_docstring(body.node), None)
            span = body.span(body.node)
            assert isinstance(method.mark.kind, Kind)
            _check_bindings(body, parameters, statements)
            return Action(method.name, method.mark.kind, parameters, _live(statements), span)

        return self.attempt(build)

    def _parameters(self, body: Body, unit: Unit) -> tuple[Parameter, ...]:
        stored = assigned_names(body.node)
        found = []
        for argument in body.node.args.args[1:]:
            if argument.annotation is None:
                advice = "annotate it: `rm: Node`"
                body.fail(
                    Code.TYPE, f"the parameter {argument.arg!r} has no type", argument, advice
                )
            kind = body.annotation(argument.annotation, unbounded=False)
            if argument.arg in stored:
                advice = "use another name"
                message = f"the parameter {argument.arg!r} is stored to"
                body.fail(Code.SUBSET, message, argument, advice)
            name = unit.fresh(argument.arg)
            body.names[argument.arg] = Local(kind, name)
            found.append(Parameter(name, kind))
        return tuple(found)

    def start(self, methods: Sequence[Method]) -> tuple[Stmt, ...]:
        """The body of `start`, where the spec has one."""

        def build(unit: Unit, sink: Diagnostics) -> tuple[Stmt, ...]:
            out: list[Stmt] = []
            for method in methods:
                body = self.body(unit, sink, method.function, method.owner)
                body.effects = body.guards = True
                out.extend(block(body, without_docstring(body.node), None)[0])
            return tuple(out)

        return self.attempt(build) or ()

    def predicate(
        self, function: Callable[..., Any], owner: type | None, states: int = 1
    ) -> Expr | None:
        """The value of a property or constraint; with 0 `states`, of an assumption."""

        def build(unit: Unit, sink: Diagnostics) -> Expr:
            body = self.body(unit, sink, function, owner)
            first, *later = body.node.args.args
            body.names[first.arg] = SpecObject(after=False, state=states > 0)
            if len(later) != max(states, 1) - 1:
                what = "the spec before and after" if states == 2 else "the spec alone"
                message = f"{function.__name__}() takes {what}"
                body.fail(Code.DECLARATION, message, body.node)
            for argument in later:
                body.names[argument.arg] = SpecObject(after=True)
            value = value_of(body)
            if not isinstance(value.type, BoolType):
                body.fail(Code.TYPE, f"{function.__name__}() must return a bool", body.node)
            return value

        return self.attempt(build)

    def property(
        self, name: str, function: Callable[..., Any], owner: type | None, mark: Mark
    ) -> Property | None:
        """A named property."""
        assert isinstance(mark.kind, PropertyKind)
        states = 2 if mark.kind.of_steps else 1
        predicate = self.predicate(function, owner, states)
        if predicate is None:
            return None
        by = self._by(mark, name, owner) if mark.kind is PropertyKind.ALWAYS_POSSIBLE else ()
        when = None if mark.when is None else self._when(mark.when, name, owner)
        return Property(name, mark.kind, predicate, by, when=when)

    def _when(self, method: str, name: str, owner: type | None) -> Expr | None:
        spec = self.shape.spec
        for defined in spec.__mro__:
            function = defined.__dict__.get(method)
            if isinstance(function, FunctionType) and issubclass(defined, Spec):
                return self.predicate(function, defined)
        span = self.sources.attribute(owner, name) if owner else None
        message = f"{name}: `when` names {method!r}, which is not a method of {spec.__name__}"
        self.sink.error(Code.NAME, message, span, "give the name of a method that returns a bool")
        return None

    def _by(self, mark: Mark, name: str, owner: type | None) -> tuple[str, ...]:
        actions = [m for m in self.shape.methods if m.mark.role == "action"]
        if mark.by is None:
            excluded = FAULTS if mark.repairs else FAULTS | REPAIRS
            return tuple(m.name for m in actions if m.mark.kind not in excluded)
        known = {m.name for m in actions}
        for action in mark.by:
            if action not in known:
                message = f"{name}: {action!r} is not an action of {self.shape.spec.__name__}"
                span = self.sources.attribute(owner, name) if owner else None
                advice = f"actions: {', '.join(sorted(known))}"
                self.sink.error(Code.NAME, message, span, advice)
        return mark.by


def _check_bindings(body: Body, parameters: tuple[Parameter, ...], statements: list[Stmt]) -> None:
    """Refuse what no engine can run through; those that are `in` a set run over that."""
    bindings, within = 1, set()
    for statement in statements:
        if not isinstance(statement, Require):
            break
        match statement.condition:
            case Apply(_, Op.CONTAINS, (_, wanted)):
                within.add(parameter_of(wanted))
    for parameter in parameters:
        if parameter.name not in within:
            bindings *= cardinality(parameter.type)
    if bindings > MAX_BINDINGS:
        advice = "use narrower types, or begin with `require(x in self....)`"
        body.fail(Code.SIZE, f"{bindings:,} values of the parameters", body.node, advice)


def _live(statements: list[Stmt]) -> tuple[Stmt, ...]:
    """Without what comes after a guard that is never true."""
    for position, statement in enumerate(statements):
        if isinstance(statement, Require) and construct.is_false(statement.condition):
            return tuple(statements[: position + 1])
    return tuple(statements)


class _Declared(Body):
    """Stands in for a function body where a declaration is translated: the place is fixed."""

    def __init__(self, builder: Builder, unit: Unit, sink: Diagnostics, span: Any) -> None:
        self.shape, self.sources, self.sink = builder.shape, builder.sources, sink
        self.unit, self.names, self.narrowed = unit, {}, {}
        self._place = span

    def span(self, node: ast.AST) -> Any:
        """The declaration, whatever the node."""
        return self._place


def build_ir(
    shape: Shape,
    properties: Mapping[str, tuple[Callable[..., Any], type | None]],
    sources: Sources,
    sink: Diagnostics,
) -> SpecIR:
    """The IR of a shaped spec with these properties (function and, for methods, owner)."""
    from ..interpreter import property_mark

    builder = Builder(shape, sources, sink)
    for owner in shape.spec.__mro__:
        if issubclass(owner, Spec) and owner is not Spec:
            check_methods(owner, sources, sink)
    by_role: dict[str, list[Method]] = {}
    for method in shape.methods:
        by_role.setdefault(method.mark.role, []).append(method)
    actions = [builder.action(method) for method in by_role.get("action", [])]
    enabled = [a for a in actions if a is not None and not _never(a)]
    found = [
        builder.property(name, function, owner, property_mark(function))
        for name, (function, owner) in properties.items()
    ]
    names = {action.name for action in enabled}
    constraints = [builder.predicate(m.function, m.owner) for m in by_role.get("constraint", [])]
    allowed = [c for c in constraints if c is not None]
    for method in by_role.get("assumption", []):  # for its errors: of an instance, it is true
        builder.predicate(method.function, method.owner, states=0)
    return SpecIR(
        name=shape.spec.__name__,
        sorts=_sorts(shape),
        variables=tuple(v for v in map(builder.variable, shape.variables) if v is not None),
        actions=tuple(enabled),
        start=builder.start(by_role.get("start", [])),
        constraint=construct.junction(Op.AND, allowed) if allowed else None,
        properties=tuple(_restricted(p, names) for p in found if p is not None),
        refinements=tuple(
            r for m in by_role.get("refinement", []) if (r := _refinement(builder, m)) is not None
        ),
    )


def _never(action: Action) -> bool:
    """Whether parameters and switches that are off rule an action out."""
    return any(
        isinstance(statement, Require) and construct.is_false(statement.condition)
        for statement in action.body
    )


def _restricted(found: Property, actions: set[str]) -> Property:
    by = tuple(name for name in found.by if name in actions)
    return dataclasses.replace(found, by=by)


def _sorts(shape: Shape) -> tuple[Sort, ...]:
    return tuple(value.sort for value in shape.parameters.values() if isinstance(value, Nodes))


def _refinement(builder: Builder, method: Method) -> Refinement | None:
    abstract_class = method.mark.abstract

    def build(unit: Unit, sink: Diagnostics) -> Refinement:
        body = builder.body(unit, sink, method.function, method.owner)
        arguments, mapping = refinement_mapping(body, abstract_class)
        try:
            abstract_shape = shape_of(abstract_class, arguments)
        except (DeclarationError, DeclarationErrors, ValueError) as error:
            body.fail(Code.DECLARATION, f"{abstract_class.__name__}: {error}", body.node)
        abstract = build_ir(abstract_shape, {}, builder.sources, sink)
        values = mapping(abstract_shape)
        return Refinement(method.name, abstract, values, body.span(body.node))

    return builder.attempt(build)

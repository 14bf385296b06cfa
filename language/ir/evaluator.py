"""The IR evaluator: what a `SpecIR` means, step by step. Implements `language.semantics.Semantics`.

Statements run in continuation style: `run(body, frame, then)` runs the body and hands the frame to
`then`, once for each way through the choices. A branch ends without a word where a `Require` is
False, and with its trap where an expression has no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import assert_never

from ..domains import values_of
from ..labels import Label, Transition, Trap, Trapped
from ..values import FrozenMap, State, Universe, Value, order_key
from .changes import ChangeRefusedError, changed
from .expressions import Expressions, Frame
from .nodes import (
    Action,
    Apply,
    Assign,
    Bind,
    Choose,
    Expr,
    For,
    If,
    Key,
    Local,
    Mutate,
    Op,
    Parameter,
    Require,
    SpecIR,
    Stmt,
    TrapKind,
)
from .traps import trap_at
from .types import BagType, RecordType, SeqType, SetType, UnionType


@dataclass(frozen=True)
class Outcome:
    """One way through a body: what was chosen, and the variables afterwards or a trap."""

    choices: tuple[Value, ...]
    end: dict[str, Value] | Trap


@dataclass
class _Branch:
    """A run of a body that has made these choices so far."""

    frame: Frame
    choices: tuple[Value, ...]


_Then = Callable[[_Branch], Iterator[Outcome]]


class Evaluator:
    """The transition system of a spec; the meaning of each method is said in `Semantics`."""

    def __init__(self, spec: SpecIR, universe: Universe | None = None) -> None:
        self.spec = spec
        self.universe = universe or Universe.of(spec)
        self._names = tuple(variable.name for variable in spec.variables)
        self._properties = {item.name: item for item in spec.properties}
        self._refinements = {item.name: item for item in spec.refinements}
        self._expressions = Expressions(self.universe)

    def initial_states(self) -> list[State | Trap]:
        """The states after `start`, for each of its choices; a trap where one cannot be made."""
        variables: dict[str, Value] = {}
        try:
            for variable in self.spec.variables:
                frame = Frame({}, None, {})
                variables[variable.name] = self._value(variable.initial, frame)
        except Trapped as trapped:
            return [trapped.trap]
        return [self._target(outcome) for outcome in self._outcomes(self.spec.start, variables, {})]

    def successors(self, state: State) -> list[Transition]:
        """Every enabled transition, in canonical order."""
        variables = self._variables(state)
        return [
            transition
            for action in self.spec.actions
            for transition in self._transitions(action, variables)
        ]

    def bindings(self, action_name: str, state: State) -> list[tuple[Value, ...]]:
        """The values of an action's parameters for which it may be enabled, in canonical order."""
        action = next(action for action in self.spec.actions if action.name == action_name)
        found = self._bindings(action, 0, {}, self._variables(state))
        return [tuple(binding.values()) for binding in found]

    def taken(self, state: State, label: Label) -> list[Transition]:
        """Those of the successors that come of the label's action and parameters."""
        wanted = label.action, label.parameters
        found = self.successors(state)
        return [step for step in found if (step.label.action, step.label.parameters) == wanted]

    def holds(self, property_name: str, state: State, after: State | None = None) -> bool:
        """The predicate of a property; raises `Trapped`."""
        later = None if after is None else self._variables(after)
        frame = Frame(self._variables(state), later, {})
        return bool(self._value(self._properties[property_name].predicate, frame))

    def demands(self, property_name: str, state: State) -> bool:
        """Whether a property has to stay in reach from a state; raises `Trapped`."""
        when = self._properties[property_name].when
        return when is None or bool(self._value(when, Frame(self._variables(state), None, {})))

    def allowed(self, state: State) -> bool:
        """The state constraint; True without one; raises `Trapped`."""
        if self.spec.constraint is None:
            return True
        return bool(self._value(self.spec.constraint, Frame(self._variables(state), None, {})))

    def abstract(self, refinement_name: str, state: State) -> State:
        """The abstract state that a refinement maps a state to; raises `Trapped`."""
        frame = Frame(self._variables(state), None, {})
        mapping = self._refinements[refinement_name].mapping
        return tuple(self._value(expr, frame) for expr in mapping)

    def _value(self, expr: Expr, frame: Frame) -> Value:
        return self._expressions.value(expr, frame)

    def _variables(self, state: State) -> dict[str, Value]:
        return dict(zip(self._names, state, strict=True))

    def _target(self, outcome: Outcome) -> State | Trap:
        if isinstance(outcome.end, Trap):
            return outcome.end
        return tuple(outcome.end[name] for name in self._names)

    def _transitions(self, action: Action, variables: dict[str, Value]) -> Iterator[Transition]:
        for binding in self._bindings(action, 0, {}, variables):
            for outcome in self._outcomes(action.body, variables, binding):
                parameters = tuple(binding.items())
                label = Label(action.name, action.kind, parameters, outcome.choices)
                yield Transition(label, self._target(outcome))

    def _bindings(
        self, action: Action, depth: int, bound: dict[str, Value], variables: dict[str, Value]
    ) -> Iterator[dict[str, Value]]:
        """All bindings of the parameters from `depth` on, the first outermost."""
        if depth == len(action.parameters):
            yield bound
            return
        parameter = action.parameters[depth]
        for value in self._candidates(action, depth, Frame(variables, None, bound)):
            inner = {**bound, parameter.name: value}
            yield from self._bindings(action, depth + 1, inner, variables)

    def _candidates(self, action: Action, depth: int, frame: Frame) -> Iterator[Value]:
        """The values of a parameter for which the action may be enabled.

        All values of its type, in principle. Where the first guard asks for an element of a set,
        the elements of that set: a type of messages may be too large to enumerate.
        """
        parameter = action.parameters[depth]
        source = _membership(action.body, parameter)
        unbound = {later.name for later in action.parameters[depth:]}
        if source is None or unbound & _locals(source):
            return values_of(parameter.type, self.universe)
        try:
            elements = self._value(source, frame)
        except Trapped:
            # The guard itself ends the run: one binding is enough to say so.
            return islice(values_of(parameter.type, self.universe), 1)
        found = set(elements)
        if isinstance(parameter.type, RecordType):
            # Of a union's values, those of the one variant that the parameter stands for.
            record = self.universe.records[parameter.type.name]
            found = {element for element in found if isinstance(element, record)}
        return iter(sorted(found, key=order_key))

    def _outcomes(
        self, body: tuple[Stmt, ...], variables: dict[str, Value], names: dict[str, Value]
    ) -> Iterator[Outcome]:
        start = _Branch(Frame(dict(variables), None, dict(names)), ())
        return self._guarded(body, start, lambda b: iter([Outcome(b.choices, b.frame.variables)]))

    def _guarded(self, body: tuple[Stmt, ...], branch: _Branch, then: _Then) -> Iterator[Outcome]:
        """`_run`, with a trap in this branch turned into its outcome."""
        try:
            yield from self._run(body, branch, then)
        except Trapped as trapped:
            yield Outcome(branch.choices, trapped.trap)

    def _run(self, body: tuple[Stmt, ...], branch: _Branch, then: _Then) -> Iterator[Outcome]:
        """Run the statements, then `then`: once for each way through the choices."""
        if not body:
            yield from then(branch)
            return
        stmt, rest = body[0], body[1:]
        frame = branch.frame
        match stmt:
            case Require(condition):
                if self._value(condition, frame):
                    yield from self._run(rest, branch, then)
            case If(condition, arm, orelse):
                chosen = arm if self._value(condition, frame) else orelse
                yield from self._run(chosen, branch, lambda b: self._run(rest, b, then))
            case For(binder):
                elements = tuple(self._expressions.elements(binder.source, frame))
                yield from self._rounds(stmt, elements, branch, lambda b: self._run(rest, b, then))
            case Choose(binder):
                for element in self._expressions.bound(binder, frame):
                    names = {**frame.locals, binder.name: element}
                    inner = Frame(dict(frame.variables), frame.after, names)
                    made = _Branch(inner, (*branch.choices, element))
                    yield from self._guarded(rest, made, then)
            case Bind(name, _, value):
                frame.locals[name] = self._value(value, frame)
                yield from self._run(rest, branch, then)
            case Assign() | Mutate():
                self._store(stmt, frame)
                yield from self._run(rest, branch, then)
            case _:
                assert_never(stmt)

    def _rounds(
        self, loop: For, elements: tuple[Value, ...], branch: _Branch, then: _Then
    ) -> Iterator[Outcome]:
        """The body of a loop for each of the elements left, then `then`."""
        names = branch.frame.locals
        if not elements:
            names.pop(loop.binder.name, None)
            yield from then(branch)
            return
        names[loop.binder.name] = elements[0]
        condition = loop.binder.condition
        runs = condition is None or self._value(condition, branch.frame)
        body = loop.body if runs else ()
        yield from self._run(body, branch, lambda b: self._rounds(loop, elements[1:], b, then))

    def _store(self, stmt: Assign | Mutate, frame: Frame) -> None:
        """Change a place: the assigned value first, then the place, then arguments, as Python."""
        place = stmt.place
        new = self._value(stmt.value, frame) if isinstance(stmt, Assign) else None
        holders: list[tuple[Value, Value]] = []
        current = frame.variables[place.var]
        for step in place.steps:
            where = self._value(step.key if isinstance(step, Key) else step.index, frame)
            holders.append((current, where))
            try:
                current = current[where]
            except IndexError:
                raise Trapped(trap_at(TrapKind.INDEX, stmt)) from None
        if isinstance(stmt, Mutate):
            args = [self._value(arg, frame) for arg in stmt.args]
            try:
                new = changed(stmt.change, place.type, current, args)
            except ChangeRefusedError as refused:
                raise Trapped(trap_at(refused.kind, stmt)) from None
        for holder, where in reversed(holders):
            new = _replaced(holder, where, new)
        frame.variables[place.var] = new


def _replaced(holder: Value, where: Value, new: Value) -> Value:
    """A map or sequence with one value changed; `where` is there."""
    if isinstance(holder, FrozenMap):
        return FrozenMap({**holder, where: new})
    items = list(holder)
    items[where] = new
    return tuple(items)


def _membership(body: tuple[Stmt, ...], parameter: Parameter) -> Expr | None:
    """The collection that the first statement requires the parameter to be in, if it does."""
    match body:
        case (Require(Apply(_, Op.CONTAINS, (source, wanted))), *_):
            # An int collection may hold values outside the parameter's type.
            match source.type:
                case SetType(element) | SeqType(element) | BagType(element):
                    same = parameter_of(wanted) == parameter.name and wanted.type == element
                    return source if same else None
    return None


def parameter_of(expr: Expr) -> str | None:
    """The local that an expression is, by itself or as a value of a union around its record."""
    match expr:
        case Local(_, name):
            return name
        case Apply(UnionType(), Op.COERCE, (Local(RecordType(), name),)):
            return name
    return None


def _locals(root: object) -> set[str]:
    """Names of all locals read below an expression."""
    if isinstance(root, Local):
        return {root.name}
    if isinstance(root, tuple):
        return set().union(*map(_locals, root)) if root else set()
    fields = getattr(root, "__dataclass_fields__", None)
    if fields is None or isinstance(root, type):
        return set()
    return set().union(*(_locals(getattr(root, name)) for name in fields))

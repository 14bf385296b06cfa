"""Random well-typed specs: `specs()` for Hypothesis, `random_spec(seed)` for anything else.

What they cover: every type, operator, fold, statement and trap of the IR, parameters, choices,
several initial states, constraints, all kinds of properties, refinements. They pass `verify`.
Reachable states are few as a rule and unbounded in principle: give a search a limit.
"""

from __future__ import annotations

import random

from hypothesis import strategies as st

from quorate.language.ir.nodes import (
    Action,
    Apply,
    Assign,
    Bind,
    Change,
    Choose,
    Const,
    Expr,
    For,
    If,
    Index,
    Key,
    Kind,
    Local,
    Mutate,
    Op,
    Parameter,
    Path,
    Property,
    PropertyKind,
    Refinement,
    Require,
    SpecIR,
    Stmt,
    Var,
    Variable,
)
from quorate.language.ir.types import (
    BOOL,
    BagType,
    IntType,
    MapType,
    SeqType,
    SetType,
    Type,
    cardinality,
)
from quorate.tests.generated.expressions import Expressions, natural
from quorate.tests.generated.names import Below, Choice, Pool, Scope, draw_pool

_DEPTH = 2
_INDEX = IntType(-1, 2)
_CHANGES: dict[type, tuple[Change, ...]] = {
    SetType: (Change.ADD, Change.ADD, Change.DISCARD, Change.REMOVE, Change.UNITE, Change.CLEAR),
    BagType: (Change.ADD, Change.ADD, Change.DISCARD, Change.REMOVE, Change.CLEAR),
    SeqType: (Change.APPEND, Change.APPEND, Change.POP_FIRST, Change.POP_LAST, Change.CLEAR),
}


@st.composite
def specs(draw: st.DrawFn, fuel: int = 250) -> SpecIR:
    """A Hypothesis strategy of well-typed specs; `fuel` bounds the operators in one."""
    return spec_from(lambda count: draw(st.integers(0, count - 1)), fuel)


def random_spec(seed: int, fuel: int = 250) -> SpecIR:
    """The spec of a seed; the same seed gives the same spec."""
    return spec_from(random.Random(seed).randrange, fuel)


def spec_from(below: Below, fuel: int = 250) -> SpecIR:
    """A spec from a source of decisions."""
    choice = Choice(below, fuel)
    choice.daring = choice.chance(3)
    return _Specs(choice, draw_pool(choice)).spec("generated", nested=True)


class _Specs:
    def __init__(self, choice: Choice, pool: Pool) -> None:
        self.choice = choice
        self.pool = pool
        self.expressions = Expressions(choice, pool)
        self.variables: dict[str, Type] = {}
        self.initial_names: list[str] = []

    def spec(self, name: str, nested: bool) -> SpecIR:
        """A spec, with a refinement to another one at times where `nested`."""
        variables = self._variables()
        self.variables = {variable.name: variable.type for variable in variables}
        actions = tuple(self._action(i) for i in range(2 + self.choice.below(2)))
        start: tuple[Stmt, ...] = ()
        if self.choice.chance(3):
            start = self._statements(self._scope(), 2, 1 + self.choice.below(2))
        constraint = None
        if self.choice.chance(4):
            first = variables[0]
            same = natural(Op.EQ, Var(first.type, first.name), first.initial)
            scope = Scope(self.variables, names=self.initial_names)
            constraint = natural(Op.OR, same, self.expressions.boolean(scope, 2))
        return SpecIR(
            name,
            self.pool.sorts,
            variables,
            actions,
            start,
            constraint,
            self._properties(actions),
            (self._refinement(),) if nested and self.choice.chance(5) else (),
        )

    def _scope(self, after: bool = False) -> Scope:
        return Scope(self.variables, after)

    def _variables(self) -> tuple[Variable, ...]:
        """Three or four variables, more collections than scalars; a small product of types."""
        made: list[Variable] = []
        for position in range(3 + self.choice.below(2)):
            family = self.pool.scalars if self.choice.chance(3) else self.pool.collections
            kind = self.choice.pick(family)
            initial = self.expressions.make(kind, Scope({}, names=self.initial_names), 1)
            made.append(Variable(f"v{position}", kind, initial))
        return tuple(made)

    def _action(self, position: int) -> Action:
        parameters: list[Parameter] = []
        scope = self._scope()
        body: list[Stmt] = []
        sets = [(n, t) for n, t in self.variables.items() if isinstance(t, SetType)]
        if sets and self.choice.chance(6):
            # A parameter that is a message: the engines may run over the set instead.
            name, kind = self.choice.pick(sets)
            parameters.append(Parameter("p0", kind.element))
            member = (Var(kind, name), Local(kind.element, "p0"))
            body.append(Require(Apply(BOOL, Op.CONTAINS, member)))
        effects = [self._effect(scope, parameters) for _ in range(1 + self.choice.below(2))]
        scope.locals |= {parameter.name: parameter.type for parameter in parameters}
        if self.choice.chance(4):
            body.append(Require(self.expressions.boolean(scope, 2)))
        body += effects
        body += self._statements(scope, 2, self.choice.below(3))
        kind_of_step = self.choice.pick(list(Kind))
        return Action(f"a{position}", kind_of_step, tuple(parameters), tuple(body))

    def _effect(self, scope: Scope, parameters: list[Parameter]) -> Stmt:
        """A change made of parameters, which it adds: what makes runs branch and go on."""

        def parameter(kind: Type) -> Expr:
            if cardinality(kind) > 6 or len(parameters) > 2:
                return self._value(kind, scope, 1)
            local = Local(kind, f"p{len(parameters)}")
            parameters.append(Parameter(local.name, kind))
            return local

        name = self.choice.pick(list(self.variables))
        kind = self.variables[name]
        match kind:
            case MapType(key, value):
                place = Path(name, (Key(parameter(key)),), value)
                return Assign(place, parameter(value))
            case SetType(element) | SeqType(element) | BagType(element):
                grow = Change.APPEND if isinstance(kind, SeqType) else Change.ADD
                made = Mutate(grow, Path(name, (), kind), (parameter(element),))
                guard = None if self.choice.risky() else _possible(made, Var(kind, name))
                return made if guard is None else If(guard, (made,))
        return Assign(Path(name, (), kind), parameter(kind))

    def _value(self, kind: Type, scope: Scope, depth: int) -> Expr:
        """What to store: often a parameter or another local, so that successors differ."""
        names = [Local(t, name) for name, t in scope.locals.items() if t == kind]
        if names and self.choice.chance(2):
            return self.choice.pick(names)
        return self.expressions.direct(kind, scope, depth)

    def _properties(self, actions: tuple[Action, ...]) -> tuple[Property, ...]:
        made = []
        for kind in PropertyKind:
            if kind is PropertyKind.ALWAYS or self.choice.chance(2):
                after = kind.of_steps
                predicate = self.expressions.boolean(self._scope(after), 2)
                possible = kind is PropertyKind.ALWAYS_POSSIBLE
                by = (self.choice.pick(actions).name,) if possible else ()
                limited = possible and self.choice.chance(2)
                when = self.expressions.boolean(self._scope(), 2) if limited else None
                made.append(Property(kind.value, kind, predicate, by, when=when))
        return tuple(made)

    def _refinement(self) -> Refinement:
        abstract = _Specs(self.choice, self.pool).spec("abstract", nested=False)
        scope = self._scope()
        mapping = [self.expressions.make(v.type, scope, 1) for v in abstract.variables]
        return Refinement("refines", abstract, tuple(mapping))

    # --- Statements ---

    def _statements(self, scope: Scope, depth: int, count: int) -> tuple[Stmt, ...]:
        return tuple(self._statement(scope, depth) for _ in range(count))

    def _statement(self, scope: Scope, depth: int) -> Stmt:
        rare = [self._bind, self._bind, self._choose, *([self._if, self._for] if depth else [])]
        if self.choice.chance(10):
            return self._require(scope, depth)
        if self.choice.chance(3):
            return self.choice.pick(rare)(scope, depth)
        return self.choice.pick([self._assign, self._mutate, self._mutate])(scope, depth)

    def _place(self, scope: Scope) -> Path:
        name = self.choice.pick(list(self.variables))
        kind = self.variables[name]
        steps: list[Key | Index] = []
        while isinstance(kind, MapType) or (isinstance(kind, SeqType) and self.choice.risky()):
            if isinstance(kind, MapType):
                steps.append(Key(self.expressions.make(kind.key, scope, 1)))
                kind = kind.value
            else:
                steps.append(Index(self.expressions.make(_INDEX, scope, 1)))
                kind = kind.element
        return Path(name, tuple(steps), kind)

    def _assign(self, scope: Scope, _depth: int) -> Stmt:
        place = self._place(scope)
        if not place.steps or self.choice.chance(4):
            name = place.var
            place = Path(name, (), self.variables[name])
        return Assign(place, self._value(place.type, scope, _DEPTH))

    def _mutate(self, scope: Scope, depth: int) -> Stmt:
        place = self._place(scope)
        kind = place.type
        if not isinstance(kind, SetType | BagType | SeqType):
            return Assign(place, self._value(kind, scope, _DEPTH))
        change = self.choice.pick(_CHANGES[type(kind)])
        args: tuple[Expr, ...] = ()
        if change not in (Change.CLEAR, Change.POP_FIRST, Change.POP_LAST):
            wanted = kind if change is Change.UNITE else kind.element
            args = (self._value(wanted, scope, depth),)
        made = Mutate(change, place, args)
        guard = None if self.choice.risky() else _possible(made, _read(place, self.variables))
        return made if guard is None else If(guard, (made,))

    def _bind(self, scope: Scope, _depth: int) -> Stmt:
        if scope.assignable and self.choice.chance(3):
            name = self.choice.pick(list(scope.assignable))
            kind = scope.assignable[name]
            value = self.expressions.make(kind, scope, _DEPTH)
        elif self.choice.risky():
            name = scope.fresh("local")
            value = self.expressions.gamble(scope)
            kind = value.type
        else:
            name = scope.fresh("local")
            kind = self.choice.pick(self.pool.all)
            value = self.expressions.make(kind, scope, _DEPTH)
        scope.locals[name] = scope.assignable[name] = kind
        return Bind(name, kind, value)

    def _require(self, scope: Scope, _depth: int) -> Stmt:
        return Require(self.expressions.boolean(scope, 1))

    def _choose(self, scope: Scope, _depth: int) -> Stmt:
        binder = self.expressions.binder(scope, 1)
        scope.assignable[binder.name] = binder.type
        return Choose(binder)

    def _if(self, scope: Scope, depth: int) -> Stmt:
        condition = self.expressions.boolean(scope, 1)
        then = self._statements(scope.inner(), depth - 1, 1 + self.choice.below(2))
        orelse = self._statements(scope.inner(), depth - 1, self.choice.below(2))
        return If(condition, then, orelse)

    def _for(self, scope: Scope, depth: int) -> Stmt:
        inner = scope.inner()
        binder = self.expressions.binder(inner, 1)
        return For(binder, self._statements(inner, depth - 1, 1 + self.choice.below(2)))


def _read(place: Path, variables: dict[str, Type]) -> Expr:
    """The value at a place."""
    expr: Expr = Var(variables[place.var], place.var)
    for step in place.steps:
        if isinstance(step, Key):
            expr = natural(Op.GET, expr, step.key)
        else:
            expr = natural(Op.AT, expr, step.index)
    return expr


def _possible(stmt: Mutate, old: Expr) -> Expr | None:
    """A condition under which a change does not trap; None where it never does."""
    kind = stmt.place.type
    size = natural(Op.SIZE, old) if not isinstance(kind, MapType) else old
    match stmt.change, kind:
        case Change.APPEND, SeqType(_, capacity):
            return natural(Op.LT, size, _number(capacity))
        case ((Change.POP_FIRST | Change.POP_LAST), _):
            return natural(Op.LT, _number(0), size)
        case Change.REMOVE, _:
            return natural(Op.CONTAINS, old, *stmt.args)
        case Change.ADD, BagType(_, copies, capacity):
            room = natural(Op.LT, natural(Op.COUNT, old, *stmt.args), _number(copies))
            few = _number(copies if capacity is None else capacity)
            return room if capacity is None else natural(Op.AND, room, natural(Op.LT, size, few))
        case ((Change.ADD | Change.UNITE), SetType(_, int() as capacity)):
            wanted = natural(Op.SIZE, stmt.args[0]) if stmt.change is Change.UNITE else _number(1)
            return natural(Op.LE, natural(Op.ADD, size, wanted), _number(capacity))
    return None


def _number(value: int) -> Const:
    return Const(IntType(value, value), value)

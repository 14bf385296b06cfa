"""Random well-typed expressions. Every operator and fold can occur; most can trap somewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from quorate.language.ir.nodes import (
    Apply,
    Bind,
    Binder,
    Comprehension,
    Const,
    Do,
    Expr,
    Fold,
    For,
    If,
    Local,
    Op,
    Stmt,
    Var,
)
from quorate.language.ir.signatures import coercible, fits, natural_fold_type, natural_type
from quorate.language.ir.types import (
    BOOL,
    BagType,
    BoolType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
    cardinality,
)
from quorate.tests.generated.names import Choice, Pool, Scope

Maker = Callable[[], Expr]
_SHIFT = IntType(-2, 4)
"""Bounds of ranges and indices: small enough for sets of integers, wide enough to miss."""
_DIVISORS = tuple(Const(IntType(value, value), value) for value in (2, 3, -2))


def natural(op: Op, *args: Expr, name: str = "") -> Expr:
    """The operator applied, at its natural type."""
    kind = natural_type(op, [arg.type for arg in args], name)
    assert kind is not None
    return Apply(kind, op, args, name)


def coerced(expr: Expr, kind: Type) -> Expr:
    """The expression as one of type `kind`, coerced where it does not fit as it is."""
    if fits(expr.type, kind):
        return expr
    return Apply(kind, Op.COERCE, (expr,), label="value")


def clamped(expr: Expr, kind: IntType) -> Expr:
    """The integer moved into `kind`, which cannot trap."""
    if fits(expr.type, kind):
        return expr
    low = Const(IntType(kind.low, kind.low), kind.low)
    high = Const(IntType(kind.high, kind.high), kind.high)
    return natural(Op.MIN, natural(Op.MAX, expr, low), high)


def surely(source: Type, target: Type) -> bool:
    """Whether COERCE never traps (where this is easy to see)."""
    match source, target:
        case (OptionType(inner), OptionType(wanted)):
            return surely(inner, wanted)
        case (_, OptionType(wanted)):
            return surely(source, wanted)
        case (RecordType(), UnionType(variants)):
            return source in variants
        case (UnionType(ours), UnionType(theirs)):
            return set(ours) <= set(theirs)
        case (SetType(inner), SetType(wanted, None)):
            return surely(inner, wanted)
        case (SeqType(inner, count), SeqType(wanted, limit)):
            return count <= limit and surely(inner, wanted)
        case (MapType(key, inner), MapType(same, wanted)):
            return key == same and surely(inner, wanted)
    return fits(source, target)


class Expressions:
    """Makes expressions of a wanted type."""

    def __init__(self, choice: Choice, pool: Pool) -> None:
        self.choice = choice
        self.pool = pool

    def make(self, kind: Type, scope: Scope, depth: int) -> Expr:
        """An expression whose value fits `kind`; at most `depth` operators deep, then leaves."""
        names = self._named(kind, scope)
        if depth <= 0 or not self.choice.spend():
            return self.choice.pick(names)() if names else self.leaf(kind, scope)
        if names and self.choice.chance(3):
            return self.choice.pick(names)()
        if self.choice.chance(3):
            return self.choice.pick(self._general(kind, scope, depth - 1))()
        return self.direct(kind, scope, depth)

    def direct(self, kind: Type, scope: Scope, depth: int) -> Expr:
        """An expression by an operator of that type, or a leaf."""
        makers = [lambda: self.leaf(kind, scope), *self._specific(kind, scope, depth - 1)]
        return self.choice.pick(makers)()

    def boolean(self, scope: Scope, depth: int) -> Expr:
        """A condition that reads something, where there is anything to read."""
        return self.choice.pick(self._specific(BOOL, scope, depth))()

    def gamble(self, scope: Scope) -> Expr:
        """An integer that is not there for some states: a division, or the least of a few."""
        small = [kind for kind in self.pool.scalars if isinstance(kind, IntType)]
        left, right = (self.make(self.choice.pick(small), scope, 1) for _ in range(2))
        if self.choice.chance(2):
            divisor = self.choice.pick((right, Const(IntType(0, 1), 0)))
            return natural(self.choice.pick((Op.FLOORDIV, Op.MOD)), left, divisor)
        inner = scope.inner()
        binder = self.binder(inner, 1)
        fold = self.choice.pick((Fold.MIN, Fold.MAX))
        return Comprehension(left.type, fold, (binder,), left)

    # --- Leaves ---

    def _named(self, kind: Type, scope: Scope) -> list[Maker]:
        found: list[Expr] = [Local(t, n) for n, t in scope.locals.items() if fits(t, kind)]
        found += [Var(t, n) for n, t in scope.variables.items() if fits(t, kind)]
        if scope.after:
            found += [Var(t, n, after=True) for n, t in scope.variables.items() if fits(t, kind)]
        return [lambda expr=expr: expr for expr in found]  # type: ignore[misc]

    def leaf(self, kind: Type, scope: Scope) -> Expr:
        """A value of a type that does not depend on the state."""
        match kind:
            case BoolType():
                return Const(kind, self.choice.chance(2))
            case IntType(low, high):
                value = low + self.choice.below(high - low + 1)
                return Const(IntType(value, value) if self.choice.chance(2) else kind, value)
            case EnumType(_, members):
                return Const(kind, self.choice.pick(members))
            case NodeType():
                return self._last(kind, scope)
            case OptionType(inner):
                if self.choice.chance(2):
                    return coerced(self.leaf(inner, scope), kind)
                return Const(kind, None)
            case RecordType(_, fields):
                return Apply(kind, Op.RECORD, tuple(self.leaf(t, scope) for _, t in fields))
            case UnionType(variants):
                return coerced(self.leaf(self.choice.pick(variants), scope), kind)
            case SetType():
                return Apply(kind, Op.SET)
            case SeqType():
                return Apply(kind, Op.SEQ)
            case BagType():
                return Apply(kind, Op.BAG)
            case MapType(_, value):
                return Apply(kind, Op.EACH, (self.leaf(value, scope),))

    def _last(self, kind: Type, scope: Scope) -> Expr:
        """The last value of a type that has no literals: found by a loop over its domain."""
        option = OptionType(kind)
        found, each = scope.fresh("found"), scope.fresh("each")
        domain = Apply(SetType(kind), Op.DOMAIN)
        step = Bind(found, option, coerced(Local(kind, each), option))
        loop = For(Binder(each, kind, domain), (step,))
        body = (Bind(found, option, Const(option, None)), loop)
        return Do(kind, body, natural(Op.NARROW, Local(option, found)))

    # --- Operators that give any type ---

    def _general(self, kind: Type, scope: Scope, depth: int) -> list[Maker]:
        makers: list[Maker] = [
            lambda: self._if(kind, scope, depth),
            lambda: self._do(kind, scope, depth),
        ]
        for source in self.pool.all:
            makers += self._taken_from(source, kind, scope, depth)
        if not isinstance(kind, OptionType):
            makers.append(lambda: self._some(kind, scope, depth))
        return makers

    def _guarded(self, kind: Type, guard: Expr, expr: Expr, scope: Scope) -> Expr:
        """The expression, which traps unless `guard`, or a leaf where it would."""
        if self.choice.risky():
            return expr
        return Apply(kind, Op.IF, (guard, expr, self.leaf(kind, scope)))

    def _some(self, kind: Type, scope: Scope, depth: int) -> Expr:
        option = self.make(OptionType(kind), scope, depth)
        there = natural(Op.NOT, natural(Op.IS_NONE, option))
        return self._guarded(kind, there, natural(Op.NARROW, option), scope)

    def _variant(self, union: UnionType, kind: RecordType, scope: Scope, depth: int) -> Expr:
        value = self.make(union, scope, depth)
        guard = natural(Op.IS, value, name=kind.name)
        return self._guarded(kind, guard, Apply(kind, Op.NARROW, (value,)), scope)

    def _element_at(self, source: SeqType, kind: Type, scope: Scope, depth: int) -> Expr:
        sequence = self.make(source, scope, depth)
        if self.choice.risky():
            return natural(Op.AT, sequence, self.make(_SHIFT, scope, depth))
        end = Const(IntType(-1, 0), -self.choice.below(2))
        guard = natural(Op.LT, Const(IntType(0, 0), 0), natural(Op.SIZE, sequence))
        return self._guarded(kind, guard, natural(Op.AT, sequence, end), scope)

    def _taken_from(self, source: Type, kind: Type, scope: Scope, depth: int) -> list[Maker]:
        """Ways to get a `kind` out of a value of type `source`."""
        makers: list[Maker] = []
        match source:
            case RecordType(_, fields):
                names = [name for name, inner in fields if fits(inner, kind)]
                makers += [partial(self._field, source, name, scope, depth) for name in names]
            case UnionType(variants) if isinstance(kind, RecordType) and kind in variants:
                makers.append(lambda: self._variant(source, kind, scope, depth))
            case MapType(key, value) if fits(value, kind):
                makers.append(
                    lambda: natural(
                        Op.GET, self.make(source, scope, depth), self.make(key, scope, depth)
                    )
                )
            case SeqType(element) if fits(element, kind):
                makers.append(lambda: self._element_at(source, kind, scope, depth))
        if source != kind and coercible(source, kind):
            if not surely(source, kind) and not self.choice.risky():
                return makers
            makers.append(lambda: coerced(self.make(source, scope, depth), kind))
        return makers

    def _field(self, record: Type, name: str, scope: Scope, depth: int) -> Expr:
        return natural(Op.FIELD, self.make(record, scope, depth), name=name)

    def _if(self, kind: Type, scope: Scope, depth: int) -> Expr:
        condition = self.make(BOOL, scope, depth)
        arms = self.make(kind, scope, depth), self.make(kind, scope, depth)
        return Apply(kind, Op.IF, (condition, *arms))

    def _do(self, kind: Type, scope: Scope, depth: int) -> Expr:
        """A result set before, perhaps in an arm, and perhaps in a loop."""
        inner = scope.isolated()
        result = inner.fresh("result")
        body: list[Stmt] = [Bind(result, kind, self.make(kind, inner, depth))]
        inner.locals[result] = kind
        if self.choice.chance(2):
            arm = Bind(result, kind, self.make(kind, inner, depth))
            body.append(If(self.make(BOOL, inner, depth), (arm,)))
        else:
            rounds = inner.inner()
            binder = self.binder(rounds, depth)
            step = Bind(result, kind, self.make(kind, rounds, depth))
            body.append(For(binder, (step,)))
        return Do(kind, tuple(body), Local(kind, result))

    # --- Operators by the type they give ---

    def _specific(self, kind: Type, scope: Scope, depth: int) -> list[Maker]:
        match kind:
            case BoolType():
                return self._booleans(scope, depth)
            case IntType():
                return [lambda: self._int(kind, scope, depth)]
            case RecordType(_, fields):
                return [
                    lambda: Apply(
                        kind, Op.RECORD, tuple(self.make(t, scope, depth) for _, t in fields)
                    )
                ]
            case SetType():
                return self._sets(kind, scope, depth)
            case SeqType():
                return self._sequences(kind, scope, depth)
            case MapType():
                return self._maps(kind, scope, depth)
            case BagType(element, copies, capacity):
                most = copies if capacity is None else min(copies, capacity)
                return [lambda: self._literal(kind, Op.BAG, element, most, scope, depth)]
        return []

    def _booleans(self, scope: Scope, depth: int) -> list[Maker]:
        def same(op: Op, kinds: tuple[Type, ...]) -> Expr:
            kind = self.choice.pick(kinds)
            return natural(op, self.make(kind, scope, depth), self.make(kind, scope, depth))

        def junction(op: Op) -> Expr:
            count = 1 + self.choice.below(3)
            return natural(op, *(self.make(BOOL, scope, depth) for _ in range(count)))

        def contains() -> Expr:
            collection = self.make(self.choice.pick(self._iterable()), scope, depth)
            element = _element(collection.type)
            wanted = _SHIFT if isinstance(element, IntType) else element
            return natural(Op.CONTAINS, collection, self.make(wanted, scope, depth))

        def variant() -> Expr:
            union = self.choice.pick([t for t in self.pool.scalars if isinstance(t, UnionType)])
            name = self.choice.pick(union.variants).name
            return natural(Op.IS, self.make(union, scope, depth), name=name)

        options = tuple(t for t in self.pool.all if isinstance(t, OptionType))
        sets = tuple(t for t in self.pool.collections if isinstance(t, SetType))
        countable = tuple(
            t for t in self.pool.collections if isinstance(t, SetType | SeqType | BagType)
        )
        ordered = tuple(t for t in self.pool.scalars if _is_ordered(t))
        return [
            lambda: same(Op.EQ, self.pool.all),
            lambda: same(self.choice.pick((Op.LT, Op.LE)), ordered),
            lambda: natural(Op.NOT, self.make(BOOL, scope, depth)),
            lambda: junction(Op.AND),
            lambda: junction(Op.OR),
            contains,
            variant,
            lambda: natural(Op.IS_NONE, self.make(self.choice.pick(options), scope, depth)),
            lambda: same(Op.SUBSET, sets),
            lambda: same(Op.QUORUM, countable),
            lambda: self._fold(Fold.ANY, BOOL, scope, depth),
            lambda: self._fold(Fold.ALL, BOOL, scope, depth),
        ]

    def _int(self, kind: IntType, scope: Scope, depth: int) -> Expr:
        value = self.choice.pick(self._ints(scope, depth))()
        return coerced(value, kind) if self.choice.risky() else clamped(value, kind)

    def _ints(self, scope: Scope, depth: int) -> list[Maker]:
        """Integer expressions at their natural types."""
        small = tuple(t for t in self.pool.scalars if isinstance(t, IntType))

        def binary(op: Op) -> Expr:
            left = self.make(self.choice.pick(small), scope, depth)
            right = self.make(self.choice.pick(small), scope, depth)
            if op in (Op.FLOORDIV, Op.MOD) and not self.choice.risky():
                right = self.choice.pick(_DIVISORS)
            return natural(op, left, right)

        def count() -> Expr:
            bags = [t for t in self.pool.collections if isinstance(t, BagType)]
            bag = self.choice.pick(bags)
            element = self.make(bag.element, scope, depth)
            return natural(Op.COUNT, self.make(bag, scope, depth), element)

        pairs = (Op.ADD, Op.SUB, Op.MUL, Op.FLOORDIV, Op.MOD, Op.MIN, Op.MAX)
        folds = (Fold.SUM, Fold.MIN, Fold.MAX)
        return [
            lambda: binary(self.choice.pick(pairs)),
            lambda: natural(Op.NEG, self.make(self.choice.pick(small), scope, depth)),
            lambda: natural(Op.SIZE, self.make(self.choice.pick(self._iterable()), scope, depth)),
            count,
            lambda: self._fold(self.choice.pick(folds), self.choice.pick(small), scope, depth),
        ]

    def _sets(self, kind: SetType, scope: Scope, depth: int) -> list[Maker]:
        element = kind.element

        def both(op: Op) -> Expr:
            same = self.pool.with_element(SetType, element) or [kind]
            left = self.make(self.choice.pick(same), scope, depth)
            return coerced(natural(op, left, self.make(kind, scope, depth)), kind)

        def span() -> Expr:
            wanted = _SHIFT if self.choice.risky() else element
            bounds = self.make(wanted, scope, depth), self.make(wanted, scope, depth)
            return coerced(natural(Op.RANGE, *bounds), kind)

        operators = (Op.UNION, Op.INTERSECTION, Op.DIFFERENCE)
        most = 3 if kind.capacity is None else kind.capacity
        makers: list[Maker] = [lambda: self._literal(kind, Op.SET, element, most, scope, depth)]
        if kind.capacity is not None and not self.choice.risky():
            return makers
        makers.append(lambda: both(self.choice.pick(operators)))
        makers.append(lambda: coerced(self._fold(Fold.SET, element, scope, depth), kind))
        if isinstance(element, IntType):
            makers.append(span)
        if cardinality(element) <= 16:
            makers.append(lambda: coerced(Apply(SetType(element), Op.DOMAIN), kind))
        return makers

    def _sequences(self, kind: SeqType, scope: Scope, depth: int) -> list[Maker]:
        def cut(op: Op) -> Expr:
            return natural(op, self.make(kind, scope, depth), self.make(_SHIFT, scope, depth))

        def joined() -> Expr:
            parts = self.make(kind, scope, depth), self.make(kind, scope, depth)
            return coerced(natural(Op.CONCAT, *parts), kind)

        return [
            lambda: self._literal(kind, Op.SEQ, kind.element, kind.capacity, scope, depth),
            lambda: cut(self.choice.pick((Op.TAKE, Op.DROP))),
            *([joined] if self.choice.risky() else []),
        ]

    def _maps(self, kind: MapType, scope: Scope, depth: int) -> list[Maker]:
        def changed() -> Expr:
            parts = self.make(kind.key, scope, depth), self.make(kind.value, scope, depth)
            return natural(Op.WITH, self.make(kind, scope, depth), *parts)

        def comprehension() -> Expr:
            inner = scope.inner()
            name = inner.fresh("key")
            binder = Binder(name, kind.key, Apply(SetType(kind.key), Op.DOMAIN))
            inner.locals[name] = kind.key
            body = self.make(kind.value, inner, depth)
            return Comprehension(kind, Fold.MAP, (binder,), body)

        return [
            lambda: Apply(kind, Op.EACH, (self.make(kind.value, scope, depth),)),
            changed,
            comprehension,
        ]

    def _literal(
        self, kind: Type, op: Op, element: Type, most: int, scope: Scope, depth: int
    ) -> Expr:
        count = self.choice.below(min(most, 3) + 1)
        return Apply(kind, op, tuple(self.make(element, scope, depth) for _ in range(count)))

    # --- Binders and folds ---

    def _iterable(self) -> list[Type]:
        return [t for t in self.pool.collections if isinstance(t, SetType | SeqType | BagType)]

    def binder(self, scope: Scope, depth: int) -> Binder:
        """A binder over something finite and small, whose name is added to the scope."""
        if self.choice.chance(2):
            few = [kind for kind in self.pool.scalars if cardinality(kind) <= 4]
            source: Expr = Apply(SetType(self.choice.pick(few)), Op.DOMAIN)
        else:
            source = self.make(self.choice.pick(self._iterable()), scope, depth)
        element = _element(source.type)
        name = scope.fresh("item")
        scope.locals[name] = element
        condition = self.make(BOOL, scope, depth) if self.choice.chance(3) else None
        return Binder(name, element, source, condition)

    def _fold(self, fold: Fold, body: Type, scope: Scope, depth: int) -> Expr:
        inner = scope.inner()
        count = 2 if self.choice.chance(4) else 1
        binders = tuple(self.binder(inner, depth) for _ in range(count))
        value = self.make(body, inner, depth)
        default = None
        if fold in (Fold.MIN, Fold.MAX) and not self.choice.risky():
            default = self.make(body, scope, depth)
        if fold is Fold.SET:
            return Comprehension(SetType(body), fold, binders, value)
        sources = [binder.source.type for binder in binders]
        other = None if default is None else default.type
        kind = natural_fold_type(fold, sources, value.type, other)
        return Comprehension(kind, fold, binders, value, default)


def _element(kind: Type) -> Type:
    assert isinstance(kind, SetType | SeqType | BagType)
    return kind.element


def _is_ordered(kind: Type) -> bool:
    if isinstance(kind, NodeType):
        return kind.sort.ordered
    return isinstance(kind, IntType | EnumType)

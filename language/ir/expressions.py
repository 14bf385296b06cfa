"""What expressions mean, over frozen values: the dumb twin of every engine, clear before fast."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from ..domains import values_of
from ..labels import Trapped
from ..values import FrozenBag, FrozenMap, Universe, Value, order_key
from .nodes import (
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
    TrapKind,
    Var,
)
from .traps import trap_at
from .types import (
    BagType,
    EnumType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)


@dataclass
class Frame:
    """What names stand for while a body runs. `variables` is shared with inner frames."""

    variables: dict[str, Value]
    after: dict[str, Value] | None
    locals: dict[str, Value]

    def inner(self) -> Frame:
        """A scope inside this one: what is bound there is not seen outside."""
        return Frame(self.variables, self.after, dict(self.locals))


class OutOfBoundError(Exception):
    """A value does not fit a type; turned into a trap where the node is known."""


class Expressions:
    """Evaluates expressions; raises `Trapped` where one has no value."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe

    def value(self, expr: Expr, frame: Frame) -> Value:
        """The value of an expression."""
        match expr:
            case Const():
                if isinstance(expr.type, EnumType):
                    return self.universe.enums[expr.type.name][str(expr.value)]
                return expr.value
            case Local(_, name):
                return frame.locals[name]
            case Var(_, name, after):
                if after:
                    assert frame.after is not None, "only step properties read the later state"
                    return frame.after[name]
                return frame.variables[name]
            case Apply():
                return self._apply(expr, frame)
            case Comprehension():
                return self._comprehension(expr, frame)
            case Do():
                inner = frame.inner()
                self._run(expr.body, inner)
                return self.value(expr.result, inner)
        assert_never(expr)

    def elements(self, source: Expr, frame: Frame) -> Iterator[Value]:
        """The elements of a collection in the order of iteration.

        Sets and bags: the distinct elements in canonical order. Sequences: every position, first
        to last, as Python's `for` does. DOMAIN is enumerated lazily, as it may be large.
        """
        if isinstance(source, Apply) and source.op is Op.DOMAIN:
            assert isinstance(source.type, SetType)
            return values_of(source.type.element, self.universe)
        collection = self.value(source, frame)
        if isinstance(collection, tuple):
            return iter(collection)
        return iter(sorted(collection, key=order_key))

    def bound(self, binder: Binder, frame: Frame) -> Iterator[Value]:
        """The values a binder takes: those elements of its source that its condition admits.

        The source is evaluated once, the condition when its turn comes.
        """
        for element in self.elements(binder.source, frame):
            if binder.condition is not None:
                inner = frame.inner()
                inner.locals[binder.name] = element
                if not self.value(binder.condition, inner):
                    continue
            yield element

    def _run(self, body: Iterable[Stmt], frame: Frame) -> None:
        """The pure statements of a `Do`."""
        for stmt in body:
            match stmt:
                case Bind(name, _, value):
                    frame.locals[name] = self.value(value, frame)
                case If(condition, then, orelse):
                    self._run(then if self.value(condition, frame) else orelse, frame)
                case For(binder, inner):
                    for element in self.bound(binder, frame):
                        frame.locals[binder.name] = element
                        self._run(inner, frame)
                    frame.locals.pop(binder.name, None)
                case _:
                    raise AssertionError(f"not a pure statement: {stmt!r}")

    def _apply(self, expr: Apply, frame: Frame) -> Value:
        match expr.op:
            case Op.AND:
                return all(self.value(arg, frame) for arg in expr.args)
            case Op.OR:
                return any(self.value(arg, frame) for arg in expr.args)
            case Op.IF:
                condition, then, orelse = expr.args
                return self.value(then if self.value(condition, frame) else orelse, frame)
            case Op.DOMAIN:
                assert isinstance(expr.type, SetType)
                return frozenset(values_of(expr.type.element, self.universe))
        args = [self.value(arg, frame) for arg in expr.args]
        if expr.op in _SIMPLE:
            return _SIMPLE[expr.op](*args)
        return self._typed(expr, args)

    def _typed(self, expr: Apply, args: list[Value]) -> Value:
        """The operators that need a name, a type or the universe, or that can trap."""
        match expr.op:
            case Op.FLOORDIV | Op.MOD:
                if args[1] == 0:
                    raise Trapped(trap_at(TrapKind.DIVISION, expr))
                return args[0] // args[1] if expr.op is Op.FLOORDIV else args[0] % args[1]
            case Op.AT:
                try:
                    return args[0][args[1]]
                except IndexError:
                    raise Trapped(trap_at(TrapKind.INDEX, expr)) from None
            case Op.FIELD:
                return getattr(args[0], expr.name)
            case Op.IS:
                return type(args[0]) is self.universe.records[expr.name]
            case Op.NARROW:
                if not self._narrows(args[0], expr):
                    raise Trapped(trap_at(TrapKind.NARROW, expr))
                return args[0]
            case Op.COERCE:
                try:
                    return self.coerced(args[0], expr.args[0].type, expr.type)
                except OutOfBoundError:
                    raise Trapped(trap_at(TrapKind.BOUND, expr)) from None
            case Op.RECORD:
                assert isinstance(expr.type, RecordType)
                return self.universe.records[expr.type.name](*args)
            case Op.EACH:
                assert isinstance(expr.type, MapType)
                return FrozenMap((k, args[0]) for k in values_of(expr.type.key, self.universe))
        raise AssertionError(f"not an operator with a value: {expr.op}")

    def _narrows(self, value: Value, expr: Apply) -> bool:
        source = expr.args[0].type
        if isinstance(source, OptionType):
            return value is not None
        assert isinstance(expr.type, RecordType)
        return type(value) is self.universe.records[expr.type.name]

    def coerced(self, value: Value, source: Type, target: Type) -> Value:
        """A value of type `source` as one of type `target`; raises OutOfBoundError."""
        match source, target:
            case (IntType(), IntType(low, high)):
                return _fitting(value, low <= value <= high)
            case (OptionType(inner), OptionType(wanted)):
                return None if value is None else self.coerced(value, inner, wanted)
            case (_, OptionType(wanted)):
                return self.coerced(value, source, wanted)
            case (UnionType(), UnionType(variants)):
                classes = [self.universe.records[variant.name] for variant in variants]
                return _fitting(value, type(value) in classes)
            case (SetType(inner), SetType(wanted, capacity)):
                elements = frozenset(self.coerced(item, inner, wanted) for item in value)
                return _fitting(elements, capacity is None or len(elements) <= capacity)
            case (SeqType(inner), SeqType(wanted, limit)):
                items = tuple(self.coerced(item, inner, wanted) for item in value)
                return _fitting(items, len(items) <= limit)
            case (MapType(_, inner), MapType(_, wanted)):
                return FrozenMap((k, self.coerced(v, inner, wanted)) for k, v in value.items())
            case (BagType(inner), BagType(wanted, copies, capacity)):
                bag = FrozenBag((self.coerced(k, inner, wanted), n) for k, n in value.items())
                few = all(count <= copies for count in bag.values())
                return _fitting(bag, few and (capacity is None or len(bag) <= capacity))
        return value  # equal types, or a record into a union: the same value

    def _comprehension(self, expr: Comprehension, frame: Frame) -> Value:
        bodies = self._bodies(expr, 0, frame)
        match expr.fold:
            case Fold.ANY:
                return any(bodies)
            case Fold.ALL:
                return all(bodies)
            case Fold.SUM:
                return sum(bodies)
            case Fold.SET:
                return frozenset(bodies)
            case Fold.MIN | Fold.MAX:
                values = list(bodies)
                if values:
                    return min(values) if expr.fold is Fold.MIN else max(values)
                if expr.default is None:
                    raise Trapped(trap_at(TrapKind.EMPTY, expr))
                return self.value(expr.default, frame)
            case Fold.MAP:
                (binder,) = expr.binders
                return FrozenMap(zip(self.elements(binder.source, frame), bodies, strict=True))
        assert_never(expr.fold)

    def _bodies(self, expr: Comprehension, depth: int, frame: Frame) -> Iterator[Value]:
        """The body for each binding of the binders from `depth` on, one by one."""
        if depth == len(expr.binders):
            yield self.value(expr.body, frame)
            return
        binder = expr.binders[depth]
        for element in self.bound(binder, frame):
            inner = frame.inner()
            inner.locals[binder.name] = element
            yield from self._bodies(expr, depth + 1, inner)


def _fitting(value: Value, fits: bool) -> Value:
    if not fits:
        raise OutOfBoundError
    return value


def _size(collection: Value) -> int:
    if isinstance(collection, FrozenBag):
        return sum(collection.values())
    return len(collection)


def _with(mapping: FrozenMap[Value, Value], key: Value, value: Value) -> FrozenMap[Value, Value]:
    return FrozenMap({**mapping, key: value})


_SIMPLE: dict[Op, Callable[..., Value]] = {
    Op.NOT: operator.not_,
    Op.EQ: operator.eq,
    Op.LT: lambda a, b: order_key(a) < order_key(b),
    Op.LE: lambda a, b: order_key(a) <= order_key(b),
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
    Op.NEG: operator.neg,
    Op.MIN: min,
    Op.MAX: max,
    Op.IS_NONE: lambda a: a is None,
    Op.SET: lambda *elements: frozenset(elements),
    Op.RANGE: lambda first, last: frozenset(range(first, last)),
    Op.UNION: operator.or_,
    Op.INTERSECTION: operator.and_,
    Op.DIFFERENCE: operator.sub,
    Op.SUBSET: operator.le,
    Op.QUORUM: lambda part, whole: 2 * _size(part) > _size(whole),
    Op.CONTAINS: lambda collection, element: element in collection,
    Op.SIZE: _size,
    Op.GET: operator.getitem,
    Op.WITH: _with,
    Op.SEQ: lambda *elements: elements,
    Op.TAKE: lambda sequence, count: sequence[:count],
    Op.DROP: lambda sequence, count: sequence[count:],
    Op.CONCAT: operator.add,
    Op.BAG: lambda *elements: FrozenBag(Counter(elements)),
    Op.COUNT: lambda bag, element: bag.get(element, 0),
}

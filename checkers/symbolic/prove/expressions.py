"""What expressions of a spec without sizes mean in first-order logic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ....language.ir.nodes import (
    Apply,
    Bind,
    Binder,
    Comprehension,
    Const,
    Do,
    Expr,
    Fold,
    If,
    Local,
    Op,
    Stmt,
    Var,
)
from ....language.ir.types import (
    BoolType,
    EnumType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SetType,
    UnionType,
)
from .. import bits
from ..bits import Bit
from .lifting import LIMIT, Ordered
from .logic import exists, forall
from .meanings import Meanings
from .values import (
    Case,
    Count,
    Individual,
    MapOf,
    Meaning,
    Number,
    Optional,
    Outside,
    Point,
    SetOf,
    Tuple,
    Variants,
    as_bit,
    as_tuple,
)


@dataclass
class Frame:
    """What names stand for."""

    variables: dict[str, Meaning]
    after: dict[str, Meaning] | None = None
    locals: dict[str, Meaning] = field(default_factory=dict)

    def binding(self, name: str, value: Meaning) -> Frame:
        """A scope inside this one, with one more name."""
        return Frame(self.variables, self.after, {**self.locals, name: value})


class Expressions:
    """Gives expressions their meaning; raises `Outside` where the logic has no words for one."""

    def __init__(self, meanings: Meanings) -> None:
        self.meanings = meanings

    def bit(self, expr: Expr, frame: Frame) -> Bit:
        """The meaning of an expression that is true or false."""
        return as_bit(self.value(expr, frame))

    def value(self, expr: Expr, frame: Frame) -> Meaning:
        """The meaning of an expression."""
        try:
            return self._value(expr, frame)
        except Outside as outside:
            if outside.span is None:
                outside.span = expr.span
            raise

    def _value(self, expr: Expr, frame: Frame) -> Meaning:
        match expr:
            case Const(kind, value):
                return self._literal(kind, value)
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
            case Do(_, body, result):
                inner = Frame(frame.variables, frame.after, dict(frame.locals))
                self._run(body, inner)
                return self.value(result, inner)

    def _literal(self, kind: Any, value: Any) -> Meaning:
        match kind:
            case BoolType():
                return bool(value)
            case EnumType(name, members):
                return Individual(name, self.meanings.logic.members(kind)[members.index(value)])
            case OptionType():
                return Optional(False, None)
        return Number(None if value == LIMIT else int(value))

    def _run(self, body: tuple[Stmt, ...], frame: Frame) -> None:
        """The statements of a `Do`, which change locals only."""
        for stmt in body:
            match stmt:
                case Bind(name, _, value):
                    frame.locals[name] = self.value(value, frame)
                case If(condition, then, orelse):
                    self._branch(self.bit(condition, frame), then, orelse, frame)
                case _:
                    raise Outside("a loop that computes step by step", stmt.span)

    def _branch(
        self, condition: Bit, then: tuple[Stmt, ...], orelse: tuple[Stmt, ...], frame: Frame
    ) -> None:
        if isinstance(condition, bool):
            self._run(then if condition else orelse, frame)
            return
        ends = []
        for arm in (then, orelse):
            inner = Frame(frame.variables, frame.after, dict(frame.locals))
            self._run(arm, inner)
            ends.append(inner.locals)
        frame.locals = self.merged(condition, *ends)

    def merged(
        self, condition: Bit, then: dict[str, Meaning], otherwise: dict[str, Meaning]
    ) -> dict[str, Meaning]:
        """Names after two ways: what only one of them knows cannot be read after the other."""
        found = {**otherwise, **then}
        for name in then.keys() & otherwise.keys():
            found[name] = self.meanings.chosen(condition, then[name], otherwise[name])
        return found

    # --- Operators ---

    def _apply(self, expr: Apply, frame: Frame) -> Meaning:
        match expr.op:
            case Op.AND:
                return self._junction(expr, frame, bits.every, deciding=False)
            case Op.OR:
                return self._junction(expr, frame, bits.some, deciding=True)
            case Op.IF:
                condition = self.bit(expr.args[0], frame)
                if isinstance(condition, bool):
                    return self.value(expr.args[1 if condition else 2], frame)
                then, otherwise = (self.value(arg, frame) for arg in expr.args[1:])
                return self.meanings.chosen(condition, then, otherwise)
            case Op.DOMAIN:
                return SetOf(element_of(expr.type), lambda _: True, whole=True)
        args = [self.value(arg, frame) for arg in expr.args]
        apply = _OPERATORS.get(expr.op)
        if apply is None:
            raise Outside(f"the operator {expr.op.value}")
        return apply(self, expr, args)

    def _junction(
        self, expr: Apply, frame: Frame, join: Callable[[list[Bit]], Bit], *, deciding: bool
    ) -> Bit:
        found: list[Bit] = []
        for arg in expr.args:
            found.append(self.bit(arg, frame))
            if found[-1] is deciding:
                return deciding
        return join(found)

    def equality(self, _: Apply, args: list[Meaning]) -> Meaning:
        """EQ."""
        return self.meanings.equal(args[0], args[1])

    def comparison(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """LT, LE."""
        if expr.op is Op.LT:
            return self.meanings.less(args[0], args[1])
        return bits.negation(self.meanings.less(args[1], args[0]))

    def sum_of(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """ADD, SUB of a known number."""
        match expr.op, args[0], args[1]:
            case Op.ADD, Point(parameter, low, term, offset), Number(int(value)):
                return Point(parameter, low, term, offset + value)
            case Op.ADD, Number(int(value)), Point(parameter, low, term, offset):
                return Point(parameter, low, term, offset + value)
            case Op.SUB, Point(parameter, low, term, offset), Number(int(value)):
                return Point(parameter, low, term, offset - value)
            case Op.ADD, Number(int(value)), Number(int(other)):
                return Number(value + other)
            case Op.SUB, Number(int(value)), Number(int(other)):
                return Number(value - other)
        raise Outside("arithmetic")

    def part(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """FIELD, IS, IS_NONE, NARROW."""
        source: Any = expr.args[0].type
        match expr.op, args[0]:
            case Op.FIELD, Tuple(fields):
                return fields[[name for name, _ in source.fields].index(expr.name)]
            case Op.IS_NONE, Optional(present):
                return bits.negation(present)
            case Op.NARROW, Optional(_, inner):
                if inner is None:
                    raise Outside("the value of an option that is None")
                return inner
            case Op.IS, Variants(cases):
                place = source.tag(expr.name)
                return cases[place][0] if place in cases else False
            case Op.NARROW, Variants(cases):
                kind: Any = expr.type
                place = source.tag(kind.name)
                if place not in cases:
                    return self.meanings.unknown(kind, f"nothing of {kind.name}")
                return cases[place][1]
        raise Outside(f"the operator {expr.op.value}")

    def coerced(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """COERCE."""
        return self._coerced(args[0], expr.args[0].type, expr.type)

    def _coerced(self, value: Meaning, source: Any, target: Any) -> Meaning:
        match source, target:
            case _ if source == target:
                return value
            case _, Ordered():
                return value  # its bounds are looked at where it is stored
            case OptionType(inner), OptionType(wanted):
                assert isinstance(value, Optional)
                if value.inner is None:
                    return value
                return Optional(value.present, self._coerced(value.inner, inner, wanted))
            case _, OptionType(wanted):
                return Optional(True, self._coerced(value, source, wanted))
            case RecordType(name), UnionType():
                place: Any = target.tag(name)
                return Variants({place: (True, as_tuple(value))})
            case UnionType(variants), UnionType():
                assert isinstance(value, Variants)
                places = {place: target.tag(variants[place].name) for place in value.cases}
                return Variants({t: value.cases[p] for p, t in places.items() if t is not None})
            case SetType(inner), SetType(wanted) if inner == wanted:
                return value
            case MapType(_, inner), MapType(key, wanted):
                assert isinstance(value, MapOf)
                return MapOf(key, wanted, lambda k: self._coerced(value.get(k), inner, wanted))
        if isinstance(value, Number):
            return value
        raise Outside("a change of type")

    def record(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """RECORD: numbers become points of the fields' types."""
        kind: Any = expr.type
        pairs = zip(args, kind.fields, strict=True)
        return Tuple(tuple(self.fitted(arg, field) for arg, (_, field) in pairs))

    def fitted(self, value: Meaning, kind: Any) -> Meaning:
        """A value as one of the type of the place where it is stored."""
        match kind, value:
            case Ordered(), (Point() | Number()):
                return self.meanings.point(value, kind)
            case OptionType(inner), Optional(present, content) if content is not None:
                return Optional(present, self.fitted(content, inner))
        return value

    def on_map(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """GET, WITH, EACH."""
        if expr.op is Op.EACH:
            kind: Any = expr.type
            value = self.fitted(args[0], kind.value)
            return MapOf(kind.key, kind.value, lambda _: value)
        table = args[0]
        assert isinstance(table, MapOf)
        if expr.op is Op.GET:
            return table.get(args[1])
        return self.with_value(table, args[1], args[2])

    def with_value(self, table: MapOf, key: Meaning, value: Meaning) -> MapOf:
        """A map with another value at a key."""
        new = self.fitted(value, table.value)

        def get(k: Meaning) -> Meaning:
            return self.meanings.chosen(self.meanings.equal(k, key), new, table.get(k))

        return MapOf(table.key, table.value, get)

    def on_set(self, expr: Apply, args: list[Meaning]) -> Meaning:
        """The operators of sets."""
        first = args[0] if args else None
        if expr.op is Op.SET:
            element = element_of(expr.type)
            items = [self.fitted(arg, element) for arg in args]
            return SetOf(
                element, lambda x: bits.some(self.meanings.equal(x, item) for item in items)
            )
        if expr.op is Op.RANGE:
            return self._range(expr, args)
        if not isinstance(first, SetOf):
            raise Outside(f"the operator {expr.op.value} of what is no set")
        match expr.op:
            case Op.CONTAINS:
                return first.contains(args[1])
            case Op.SIZE:
                return Count(first)
        second = args[1]
        assert isinstance(second, SetOf)
        return self._of_two(expr.op, first, second)

    def _of_two(self, op: Op, first: SetOf, second: SetOf) -> Meaning:
        match op:
            case Op.SUBSET:
                return self.meanings.for_all(
                    first.element, lambda x: bits.implies(first.contains(x), second.contains(x))
                )
            case Op.QUORUM:
                return self._quorum(first, second)
            case Op.UNION:
                return united(first, second)
            case Op.INTERSECTION:
                return SetOf(
                    first.element, lambda x: bits.both(first.contains(x), second.contains(x))
                )
            case Op.DIFFERENCE:
                return SetOf(
                    first.element,
                    lambda x: bits.both(first.contains(x), bits.negation(second.contains(x))),
                )
        raise Outside(f"the operator {op.value}")

    def _range(self, expr: Apply, args: list[Meaning]) -> Meaning:
        first, last = args
        element = element_of(expr.type)
        if not isinstance(element, Ordered):
            raise Outside("a range of numbers that are not ordered values of a parameter")

        def contains(x: Meaning) -> Bit:
            above = bits.negation(self.meanings.less(x, first))
            return bits.both(above, self.meanings.less(x, last))

        return SetOf(element, contains)

    def _quorum(self, part: SetOf, whole: SetOf) -> Bit:
        """A set is a quorum where all members of one of the axioms' quorums are in it."""
        if not whole.whole or not isinstance(part.element, NodeType):
            raise Outside("a quorum of something other than all nodes")
        sort, logic = part.element.sort.name, self.meanings.logic
        quorum = logic.variable(logic.quorums(sort), "quorum")
        node = logic.variable(logic.sort(sort), sort)
        inside = part.contains(Individual(sort, node))
        return exists(
            [quorum], forall([node], bits.implies(logic.member(sort, quorum, node), inside))
        )

    # --- Comprehensions ---

    def _comprehension(self, expr: Comprehension, frame: Frame) -> Meaning:
        match expr.fold:
            case Fold.ANY:
                return self._some(expr.binders, frame, lambda inner: self.bit(expr.body, inner))
            case Fold.ALL:
                return bits.negation(
                    self._some(
                        expr.binders,
                        frame,
                        lambda inner: bits.negation(self.bit(expr.body, inner)),
                    )
                )
            case Fold.SET:
                return self._set(expr, frame)
            case Fold.MAP:
                (binder,) = expr.binders
                kind: Any = expr.type

                def get(key: Meaning) -> Meaning:
                    return self.fitted(
                        self.value(expr.body, frame.binding(binder.name, key)), kind.value
                    )

                return MapOf(kind.key, kind.value, get)
        raise Outside(f"{expr.fold.value}(...) over a set")

    def _set(self, expr: Comprehension, frame: Frame) -> SetOf:
        element = element_of(expr.type)
        (first, *more) = expr.binders
        body = expr.body
        if not more and isinstance(body, Local) and body.name == first.name:
            source = self._source(first, frame)

            def admitted(x: Meaning) -> Bit:
                return bits.both(source.contains(x), self._condition(first, frame, x))

            return SetOf(element, admitted)

        def contains(x: Meaning) -> Bit:
            return self._some(
                expr.binders,
                frame,
                lambda inner: self.meanings.equal(x, self.fitted(self.value(body, inner), element)),
            )

        return SetOf(element, contains)

    def _source(self, binder: Binder, frame: Frame) -> SetOf:
        source = self.value(binder.source, frame)
        if not isinstance(source, SetOf):
            raise Outside("a collection that is no set")
        return source

    def _condition(self, binder: Binder, frame: Frame, element: Meaning) -> Bit:
        if binder.condition is None:
            return True
        return self.bit(binder.condition, frame.binding(binder.name, element))

    def _some(self, binders: tuple[Binder, ...], frame: Frame, body: Callable[[Frame], Bit]) -> Bit:
        """Whether the body holds for some binding."""
        if not binders:
            return body(frame)
        first, rest = binders[0], binders[1:]
        source = self._source(first, frame)

        def holds(case: Case) -> Bit:
            there = source.contains(case.value)
            admitted = False if there is False else self._condition(first, frame, case.value)
            if admitted is False:
                return False
            inner = self._some(rest, frame.binding(first.name, case.value), body)
            return exists(case.variables, bits.every((case.fits, there, admitted, inner)))

        cases = self.meanings.cases(source.element, first.name, exactly=source.whole)
        return bits.some(holds(case) for case in cases)


def united(first: SetOf, second: SetOf) -> SetOf:
    """The elements of either."""
    return SetOf(first.element, lambda x: bits.either(first.contains(x), second.contains(x)))


def element_of(kind: Any) -> Any:
    """The element type of a set type."""
    if not isinstance(kind, SetType):
        raise Outside("a collection that is no set")
    return kind.element


_OPERATORS: dict[Op, Callable[[Expressions, Apply, list[Meaning]], Meaning]] = {
    Op.NOT: lambda _, __, args: bits.negation(as_bit(args[0])),
    Op.EQ: Expressions.equality,
    Op.COERCE: Expressions.coerced,
    Op.RECORD: Expressions.record,
    **dict.fromkeys((Op.LT, Op.LE), Expressions.comparison),
    **dict.fromkeys((Op.ADD, Op.SUB), Expressions.sum_of),
    **dict.fromkeys((Op.FIELD, Op.IS, Op.IS_NONE, Op.NARROW), Expressions.part),
    **dict.fromkeys((Op.GET, Op.WITH, Op.EACH), Expressions.on_map),
    **dict.fromkeys(
        (
            Op.SET,
            Op.RANGE,
            Op.CONTAINS,
            Op.SIZE,
            Op.SUBSET,
            Op.QUORUM,
            Op.UNION,
            Op.INTERSECTION,
            Op.DIFFERENCE,
        ),
        Expressions.on_set,
    ),
}

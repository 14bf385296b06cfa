"""What expressions of the IR mean in formulas: `language.ir.expressions`, with unknowns.

An expression may have no value (a trap). Where that can be, the condition for it is noted, together
with what has to hold for the expression to be evaluated at all: the short-circuits of `and`, `or`,
`if`, `any` and `all` that lead to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from ...language.ir.nodes import (
    Apply,
    Assign,
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
    Mutate,
    Op,
    Stmt,
    TrapKind,
    Var,
)
from ...language.ir.traps import trap_at
from ...language.ir.types import BoolType, EnumType, MapType, SetType
from ...language.labels import Trap
from . import bits, compare, numbers
from .bits import Bit
from .collections import Item, items, of_items
from .numbers import Num
from .operators import Operators, as_bit, as_collection
from .shapes import Symbolic, Table
from .types import Types


@dataclass
class Frame:
    """What names stand for. `variables` is shared with inner frames."""

    variables: dict[str, Symbolic]
    after: dict[str, Symbolic] | None
    locals: dict[str, Symbolic]

    def inner(self) -> Frame:
        """A scope inside this one: what is bound there is not seen outside."""
        return Frame(self.variables, self.after, dict(self.locals))


@dataclass(frozen=True, eq=False)
class Trouble:
    """A trap, and when it is run into: where nothing before it ended the run."""

    condition: Bit
    trap: Trap


@dataclass
class Path:
    """What has to hold for the place at hand to be reached."""

    conditions: list[Bit] = field(default_factory=list)

    @contextmanager
    def under(self, condition: Bit) -> Iterator[None]:
        """For a while, under one more condition."""
        self.conditions.append(condition)
        try:
            yield
        finally:
            self.conditions.pop()

    def holds(self, condition: Bit = True) -> Bit:
        """All the conditions, and one more."""
        return bits.every((*self.conditions, condition))


class Expressions:
    """Translates expressions; `troubles` collects their traps in the order of evaluation."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.path = Path()
        self.troubles: list[Trouble] = []
        self.operators = Operators(types, self.trap)

    def trap(self, kind: TrapKind, node: Apply | Comprehension | Assign | Mutate, bad: Bit) -> None:
        """Note a trap that is run into where `bad` holds and this place is reached."""
        if bad is not False and (condition := self.path.holds(bad)) is not False:
            self.troubles.append(Trouble(condition, trap_at(kind, node)))

    def value(self, expr: Expr, frame: Frame) -> Symbolic:
        """The value of an expression."""
        match expr:
            case Const(kind, value):
                if isinstance(kind, EnumType):
                    return numbers.known(kind.members.index(str(value)))
                return self.types.constant(value, kind)
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
                inner = frame.inner()
                self.run(body, inner)
                return self.value(result, inner)
        assert_never(expr)

    def bit(self, expr: Expr, frame: Frame) -> Bit:
        """The value of an expression that is true or false."""
        assert isinstance(expr.type, BoolType)
        return as_bit(self.value(expr, frame))

    def elements(self, source: Expr, frame: Frame) -> list[Item]:
        """What a loop or a comprehension over a collection meets, in order."""
        return items(as_collection(self.value(source, frame)))

    def admitted(self, binder: Binder, element: Symbolic, frame: Frame) -> Bit:
        """Whether a binder's condition lets an element through."""
        if binder.condition is None:
            return True
        inner = frame.inner()
        inner.locals[binder.name] = element
        return self.bit(binder.condition, inner)

    def run(self, body: tuple[Stmt, ...], frame: Frame) -> None:
        """The statements of a `Do`, which change locals only."""
        for stmt in body:
            match stmt:
                case Bind(name, _, value):
                    frame.locals[name] = self.value(value, frame)
                case If(condition, then, orelse):
                    self._branch(self.bit(condition, frame), then, orelse, frame)
                case For(binder, inner):
                    for there, element in self.elements(binder.source, frame):
                        self._round(there, element, binder, inner, frame)
                    frame.locals.pop(binder.name, None)
                case _:
                    raise AssertionError(f"not a pure statement: {stmt!r}")

    def _branch(
        self, condition: Bit, then: tuple[Stmt, ...], orelse: tuple[Stmt, ...], frame: Frame
    ) -> None:
        if isinstance(condition, bool):
            self.run(then if condition else orelse, frame)
            return
        before = frame.locals
        ends = []
        for arm, way in ((then, condition), (orelse, bits.negation(condition))):
            inner = Frame(frame.variables, frame.after, dict(before))
            with self.path.under(way):
                self.run(arm, inner)
            ends.append(inner.locals)
        frame.locals = merged(condition, *ends)

    def _round(
        self, there: Bit, element: Symbolic, binder: Binder, body: tuple[Stmt, ...], frame: Frame
    ) -> None:
        """A loop's body for one element that may be there."""
        with self.path.under(there):
            runs = bits.both(there, self.admitted(binder, element, frame))
        if runs is False:
            return
        inner = Frame(frame.variables, frame.after, {**frame.locals, binder.name: element})
        with self.path.under(runs):
            self.run(body, inner)
        frame.locals = merged(runs, inner.locals, frame.locals)

    def _apply(self, expr: Apply, frame: Frame) -> Symbolic:
        match expr.op:
            case Op.AND | Op.OR:
                return self._shortcut(expr, frame)
            case Op.IF:
                return self._conditional(expr, frame)
            case Op.DOMAIN:
                assert isinstance(expr.type, SetType)
                domain = self.types.domain(expr.type.element)
                return of_items(expr.type, [(True, v) for v in domain.constants], self.types)
        return self.operators.apply(expr, [self.value(arg, frame) for arg in expr.args])

    def _shortcut(self, expr: Apply, frame: Frame) -> Bit:
        """`and`, `or`: each argument is looked at only where those before leave it open."""
        decides = expr.op is Op.OR
        found: list[Bit] = []
        held = len(self.path.conditions)
        try:
            for arg in expr.args:
                bit = self.bit(arg, frame)
                found.append(bit)
                if bit is decides:
                    return decides
                self.path.conditions.append(bits.negation(bit) if decides else bit)
        finally:
            del self.path.conditions[held:]
        return bits.some(found) if decides else bits.every(found)

    def _conditional(self, expr: Apply, frame: Frame) -> Symbolic:
        condition = self.bit(expr.args[0], frame)
        if isinstance(condition, bool):
            return self.value(expr.args[1 if condition else 2], frame)
        with self.path.under(condition):
            then = self.value(expr.args[1], frame)
        with self.path.under(bits.negation(condition)):
            otherwise = self.value(expr.args[2], frame)
        return compare.chosen(condition, then, otherwise)

    # --- Comprehensions ---

    def _comprehension(self, expr: Comprehension, frame: Frame) -> Symbolic:
        match expr.fold:
            case Fold.ANY | Fold.ALL:
                return self._quantified(expr, frame)
            case Fold.SUM:
                terms = [
                    numbers.chosen(there, _number(body), numbers.known(0))
                    for there, body in self._bodies(expr, frame)
                ]
                return numbers.total(terms)
            case Fold.SET:
                assert isinstance(expr.type, SetType)
                return of_items(expr.type, self._bodies(expr, frame), self.types)
            case Fold.MIN | Fold.MAX:
                return self._extreme(expr, frame)
            case Fold.MAP:
                return self._map(expr, frame)
        assert_never(expr.fold)

    def _quantified(self, expr: Comprehension, frame: Frame) -> Bit:
        decides = expr.fold is Fold.ANY
        found: list[Bit] = []
        held = len(self.path.conditions)
        try:
            for there, body in self._bodies(expr, frame):
                bit = bits.both(there, as_bit(body) if decides else bits.negation(as_bit(body)))
                found.append(bit)
                if bit is True:
                    break
                self.path.conditions.append(bits.negation(bit))
        finally:
            del self.path.conditions[held:]
        return bits.some(found) if decides else bits.negation(bits.some(found))

    def _extreme(self, expr: Comprehension, frame: Frame) -> Num:
        best: Num | None = None
        some: Bit = False
        for there, body in self._bodies(expr, frame):
            number = _number(body)
            if best is None:
                best = number
            else:
                pair = (number, best) if expr.fold is Fold.MIN else (best, number)
                better = bits.either(bits.negation(some), numbers.less(*pair))
                best = numbers.chosen(bits.both(there, better), number, best)
            some = bits.either(some, there)
        if expr.default is None:
            self.trap(TrapKind.EMPTY, expr, bits.negation(some))
            return best if best is not None else numbers.known(0)
        if some is True and best is not None:
            return best
        with self.path.under(bits.negation(some)):
            default = _number(self.value(expr.default, frame))
        return default if best is None else numbers.chosen(some, best, default)

    def _map(self, expr: Comprehension, frame: Frame) -> Table:
        assert isinstance(expr.type, MapType)
        domain = self.types.domain(expr.type.key)
        return Table(domain, tuple(body for _, body in self._bodies(expr, frame)))

    def _bodies(self, expr: Comprehension, frame: Frame, depth: int = 0) -> Iterator[Item]:
        """The body for each binding of the binders from `depth` on, and when there is that one.

        While a body is out, the path holds what leads to it.
        """
        if depth == len(expr.binders):
            yield True, self.value(expr.body, frame)
            return
        binder = expr.binders[depth]
        for there, element in self.elements(binder.source, frame):
            inner = frame.inner()
            inner.locals[binder.name] = element
            with self.path.under(there):
                admitted = True if binder.condition is None else self.bit(binder.condition, inner)
            bound = bits.both(there, admitted)
            if bound is False:
                continue
            # Not `under`: what reads the bodies adds conditions that last longer than one body.
            for inside, body in self._inside(expr, inner, depth, bound):
                yield bits.both(bound, inside), body

    def _inside(self, expr: Comprehension, frame: Frame, depth: int, bound: Bit) -> Iterator[Item]:
        place = len(self.path.conditions)
        rest = self._bodies(expr, frame, depth + 1)
        while True:
            place = len(self.path.conditions)
            self.path.conditions.append(bound)
            item = next(rest, None)
            del self.path.conditions[place]
            if item is None:
                return
            yield item


def merged(
    condition: Bit, then: dict[str, Symbolic], otherwise: dict[str, Symbolic]
) -> dict[str, Symbolic]:
    """Names after two ways: what only one of them knows cannot be read after the other."""
    found = {**otherwise, **then}
    for name in then.keys() & otherwise.keys():
        found[name] = compare.chosen(condition, then[name], otherwise[name])
    return found


def _number(value: Symbolic) -> Num:
    assert isinstance(value, Num)
    return value

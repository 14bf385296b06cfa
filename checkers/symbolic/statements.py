"""What statements of the IR do to a state of formulas: `language.ir.evaluator`, with unknowns.

A body is run once, whatever its choices: an element that `choose` takes is an unknown of which the
formula says that it is in the collection. Both arms of an `if` are run and merged, the body of a
`for` once for each element that may be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...language.ir.nodes import (
    Assign,
    Bind,
    Change,
    Choose,
    Expr,
    For,
    If,
    Key,
    Mutate,
    Require,
    Stmt,
    TrapKind,
)
from ...language.ir.types import BagType, SeqType, SetType, Type
from ...language.labels import Trap
from . import bits, collections, numbers, sequences
from .bits import Bit
from .expressions import Expressions, Frame, merged
from .numbers import Num
from .operators import as_collection, looked_up, with_value
from .shapes import Sequence, Symbolic, Table
from .types import Types


@dataclass(frozen=True, eq=False)
class Choice:
    """An element that `choose` takes where the body comes there (`made`)."""

    made: Bit
    type: Type
    element: Symbolic


@dataclass(frozen=True, eq=False)
class Ending:
    """A trap that ends a body where `condition` holds, after so many of the choices."""

    condition: Bit
    trap: Trap
    choices: int


@dataclass
class Body:
    """A body that has been run: what it leaves, and what has to hold for that.

    `enabled` says that no `require` was in the way, `fits` that the unknowns are values of their
    types (they have no meaning otherwise), `endings` where a trap was run into instead. `enabled`
    implies that none was.
    """

    frame: Frame
    enabled: Bit = True
    fits: list[Bit] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)


class Statements:
    """Runs bodies. `name` makes names of unknowns unique."""

    def __init__(self, types: Types, name: str) -> None:
        self.types = types
        self._name = name
        self._expressions = Expressions(types)

    def run(self, body: tuple[Stmt, ...], frame: Frame) -> Body:
        """Run a body from a frame, which is used up."""
        made = Body(frame)
        self._run(body, made)
        return made

    def _run(self, body: tuple[Stmt, ...], made: Body) -> None:
        for stmt in body:
            if made.enabled is False:
                return
            match stmt:
                case Require(condition):
                    self._require(self._bit(condition, made), made)
                case If(condition, then, orelse):
                    self._branch(self._bit(condition, made), then, orelse, made)
                case For():
                    self._loop(stmt, made)
                case Choose():
                    self._choose(stmt, made)
                case Bind(name, _, value):
                    made.frame.locals[name] = self._expressions.value(value, made.frame)
                case Assign() | Mutate():
                    self._store(stmt, made)
            self._settle(made)

    def _bit(self, condition: Expr, made: Body) -> Bit:
        found = self._expressions.bit(condition, made.frame)
        self._settle(made)
        return found

    def _settle(self, made: Body) -> None:
        """Take over the traps noted since: each ends the body where it is run into."""
        for trouble in self._expressions.troubles:
            condition = bits.both(made.enabled, trouble.condition)
            if condition is not False:
                made.endings.append(Ending(condition, trouble.trap, len(made.choices)))
                made.enabled = bits.both(made.enabled, bits.negation(trouble.condition))
        self._expressions.troubles.clear()

    def _require(self, condition: Bit, made: Body) -> None:
        path = self._expressions.path.holds()
        made.enabled = bits.both(made.enabled, bits.implies(path, condition))

    def _branch(
        self, condition: Bit, then: tuple[Stmt, ...], orelse: tuple[Stmt, ...], made: Body
    ) -> None:
        if isinstance(condition, bool):
            self._run(then if condition else orelse, made)
            return
        before = made.frame
        ends = []
        for arm, way in ((then, condition), (orelse, bits.negation(condition))):
            made.frame = Frame(dict(before.variables), before.after, dict(before.locals))
            with self._expressions.path.under(way):
                self._run(arm, made)
            ends.append(made.frame)
        made.frame = self._merged(condition, *ends)

    def _merged(self, condition: Bit, then: Frame, otherwise: Frame) -> Frame:
        return Frame(
            merged(condition, then.variables, otherwise.variables),
            then.after,
            merged(condition, then.locals, otherwise.locals),
        )

    def _loop(self, loop: For, made: Body) -> None:
        binder = loop.binder
        rounds = self._expressions.elements(binder.source, made.frame)
        self._settle(made)
        for there, element in rounds:
            made.frame.locals[binder.name] = element
            with self._expressions.path.under(there):
                admitted = self._expressions.admitted(binder, element, made.frame)
                self._settle(made)
            self._branch(bits.both(there, admitted), loop.body, (), made)
        made.frame.locals.pop(binder.name, None)

    def _choose(self, stmt: Choose, made: Body) -> None:
        binder = stmt.binder
        expressions = self._expressions
        source = as_collection(expressions.value(binder.source, made.frame))
        self._settle(made)
        label = f"{self._name}.choice{len(made.choices)}"
        element, fits = self.types.fresh(binder.type, label)
        path = expressions.path.holds()
        made.fits.append(bits.implies(path, fits))
        self._require(collections.contains(source, element), made)
        self._require(expressions.admitted(binder, element, made.frame), made)
        made.choices.append(Choice(path, binder.type, element))
        made.frame.locals[binder.name] = element

    # --- Places ---

    def _store(self, stmt: Assign | Mutate, made: Body) -> None:
        """Change a place: the assigned value first, then the place, then arguments, as Python."""
        expressions, frame, place = self._expressions, made.frame, stmt.place
        new = expressions.value(stmt.value, frame) if isinstance(stmt, Assign) else None
        holders: list[tuple[Symbolic, Symbolic]] = []
        current = frame.variables[place.var]
        for step in place.steps:
            where = expressions.value(step.key if isinstance(step, Key) else step.index, frame)
            if isinstance(current, Sequence):
                assert isinstance(where, Num)
                where, inside = sequences.place(current, where)
                expressions.trap(TrapKind.INDEX, stmt, bits.negation(inside))
            holders.append((current, where))
            inner = _held(current, where)
            if inner is None:  # certainly not there: the trap has been noted
                return
            current = inner
        if isinstance(stmt, Mutate):
            args = [expressions.value(arg, frame) for arg in stmt.args]
            new = self._changed(stmt, current, args)
        assert new is not None
        for holder, where in reversed(holders):
            new = _replaced(holder, where, new)
        frame.variables[place.var] = new

    def _changed(self, stmt: Mutate, old: Symbolic, args: list[Symbolic]) -> Symbolic:
        """A collection after an in-place change."""
        match stmt.place.type:
            case SetType() | BagType() as kind if stmt.change is Change.CLEAR:
                return collections.empty(kind, self.types)
            case SeqType() if stmt.change is Change.CLEAR:
                return Sequence(numbers.known(0), ())
            case SetType(_, capacity):
                return self._changed_set(stmt, capacity, old, args[0])
            case BagType() as kind:
                return self._changed_bag(stmt, kind, old, args[0])
            case SeqType(_, capacity):
                return self._changed_sequence(stmt, capacity, old, args)
        raise AssertionError(f"not a collection that changes in place: {stmt.place.type}")

    def _changed_set(
        self, stmt: Mutate, capacity: int | None, old: Symbolic, argument: Symbolic
    ) -> Symbolic:
        if stmt.change in (Change.DISCARD, Change.REMOVE):
            self._missing(stmt, old, argument)
            return collections.removed(old, argument)
        if stmt.change is Change.ADD:
            new = collections.added(old, argument)
        else:
            new = collections.united(old, as_collection(argument))
        return self._capped(stmt, new, capacity)

    def _changed_bag(
        self, stmt: Mutate, kind: BagType, old: Symbolic, element: Symbolic
    ) -> Symbolic:
        if stmt.change in (Change.DISCARD, Change.REMOVE):
            self._missing(stmt, old, element)
            return collections.removed(old, element)
        full = numbers.less(numbers.known(kind.copies - 1), collections.count(old, element))
        self._expressions.trap(TrapKind.BOUND, stmt, full)
        new = collections.added(old, element)
        return self._capped(stmt, collections.limited(new, kind.copies), kind.capacity)

    def _missing(self, stmt: Mutate, old: Symbolic, element: Symbolic) -> None:
        if stmt.change is Change.REMOVE:
            there = collections.contains(as_collection(old), element)
            self._expressions.trap(TrapKind.MISSING, stmt, bits.negation(there))

    def _capped(self, stmt: Mutate, new: Symbolic, capacity: int | None) -> Symbolic:
        capped, fits = self._expressions.operators.capped(new, capacity, [])
        self._expressions.trap(TrapKind.BOUND, stmt, bits.negation(fits))
        return capped

    def _changed_sequence(
        self, stmt: Mutate, capacity: int, old: Symbolic, args: list[Symbolic]
    ) -> Symbolic:
        assert isinstance(old, Sequence)
        if stmt.change is Change.APPEND:
            full = numbers.no_more(numbers.known(capacity), old.length)
            self._expressions.trap(TrapKind.BOUND, stmt, full)
            longer = sequences.appended(old, args[0])
            length = numbers.narrowed(longer.length, 0, capacity)
            return Sequence(length, longer.items[:capacity])
        none = numbers.equal(old.length, numbers.known(0))
        self._expressions.trap(TrapKind.MISSING, stmt, none)
        if stmt.change is Change.POP_FIRST:
            return sequences.drop(old, numbers.known(1))
        return sequences.take(old, numbers.known(-1))


def _held(holder: Symbolic, where: Symbolic) -> Symbolic | None:
    """What is at a place; None where there can be nothing."""
    if isinstance(holder, Table):
        return looked_up(holder, where)
    assert isinstance(holder, Sequence)
    assert isinstance(where, Num)
    return sequences.at(holder, where)


def _replaced(holder: Symbolic, where: Symbolic, new: Symbolic) -> Symbolic:
    """A map or sequence with one value changed; `where` is there."""
    if isinstance(holder, Table):
        return with_value(holder, where, new)
    assert isinstance(holder, Sequence)
    assert isinstance(where, Num)
    return sequences.with_item(holder, where, new)

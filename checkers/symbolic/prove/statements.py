"""What actions of a spec without sizes do, in first-order logic.

A guard that the logic has no words for is left out, and a value that it has no words for may be
any: then more can happen than in the spec, so that what is proved holds of the spec too. What was
left out is noted (`Body.left_out`), with its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ....language.ir.nodes import (
    Apply,
    Assign,
    Bind,
    Change,
    Choose,
    Expr,
    For,
    If,
    Key,
    Mutate,
    Op,
    Require,
    Span,
    Stmt,
)
from ....language.ir.types import SetType
from .. import bits
from ..bits import Bit
from .expressions import Expressions, Frame, united
from .meanings import Meanings
from .values import MapOf, Meaning, Outside, SetOf


@dataclass(frozen=True)
class LeftOut:
    """A piece of an action that the logic has no words for, and what stands for it."""

    what: str
    instead: str
    span: Span | None


@dataclass
class Body:
    """A body that has been run: the state that it leaves, where `enabled`."""

    frame: Frame
    enabled: list[Bit] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class Statements:
    """Runs bodies. `name` makes the names of their unknowns unique."""

    def __init__(self, meanings: Meanings, name: str) -> None:
        self._meanings = meanings
        self._expressions = Expressions(meanings)
        self._name = name
        self._path: list[Bit] = []
        self._unknowns = 0

    def run(self, body: tuple[Stmt, ...], frame: Frame) -> Body:
        """Run a body from a frame, which is used up; raises `Outside`."""
        made = Body(frame)
        self._run(body, made)
        return made

    def _run(self, body: tuple[Stmt, ...], made: Body) -> None:
        for stmt in body:
            match stmt:
                case Require(condition):
                    for part in _parts(condition):
                        self._require(part, made)
                case If(condition, then, orelse):
                    self._branch(self._condition(condition, made), then, orelse, made)
                case Choose():
                    self._choose(stmt, made)
                case Bind(name, kind, value):
                    made.frame.locals[name] = self._stored(value, kind, made)
                case Assign() | Mutate():
                    self._store(stmt, made)
                case For():
                    raise Outside("a loop that changes the state step by step", stmt.span)

    def _require(self, condition: Expr, made: Body) -> None:
        try:
            bit = self._expressions.bit(condition, made.frame)
        except Outside as outside:
            made.left_out.append(LeftOut(str(outside), "the guard is left out", outside.span))
            return
        made.enabled.append(bits.implies(bits.every(self._path), bit))

    def _condition(self, condition: Expr, made: Body) -> Bit:
        try:
            return self._expressions.bit(condition, made.frame)
        except Outside as outside:
            made.left_out.append(LeftOut(str(outside), "either arm is possible", outside.span))
            return bits.fresh_bit(self._fresh("either"))

    def _fresh(self, what: str) -> str:
        self._unknowns += 1
        return f"{self._name}.{what}{self._unknowns}"

    def _stored(self, value: Expr, kind: Any, made: Body) -> Meaning:
        """A value for a place of a type; any, where the logic has no words for it."""
        try:
            return self._expressions.fitted(self._expressions.value(value, made.frame), kind)
        except Outside as outside:
            made.left_out.append(LeftOut(str(outside), "it may be any value", outside.span))
            return self._meanings.unknown(kind, self._fresh("any"))

    def _branch(
        self, condition: Bit, then: tuple[Stmt, ...], orelse: tuple[Stmt, ...], made: Body
    ) -> None:
        if isinstance(condition, bool):
            self._run(then if condition else orelse, made)
            return
        before, ends = made.frame, []
        for arm, way in ((then, condition), (orelse, bits.negation(condition))):
            made.frame = Frame(dict(before.variables), before.after, dict(before.locals))
            self._path.append(way)
            self._run(arm, made)
            self._path.pop()
            ends.append(made.frame)
        one, other = ends
        merged = self._expressions.merged
        made.frame = Frame(
            merged(condition, one.variables, other.variables),
            before.after,
            merged(condition, one.locals, other.locals),
        )

    def _choose(self, stmt: Choose, made: Body) -> None:
        binder = stmt.binder
        source = self._expressions.value(binder.source, made.frame)
        if not isinstance(source, SetOf):
            raise Outside("a choice out of what is no set", stmt.span)
        element = self._meanings.unknown(binder.type, self._fresh(binder.name))
        path = bits.every(self._path)
        made.enabled.append(bits.implies(path, self._meanings.fits(element, binder.type)))
        made.enabled.append(bits.implies(path, source.contains(element)))
        made.frame.locals[binder.name] = element
        if binder.condition is not None:
            self._require(binder.condition, made)

    # --- Places ---

    def _store(self, stmt: Assign | Mutate, made: Body) -> None:
        """Change a place."""
        place, frame = stmt.place, made.frame
        holders: list[tuple[MapOf, Meaning]] = []
        current = frame.variables[place.var]
        for step in place.steps:
            if not isinstance(step, Key) or not isinstance(current, MapOf):
                raise Outside("a sequence that changes in place", stmt.span)
            key = self._expressions.value(step.key, frame)
            holders.append((current, key))
            current = current.get(key)
        if isinstance(stmt, Assign):
            new = self._stored(stmt.value, place.type, made)
        else:
            new = self._changed(stmt, current, made)
        for holder, key in reversed(holders):
            new = self._expressions.with_value(holder, key, new)
        frame.variables[place.var] = new

    def _changed(self, stmt: Mutate, old: Meaning, made: Body) -> SetOf:
        """A set after an in-place change."""
        kind: Any = stmt.place.type
        if not isinstance(kind, SetType) or not isinstance(old, SetOf):
            raise Outside("a sequence or bag that changes in place", stmt.span)
        if stmt.change is Change.CLEAR:
            return SetOf(kind.element, lambda _: False)
        if stmt.change is Change.UNITE:
            more = self._expressions.value(stmt.args[0], made.frame)
            assert isinstance(more, SetOf)
            return united(old, more)
        item = self._stored(stmt.args[0], kind.element, made)
        if stmt.change is Change.ADD:
            return SetOf(
                kind.element,
                lambda x: bits.either(old.contains(x), self._meanings.equal(x, item)),
            )
        return SetOf(
            kind.element,
            lambda x: bits.both(old.contains(x), bits.negation(self._meanings.equal(x, item))),
        )


def _parts(condition: Expr) -> list[Expr]:
    """The conjuncts of a condition: each by itself can be left out."""
    if isinstance(condition, Apply) and condition.op is Op.AND:
        return [part for arg in condition.args for part in _parts(arg)]
    return [condition]

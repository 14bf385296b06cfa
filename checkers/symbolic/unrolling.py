"""Runs as formulas: the steps of an instance one after the other, over states numbered from 1.

What can be said about a state `x`, a step to `y` and its parameters and choices `i` is built once,
and renamed for each level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import z3

from ...language.instance import Instance
from ...language.ir.nodes import Expr, Property
from ...language.labels import Trap
from ...language.values import State
from . import bits
from .bits import Bit
from .system import Predicate, Snapshot, Step, System

_NAMES: dict[str, Callable[[int], str]] = {
    "x": lambda level: f"s{level}",
    "y": lambda level: f"s{level + 1}",
    "i": lambda level: f"i{level}",
}


class Unrolling:
    """The formulas of one instance; `at` moves them to a level.

    A step is taken from a state inside the constraint only. The unknowns of `before` and of the
    steps are constrained by nothing: `fits` of a state has to be asserted once for each level.
    """

    def __init__(self, instance: Instance) -> None:
        """Raises UsageError where the instance is too large for formulas."""
        self.system = System.of(instance)
        self.before = self.system.snapshot("x")
        self.after = self.system.snapshot("y")
        self.start = self.system.start()
        self.steps: tuple[Step, ...] = tuple(
            self.system.step(action, self.before, f"i.{action.name}")
            for action in instance.ir.actions
        )
        constraint = instance.ir.constraint
        self.constraint = (
            Predicate(True, ()) if constraint is None else self.predicate(constraint, steps=False)
        )
        self._unknowns: dict[int, tuple[z3.BoolRef, dict[str, z3.ExprRef]]] = {}

    def predicate(self, expr: Expr, *, steps: bool) -> Predicate:
        """An expression over a state `x`, or (`steps`) over the step from it to `y`."""
        return self.system.predicate(expr, self.before, self.after if steps else None)

    def judged(self, item: Property) -> Predicate:
        """The predicate of a property over `x`, or over the step from `x` to `y`."""
        return self.predicate(item.predicate, steps=item.kind.of_steps)

    @cached_property
    def transitions(self) -> tuple[Bit, ...]:
        """For each action: that it leads from `x` to `y`."""
        return tuple(
            bits.every(
                (self.constraint.holds, s.enabled, self.system.is_state(s.target, self.after))
            )
            for s in self.steps
        )

    @cached_property
    def transition(self) -> Bit:
        """That some action leads from `x` to `y`."""
        return bits.some(self.transitions)

    @cached_property
    def endings(self) -> tuple[tuple[Bit, Trap], ...]:
        """Where a step out of `x` has no next state."""
        return tuple(
            (bits.both(self.constraint.holds, condition), trap)
            for step in self.steps
            for condition, trap in step.endings
        )

    def initial(self, level: int = 1) -> Bit:
        """That the state of a level is an initial one."""
        there = self.system.is_state(self.start.target, self.state(level))
        return bits.both(self.start.enabled, there)

    def state(self, level: int) -> Snapshot:
        """The unknown state of a level."""
        return self.system.snapshot(_NAMES["x"](level))

    def differ(self, first: int, second: int) -> Bit:
        """That the states of two levels are not the same."""
        same = self.system.is_state(self.state(first).variables, self.state(second))
        return bits.negation(same)

    def at(self, bit: Bit, level: int) -> Bit:
        """Something about `x`, `y` and `i`, moved to a level and the one after it."""
        if isinstance(bit, bool):
            return bit
        pairs = []
        for name, unknown in self._unknown(bit).items():
            place, dot, rest = name.partition(".")
            if place in _NAMES:
                moved = z3.Const(_NAMES[place](level) + dot + rest, unknown.sort())
                pairs.append((unknown, moved))
        found: z3.BoolRef = z3.substitute(bit, *pairs)
        return found

    def _unknown(self, bit: z3.BoolRef) -> dict[str, z3.ExprRef]:
        number = bit.get_id()  # of this term as long as it is kept
        if number not in self._unknowns:
            self._unknowns[number] = (bit, unknowns([bit]))
        return self._unknowns[number][1]

    def read(self, level: int, model: z3.ModelRef) -> State:
        """The state of a level in a model."""
        return self.system.read_state(self.state(level).variables, model)


def unknowns(terms: Iterable[z3.ExprRef]) -> dict[str, z3.ExprRef]:
    """The unknowns of formulas, by name."""
    seen: set[int] = set()
    found: dict[str, z3.ExprRef] = {}
    todo = list(terms)
    while todo:
        term = todo.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if not z3.is_const(term):
            todo.extend(term.children())
        elif term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[term.decl().name()] = term
    return found

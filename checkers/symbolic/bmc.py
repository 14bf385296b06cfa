"""Bounded model checking: runs up to a length, as one formula that grows step by step.

A round for each level, the initial states being level 1. What the explorer finds when it expands a
level (a step that breaks a property, a value outside its bound) and in the states of the next, the
solver looks for in the same round, so that both report the same at the same depth. Where no run of
states that are all different goes on to the next level, every reachable state has been covered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import z3

from ...language.instance import Instance
from ...language.ir.nodes import Property, PropertyKind, SpecIR
from ...language.values import State
from ...traces.trace import Trace
from ..confirmation import Confirmation
from ..errors import UsageError
from ..memory import peak_memory
from ..result import CheckResult, PropertyVerdict, Query, Verdict, Violation
from . import bits
from .bits import Bit
from .queries import Answer, Clock, OutOfTime, Solver
from .system import Predicate
from .unrolling import Unrolling

ENGINE = "bmc"
SECONDS = 60.0
"""The time limit where neither a depth nor a time is given."""

_KINDS = (
    PropertyKind.ALWAYS,
    PropertyKind.STEP,
    PropertyKind.SOMETIMES,
    PropertyKind.SOMETIMES_STEP,
)
_WITNESSES = (PropertyKind.SOMETIMES, PropertyKind.SOMETIMES_STEP)


def search(
    instance: Instance,
    *,
    properties: Sequence[str] | None = None,
    named: Sequence[str] = (),
    max_depth: int | None = None,
    time_limit: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> CheckResult:
    """Look for the shortest runs that break properties, or are witnesses.

    `properties` are names (None: all), of which this engine checks what a single run can show;
    `named` are those that it may not leave out. Without `max_depth` (in levels) and `time_limit`
    (in seconds) there is a time limit of `SECONDS`.

    All that is violated at the least depth is reported, each with a shortest run that the reference
    has confirmed. Raises UsageError for properties that this engine cannot check and for types too
    large for formulas, InternalDisagreement where the reference does not confirm a run.
    """
    chosen, left = select(instance.ir, properties, named, _KINDS, ENGINE)
    if max_depth is None and time_limit is None:
        time_limit = SECONDS
    run = _Search(instance, chosen, left, max_depth, Clock(time_limit), progress)
    return run.run()


def select(
    ir: SpecIR,
    names: Sequence[str] | None,
    named: Sequence[str],
    kinds: Sequence[PropertyKind],
    engine: str,
) -> tuple[tuple[Property, ...], tuple[str, ...]]:
    """The properties of these kinds among those asked for, and the names of the others.

    Raises UsageError where one of the others is in `named`, or a name is none.
    """
    known = [p.name for p in ir.properties] + [r.name for r in ir.refinements]
    for name in names or ():
        if name not in known:
            there = ", ".join(known) or "none"
            raise UsageError(f"{ir.name} has no property {name!r} (properties: {there})")
    wanted = known if names is None else list(names)
    chosen = tuple(p for p in ir.properties if p.name in wanted and p.kind in kinds)
    here = {p.name for p in chosen}
    left = tuple(name for name in wanted if name not in here)
    for name in named:
        if name in left:
            kind = next((p.kind.value for p in ir.properties if p.name == name), "refinement")
            can = ", ".join(k.value for k in kinds)
            raise UsageError(
                f"--engine {engine} cannot check {name}, of the kind {kind}; it can: {can}"
            )
    return chosen, left


@dataclass(frozen=True)
class _Goal:
    """Something to be found in a round, at a level: in a state, on a step, or out of a state.

    `item` is None for the constraint and for steps without a next state; `valueless` says that it
    is about the property not having a value.
    """

    item: Property | None
    valueless: bool
    level: int
    literal: z3.BoolRef
    shown: Bit
    length: int
    """Of the run to it, in states."""


class _Search:
    def __init__(
        self,
        instance: Instance,
        properties: tuple[Property, ...],
        left: tuple[str, ...],
        max_depth: int | None,
        clock: Clock,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.instance = instance
        self.properties = properties
        self.left = left
        self.max_depth = max_depth
        self.clock = clock
        self.progress = progress
        self.queries: list[Query] = []
        self.solver = Solver(clock, self.queries)
        self.confirmed = Confirmation(instance, ENGINE, properties)
        self.depth = 0  # levels whose states have all been looked at
        self.violations: list[Violation] = []
        self.found: dict[str, PropertyVerdict] = {}
        self.lengths: dict[str, int] = {}
        self.trapped = False
        self.covered = False

    def run(self) -> CheckResult:
        """Search until something is found, all is covered, or a limit is reached."""
        try:
            reason = self._rounds()
        except OutOfTime:
            reason = f"the limit of {self.clock.seconds:g} seconds was reached"
        except KeyboardInterrupt:
            reason = "interrupted"
        return self._result(reason)

    # -- the search --------------------------------------------------------------------------------

    def _rounds(self) -> str:
        """Level by level. Why the search ended before all was covered, or nothing."""
        self._say("encoding")
        self.formulas = Unrolling(self.instance)
        self.judged = [(item, self.formulas.judged(item)) for item in self.properties]
        self._begin()
        while not (self.violations or self.covered):
            if self.depth == self.max_depth:
                return f"the limit of depth {self.max_depth} was reached"
            self._say(f"runs of {self.depth + 1} states")
            self._round()
        return ""

    def _begin(self) -> None:
        """The initial states, and the properties of states in them."""
        formulas = self.formulas
        self.solver.add(formulas.initial())
        self.solver.add(formulas.state(1).fits)
        for condition, trap in formulas.start.endings:
            alone = Solver(self.clock, self.queries)
            alone.add(condition)
            if self._sure(alone.ask(f"the start: {trap.message}"), alone):
                message = f"an initial state has no value: {trap.message}"
                self.violations.append(Violation("bounds", "bounds", None, message))
                self.trapped = True
                break
        if self._goes_on("an initial state", ()):
            self._look(list(self._goals_of_states(1, ())))
            self.depth = 1
        else:
            self.covered = True

    def _round(self) -> None:
        """From one level to the next."""
        formulas, level = self.formulas, self.depth
        steps, moves = z3.Bool(f"steps{level}"), z3.Bool(f"moves{level}")
        arrives = bits.both(formulas.at(formulas.transition, level), formulas.state(level + 1).fits)
        self.solver.add(bits.implies(steps, arrives))
        self.solver.add(bits.implies(moves, steps))
        self.solver.add(bits.implies(moves, self.formulas.differ(level + 1, level)))
        goals = [
            *self._goals_of_steps(level, steps),
            *self._goals_of_states(level + 1, (moves,)),
        ]
        self._look(goals)
        if self.violations:
            self.depth += 1
            return
        self.solver.add(moves)
        if self._goes_on(f"a run of {level + 1} states", (moves,)):
            self.depth += 1
        else:
            self.covered = True

    def _goes_on(self, what: str, assumptions: tuple[z3.BoolRef, ...]) -> bool:
        """Whether there is a run of states, all different, as far as asserted.

        That two are different is asserted where a run had them the same.
        """
        while self._sure(self.solver.ask(what, *assumptions), self.solver):
            model = self.solver.model()
            states: dict[State, int] = {}
            last = self.depth + 1
            again = False
            for level in range(1, last + 1):
                before = states.setdefault(self.formulas.read(level, model), level)
                if before != level:
                    self.solver.add(self.formulas.differ(level, before))
                    again = True
            if not again:
                return True
        return False

    def _sure(self, answer: Answer, solver: Solver) -> bool:
        if answer is Answer.UNKNOWN:
            raise RuntimeError(f"the solver gave up: {solver.why_unknown()}")
        return answer is Answer.SAT

    # -- goals -------------------------------------------------------------------------------------

    def _goals_of_states(self, level: int, given: tuple[z3.BoolRef, ...]) -> Iterator[_Goal]:
        """What may be wrong, or shown, in a state of a level that is reached as `given`."""
        wanted = [(item, p) for item, p in self.judged if not item.kind.of_steps]
        constraint = (None, self.formulas.constraint)
        for item, predicate in (*wanted, constraint):
            traps = bits.some(condition for condition, _ in predicate.traps)
            if item is not None:
                yield from self._goal(
                    item, False, level, self._shown(item, predicate), given, level
                )
            yield from self._goal(item, True, level, traps, given, level)

    def _goals_of_steps(self, level: int, steps: z3.BoolRef) -> Iterator[_Goal]:
        """What may be wrong with a step out of a level, or shown by one."""
        failing = bits.some(condition for condition, _ in self.formulas.endings)
        yield from self._goal(None, False, level, failing, (), level)
        for item, predicate in self.judged:
            if item.kind.of_steps:
                traps = bits.some(condition for condition, _ in predicate.traps)
                shown = self._shown(item, predicate)
                yield from self._goal(item, False, level, shown, (steps,), level + 1)
                yield from self._goal(item, True, level, traps, (steps,), level + 1)

    def _shown(self, item: Property, predicate: Predicate) -> Bit:
        holds, traps = predicate.holds, predicate.traps
        wanted = holds if item.kind in _WITNESSES else bits.negation(holds)
        return bits.every((wanted, *(bits.negation(condition) for condition, _ in traps)))

    def _goal(
        self,
        item: Property | None,
        valueless: bool,
        level: int,
        bit: Bit,
        given: tuple[z3.BoolRef, ...],
        length: int,
    ) -> Iterator[_Goal]:
        if item is not None and item.name in self.lengths and not valueless:
            return
        moved = self.formulas.at(bit, level)
        if moved is False:
            return
        name = f"{item.name if item else 'bounds'}{'?' if valueless else ''}@{level}.{length}"
        literal = z3.Bool(f"goal.{name}")
        self.solver.add(bits.implies(literal, bits.every((moved, *given))))
        yield _Goal(item, valueless, level, literal, moved, length)

    def _look(self, goals: Sequence[_Goal]) -> None:
        """Find what there is of the goals of a round."""
        bad = [g for g in goals if not self._is_witness(g)]
        good = [g for g in goals if self._is_witness(g)]
        for goal in self._reached(bad, "a violation"):
            self._violated(goal)
        for goal in self._reached(good, "a witness"):
            assert goal.item is not None
            self.found[goal.item.name] = PropertyVerdict.REACHED
            self.lengths[goal.item.name] = goal.length
            self._trace(goal)
        for goal in good:
            self.solver.add(z3.Not(goal.literal))
        for goal in bad if not self.violations else ():
            # What cannot be wrong here helps to show that nothing is wrong later. It is so of the
            # runs that go on, whose steps and states are asserted next.
            self.solver.add(bits.negation(goal.shown))

    def _is_witness(self, goal: _Goal) -> bool:
        return goal.item is not None and goal.item.kind in _WITNESSES and not goal.valueless

    def _reached(self, goals: Sequence[_Goal], what: str) -> Iterator[_Goal]:
        """Those of the goals that are reached; while one is looked at, the model shows it."""
        left = list(goals)
        length = max((goal.length for goal in goals), default=0)
        while left:
            some = z3.Bool(f"some.{what}.{length}.{len(left)}")
            self.solver.add(bits.implies(some, bits.some(goal.literal for goal in left)))
            asked = self.solver.ask(f"{what} in {length} states", some)
            if not self._sure(asked, self.solver):
                return
            model = self.solver.model()
            shown = [g for g in left if z3.is_true(model.eval(g.literal, model_completion=True))]
            for goal in shown:
                left.remove(goal)
                yield goal

    # -- what was found ----------------------------------------------------------------------------

    def _states(self, length: int) -> list[State]:
        model = self.solver.model()
        return [self.formulas.read(level, model) for level in range(1, length + 1)]

    def _trace(self, goal: _Goal) -> Trace:
        """The run to a goal that the last model has, confirmed by the reference."""
        assert goal.item is not None
        run = self.confirmed.run(self._states(goal.length))
        holds = goal.item.kind in _WITNESSES
        if goal.item.kind.of_steps:
            return self.confirmed.step(run, goal.item, holds=holds)
        return self.confirmed.state(run, goal.item, holds=holds)

    def _violated(self, goal: _Goal) -> None:
        if goal.item is not None and not goal.valueless:
            trace = self._trace(goal)
            self.found[goal.item.name] = PropertyVerdict.VIOLATED
            self.violations.append(
                Violation(goal.item.name, goal.item.kind.value, trace, trace.claim)
            )
            return
        if any(violation.property == "bounds" for violation in self.violations):
            return
        self.trapped = True
        run = self.confirmed.run(self._states(goal.level))
        if goal.item is None and not goal.valueless:
            trace, trap = self.confirmed.trap(run)
            message = trap.message
        else:
            trace, trap, name = self.confirmed.property_trap(run)
            message = f"{name} cannot be evaluated: {trap.message}"
        self.violations.append(Violation("bounds", "bounds", trace, message))

    # -- the answer --------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(f"{text}, {self.clock.passed:.0f} s")

    def _result(self, reason: str) -> CheckResult:
        self._decide()
        verdict, why = self._verdict(reason)
        return CheckResult(
            engine=ENGINE,
            verdict=verdict,
            reason=why,
            distinct_states=None,
            generated_states=None,
            depth=self.depth,
            seconds=self.clock.passed,
            peak_memory_bytes=peak_memory(),
            engine_bytes=0,
            properties={p.name: self.found[p.name] for p in self.properties},
            violations=tuple(self.violations),
            coverage={},
            not_checked=self._not_checked(),
            witnesses=self.lengths,
            covered=f"no run of different states is longer than {self.depth}: all are covered",
            queries=tuple(self.queries),
        )

    def _decide(self) -> None:
        """Verdicts of the properties that were not found broken, or shown."""
        for item in self.properties:
            if item.name in self.found:
                continue
            verdict = PropertyVerdict.INCONCLUSIVE
            if self.covered and item.kind not in _WITNESSES:
                verdict = PropertyVerdict.HOLDS
            elif self.trapped:
                pass  # what a state would have been, nobody can say
            elif self.covered and self.instance.ir.constraint is None:
                verdict = PropertyVerdict.UNREACHED
                where = "step" if item.kind.of_steps else "state"
                message = f"no reachable {where} is a witness of {item.name}"
                self.violations.append(Violation(item.name, "sometimes", None, message))
            self.found[item.name] = verdict

    def _verdict(self, reason: str) -> tuple[Verdict, str]:
        if self.trapped:
            bounds = [v.message for v in self.violations if v.kind == "bounds"]
            return Verdict.ERROR, "; ".join(bounds)
        if self.violations:
            return Verdict.VIOLATED, reason
        if not self.covered:
            return Verdict.INCONCLUSIVE, f"{reason}: no counterexample of up to {self.depth} states"
        open_ = [n for n, v in self.found.items() if v is PropertyVerdict.INCONCLUSIVE]
        if open_:
            cut = "states outside the constraint were not expanded"
            return Verdict.INCONCLUSIVE, "; ".join(f"{name}: {cut}" for name in open_)
        return Verdict.HOLDS, ""

    def _not_checked(self) -> tuple[str, ...]:
        notes = []
        if self.left:
            notes.append(f"what one run cannot show: {', '.join(self.left)}")
        ir = self.instance.ir
        here = {*self.left, *(p.name for p in self.properties)}
        known = [p.name for p in ir.properties] + [r.name for r in ir.refinements]
        other = [name for name in known if name not in here]
        if other:
            notes.append(f"properties not asked for: {', '.join(other)}")
        notes.append("deadlock")
        if ir.constraint is not None:
            notes.append("what follows states outside the constraint")
        notes.append("liveness: that something happens in the end")
        return tuple(notes)

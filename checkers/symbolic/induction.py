"""Induction: is a property true at the start, and kept by every step out of whatever state has it?

The state before the step is any value of the variables' types in which all conjuncts hold, so what
is proved needs no search. Where an action breaks a conjunct, the step that shows it (a
counterexample to induction) starts in a state that need not be reachable: the explorer is asked.
With k above 1 (k-induction), the step ends a run of k different states in which all conjuncts hold,
and the first k levels are searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import eq

import z3

from ...language.instance import Instance
from ...language.ir.nodes import Property, PropertyKind
from ...language.labels import Trap, Trapped
from ...language.values import State
from ..confirmation import Confirmation, Run
from ..errors import UsageError
from ..memory import peak_memory
from ..result import CheckResult, Obligation, PropertyVerdict, Query, Verdict, Violation
from . import bits, bmc
from .bits import Bit
from .conjuncts import Conjunct, conjuncts
from .queries import Answer, Clock, OutOfTime, Solver
from .unrolling import Unrolling

ENGINE = "induction"
SECONDS = 300.0
"""The time limit where none is given."""

REACH_STATES = 2_000_000
REACH_SECONDS = 30.0
"""What the explorer may spend to find out whether a state is reachable."""


def prove(
    instance: Instance,
    *,
    properties: Sequence[str] | None = None,
    named: Sequence[str] = (),
    k: int = 1,
    time_limit: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> CheckResult:
    """Prove that invariants of an instance are kept, together, by every action.

    `properties` are names (None: all), of which this engine takes the invariants; `named` are those
    that it may not leave out. The verdict is `holds` where all conjuncts are proved, `violated`
    where a run breaks one (at the start, or out of a reachable state), else inconclusive.

    Raises UsageError for properties that are no invariants and for types too large for formulas,
    InternalDisagreement where the reference does not confirm a step.
    """
    kinds = (PropertyKind.ALWAYS,)
    chosen, left = bmc.select(instance.ir, properties, named, kinds, ENGINE)
    if not chosen:
        raise UsageError(f"{instance.name}: there is no invariant to prove among what is checked")
    clock = Clock(time_limit or SECONDS)
    return _Proof(instance, chosen, left, k, clock, progress).run()


@dataclass(frozen=True)
class _Broken:
    """A conjunct that an action does not keep, with a run that shows it (k + 1 states)."""

    conjunct: Conjunct
    action: str
    run: Run


class _Proof:
    def __init__(
        self,
        instance: Instance,
        properties: tuple[Property, ...],
        left: tuple[str, ...],
        k: int,
        clock: Clock,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.instance = instance
        self.properties = properties
        self.left = left
        self.k = k
        self.clock = clock
        self.progress = progress
        self.parts = tuple(part for item in properties for part in conjuncts(item))
        self.queries: list[Query] = []
        self.obligations: list[Obligation] = []
        self.confirmed = Confirmation(instance, ENGINE, properties)
        self.violations: list[Violation] = []
        self.broken: dict[str, _Broken] = {}  # property -> the first of its conjuncts to fail
        self.unproved: list[Violation] = []
        self.trapped = False
        self.open_bounds: list[str] = []  # actions that may leave a bound out of states allowed

    def run(self) -> CheckResult:
        """Base, then steps, then what the steps that fail come to."""
        try:
            reason = self._base()
            if not (self.violations or reason):
                self._steps()
                self._judge()
        except OutOfTime:
            reason = f"the limit of {self.clock.seconds:g} seconds was reached"
        except KeyboardInterrupt:
            reason = "interrupted"
        return self._result(reason)

    # -- obligations -------------------------------------------------------------------------------

    def _base(self) -> str:
        """The first k levels. Why it was not decided, or nothing."""
        self._say("the start")
        self.formulas = formulas = Unrolling(self.instance)
        self.conditions = [self._condition(part) for part in self.parts]
        solver = Solver(self.clock, self.queries)
        solver.add(formulas.initial())
        solver.add(formulas.state(1).fits)
        for number, part in enumerate(self.parts):
            broken = z3.Bool(f"broken{number}")
            fails = bits.negation(formulas.at(self.conditions[number], 1))
            solver.add(bits.implies(broken, fails))
            self._settle(solver, "", part, solver.ask(f"the start: {part.text}", broken))
        names = [item.name for item in self.properties]
        found = bmc.search(
            self.instance, properties=names, max_depth=self.k, time_limit=self.clock.left()
        )
        self.queries += found.queries
        self.violations += found.violations
        self.trapped = found.verdict is Verdict.ERROR
        whole = found.verdict is Verdict.HOLDS or found.depth == self.k
        return "" if whole or found.violations else found.reason

    def _condition(self, part: Conjunct) -> Bit:
        """That a conjunct holds in `x`, and has a value."""
        predicate = self.formulas.predicate(part.expr, steps=False)
        return bits.every(
            (predicate.holds, *(bits.negation(condition) for condition, _ in predicate.traps))
        )

    def _steps(self) -> None:
        """Each action and each conjunct: can the one break the other?"""
        formulas, last = self.formulas, self.k + 1
        self.solver = solver = Solver(self.clock, self.queries)
        for level in range(1, last + 1):
            solver.add(formulas.state(level).fits)
        for level in range(1, last):
            for condition in self.conditions:
                solver.add(formulas.at(condition, level))
        for level in range(1, self.k):
            solver.add(formulas.at(formulas.transition, level))
            for other in range(1, level + 1):
                solver.add(formulas.differ(level + 1, other))
        broken = self._broken_literals(solver, last)
        for number, (action, taken) in enumerate(
            zip(self.instance.ir.actions, formulas.transitions, strict=True)
        ):
            self._say(action.name)
            takes = z3.Bool(f"takes{number}")
            solver.add(bits.implies(takes, formulas.at(taken, self.k)))
            for part, fails in zip(self.parts, broken, strict=True):
                answer = solver.ask(f"{action.name}: {part.text}", takes, fails)
                failed = self._settle(solver, action.name, part, answer)
                if failed and part.item.name not in self.broken:
                    run = self._least(takes, fails, part)
                    self.broken[part.item.name] = _Broken(part, action.name, run)
        self._bounds(solver)

    def _broken_literals(self, solver: Solver, level: int) -> list[z3.BoolRef]:
        """A literal for each conjunct: that it fails at a level."""
        literals = []
        for number, condition in enumerate(self.conditions):
            literals.append(z3.Bool(f"fails{number}"))
            fails = bits.negation(self.formulas.at(condition, level))
            solver.add(bits.implies(literals[-1], fails))
        return literals

    def _bounds(self, solver: Solver) -> None:
        """Whether the conjuncts keep every step inside the bounds of types."""
        for number, step in enumerate(self.formulas.steps):
            failing = bits.both(
                self.formulas.constraint.holds,
                bits.some(condition for condition, _ in step.endings),
            )
            assert step.action is not None
            if failing is False:
                continue
            literal = z3.Bool(f"ends{number}")
            solver.add(bits.implies(literal, self.formulas.at(failing, self.k)))
            name = step.action.name
            if solver.ask(f"{name}: a value outside its bound", literal) is not Answer.UNSAT:
                self.open_bounds.append(name)

    def _settle(self, solver: Solver, action: str, part: Conjunct, answer: Answer) -> bool:
        """Note an obligation; whether it failed."""
        told = {Answer.UNSAT: "proved", Answer.SAT: "failed", Answer.UNKNOWN: "unknown"}[answer]
        name = part.item.name
        self.obligations.append(Obligation(name, part.text, part.place, action, told))
        return answer is Answer.SAT

    # -- counterexamples to induction --------------------------------------------------------------

    def _least(self, takes: z3.BoolRef, fails: z3.BoolRef, part: Conjunct) -> Run:
        """A run that shows it, out of a state as near to an initial one as could be found.

        Greedily, value by value: what can be as it is at the start is.
        """
        formulas, solver = self.formulas, self.solver
        model = solver.model()
        kept: list[z3.BoolRef] = []
        for number, likeness in enumerate(self._likenesses()):
            alike = z3.Bool(f"alike{number}.{len(self.queries)}")
            solver.add(bits.implies(alike, likeness))
            if z3.is_true(model.eval(bits.term(likeness), model_completion=True)):
                kept.append(alike)
                continue
            if solver.ask(f"a simpler step: {part.text}", takes, fails, *kept, alike) is Answer.SAT:
                model = solver.model()
                kept.append(alike)
        states = [formulas.read(level, model) for level in range(1, self.k + 2)]
        return self._confirmed_run(states, part)

    def _likenesses(self) -> list[Bit]:
        """What makes the first state equal to an initial one, part by part."""
        starts = [s for s in self.confirmed.evaluator.initial_states() if not isinstance(s, Trap)]
        if not starts:
            return []
        system, first = self.formulas.system, self.formulas.state(1)
        same = system.is_state(system.known(starts[0]).variables, first)
        return [] if isinstance(same, bool) else list(_parts(same))

    def _confirmed_run(self, states: Sequence[State], part: Conjunct) -> Run:
        """The run through these states, as the reference takes it; the first is any state."""
        confirmed = self.confirmed
        run = Run((states[0],))
        for state in states[1:]:
            for item in self.properties:
                if not confirmed.holds(item.name, run.last):
                    raise confirmed.disagreement(f"{item.name} is True in a state", run.last)
            run = run.then(*confirmed.step_to(run.last, partial(eq, state)))
        if self._kept(part.item.name, run.last):
            raise confirmed.disagreement(f"{part.item.name} is False in a state", run.last)
        return run

    def _kept(self, name: str, state: State) -> bool:
        try:
            return self.confirmed.reference.holds(name, state)
        except Trapped:
            return False

    def _judge(self) -> None:
        """Which of the steps that break something come out of reachable states."""
        if not self.broken:
            return
        from ..explorer.reached import reached

        self._say("asking the explorer")
        left = self.clock.left()
        seconds = REACH_SECONDS if left is None else min(left, REACH_SECONDS)
        firsts = [found.run.states[0] for found in self.broken.values()]
        answers = reached(self.instance, firsts, max_states=REACH_STATES, time_limit=seconds)
        for (name, found), answer in zip(self.broken.items(), answers, strict=True):
            if answer.run is not None:
                self._really(name, found, answer.run)
                continue
            where = "no reachable state" if answer.unreachable else "not known to be reachable"
            what = f"{found.action} breaks {found.conjunct.text} ({found.conjunct.place})"
            trace = self.confirmed.trace(found.run, name, "inductive")
            note = f"{what}; the first state is {where} of this instance"
            if not answer.unreachable:
                note = f"{what}; whether the first state is reachable is not known"
            trace = replace(trace, meta=replace(trace.meta, note=note))
            self.unproved.append(Violation(name, "inductive", trace, note))

    def _really(self, name: str, found: _Broken, run: Run) -> None:
        """A step that breaks a property, out of a state that a run leads to."""
        for label, state in zip(found.run.labels, found.run.states[1:], strict=True):
            run = run.then(label, state)
        item = next(item for item in self.properties if item.name == name)
        trace = self.confirmed.state(run, item, holds=False)
        self.violations.append(Violation(name, item.kind.value, trace, trace.claim))

    # -- the answer --------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(f"{text}, {self.clock.passed:.0f} s")

    def _result(self, reason: str) -> CheckResult:
        failed = [one for one in self.obligations if one.answer != "proved"]
        verdict = Verdict.INCONCLUSIVE
        if self.trapped:
            verdict = Verdict.ERROR
            reason = "; ".join(v.message for v in self.violations if v.kind == "bounds")
        elif self.violations:
            verdict, reason = Verdict.VIOLATED, ""
        elif not reason and not failed:
            verdict = Verdict.HOLDS
        elif not reason:
            reason = self._why_not(failed)
        several = "" if self.k == 1 else f", {self.k} steps at a time"
        parts, actions = len(self.parts), len(self.instance.ir.actions)
        return CheckResult(
            engine=ENGINE,
            verdict=verdict,
            reason=reason,
            distinct_states=None,
            generated_states=None,
            depth=self.k,
            seconds=self.clock.passed,
            peak_memory_bytes=peak_memory(),
            engine_bytes=0,
            properties=self._properties(verdict),
            violations=tuple(self.violations),
            coverage={},
            not_checked=self._not_checked(verdict),
            covered=f"{parts} conjuncts, true at the start and kept by {actions} actions{several}",
            queries=tuple(self.queries),
            obligations=tuple(self.obligations),
            unproved=tuple(self.unproved),
        )

    def _why_not(self, failed: Sequence[Obligation]) -> str:
        """What keeps the conjuncts from being proved, where it is no run."""
        broken = [one for one in failed if one.answer == "failed"]
        names = ", ".join(dict.fromkeys(one.property for one in broken or failed))
        if not broken:
            return f"the solver gave no answer about {names}"
        return f"not inductive: {names}" if self.k == 1 else f"not {self.k}-inductive: {names}"

    def _properties(self, verdict: Verdict) -> dict[str, PropertyVerdict]:
        """Together or not at all: each conjunct was proved from all of them."""
        broken = {violation.property for violation in self.violations}
        usual = PropertyVerdict.HOLDS if verdict is Verdict.HOLDS else PropertyVerdict.INCONCLUSIVE
        return {
            item.name: PropertyVerdict.VIOLATED if item.name in broken else usual
            for item in self.properties
        }

    def _not_checked(self, verdict: Verdict) -> tuple[str, ...]:
        notes = []
        if self.left:
            notes.append(f"what is no invariant: {', '.join(self.left)}")
        ir = self.instance.ir
        known = [p.name for p in ir.properties] + [r.name for r in ir.refinements]
        here = {*self.left, *(p.name for p in self.properties)}
        other = [name for name in known if name not in here]
        if other:
            notes.append(f"properties not asked for: {', '.join(other)}")
        if self.open_bounds:
            names = ", ".join(self.open_bounds)
            notes.append(
                f"that all values stay in their bounds (the conjuncts allow {names} not to)"
            )
        notes.append("deadlock")
        notes.append("liveness: that something happens in the end")
        return tuple(notes)


def _parts(bit: z3.BoolRef) -> Iterator[z3.BoolRef]:
    """What a conjunction joins."""
    if z3.is_and(bit):
        for child in bit.children():
            yield from _parts(child)
    else:
        yield bit

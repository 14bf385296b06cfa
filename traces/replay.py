"""Replay: a trace run again, on its spec and then, step by step, on an implementation.

After every step the implementation's state, projected to the spec's variables, must agree with the
spec's. The ways a replay can end are kept apart (`Outcome`); each names the step at which it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed

from ..language.ir.nodes import SpecIR
from ..language.labels import Label, Transition, Trap
from ..language.semantics import Semantics
from ..language.values import State, Universe, Value
from .adapter import IGNORE, Adapter, Control, Named
from .compare import Difference, state_differences, unified
from .run import Run, Stopped
from .show import step_text
from .shows import Shown, shows, variables_read
from .trace import Outcome, Trace, TraceError
from .why_not import WhyNot, why_not

SPEC = "spec"
IMPLEMENTATION = "implementation"
ANYWHERE = "inductive"
"""The kind of property whose traces start in a state that need not be reachable."""

Judge = Callable[[Named], bool | None]
"""Whether an implementation's last state, as projected with its sentinels, shows what the trace
claims; None where that cannot be told."""


@dataclass(frozen=True)
class ReplayResult:
    """How a replay ended.

    `step` is the index of the state that was reached or aimed at (0: the initial state), `label`
    the step that leads there, `on` which side ended it: `spec` or `implementation`. `steps` were
    taken by both sides in agreement. `expected` is what the trace's header expects.
    """

    outcome: Outcome
    on: str
    step: int
    label: Label | None
    reason: str
    expected: Outcome
    steps: int
    differences: tuple[Difference, ...] = ()
    why_not: WhyNot | None = None
    control: Control | None = None
    notes: tuple[str, ...] = ()

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the one the trace expects."""
        return self.outcome is self.expected

    @property
    def diff(self) -> tuple[str, ...]:
        """Unified diff of the fields, `-` the trace or spec, `+` the other side."""
        left = SPEC if self.on == IMPLEMENTATION else "trace"
        return unified(self.differences, left, self.on)

    def lines(self) -> tuple[str, ...]:
        """The result as text."""
        place = f"at step {self.step}" + (f", {step_text(self.label)}" if self.label else "")
        told = [f"{self.outcome.value.replace('_', ' ')} on the {self.on} {place}: {self.reason}"]
        told += self.diff
        if self.why_not is not None:
            told += self.why_not.lines()
        return (*told, *self.notes)


def replay(
    trace: Trace,
    semantics: Semantics,
    adapter: Adapter | None = None,
    *,
    ir: SpecIR,
    universe: Universe,
    flaws: tuple[str, ...] | None = None,
    step_limit: float = 10.0,
    judge: Judge | None = None,
) -> ReplayResult:
    """Replay a trace on its spec and, with an adapter, on an implementation.

    `semantics`, `ir` and `universe` are those of the trace's instance. The implementation gets the
    trace's flaws, or `flaws`. `step_limit` is in seconds, for each call of the adapter. `judge`
    replaces the spec's judgement of the implementation's last state. Raises TraceError where the
    trace does not belong to the spec.
    """
    trace.validate()
    if trace.variables != tuple(variable.name for variable in ir.variables):
        raise TraceError(f"the trace's variables are not those of {ir.name}")
    ended = _Spec(trace, semantics, ir, universe).replay()
    if ended.outcome is not Outcome.REPRODUCED or adapter is None:
        return ended
    if trace.meta.property_kind == ANYWHERE:
        reason = "an implementation cannot be put into the first state, which need not be reachable"
        told = changed(ended, on=IMPLEMENTATION, step=0, label=None, reason=reason)
        return changed(told, outcome=Outcome.INCONCLUSIVE)
    return follow(trace, adapter, ir=ir, flaws=flaws, step_limit=step_limit, judge=judge)


def follow(
    trace: Trace,
    adapter: Adapter,
    *,
    ir: SpecIR,
    flaws: tuple[str, ...] | None = None,
    step_limit: float = 10.0,
    judge: Judge | None = None,
) -> ReplayResult:
    """Replay on an implementation only: for a trace that is known to be one of the spec."""
    chosen = trace.meta.flaws if flaws is None else flaws
    return _Implementation(trace, ir, adapter, judge, step_limit).replay(chosen)


# -- on the spec ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Spec:
    trace: Trace
    semantics: Semantics
    ir: SpecIR
    universe: Universe

    def replay(self) -> ReplayResult:
        states = self.trace.states
        if self.trace.meta.property_kind != ANYWHERE:
            initial = list(self.semantics.initial_states())
            if states[0] not in initial:
                return self._not_initial(initial)
        for index, label in enumerate(self.trace.labels, start=1):
            taken = self.semantics.taken(states[index - 1], label)
            if Transition(label, states[index]) not in taken:
                return self._diverged(index, label, taken)
        shown = shows(self.trace, self.semantics, self.ir, self.universe)
        return self._ended(_outcome(shown), len(self.trace.labels), shown.reason)

    def _ended(self, outcome: Outcome, step: int, reason: str) -> ReplayResult:
        label = self.trace.labels[step - 1] if step else None
        expected = self.trace.meta.outcome
        return ReplayResult(outcome, SPEC, step, label, reason, expected, steps=step)

    def _not_initial(self, initial: list[State | Trap]) -> ReplayResult:
        several = "an initial state" if len(initial) != 1 else "the initial state"
        found = self._nearest(0, [one for one in initial if not isinstance(one, Trap)])
        return ReplayResult(
            Outcome.DIVERGED_ON_SPEC,
            SPEC,
            0,
            None,
            f"the trace's first state is not {several} of {self.ir.name}",
            self.trace.meta.outcome,
            steps=0,
            differences=found,
        )

    def _diverged(self, index: int, label: Label, taken: Sequence[Transition]) -> ReplayResult:
        same = [one.target for one in taken if one.label == label]
        traps = [one for one in same if isinstance(one, Trap)]
        found: tuple[Difference, ...] = ()
        reasons: WhyNot | None = None
        if traps:
            reason = f"the step fails: {traps[0].message}"
        elif same:
            reason = "the step is possible but leads to another state"
            found = self._nearest(index, [one for one in same if not isinstance(one, Trap)])
        else:
            reason = "the step is not possible here"
            reasons = why_not(label, self.trace, index - 1, self.semantics, self.ir, self.universe)
        return ReplayResult(
            Outcome.DIVERGED_ON_SPEC,
            SPEC,
            index,
            label,
            reason,
            self.trace.meta.outcome,
            steps=index - 1,
            differences=found,
            why_not=reasons,
        )

    def _nearest(self, index: int, candidates: list[State]) -> tuple[Difference, ...]:
        """The differences from the candidate that has the fewest."""
        ours = self.trace.named(index)
        names = self.trace.variables
        every = [state_differences(ours, dict(zip(names, one, strict=True))) for one in candidates]
        return min(every, key=len, default=())


def _outcome(shown: Shown) -> Outcome:
    match shown.answer:
        case True:
            return Outcome.REPRODUCED
        case False:
            return Outcome.NOT_REPRODUCED
        case None:
            return Outcome.INCONCLUSIVE


# -- on the implementation ------------------------------------------------------------------------

_OF_WHAT_FOLLOWS = ("always_possible", "deadlock")
"""Kinds of property that equal states do not settle between a flawed design and correct code."""


@dataclass(frozen=True)
class _Implementation:
    trace: Trace
    ir: SpecIR
    adapter: Adapter
    judge: Judge | None
    limit: float

    def replay(self, flaws: tuple[str, ...]) -> ReplayResult:
        run = Run(self.adapter, self.limit)
        try:
            result = self._steps(run, flaws)
        finally:
            problem = run.close()
        if not problem:
            return result
        return _with_notes(result, (problem,))

    def _steps(self, run: Run, flaws: tuple[str, ...]) -> ReplayResult:
        trace = self.trace
        shown: Named = {}
        for index in range(len(trace.states)):
            try:
                if index == 0:
                    run.start(trace.meta.parameters, flaws)
                    run.begin(trace.named(0))
                else:
                    before, after = trace.named(index - 1), trace.named(index)
                    run.apply(trace.labels[index - 1], before, after)
                shown = run.project(trace.variables)
                effects = run.effects() if index else ()
            except Stopped as stopped:
                return self._ended(stopped.outcome, index, stopped.reason)
            found = state_differences(trace.named(index), shown)
            if effects:
                reason = f"beyond the spec's step it did: {', '.join(effects)}"
                return self._ended(Outcome.UNEXPECTED_EFFECT, index, reason, found)
            if found:
                fields = ", ".join(one.field for one in found)
                reason = f"the states differ in {fields}"
                return self._ended(Outcome.STATE_MISMATCH, index, reason, found)
        return self._judged(run, shown, flaws)

    def _judged(self, run: Run, shown: Named, flaws: tuple[str, ...]) -> ReplayResult:
        """All steps agree: does the implementation show what the trace claims?"""
        last, about = len(self.trace.states) - 1, self.trace.meta
        if about.trap is not None:
            reason = (
                f"all steps agree; the next, {step_text(about.trap.label)}, has no next state in "
                f"the spec ({about.trap.trap.message}), so there is nothing to compare with"
            )
            return self._agreed(Outcome.INCONCLUSIVE, last, reason)
        if not about.property:
            return self._agreed(Outcome.REPRODUCED, last, "all steps agree")
        try:
            told = run.violates(about.property)
        except Stopped as stopped:
            return self._agreed(stopped.outcome, last, stopped.reason)
        if told is None and self.judge is not None:
            told = self.judge(shown)
        if told is not None:
            return self._told(told, last)
        if about.property_kind in _OF_WHAT_FOLLOWS and set(flaws) != set(about.flaws):
            reason = (
                f"all steps agree, but {about.property} is about the steps that can follow, and "
                "those are others with other flaws"
            )
            return self._agreed(Outcome.INCONCLUSIVE, last, reason)
        return self._equal(shown, last)

    def _told(self, told: bool, last: int) -> ReplayResult:
        claim = f"what the trace claims of {self.trace.meta.property}"
        if told:
            reason = f"all steps agree, and the implementation shows {claim}"
            return self._agreed(Outcome.REPRODUCED, last, reason)
        reason = f"all steps agree, but the implementation does not show {claim}"
        return self._agreed(Outcome.NOT_REPRODUCED, last, reason)

    def _equal(self, shown: Named, last: int) -> ReplayResult:
        """The states are equal where they can be seen; is what the property reads among that?"""
        name = self.trace.meta.property
        read = variables_read(name, self.ir) or frozenset(self.trace.variables)
        unseen = sorted(one for one in read if not _seen(shown.get(one, IGNORE)))
        hidden = ", ".join(unseen)
        if len(unseen) == len(read):
            reason = f"all steps agree, but the adapter shows nothing that {name} reads: {hidden}"
            return self._agreed(Outcome.INCONCLUSIVE, last, reason)
        reason = f"all steps agree, and {name} is judged in the last state as on the spec"
        result = self._agreed(Outcome.REPRODUCED, last, reason)
        if not unseen:
            return result
        return _with_notes(result, (f"{name} also reads what the adapter does not show: {hidden}",))

    def _agreed(self, outcome: Outcome, last: int, reason: str) -> ReplayResult:
        return changed(self._ended(outcome, last, reason), steps=last)

    def _ended(
        self, outcome: Outcome, index: int, reason: str, found: tuple[Difference, ...] = ()
    ) -> ReplayResult:
        return ReplayResult(
            outcome,
            IMPLEMENTATION,
            index,
            self.trace.labels[index - 1] if index else None,
            reason,
            self.trace.meta.outcome,
            steps=max(0, index - 1),
            differences=found,
            control=self.adapter.control,
        )


def _seen(value: Value) -> bool:
    """Whether a projected value shows anything."""
    if isinstance(value, Mapping) and value:
        return any(_seen(one) for one in value.values())
    return value is not IGNORE


def _with_notes(result: ReplayResult, notes: tuple[str, ...]) -> ReplayResult:
    return changed(result, notes=(*result.notes, *notes))

"""Whether a run shows what its trace says it shows, judged by the meaning of the spec."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..language.ir.evaluator import Evaluator
from ..language.ir.nodes import Property, Refinement, SpecIR, Var
from ..language.labels import Trap, Trapped
from ..language.semantics import Semantics
from ..language.values import State, Universe
from .show import step_text
from .trace import Trace, TraceError

SEARCH_LIMIT = 100_000
"""States looked at to see that a property has become impossible."""


@dataclass(frozen=True)
class Shown:
    """`answer` is None where it could not be decided; `reason` says what was found."""

    answer: bool | None
    reason: str


@dataclass(frozen=True)
class _Subject:
    trace: Trace
    semantics: Semantics
    ir: SpecIR
    universe: Universe

    @property
    def name(self) -> str:
        return self.trace.meta.property

    @property
    def last(self) -> State:
        return self.trace.states[-1]


def shows(trace: Trace, semantics: Semantics, ir: SpecIR, universe: Universe) -> Shown:
    """Whether the trace, whose steps are those of the spec, shows its property as it claims.

    Raises TraceError where the spec has no such property.
    """
    kind, name = trace.meta.property_kind, trace.meta.property
    judge = _JUDGES.get(kind)
    if judge is None:
        return Shown(True, "the trace makes no claim")
    if kind not in ("deadlock", "bounds"):
        _check_name(name, kind, ir)
    try:
        return judge(_Subject(trace, semantics, ir, universe))
    except Trapped as trapped:
        return Shown(None, f"{name} has no value in the last state: {trapped.trap.message}")


def valueless(
    semantics: Semantics,
    properties: Sequence[Property],
    refinements: Sequence[Refinement],
    state: State,
    after: State | None = None,
) -> tuple[str, Trap] | None:
    """What has no value in a state or, with `after`, on a step: which property, and why.

    Mappings to abstract specs are evaluated too and, in a state, the constraint.
    """
    where = state if after is None else after
    tries: list[tuple[str, Callable[[], object]]] = [
        (item.name, partial(semantics.holds, item.name, state, after))
        for item in properties
        if item.kind.of_steps is (after is not None)
    ]
    tries += [(one.name, partial(semantics.abstract, one.name, where)) for one in refinements]
    if after is None:
        demands = semantics.demands
        tries += [(one.name, partial(demands, one.name, state)) for one in properties if one.when]
        tries.append(("the constraint", partial(semantics.allowed, state)))
    for name, attempt in tries:
        try:
            attempt()
        except Trapped as trapped:
            return name, trapped.trap
    return None


def variables_read(name: str, ir: SpecIR) -> frozenset[str]:
    """The variables that a property reads; empty where the spec has no such property."""
    for item in ir.properties:
        if item.name == name:
            return frozenset(_variables(item.predicate))
    return frozenset()


def _variables(root: object) -> set[str]:
    if isinstance(root, Var):
        return {root.name}
    if isinstance(root, tuple):
        return {name for item in root for name in _variables(item)}
    fields = getattr(root, "__dataclass_fields__", None)
    if fields is None or isinstance(root, type):
        return set()
    return {name for field in fields for name in _variables(getattr(root, field))}


def _check_name(name: str, kind: str, ir: SpecIR) -> None:
    kinds = {one.name: one.kind.value for one in ir.properties}
    kinds |= {one.name: "refinement" for one in ir.refinements}
    if name not in kinds:
        allowed = ", ".join(kinds) or "none"
        raise TraceError(f"{ir.name} has no property {name!r}; it has: {allowed}")
    if kinds[name] != ("always" if kind == "inductive" else kind):
        raise TraceError(f"the trace has {name} as {kind!r}; in {ir.name} it is {kinds[name]!r}")


def _always(subject: _Subject) -> Shown:
    name = subject.name
    if subject.semantics.holds(name, subject.last):
        return Shown(False, f"{name} holds in the last state")
    return Shown(True, f"{name} is violated in the last state")


def _inductive(subject: _Subject) -> Shown:
    name, states = subject.name, subject.trace.states
    if not all(subject.semantics.holds(name, state) for state in states[:-1]):
        return Shown(False, f"{name} is violated before the last step")
    try:
        kept = subject.semantics.holds(name, subject.last)
    except Trapped:
        kept = False
    if kept:
        return Shown(False, f"{name} is kept by the last step")
    return Shown(
        True, f"the last step breaks {name}; whether the first state is reachable is not looked at"
    )


def _sometimes(subject: _Subject) -> Shown:
    name = subject.name
    if subject.semantics.holds(name, subject.last):
        return Shown(True, f"{name} holds in the last state")
    return Shown(False, f"{name} does not hold in the last state")


def _step(subject: _Subject, wanted: bool = False) -> Shown:
    name = subject.name
    if len(subject.trace.states) < 2:
        return Shown(False, "the trace has no step")
    holds = subject.semantics.holds(name, subject.trace.states[-2], subject.last)
    found = "holds on" if holds else "is violated by"
    return Shown(holds is wanted, f"{name} {found} the last step")


def _deadlock(subject: _Subject) -> Shown:
    enabled = subject.semantics.successors(subject.last)
    if enabled:
        return Shown(False, f"{step_text(enabled[0].label)} is enabled in the last state")
    return Shown(True, "no step is enabled in the last state")


def _bounds(subject: _Subject) -> Shown:
    step = subject.trace.meta.trap
    if step is None:
        return _valueless(subject)
    for transition in subject.semantics.successors(subject.last):
        if transition.label == step.label and isinstance(transition.target, Trap):
            return Shown(True, f"{step_text(step.label)}: {transition.target.message}")
    return Shown(False, f"{step_text(step.label)} does not fail in the last state")


def _valueless(subject: _Subject) -> Shown:
    """A trace about bounds without a step that fails ends where a property has no value."""
    ir, semantics, states = subject.ir, subject.semantics, subject.trace.states
    found = valueless(semantics, ir.properties, ir.refinements, states[-1])
    if found is None and len(states) > 1:
        found = valueless(semantics, ir.properties, ir.refinements, states[-2], states[-1])
    if found is None:
        return Shown(False, "every property has a value in the last state")
    name, trap = found
    return Shown(True, f"{name} cannot be evaluated: {trap.message}")


def _refinement(subject: _Subject) -> Shown:
    name, states = subject.name, subject.trace.states
    abstract = next(one.abstract for one in subject.ir.refinements if one.name == name)
    target = Evaluator(abstract, subject.universe)
    after = subject.semantics.abstract(name, states[-1])
    if len(states) == 1:
        fits = after in target.initial_states()
        return Shown(not fits, f"the first state is {'' if fits else 'not '}initial in {name}")
    before = subject.semantics.abstract(name, states[-2])
    fits = before == after or any(one.target == after for one in target.successors(before))
    return Shown(not fits, f"the last step is {'a' if fits else 'no'} step of {name}")


def _always_possible(subject: _Subject) -> Shown:
    name = subject.name
    if not subject.semantics.demands(name, subject.last):
        return Shown(False, f"{name} does not have to stay in reach from the last state")
    by = next(one.by for one in subject.ir.properties if one.name == name)
    found = _reachable(subject, by, lambda one: subject.semantics.holds(name, one))
    if found is None:
        return Shown(None, f"more than {SEARCH_LIMIT} states to look at for {name}")
    if found:
        return Shown(False, f"{name} can still be reached from the last state")
    return Shown(True, f"no state with {name} can be reached from the last state")


def _reachable(
    subject: _Subject, by: tuple[str, ...], wanted: Callable[[State], bool]
) -> bool | None:
    """Whether a wanted state can be reached by these actions; None beyond SEARCH_LIMIT."""
    semantics, start = subject.semantics, subject.last
    seen, queue = {start}, deque([start])
    # The evaluator says which steps there are: the reference takes long to try all.
    evaluator = Evaluator(subject.ir, subject.universe)
    while queue:
        state = queue.popleft()
        if wanted(state):
            return True
        if not semantics.allowed(state):
            # Beyond the state constraint: looked at, but not left.
            continue
        labels = {
            (s.label.action, s.label.parameters): s.label for s in evaluator.successors(state)
        }
        for label in labels.values():
            if label.action not in by:
                continue
            for transition in semantics.taken(state, label):
                if not isinstance(transition.target, Trap) and transition.target not in seen:
                    seen.add(transition.target)
                    queue.append(transition.target)
        if len(seen) > SEARCH_LIMIT:
            return None
    return False


_Judge = Callable[[_Subject], Shown]
_JUDGES: dict[str, _Judge] = {
    "always": _always,
    "inductive": _inductive,
    "sometimes": _sometimes,
    "step": _step,
    "sometimes_step": partial(_step, wanted=True),
    "deadlock": _deadlock,
    "bounds": _bounds,
    "refinement": _refinement,
    "always_possible": _always_possible,
}

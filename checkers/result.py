"""What an engine answers: a verdict, what it rests on, and what it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..traces.trace import Trace


class Verdict(Enum):
    """The answer of a run.

    HOLDS: all that was asked, as far as `covered` says. VIOLATED: a finding, most with a trace.
    INCONCLUSIVE: a limit was reached, `reason` says which. ERROR: the spec left one of its bounds.
    """

    HOLDS = "holds"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class PropertyVerdict(Enum):
    """The answer about one property; REACHED and UNREACHED are for witnesses."""

    HOLDS = "holds"
    VIOLATED = "violated"
    REACHED = "reached"
    UNREACHED = "unreached"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Violation:
    """A finding about a property.

    `kind` is `always`, `step`, `refinement`, `always_possible`, `deadlock`, `bounds` (a value
    outside its bound, an expression without a value) or `sometimes` (a witness that no reachable
    state is: the only kind without a trace, but for a start that fails). What is not proved, and
    no violation either, is of the kind `inductive`: see `CheckResult.unproved`.
    """

    property: str
    kind: str
    trace: Trace | None
    message: str


@dataclass(frozen=True)
class Query:
    """A question to a solver: what for, its answer (`sat`, `unsat`, `unknown`), and how long."""

    purpose: str
    answer: str
    seconds: float


@dataclass(frozen=True)
class Obligation:
    """A part of a proof: that a conjunct of a property is true at the start, or kept by an action.

    `action` is empty for the start, `place` the conjunct's `file:line`, `conjunct` its text.
    `answer` is `proved`, `failed` or `unknown`.
    """

    property: str
    conjunct: str
    place: str
    action: str
    answer: str


EVERY_STATE = "every reachable state was checked"
"""What it means, of an engine that visits states, that something holds."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a run.

    1. `distinct_states`, `generated_states` and `depth` are counted as TLC does; None where the
       engine counts no states.
    2. `seconds` is the search alone; `engine_bytes` is what the engine's own data took at its
       peak, `peak_memory_bytes` the whole process.
    3. `properties` has every property that was asked for; where the search stopped at a finding,
       those not yet decided are inconclusive.
    4. `witnesses` has the length in states of a shortest run to each witness that was reached.
    5. `covered` says what a verdict of holds rests on. `queries` are those to a solver, in order.
    6. `obligations` are what a proof consists of; `unproved` has a step for each property whose
       proof failed, out of a state that need not be reachable (a counterexample to induction).
       `assumptions` says what a proof takes for granted, and how it was found; `any_value` names
       the parameters of whose values it speaks, all of them.
    """

    engine: str
    verdict: Verdict
    reason: str
    distinct_states: int | None
    generated_states: int | None
    depth: int
    seconds: float
    peak_memory_bytes: int
    engine_bytes: int
    properties: Mapping[str, PropertyVerdict]
    violations: tuple[Violation, ...]
    coverage: Mapping[str, int]
    not_checked: tuple[str, ...] = ()
    witnesses: Mapping[str, int] = field(default_factory=dict)
    witness_traces: Mapping[str, Trace] = field(default_factory=dict)
    covered: str = EVERY_STATE
    assumptions: tuple[str, ...] = ()
    any_value: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    unproved: tuple[Violation, ...] = ()

"""Breadth-first search: level after level, until done, a finding, or a limit."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..memory import machine_memory, peak_memory
from . import control as c
from .functions import Functions
from .workers import MOST_LEVELS, Crew, Words

_SLICE = 0.05  # seconds that kernels run before Python looks around
_QUANTUM = 1 << 14  # states that a worker expands in the first call of the kernels
_FEW = 64  # states left to the limit that one worker alone may add
_EVERY = 0.2  # seconds between reports of progress
_DEFAULT_SHARE = 0.7  # of the machine's memory


class Reason(Enum):
    """Why a search ended."""

    COMPLETE = "complete"
    FOUND = "found"
    MAX_STATES = "max_states"
    MAX_DEPTH = "max_depth"
    TIME_LIMIT = "time_limit"
    MEMORY = "memory"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Progress:
    """Figures of a running search. `frontier` counts the states still to expand on this level."""

    distinct: int
    generated: int
    depth: int
    frontier: int
    rate: float
    memory_bytes: int
    seconds: float


@dataclass(frozen=True)
class Goals:
    """What to look for. Masks are over the predicates and step properties of the compiled spec.

    `steps` has the `step_witnesses` too: compiled code gives the opposite of these.
    """

    always: int = 0
    sometimes: int = 0
    steps: int = 0
    step_witnesses: int = 0
    refinements: tuple[int, ...] = ()
    deadlock: bool = False


@dataclass(frozen=True)
class Limits:
    """Where to stop; None: nowhere. `memory_bytes` is for the engine's own data."""

    max_states: int | None = None
    max_depth: int | None = None
    seconds: float | None = None
    memory_bytes: int | None = None


class Found(Enum):
    """Kinds of findings."""

    PREDICATE = "predicate"  # number: the predicate that failed, in `after`
    STEP = "step"
    REFINEMENT = "refinement"
    INITIAL_REFINEMENT = "initial_refinement"
    DEADLOCK = "deadlock"
    TRAP = "trap"  # number: the trap site; in a step out of `before`
    STATE_TRAP = "state_trap"  # in evaluating a property in `after`
    STEP_TRAP = "step_trap"  # in evaluating a property of the step from `before` to `after`
    INITIAL_TRAP = "initial_trap"


@dataclass(frozen=True)
class Finding:
    """What was found on a level. `level` is that of the last state concerned, the first being 1.

    `before` is a stored state; `after` need not be one. For what concerns one state both are it.
    """

    kind: Found
    number: int
    level: int
    before: Words
    after: Words


@dataclass
class Figures:
    """What a search has seen."""

    distinct: int = 0
    generated: int = 0
    depth: int = 0
    cut: int = 0
    seconds: float = 0.0
    engine_bytes: int = 0
    coverage: list[int] = field(default_factory=list)


class Search:
    """One search. `run` it once; the crew then holds the stored states, level by level."""

    def __init__(
        self,
        functions: Functions,
        goals: Goals,
        limits: Limits | None = None,
        *,
        workers: int = 1,
        progress: Callable[[Progress], None] | None = None,
        faster: Callable[[], Functions | None] = lambda: None,
    ) -> None:
        """`faster` is asked now and then for faster functions that do the same."""
        self.functions = functions
        self.goals = goals
        self.limits = limits or Limits()
        budget = self.limits.memory_bytes or int(machine_memory() * _DEFAULT_SHARE)
        self.crew = Crew(functions, workers, budget)
        self.figures = Figures()
        self.findings: list[Finding] = []
        self.witnesses: dict[int, Finding] = {}
        self.step_witnesses: dict[int, Finding] = {}
        self._sometimes = goals.sometimes
        self._progress = progress
        self._faster = faster
        self._reported = 0.0
        self._started = 0.0
        self._initial = 0
        self._quantum = _QUANTUM
        self._turn = 0  # whose turn it is to add the last states before the limit

    def run(self) -> Reason:
        """Search, and say why it ended."""
        self._started = self._reported = time.perf_counter()
        for worker in self.crew.workers:
            worker[c.ALWAYS_MASK] = _signed(self.goals.always)
            worker[c.SOMETIMES_MASK] = _signed(self.goals.sometimes)
            worker[c.STEP_MASK] = _signed(self.goals.steps)
            worker[c.REFINEMENTS] = len(self.functions.refinements)
            worker[c.DEADLOCK] = int(self.goals.deadlock)
        self.crew.run_alike("begin")
        try:
            reason = self._search()
        except KeyboardInterrupt:
            reason = Reason.INTERRUPTED
        self._count()
        return reason

    def charge(self, memory_bytes: int) -> None:
        """Note memory taken after the search, beside what the workers hold."""
        total = sum(worker.bytes() for worker in self.crew.workers) + memory_bytes
        self.figures.engine_bytes = max(self.figures.engine_bytes, total)

    def require_time(self) -> None:
        """Raise TimeoutError where the time limit has passed."""
        limit = self.limits.seconds
        if limit is not None and time.perf_counter() - self._started > limit:
            raise TimeoutError

    def renew(self) -> None:
        """Take over faster functions, if there are any by now. No kernel runs meanwhile."""
        functions = self._faster()
        if functions is None:
            return
        self.functions = self.crew.functions = functions
        for worker in self.crew.workers:
            worker[c.EXPAND] = functions.expand
            worker[c.CONSTRAINT] = functions.constraint
            worker[c.CANONICAL] = functions.canonical
            worker[c.STEPS] = functions.steps
            worker[c.PREDICATES] = functions.predicates
            words = c.REFINEMENT_FIELDS * len(functions.refinements)
            table = (ctypes.c_int64 * words).from_address(worker[c.REFINEMENT_TABLE])
            for number, item in enumerate(functions.refinements):
                base = number * c.REFINEMENT_FIELDS
                table[base + c.REFINEMENT_ABSTRACT] = item.abstract
                table[base + c.REFINEMENT_EXPAND] = item.expand

    def _search(self) -> Reason:
        reason = self._start()
        while reason is None:
            reason = self._look_around() or self._advance()
        if reason in (Reason.MAX_STATES, Reason.MEMORY, Reason.TIME_LIMIT):
            reason = self._look_back(reason)
        return reason

    def _advance(self) -> Reason | None:
        """Let the kernels work for a moment. Why the search is at its end, if it is."""
        self._allow()
        begun = time.perf_counter()
        status = self.crew.advance(self._quantum, self._levels_left())
        self.figures.depth = len(self.crew.workers[0].levels) - 1
        if status in (c.DONE, c.LEVEL):
            # Where no state was found, no level has begun: steps lead to states that were known.
            self._gather_findings(self.figures.depth + int(status == c.DONE))
            if self.findings:
                return Reason.FOUND
        elif status == c.NEED_ROOM:
            self.crew.make_room()
        if status == c.DONE:
            return Reason.COMPLETE
        if status == c.LEVEL and self.figures.depth == self.limits.max_depth:
            return Reason.MAX_DEPTH
        if time.perf_counter() - begun < _SLICE:
            self._quantum *= 2 if status == c.MORE else 1
        else:
            self._quantum = max(1, self._quantum // 2)
        return self._stopped(status)

    def _look_back(self, reason: Reason) -> Reason:
        """What was found on a level that a limit has cut short."""
        self.crew.run_alike("check")
        self._gather_findings(self.figures.depth + 1)
        if any(worker[c.COUNT] > worker[c.LEVEL_END] for worker in self.crew.workers):
            self.figures.depth += 1
        return Reason.FOUND if self.findings else reason

    def _levels_left(self) -> int:
        """How many levels may begin before Python has to look: that of a limit, or of a finding."""
        if self.findings:
            return 1
        limit = self.limits.max_depth
        return MOST_LEVELS if limit is None else limit - self.figures.depth

    def _start(self) -> Reason | None:
        """Put in the initial states."""
        states, trap = initial_states(self.functions.initial, self.functions.words)
        self._initial = len(states)
        if trap:
            zero = (0,) * self.functions.words
            self.findings.append(Finding(Found.INITIAL_TRAP, trap, 1, zero, zero))
        for start in range(0, len(states), self.crew.workers[0][c.RAW_LIMIT]):
            part = states[start : start + self.crew.workers[0][c.RAW_LIMIT]]
            for worker in self.crew.workers:
                for number, state in enumerate(part):
                    worker.put(worker[c.RAW] + 8 * self.functions.words * number, state)
            status = c.OUT_OF_STATES
            while status == c.OUT_OF_STATES:
                self._allow()
                status = max(self.crew.run_alike("offer", len(part)))
                reason = self._stopped(status)
                if reason is not None:
                    return reason
        self._initial_refinements(states)
        return None

    def _initial_refinements(self, states: Sequence[Words]) -> None:
        trap = ctypes.c_int64(0)
        call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3)
        for number, item in enumerate(self.functions.refinements):
            allowed = set(initial_states(item.initial, item.words)[0])
            mapping = call(item.abstract)
            for state in sorted(states):
                source = (ctypes.c_uint64 * len(state))(*state)
                image = (ctypes.c_uint64 * item.words)()
                mapping(ctypes.addressof(source), ctypes.addressof(image), ctypes.addressof(trap))
                if trap.value:
                    self.findings.append(Finding(Found.STATE_TRAP, trap.value, 1, state, state))
                    break
                if tuple(image) not in allowed:
                    kind = Found.INITIAL_REFINEMENT
                    self.findings.append(Finding(kind, number, 1, state, state))
                    break

    def _allow(self) -> None:
        """Let workers add no more states than the limit leaves.

        Each may add its part; a few are left to one worker after the other.
        """
        if self.limits.max_states is None:
            return
        workers = self.crew.workers
        left = max(self.limits.max_states - self._distinct(), 0)
        self._turn = (self._turn + 1) % len(workers)
        for number, worker in enumerate(workers):
            part = max(left // len(workers), 1)
            if left < _FEW:
                part = left if number == self._turn else 0
            worker[c.LIMIT] = min(worker.arena_states, worker[c.COUNT] + part)

    def _stopped(self, status: int) -> Reason | None:
        """The limit that a status is about; None where it is none, or another worker has room."""
        if status == c.CROWDED:
            raise RuntimeError("the hash of the visited set does not spread these states")
        if status == c.OUT_OF_MEMORY:
            return Reason.MEMORY
        if status == c.OUT_OF_STATES:
            if any(w[c.COUNT] >= w.arena_states for w in self.crew.workers):
                return Reason.MEMORY
            if self._distinct() >= (self.limits.max_states or 0):
                return Reason.MAX_STATES
        return None

    def _look_around(self) -> Reason | None:
        """Between two calls of the kernels: faster code, the clock, and progress."""
        self.renew()
        now = time.perf_counter()
        if self._progress is not None and now - self._reported > _EVERY:
            self._reported = now
            self._count()
            figures = self.figures
            frontier = sum(worker.left() for worker in self.crew.workers)
            rate = figures.distinct / max(figures.seconds, 1e-9)
            self._progress(
                Progress(
                    figures.distinct,
                    figures.generated,
                    figures.depth,
                    frontier,
                    rate,
                    peak_memory(),
                    figures.seconds,
                )
            )
        limit = self.limits.seconds
        if limit is not None and now - self._started > limit:
            return Reason.TIME_LIMIT
        return None

    def _gather_findings(self, level: int) -> None:
        """Gather what was found on a level: in its states, and in the steps that lead there.

        Also where all witnesses are found, or a predicate only has to stay in reach: one that has
        no value in some state is a fault of the spec, whatever it is for.
        """
        workers = self.crew.workers
        self._gather_predicates(level)
        self._gather_steps(level)
        for number in self.goals.refinements:
            self._gather(c.FOUND_REFINEMENTS, number, Found.REFINEMENT, number, level)
            if any(worker.refinement_overflowed(number) for worker in workers):
                raise RuntimeError("an abstract state has too many successors to compare with")
        self._gather(c.FOUND_OTHER, c.FOUND_DEADLOCK, Found.DEADLOCK, 0, level - 1)
        self._gather(c.FOUND_OTHER, c.FOUND_TRAP, Found.TRAP, None, level - 1)
        self._gather(c.FOUND_OTHER, c.FOUND_STATE_TRAP, Found.STATE_TRAP, None, level)
        self._gather(c.FOUND_OTHER, c.FOUND_STEP_TRAP, Found.STEP_TRAP, None, level)
        for worker in workers:
            worker.forget_findings()

    def _gather_predicates(self, level: int) -> None:
        for number in range(self.functions.predicate_count):
            found = self._least(c.FOUND_PREDICATES, number)
            if found is None:
                continue
            finding = Finding(Found.PREDICATE, number, level, found[1], found[2])
            if self._sometimes >> number & 1:
                self.witnesses[number] = finding
                self._sometimes &= ~(1 << number)
                for worker in self.crew.workers:
                    worker[c.SOMETIMES_MASK] = _signed(self._sometimes)
            elif self.goals.always >> number & 1:
                self.findings.append(finding)

    def _gather_steps(self, level: int) -> None:
        for number in range(self.functions.step_count):
            if not self.goals.step_witnesses >> number & 1:
                self._gather(c.FOUND_STEPS, number, Found.STEP, number, level)
                continue
            found = self._least(c.FOUND_STEPS, number)
            if found is not None and number not in self.step_witnesses:
                finding = Finding(Found.STEP, number, level, found[1], found[2])
                self.step_witnesses[number] = finding

    def _gather(self, table: int, index: int, kind: Found, number: int | None, level: int) -> None:
        found = self._least(table, index)
        if found is not None:
            site = found[0] if number is None else number
            self.findings.append(Finding(kind, site, level, found[1], found[2]))

    def _least(self, table: int, number: int) -> tuple[int, Words, Words] | None:
        found = [worker.finding(table, number) for worker in self.crew.workers]
        return min((f for f in found if f is not None), key=lambda f: f[1:], default=None)

    def _distinct(self) -> int:
        return sum(worker[c.COUNT] for worker in self.crew.workers)

    def _count(self) -> None:
        workers = self.crew.workers
        figures = self.figures
        figures.distinct = self._distinct()
        figures.cut = sum(worker[c.CUT] for worker in workers)
        figures.coverage = [
            sum(taken) for taken in zip(*(w.coverage() for w in workers), strict=True)
        ]
        figures.generated = self._initial + sum(figures.coverage)
        figures.engine_bytes = max(figures.engine_bytes, sum(w.bytes() for w in workers))
        figures.seconds = time.perf_counter() - self._started


def initial_states(function: int, words: int) -> tuple[list[Words], int]:
    """The initial states that a compiled spec gives, repeats included, and its trap site or 0."""
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3)(function)
    limit = 256
    while True:
        out = (ctypes.c_uint64 * (limit * words))()
        trap = ctypes.c_int64(0)
        count = call(ctypes.addressof(out), limit, ctypes.addressof(trap))
        if count >= 0:
            states = [tuple(out[k * words : (k + 1) * words]) for k in range(count)]
            return states, trap.value
        limit *= 4


def _signed(mask: int) -> int:
    return mask - (1 << 64) if mask >> 63 else mask

"""Questions to Z3: with a clock, a fixed seed, and a record of each.

Z3 is asked from a thread of its own, so that the time limit and an interrupt are heard while it
works. Where it stops without an answer, that is `UNKNOWN`, and nothing may be concluded.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import Enum

import z3

from ..result import Query
from . import bits
from .bits import Bit

SEED = 20240229
_LET_GO = 5.0
"""Seconds that Z3 gets to give up what it is doing, before it is told again."""


class Answer(Enum):
    """What the solver says of its assertions and the assumptions together."""

    SAT = "sat"
    UNSAT = "unsat"
    UNKNOWN = "unknown"


class OutOfTime(Exception):
    """The time limit was reached."""


@dataclass
class Clock:
    """When an engine has to be done; None: never."""

    seconds: float | None
    started: float = field(default_factory=time.perf_counter)

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    def left(self) -> float | None:
        """Seconds that are left; raises OutOfTime where none are."""
        if self.seconds is None:
            return None
        if self.passed >= self.seconds:
            raise OutOfTime
        return self.seconds - self.passed


class Solver:
    """Assertions of which questions are asked, each under some assumptions.

    `solver` is one of Z3's; that for finite domains where none is given.
    """

    def __init__(
        self, clock: Clock, log: list[Query], solver: z3.Solver | None = None, seed: int = SEED
    ) -> None:
        self._solver = z3.SolverFor("QF_FD") if solver is None else solver
        self._solver.set("random_seed", seed)
        self._solver.set("ctrl_c", False)  # Python hears it, and says so
        self._clock = clock
        self._log = log

    def add(self, bit: Bit) -> None:
        """Assert something for all questions to come."""
        if bit is not True:
            self._solver.add(bits.term(bit))

    def ask(self, purpose: str, *assumptions: z3.BoolRef, seconds: float | None = None) -> Answer:
        """Whether the assertions can be true together with some literals.

        `seconds` is how long this question may take, at most; None: as long as there is time.
        Raises OutOfTime, and KeyboardInterrupt once Z3 has let go.
        """
        left = self._clock.left()
        left = min((s for s in (left, seconds) if s is not None), default=None)
        begun = time.perf_counter()
        found: list[object] = []

        def check() -> None:
            try:
                found.append(self._solver.check(*assumptions))
            except z3.Z3Exception as error:
                found.append(error)

        thread = threading.Thread(target=check, daemon=True)
        answer = Answer.UNKNOWN
        try:
            thread.start()
            thread.join(left)
        finally:
            while thread.is_alive():
                # Not often: one that comes while Z3 is giving up can make it crash.
                self._solver.interrupt()
                thread.join(_LET_GO)
            if found and not isinstance(found[0], Exception):
                answer = Answer(repr(found[0]))
            took = round(time.perf_counter() - begun, 6)
            self._log.append(Query(purpose, answer.value, took))
        if isinstance(found[0], z3.Z3Exception) and "cancel" not in str(found[0]):
            raise found[0]
        if answer is Answer.UNKNOWN:
            self._clock.left()
        return answer

    def model(self) -> z3.ModelRef:
        """What the last question's answer SAT rests on."""
        return self._solver.model()

    def why_unknown(self) -> str:
        """The solver's reason for its last answer UNKNOWN."""
        return str(self._solver.reason_unknown())

"""Proofs by induction for instances of any size, from the spec that the explorer runs.

1. The spec's IR without its sizes (`lifting`), as first-order logic (`theory`).
2. Conjuncts that follow from the others need no more; of what remains it is asked whether they
   hold at the start, and whether each action keeps them where all of them hold. One conjunct and
   one action at a time, so that an answer names both.
3. The instance at hand is explored: it has to be a model of the axioms in which the conjuncts hold,
   every action is taken and the witnesses are reached. A proof about nothing would show here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import z3

from ....language.instance import Instance
from ....language.ir.nodes import Property, PropertyKind, Span
from ...errors import UsageError
from ...memory import peak_memory
from ...result import CheckResult, Obligation, PropertyVerdict, Query, Verdict
from ..conjuncts import Conjunct, conjuncts
from ..queries import SEED, Answer, Clock, OutOfTime, Solver
from .cases import cases, conjoined
from .evidence import Evidence, evidence
from .fragment import Dependence, obstacle
from .lifting import Build, Lifted, lifted
from .obligations import Claim, Claims
from .theory import Theory
from .values import Outside

ENGINE = "prove"
FOLLOWS = (1.0, 4.0)
"""Seconds for the question whether a conjunct follows from others, twice: most do not."""
ROUNDS = (1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0, 8.0, 30.0)
"""Seconds for each way to put a question, round after round, until one has an answer. What Z3 finds
quickly in one form, or from one seed, it may not find at all in another: so it begins anew often.
"""
PATIENT = 2
"""From this round on, a question is also taken apart, into `MOST_CASES` cases at most."""
MOST_CASES = 60


@dataclass
class _Proof:
    """A proof under way."""

    claims: Claims
    clock: Clock
    progress: Callable[[str], None] | None
    rounds: Sequence[float] = ROUNDS
    queries: list[Query] = field(default_factory=list)
    obligations: list[Obligation] = field(default_factory=list)
    outside: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Ask about every conjunct; raises OutOfTime."""
        base = list(self.claims.items)
        for item in self.claims.items:
            others = [other for other in base if other is not item]
            if self._follows(item, others):
                base = others
        for item in base:
            self._prove(self.claims.initial(item), "the initial states")
            for claim in self.claims.kept(item, base):
                self._prove(claim, claim.action)

    def _follows(self, item: Conjunct, others: Sequence[Conjunct]) -> bool:
        claim = self.claims.following(item, others)
        purpose = f"{item.item.name} follows: {item.text}"
        if self._ask(claim, purpose, FOLLOWS) is not Answer.UNSAT:
            return False
        self._note(claim, "proved")
        return True

    def _prove(self, claim: Claim, what: str) -> None:
        answer = self._ask(claim, f"{what}: {claim.item.text}", self.rounds)
        self._note(claim, _WORDS[answer])

    def _ask(self, claim: Claim, purpose: str, rounds: Sequence[float]) -> Answer:
        if claim.bad is None:
            return Answer.UNSAT
        if self.progress is not None:
            self.progress(purpose)
        whole = claim.formulas()
        circle = obstacle(whole)
        if circle:
            self.outside[purpose] = "; ".join(step.words for step in circle)
        for number, seconds in enumerate(rounds):
            answer = self._put(purpose, whole, seconds, number)
            if answer is Answer.UNKNOWN and number >= PATIENT:
                answer = self._by_cases(purpose, conjoined(whole), seconds)
            if answer is not Answer.UNKNOWN:
                return answer
            for less in _lesser(claim, circle):
                if self._put(purpose, less, seconds, number) is Answer.UNSAT:
                    return Answer.UNSAT
        return Answer.UNKNOWN

    def _by_cases(self, purpose: str, formulas: tuple[z3.BoolRef, ...], seconds: float) -> Answer:
        """The question, taken apart where it says that one thing or another is so.

        A case that takes too long is taken apart further.
        """
        todo = [formulas]
        for number in range(MOST_CASES):
            if not todo:
                return Answer.UNSAT
            case = todo.pop()
            answer = self._put(purpose, case, seconds, number)
            if answer is Answer.SAT:
                return answer
            if answer is Answer.UNKNOWN:
                inside = cases(case)
                if not inside:
                    return Answer.UNKNOWN
                todo += inside
        return Answer.UNKNOWN

    def _put(
        self, purpose: str, formulas: Sequence[z3.BoolRef], seconds: float, number: int
    ) -> Answer:
        asked = Solver(self.clock, self.queries, z3.Solver(), seed=SEED + number)
        for formula in formulas:
            asked.add(formula)
        return asked.ask(purpose, seconds=seconds)

    def _note(self, claim: Claim, answer: str) -> None:
        one = claim.item
        self.obligations.append(
            Obligation(one.item.name, one.text, one.place, claim.action, answer)
        )


_WORDS = {Answer.UNSAT: "proved", Answer.SAT: "failed", Answer.UNKNOWN: "unknown"}


def _lesser(claim: Claim, circle: Sequence[Dependence]) -> Iterator[tuple[z3.BoolRef, ...]]:
    """Weaker forms of a question: without premises, without dependences that are the obstacle.

    If they contradict themselves, so does the question; if not, that says nothing.
    """
    for step in circle:
        cut = frozenset({(step.source, step.target)})
        for few in (True, False):
            yield claim.formulas(cut, few=few)
    yield claim.formulas(few=True)


def prove(
    instance: Instance,
    build: Build,
    *,
    properties: Sequence[str],
    time_limit: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> CheckResult:
    """Prove that invariants hold in instances of any size.

    `properties` are conjuncts: all that do not follow from others have to be inductive together.
    `build` makes the instance with other values of some parameters.

    The verdict is HOLDS where all is proved, VIOLATED where the instance itself breaks a conjunct,
    else INCONCLUSIVE: the reason names conjunct and action. Raises UsageError for properties that
    are no invariants, NotGeneric for a spec that depends on its sizes, and where an invariant or an
    action cannot be said in first-order logic.
    """
    items = _invariants(instance, properties)
    clock = Clock(time_limit)
    found = lifted(instance, build)
    theory = Theory(found)
    by_name = {item.name: item for item in found.ir.properties}
    parts = tuple(part for item in items for part in conjuncts(by_name[item.name]))
    try:
        claims = Claims(theory, parts)
    except Outside as outside:
        where = place_of(outside.span)
        raise UsageError(
            f"{instance.name} cannot be proved for any number: first-order logic has no words for"
            f" {outside}" + (f" ({where})" if where else "")
        ) from None
    shown = evidence(instance, items)
    # What the instance breaks cannot be proved: which action does it shows soon, or not at all.
    proof = _Proof(claims, clock, progress, ROUNDS[:2] if shown.violations else ROUNDS)
    reason = ""
    try:
        proof.run()
    except OutOfTime:
        reason = f"the limit of {time_limit:g} seconds was reached"
    except KeyboardInterrupt:
        reason = "interrupted"
    return _result(proof, found, shown, reason)


def _invariants(instance: Instance, names: Sequence[str]) -> tuple[Property, ...]:
    by_name = {item.name: item for item in instance.ir.properties}
    for name in names:
        if name not in by_name or by_name[name].kind is not PropertyKind.ALWAYS:
            known = [p.name for p in instance.ir.properties if p.kind is PropertyKind.ALWAYS]
            raise UsageError(
                f"--engine {ENGINE} proves invariants, and {name} is none of them"
                f" (invariants: {', '.join(known) or 'none'})"
            )
    return tuple(by_name[name] for name in names)


def place_of(span: Span | None) -> str:
    """Where something is written, as `file:line`; empty where that is not known."""
    return "" if span is None else f"{span.file}:{span.line}"


def _result(proof: _Proof, found: Lifted, evidence: Evidence, reason: str) -> CheckResult:
    names = dict.fromkeys(part.item.name for part in proof.claims.items)
    proved = not reason and all(o.answer == "proved" for o in proof.obligations)
    # A conjunct stands or falls with all that its proof uses.
    each = PropertyVerdict.HOLDS if proved else PropertyVerdict.INCONCLUSIVE
    properties = dict.fromkeys(names, each)
    for violation in evidence.violations:
        properties[violation.property] = PropertyVerdict.VIOLATED
    if evidence.violations:
        verdict = Verdict.VIOLATED
    elif proved and not evidence.empty:
        verdict = Verdict.HOLDS
    else:
        verdict = Verdict.INCONCLUSIVE
        reason = reason or _why(proof, evidence)
    return CheckResult(
        engine=ENGINE,
        verdict=verdict,
        reason=reason if verdict is not Verdict.HOLDS else "",
        distinct_states=None,
        generated_states=None,
        depth=evidence.depth,
        seconds=proof.clock.passed,
        peak_memory_bytes=peak_memory(),
        engine_bytes=0,
        properties=properties,
        violations=evidence.violations,
        coverage={},
        not_checked=_not_checked(found),
        witnesses=evidence.witnesses,
        covered=_covered(found),
        queries=tuple(proof.queries),
        obligations=tuple(proof.obligations),
        assumptions=_assumptions(proof, found, evidence),
        any_value=(*found.nodes, *found.ordered),
    )


def _why(proof: _Proof, evidence: Evidence) -> str:
    """The claims that failed, and what the instance does not show."""
    failed = [
        f"{o.action or 'the start'} {'does not keep' if o.answer == 'failed' else 'may not keep'}"
        f" {o.property}"
        for o in proof.obligations
        if o.answer != "proved"
    ]
    return "; ".join([*failed, *evidence.empty])


def _covered(found: Lifted) -> str:
    sizes = ", ".join((*found.nodes, *found.ordered))
    return f"proved for any number of {sizes}"


def _not_checked(found: Lifted) -> tuple[str, ...]:
    notes = ["deadlock", "liveness: that something happens in the end"]
    notes.append("that values keep to their bounds, and expressions have values, in other sizes")
    return tuple(notes)


def _assumptions(proof: _Proof, found: Lifted, evidence: Evidence) -> tuple[str, ...]:
    """What the proof rests on, and how it was found."""
    lines = [f"axiom: {axiom.sentence}" for axiom in proof.claims.theory.logic.axioms()]
    lines += [f"{name} is {value}" for name, value in found.fixed.items() if value]
    for move in (proof.claims.start, *proof.claims.moves):
        for left in move.left_out:
            where = place_of(left.span)
            lines.append(
                f"{move.name}: {left.what} is not in the logic: {left.instead}, so that more can"
                f" happen ({where})"
            )
    circles: dict[str, list[str]] = {}
    for purpose, words in proof.outside.items():
        circles.setdefault(words, []).append(purpose)
    for words, purposes in circles.items():
        more = f" and {len(purposes) - 1} more" if len(purposes) > 1 else ""
        lines.append(f"outside the decidable fragment, as {words}: {purposes[0]}{more}")
    if not circles:
        lines.append("every question is in the decidable fragment (stratified, EPR)")
    return (*lines, *evidence.lines)

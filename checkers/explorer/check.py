"""One check: compile, search, and make a result of what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...language.instance import Instance
from ...language.ir.nodes import Property, PropertyKind
from ...traces.trace import Trace
from ..errors import UsageError
from ..memory import peak_memory
from ..result import CheckResult, PropertyVerdict, Verdict, Violation
from .compiled import Compiled, names_of
from .evidence import Witness
from .paths import path_to
from .possible import out_of_reach
from .search import Finding, Found, Goals, Limits, Progress, Reason, Search
from .symmetry import require_symmetry
from .tiers import Upgrade
from .workers import Words

ENGINE = "explore"

_REASONS = {
    Reason.MAX_STATES: "the limit of {max_states:,} states was reached",
    Reason.MAX_DEPTH: "the limit of depth {max_depth} was reached",
    Reason.TIME_LIMIT: "the limit of {seconds:g} seconds was reached",
    Reason.MEMORY: "the memory limit was reached",
    Reason.INTERRUPTED: "interrupted",
}
_TRAPS = {Found.TRAP, Found.STATE_TRAP, Found.STEP_TRAP, Found.INITIAL_TRAP}


@dataclass(frozen=True)
class Options:
    """The options of a check, as `explore` takes them."""

    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    deadlock: bool = False
    witness_traces: bool = False
    progress: Callable[[Progress], None] | None = None

    def validate(self) -> None:
        """Raise UsageError for numbers that make no sense."""
        limits = self.limits
        if self.workers < 1 or self.workers > 64:
            raise UsageError(f"workers is {self.workers}; allowed: 1 to 64")
        for name, value in (
            ("max_states", limits.max_states),
            ("max_depth", limits.max_depth),
            ("time_limit", limits.seconds),
            ("max_memory", limits.memory_bytes),
        ):
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}; it has to be above 0")


class Check:
    """A check under way: the search, and the verdicts as they become known."""

    def __init__(self, compiled: Compiled, options: Options) -> None:
        self.compiled = compiled
        self.options = options
        self.upgrade = Upgrade(compiled)
        goals = Goals(
            always=compiled.mask(PropertyKind.ALWAYS),
            sometimes=compiled.mask(PropertyKind.SOMETIMES),
            steps=compiled.mask(PropertyKind.STEP) | compiled.mask(PropertyKind.SOMETIMES_STEP),
            step_witnesses=compiled.mask(PropertyKind.SOMETIMES_STEP),
            refinements=tuple(range(len(compiled.refinements))),
            deadlock=options.deadlock,
        )
        self.search = Search(
            compiled.functions(),
            goals,
            options.limits,
            workers=options.workers,
            progress=options.progress,
            faster=self.upgrade,
        )
        self.witness = Witness(compiled, ENGINE)
        self.violations: list[Violation] = []
        self.properties: dict[str, PropertyVerdict] = {}
        self.lengths: dict[str, int] = {}
        self.traces: dict[str, Trace] = {}
        self.open: list[str] = []  # why not everything was decided

    def run(self) -> CheckResult:
        """Search, evaluate, report."""
        try:
            reason = self.search.run()
            for finding in self.search.findings:
                self._report(finding)
            self._decide(reason)
            if reason is not Reason.INTERRUPTED:
                self.upgrade.settle()
        finally:
            self.upgrade.close()
            self.search.crew.close()
        return self._result(reason)

    def _path(self, state: Words, level: int) -> list[Words]:
        """A shortest run of representatives to a state."""
        return path_to(self.search.crew, state, level)

    def _report(self, finding: Finding) -> None:
        """Turn a finding into a violation with its trace."""
        compiled, witness = self.compiled, self.witness
        match finding.kind:
            case Found.PREDICATE:
                item = compiled.predicate(finding.number)
                path = self._path(finding.after, finding.level)
                trace = witness.state(path, item, holds=False)
                self._violated(item.name, "always", trace)
            case Found.STEP:
                item = compiled.step(finding.number)
                path = self._path(finding.before, finding.level - 1)
                trace = witness.step(path, finding.after, item, holds=False)
                self._violated(item.name, "step", trace)
            case Found.REFINEMENT:
                name = compiled.refinements[finding.number].name
                path = self._path(finding.before, finding.level - 1)
                trace = witness.refinement(path, finding.after, name)
                self._violated(name, "refinement", trace)
            case Found.INITIAL_REFINEMENT:
                name = compiled.refinements[finding.number].name
                trace = witness.start(finding.before, name)
                self._violated(name, "refinement", trace)
            case Found.DEADLOCK:
                trace = witness.deadlock(self._path(finding.before, finding.level))
                self._violated("deadlock", "deadlock", trace)
            case _:
                self._trapped(finding)

    def _violated(self, name: str, kind: str, trace: Trace) -> None:
        self.properties[name] = PropertyVerdict.VIOLATED
        self.violations.append(Violation(name, kind, trace, trace.claim))

    def _trapped(self, finding: Finding) -> None:
        """A value outside its bound, or an expression without a value."""
        if finding.kind is Found.INITIAL_TRAP:
            trap = self.compiled.native.traps[finding.number - 1]
            message = f"an initial state has no value: {trap.message}"
            self.violations.append(Violation("bounds", "bounds", None, message))
            return
        if finding.kind is Found.TRAP:
            trace, trap = self.witness.trap(self._path(finding.before, finding.level))
            self.violations.append(Violation("bounds", "bounds", trace, trap.message))
            return
        level = finding.level - int(finding.kind is Found.STEP_TRAP)
        path = self._path(finding.before, level)
        trace, trap, name = self.witness.property_trap(path)
        message = f"{name} cannot be evaluated: {trap.message}"
        self.violations.append(Violation("bounds", "bounds", trace, message))

    def _decide(self, reason: Reason) -> None:
        """Verdicts of the properties that no finding decided."""
        complete = reason is Reason.COMPLETE
        whole = complete and not self.search.figures.cut
        for item in self.compiled.properties:
            if item.name in self.properties:
                continue
            match item.kind:
                case PropertyKind.SOMETIMES | PropertyKind.SOMETIMES_STEP:
                    self._decide_witness(item, whole)
                case PropertyKind.ALWAYS_POSSIBLE:
                    self._decide_possible(item.name, whole)
                case PropertyKind.ALWAYS | PropertyKind.STEP:
                    self._holds_if(item.name, complete)
        for refinement in self.compiled.refinements:
            if refinement.name not in self.properties:
                self._holds_if(refinement.name, complete)
        if self.options.deadlock and "deadlock" not in self.properties:
            self._holds_if("deadlock", complete)

    def _holds_if(self, name: str, complete: bool) -> None:
        verdict = PropertyVerdict.HOLDS if complete else PropertyVerdict.INCONCLUSIVE
        self.properties[name] = verdict

    def _undecided(self, name: str, whole: bool) -> None:
        self.properties[name] = PropertyVerdict.INCONCLUSIVE
        if self.search.figures.cut:
            self.open.append(f"{name}: states outside the constraint were not expanded")

    def _decide_witness(self, item: Property, whole: bool) -> None:
        name, native, search = item.name, self.compiled.native, self.search
        if item.kind.of_steps:
            finding = search.step_witnesses.get(native.step_names.index(name))
        else:
            finding = search.witnesses.get(native.predicate_names.index(name))
        if finding is not None:
            self.properties[name] = PropertyVerdict.REACHED
            self.lengths[name] = finding.level
            if self.options.witness_traces:
                self.traces[name] = self._seen(item, finding)
        elif whole:
            self.properties[name] = PropertyVerdict.UNREACHED
            where = "step" if item.kind.of_steps else "state"
            message = f"no reachable {where} is a witness of {name}"
            self.violations.append(Violation(name, "sometimes", None, message))
        else:
            self._undecided(name, whole)

    def _seen(self, item: Property, finding: Finding) -> Trace:
        """A shortest run to a witness."""
        if item.kind.of_steps:
            path = self._path(finding.before, finding.level - 1)
            return self.witness.step(path, finding.after, item, holds=True)
        return self.witness.state(self._path(finding.after, finding.level), item, holds=True)

    def _decide_possible(self, name: str, whole: bool) -> None:
        number = self.compiled.native.predicate_names.index(name)
        item = self.compiled.predicate(number)
        if not whole:
            self._undecided(name, whole)
            return
        try:
            found = out_of_reach(self.search, number, item.by, self.compiled.excuse(item.name))
        except (TimeoutError, KeyboardInterrupt) as error:
            self.properties[name] = PropertyVerdict.INCONCLUSIVE
            why = "the time limit was reached" if isinstance(error, TimeoutError) else "interrupted"
            self.open.append(f"{name}: {why}")
            return
        if found is None:
            self.properties[name] = PropertyVerdict.HOLDS
            return
        level, state = found
        trace = self.witness.out_of_reach(self._path(state, level), item)
        self._violated(name, "always_possible", trace)

    def _result(self, reason: Reason) -> CheckResult:
        verdict, why = self._verdict(reason)
        figures = self.search.figures
        actions = [action.name for action in self.compiled.native.spec.actions]
        order = [*names_of(self.compiled.properties, self.compiled.refinements), "deadlock"]
        return CheckResult(
            engine=ENGINE,
            verdict=verdict,
            reason=why,
            distinct_states=figures.distinct,
            generated_states=figures.generated,
            depth=figures.depth,
            seconds=figures.seconds,
            peak_memory_bytes=peak_memory(),
            engine_bytes=figures.engine_bytes,
            properties={n: self.properties[n] for n in order if n in self.properties},
            violations=tuple(self.violations),
            coverage=dict(zip(actions, figures.coverage, strict=False)),  # room for one at least
            not_checked=self._not_checked(),
            witnesses=self.lengths,
            witness_traces=self.traces,
        )

    def _verdict(self, reason: Reason) -> tuple[Verdict, str]:
        if any(finding.kind in _TRAPS for finding in self.search.findings):
            bounds = [v.message for v in self.violations if v.kind == "bounds"]
            return Verdict.ERROR, "; ".join(bounds)
        if self.violations:
            return Verdict.VIOLATED, ""
        if reason is not Reason.COMPLETE:
            limits = self.options.limits
            return Verdict.INCONCLUSIVE, _REASONS[reason].format(
                max_states=limits.max_states or 0,
                max_depth=limits.max_depth,
                seconds=limits.seconds or 0,
            )
        if self.open:
            return Verdict.INCONCLUSIVE, "; ".join(self.open)
        return Verdict.HOLDS, ""

    def _not_checked(self) -> tuple[str, ...]:
        notes = []
        ir = self.compiled.instance.ir
        asked = names_of(self.compiled.properties, self.compiled.refinements)
        left = [name for name in names_of(ir.properties, ir.refinements) if name not in asked]
        if left:
            notes.append(f"properties not asked for: {', '.join(left)}")
        if not self.options.deadlock:
            notes.append("deadlock")
        if self.search.figures.cut:
            notes.append("what follows states outside the constraint")
        notes.append("liveness: that something happens in the end")
        return tuple(notes)


def check(
    instance: Instance, properties: Sequence[str] | None, symmetry: bool, options: Options
) -> CheckResult:
    """Compile and run a check. See `explore`."""
    options.validate()
    compiled = Compiled.of(instance, properties, symmetry)
    if compiled.symmetric:
        require_symmetry(compiled)
    return Check(compiled, options).run()

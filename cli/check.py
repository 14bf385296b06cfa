"""`quorate check`: a model and settings in; a verdict, traces, JSON and an exit status out."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..language.failures import UsageError
from ..traces.trace import Setting
from .engines import EXPLORE, Limits, answer, require_options
from .outputs import JsonOutput, require_writable
from .registry import Model
from .saving import DEFAULT_TRACE_DIR, file_name, save
from .settings import Settings, full, stored, values
from .status import Status, say, unread

if TYPE_CHECKING:
    from ..checkers.result import CheckResult, Violation
    from ..language.instance import Instance


@dataclass(frozen=True)
class Report:
    """A finished check, with what is needed to print it and to run it again."""

    model: Model
    settings: Settings
    limits: Limits
    parameters: Mapping[str, Setting]
    instance: Instance
    result: CheckResult
    engine: str
    saved: Mapping[str, Path]
    """Property -> where its counterexample was saved."""
    command: str
    not_checked: tuple[str, ...]


class NotSaved(UsageError):
    """Counterexamples could not be written to the folder that was named; the check is finished."""

    def __init__(self, problem: str, report: Report) -> None:
        super().__init__(problem)
        self.report = report


def check(
    model: Model,
    settings: Settings,
    *,
    engine: str = "explore",
    limits: Limits,
    trace_dir: Path | None,
    json: str | None,
) -> Status:
    """Check, print, save. Raises UsageError, SpecErrors before anything is written.

    NotSaved is raised afterwards: what was found is printed all the same.
    """
    require_options(engine, settings, limits)
    output = JsonOutput(json)
    if trace_dir is not None:
        require_writable(trace_dir, f"--trace-dir {trace_dir}", create=True)
    not_saved = None
    try:
        report = run(
            model,
            settings,
            engine=engine,
            limits=limits,
            trace_dir=trace_dir,
            quiet=output.on_stdout,
        )
    except NotSaved as error:
        not_saved, report = error, error.report
    if not output.on_stdout:
        from .present import present

        with unread():
            present(report, sys.stdout)
    output.write(document(report))
    if not_saved is not None:
        raise not_saved
    return status_of(report.result)


def run(
    model: Model,
    settings: Settings,
    *,
    engine: str = EXPLORE,
    limits: Limits,
    trace_dir: Path | None,
    quiet: bool,
) -> Report:
    """Check and save the counterexamples. Raises UsageError, SpecErrors.

    Where no folder was named, counterexamples that cannot be saved are a warning, else NotSaved.
    """
    instance = build(model, settings.parameters, settings.flaws)
    parameters = stored(instance.parameters)
    result = answer(engine, model, instance, settings, limits, quiet=quiet)
    _require_start(model, result)
    command = command_line(model, settings, parameters, limits, engine)
    about: dict[str, Any] = {
        "model": model.name,
        "instance": settings.entry.name if settings.entry else "",
        "parameters": parameters,
        "flaws": settings.flaws,
        "command": command,
    }
    result = dataclasses.replace(
        result,
        violations=tuple(_about(violation, about) for violation in result.violations),
        unproved=tuple(_about(violation, about) for violation in result.unproved),
    )
    names = {
        v.property: file_name(model, settings, parameters, v.property, engine)
        for v in (*result.unproved, *result.violations)
    }
    saved, problem = save(instance, result, names, trace_dir or DEFAULT_TRACE_DIR)
    silent = _silent(model, settings, parameters, result)
    report = Report(
        model, settings, limits, parameters, instance, result, engine, saved, command, silent
    )
    if problem and trace_dir is not None:
        raise NotSaved(f"counterexamples are not saved: {problem}", report)
    if problem:
        say(f"warning: counterexamples are not saved: {problem}; name a folder with --trace-dir")
    return report


def _require_start(model: Model, result: CheckResult) -> None:
    """Raise UsageError where a whole search met no initial state: anything holds of none."""
    from ..checkers.result import Verdict

    if result.depth == 0 and result.verdict in (Verdict.HOLDS, Verdict.VIOLATED):
        raise UsageError(f"{model.name} has no initial state: @start requires what never holds")


def build(model: Model, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> Instance:
    """The instance of a model with its parameters fixed. Raises UsageError, SpecErrors."""
    from ..language import instantiate

    return instantiate(model.spec, values(model, parameters), flaws, model.outside)


def status_of(result: CheckResult) -> Status:
    """The exit status of a verdict. A value outside its bound is a fault of the spec."""
    from ..checkers.result import Verdict

    match result.verdict:
        case Verdict.HOLDS:
            return Status.HOLDS
        case Verdict.VIOLATED:
            return Status.VIOLATED
        case Verdict.INCONCLUSIVE:
            return Status.INCONCLUSIVE
        case Verdict.ERROR:
            return Status.USAGE


def command_line(
    model: Model,
    settings: Settings,
    parameters: Mapping[str, Setting],
    limits: Limits,
    engine: str = EXPLORE,
) -> str:
    """The command that does this check again."""
    words = ["quorate", "check", model.name]
    entry, given = settings.entry, settings.given
    if entry is not None:
        words += ["--instance", entry.name]
    # Without an instance, what the first one gives is said too: its place may change.
    said = settings.parameters if entry is None else given.parameters
    for name, value in parameters.items():
        if name in said:
            words += ["--set", f"{name}={str(value).lower()}"]
    for flaw in given.flaws:
        words += ["--flaw", flaw]
    for name in given.properties:
        words += ["--property", name]
    if engine != EXPLORE:
        words += ["--engine", engine]
    elif settings.symmetry is not None and not (entry and settings.symmetry is entry.symmetry):
        words.append("--symmetry" if settings.symmetry else "--no-symmetry")
    for option in ("max_states", "max_depth", "time_limit", "k"):
        limit = getattr(limits, option)
        if limit is not None:
            words += ["--" + option.replace("_", "-"), str(limit)]
    return shlex.join(words)


def chosen(model: Model, parameters: Mapping[str, Setting]) -> dict[str, Setting]:
    """The parameters that are not as the spec has them by default."""
    usual = full(model, {})
    return {name: value for name, value in parameters.items() if value != usual[name]}


def document(report: Report) -> dict[str, Any]:
    """The JSON object of a check."""
    entry, result = report.settings.entry, report.result
    about: dict[str, Any] = {
        "model": report.model.name,
        "instance": entry.name if entry else None,
        "parameters": dict(report.parameters),
        "flaws": list(report.settings.flaws),
        "workers": report.limits.workers,
        "command": report.command,
    }
    return _document(about, result, report.saved, report.not_checked)


def interrupted(
    model: str,
    instance: str | None,
    flaws: Sequence[str],
    workers: int,
    json: str | None,
    engine: str = EXPLORE,
) -> None:
    """Write the JSON object of a check that was interrupted before it searched, or afterwards.

    `model` and `flaws` are as they were given: what they stand for may not be known yet.
    """
    from ..checkers.result import CheckResult, Verdict

    about: dict[str, Any] = {
        "model": model,
        "instance": instance,
        "parameters": {},
        "flaws": list(flaws),
        "workers": workers,
        "command": None,
    }
    result = CheckResult(
        engine=engine,
        verdict=Verdict.INCONCLUSIVE,
        reason="interrupted",
        distinct_states=0 if engine == EXPLORE else None,
        generated_states=0 if engine == EXPLORE else None,
        depth=0,
        seconds=0.0,
        peak_memory_bytes=0,
        engine_bytes=0,
        properties={},
        violations=(),
        coverage={},
    )
    JsonOutput(json).write(_document(about, result, {}, ["everything: interrupted"]))


def _document(
    about: Mapping[str, Any],
    result: CheckResult,
    saved: Mapping[str, Path],
    not_checked: Sequence[str],
) -> dict[str, Any]:
    counted = result.distinct_states is not None and result.seconds > 0
    rate = (result.distinct_states or 0) / result.seconds if counted else None
    return {
        "model": about["model"],
        "instance": about["instance"],
        "parameters": about["parameters"],
        "flaws": about["flaws"],
        "engine": result.engine,
        "workers": about["workers"],
        "verdict": result.verdict.value,
        "reason": result.reason or None,
        "distinct_states": result.distinct_states,
        "generated_states": result.generated_states,
        "depth": result.depth,
        "seconds": result.seconds,
        "states_per_second": rate,
        "peak_memory_bytes": result.peak_memory_bytes,
        "engine_bytes": result.engine_bytes,
        "properties": {name: verdict.value for name, verdict in result.properties.items()},
        "violations": [_described(violation, saved) for violation in result.violations],
        "unproved": [_described(violation, saved) for violation in result.unproved],
        "assumptions": list(result.assumptions),
        "obligations": [dataclasses.asdict(one) for one in result.obligations],
        "queries": [dataclasses.asdict(one) for one in result.queries],
        "witnesses": dict(result.witnesses),
        "coverage": dict(result.coverage),
        "not_checked": list(not_checked),
        "command": about["command"],
    }


def _described(violation: Violation, saved: Mapping[str, Path]) -> dict[str, Any]:
    return {
        "property": violation.property,
        "kind": violation.kind,
        "length": None if violation.trace is None else len(violation.trace),
        "trace": str(saved[violation.property]) if violation.property in saved else None,
        "message": violation.message,
    }


def _silent(
    model: Model, settings: Settings, parameters: Mapping[str, Setting], result: CheckResult
) -> tuple[str, ...]:
    """What the run says nothing about: the engine's list, and what the settings left out."""
    from ..checkers.result import Verdict

    notes = list(result.not_checked)
    bound = {n: value for n, value in parameters.items() if n not in result.any_value}
    if bound:
        given = ", ".join(f"{name}={str(value).lower()}" for name, value in bound.items())
        notes.append(f"other parameters than {given}")
    if result.verdict is Verdict.INCONCLUSIVE and not result.obligations:
        notes.append(f"states not reached yet: {result.reason}")
    elif any(violation.trace is not None for violation in result.violations):
        notes.append(
            f"states beyond depth {result.depth}: the search ends where it finds something"
        )
    idle = [action for action, times in result.coverage.items() if not times]
    if idle:
        notes.append(f"actions never taken: {', '.join(idle)}")
    if model.flaws and not settings.flaws:
        notes.append(f"the flaws: {', '.join(model.flaws)}")
    return tuple(notes)


def _about(violation: Violation, about: Mapping[str, Any]) -> Violation:
    """A violation whose trace says where it comes from, as only the command line knows."""
    if violation.trace is None:
        return violation
    meta = violation.trace.meta
    versions = {
        **meta.versions,
        "quorate": importlib.metadata.version("quorate"),
        "python": platform.python_version(),
    }
    meta = dataclasses.replace(meta, versions=versions, **about)
    return dataclasses.replace(violation, trace=dataclasses.replace(violation.trace, meta=meta))

"""`quorate replay`: traces run again on their spec, and then on an implementation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..language.diagnostics import SpecErrors
from ..language.failures import UsageError
from ..language.instance import Instance
from ..traces import itf
from ..traces.adapter import Adapter
from ..traces.continuation import goes_on
from ..traces.document import Document, read_document
from ..traces.replay import ReplayResult, follow, replay
from ..traces.show import step_text
from ..traces.trace import Outcome, Trace, TraceError, TraceMeta
from .check import build, chosen
from .outputs import JsonOutput, stdout_is_ours
from .registry import Model, find
from .status import Status, say, unread

SUFFIX = ".itf.json"
CORRECT = "/correct"
"""Behind the name of an implementation: without the flaws that the trace switches on."""

_GRAVITY = (
    Status.INTERNAL,
    Status.USAGE,
    Status.VIOLATED,
    Status.INCONCLUSIVE,
    Status.HOLDS,
)


@dataclass(frozen=True)
class Loaded:
    """A trace with the model and the instance that it belongs to."""

    path: Path
    model: Model
    instance: Instance
    trace: Trace


def replay_all(traces: Iterable[Path], *, against: str | None, json: str | None) -> Status:
    """Replay each trace; one that cannot be used does not keep the others from being replayed.

    The exit status is that of the gravest. Raises UsageError.
    """
    output = JsonOutput(json)
    paths = list(_files(traces))
    documents: list[dict[str, Any]] = []
    statuses = []
    said: set[str] = set()
    for number, path in enumerate(paths):
        try:
            loaded = load(path)
            result = run(loaded, against)
        except KeyboardInterrupt:
            say("interrupted: inconclusive")
            documents += _unfinished(paths[number:])
            statuses.append(Status.INCONCLUSIVE)
            break
        except (UsageError, SpecErrors) as error:
            if str(error) not in said:  # as a wrong --against, which every trace would repeat
                say(str(error) if isinstance(error, SpecErrors) else f"error: {error}")
            said.add(str(error))
            statuses.append(Status.USAGE)
            documents.append({"trace": str(path), "outcome": "error", "reason": str(error)})
            continue
        if not output.on_stdout:
            with unread():
                _print(loaded, result, against)
        statuses.append(status_of(result))
        documents.append(describe(loaded, result, against))
    status = next(s for s in _GRAVITY if s in statuses)
    output.write(_document(documents, against, status))
    return status


def interrupted(traces: Iterable[Path], against: str | None, json: str | None) -> None:
    """Write the JSON object of a replay that was interrupted before it began."""
    documents = _unfinished(traces)
    JsonOutput(json).write(_document(documents, against, Status.INCONCLUSIVE))


def _unfinished(paths: Iterable[Path]) -> list[dict[str, Any]]:
    outcome = Outcome.INCONCLUSIVE.value
    return [{"trace": str(p), "outcome": outcome, "reason": "interrupted"} for p in paths]


def _document(
    documents: list[dict[str, Any]], against: str | None, status: Status
) -> dict[str, Any]:
    return {"traces": documents, "against": against, "status": int(status)}


def load(path: Path) -> Loaded:
    """Read a trace and build its instance. Raises UsageError (TraceError), SpecErrors."""
    document = read_document(path)
    header = document.required_header()
    try:
        model = _model(header, path)
    except TraceError:
        raise
    except UsageError as error:
        raise TraceError(f"{path}: {error}") from None
    for flaw in header.flaws:
        if flaw not in model.flaws:
            raise TraceError(f"{path}: {model.name} has no flaw {flaw!r} (any more)")
    try:
        instance = build(model, header.parameters, header.flaws)
    except UsageError as error:
        raise TraceError(f"{path}: {error}") from None
    return Loaded(path, model, instance, _decode(document, instance))


def run(loaded: Loaded, against: str | None) -> ReplayResult:
    """Replay on the spec and, where one is named, on an implementation. Raises UsageError."""
    adapter, flaws = None, loaded.trace.meta.flaws
    if against is not None:
        name = against.removesuffix(CORRECT)
        flaws = flaws if name == against else ()
        adapter = loaded.model.adapter(name)
    with stdout_is_ours():
        result = replay(
            loaded.trace,
            loaded.instance.reference(),
            adapter,
            ir=loaded.instance.ir,
            universe=loaded.instance.universe,
            flaws=flaws,
        )
        stuck = loaded.trace.meta.property_kind == "always_possible" and not flaws
        if adapter is None or not stuck or result.outcome is not Outcome.INCONCLUSIVE:
            return result
        return _gone_on(loaded, adapter, result)


def _gone_on(loaded: Loaded, adapter: Adapter, result: ReplayResult) -> ReplayResult:
    """Where the flaw only gets the design stuck: does the correct code go on?"""
    trace = loaded.trace
    correct = build(loaded.model, trace.meta.parameters, ())
    longer = goes_on(trace, correct.evaluator(), correct.ir)
    if longer is None:
        return result
    followed = follow(longer, adapter, ir=correct.ir, flaws=())
    if followed.outcome is not Outcome.REPRODUCED:
        note = f"nor does it go on as the spec without flaws does: {followed.reason}"
        return replace(result, notes=(*result.notes, note))
    steps = ", ".join(step_text(one) for one in longer.labels[len(trace.labels) :])
    reason = f"all steps agree, but the implementation goes on to {trace.meta.property}: {steps}"
    return replace(result, outcome=Outcome.NOT_REPRODUCED, reason=reason)


def status_of(result: ReplayResult) -> Status:
    """The exit status of one replay: 0 as the trace expects, 1 diverged, 3 not decided."""
    if result.as_expected:
        return Status.HOLDS
    match result.outcome:
        case Outcome.INCONCLUSIVE:
            return Status.INCONCLUSIVE
        case Outcome.ADAPTER_ERROR:
            return Status.USAGE
        case _:
            return Status.VIOLATED


def describe(loaded: Loaded, result: ReplayResult, against: str | None) -> dict[str, Any]:
    """One replay as JSON data."""
    meta = loaded.trace.meta
    return {
        "trace": str(loaded.path),
        "model": meta.model,
        "parameters": dict(meta.parameters),
        "flaws": list(meta.flaws),
        "property": meta.property,
        "length": len(loaded.trace),
        "against": against,
        "outcome": result.outcome.value,
        "expected": result.expected.value,
        "as_expected": result.as_expected,
        "on": result.on,
        "step": result.step,
        "label": None if result.label is None else step_text(result.label),
        "reason": result.reason,
        "steps": result.steps,
        "diff": list(result.diff),
        "why_not": [] if result.why_not is None else list(result.why_not.lines()),
        "control": None if result.control is None else result.control.value,
        "notes": list(result.notes),
    }


def _files(given: Iterable[Path]) -> Iterator[Path]:
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob(f"*{SUFFIX}"))
        if not found:
            raise UsageError(f"{path}: no traces (*{SUFFIX}) in this folder")
        yield from found


def _model(header: TraceMeta, path: Path) -> Model:
    """The model of a trace; a file is looked for from here, and from where the trace is."""
    place, colon, name = header.model.rpartition(":")
    if not colon or Path(place).is_file() or not place.endswith(".py"):
        return find(header.model)
    # Traces are written to a folder beside the spec unless another one is named.
    for folder in (path.parent, path.absolute().parent.parent):
        for candidate in (folder / place, folder / Path(place).name):
            if candidate.is_file():
                return find(f"{candidate}:{name}")
    where = "neither here nor beside the trace, nor one folder up from it"
    raise TraceError(f"{path}: its spec {header.model} is {where}")


def _decode(document: Document, instance: Instance) -> Trace:
    return itf.decode(document, instance.ir, instance.universe)


def _print(loaded: Loaded, result: ReplayResult, against: str | None) -> None:
    import typer

    meta = loaded.trace.meta
    settings = [f"{k}={str(v).lower()}" for k, v in chosen(loaded.model, meta.parameters).items()]
    about = " ".join([meta.model, *settings, *(f"+{flaw}" for flaw in meta.flaws)])
    claim = f": {meta.property} ({meta.property_kind})" if meta.property else ""
    colour = {Status.HOLDS: "green", Status.INCONCLUSIVE: "yellow"}.get(status_of(result), "red")
    word = result.outcome.value.replace("_", " ")
    typer.echo(f"{loaded.path}\n  {about}{claim}, {len(loaded.trace)} states")
    typer.secho(f"  {word}", fg=colour, bold=True, nl=False)
    # What a trace expects is said of an implementation with the trace's flaws.
    correct = against is not None and against.endswith(CORRECT)
    expected = "" if result.as_expected or correct else f" (expected: {result.expected.value})"
    side = against if against is not None and result.on == "implementation" else result.on
    place = f" at step {result.step}" + (f", {step_text(result.label)}" if result.label else "")
    typer.echo(f" on {side}{place}{expected}\n    {result.reason}")
    for line in (*result.diff, *(result.why_not.lines() if result.why_not else ()), *result.notes):
        typer.echo(f"    {line}")

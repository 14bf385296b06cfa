"""A finished check for a person: verdict, figures, properties, coverage, counterexample."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import IO

from rich.console import Console
from rich.text import Text

from ..checkers.result import CheckResult, Verdict, Violation
from ..traces.render import console_for, render
from .check import Report, chosen
from .expectations import surprises
from .progress import size

_STYLE = {
    Verdict.HOLDS: "bold green",
    Verdict.VIOLATED: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.ERROR: "bold magenta",
}
_GOOD = {"holds", "reached"}


def present(report: Report, file: IO[str]) -> None:
    """Print the report. Colours only on a terminal."""
    console = console_for(file)
    result = report.result
    console.print(_title(report))
    console.print(_verdict(report))
    console.print(Text(figures(result)))
    for lines in (_properties(report), _coverage(result)):
        for line in lines:
            console.print(line)
    for line in _obligations(result):
        console.print(line)
    if result.assumptions:
        console.print(Text("\nassumptions and evidence", style="bold"))
        for assumption in result.assumptions:
            console.print(Text(f"  {assumption}"))
    for violation in (*result.unproved, *result.violations):
        _counterexample(report, violation, console)
    if report.not_checked:
        console.print(Text("\nnot checked", style="bold"))
        for note in report.not_checked:
            console.print(Text(f"  {note}"))


def _title(report: Report) -> Text:
    title = Text(report.model.name, style="bold")
    for name, value in chosen(report.model, report.parameters).items():
        title.append(f" {name}={str(value).lower()}", style="not bold")
    for flaw in report.settings.flaws:
        title.append(f" +{flaw}", style="red")
    if report.settings.entry is not None:
        title.append(f"  (instance {report.settings.entry.name})", style="dim")
    return title


def _verdict(report: Report) -> Text:
    result = report.result
    text = Text(result.verdict.value, style=_STYLE[result.verdict])
    match result.verdict:
        case Verdict.HOLDS:
            text.append(f": {result.covered}", style="default not bold")
        case Verdict.ERROR:
            text.append(f": {result.reason}", style="not bold")
        case Verdict.VIOLATED:
            broken = ", ".join(dict.fromkeys(v.property for v in result.violations))
            text.append(f": {broken}", style="not bold")
            if _expected(report):
                text.append(", as the manifest expects", style="default not bold")
        case Verdict.INCONCLUSIVE:
            text.append(f": {result.reason}", style="default not bold")
    for surprise in _surprises(report):
        text.append(f"\nnot as the manifest says: {surprise}", style="bold yellow")
    return text


def _expected(report: Report) -> bool:
    """Whether the manifest says that this instance is violated, and in this way."""
    entry = report.settings.entry
    if entry is None or not report.settings.unchanged or _surprises(report):
        return False
    return entry.violates in {v.property for v in report.result.violations}


def _surprises(report: Report) -> list[str]:
    """How an instance differs from what its manifest says of it, where it was checked as it is."""
    settings, entry = report.settings, report.settings.entry
    if entry is None or not settings.unchanged or settings.symmetry is not entry.symmetry:
        return []
    if report.result.verdict is Verdict.INCONCLUSIVE:  # a limit, which is said
        return []
    return surprises(entry, report.result)


def figures(result: CheckResult) -> str:
    """The figures of a search as one line."""
    if result.distinct_states is None or result.generated_states is None:
        return _queried(result)
    rate = result.distinct_states / result.seconds if result.seconds > 0 else 0
    return (
        f"{result.distinct_states:,} distinct states, {result.generated_states:,} generated, "
        f"depth {result.depth}, {result.seconds:.2f} s ({rate:,.0f}/s), "
        f"{size(result.peak_memory_bytes)}"
    )


def _queried(result: CheckResult) -> str:
    """The figures of an engine that asks a solver."""
    told = [f"{len(result.queries):,} queries", f"{result.seconds:.2f} s"]
    if result.depth:
        told.insert(0, f"depth {result.depth}")
    if result.queries:
        asked = sum(query.seconds for query in result.queries)
        slowest = max(result.queries, key=lambda query: query.seconds)
        told[-1] += f" ({asked:.2f} s in the solver"
        told[-1] += f"; the slowest {slowest.seconds:.2f} s: {slowest.purpose}, {slowest.answer})"
    return ", ".join([*told, size(result.peak_memory_bytes)])


def _properties(report: Report) -> Iterator[Text]:
    found = report.result.properties
    lengths = dict(report.result.witnesses)
    lengths |= {v.property: len(v.trace) for v in report.result.violations if v.trace}
    width = max((len(name) for name in found), default=0)
    if found:
        yield Text("\nproperties", style="bold")
    for name, verdict in found.items():
        info = report.model.properties.get(name)
        line = Text(f"  {name:<{width}}  ")
        line.append(verdict.value, style="green" if verdict.value in _GOOD else "red")
        if name in lengths:
            line.append(f" in {lengths[name]} states")
        if info is not None and info.text:
            line.append(f"  {info.text}", style="dim")
        yield line


def _obligations(result: CheckResult) -> Iterator[Text]:
    """What a proof consists of, by conjunct: which actions do not keep it."""
    if not result.obligations:
        return
    yield Text("\nconjuncts", style="bold")
    conjuncts = dict.fromkeys((one.property, one.conjunct, one.place) for one in result.obligations)
    width = max(len(name) for name, _, _ in conjuncts)
    for key in conjuncts:
        of_it = [o for o in result.obligations if (o.property, o.conjunct, o.place) == key]
        open_ = [(o.action or "the start", o.answer) for o in of_it if o.answer != "proved"]
        name, text, place = key
        line = Text(f"  {name:<{width}}  ")
        if not open_:
            line.append("proved", style="green")
        for action, answer in open_:
            told = f"broken by {action}" if answer == "failed" else f"not decided for {action}"
            line.append(f"{', ' if action != open_[0][0] else ''}{told}", style="red")
        line.append(f"  {text}  ({place})", style="dim")
        yield line


def _coverage(result: CheckResult) -> Iterator[Text]:
    if not result.coverage:
        return
    yield Text("\nsteps taken", style="bold")
    width = max(len(name) for name in result.coverage)
    digits = max(len(f"{times:,}") for times in result.coverage.values())
    for name, times in result.coverage.items():
        yield Text(f"  {name:<{width}}  {times:>{digits},}")
    idle = [name for name, times in result.coverage.items() if not times]
    if idle:
        actions = idle[0] if len(idle) == 1 else f"{len(idle)} actions"
        yield Text(f"  warning: {actions} never taken", style="yellow")


def _counterexample(report: Report, violation: Violation, console: Console) -> None:
    console.print()
    if violation.trace is None:
        console.print(Text(f"{violation.property}: {violation.message}", style="bold red"))
        return
    render(violation.trace, console)
    for line in _next(report, violation):
        console.print(Text(line))


def _next(report: Report, violation: Violation) -> Iterable[str]:
    """What to do with the counterexample."""
    path = report.saved.get(violation.property)
    yield f"\ncheck again: {report.command}"
    if path is None:
        return
    yield f"trace:       {path}"
    known = [e.name for e in report.model.manifest.implementations] if report.model.manifest else []
    against = f" --against {known[0]}" if known else ""
    yield f"replay:      quorate replay {shlex.quote(str(path))}{against}"

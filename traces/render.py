"""Traces on a terminal: what each step changed, and who did it to whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import StringIO
from typing import IO

from rich.console import Console
from rich.text import Text

from ..language.ir.nodes import Kind
from .compare import Difference, state_differences
from .events import Event, Participants, events, lanes
from .show import show, step_text
from .trace import Trace

OLD, NEW, STEP, FAINT, BAD = "red", "green", "bold cyan", "dim", "bold red"


class _Console(Console):
    """A console that leaves a broken pipe to its user, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise  # called where the error is handled: it goes on


def console_for(file: IO[str]) -> Console:
    """A console that writes no control codes unless to a terminal, and none with NO_COLOR."""
    colour = file.isatty() and not os.environ.get("NO_COLOR")
    return _Console(
        file=file,
        color_system="auto" if colour else None,
        force_terminal=colour,
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def render(
    trace: Trace,
    console: Console,
    *,
    participants: Participants | None = None,
    full: bool = False,
) -> None:
    """Print a trace: header, steps, diagram, claim. `full` shows unchanged variables too."""
    unicode = (console.encoding or "").lower().startswith("utf")
    for line in (*_header(trace), *_steps(trace, full), *_diagram(trace, participants, unicode)):
        if not unicode:
            line = _ascii(line)
        console.print(line, soft_wrap=True)


def render_text(
    trace: Trace, *, participants: Participants | None = None, full: bool = False
) -> str:
    """The trace as plain text."""
    out = StringIO()
    console = Console(file=out, color_system=None, force_terminal=False, width=1000)
    render(trace, console, participants=participants, full=full)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def _header(trace: Trace) -> Iterator[Text]:
    meta = trace.meta
    title = Text(meta.model or "trace", style="bold")
    if meta.instance:
        title.append(f" {meta.instance}", style="bold")
    settings = [f"{name}={value}" for name, value in meta.parameters.items()]
    if settings:
        title.append(f" ({', '.join(settings)})")
    if meta.flaws:
        title.append(f" with flaw {', '.join(meta.flaws)}", style=OLD)
    yield title
    if trace.claim:
        yield Text(f"{len(trace)} states; {trace.claim}", style=BAD)
    else:
        yield Text(f"{len(trace)} states")
    if meta.note:
        yield Text(meta.note)


# -- steps ----------------------------------------------------------------------------------------


def _steps(trace: Trace, full: bool) -> Iterator[Text]:
    yield Text("")
    anywhere = trace.meta.property_kind == "inductive"
    yield Text("a state" if anywhere else "initial state", style=STEP)
    width = max((len(name) for name in trace.variables), default=0)
    for name, value in trace.named(0).items():
        yield Text(f"  {name:<{width}}  {show(value)}")
    for index, label in enumerate(trace.labels, start=1):
        yield Text.assemble((f"{index:>3}  ", FAINT), (step_text(label), STEP), _kind(label.kind))
        yield from _changes(trace, index, full)
    if trace.meta.trap is not None:
        step = step_text(trace.meta.trap.label)
        yield Text.assemble((f"{len(trace):>3}  ", FAINT), (step, BAD))
        yield Text(f"     {trace.meta.trap.trap.message}", style=BAD)
    if trace.loop is not None:
        yield Text(f"     back to state {trace.loop}", style=BAD)


def _kind(kind: Kind) -> Text:
    return Text("" if kind is Kind.INTERNAL else f"  {kind.value}", style=FAINT)


def _changes(trace: Trace, index: int, full: bool) -> Iterator[Text]:
    before, after = trace.named(index - 1), trace.named(index)
    found = state_differences(before, after)
    width = max((len(one.field) for one in found), default=0)
    for one in found:
        yield _change(one, width)
    if not found:
        yield Text("       nothing changed", style=FAINT)
    if full:
        for name, value in after.items():
            if before[name] == value:
                yield Text(f"       {name} = {show(value)}", style=FAINT)


def _change(found: Difference, width: int) -> Text:
    line = Text(f"       {found.field:<{width}}  ")
    if not found.elements and found.left and found.right:
        line.append(found.left[0], style=OLD)
        line.append(" → ")
        line.append(found.right[0], style=NEW)
        return line
    parts = [(f"- {one}", OLD) for one in found.left] + [(f"+ {one}", NEW) for one in found.right]
    for position, (text, style) in enumerate(parts):
        line.append("\n" + " " * (width + 9) if position else "")
        line.append(text, style=style)
    return line


# -- the diagram ----------------------------------------------------------------------------------


def _diagram(trace: Trace, participants: Participants | None, unicode: bool) -> Iterator[Text]:
    labels = [*trace.labels]
    if trace.meta.trap is not None:
        labels.append(trace.meta.trap.label)
    if not labels:
        return
    found = events(labels, participants)
    names = lanes(found)
    width = max(8, *(len(name) + 2 for name in names))
    yield Text("")
    yield Text("     " + "".join(name.center(width) for name in names).rstrip(), style="bold")
    down: set[str] = set()
    for number, event in enumerate(found, start=1):
        failing = bool(trace.claim) and number == len(found)
        style = BAD if failing else ""
        row = _row(event, names, width, down)
        yield Text.assemble((f"{number:>3}  ", FAINT), (row, style), "  ", (event.text, style))
        if event.kind is Kind.CRASH:
            down.add(event.target)
        elif event.kind is Kind.RESTART:
            down.discard(event.target)


def _row(event: Event, names: list[str], width: int, down: set[str]) -> str:
    """One line of the life lines, with the mark of an event or the arrow of a message."""
    cells = [" "] * (width * len(names))
    centre = {name: position * width + (width - 1) // 2 for position, name in enumerate(names)}
    for name, column in centre.items():
        cells[column] = "┆" if name in down else "│"
    target = centre[event.target]
    if event.source is None:
        cells[target] = _MARKS.get(event.kind, "●")
        return "".join(cells)
    source = centre[event.source]
    for column in range(min(source, target) + 1, max(source, target)):
        cells[column] = "─"
    if event.kind is Kind.DROP:
        cells[(source + target) // 2] = "✗"
        return "".join(cells)
    cells[source] = "├" if source < target else "┤"
    cells[target] = "▶" if source < target else "◀"
    return "".join(cells)


_MARKS = {Kind.CRASH: "✗", Kind.RESTART: "○", Kind.TIMEOUT: "◷"}
_ASCII = str.maketrans(
    {
        **dict.fromkeys("│├┤", "|"),
        "┆": ":",
        "─": "-",
        "▶": ">",
        "◀": "<",
        "●": "*",
        "○": "o",
        "◷": "t",
        "✗": "x",
        "→": "->",
    }
)


def _ascii(line: Text) -> Text:
    """The line for a terminal that is not Unicode; arrows grow, so styles are given up."""
    return Text(line.plain.translate(_ASCII).encode("ascii", "replace").decode("ascii"))

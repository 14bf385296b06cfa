"""A trace as a Mermaid `sequenceDiagram`, for issues, pull requests and step summaries."""

from __future__ import annotations

import re

from ..language.ir.nodes import Kind
from .events import Event, Participants, events, lanes
from .trace import Trace

LIMIT = 60
"""Arrows and notes that a reader, and GitHub, can take in."""

_SAFE = re.compile(r"[^\w .,=()\[\]:+*/'!?|-]", re.ASCII)
_END = re.compile(r"\bend\b", re.IGNORECASE)
_RED = "rgb(255, 214, 214)"


def mermaid(trace: Trace, *, participants: Participants | None = None, limit: int = LIMIT) -> str:
    """The diagram's text. Beyond `limit` steps the middle is left out, and a note says so.

    The last step is in a red box, with what the trace shows.
    """
    labels = [*trace.labels]
    if trace.meta.trap is not None:
        labels.append(trace.meta.trap.label)
    found = events(labels, participants)
    names = lanes(found) or ["system"]
    keys = {name: f"p{position}" for position, name in enumerate(names)}
    across = f"{keys[names[0]]},{keys[names[-1]]}" if len(names) > 1 else keys[names[0]]
    lines = ["sequenceDiagram"]
    lines += [f"    participant {keys[name]} as {escape(name)}" for name in names]
    steps = [_line(event, number, keys) for number, event in enumerate(found, start=1)]
    last, steps = steps[-1:], steps[:-1]
    room = max(2, limit - 2)
    if len(steps) > room:
        first, rest = room // 2, room - room // 2
        note = f"    Note over {across}: {len(steps) - room} steps left out"
        steps = [*steps[:first], note, *steps[len(steps) - rest :]]
    lines += steps
    if not trace.claim:
        return "\n".join([*lines, *last]) + "\n"
    lines.append(f"    rect {_RED}")
    lines += [f"    {line}" for line in last]
    lines.append(f"        Note over {across}: {escape(trace.claim)}")
    lines.append("    end")
    return "\n".join(lines) + "\n"


def _line(event: Event, number: int, keys: dict[str, str]) -> str:
    text = escape(f"{number}. {event.text}")
    target = keys[event.target]
    if event.source is None:
        return f"    Note over {target}: {text}"
    arrow = "-x" if event.kind is Kind.DROP else "->>"
    return f"    {keys[event.source]}{arrow}{target}: {text}"


def escape(text: str) -> str:
    """Text that Mermaid shows as it is: what has a meaning to it becomes a character code."""
    flat = " ".join(text.split())
    coded = _SAFE.sub(lambda match: f"#{ord(match[0])};", flat)
    return _END.sub(lambda match: f"#{ord(match[0][0])};{match[0][1:]}", coded)

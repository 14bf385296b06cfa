"""Traces for people: the terminal and Mermaid."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from quorate.language.ir.nodes import Kind
from quorate.language.ir.types import Sort
from quorate.language.labels import Label
from quorate.language.values import Node
from quorate.tests.traces.support import UNIVERSE, VOTE, disagreement, run
from quorate.traces import Trace, TraceMeta, itf
from quorate.traces.document import parse_document
from quorate.traces.events import Event, derive, events, lanes
from quorate.traces.generic import as_trace
from quorate.traces.mermaid import escape, mermaid
from quorate.traces.render import console_for, render, render_text
from quorate.traces.show import GenericRecord

RM1, RM2 = UNIVERSE.nodes["rms"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# -- steps -----------------------------------------------------------------------------------------


def lines_of_step(text: str, number: int) -> list[str]:
    """The lines below a step."""
    lines = text.split("\n\n")[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{number:>3}  "))
    rest = lines[start + 1 :]
    stop = next((i for i, line in enumerate(rest) if not line.startswith("       ")), len(rest))
    return [line.strip() for line in rest[:stop]]


def test_a_step_shows_what_it_changed_down_to_keys_and_elements() -> None:
    text = render_text(disagreement())
    assert lines_of_step(text, 1) == [
        "phase[rm1]  WORKING → PREPARED",
        "messages    + Prepared(rm=rm1)",
    ]
    assert lines_of_step(text, 2) == ["votes[rm1]  None → True"]
    assert "7 states; agree is violated in the last state" in text


def test_full_shows_the_unchanged_too() -> None:
    assert "round = 1" not in render_text(disagreement())
    assert "votes = {rm1: True, rm2: None}" in lines_of_step(
        render_text(disagreement(), full=True), 3
    )


def test_a_step_that_changes_nothing_says_so() -> None:
    text = render_text(run(["prepare(rm1)", "receive", "receive"]))
    assert lines_of_step(text, 3) == ["nothing changed"]


def test_every_trace_of_ours_is_shown_alike_without_its_spec() -> None:
    trace = disagreement()
    document = itf.render_json(itf.encode(trace, VOTE, UNIVERSE))
    loose = as_trace(parse_document(document, "t.itf.json"))
    assert lines_of_step(render_text(loose), 1) == lines_of_step(render_text(trace), 1)


def test_a_trace_of_another_tool_is_shown() -> None:
    states = [{"x": {"#bigint": "1"}, "r": {"a": [True]}}, {"x": 2, "r": {"a": [False]}}]
    loose = as_trace(parse_document(json.dumps({"vars": ["x", "r"], "states": states}), "t"))
    assert lines_of_step(render_text(loose), 1) == ["x       1 → 2", "r.a[0]  True → False"]


def test_elements_that_come_and_go_have_a_line_each() -> None:
    states = [{"x": {"#set": ["a", "b"]}}, {"x": {"#set": ["b", "c", "d"]}}]
    loose = as_trace(parse_document(json.dumps({"vars": ["x"], "states": states}), "t"))
    assert lines_of_step(render_text(loose), 1) == ["x  - a", "+ c", "+ d"]


# -- control codes ---------------------------------------------------------------------------------


def written_to(file: io.StringIO) -> str:
    render(disagreement(), console_for(file))
    return file.getvalue()


def test_colour_goes_to_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31mWORKING" in written_to(Terminal())
    assert "\x1b" not in written_to(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in written_to(Terminal())


def test_a_terminal_without_unicode_gets_ascii() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="latin-1")
    render(disagreement(), Console(file=file, color_system=None, width=200))
    file.flush()
    text = raw.getvalue().decode("ascii")
    assert "WORKING -> PREPARED" in text
    assert "<-------|" in text


# -- events ----------------------------------------------------------------------------------------


def delivered(message: object, *nodes: Node) -> Event:
    parameters = (("message", message), *((f"n{i}", node) for i, node in enumerate(nodes)))
    return derive(Label("receive", Kind.DELIVER, parameters))


def record(**fields: object) -> GenericRecord:
    return GenericRecord("M", tuple(fields.items()))


@pytest.mark.parametrize(
    ("message", "nodes", "ends"),
    [
        (record(source=RM1, target=RM2), (), ("rm1", "rm2")),
        (record(receiver=RM2, sender=RM1, round=3), (), ("rm1", "rm2")),
        (record(source=RM1), (RM2,), ("rm1", "rm2")),
        (record(source=RM1), (), ("rm1", "system")),
        (record(target=RM1), (), ("system", "rm1")),
        (record(rm=RM1), (), ("rm1", "system")),
        (record(rm=RM1), (RM2,), ("rm1", "rm2")),
        (record(), (RM2,), ("system", "rm2")),
        (record(), (), (None, "system")),
        (record(source=RM1, target=RM1), (), (None, "rm1")),
    ],
)
def test_the_ends_of_a_message_follow_from_its_fields(
    message: object, nodes: tuple[Node, ...], ends: tuple[str | None, str]
) -> None:
    event = delivered(message, *nodes)
    assert (event.source, event.target) == ends


@pytest.mark.parametrize("kind", [Kind.DELIVER, Kind.DROP])
def test_the_ends_of_a_message_may_be_named_by_the_step(kind: Kind) -> None:
    ends = (("sender", RM2), ("to", RM1))  # as the steps of a FIFO network have them
    for message in ((), (("message", record(round=3)),), (("message", record(rm=RM2)),)):
        event = derive(Label("receive", kind, (*ends, *message)))
        assert (event.source, event.target) == ("rm2", "rm1")


def test_a_step_that_delivers_nothing_is_at_its_node() -> None:
    assert derive(Label("prepare", Kind.INTERNAL, (("rm", RM2),))).target == "rm2"
    assert derive(Label("decide", Kind.TIMEOUT)) == Event("system", "decide()", Kind.TIMEOUT)


def test_the_caller_may_tell_the_participants() -> None:
    def coordinator(label: Label) -> Event | None:
        if label.action != "decide":
            return None
        return Event("coordinator", "decides", label.kind)

    trace = disagreement()
    assert lanes(events(trace.labels, coordinator)) == ["system", "coordinator", "rm1", "rm2"]
    assert "coordinator" in render_text(trace, participants=coordinator)
    assert "Note over p1: 3. decides" in mermaid(trace, participants=coordinator)


def test_processes_are_ordered_by_number() -> None:
    sort = Sort("ps", 12)
    labels = [Label("go", Kind.INTERNAL, (("p", Node(sort, i)),)) for i in (10, 1, 0)]
    assert lanes(events(labels)) == ["p1", "p2", "p11"]


def diagram(trace: Trace) -> list[str]:
    return render_text(trace).split("\n\n")[2].splitlines()


def test_the_diagram_draws_events_and_messages() -> None:
    rows = [row[5:29].rstrip() for row in diagram(disagreement())]
    assert rows == [
        " system   rm1     rm2",
        "   │       ●       │",
        "   ◀───────┤       │",
        "   ◷       │       │",
        "   ◷       │       │",
        "   ├───────▶       │",
        "   ├───────────────▶",
    ]


def made_of(*labels: Label, meta: TraceMeta | None = None) -> Trace:
    return Trace((), ((),) * (len(labels) + 1), labels, meta or TraceMeta("any"))


def test_the_diagram_shows_crashes_and_losses() -> None:
    rm = (("rm", RM1),)
    lost = (("message", record(source=RM1, target=RM2)),)
    rows = diagram(
        made_of(
            Label("crash", Kind.CRASH, rm),
            Label("lose", Kind.DROP, lost),
            Label("restart", Kind.RESTART, rm),
            Label("prepare", Kind.INTERNAL, rm),
        )
    )
    marks = [row[5:21].rstrip() for row in rows[1:]]
    assert marks == ["   ✗       │", "   ┆───✗───│", "   ○       │", "   ●       │"]


# -- Mermaid ---------------------------------------------------------------------------------------


def test_the_violation_is_in_a_red_box() -> None:
    assert mermaid(disagreement()).splitlines() == [
        "sequenceDiagram",
        "    participant p0 as system",
        "    participant p1 as rm1",
        "    participant p2 as rm2",
        "    Note over p1: 1. prepare(rm1)",
        "    p1->>p0: 2. receive(Prepared(rm=rm1))",
        "    Note over p0: 3. decide(chose True)",
        "    Note over p0: 4. decide(chose False)",
        "    p0->>p1: 5. finish(Decision(commit=True, round=0), rm1)",
        "    rect rgb(255, 214, 214)",
        "        p0->>p2: 6. finish(Decision(commit=False, round=1), rm2)",
        "        Note over p0,p2: agree is violated in the last state",
        "    end",
    ]


def test_a_path_without_a_claim_has_no_box() -> None:
    text = mermaid(run(["prepare(rm1)"]))
    assert "rect" not in text
    assert text.endswith("Note over p0: 1. prepare(rm1)\n")


@pytest.mark.parametrize("length", [58, 59, 60, 61, 500])
def test_a_long_trace_is_elided_in_the_middle(length: int) -> None:
    meta = TraceMeta("any", property="agree", property_kind="always")
    labels = [Label(f"step{i}", Kind.INTERNAL, (("rm", RM1),)) for i in range(1, length + 1)]
    lines = mermaid(made_of(*labels, meta=meta)).splitlines()
    notes = [line.strip() for line in lines if "Note" in line]
    shown = [line for line in notes if "step" in line and "left out" not in line]
    left_out = [int(found[1]) for line in notes if (found := re.search(r"(\d+) steps left", line))]
    assert len(shown) + sum(left_out) == length
    assert len(notes) <= 61
    assert shown[0].endswith("1. step1(rm1)")
    assert shown[-1].endswith(f"{length}. step{length}(rm1)")
    assert bool(left_out) == (length > 59)


def test_nothing_in_a_text_is_syntax() -> None:
    assert escape("a; b#c\n<d>: {e}") == "a#59; b#35;c #60;d#62;: #123;e#125;"
    assert escape("the end of Ending") == "the #101;nd of Ending"


@given(st.text())
def test_escaped_text_is_the_text(text: str) -> None:
    coded = escape(text)
    assert re.fullmatch(r"([\w .,=()\[\]:+*/'!?|-]|#\d+;)*", coded, re.ASCII)
    assert not re.search(r"\bend\b", re.sub(r"#\d+;", "#", coded), re.IGNORECASE)
    back = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), coded)
    assert back == " ".join(text.split())


def test_a_loop_is_told() -> None:
    assert "back to state 1" in render_text(replace(disagreement(), loop=1))

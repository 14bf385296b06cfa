"""Traces on disk: ITF JSON (`*.itf.json`; Apalache ADR-015), ours only under `#meta`.

Reading has two layers: `document.read_document` checks a file's form and says which spec it
belongs to; `decode` makes a `Trace` of the document, given the IR of that spec.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..language.ir.nodes import Action, Kind, SpecIR, TrapKind
from ..language.labels import Label, Trap
from ..language.values import State, Universe
from .document import FORMAT, VERSION, Document, is_index, object_at, text_at
from .itf_values import Json, ValueCodec, fail
from .trace import Trace, TraceError, TraceMeta, TrapStep
from .var_types import apalache_type

FORMAT_DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"


def write(trace: Trace, path: str | Path, ir: SpecIR, universe: Universe) -> None:
    """Write a trace; the file appears complete or not at all. Raises TraceError."""
    trace.validate()
    _write_atomically(Path(path), render_json(encode(trace, ir, universe)))


def encode(trace: Trace, ir: SpecIR, universe: Universe) -> dict[str, Json]:
    """The ITF document of a trace of the spec `ir`."""
    codec = ValueCodec(universe)
    types = [ir.variable(name).type for name in trace.variables]
    states = []
    for index, state in enumerate(trace.states):
        about: dict[str, Json] = {"index": index}
        if index:
            about |= _encode_label(trace.labels[index - 1], ir, codec)
        values = {
            name: codec.encode(value, kind)
            for name, value, kind in zip(trace.variables, state, types, strict=True)
        }
        states.append({"#meta": about} | values)
    document: dict[str, Json] = {"#meta": _encode_meta(trace.meta, ir, codec)}
    document["vars"] = list(trace.variables)
    document["states"] = states
    if trace.loop is not None:
        document["loop"] = trace.loop
    return document


def _encode_meta(meta: TraceMeta, ir: SpecIR, codec: ValueCodec) -> dict[str, Json]:
    item: dict[str, Json] = {
        "format": FORMAT,
        "version": VERSION,
        "format-description": FORMAT_DESCRIPTION,
        "model": meta.model,
        "instance": meta.instance,
        "parameters": dict(meta.parameters),
        "flaws": list(meta.flaws),
        "property": meta.property,
        "propertyKind": meta.property_kind,
        "outcome": meta.outcome.value,
        "engine": meta.engine,
        "versions": dict(meta.versions),
        "command": meta.command,
        "note": meta.note,
    }
    if meta.explored is not None:
        item["explored"] = meta.explored
    if meta.trap is not None:
        trap = meta.trap.trap
        about = {"kind": trap.kind.value, "subject": trap.subject, "message": trap.message}
        step = _encode_label(meta.trap.label, ir, codec)
        item["trap"] = {"step": step, **about, "line": trap.line}
    item["varTypes"] = {one.name: apalache_type(one.type) for one in ir.variables}
    return item


def _encode_label(label: Label, ir: SpecIR, codec: ValueCodec) -> dict[str, Json]:
    types = {parameter.name: parameter.type for parameter in _action(ir, label.action).parameters}
    return {
        "action": label.action,
        "kind": label.kind.value,
        "parameters": {name: codec.encode(one, types[name]) for name, one in label.parameters},
        "choices": [codec.describe(one) for one in label.choices],
    }


def _action(ir: SpecIR, name: str) -> Action:
    for action in ir.actions:
        if action.name == name:
            return action
    allowed = ", ".join(action.name for action in ir.actions)
    raise TraceError(f"{ir.name} has no action {name!r}; it has: {allowed}")


def render_json(document: Mapping[str, Json]) -> str:
    """The text of a document: a line for each entry, so that diffs are small."""
    parts = [f'  "#meta": {_block(document["#meta"], "    ")}']
    parts.append(f'  "vars": {_compact(document["vars"])}')
    states = ",\n".join("    " + _block(state, "      ") for state in document["states"])
    parts.append(f'  "states": [\n{states}\n  ]')
    if "loop" in document:
        parts.append(f'  "loop": {document["loop"]}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _block(item: Mapping[str, Json], indent: str) -> str:
    lines = [f"{indent}{_compact(key)}: {_compact(value)}" for key, value in item.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent[:-2]}}}"


def _compact(item: Json) -> str:
    return json.dumps(item, ensure_ascii=False)


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, UnicodeError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TraceError(f"cannot write the trace {path}: {reason}") from None


def decode(document: Document, ir: SpecIR, universe: Universe) -> Trace:
    """The trace in a document of the spec `ir`; raises TraceError."""
    header = document.required_header()
    _same_variables(document, ir)
    codec = ValueCodec(universe)
    states = [
        _decode_state(state, f"{document.path}: state {index}", ir, codec)
        for index, state in enumerate(document.states)
    ]
    labels = []
    for index, about in enumerate(document.state_meta):
        where = f"{document.path}: state {index}, #meta"
        if "index" in about and (about["index"] != index or isinstance(about["index"], bool)):
            raise fail(f"{where}, index", f"{index} (a state is missing or moved)", about["index"])
        if index:
            labels.append(_decode_label(about, where, ir, codec))
    meta = _decode_trap(document, header, ir, codec)
    names = tuple(variable.name for variable in ir.variables)
    trace = Trace(names, tuple(states), tuple(labels), meta, document.loop)
    trace.validate()
    return trace


def _same_variables(document: Document, ir: SpecIR) -> None:
    wanted = {variable.name for variable in ir.variables}
    given = set(document.variables)
    problems = []
    if wanted - given:
        problems.append(f"missing: {', '.join(sorted(wanted - given))}")
    if given - wanted:
        problems.append(f"unknown: {', '.join(sorted(given - wanted))}")
    if problems:
        raise TraceError(
            f"{document.path}: its variables are not those of {ir.name} ({'; '.join(problems)}). "
            "The spec has changed since the trace was written, or the trace is of another spec."
        )


def _decode_state(item: Mapping[str, Json], where: str, ir: SpecIR, codec: ValueCodec) -> State:
    return tuple(
        codec.decode(item[one.name], one.type, f"{where}, {one.name}") for one in ir.variables
    )


def _decode_label(item: Json, where: str, ir: SpecIR, codec: ValueCodec) -> Label:
    about = object_at(item, where)
    name = about.get("action")
    if not isinstance(name, str):
        raise fail(f"{where}, action", "the name of the action that led here", name)
    try:
        action = _action(ir, name)
    except TraceError as error:
        raise TraceError(f"{where}, action: {error}") from None
    kind = about.get("kind", action.kind.value)
    if kind != action.kind.value:
        raise fail(f"{where}, kind", f"{action.kind.value!r}, the kind of {name}", kind)
    given = object_at(about.get("parameters", {}), f"{where}, parameters")
    if set(given) != {one.name for one in action.parameters}:
        allowed = ", ".join(one.name for one in action.parameters) or "no parameters"
        raise fail(f"{where}, parameters of {name}", allowed, given)
    parameters = tuple(
        (one.name, codec.decode(given[one.name], one.type, f"{where}, parameter {one.name}"))
        for one in action.parameters
    )
    choices = about.get("choices", [])
    if not isinstance(choices, list):
        raise fail(f"{where}, choices", "an array", choices)
    chosen = tuple(codec.recognise(one, f"{where}, choices") for one in choices)
    return Label(name, Kind(kind), parameters, chosen)


def _decode_trap(document: Document, header: TraceMeta, ir: SpecIR, codec: ValueCodec) -> TraceMeta:
    if "trap" not in document.meta:
        return header
    where = f"{document.path}: #meta, trap"
    item = object_at(document.meta["trap"], where)
    label = _decode_label(item.get("step"), f"{where}, step", ir, codec)
    kinds = [one.value for one in TrapKind]
    kind = item.get("kind")
    if kind not in kinds:
        raise fail(f"{where}, kind", "one of " + ", ".join(kinds), kind)
    line = item.get("line")
    if line is not None and not is_index(line):
        raise fail(f"{where}, line", "a line number or null", line)
    subject, message = text_at(item, "subject", where), text_at(item, "message", where)
    return replace(header, trap=TrapStep(label, Trap(TrapKind(kind), subject, message, line)))

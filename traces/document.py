"""ITF files as documents: their form checked, their values still JSON.

This layer needs no spec: it says which spec, parameters and flaws a trace of ours belongs to, and
gives one clear message for a file that is damaged, cut off, edited wrongly or no trace at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .itf_values import Json, fail
from .trace import PROPERTY_KINDS, Outcome, Setting, TraceError, TraceMeta

FORMAT = "quorate"
VERSION = 1


@dataclass(frozen=True)
class Document:
    """An ITF file whose form has been checked; its values are still JSON.

    `header` says what our own traces are about; it is None for a file of another tool, which
    `origin` then names. `state_meta` is parallel to `states`.
    """

    path: str
    meta: Mapping[str, Json]
    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    states: tuple[Mapping[str, Json], ...]
    state_meta: tuple[Mapping[str, Json], ...]
    loop: int | None
    header: TraceMeta | None
    origin: str

    def required_header(self) -> TraceMeta:
        """The header; raises TraceError for a file of another tool."""
        if self.header is None:
            raise TraceError(
                f"{self.path}: this trace was written by {self.origin}, not by Quorate: it does "
                "not say which spec and parameters it belongs to, so it can be shown but not "
                'replayed. A trace of Quorate has "format": "quorate" under "#meta".'
            )
        return self.header


def read_document(path: str | Path) -> Document:
    """Read a file and check its form; raises TraceError."""
    try:
        file = Path(path)
        if file.is_char_device() or file.is_block_device():  # /dev/zero has no end
            raise TraceError(f"{path}: a device, not a trace")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TraceError(f"cannot read the trace {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not UTF-8 text (byte {error.start})") from None
    return parse_document(text, str(path))


def parse_document(text: str, path: str) -> Document:
    """Check the form of ITF text; `path` is what messages call it. Raises TraceError."""
    root = _parse_json(text, path)
    if not isinstance(root, dict):
        raise fail(path, "an ITF trace, which is an object", root)
    for key in ("vars", "states"):
        if key not in root:
            raise TraceError(f"{path}: not an ITF trace: {key!r} is missing at the top level")
    variables = names_at(root["vars"], f"{path}: vars")
    parameters = names_at(root.get("params", []), f"{path}: params")
    states = _states(root["states"], set(variables), set(parameters), path)
    loop = root.get("loop")
    if loop is not None and not (is_index(loop) and loop < len(states)):
        raise fail(f"{path}: loop", f"the index of a state, 0 to {len(states) - 1}", loop)
    meta = object_at(root.get("#meta", {}), f"{path}: #meta")
    ours = meta.get("format") == FORMAT
    return Document(
        path=path,
        meta=meta,
        variables=variables,
        parameters=parameters,
        states=tuple({k: v for k, v in state.items() if k != "#meta"} for state in states),
        state_meta=tuple(
            object_at(state.get("#meta", {}), f"{path}: state {index}, #meta")
            for index, state in enumerate(states)
        ),
        loop=loop,
        header=_header(meta, f"{path}: #meta") if ours else None,
        origin="Quorate" if ours else _origin(meta),
    )


def _parse_json(text: str, path: str) -> Json:
    def unique(entries: list[tuple[str, Json]]) -> dict[str, Json]:
        item = dict(entries)
        if len(item) != len(entries):
            keys = [key for key, _ in entries]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise TraceError(f"{path}: the key {twice!r} occurs twice in one object")
        return item

    def no_constant(name: str) -> Json:
        raise TraceError(f"{path}: {name} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise TraceError(f"{path}: not JSON, or cut off: {error.msg} at {place}") from None
    except TraceError:
        raise
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{path}: not a trace: {error}") from None


def names_at(item: Json, where: str) -> tuple[str, ...]:
    """An array of distinct names; raises TraceError."""
    if not isinstance(item, list) or not all(isinstance(one, str) for one in item):
        raise fail(where, "an array of names", item)
    if len(set(item)) != len(item):
        raise fail(where, "distinct names", item)
    return tuple(item)


def object_at(item: Json, where: str) -> dict[str, Json]:
    """An object; raises TraceError."""
    if not isinstance(item, dict):
        raise fail(where, "an object", item)
    return item


def is_index(item: Json) -> bool:
    """Whether an item is an integer from 0."""
    return isinstance(item, int) and not isinstance(item, bool) and item >= 0


def _states(
    items: Json, variables: set[str], parameters: set[str], path: str
) -> list[dict[str, Json]]:
    """Every state with every variable and nothing else; parameters may be in the first."""
    if not isinstance(items, list) or not items:
        raise fail(f"{path}: states", "an array of at least one state", items)
    for index, state in enumerate(items):
        where = f"{path}: state {index}"
        present = set(object_at(state, where)) - {"#meta"}
        if missing := variables - present:
            raise TraceError(f"{where}: no value for {', '.join(sorted(missing))}")
        allowed = variables | parameters if index == 0 else variables
        if unknown := present - allowed:
            names = ", ".join(repr(name) for name in sorted(unknown))
            raise TraceError(f"{where}: {names} not among the variables in 'vars'")
    return items


def _origin(meta: Mapping[str, Json]) -> str:
    told = f"{meta.get('description', '')} {meta.get('source', '')}".lower()
    if "quint" in told or str(meta.get("source", "")).endswith(".qnt"):
        return "Quint"
    return "Apalache" if "apalache" in told or "varTypes" in meta else "another tool"


def _header(meta: Mapping[str, Json], where: str) -> TraceMeta:
    version = meta.get("version")
    if version != VERSION or isinstance(version, bool):
        raise fail(f"{where}, version", f"{VERSION} (this Quorate reads no other)", version)
    kind = text_at(meta, "propertyKind", where)
    if kind and kind not in PROPERTY_KINDS:
        raise fail(f"{where}, propertyKind", "one of " + ", ".join(PROPERTY_KINDS), kind)
    outcome = text_at(meta, "outcome", where)
    allowed = [one.value for one in Outcome]
    if outcome not in allowed:
        raise fail(f"{where}, outcome", "one of " + ", ".join(allowed), outcome)
    model = text_at(meta, "model", where)
    if not model:
        raise fail(f"{where}, model", "the name of a model", model)
    header = TraceMeta(
        model=model,
        instance=text_at(meta, "instance", where),
        parameters=_settings(meta.get("parameters", {}), f"{where}, parameters"),
        flaws=names_at(meta.get("flaws", []), f"{where}, flaws"),
        property=text_at(meta, "property", where),
        property_kind=kind,
        outcome=Outcome(outcome),
        engine=text_at(meta, "engine", where),
        versions=_texts(meta.get("versions", {}), f"{where}, versions"),
        command=text_at(meta, "command", where),
        note=text_at(meta, "note", where),
        explored=_explored(meta, where),
    )
    try:
        header.validate()
    except TraceError as error:
        raise TraceError(f"{where}: {error}") from None
    return header


def _explored(meta: Mapping[str, Json], where: str) -> int | None:
    item: int | None = meta.get("explored")
    if item is not None and not is_index(item):
        raise fail(f"{where}, explored", "a number of states", item)
    return item


def text_at(meta: Mapping[str, Json], key: str, where: str) -> str:
    """The string at a key, empty where there is none; raises TraceError."""
    item = meta.get(key, "")
    if not isinstance(item, str):
        raise fail(f"{where}, {key}", "a string", item)
    return item


def _texts(item: Json, where: str) -> dict[str, str]:
    for key, value in object_at(item, where).items():
        if not isinstance(value, str):
            raise fail(f"{where}, {key}", "a string", value)
    return dict(item)


def _settings(item: Json, where: str) -> dict[str, Setting]:
    for key, value in object_at(item, where).items():
        if not isinstance(value, int | bool | str):
            raise fail(f"{where}, {key}", "an integer, true, false or a string", value)
    return dict(item)

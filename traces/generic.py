"""Traces without their types: what a document shows when its spec is not at hand, or not ours.

Quint and Apalache write ITF too. Such a trace can be looked at, but not replayed.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..language.ir.nodes import Kind
from ..language.labels import Label
from ..language.values import FrozenMap, Value
from .document import Document, object_at
from .itf_values import Json, fail, integer, pairs, payload
from .show import GenericRecord
from .trace import Trace, TraceError, TraceMeta

_QUINT_ACTION = "mbt::actionTaken"
_QUINT_PICKS = "mbt::nondetPicks"
_STEP = "step"


def as_trace(document: Document) -> Trace:
    """A trace to be shown: strings for nodes and members, `GenericRecord` for records.

    Actions and their parameters come from our own labels or from Quint's `mbt::` variables; where
    there are none, every step is called `step`. Raises TraceError for what is not ITF.
    """
    try:
        return _as_trace(document)
    except RecursionError:
        raise TraceError(f"{document.path}: values nested too deeply") from None


def _as_trace(document: Document) -> Trace:
    names = tuple(n for n in document.variables if n not in (_QUINT_ACTION, _QUINT_PICKS))
    states = tuple(
        tuple(untyped(state[name], f"{document.path}: state {index}, {name}") for name in names)
        for index, state in enumerate(document.states)
    )
    labels = tuple(_label(document, index) for index in range(1, len(document.states)))
    meta = document.header or TraceMeta(model=document.origin)
    return Trace(names, states, labels, meta, document.loop)


def _label(document: Document, index: int) -> Label:
    where = f"{document.path}: state {index}"
    state, about = document.states[index], document.state_meta[index]
    action = about.get("action", state.get(_QUINT_ACTION, _STEP))
    if not isinstance(action, str):
        raise fail(f"{where}, action", "a name", action)
    kinds = {kind.value: kind for kind in Kind}
    kind = about.get("kind")
    chosen = kinds.get(kind, Kind.INTERNAL) if isinstance(kind, str) else Kind.INTERNAL
    if "parameters" in about:
        given = object_at(about["parameters"], f"{where}, parameters")
        picks = [(name, untyped(one, where)) for name, one in given.items()]
    else:
        picks = _picks(state.get(_QUINT_PICKS), where)
    return Label(action, chosen, tuple(picks))


def _picks(item: Json, where: str) -> list[tuple[str, Value]]:
    """Quint's record of nondeterministic picks: an option a name, `None` for one not made."""
    if not isinstance(item, dict):
        return []
    picks = []
    for name, option in item.items():
        if isinstance(option, dict) and option.get("tag") == "Some" and "value" in option:
            picks.append((name, untyped(option["value"], where)))
    return picks


def untyped(item: Json, where: str) -> Value:
    """The value of any ITF expression, as far as it can be known without a type."""
    match item:
        case bool() | str() | None:
            return item
        case int():
            return item
        case list():
            return tuple(untyped(one, where) for one in item)
        case {"#bigint": _}:
            return integer(item, where)
        case {"#tup": _}:
            return tuple(untyped(one, where) for one in payload(item, "#tup", where, "a tuple"))
        case {"#set": _}:
            return frozenset(untyped(one, where) for one in payload(item, "#set", where, "a set"))
        case {"#map": _}:
            entries = pairs(item, where, "a map")
            return FrozenMap((untyped(k, where), untyped(v, where)) for k, v in entries)
        case {"#unserializable": text}:
            return str(text)
        case {"tag": str(tag), "value": value} if len(item) == 2:
            return _variant(tag, value, where)
        case dict():
            return GenericRecord("", _fields(item, where))
    raise fail(where, "an ITF value", item)


def _variant(tag: str, value: Json, where: str) -> Value:
    if value in ({}, [], {"#tup": []}, None):
        return None if tag in ("None", "Nothing") else GenericRecord(tag, ())
    if tag == "Some" and isinstance(value, list) and len(value) == 1:
        return untyped(value[0], where)
    if isinstance(value, dict) and not any(key.startswith("#") for key in value):
        return GenericRecord(tag, _fields(value, where))
    return GenericRecord(tag, (("value", untyped(value, where)),))


def _fields(item: Mapping[str, Json], where: str) -> tuple[tuple[str, Value], ...]:
    return tuple((name, untyped(one, f"{where}.{name}")) for name, one in item.items())

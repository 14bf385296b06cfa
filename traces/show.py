"""Values as people read them, and values of traces whose types are not known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ..language.labels import Label
from ..language.values import FrozenBag, Node, Value, order_key


@dataclass(frozen=True)
class GenericRecord:
    """A record or variant of a trace of another tool: no class of ours belongs to it.

    `tag` is the variant's name, empty for a record.
    """

    tag: str
    fields: tuple[tuple[str, Value], ...]


def show(value: Value) -> str:
    """A value as people read it: members and nodes by name, sets and maps sorted."""
    match value:
        case Enum() | Node():
            return value.name
        case str():
            return value
        case GenericRecord(tag, fields):
            return _show_record(tag, fields)
        case frozenset():
            return "{" + ", ".join(show(one) for one in sorted_values(value)) + "}"
        case tuple():
            return "[" + ", ".join(show(one) for one in value) + "]"
        case FrozenBag():
            inner = (f"{value[one]} x {show(one)}" for one in sorted_values(value))
            return "{" + ", ".join(inner) + "}"
        case Mapping():
            inner = (f"{show(one)}: {show(value[one])}" for one in sorted_values(value))
            return "{" + ", ".join(inner) + "}"
    if is_record(value):
        return _show_record(type(value).__name__, record_fields(value))
    return repr(value)


def step_text(label: Label) -> str:
    """A label as people read it."""
    values = [show(value) for _, value in label.parameters]
    values += [f"chose {show(value)}" for value in label.choices]
    return f"{label.action}({', '.join(values)})"


def _show_record(tag: str, fields: Iterable[tuple[str, Value]]) -> str:
    inner = ", ".join(f"{name}={show(value)}" for name, value in fields)
    return f"{tag}({inner})" if tag else f"({inner})"


def is_record(value: Value) -> bool:
    """Whether a value is a record, ours or another tool's."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def record_fields(value: Value) -> tuple[tuple[str, Value], ...]:
    """The fields of a record, ours or another tool's; none where it is no record."""
    if isinstance(value, GenericRecord):
        return value.fields
    if is_record(value):
        return tuple((one.name, getattr(value, one.name)) for one in dataclasses.fields(value))
    return ()


def record_name(value: Value) -> str:
    """The name of a record or variant."""
    return value.tag if isinstance(value, GenericRecord) else type(value).__name__


def sorted_values(values: Iterable[Value]) -> list[Value]:
    """Values in canonical order; by what is shown where they have none (traces of other tools)."""
    items = list(values)
    try:
        return sorted(items, key=order_key)
    except TypeError:
        return sorted(items, key=show)

"""What happens where: the steps of a trace as events of processes and messages between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..language.ir.nodes import Kind
from ..language.labels import Label
from ..language.values import Node, Value
from .show import is_record, record_fields, show, step_text

SYSTEM = "system"
"""The process of a step that names none: the spec's single coordinator, server or environment."""

_SENDERS = ("source", "sender", "src", "origin", "from_")
_RECEIVERS = ("target", "receiver", "destination", "recipient", "dest", "dst", "to")
_MESSAGES = (Kind.DELIVER, Kind.DROP, Kind.DUPLICATE)


@dataclass(frozen=True)
class Event:
    """A step in a diagram: at `target` alone, or a message from `source` to `target`."""

    target: str
    text: str
    kind: Kind
    source: str | None = None


Participants = Callable[[Label], Event | None]
"""Tells the event of a label for a spec it knows; None: derive it."""


def events(labels: Iterable[Label], participants: Participants | None = None) -> list[Event]:
    """The event of each label, told by `participants` or derived."""
    return [(participants and participants(label)) or derive(label) for label in labels]


def lanes(found: Iterable[Event]) -> list[str]:
    """The processes that take part, the system first, then by name with numbers in order."""
    names = {name for one in found for name in (one.source, one.target) if name is not None}
    return sorted(names, key=lambda name: (name != SYSTEM, _natural(name)))


def derive(label: Label) -> Event:
    """The event of a label, from the nodes among its parameters and in its message.

    A delivery has a record among its parameters, the message, or says in its own parameters who
    sent it to whom. It goes from the node in a field, else a parameter, such as `source` or
    `sender` to the one in `target` or `receiver`, else to the node among the parameters. A message
    that holds one node only is taken to come from it.
    """
    nodes = {name: show(value) for name, value in label.parameters if _is_node(value)}
    message = next((value for _, value in label.parameters if is_record(value)), None)
    if label.kind in _MESSAGES and (message is not None or _both_ends(nodes)):
        source, target = _ends(message, nodes)
        return Event(target, step_text(label), label.kind, None if source == target else source)
    return Event(next(iter(nodes.values()), SYSTEM), step_text(label), label.kind)


def _ends(message: Value | None, nodes: dict[str, str]) -> tuple[str, str]:
    held = () if message is None else record_fields(message)
    fields = {name: show(value) for name, value in held if _is_node(value)}
    source = _first(_SENDERS, fields) or _first(_SENDERS, nodes)
    target = _first(_RECEIVERS, fields) or _first(_RECEIVERS, nodes)
    if target is None:
        target = next((one for one in nodes.values() if one != source), SYSTEM)
    if source is None:
        others = [one for one in fields.values() if one != target]
        source = others[0] if len(others) == 1 else SYSTEM
    return source, target


def _both_ends(nodes: dict[str, str]) -> bool:
    return _first(_SENDERS, nodes) is not None and _first(_RECEIVERS, nodes) is not None


def _first(names: tuple[str, ...], nodes: dict[str, str]) -> str | None:
    return next((nodes[name] for name in names if name in nodes), None)


def _is_node(value: Value) -> bool:
    # Traces without types have strings for nodes; typed ones hold no strings.
    return isinstance(value, Node | str)


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

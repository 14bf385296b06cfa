"""Types as text, in IR files and in messages."""

from __future__ import annotations

from typing import assert_never

from .sexpr import Atom, Node, form, quoted, write
from .types import (
    BagType,
    BoolType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)


def shown(kind: Type) -> str:
    """A type as it stands in IR text: `(set (node rms))`."""
    return write(type_node(kind))


def type_node(kind: Type) -> Node:
    """The S-expression of a type."""
    match kind:
        case BoolType():
            return Atom("bool")
        case IntType(low, high):
            return form("int", str(low), str(high))
        case EnumType(name) | RecordType(name):
            return Atom(quoted(name))
        case NodeType(sort):
            return form("node", quoted(sort.name))
        case OptionType(inner):
            return form("option", type_node(inner))
        case UnionType(variants):
            return form("union", *(quoted(variant.name) for variant in variants))
        case SetType(element, capacity):
            return form("set", type_node(element), *_optional(capacity))
        case MapType(key, value):
            return form("map", type_node(key), type_node(value))
        case SeqType(element, limit):
            return form("seq", type_node(element), str(limit))
        case BagType(element, copies, capacity):
            return form("bag", type_node(element), str(copies), *_optional(capacity))
    assert_never(kind)


def _optional(number: int | None) -> list[str]:
    return [] if number is None else [str(number)]

"""Types in Apalache's notation, for `#meta.varTypes`: Apalache demands it of a trace it reads."""

from __future__ import annotations

from ..language.ir.types import (
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


def apalache_type(kind: Type) -> str:
    """The type of what is written for a value of `kind`; nodes and members are strings."""
    match kind:
        case BoolType():
            return "Bool"
        case IntType():
            return "Int"
        case EnumType() | NodeType():
            return "Str"
        case OptionType(inner):
            return f"Nothing(Seq(Int)) | Some(Seq({apalache_type(inner)}))"
        case RecordType(name, fields):
            fits = {field for field, _ in fields} != {"tag", "value"}
            return _record(kind) if fits else f"{name}({_record(kind)})"
        case UnionType(variants):
            return " | ".join(f"{variant.name}({_record(variant)})" for variant in variants)
        case SetType(element):
            return f"Set({apalache_type(element)})"
        case SeqType(element):
            return f"Seq({apalache_type(element)})"
        case MapType(key, value):
            return f"({apalache_type(key)} -> {apalache_type(value)})"
        case BagType(element):
            return f"({apalache_type(element)} -> Int)"


def _record(kind: RecordType) -> str:
    inner = ", ".join(f"{name}: {apalache_type(of)}" for name, of in kind.fields)
    return f"{{ {inner} }}" if inner else "{}"

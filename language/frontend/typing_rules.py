"""How types relate: what fits where, what two types have in common, and how to say a type."""

from __future__ import annotations

from ..ir.types import (
    ANY_INT,
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
    cardinality,
)


def fits(source: Type, target: Type) -> bool:
    """Whether COERCE converts: the same shape; ints by value, and so checked at run time."""
    match source, target:
        case IntType(), IntType():
            return True
        case OptionType(a), OptionType(b):
            return fits(a, b)
        case _, OptionType(b):
            return fits(source, b)
        case RecordType(), UnionType(variants):
            return source in variants
        case UnionType(a), UnionType(b):
            return set(a) <= set(b)
        case (SetType(a), SetType(b)) | (SeqType(a), SeqType(b)) | (BagType(a), BagType(b)):
            return fits(a, b)
        case MapType(k, a), MapType(j, b):
            return k == j and fits(a, b)
    return source == target


def within(source: Type, target: Type) -> bool:
    """Whether every value of `source` is a value of `target`, so that COERCE cannot trap."""
    match source, target:
        case IntType(a, b), IntType(c, d):
            return c <= a and b <= d
        case OptionType(a), OptionType(b):
            return within(a, b)
        case _, OptionType(b):
            return within(source, b)
        case RecordType(), UnionType(variants):
            return source in variants
        case UnionType(a), UnionType(b):
            return set(a) <= set(b)
        case SetType(a, m), SetType(b, n):
            return within(a, b) and (n is None or (m is not None and m <= n))
        case SeqType(a, m), SeqType(b, n):
            return within(a, b) and m <= n
        case MapType(k, a), MapType(j, b):
            return k == j and within(a, b)
    return source == target


def join(a: Type, b: Type) -> Type | None:
    """The least type that holds the values of both, None where there is none."""
    if a == b:
        return a
    match a, b:
        case IntType(l1, h1), IntType(l2, h2):
            return IntType(min(l1, l2), max(h1, h2))
        case OptionType(x), OptionType(y):
            return _option(join(x, y))
        case OptionType(x), _:
            return _option(join(x, b))
        case _, OptionType(y):
            return _option(join(a, y))
        case ((RecordType() | UnionType()), (RecordType() | UnionType())):
            return _union(a, b)
        case SetType(x, m), SetType(y, n):
            inner = join(x, y)
            capacity = None if m is None or n is None else max(m, n)
            return None if inner is None else SetType(inner, capacity)
        case SeqType(x, m), SeqType(y, n):
            inner = join(x, y)
            return None if inner is None else SeqType(inner, max(m, n))
        case MapType(k, x), MapType(j, y) if k == j:
            inner = join(x, y)
            return None if inner is None else MapType(k, inner)
    return None


def _option(inner: Type | None) -> Type | None:
    return None if inner is None else OptionType(inner)


def _union(a: Type, b: Type) -> Type:
    variants = {}
    for kind in (a, b):
        for variant in kind.variants if isinstance(kind, UnionType) else (kind,):
            assert isinstance(variant, RecordType)
            variants[variant.name] = variant
    return UnionType(tuple(variants[name] for name in sorted(variants)))


def widen(kind: Type) -> Type:
    """The type with every int in it unbounded: where inference did not come to an end."""
    match kind:
        case IntType():
            return ANY_INT
        case OptionType(inner):
            return OptionType(widen(inner))
        case _:
            return kind


def most_elements(kind: Type) -> int:
    """The most elements a collection can have (a bag: with multiplicity)."""
    match kind:
        case SetType(element, capacity):
            size = cardinality(element)
            return size if capacity is None else min(size, capacity)
        case SeqType(_, capacity):
            return capacity
        case BagType(element, copies, capacity):
            size = cardinality(element)
            return copies * (size if capacity is None else min(size, capacity))
    raise TypeError(f"not a collection: {kind}")


def describe(kind: Type) -> str:
    """A type as its author would write it."""
    match kind:
        case BoolType():
            return "bool"
        case IntType(low, high):
            return "int" if kind == ANY_INT else f"int {low}..{high}"
        case EnumType(name, _):
            return name
        case NodeType(sort):
            return f"node of {sort.name}"
        case OptionType(inner):
            return f"{describe(inner)} | None"
        case RecordType(name, _):
            return name
        case UnionType(variants):
            return " | ".join(variant.name for variant in variants)
        case SetType(element, _):
            return f"Set[{describe(element)}]"
        case SeqType(element, _):
            return f"Seq[{describe(element)}]"
        case BagType(element, _, _):
            return f"Bag[{describe(element)}]"
        case MapType(key, value):
            return f"Map[{describe(key)}, {describe(value)}]"

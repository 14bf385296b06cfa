"""Truth values of formulas, simplified as they are built.

A `Bit` is a Python bool where it is known, else a term of Z3. What the parameters of an instance
rule out then never reaches the solver: most of a protocol's formula is known once an element of a
set or a key of a map is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import z3

Bit: TypeAlias = bool | z3.BoolRef


def fresh_bit(name: str) -> z3.BoolRef:
    """A new unknown of that name, which has to be unique."""
    return z3.Bool(name)


def negation(bit: Bit) -> Bit:
    """Not."""
    if isinstance(bit, bool):
        return not bit
    if z3.is_not(bit):
        return bit.arg(0)
    return z3.Not(bit)


def every(bits: Iterable[Bit]) -> Bit:
    """And; of none: True."""
    return _joined(bits, False)


def some(bits: Iterable[Bit]) -> Bit:
    """Or; of none: False."""
    return _joined(bits, True)


def both(first: Bit, second: Bit) -> Bit:
    """And, of two."""
    return every((first, second))


def either(first: Bit, second: Bit) -> Bit:
    """Or, of two."""
    return some((first, second))


def _joined(bits: Iterable[Bit], deciding: bool) -> Bit:
    """The bits joined by the operator that `deciding` decides: False for and, True for or."""
    unknown: dict[int, z3.BoolRef] = {}
    for bit in bits:
        if not isinstance(bit, bool):
            unknown.setdefault(bit.get_id(), bit)
        elif bit is deciding:
            return deciding
    terms = list(unknown.values())
    if not terms:
        return not deciding
    if len(terms) == 1:
        return terms[0]
    return z3.Or(terms) if deciding else z3.And(terms)


def implies(premise: Bit, conclusion: Bit) -> Bit:
    """If the first, then the second."""
    return either(negation(premise), conclusion)


def same(first: Bit, second: Bit) -> Bit:
    """Both or neither."""
    if isinstance(first, bool):
        return second if first else negation(second)
    if isinstance(second, bool):
        return first if second else negation(first)
    if first.eq(second):
        return True
    return first == second


def chosen(condition: Bit, then: Bit, otherwise: Bit) -> Bit:
    """`then` where the condition holds, else `otherwise`."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if isinstance(then, bool):
        return either(condition, otherwise) if then else both(negation(condition), otherwise)
    if isinstance(otherwise, bool):
        return implies(condition, then) if otherwise else both(condition, then)
    if then.eq(otherwise):
        return then
    return z3.If(condition, then, otherwise)


def term(bit: Bit) -> z3.BoolRef:
    """A bit as a term of Z3."""
    return z3.BoolVal(bit) if isinstance(bit, bool) else bit

"""Integers of formulas: an interval, and a bit vector just wide enough for it.

Enumerations and nodes are numbers too, by position. Arithmetic cannot overflow, as every result has
the interval that its arguments imply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import z3

from . import bits
from .bits import Bit


@dataclass(frozen=True, eq=False)
class Num:
    """A number from `low` to `high`, both included.

    1. `term` is an int where the number is known; then `low`, `high` and it are equal.
    2. Else it is a bit vector of `width(low, high)` bits, signed where `low` is below 0.
    """

    low: int
    high: int
    term: int | z3.BitVecRef


def width(low: int, high: int) -> int:
    """The bits that numbers of an interval take."""
    if low >= 0:
        return max(1, high.bit_length())
    return 1 + max((-low - 1).bit_length(), max(high, 0).bit_length())


def known(value: int) -> Num:
    """A number that is known."""
    return Num(value, value, value)


def fresh(name: str, low: int, high: int) -> tuple[Num, Bit]:
    """A new unknown, and the condition that it is in its interval."""
    if low == high:
        return known(low), True
    size = width(low, high)
    number = Num(low, high, z3.BitVec(name, size))
    full = (0, 2**size - 1) if low >= 0 else (-(2 ** (size - 1)), 2 ** (size - 1) - 1)
    return number, full == (low, high) or within(number, low, high, at_most=full)


def within(number: Num, low: int, high: int, at_most: tuple[int, int] | None = None) -> Bit:
    """Whether a number is in an interval. `at_most`: what its bits could be, where not known."""
    least, most = at_most or (number.low, number.high)
    whole = Num(least, most, number.term)
    above = True if least >= low else no_more(known(low), whole)
    below = True if most <= high else no_more(whole, known(high))
    return bits.both(above, below)


def _bits(number: Num, low: int, high: int) -> z3.BitVecRef:
    """The bit vector of a number as one of an interval that it is in."""
    size = width(low, high)
    if isinstance(number.term, int):
        return z3.BitVecVal(number.term, size)
    more = size - number.term.size()
    if more == 0:
        return number.term
    if more < 0:
        return z3.Extract(size - 1, 0, number.term)
    if number.low < 0:
        return z3.SignExt(more, number.term)
    return z3.ZeroExt(more, number.term)


def narrowed(number: Num, low: int, high: int) -> Num:
    """A number that is known to be in an interval, as one of what is common to both."""
    low, high = max(low, number.low), min(high, number.high)
    if low >= high or isinstance(number.term, int):
        return number if isinstance(number.term, int) else known(low)
    if (low, high) == (number.low, number.high):
        return number
    return Num(low, high, _bits(number, low, high))


def _compared(
    first: Num, second: Num, compare: Callable[[z3.BitVecRef, z3.BitVecRef], z3.BoolRef]
) -> Bit:
    low, high = min(first.low, second.low), max(first.high, second.high)
    return compare(_bits(first, low, high), _bits(second, low, high))


def equal(first: Num, second: Num) -> Bit:
    """Whether two numbers are the same."""
    if isinstance(first.term, int) and isinstance(second.term, int):
        return first.term == second.term
    if first.high < second.low or second.high < first.low:
        return False
    return _compared(first, second, lambda a, b: bits.term(a == b))


def less(first: Num, second: Num) -> Bit:
    """Whether the first is below the second."""
    if first.high < second.low:
        return True
    if first.low >= second.high:
        return False
    signed = min(first.low, second.low) < 0
    return _compared(first, second, lambda a, b: a < b if signed else z3.ULT(a, b))


def no_more(first: Num, second: Num) -> Bit:
    """Whether the first is at most the second."""
    return bits.negation(less(second, first))


def chosen(condition: Bit, then: Num, otherwise: Num) -> Num:
    """`then` where the condition holds, else `otherwise`."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if then is otherwise or (isinstance(then.term, int) and then.term == otherwise.term):
        return then
    low, high = min(then.low, otherwise.low), max(then.high, otherwise.high)
    return Num(low, high, z3.If(condition, _bits(then, low, high), _bits(otherwise, low, high)))


def of_bit(bit: Bit) -> Num:
    """1 where the bit holds, else 0."""
    return chosen(bit, known(1), known(0))


def _computed(
    first: Num,
    second: Num,
    interval: tuple[int, int],
    exact: Callable[[int, int], int],
    terms: Callable[[z3.BitVecRef, z3.BitVecRef], z3.BitVecRef],
) -> Num:
    """An operation whose result is in `interval`, in bits that hold arguments and result."""
    if isinstance(first.term, int) and isinstance(second.term, int):
        return known(exact(first.term, second.term))
    low, high = interval
    if low == high:
        return known(low)
    least, most = min(low, first.low, second.low), max(high, first.high, second.high)
    result = terms(_bits(first, least, most), _bits(second, least, most))
    return Num(low, high, _bits(Num(least, most, result), low, high))


def plus(first: Num, second: Num) -> Num:
    """The sum."""
    interval = first.low + second.low, first.high + second.high
    return _computed(first, second, interval, lambda a, b: a + b, lambda a, b: a + b)


def minus(first: Num, second: Num) -> Num:
    """The difference."""
    interval = first.low - second.high, first.high - second.low
    return _computed(first, second, interval, lambda a, b: a - b, lambda a, b: a - b)


def times(first: Num, second: Num) -> Num:
    """The product."""
    corners = [a * b for a in (first.low, first.high) for b in (second.low, second.high)]
    interval = min(corners), max(corners)
    return _computed(first, second, interval, lambda a, b: a * b, lambda a, b: a * b)


def modulo(first: Num, second: Num) -> Num:
    """The remainder, with the sign of the divisor as in Python; the divisor is not 0."""
    most = max(abs(second.low), abs(second.high))
    interval = (0 if second.low >= 0 else 1 - most), (0 if second.high <= 0 else most - 1)
    signed = min(first.low, second.low) < 0
    return _computed(
        first,
        second,
        interval,
        lambda a, b: a % b if b else 0,
        lambda a, b: _signed_modulo(a, b) if signed else z3.URem(a, b),
    )


def _signed_modulo(first: z3.BitVecRef, second: z3.BitVecRef) -> z3.BitVecRef:
    result: z3.BitVecRef = first % second  # Z3's bvsmod: the sign of the divisor
    return result


def quotient(first: Num, second: Num) -> Num:
    """The quotient, rounded down as in Python; the divisor is not 0."""
    most = max(abs(first.low), abs(first.high))
    exact = minus(first, modulo(first, second))  # a multiple of the divisor
    signed = min(first.low, second.low, exact.low) < 0
    return _computed(
        exact,
        second,
        (-most if signed else 0, most),
        lambda a, b: a // b if b else 0,
        lambda a, b: a / b if signed else z3.UDiv(a, b),
    )


def negated(number: Num) -> Num:
    """The number with the other sign."""
    return minus(known(0), number)


def total(numbers: list[Num]) -> Num:
    """The sum of numbers, added in pairs so that the formula stays shallow."""
    while len(numbers) > 1:
        pairs = [plus(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=False)]
        numbers = pairs + numbers[len(pairs) * 2 :]
    return numbers[0] if numbers else known(0)

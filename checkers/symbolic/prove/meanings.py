"""Values of first-order logic compared and merged."""

from __future__ import annotations

import z3

from .. import bits
from ..bits import Bit
from .unknowns import Unknowns
from .values import (
    Count,
    Individual,
    MapOf,
    Meaning,
    Number,
    Optional,
    Outside,
    Point,
    SetOf,
    Tuple,
    Variants,
    as_bit,
)


class Meanings(Unknowns):
    """Values by type, with equality, order and choice."""

    # --- Comparison ---

    def equal(self, first: Meaning, second: Meaning) -> Bit:
        """Whether two values are the same."""
        match first, second:
            case Individual(_, term), Individual(_, other):
                return _same_term(term, other)
            case ((Point() | Number()), (Point() | Number())):
                return self._same_point(first, second)
            case (Count(), Number()) | (Number(), Count()):
                count, number = (first, second) if isinstance(first, Count) else (second, first)
                assert isinstance(count, Count)
                assert isinstance(number, Number)
                if number.value == 0:
                    return self.is_empty(count.of)
                raise Outside("how many elements a set has, other than none")
            case Optional(there, one), Optional(also, other):
                if one is None or other is None:
                    return bits.negation(bits.either(there, also))
                inside = bits.implies(there, self.equal(one, other))
                return bits.both(bits.same(there, also), inside)
            case Tuple(fields), Tuple(others):
                pairs = zip(fields, others, strict=True)
                return bits.every(self.equal(a, b) for a, b in pairs)
            case Variants(cases), Variants(others):
                return bits.some(
                    bits.every((is_it, others[p][0], self.equal(record, others[p][1])))
                    for p, (is_it, record) in cases.items()
                    if p in others
                )
            case SetOf(element), SetOf():
                return self.for_all(
                    element,
                    lambda item: bits.same(first.contains(item), second.contains(item)),
                )
            case MapOf(key), MapOf():
                return self.for_all(key, lambda k: self.equal(first.get(k), second.get(k)))
        return bits.same(as_bit(first), as_bit(second))

    def _same_point(self, first: Meaning, second: Meaning) -> Bit:
        if isinstance(first, Number) and isinstance(second, Number):
            return first.value == second.value
        one, other = self.points(first, second)
        if one is None or other is None:
            return False  # the end of a parameter is none of its values
        if one.offset != other.offset:
            raise Outside("an ordered value that is another one plus a number")
        return _same_term(one.term, other.term)

    def points(self, first: Meaning, second: Meaning) -> tuple[Point | None, Point | None]:
        """Two values as points of the parameter of one of them; None for its end."""
        point = first if isinstance(first, Point) else second
        if not isinstance(point, Point):
            raise Outside("arithmetic")
        found: list[Point | None] = []
        for one in (first, second):
            if isinstance(one, Point):
                if one.parameter != point.parameter:
                    raise Outside(f"{one.parameter} compared with {point.parameter}")
                found.append(one)
            elif isinstance(one, Number):
                found.append(self.number(point.parameter, one.value))
            else:
                raise Outside("an ordered value compared with a count")
        return found[0], found[1]

    def number(self, parameter: str, value: int | None) -> Point | None:
        """A number as a point of a parameter."""
        low = self.extents[parameter].low
        if value is None:
            return self._end(parameter)
        if value < low:
            raise Outside(f"{value}, which is below all values of {parameter}")
        return Point(parameter, low, self.logic.number(parameter, low, value))

    def _end(self, parameter: str) -> Point | None:
        """The parameter itself: the largest of its values, or None where it is none of them."""
        extent = self.extents[parameter]
        if extent.above < 0:
            return None
        if extent.above > 0:
            raise Outside(f"{parameter} where there are values above it")
        return Point(parameter, extent.low, self.logic.largest(parameter))

    def less(self, first: Meaning, second: Meaning) -> Bit:
        """Whether the first is below the second, in an ordered type."""
        if isinstance(first, Number) and isinstance(second, Number):
            return _below(first.value, second.value)
        if isinstance(first, Count) or isinstance(second, Count):
            return self._fewer(first, second)
        if isinstance(first, Individual) and isinstance(second, Individual):
            return self.logic.less(first.sort, first.term, second.term)
        one, other = self.points(first, second)
        if one is None:
            return False
        if other is None:
            return True
        match other.offset - one.offset:
            case 0:
                return self.logic.less(one.parameter, one.term, other.term)
            case 1:
                return bits.negation(self.logic.less(one.parameter, other.term, one.term))
        raise Outside("an ordered value that is another one plus a number")

    def _fewer(self, first: Meaning, second: Meaning) -> Bit:
        match first, second:
            case Number(0), Count(of):
                return bits.negation(self.is_empty(of))
            case Count(of), Number(1):
                return self.is_empty(of)
        raise Outside("how many elements a set has, other than none")

    def is_empty(self, of: SetOf) -> Bit:
        """Whether a set has no element."""
        return self.for_all(of.element, lambda item: bits.negation(of.contains(item)))

    # --- Merging ---

    def chosen(self, condition: Bit, then: Meaning, otherwise: Meaning) -> Meaning:
        """`then` where the condition holds, else `otherwise`."""
        if isinstance(condition, bool):
            return then if condition else otherwise
        if then is otherwise:
            return then
        match then, otherwise:
            case Individual(sort, term), Individual(_, other):
                return Individual(sort, _chosen_term(condition, term, other))
            case Point(parameter, low, term, offset), Point(_, other_low, other, other_offset):
                if offset != other_offset:
                    raise Outside("an ordered value that is another one plus a number")
                merged = _chosen_term(condition, term, other)
                return Point(parameter, min(low, other_low), merged, offset)
            case (Point(parameter, low), Number(value)) if value is not None:
                return self.chosen(condition, then, self.as_point(parameter, low, value))
            case (Number(value), Point(parameter, low)) if value is not None:
                return self.chosen(condition, self.as_point(parameter, low, value), otherwise)
            case Optional(there, one), Optional(also, other):
                present = bits.chosen(condition, there, also)
                if one is None or other is None:
                    return Optional(present, other if one is None else one)
                return Optional(present, self.chosen(condition, one, other))
            case Tuple(), Tuple():
                return self._chosen_tuple(condition, then, otherwise)
            case Variants(), Variants():
                return self._chosen_variants(condition, then, otherwise)
            case SetOf(element), SetOf():
                return SetOf(
                    element,
                    lambda x: bits.chosen(condition, then.contains(x), otherwise.contains(x)),
                )
            case MapOf(key, value), MapOf():
                return MapOf(
                    key,
                    value,
                    lambda k: self.chosen(condition, then.get(k), otherwise.get(k)),
                )
            case Number(value), Number(other) if value == other:
                return then
        if isinstance(then, bool | z3.BoolRef) and isinstance(otherwise, bool | z3.BoolRef):
            return bits.chosen(condition, then, otherwise)
        raise Outside("a number that depends on the state")

    def _chosen_tuple(self, condition: Bit, then: Tuple, otherwise: Tuple) -> Tuple:
        pairs = zip(then.fields, otherwise.fields, strict=True)
        return Tuple(tuple(self.chosen(condition, a, b) for a, b in pairs))

    def _chosen_variants(self, condition: Bit, then: Variants, otherwise: Variants) -> Variants:
        cases: dict[int, tuple[Bit, Tuple]] = {}
        opposite = bits.negation(condition)
        for place in {*then.cases, *otherwise.cases}:
            if place not in otherwise.cases:
                is_it, record = then.cases[place]
                cases[place] = bits.both(condition, is_it), record
            elif place not in then.cases:
                is_it, record = otherwise.cases[place]
                cases[place] = bits.both(opposite, is_it), record
            else:
                (one, first), (two, second) = then.cases[place], otherwise.cases[place]
                merged = self._chosen_tuple(condition, first, second)
                cases[place] = bits.chosen(condition, one, two), merged
        return Variants(cases)


def _below(first: int | None, second: int | None) -> bool:
    if first is None:
        return False
    return second is None or first < second


def _same_term(first: z3.ExprRef, second: z3.ExprRef) -> Bit:
    if first.eq(second):
        return True
    if _is_member(first) and _is_member(second):
        return False
    return first == second


def _is_member(term: z3.ExprRef) -> bool:
    """Whether a term is a certain member of an enumeration."""
    return bool(
        term.sort().kind() == z3.Z3_DATATYPE_SORT and term.decl().kind() == z3.Z3_OP_DT_CONSTRUCTOR
    )


def _chosen_term(condition: z3.BoolRef, then: z3.ExprRef, otherwise: z3.ExprRef) -> z3.ExprRef:
    return then if then.eq(otherwise) else z3.If(condition, then, otherwise)

"""Values of which nothing is known but their type, and all the values that a type has."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import z3

from ....language.ir.types import (
    BoolType,
    EnumType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SetType,
    UnionType,
)
from .. import bits
from ..bits import Bit
from .lifting import Ordered
from .logic import Logic, exists, forall
from .values import (
    Case,
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
    as_tuple,
    describe,
)


class Unknowns(ABC):
    """Values by type: unknowns, the forms they have, all values.

    `extents` has the values of each ordered parameter, over all declared types.
    """

    def __init__(self, logic: Logic, extents: Mapping[str, Ordered]) -> None:
        self.logic = logic
        self.extents = extents

    # --- Ordered values ---

    def within(self, kind: Ordered, term: z3.ExprRef, *, exactly: bool = False) -> Bit:
        """Whether a point is in its type, or in one with larger values too if not `exactly`.

        Raises Outside where exactly that cannot be said.
        """
        extent, name = self.extents[kind.parameter], kind.parameter
        parts: list[Bit] = []
        if kind.low > extent.low:
            least = self.logic.number(name, extent.low, kind.low)
            parts.append(bits.negation(self.logic.less(name, term, least)))
        if kind.above == extent.above - 1:
            parts.append(self.logic.less(name, term, self.logic.largest(name)))
        elif exactly and kind.above < extent.above:
            raise Outside(f"values of {name} that end before others do")
        return bits.every(parts)

    def point(self, value: Meaning, kind: Ordered) -> Point:
        """A value of an ordered type as a point."""
        found = value
        if isinstance(value, Number) and value.value is not None:
            found = self.as_point(kind.parameter, kind.low, value.value)
        if not isinstance(found, Point) or found.offset:
            raise Outside("an ordered value that is another one plus a number")
        return found

    def as_point(self, parameter: str, low: int, value: int) -> Point:
        return Point(
            parameter, low, self.logic.number(parameter, self.extents[parameter].low, value)
        )

    @abstractmethod
    def chosen(self, condition: Bit, then: Meaning, otherwise: Meaning) -> Meaning:
        """`then` where the condition holds, else `otherwise`."""

    # --- Unknowns ---

    def unknown(
        self,
        kind: Any,
        name: str,
        columns: tuple[z3.ExprRef, ...] = (),
    ) -> Meaning:
        """A value of a type that depends on `columns`, and of which nothing is known."""
        match kind:
            case BoolType():
                return self._symbol(name, columns, z3.BoolSort())
            case NodeType(sort):
                return Individual(
                    sort.name, self._symbol(name, columns, self.logic.sort(sort.name))
                )
            case EnumType():
                sort = self.logic.members(kind)[0].sort()
                return Individual(kind.name, self._symbol(name, columns, sort))
            case Ordered(parameter, low, _):
                return Point(
                    parameter, low, self._symbol(name, columns, self.logic.sort(parameter))
                )
            case OptionType(inner):
                present = self._symbol(f"{name}.present", columns, z3.BoolSort())
                return Optional(present, self.unknown(inner, f"{name}.value", columns))
            case RecordType(_, fields):
                return Tuple(tuple(self.unknown(k, f"{name}.{n}", columns) for n, k in fields))
            case UnionType(variants):
                return self._unknown_variant(variants, name, columns)
            case SetType(element):
                return SetOf(element, lambda item: self._holds(item, element, name, columns))
            case MapType(key, value):
                return MapOf(key, value, lambda k: self._at(k, key, value, name, columns))
        raise Outside(f"a value of the type {describe(kind)}")

    def _symbol(self, name: str, columns: tuple[z3.ExprRef, ...], sort: z3.SortRef) -> z3.ExprRef:
        if not columns:
            return z3.Const(name, sort)
        return z3.Function(name, *(column.sort() for column in columns), sort)(*columns)

    def _unknown_variant(
        self, variants: tuple[RecordType, ...], name: str, columns: tuple[z3.ExprRef, ...]
    ) -> Variants:
        cases: dict[int, tuple[Bit, Tuple]] = {}
        other: list[Bit] = []
        for place, variant in enumerate(variants):
            last = place == len(variants) - 1
            is_it: Bit = True if last else self._symbol(f"{name}.{place}", columns, z3.BoolSort())
            record = self.unknown(variant, f"{name}.{variant.name}", columns)
            assert isinstance(record, Tuple)
            cases[place] = (bits.every((*other, is_it)), record)
            other.append(bits.negation(is_it))
        return Variants(cases)

    def _holds(
        self, item: Meaning, element: Any, name: str, columns: tuple[z3.ExprRef, ...]
    ) -> Bit:
        """Membership in a set that is an unknown: a relation for each form of its elements."""
        return bits.some(
            bits.both(when, self._symbol(f"{name}{form}", (*columns, *terms), z3.BoolSort()))
            for when, form, terms in self.forms(item, element)
        )

    def _at(
        self, key: Meaning, kind: Any, value: Any, name: str, columns: tuple[z3.ExprRef, ...]
    ) -> Meaning:
        found: Meaning | None = None
        for when, form, terms in self.forms(key, kind):
            here = self.unknown(value, f"{name}{form}", (*columns, *terms))
            found = here if found is None else self.chosen(when, here, found)
        assert found is not None
        return found

    def forms(self, value: Meaning, kind: Any) -> Iterator[tuple[Bit, str, tuple[z3.ExprRef, ...]]]:
        """The forms a value may have, and when: a name for each, and the terms it is made of."""
        match kind, value:
            case BoolType(), _:
                yield as_bit(value), ".true", ()
                yield bits.negation(as_bit(value)), ".false", ()
            case ((NodeType() | EnumType()), Individual(_, term)):
                yield True, "", (term,)
            case Ordered(), _:
                yield True, "", (self.point(value, kind).term,)
            case OptionType(inner), Optional(present, content):
                yield bits.negation(present), ".none", ()
                if content is not None:
                    for when, form, terms in self.forms(content, inner):
                        yield bits.both(present, when), f".some{form}", terms
            case RecordType(_, fields), Tuple(parts):
                pairs = zip(parts, fields, strict=True)
                for combined in itertools.product(
                    *(tuple(self.forms(p, k)) for p, (_, k) in pairs)
                ):
                    when = bits.every(one for one, _, _ in combined)
                    form = "".join(name for _, name, _ in combined)
                    yield when, form, tuple(t for _, _, terms in combined for t in terms)
            case UnionType(variants), Variants(cases):
                for place, (is_it, record) in cases.items():
                    for when, form, terms in self.forms(record, variants[place]):
                        yield bits.both(is_it, when), f".{variants[place].name}{form}", terms
            case _:
                raise Outside(f"a set or map over {describe(kind)}")

    def fits(self, value: Meaning, kind: Any) -> Bit:
        """Whether an unknown keeps to the least values of its types, at all keys if it is a map."""
        match kind, value:
            case Ordered(), Point(_, _, term):
                return self.within(kind, term)
            case OptionType(inner), Optional(present, content) if content is not None:
                return bits.implies(present, self.fits(content, inner))
            case RecordType(_, fields), Tuple(parts):
                pairs = zip(parts, fields, strict=True)
                return bits.every(self.fits(part, field) for part, (_, field) in pairs)
            case UnionType(variants), Variants(cases):
                return bits.every(
                    bits.implies(is_it, self.fits(record, variants[place]))
                    for place, (is_it, record) in cases.items()
                )
            case SetType(element), SetOf():
                return self._elements_fit(element, value)
            case MapType(key, inner), MapOf():
                return self.for_all(key, lambda k: self.fits(value.get(k), inner))
        return True

    def _elements_fit(self, element: Any, value: SetOf) -> Bit:
        """What is in a set keeps to the least values of its type."""
        return bits.every(
            forall(case.variables, bits.implies(value.contains(case.value), case.fits))
            for case in self.cases(element)
        )

    # --- All values ---

    def cases(self, kind: Any, name: str = "", *, exactly: bool = True) -> list[Case]:
        """All values of a type: those of one case or another, as variables run.

        `name` is how they are called in the spec. Where not `exactly`, there may be others.
        """
        match kind:
            case BoolType():
                return [Case((), False), Case((), True)]
            case NodeType(sort):
                variable = self.logic.variable(self.logic.sort(sort.name), name or sort.name)
                return [Case((variable,), Individual(sort.name, variable))]
            case EnumType():
                sort = self.logic.members(kind)[0].sort()
                variable = self.logic.variable(sort, name or kind.name)
                return [Case((variable,), Individual(kind.name, variable))]
            case Ordered(parameter, low, _):
                variable = self.logic.variable(self.logic.sort(parameter), name or parameter)
                fits = self.within(kind, variable, exactly=exactly)
                return [Case((variable,), Point(parameter, low, variable), fits)]
            case OptionType(inner):
                present = [
                    Case(case.variables, Optional(True, case.value), case.fits)
                    for case in self.cases(inner, name, exactly=exactly)
                ]
                return [Case((), Optional(False, None)), *present]
            case RecordType(_, fields):
                return self._products(
                    [self.cases(field, f"{name}.{n}", exactly=exactly) for n, field in fields]
                )
            case UnionType(variants):
                return [
                    Case(case.variables, Variants({place: (True, as_tuple(case.value))}), case.fits)
                    for place, variant in enumerate(variants)
                    for case in self.cases(variant, name, exactly=exactly)
                ]
        raise Outside(f"all values of the type {describe(kind)}")

    def _products(self, parts: list[list[Case]]) -> list[Case]:
        return [
            Case(
                tuple(v for case in combined for v in case.variables),
                Tuple(tuple(case.value for case in combined)),
                bits.every(case.fits for case in combined),
            )
            for combined in itertools.product(*parts)
        ]

    # --- Quantifiers ---

    def for_all(self, kind: Any, body: Callable[[Meaning], Bit]) -> Bit:
        """Whether the body holds for all values of a type."""
        return bits.every(
            forall(case.variables, bits.implies(case.fits, body(case.value)))
            for case in self.cases(kind)
        )

    def for_some(self, kind: Any, body: Callable[[Meaning], Bit]) -> Bit:
        """Whether the body holds for some value of a type."""
        return bits.some(
            exists(case.variables, bits.both(case.fits, body(case.value)))
            for case in self.cases(kind)
        )

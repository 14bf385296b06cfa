"""A spec without its sizes: what the IRs of instances of different sizes have in common.

Parameters are literals in the IR, so the IR is taken at several sizes and compared. A type of
integers whose upper end moves with a parameter becomes an ordered type (`Ordered`), of which only
the order counts; a literal that is the parameter becomes `LIMIT`; how large a node set is, is
forgotten.
A spec that means something else when a node set grows is no spec for any number of nodes, and that
is said.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ....language.failures import UsageError
from ....language.instance import Instance
from ....language.ir.nodes import Const, Span, SpecIR
from ....language.ir.types import BagType, IntType, SetType, Sort

LIMIT = "limit"
"""The value of a literal that is the parameter."""


@dataclass(frozen=True)
class Ordered:
    """Integers from `low` to the parameter plus `above`, of which only the order counts."""

    parameter: str
    low: int
    above: int


@dataclass(frozen=True)
class Lifted:
    """A spec without its sizes.

    `ir` is a `SpecIR` in whose types `Ordered` may stand for an integer type. `nodes` are the
    parameters that are node sets of any size, `ordered` those that are the end of ordered types;
    `fixed` are the others, with their values.
    """

    ir: Any
    nodes: tuple[str, ...]
    ordered: tuple[str, ...]
    fixed: Mapping[str, object]


class NotGeneric(UsageError):
    """A spec that depends on its sizes."""


Build = Callable[[Mapping[str, Any]], Instance]
"""The instance with other values of some parameters."""


def lifted(instance: Instance, build: Build) -> Lifted:
    """Forget the sizes of an instance; raises NotGeneric where the spec depends on them."""
    nodes = tuple(sort.name for sort in instance.ir.sorts)
    numbers = [
        name
        for name, value in instance.parameters.items()
        if name not in nodes and type(value) is int
    ]
    larger = {name: _larger(instance, build, name) for name in (*nodes, *numbers)}
    others: dict[str, SpecIR] = {}
    fixed = {n: v for n, v in instance.parameters.items() if n not in (*nodes, *numbers)}
    for name in (*nodes, *numbers):
        ir = larger[name]
        if ir is None and name in nodes:
            raise NotGeneric(f"{name} cannot be larger than it is here: give it another size")
        if ir is not None and (name in nodes or _is_upper_end(instance, ir, name)):
            others[name] = ir
        else:
            fixed[name] = instance.parameters[name]
    lift = _Lift({n: instance.parameters[n] for n in others}, frozenset(nodes))
    ir = lift.same(instance.ir, others, None)
    ordered = tuple(name for name in numbers if name in others)
    return Lifted(ir, nodes, ordered, fixed)


def _larger(instance: Instance, build: Build, name: str) -> SpecIR | None:
    """The IR with one parameter larger by one; None where it cannot be."""
    try:
        return build({name: instance.parameters[name] + 1}).ir
    except UsageError:
        return None


def _is_upper_end(instance: Instance, larger: SpecIR, name: str) -> bool:
    """Whether a number is nothing but the upper end of types and ranges, and used as such."""
    lift = _Lift({name: instance.parameters[name]}, frozenset())
    try:
        lift.same(instance.ir, {name: larger}, None)
    except NotGeneric:
        return False
    return lift.found_type


class _Lift:
    """Goes through IRs side by side."""

    def __init__(self, values: Mapping[str, Any], nodes: frozenset[str]) -> None:
        self._values = values
        self._nodes = nodes
        self.found_type = False  # whether some type of integers depends on a parameter

    def same(self, one: Any, others: Mapping[str, Any], span: Span | None) -> Any:
        """What an object has in common with the objects in its place."""
        match one:
            case IntType():
                return self._integers(one, others, span)
            case Const():
                return self._literal(one, others)
            case Sort():
                return one
            case SetType(element) | BagType(element):
                inner = {name: other.element for name, other in others.items()}
                lifted_element = self.same(element, inner, span)
                return dataclasses.replace(one, element=lifted_element, capacity=None)
            case tuple():
                for name, other in others.items():
                    if not isinstance(other, tuple) or len(other) != len(one):
                        raise self._differs(name, span)
                return tuple(
                    self.same(item, {n: o[i] for n, o in others.items()}, span)
                    for i, item in enumerate(one)
                )
        if dataclasses.is_dataclass(one) and not isinstance(one, Enum):
            return self._parts(one, others, span)
        for name, other in others.items():
            if other != one:
                raise self._differs(name, span)
        return one

    def _parts(self, one: Any, others: Mapping[str, Any], span: Span | None) -> Any:
        span = getattr(one, "span", None) or span
        for name, other in others.items():
            if type(other) is not type(one):
                raise self._differs(name, span)
        changed = {
            f.name: self.same(
                getattr(one, f.name), {n: getattr(o, f.name) for n, o in others.items()}, span
            )
            for f in dataclasses.fields(one)
            if f.name != "span"
        }
        return dataclasses.replace(one, **changed)

    def _integers(self, one: IntType, others: Mapping[str, Any], span: Span | None) -> Any:
        moved = [name for name, other in others.items() if other != one]
        if not all(isinstance(others[name], IntType) for name in moved):
            raise self._differs(moved[0], span)
        counts = [name for name in moved if name in self._nodes]
        if not moved or counts:
            return one  # a count of nodes: what is said of it is looked at where it is used
        (name, *more) = moved
        if more or others[name].low != one.low:
            raise self._differs(name, span)
        above = one.high - self._values[name]
        if others[name].high - self._values[name] - 1 != above:
            return one  # a count of values of the parameter
        self.found_type = True
        return Ordered(name, one.low, above)

    def _literal(self, one: Const, others: Mapping[str, Any]) -> Const:
        moved = [name for name, other in others.items() if other.value != one.value]
        if not moved or moved[0] in self._nodes:
            kinds = {name: other.type for name, other in others.items()}
            return dataclasses.replace(one, type=self.same(one.type, kinds, one.span))
        (name, *more) = moved
        is_the_parameter = one.value == self._values[name]
        if more or not is_the_parameter or others[name].value != self._values[name] + 1:
            raise self._differs(name, one.span)
        return Const(Ordered(name, 0, 0), LIMIT, one.span)  # type: ignore[arg-type]

    def _differs(self, name: str, span: Span | None) -> NotGeneric:
        where = "" if span is None else f" ({span.file}, line {span.line})"
        return NotGeneric(
            f"the spec means something else when {name} is larger than {self._values[name]}{where}:"
            " it can be explored, but not proved for any size"
        )

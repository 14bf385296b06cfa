"""Conditions on the elements of a dense set, looked up and not evaluated.

Whether `isinstance(m, Promise) and m.bal == bal` holds depends on the element and on a few small
values (here `bal`), the *keys*: for each combination of keys it is a set of elements, known when
the spec is compiled. So the elements of `messages` that fulfil it are an intersection of bit sets,
and `any(...)` asks whether that is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ....language.domains import values_of
from ....language.ir.expressions import Expressions, Frame
from ....language.ir.nodes import Const, Expr, Local, SpecIR, Var
from ....language.ir.types import Type, cardinality
from ....language.labels import Trapped
from ....language.values import Universe, Value
from ..layout import WORD, enumerable
from .rewriting import below, bound_names, free_names, mapped
from .safety import safe

MOST_ROWS = 1024
MOST_WORDS = 4096
MOST_EVALUATIONS = 40_000
"""Of one table: combinations of keys, words in all, and what it may take to fill it."""

_KEY = "key {}"


@dataclass(frozen=True)
class Mask:
    """Row by row, for each combination of keys in order, the bits of the elements admitted."""

    keys: tuple[Expr, ...]
    rows: tuple[int, ...]


class Tables:
    """Makes masks for one spec."""

    def __init__(self, spec: SpecIR) -> None:
        self._universe = Universe.of(spec)
        self._values: dict[Type, list[Value]] = {}

    def masks(
        self, name: str, kind: Type, conditions: Sequence[Expr]
    ) -> tuple[list[Mask], list[Expr]]:
        """Masks for the first of the conditions on an element `name`, and the conditions left.

        A condition is evaluated only where those before it hold: none is taken out of its turn.
        """
        found: dict[tuple[Expr, ...], tuple[int, ...]] = {}
        left = list(conditions)
        elements = self._all(kind) if left and cardinality(kind) <= MOST_EVALUATIONS else []
        admitted = (1 << len(elements)) - 1
        while left and elements:
            made = self._mask(name, elements, admitted, left[0])
            if made is None:
                break
            left.pop(0)
            before = found.get(made.keys)
            rows = made.rows
            if before is not None:
                rows = tuple(a & b for a, b in zip(before, rows, strict=True))
            found[made.keys] = rows
            if not made.keys:
                admitted &= made.rows[0]
        return [Mask(keys, rows) for keys, rows in found.items()], left

    def _all(self, kind: Type) -> list[Value]:
        if kind not in self._values:
            self._values[kind] = list(values_of(kind, self._universe))
        return self._values[kind]

    def _mask(
        self, name: str, elements: Sequence[Value], admitted: int, condition: Expr
    ) -> Mask | None:
        """The mask of a condition; None where it would be too large, or may run into a trap."""
        keys = _Keys(name, bound_names(condition))
        test = keys.replaced(condition)
        if test is None:
            return None
        count = 1
        for key in keys.found:
            count *= cardinality(key.type)
        words = (len(elements) + WORD - 1) // WORD
        large = count > MOST_ROWS or count * words > MOST_WORDS
        if large or count * admitted.bit_count() > MOST_EVALUATIONS:
            return None
        expressions = Expressions(self._universe)
        chosen = [(1 << at, element) for at, element in enumerate(elements) if admitted >> at & 1]
        combinations = product(*(self._all(key.type) for key in keys.found))
        try:
            rows = [_row(expressions, test, name, chosen, _named(v)) for v in combinations]
        except Trapped:
            return None
        return Mask(tuple(keys.found), tuple(rows))


def _named(values: tuple[Value, ...]) -> dict[str, Value]:
    return {_KEY.format(number): value for number, value in enumerate(values)}


def _row(
    expressions: Expressions,
    test: Expr,
    name: str,
    elements: Sequence[tuple[int, Value]],
    keys: dict[str, Value],
) -> int:
    row = 0
    for bit, element in elements:
        if expressions.value(test, Frame({}, None, {**keys, name: element})):
            row |= bit
    return row


class _Keys:
    """Takes out of a condition what does not depend on the element."""

    def __init__(self, name: str, bound: set[str]) -> None:
        self.found: list[Expr] = []
        self._inner = {name, *bound}

    def replaced(self, condition: Expr) -> Expr | None:
        """The condition with its keys named; None where a key would be too large."""
        try:
            replaced: Expr = self._replaced(condition)
        except _TooLargeError:
            return None
        return replaced

    def _replaced(self, node: Any) -> Any:
        if isinstance(node, Const) or not isinstance(node, Expr):
            return mapped(node, self._replaced)
        if free_names(node) & self._inner or not _reads(node):
            if isinstance(node, Local):
                return node
            return mapped(node, self._replaced)
        if enumerable(node.type) and cardinality(node.type) <= MOST_ROWS and safe(node):
            if node not in self.found:
                self.found.append(node)
            return Local(node.type, _KEY.format(self.found.index(node)))
        if isinstance(node, Local | Var):
            raise _TooLargeError
        return mapped(node, self._replaced)


class _TooLargeError(Exception):
    """Something that a condition depends on has too many values."""


def _reads(node: object) -> bool:
    """Whether an expression depends on anything outside."""
    return any(isinstance(item, Local | Var) for item in below(node))

"""A text that is equal for equal IR, spans included: what cached code is keyed by.

`repr` would do, but writes each type out wherever it occurs. Here a type is written once and
numbered; which objects happen to be shared makes no difference.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from functools import cache
from typing import Any, get_args

from ...language.ir.nodes import Span, SpecIR
from ...language.ir.types import Type

_TYPES: tuple[type, ...] = get_args(Type)


def fingerprint(spec: SpecIR) -> str:
    """The text of a spec, its positions in source files included: traps give lines."""
    writer = _Writer()
    writer.write(spec)
    return " ".join(writer.out)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self._numbers: dict[int, str] = {}
        self._types: dict[object, str] = {}

    def write(self, item: object) -> None:
        """Append the text of a node, a value or a tuple of them."""
        if item is None or isinstance(item, str | int):
            self.out.append(repr(item))
        elif isinstance(item, tuple):
            self.out.append("(")
            for inner in item:
                self.write(inner)
            self.out.append(")")
        elif isinstance(item, Span):
            self.out.append(f"{item.line}:{item.column}")
        elif isinstance(item, Enum):
            self.out.append(item.name)
        elif isinstance(item, _TYPES):
            self.out.append(self._type(item))
        else:
            kind: Any = type(item)
            self.out.append(kind.__name__)
            for name in _names(kind):
                self.write(getattr(item, name))

    def _type(self, kind: object) -> str:
        """The number of a type, with its text where it comes first."""
        known = self._numbers.get(id(kind))
        if known is not None:
            return known
        text = self._types.get(kind)
        if text is None:
            text = f"t{len(self._types)}"
            self._types[kind] = text
            self.out.append(f"{text}={kind!r}")
        # The spec keeps the type alive, so its id stays its own.
        self._numbers[id(kind)] = text
        return text

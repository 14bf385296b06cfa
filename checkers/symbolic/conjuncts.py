"""A property, taken apart: what it says that can be proved, and broken, by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...language.diagnostics import read_source
from ...language.ir.nodes import Apply, Comprehension, Do, Expr, Fold, Op, Property, Span

_WIDEST = 100


@dataclass(frozen=True)
class Conjunct:
    """A part of a property. The property holds where all its parts do."""

    item: Property
    expr: Expr
    span: Span | None

    @property
    def place(self) -> str:
        """The file, from here if it is below, and the line."""
        if self.span is None:
            return ""
        path = Path(self.span.file)
        below = path.is_absolute() and path.is_relative_to(Path.cwd())
        return f"{os.path.relpath(path) if below else '/'.join(path.parts[-2:])}:{self.span.line}"

    @property
    def text(self) -> str:
        """What its source says, on one line; the name of the property where that is not known."""
        text = "" if self.span is None else _text(self.span)
        if not text:
            return self.item.name
        if isinstance(self.expr, Comprehension) and text.startswith("("):  # as in all(...)
            text = text.removeprefix("(").removesuffix(")").strip()
        return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def conjuncts(item: Property) -> tuple[Conjunct, ...]:
    """The parts that a property's `and` and `all` join, those inside others included."""
    return tuple(Conjunct(item, expr, expr.span or item.span) for expr in _parts(item.predicate))


def _parts(expr: Expr) -> Iterator[Expr]:
    match expr:
        case Apply(op=Op.AND, args=args):
            for arg in args:
                yield from _parts(arg)
        case Apply(op=Op.NOT, args=(Apply(type=kind, op=Op.OR, args=args),)):
            for arg in args:
                yield from _parts(Apply(kind, Op.NOT, (arg,), span=arg.span))
        case Comprehension(fold=Fold.ALL, body=body):
            parts = tuple(_parts(body))
            for part in parts if len(parts) > 1 else ():
                yield replace(expr, body=part, span=part.span or expr.span)
            if len(parts) == 1:
                yield expr
        case Do(result=result):
            for part in _parts(result):
                yield replace(expr, result=part, span=part.span or expr.span)
        case _:
            yield expr


def _text(span: Span) -> str:
    try:
        lines = read_source(span.file).splitlines()[span.line - 1 : span.end_line]
    except (OSError, UnicodeDecodeError):
        return ""
    if not lines:
        return ""
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return " ".join(" ".join(lines).split())

"""Errors of a bad spec: a code, a place in the source, and what to write instead."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from enum import Enum

from .ir.nodes import Span


class Code(Enum):
    """Every error a spec can have. The numbers are stable; the texts are not."""

    SYNTAX = "Q101"  # the file does not parse
    SOURCE = "Q102"  # the source of a class or function cannot be read
    SUBSET = "Q201"  # Python that is outside the language
    EFFECT = "Q202"  # an effect where only a value is allowed, or the other way round
    ALIAS = "Q203"  # a local keeps a collection that changes under it
    ORDER = "Q204"  # depends on the order of interchangeable nodes
    NAME = "Q301"  # a name that is not known
    DECLARATION = "Q302"  # a wrong declaration of a variable, parameter or method
    TYPE = "Q401"  # types that do not fit
    NONE = "Q402"  # a value that may be None, or another variant, here
    CALL = "Q403"  # wrong arguments of a call
    RANGE = "Q404"  # numbers beyond what the engines compute with
    RECURSION = "Q501"  # methods that call themselves
    SIZE = "Q502"  # too large for any engine


@dataclass(frozen=True)
class Diagnostic:
    """One error: what is wrong, where, and what to write instead."""

    code: Code
    message: str
    span: Span | None
    advice: str = ""


class SpecErrors(Exception):
    """A spec that cannot be checked. Carries all its errors, rendered for a terminal by `str`."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(render(d) for d in self.diagnostics))


class Diagnostics:
    """A sink: collects errors, each place once for each code."""

    def __init__(self) -> None:
        self._found: dict[tuple[Code, Span | None, str], Diagnostic] = {}

    def error(self, code: Code, message: str, span: Span | None, advice: str = "") -> None:
        """Note an error."""
        self._found.setdefault((code, span, message), Diagnostic(code, message, span, advice))

    def extend(self, other: Diagnostics) -> None:
        """Take over what another sink collected."""
        for diagnostic in other.all():
            self.error(diagnostic.code, diagnostic.message, diagnostic.span, diagnostic.advice)

    def all(self) -> list[Diagnostic]:
        """The errors, by place."""

        def place(diagnostic: Diagnostic) -> tuple[str, int, int]:
            span = diagnostic.span
            return (span.file, span.line, span.column) if span else ("", 0, 0)

        return sorted(self._found.values(), key=place)

    def raise_if_any(self) -> None:
        """Raise SpecErrors where an error was noted."""
        if self._found:
            raise SpecErrors(self.all())


def render(diagnostic: Diagnostic) -> str:
    """A diagnostic as text: code and message, file and line, the line with a caret, help."""
    lines = [f"error[{diagnostic.code.value}]: {diagnostic.message}"]
    span = diagnostic.span
    if span is not None:
        number = str(span.line)
        margin = " " * len(number)
        lines.append(f"{margin}--> {span.file}:{span.line}:{span.column}")
        text = _source_line(span)
        if text is not None:
            end = span.end_column if span.end_line == span.line else len(text) + 1
            width = max(1, end - span.column)
            lines.append(f"{margin} |")
            lines.append(f"{number} | {text.rstrip()}")
            lines.append(f"{margin} | {_pad(text[: span.column - 1])}{'^' * width}")
    if diagnostic.advice:
        lines.append(f"  = help: {diagnostic.advice}")
    return "\n".join(lines)


def _pad(text: str) -> str:
    return "".join("\t" if character == "\t" else " " for character in text)


def read_source(path: str) -> str:
    """The text of a source file, or of a cell of a notebook; OSError where there is none."""
    try:
        with open(path, encoding="utf-8") as source:
            return source.read()
    except FileNotFoundError:
        lines = linecache.getlines(path)
        if not lines:
            raise
        return "".join(lines)


def _source_line(span: Span) -> str | None:
    try:
        return read_source(span.file).splitlines()[span.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return None

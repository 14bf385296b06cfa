"""Source files: each is parsed once, and a function is found by its first line."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..diagnostics import read_source
from ..ir.nodes import Span


class SourceError(Exception):
    """The source of a function or class cannot be had."""


@dataclass
class SourceFile:
    """A parsed file: functions by first line (decorators included), classes."""

    path: str
    lines: list[str]
    functions: dict[int, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)  # by qualified name
    # Helpers are translated again at each call, and a file for each instance: what is asked of a
    # node once is kept.
    spans: dict[ast.AST, Span] = field(default_factory=dict)
    annotations: dict[ast.expr, Any] = field(default_factory=dict)

    def span(self, node: ast.AST) -> Span:
        """The place of a node. `ast` counts columns in UTF-8 bytes; spans count characters."""
        found = self.spans.get(node)
        if found is None:
            found = self.spans[node] = self._span(node)
        return found

    def _span(self, node: ast.AST) -> Span:
        line, end_line = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1) or 1
        start = self._characters(line, getattr(node, "col_offset", 0))
        end = self._characters(end_line, getattr(node, "end_col_offset", 0) or 0)
        return Span(self.path, line, start + 1, end_line, end + 1)

    def _characters(self, line: int, offset: int) -> int:
        if not 0 < line <= len(self.lines):
            return offset
        return len(self.lines[line - 1].encode()[:offset].decode(errors="replace"))


class Sources:
    """The files read so far."""

    def __init__(self) -> None:
        self._files: dict[str, SourceFile] = {}

    def function(self, function: Callable[..., Any]) -> tuple[ast.FunctionDef, SourceFile]:
        """The syntax of a function; SourceError where it cannot be found."""
        code = getattr(function, "__code__", None)
        if code is None:
            raise SourceError(f"{function!r} is not a Python function")
        file = self._file(code.co_filename)
        node = file.functions.get(code.co_firstlineno)
        if node is None or node.name != function.__name__:
            raise SourceError(f"the source of {function.__qualname__} is not in {file.path}")
        return node, file

    def attribute(self, owner: type, name: str | None) -> Span | None:
        """The place where a class body declares a name (or the class, for None)."""
        found = self.class_body(owner)
        if found is None:
            return None
        body, file = found
        for statement in body.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=target)) if target == name:
                    return file.span(statement)
                case ast.FunctionDef() | ast.AsyncFunctionDef() if statement.name == name:
                    return file.span(statement)
        return _heading(file.span(body), file)

    def class_body(self, owner: type) -> tuple[ast.ClassDef, SourceFile] | None:
        """The syntax of a class, where it can be had."""
        try:
            file = self._file(inspect.getsourcefile(owner) or "")
        except (SourceError, TypeError, OSError):
            return None
        body = file.classes.get(owner.__qualname__)
        return None if body is None else (body, file)

    def _file(self, path: str) -> SourceFile:
        if path not in self._files:
            # Annotations mean classes of a module as it is loaded now, so they are not shared.
            self._files[path] = dataclasses.replace(_parsed(path), annotations={})
        return self._files[path]


_known: dict[tuple[str, int, int], SourceFile] = {}


def _parsed(path: str) -> SourceFile:
    """The file as it is on disk, parsed once for all instances."""
    try:
        stat = os.stat(path)
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in _known:
            text = read_source(path)
            _known[key] = _index(SourceFile(path, text.splitlines()), ast.parse(text))
    except (OSError, UnicodeDecodeError, SyntaxError, RecursionError) as error:
        raise SourceError(f"the source file {path} cannot be read: {error}") from None
    return _known[key]


def _index(file: SourceFile, tree: ast.AST, scope: str = "") -> SourceFile:
    for node in ast.iter_child_nodes(tree):
        inner = scope
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            file.functions[first] = node
            inner = f"{scope}{node.name}.<locals>."
        elif isinstance(node, ast.ClassDef):
            file.classes[scope + node.name] = node
            inner = f"{scope}{node.name}."
        if isinstance(node, ast.stmt):
            _index(file, node, inner)
    return file


def _heading(span: Span, file: SourceFile) -> Span:
    end = len(file.lines[span.line - 1]) + 1
    return Span(span.file, span.line, span.column, span.line, end)

"""S-expressions: the shape of IR text. Reading gives positions, writing is canonical."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 100

_TOKEN = re.compile(
    r'\s+|;[^\n]*|(?P<open>\()|(?P<close>\))|(?P<atom>[^\s()";]*"[^"\n]*"|[^\s()";]+)'
)
_PLAIN = re.compile(r"[^\W\d][\w.$'~-]*")


class IRSyntaxError(Exception):
    """IR text that cannot be read. Line and column count characters from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Atom:
    """A word, with its position."""

    text: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Form:
    """A parenthesised list, with the position of its opening parenthesis."""

    items: tuple[Node, ...]
    line: int = 0
    column: int = 0


Node = Atom | Form


def error(message: str, node: Node) -> IRSyntaxError:
    """The error of that message at a node."""
    return IRSyntaxError(message, node.line, node.column)


def quoted(name: str) -> str:
    """A name as a word: as it is, or in quotes where it could be taken for something else.

    Raises ValueError for a name with a quote or a line break in it.
    """
    if '"' in name or "\n" in name:
        raise ValueError(f"a name has no quotes and no line breaks: {name!r}")
    return name if _PLAIN.fullmatch(name) else f'"{name}"'


def unquoted(word: str) -> str:
    """The name that a word stands for."""
    return word[1:-1] if word.startswith('"') else word


def read(text: str) -> Node:
    """The one S-expression in a text; raises IRSyntaxError."""
    tokens = list(_tokens(text))
    if not tokens:
        raise IRSyntaxError("there is nothing here", 1, 1)
    stack: list[tuple[list[Node], Atom]] = []
    finished: Node | None = None
    for token in tokens:
        if finished is not None:
            raise error("the text goes on after its end", token)
        node: Node = token
        if token.text == "(":
            stack.append(([], token))
            continue
        if token.text == ")":
            if not stack:
                raise error("a closing parenthesis too many", token)
            items, opening = stack.pop()
            node = Form(tuple(items), opening.line, opening.column)
        if stack:
            stack[-1][0].append(node)
        else:
            finished = node
    if finished is None:
        raise error("this parenthesis is not closed", stack[-1][1])
    return finished


def _tokens(text: str) -> Iterator[Atom]:
    position, line, start = 0, 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise IRSyntaxError("a quote is not closed", line, position - start + 1)
        if match.lastgroup is not None:
            yield Atom(match.group(), line, position - start + 1)
        newlines = match.group().count("\n")
        if newlines:
            line += newlines
            start = position + match.group().rindex("\n") + 1
        position = match.end()


def write(node: Node) -> str:
    """The canonical text of a node: on one line where it fits, else an item a line."""
    return "\n".join(_lines(node, 0, 0))


def _flat(node: Node) -> str:
    if isinstance(node, Atom):
        return node.text
    return f"({' '.join(map(_flat, node.items))})"


def _lines(node: Node, indent: int, closing: int) -> list[str]:
    """The lines of a node. `closing` parentheses will follow it on its last line."""
    pad = " " * indent
    flat = _flat(node)
    top = isinstance(node, Form) and node.items[:1] == (Atom("spec"),)
    if isinstance(node, Atom) or (len(pad) + len(flat) + closing <= WIDTH and not top):
        return [pad + flat]
    words = itertools.takewhile(lambda item: isinstance(item, Atom), node.items)
    head = [_flat(word) for word in words]
    rest = list(node.items[len(head) :])
    if not rest:
        return [pad + flat]
    if not head:
        # A list of lists: the first one starts on the line of the parenthesis.
        first = _lines(rest.pop(0), indent + 1, 0 if rest else closing + 1)
        lines = [f"{pad}({first[0].lstrip()}", *first[1:]]
        indent -= 1
    else:
        lines = [f"{pad}({' '.join(head)}"]
    for position, item in enumerate(rest):
        last = position == len(rest) - 1
        lines += _lines(item, indent + 2, closing + 1 if last else 0)
    lines[-1] += ")"
    return lines

"""S-expressions: the shape of IR text. Reading gives positions, writing is canonical."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH = 100

_TOKEN = re.compile(
    r'\s+|;[^\n]*|(?P<open>\()|(?P<close>\))|(?P<atom>[^\s()";]*"[^"\n]*"|[^\s()";]+)'
)
_PLAIN = re.compile(r"[^\W\d][\w.$'~-]*")


_HEADED = ("action", "for", "if", "property")
"""Forms whose first list stays on the first line: it is what the rest is about."""


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


def form(*items: Node | str) -> Form:
    """A list of nodes, and of words."""
    return Form(tuple(Atom(item) if isinstance(item, str) else item for item in items))


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
    return f"({_joined(node.items)})"


def _joined(items: Sequence[Node]) -> str:
    """The items on one line; a colon stands directly before what it annotates."""
    text = ""
    for item in items:
        space = "" if not text or text == ":" or text.endswith(" :") else " "
        text += space + _flat(item)
    return text


def _on_first_line(node: Form, indent: int) -> int:
    """How many items share the line of the opening parenthesis, where not all do."""
    count = 0
    while count < len(node.items) and isinstance(node.items[count], Atom):
        count += 1
    first = _flat(node.items[0])
    if first in _HEADED or first.startswith("fold.") or _joined(node.items[:count]).endswith(":"):
        wider = _joined(node.items[: count + 1])
        if count < len(node.items) and indent + 1 + len(wider) <= WIDTH:
            return count + 1
    return count


def _lines(node: Node, indent: int, closing: int) -> list[str]:
    """The lines of a node. `closing` parentheses will follow it on its last line."""
    pad = " " * indent
    flat = _flat(node)
    whole = isinstance(node, Form) and node.items[:1] == (Atom("spec"),)
    if isinstance(node, Atom) or (indent + len(flat) + closing <= WIDTH and not whole):
        return [pad + flat]
    count = _on_first_line(node, indent)
    rest = node.items[count:]
    lines = [f"{pad}({_joined(node.items[:count])}"]
    if not count:
        # A list of lists: the first one starts on the line of the parenthesis.
        first = _lines(rest[0], indent + 1, 0 if rest[1:] else closing + 1)
        lines = [f"{pad}({first[0].lstrip()}", *first[1:]]
        rest = rest[1:]
        indent -= 1
    for position, item in enumerate(rest):
        last = position == len(rest) - 1
        lines += _lines(item, indent + 2, closing + 1 if last else 0)
    lines[-1] += ")"
    return lines

"""Random specs as Python source: what an author could have written, for CPython against the IR.

`spec_source(below)` makes a module with a class `Generated`, from a source of decisions. It passes
the front end; its steps may trap. (`specs.py` makes IR directly, and reaches more of the IR.)
"""

from __future__ import annotations

from collections.abc import Callable

from quorate.tests.generated.names import Below

HEADER = '''"""A generated spec."""

from dataclasses import replace
from enum import Enum, IntEnum
from typing import Annotated, Generic, TypeVar

from quorate.language import *


class Colour(Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


class Level(IntEnum):
    HIGH = 2
    LOW = 1


Small = Annotated[int, between(0, "size")]
M = TypeVar("M")


@record
class Ask:
    node: Node
    number: Small


@record
class Tell:
    colour: Colour


@record
class Batch:
    acks: Set[Node]
    log: Annotated[Seq[Node], at_most(2)]
    level: Level = Level.LOW


Message = Ask | Tell


class Notes(Spec, Generic[M]):
    """A mixin."""

    notes: Set[M] = empty()

    @action
    def note(self, item: M) -> None:
        require(len(self.notes) == 0)
        self.notes.add(item)
        self.noted()

    def noted(self) -> None:
        """What else happens."""


class Generated(Notes[Tell], Spec):
    """Made up."""

    nodes: Nodes
    size: int = parameter(2)
    flag: bool = False
    number: Small = 0
    other: Annotated[int, between(-2, 3)] = 1
    colour: Colour = Colour.RED
    owner: Node | None = None
    last: Message | None = None
    group: Set[Node] = empty()
    messages: Set[Message] = empty()
    level: Map[Node, Small] = each(0)
    heard: Map[Node, Set[Node]] = each(empty())
    tint: Map[Colour, bool] = each(False)
    queue: Annotated[Seq[Node], at_most(2)] = empty()
    bag: Annotated[Bag[Colour], at_most(2, copies=2)] = empty()
    batch: Batch | None = None
    held: Annotated[Set[Set[Node]], at_most(2)] = empty()
    parts: Annotated[Seq[Set[Node]], at_most(2)] = empty()
    marks: Map[Level, Small | None] = each(None)
'''

Maker = Callable[[], str]


class Source:
    """Makes expressions and statements as text. `names` holds the locals in scope, by type."""

    def __init__(self, below: Below, fuel: int) -> None:
        self.below = below
        self.fuel = fuel
        self.names: dict[str, list[str]] = {}
        self.count = 0

    def pick(self, *makers: Maker) -> str:
        """One of the makers."""
        return makers[self.below(len(makers))]()

    def one(self, *texts: str) -> str:
        """One of the texts."""
        return texts[self.below(len(texts))]

    def fresh(self, stem: str) -> str:
        """A name that is not taken."""
        self.count += 1
        return f"{stem}{self.count}"

    def local(self, kind: str, *others: str) -> str:
        """A local of a type where there is one, or one of the others."""
        return self.one(*self.names.get(kind, []), *others)

    def _leaf(self, depth: int) -> bool:
        self.fuel -= 1
        return depth <= 0 or self.fuel <= 0

    def bound(self, kind: str, source: str, render: Callable[[str], str]) -> str:
        """A generator over `source`, its element in scope while `render` makes the rest."""
        name = self.fresh("x")
        self.names.setdefault(kind, []).append(name)
        try:
            return f"{render(name)} for {name} in {source}"
        finally:
            self.names[kind].remove(name)

    def bool_(self, depth: int) -> str:
        """A condition."""
        if self._leaf(depth):
            return self.one(
                "self.flag", "self.owner is None", "self.number > 0", "self.group <= self.nodes"
            )
        deeper = depth - 1
        return self.pick(
            lambda: f"({self.bool_(deeper)} and {self.bool_(deeper)})",
            lambda: f"({self.bool_(deeper)} or {self.bool_(deeper)})",
            lambda: f"(not {self.bool_(deeper)})",
            lambda: (
                f"({self.int_(deeper)} {self.one('<', '<=', '==', '!=', '>')} {self.int_(deeper)})"
            ),
            lambda: f"(0 <= {self.int_(deeper)} < {self.int_(deeper)})",
            lambda: (
                f"({self.colour(deeper)} {self.one('is', 'is not', '==')} {self.colour(deeper)})"
            ),
            lambda: f"({self.node(deeper)} {self.one('==', '!=')} {self.node(deeper)})",
            lambda: f"({self.node(deeper)} {self.one('in', 'not in')} {self.nodes(deeper)})",
            lambda: f"(self.owner in {self.nodes(deeper)})",
            lambda: "(self.owner is not None and self.owner in self.heard[self.owner])",
            lambda: f"({self.message(deeper)} in self.messages)",
            lambda: "(isinstance(self.last, Ask) and self.last.number > 0)",
            lambda: "any(isinstance(m, Tell) and m.colour is self.colour for m in self.messages)",
            lambda: (
                f"({self.nodes(deeper)} {self.one('<=', '==', '<', '!=')} {self.nodes(deeper)})"
            ),
            lambda: f"self.tint[{self.colour(deeper)}]",
            lambda: f"({self.colour(deeper)} in self.bag)",
            lambda: f"({self.colour(deeper)} in (Colour.RED, Colour.BLUE))",
            lambda: (
                f"{self.one('any', 'all')}("
                + self.bound("node", self.nodes(deeper), lambda _: self.bool_(deeper))
                + ")"
            ),
            lambda: f"is_quorum({self.nodes(deeper)}, self.nodes)",
            lambda: f"({self.nodes(deeper)} in self.held)",
            lambda: f"any({self.node(deeper)} in part for part in self.parts)",
            lambda: f"(self.batch is not None and self.batch.log == [{self.node(deeper)}])",
            lambda: f"(self.batch is not None and {self.nodes(deeper)} <= self.batch.acks)",
            lambda: f"(self.marks[{self.one('Level.HIGH', 'Level.LOW')}] is None)",
            lambda: f"self.high({self.node(deeper)}, {self.int_(deeper)})",
            lambda: f"({self.bool_(deeper)} if {self.bool_(deeper)} else {self.bool_(deeper)})",
        )

    def int_(self, depth: int) -> str:
        """An int."""
        if self._leaf(depth):
            return self.local("int", "self.number", "self.other", "0", "1", "2", "self.size")
        deeper = depth - 1
        return self.pick(
            lambda: f"({self.int_(deeper)} {self.one('+', '-', '*')} {self.int_(deeper)})",
            lambda: (
                f"({self.int_(deeper)} {self.one('//', '%')} {self.one('2', '3', 'self.other')})"
            ),
            lambda: f"self.level[{self.node(deeper)}]",
            lambda: (
                f"len({self.one('self.queue', 'self.messages', 'self.bag', self.nodes(deeper))})"
            ),
            lambda: f"{self.one('min', 'max')}({self.int_(deeper)}, {self.int_(deeper)})",
            lambda: (
                "sum(" + self.bound("node", self.nodes(deeper), lambda _: self.int_(deeper)) + ")"
            ),
            lambda: (
                f"{self.one('min', 'max')}(("
                + self.bound("node", self.nodes(deeper), lambda _: self.int_(deeper))
                + f"), default={self.int_(0)})"
            ),
            lambda: f"self.bag.count({self.colour(deeper)})",
            lambda: "sum(len(part) for part in self.parts)",
            lambda: (
                f"max((n for n in self.marks.values() if n is not None), default={self.int_(0)})"
            ),
            lambda: "(0 if self.batch is None else len(self.batch.log))",
            lambda: f"({self.int_(deeper)} if {self.bool_(deeper)} else {self.int_(deeper)})",
            lambda: f"(-{self.int_(deeper)})",
            lambda: f"self.rank({self.int_(deeper)})",
        )

    def small(self, depth: int) -> str:
        """An int that mostly fits its bounds."""
        return self.pick(
            lambda: f"max(0, min(self.size, {self.int_(depth)}))",
            lambda: f"max(0, min(self.size, {self.int_(depth)}))",
            lambda: f"max(0, min(self.size, {self.int_(depth)}))",
            lambda: f"self.number + {self.int_(min(depth, 1))}",
        )

    def colour(self, depth: int) -> str:
        """A colour."""
        if self._leaf(depth):
            return self.local("colour", "self.colour", "Colour.RED", "Colour.GREEN", "Colour.BLUE")
        return self.pick(
            lambda: self.colour(0),
            lambda: f"(Colour.BLUE if {self.bool_(depth - 1)} else {self.colour(depth - 1)})",
        )

    def node(self, depth: int) -> str:
        """A node; there is always one in scope."""
        if self._leaf(depth) or len(self.names["node"]) == 1:
            return self.one(*self.names["node"])
        return self.pick(
            lambda: self.one(*self.names["node"]),
            lambda: f"({self.node(0)} if {self.bool_(depth - 1)} else {self.node(0)})",
        )

    def nodes(self, depth: int) -> str:
        """A set of nodes."""
        if self._leaf(depth):
            return self.local("nodes", "self.group", "self.nodes", f"{{{self.node(0)}}}")
        deeper = depth - 1
        return self.pick(
            lambda: self.nodes(0),
            lambda: f"({self.nodes(deeper)} {self.one('|', '&', '-')} {self.nodes(deeper)})",
            lambda: f"self.heard[{self.node(deeper)}]",
            lambda: (
                "{"
                + self.bound("node", self.nodes(deeper), lambda name: name)
                + f" if {self.bool_(deeper)}}}"
            ),
            lambda: "{m.node for m in self.messages if isinstance(m, Ask)}",
            lambda: "{x for part in self.parts for x in part}",
            lambda: f"(self.group if self.batch is None else self.batch.acks | {self.nodes(0)})",
            lambda: "self.members()",
        )

    def message(self, depth: int) -> str:
        """A message."""
        return self.pick(
            lambda: f"Ask({self.node(depth)}, {self.small(depth)})",
            lambda: f"Tell({self.colour(depth)})",
        )

    # --- Statements ---

    def block(self, depth: int, indent: int) -> list[str]:
        """A few statements."""
        before = {kind: list(names) for kind, names in self.names.items()}
        lines: list[str] = []
        for _ in range(1 + self.below(3)):
            lines += self.statement(depth, indent)
        self.names = before
        return lines

    def statement(self, depth: int, indent: int) -> list[str]:
        """One statement, perhaps of several lines."""
        pad = " " * indent
        if depth > 0 and self.below(3) == 0:
            return self._compound(depth, pad, indent)
        return [pad + self._simple()]

    def _simple(self) -> str:
        return self.pick(
            lambda: f"self.flag = {self.bool_(2)}",
            lambda: f"self.number = {self.small(2)}",
            lambda: f"self.other = max(-2, min(3, {self.int_(2)}))",
            lambda: f"self.number += {self.one('1', '-1')}",
            lambda: f"self.colour = {self.colour(1)}",
            lambda: f"self.owner = {self.one('None', self.node(1))}",
            lambda: f"self.last = {self.one('None', self.message(1))}",
            lambda: f"self.group.{self.one('add', 'discard')}({self.node(1)})",
            lambda: f"self.group = {self.nodes(2)}",
            lambda: f"self.group {self.one('|=', '&=', '-=')} {self.nodes(1)}",
            lambda: f"self.messages.{self.one('add', 'discard', 'remove')}({self.message(1)})",
            lambda: f"self.level[{self.node(1)}] = {self.small(1)}",
            lambda: f"self.heard[{self.node(1)}].{self.one('add', 'discard')}({self.node(1)})",
            lambda: f"self.heard[{self.node(1)}] = {self.nodes(1)}",
            lambda: f"self.tint[{self.colour(1)}] = {self.bool_(1)}",
            lambda: f"self.queue = self.queue{self.one('[:1]', '[1:]', '[-1:]')}",
            lambda: f"self.queue = [*self.queue, {self.node(0)}][-2:]",
            lambda: f"self.queue.append({self.node(0)})",
            lambda: f"self.bag.{self.one('add', 'discard')}({self.colour(1)})",
            lambda: f"self.tell({self.colour(1)})",
            lambda: f"require({self.bool_(2)})",
            lambda: f"self.batch = Batch({self.nodes(1)}, self.queue)",
            lambda: f"self.batch = {self.one('None', 'Batch(self.group, [], Level.HIGH)')}",
            lambda: f"self.held.{self.one('add', 'discard')}({self.nodes(1)})",
            lambda: f"self.held = {{part | {self.nodes(0)} for part in self.held}}",
            lambda: f"self.parts.append({self.nodes(1)})",
            lambda: f"self.parts = self.parts{self.one('[:1]', '[1:]', '[-1:]')}",
            lambda: f"self.parts[{self.one('0', '-1')}].add({self.node(0)})",
            lambda: f"self.group = self.parts.pop({self.one('', '0')})",
            lambda: f"self.marks[{self.one('Level.HIGH', 'Level.LOW')}] = {self.small(1)}",
            lambda: "self.reset()",
        )

    def _compound(self, depth: int, pad: str, indent: int) -> list[str]:
        inner = indent + 4
        makers = [
            self._if, self._for, self._match, self._choose, self._bind, self._bind_set,
            self._owner, self._batch, self._rebound,
        ]  # fmt: skip
        return makers[self.below(len(makers))](depth - 1, pad, inner)

    def _if(self, depth: int, pad: str, inner: int) -> list[str]:
        lines = [f"{pad}if {self.bool_(2)}:", *self.block(depth, inner)]
        if self.below(2):
            lines += [f"{pad}else:", *self.block(depth, inner)]
        return lines

    def _for(self, depth: int, pad: str, inner: int) -> list[str]:
        name = self.fresh("n")
        source = self.nodes(1)
        self.names["node"].append(name)
        lines = [f"{pad}for {name} in Set({source}):", *self.block(depth, inner)]
        self.names["node"].remove(name)
        return lines

    def _match(self, depth: int, pad: str, inner: int) -> list[str]:
        who, number = self.fresh("who"), self.fresh("number")
        lines = [f"{pad}match self.last:"]
        deep = inner + 4
        case = " " * inner
        self.names["node"].append(who)
        self.names.setdefault("int", []).append(number)
        lines += [f"{case}case Ask({who}, number={number}):", *self.block(depth, deep)]
        self.names["node"].remove(who)
        self.names["int"].remove(number)
        lines += [f"{case}case Tell(colour=Colour.RED | Colour.BLUE):", *self.block(depth, deep)]
        if self.below(2):
            lines += [f"{case}case _:", *self.block(depth, deep)]
        return lines

    def _choose(self, depth: int, pad: str, inner: int) -> list[str]:
        name = self.fresh("chosen")
        line = f"{pad}{name} = choose({self.nodes(1)})"
        self.names["node"].append(name)
        return [line]

    def _bind(self, depth: int, pad: str, inner: int) -> list[str]:
        name = self.fresh("local")
        line = f"{pad}{name} = {self.int_(2)}"
        self.names.setdefault("int", []).append(name)
        return [line]

    def _bind_set(self, depth: int, pad: str, inner: int) -> list[str]:
        name = self.fresh("kept")
        line = f"{pad}{name} = Set({self.nodes(2)})"
        self.names.setdefault("nodes", []).append(name)
        return [line]

    def _owner(self, depth: int, pad: str, inner: int) -> list[str]:
        """An option that a guard or a branch shows to be there."""
        name = self.fresh("owner")
        lines = [f"{pad}{name} = self.owner"]
        if self.below(2):
            self.names["node"].append(name)
            return [*lines, f"{pad}require({name} is not None)"]
        self.names["node"].append(name)
        lines += [f"{pad}if {name} is not None:", *self.block(depth, inner)]
        self.names["node"].remove(name)
        return lines

    def _batch(self, depth: int, pad: str, inner: int) -> list[str]:
        name = self.fresh("acked")
        lines = [f"{pad}if self.batch is not None:"]
        deep = " " * inner
        lines.append(f"{deep}self.batch = replace(self.batch, acks={self.nodes(1)})")
        lines.append(f"{deep}for {name} in self.batch.acks | {self.nodes(1)}:")
        self.names["node"].append(name)
        lines += self.block(depth, inner + 4)
        self.names["node"].remove(name)
        return lines

    def _rebound(self, depth: int, pad: str, inner: int) -> list[str]:
        """A loop variable that is stored to."""
        name = self.fresh("n")
        lines = [f"{pad}for {name} in Set({self.nodes(1)}):"]
        deep = " " * inner
        lines += [f"{deep}if {self.bool_(1)}:", f"{deep}    {name} = {self.node(0)}"]
        self.names["node"].append(name)
        lines += self.block(depth, inner)
        self.names["node"].remove(name)
        return lines


HELPERS = '''
    def high(self, node: Node, limit: int) -> bool:
        """A helper with branches."""
        level = self.level[node]
        if level > limit:
            return True
        if self.owner is not None and self.owner == node:
            return node in self.group
        return False

    def rank(self, value: int) -> int:
        """A helper with a local."""
        total = value
        for node in self.group:
            total = total + self.level[node]
        return total % 3

    def members(self) -> Set[Node]:
        """A helper that gives away one of several collections."""
        if self.flag:
            return self.group
        for_all = {node for node in self.nodes if self.level[node] > 0}
        return for_all if self.owner is None else self.heard[self.owner]

    def reset(self) -> None:
        """A procedure that undoes what was shown."""
        self.owner = None
        self.batch = None
        self.group.clear()

    def noted(self) -> None:
        super().noted()
        self.flag = not self.flag

    def tell(self, colour: Colour) -> None:
        """A procedure."""
        self.messages.add(Tell(colour))
        self.last = Tell(colour)
'''


def spec_source(below: Below, fuel: int = 120) -> str:
    """A module with a spec class `Generated`."""
    made = Source(below, fuel)
    lines = [HEADER, HELPERS]
    for position in range(2 + below(2)):
        made.names = {"node": ["node"]}
        extra = below(3)
        parameters = ["node: Node", *(["number: Small"] if extra == 1 else [])]
        if extra == 1:
            made.names["int"] = ["number"]
        if extra == 2:
            parameters.append("colour: Colour")
            made.names["colour"] = ["colour"]
        lines.append("    @action")
        lines.append(f"    def act{position}(self, {', '.join(parameters)}) -> None:")
        lines += made.block(2, 8)
    made.names = {"node": ["a", "b"]}
    lines.append("\n    @invariant\n    def holds(self) -> bool:")
    lines.append(f"        return all({made.bool_(2)} for a in self.nodes for b in self.nodes)")
    return "\n".join(lines) + "\n"

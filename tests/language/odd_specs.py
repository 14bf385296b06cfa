"""Legal specs that are easy to get wrong: sharing, scopes, nesting, mixins."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from quorate.language import (
    Map,
    Node,
    Nodes,
    Seq,
    Set,
    Spec,
    action,
    at_most,
    between,
    choose,
    each,
    empty,
    parameter,
    record,
    require,
)

Small = Annotated[int, between(0, 3)]


class Level(IntEnum):
    """The order of definition is not that of the values."""

    HIGH = 3
    LOW = 1
    MIDDLE = 2
    TOP = 3  # an alias


@record
class Ping:
    node: Node
    number: Small


@record
class Pong:
    number: Small = 1


@record
class Batch:
    log: Annotated[Seq[Node], at_most(2)]
    acks: Set[Node]


class Frozen(Spec):
    """Sequences and sets inside records and sets behave as those of variables."""

    nodes: Nodes
    batch: Batch | None = None
    queue: Annotated[Seq[Node], at_most(2)] = empty()
    group: Set[Node] = empty()
    logs: Annotated[Set[Annotated[Seq[Node], at_most(2)]], at_most(2)] = empty()
    sets: Annotated[Set[Set[Node]], at_most(2)] = empty()

    @action
    def make(self, node: Node) -> None:
        require(len(self.queue) < 2)
        self.queue.append(node)
        self.batch = Batch(self.queue, {node})

    @action
    def index(self) -> None:
        require(self.batch is not None)
        assert self.batch is not None
        require(self.batch.log[1] == self.batch.log[0])
        self.logs = {self.queue}

    @action
    def equal(self, node: Node) -> None:
        require(self.batch is not None)
        assert self.batch is not None
        require(self.batch.log == [node])
        self.group = self.group | {node}

    @action
    def join(self, node: Node) -> None:
        require(self.batch is not None)
        assert self.batch is not None
        require(len(self.batch.log) < 2)
        self.queue = self.batch.log + self.queue[:1]

    @action
    def unite(self, node: Node) -> None:
        require(self.batch is not None)
        assert self.batch is not None
        for acked in self.batch.acks | {node}:
            self.queue = [*self.queue[-1:], acked]

    @action
    def pick(self) -> None:
        log = choose(self.logs)
        require(len(log) > 0 and log[0] == log[-1])
        self.queue = log[1:]

    @action
    def nest(self) -> None:
        require(self.group not in self.sets and len(self.sets) < 2)
        self.sets = {group | self.group for group in self.sets} | {self.group}


class Scopes(Spec):
    """Loop variables and captures that are stored to; comprehensions that shadow; copies."""

    nodes: Nodes
    x: Small = 0
    y: Small = 0
    last: Ping | Pong = Pong()
    sent: Set[Node] = empty()
    kept: Set[Node] = empty()

    @action
    def send(self, node: Node, number: Small) -> None:
        require(any(node not in self.sent for node in self.nodes))
        self.last = Ping(node, number)

    @action
    def loop(self) -> None:
        for k in range(3):
            if self.x > 0:
                k = 0
            self.y = k

    @action
    def capture(self) -> None:
        match self.last:
            case Ping(_, k):
                if k > 1:
                    k = 0
                self.x = k
            case Pong(k) if k > 0:
                self.x = k
            case _:
                return
        self.y = k

    @action
    def rebound(self) -> None:
        message = self.last
        match message:
            case Ping(_, k):
                message = Pong(2)
                self.last = message
                self.x = k

    @action
    def copied(self, node: Node) -> None:
        before = Set(self.sent)
        self.sent.add(node)
        self.kept = before


class Shown(Spec):
    """What a guard, a store or a branch shows of an option, in loops and after helpers."""

    nodes: Nodes
    owner: Node | None = None
    other: Node | None = None
    marks: Map[Node, bool] = each(False)
    count: Small = 0

    def mark(self, node: Node) -> None:
        self.marks[node] = True

    def forget(self) -> None:
        self.owner = None

    @action
    def take(self, node: Node) -> None:
        self.owner = node
        self.marks[self.owner] = not self.marks[self.owner]

    @action
    def loop(self) -> None:
        require(self.owner is not None)
        assert self.owner is not None
        other = self.other
        if other is None:
            other = self.owner
        for node in self.nodes:
            self.marks[node] = node in (self.owner, other)
            self.count = max(0, self.count - 1)

    @action
    def call(self) -> None:
        if self.owner is not None:
            self.mark(self.owner)
            self.forget()
        elif self.other is not None:
            self.count = 3 if self.marks[self.other] else 0
        self.other = choose(self.nodes)


class Folded(Spec):
    """What is known beforehand still traps where CPython does."""

    nodes: Nodes
    flag: bool = False
    queue: Annotated[Seq[Node], at_most(1)] = empty()
    parts: Annotated[Seq[Set[Node]], at_most(1)] = empty()

    @action
    def push(self, node: Node) -> None:
        require(len(self.queue) == 0)
        self.queue.append(node)
        self.parts.append({node})

    @action
    def member(self) -> None:
        self.flag = self.queue[0] in self.nodes

    @action
    def none(self) -> None:
        self.flag = self.queue[0] is None

    @action
    def every(self) -> None:
        self.flag = all(True for _ in self.parts[0])

    @action
    def some(self) -> None:
        self.flag = any(False for _ in self.parts[0])

    @action
    def take(self) -> None:
        self.queue[0] = self.queue.pop()


class Levels(Spec):
    """An IntEnum is ordered by position, whatever its values."""

    levels: Set[Level] = empty()
    order: Annotated[Seq[Level], at_most(3)] = empty()
    seen: Map[Level, bool] = each(False)
    current: Level = Level.TOP

    @action
    def add(self, level: Level) -> None:
        self.levels.add(level)
        self.seen[level] = True

    @action
    def fill(self) -> None:
        self.order.clear()
        for level in self.levels:
            self.order.append(level)

    @action
    def choose_one(self) -> None:
        self.current = choose(self.levels)


class Ruled(Spec):
    """What the parameters rule out need not fit."""

    size: int = parameter(1)
    x: Annotated[int, between(0, "size - 1")] = 0
    flag: bool = False

    @action
    def branch(self) -> None:
        if self.size > 1:
            self.x = 1
        else:
            self.flag = not self.flag

    @action
    def guarded(self) -> None:
        require(self.size > 1)
        self.x = 1


ODD_SPECS: list[tuple[type[Spec], dict[str, object]]] = [
    (Frozen, {"nodes": 2}),
    (Scopes, {"nodes": 2}),
    (Shown, {"nodes": 2}),
    (Folded, {"nodes": 2}),
    (Levels, {}),
    (Ruled, {"size": 1}),
    (Ruled, {"size": 2}),
]

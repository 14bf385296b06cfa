"""A spec with every feature, as an author writes it: clean under mypy --strict and ruff."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated

from quorate.language import (
    Bag,
    Map,
    Node,
    Nodes,
    OrderedNodes,
    Seq,
    Set,
    Spec,
    action,
    always_possible,
    at_most,
    between,
    choose,
    constraint,
    crash,
    deliver,
    durable,
    each,
    empty,
    flaw,
    invariant,
    is_quorum,
    parameter,
    record,
    refines,
    request,
    require,
    start,
    step_property,
    timeout,
    volatile,
    witness,
)


class Mode(Enum):
    IDLE = "idle"
    BUSY = "busy"


class Acceptor(Node):
    """A second kind."""


class RingNode(Node):
    """On the ring."""


Ballot = Annotated[int, between(0, "ballots - 1")]


@record
class Ask:
    node: Node
    ballot: Ballot


@record
class Grant:
    node: Node
    acks: Set[Acceptor]
    log: Annotated[Seq[Node], at_most(2)]
    final: bool = False


Message = Ask | Grant


def not_less(before: int | None, now: int | None) -> bool:
    """A helper outside the class."""
    return before is None or (now is not None and before <= now)


class Abstract(Spec):
    """One holder."""

    sites: Nodes
    holder: Node | None = None

    @action
    def take(self, node: Node) -> None:
        require(self.holder is None)
        self.holder = node


class Lock(Spec):
    """A lock."""

    sites: Nodes
    acceptors: Nodes[Acceptor]
    ring: OrderedNodes[RingNode]
    ballots: int = parameter(2, at_least=1, at_most=8)
    mode: Mode = parameter(Mode.IDLE)
    early: bool = flaw("grants early")
    holder: Node | None = None
    state: Map[Node, Mode] = durable(each(Mode.IDLE))
    votes: Set[Acceptor] = volatile(empty())
    queue: Annotated[Seq[Node], at_most(2)] = empty()
    bag: Annotated[Bag[Mode], at_most(2, copies=2)] = empty()
    messages: Set[Message] = empty()
    heard: Map[Node, Set[Acceptor]] = each(empty())
    promised: Map[Acceptor, Ballot | None] = each(None)
    sets: Annotated[Set[Set[Node]], at_most(2)] = empty()
    top: RingNode | None = None
    count: Annotated[int, between(0, 5)] = 0
    last: Message | None = None

    @start
    def begin(self) -> None:
        self.holder = choose(self.sites)
        other = choose(n for n in self.sites if n != self.holder)
        self.state[other] = Mode.BUSY
        self.queue = [other]

    def waiting(self, node: Node) -> bool:
        return node in self.queue

    def granted(self) -> Set[Node]:
        return {m.node for m in self.messages if isinstance(m, Grant)}

    def send(self, message: Message) -> None:
        self.messages.add(message)
        self.last = message

    @request
    def ask(self, node: Node, ballot: Ballot) -> None:
        require(self.state[node] is Mode.IDLE and not self.waiting(node))
        require(len(self.queue) < 2)
        self.queue.append(node)
        self.send(Ask(node, ballot))

    @deliver
    def grant(self, acceptor: Acceptor, message: Message) -> None:
        require(message in self.messages)
        match message:
            case Ask(node, ballot) if ballot > 0:
                self.promised[acceptor] = ballot
                self.votes |= {acceptor}
                self.send(Grant(node, {acceptor}, [node]))
            case Grant(node=node, acks=acks, log=log) as found:
                self.send(replace(found, acks=acks | {acceptor}, log=log[:1]))
                self.send(replace(found, acks={*acks, acceptor}, log=[*log[1:], node]))
                self.heard[node] = acks
            case _:
                return

    @action
    def take(self, quorum: Set[Acceptor]) -> None:
        require(is_quorum(quorum, self.acceptors) and quorum <= self.votes)
        require(self.holder is not None)
        assert self.holder is not None
        self.state[self.holder] = Mode.BUSY
        first = self.queue.pop(0)
        self.holder = first
        self.bag.add(self.mode)
        self.sets.add({first})
        self.state = each(Mode.IDLE)
        self.count = max((p for p in self.promised.values() if p is not None), default=0)
        self.count = min(5, self.count + self.bag.count(Mode.IDLE))
        self.count += sum(1 for n in self.sites if self.state[n] is Mode.BUSY)

    @timeout
    def expire(self) -> None:
        if self.holder is None:
            return
        self.state[self.holder] = Mode.IDLE
        self.queue = [*self.queue[1:], self.holder]
        self.votes = self.votes - {a for a in self.acceptors if self.promised[a] is None}
        for site in self.sites:
            self.state[site] = Mode.IDLE
        for member in self.ring:
            if self.top is None or self.top < member:
                self.top = member

    @crash
    def fail(self, node: Node) -> None:
        self.lose_volatile(node)
        self.lose_volatile()

    @constraint
    def small(self) -> bool:
        return len(self.messages) <= 3

    @invariant
    def safe(self) -> bool:
        return all(self.state[n] is Mode.IDLE or n == self.holder for n in self.sites) or any(
            m is Mode.BUSY for m in self.state.values()
        )

    @witness
    def busy(self) -> bool:
        return any(mode is Mode.BUSY for _, mode in self.state.items())

    @step_property
    def grows(self, after: Lock) -> bool:
        return all(not_less(self.promised[a], after.promised[a]) for a in self.acceptors)

    @always_possible(by=("take",))
    def can_take(self) -> bool:
        return self.holder is not None

    @refines(Abstract)
    def abstract(self) -> Abstract:
        return Abstract(sites=self.sites, holder=self.holder)

"""Small specs that together use everything in the language; each is a first-class test subject."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated, Generic, TypeVar

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
    require,
    restart,
    start,
    step_property,
    step_witness,
    timeout,
    volatile,
    witness,
)

Ballot = Annotated[int, between(0, "ballots - 1")]


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Mode(Enum):
    FAST = 1
    SLOW = 2


class Acceptor(Node):
    """A second kind of node."""


@record
class Ping:
    sender: Node
    ballot: Ballot


@record
class Pong:
    sender: Node
    colour: Colour
    seen: bool = False


@record
class Stop:
    pass


Message = Ping | Pong | Stop


def grown(before: int | None, now: int | None) -> bool:
    """A helper outside any class."""
    return before is None or (now is not None and now >= before)


class Numbers(Spec):
    """Bounded ints, arithmetic, comparison chains, min, max, sum, conditional expressions."""

    ballots: int = parameter(3, at_least=1, at_most=5)
    mode: Mode = parameter(Mode.SLOW)
    x: Annotated[int, between(0, "ballots")] = 0
    y: Annotated[int, between("-ballots", "2 * ballots")] = 0
    seen: Set[Annotated[int, between(0, "ballots")]] = empty()

    @action
    def step(self, by: Annotated[int, between(1, 2)]) -> None:
        require(self.x + by <= self.ballots)
        self.x += by
        self.y = max(-self.ballots, min(self.y + by * (2 if self.mode is Mode.FAST else 1), 4))

    @action
    def fold(self) -> None:
        require(0 < self.x < 3)
        self.seen.add(self.x)
        self.y = -(self.x % 2) - self.x // 2
        self.x = sum(1 for n in self.seen if n != 2)

    @action
    def jump(self) -> None:
        total = 0
        for n in range(self.x):
            total = total + n
        require(total <= self.ballots)
        self.y = total
        self.x = max((n for n in self.seen), default=0)

    @action
    def outside(self) -> None:
        self.seen.discard(self.x)
        require(self.x + 1 not in self.seen)
        self.x = self.x - 1

    @invariant
    def small(self) -> bool:
        return self.y <= 4 and (self.x != 1 or self.y >= -1 or len(self.seen) > 0)

    @witness
    def top(self) -> bool:
        return self.x == self.ballots


class Messages(Spec):
    """Records, unions, match, isinstance, options, sets of messages, helper methods."""

    nodes: Nodes
    ballots: int = parameter(2)
    messages: Set[Message] = empty()
    last: Message | None = None
    owner: Node | None = None
    ballot: Map[Node, Ballot | None] = each(None)
    colour: Colour = Colour.RED

    def send(self, message: Message) -> None:
        """A procedure."""
        self.messages.add(message)
        self.last = message

    def ready(self, node: Node) -> bool:
        """A helper with branches."""
        current = self.ballot[node]
        if current is None:
            return True
        if self.owner == node:
            return False
        return current < self.ballots - 1

    @action
    def ping(self, node: Node) -> None:
        require(self.ready(node))
        current = self.ballot[node]
        ballot = 0 if current is None else current + 1
        self.ballot[node] = ballot
        self.send(Ping(node, ballot))

    @deliver
    def receive(self, message: Message) -> None:
        require(message in self.messages)
        match message:
            case Ping(sender=who, ballot=0):
                self.messages.remove(message)
                self.owner = who
            case Ping(who, ballot) if ballot > 0 and who != self.owner:
                self.messages.discard(Ping(who, ballot))
                self.send(Pong(who, Colour.GREEN))
            case Pong(colour=Colour.GREEN | Colour.BLUE) as pong:
                self.messages.remove(pong)
                self.send(replace(pong, colour=Colour.RED, seen=True))
            case Pong():
                self.send(Stop())
            case Stop():
                self.messages = {m for m in self.messages if not isinstance(m, Pong)}

    @timeout
    def expire(self) -> None:
        require(self.last is not None)
        if isinstance(self.last, Ping) and self.last.ballot == 0:
            self.owner = self.last.sender
        elif isinstance(self.last, (Pong, Stop)):
            self.last = None
        else:
            require(self.owner is not None and self.owner in self.nodes)
            self.owner = None

    @action
    def paint(self) -> None:
        match self.colour:
            case Colour.RED:
                self.colour = Colour.GREEN
            case Colour.GREEN if self.owner is None:
                self.colour = Colour.BLUE
            case _:
                return
        require(len({m.sender for m in self.messages if isinstance(m, (Ping, Pong))}) <= 1)

    @invariant
    def at_most_one_stop(self) -> bool:
        return sum(isinstance(m, Stop) for m in self.messages) <= 1

    @step_property
    def ballots_grow(self, after: Messages) -> bool:
        return all(grown(self.ballot[n], after.ballot[n]) for n in self.nodes)

    @step_witness
    def some_ballot_grows(self, after: Messages) -> bool:
        return any(self.ballot[n] != after.ballot[n] for n in self.nodes)


class SeveralStarts(Spec):
    """start with choices, subsets as parameters, is_quorum, dict comprehensions, sequences."""

    nodes: Nodes
    group: Set[Node] = empty()
    leader: Node | None = None
    mark: Map[Node, bool] = each(False)
    queue: Annotated[Seq[Node], at_most(2)] = empty()

    @start
    def begin(self) -> None:
        self.leader = choose(self.nodes)
        second = choose(n for n in self.nodes if n != self.leader)
        self.mark[second] = True

    @action
    def grow(self, quorum: Set[Node]) -> None:
        require(is_quorum(quorum, self.nodes) and self.leader in quorum)
        require(not quorum <= self.group)
        self.group = self.group | quorum

    @action
    def flip(self) -> None:
        self.mark = {n: not self.mark[n] for n in self.nodes}
        self.group = self.group & {n for n in self.nodes if self.mark[n]}

    @action
    def queue_up(self, node: Node) -> None:
        require(len(self.queue) < 2)
        self.queue = [*self.queue, node]

    @action
    def cut(self) -> None:
        require(len(self.queue) == 2 and self.queue[-1] == self.queue[0])
        self.queue = self.queue[:1]
        rest = self.queue[1:]
        require(len(rest) == 0 and rest == [])
        self.leader = None

    @invariant
    def marked(self) -> bool:
        return any(self.mark.values()) or all(
            not m for n, m in self.mark.items() if n in self.group
        )

    @always_possible()
    def can_empty(self) -> bool:
        return len(self.group) == 0


class Containers(Spec):
    """Maps of maps, of sets and of sequences; bags; changes in place."""

    nodes: Nodes
    bag: Annotated[Bag[Colour], at_most(2, copies=2)] = empty()
    heard: Map[Node, Set[Node]] = each(empty())
    grid: Map[Node, Map[Colour, bool]] = each(each(False))
    logs: Map[Node, Annotated[Seq[Colour], at_most(2)]] = each(empty())

    @action
    def put(self, colour: Colour) -> None:
        require(self.bag.count(colour) < 2)
        require(colour in self.bag or sum(1 for c in self.bag) < 2)
        self.bag.add(colour)

    @action
    def take(self) -> None:
        colour = choose(self.bag)
        self.bag.remove(colour)
        node = choose(self.nodes)
        require(len(self.logs[node]) < 2)
        self.logs[node].append(colour)
        self.grid[node][colour] = True

    @action
    def gossip(self, a: Node, b: Node) -> None:
        require(a != b and len(self.logs[a]) > 0)
        self.heard[b].add(a)
        self.heard[b] |= self.heard[a]
        self.heard[b] -= {b}
        if self.logs[a][0] is Colour.RED:
            self.logs[a].clear()
        else:
            self.logs[a][0] = Colour.RED

    @constraint
    def small(self) -> bool:
        return len(self.bag) <= 2 and sum(len(log) for log in self.logs.values()) <= 2

    @invariant
    def not_self(self) -> bool:
        return all(n not in self.heard[n] for n in self.nodes)


M = TypeVar("M")
N = TypeVar("N", bound=Node)


class Mail(Spec, Generic[M]):
    """A generic mixin: a lossy network."""

    lossy: bool = parameter(False)
    network: Set[M] = empty()

    @action
    def lose(self, message: M) -> None:
        require(self.lossy and message in self.network)
        self.network.remove(message)

    def receive(self, message: M) -> None:
        """Take a message off the network."""
        require(message in self.network)
        self.network.remove(message)


class CrashStop(Spec, Generic[N]):
    """A generic mixin: crash and restart."""

    up: Map[N, bool] = each(True)

    @crash
    def fail(self, node: N) -> None:
        require(self.up[node])
        self.up[node] = False
        self.lose_volatile(node)

    @restart
    def recover(self, node: N) -> None:
        require(not self.up[node])
        self.up[node] = True
        self.on_restart(node)

    def on_restart(self, node: N) -> None:
        """What a node does when it comes back."""


class Abstract(Spec):
    """What `Service` implements: a colour that goes from RED to GREEN, once."""

    colour: Colour = Colour.RED

    @action
    def turn(self) -> None:
        require(self.colour is Colour.RED)
        self.colour = Colour.GREEN


class Service(Mail[Message], CrashStop[Acceptor], Spec):
    """Mixins, two node sets, durable and volatile state, super(), a flaw, a refinement."""

    nodes: Nodes
    acceptors: Nodes[Acceptor]
    ballots: int = parameter(2)
    forgets: bool = flaw("an acceptor comes back without its vote")
    vote: Map[Acceptor, Node | None] = durable(each(None))
    cache: Map[Acceptor, Set[Node]] = volatile(each(empty()))
    round: Annotated[int, between(0, 1)] = volatile(0)
    colour: Colour = Colour.RED

    @action
    def propose(self, node: Node) -> None:
        require(not any(isinstance(m, Ping) for m in self.network))
        require(self.colour is not Colour.GREEN)
        self.network.add(Ping(node, 0))

    @deliver
    def accept(self, acceptor: Acceptor, message: Ping) -> None:
        require(self.up[acceptor] and self.vote[acceptor] is None)
        self.receive(message)
        self.vote[acceptor] = message.sender
        self.cache[acceptor].add(message.sender)

    def on_restart(self, node: Acceptor) -> None:
        super().on_restart(node)
        if self.forgets:
            self.vote[node] = None
        self.lose_volatile()

    @action
    def decide(self) -> None:
        require(is_quorum({a for a in self.acceptors if self.vote[a] is not None}, self.acceptors))
        require(self.colour is Colour.RED)
        self.colour = Colour.GREEN
        self.round = 1

    @step_property
    def votes_stay(self, after: Service) -> bool:
        return all(self.vote[a] is None or after.vote[a] == self.vote[a] for a in self.acceptors)

    @refines(Abstract)
    def abstract(self) -> Abstract:
        return Abstract(colour=self.colour)


class Ring(Spec):
    """Ordered nodes."""

    members: OrderedNodes
    best: Node | None = None

    @action
    def claim(self, node: Node) -> None:
        require(self.best is None or self.best < node)
        self.best = node

    @invariant
    def never_last_first(self) -> bool:
        return self.best is None or all(self.best >= n or self.best < n for n in self.members)


class Bounds(Spec):
    """Each action leaves a bound or has no value in some state: traps."""

    nodes: Nodes
    ballots: int = parameter(2)
    count: Annotated[int, between(0, 2)] = 0
    items: Annotated[Seq[Colour], at_most(1)] = empty()
    some: Set[Annotated[int, between(0, 2)]] = empty()
    chosen: Map[Annotated[int, between(0, 1)], bool] = each(False)
    sent: Set[Ping] = empty()

    @action
    def up(self) -> None:
        self.count = self.count + 1

    @action
    def push(self, colour: Colour) -> None:
        self.items.append(colour)

    @action
    def first(self) -> None:
        require(self.items[self.count] is Colour.RED)

    @action
    def least(self) -> None:
        self.count = min(n for n in self.some)

    @action
    def drop(self) -> None:
        self.some.remove(self.count)

    @action
    def divide(self) -> None:
        self.count = 2 // self.count

    @action
    def at(self) -> None:
        self.chosen[self.count] = True

    @action
    def construct(self, node: Node) -> None:
        require(Ping(node, self.count) not in self.sent)
        self.sent.add(Ping(node, self.count))


SPECS: list[tuple[type[Spec], dict[str, object]]] = [
    (Numbers, {}),
    (Numbers, {"ballots": 4, "mode": Mode.FAST}),
    (Messages, {"nodes": 2}),
    (SeveralStarts, {"nodes": 3}),
    (Containers, {"nodes": 2}),
    (Service, {"nodes": 2, "acceptors": 2}),
    (Service, {"nodes": 2, "acceptors": 2, "lossy": True, "forgets": True}),
    (Ring, {"members": 3}),
    (Bounds, {"nodes": 2}),
]

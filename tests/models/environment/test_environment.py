"""The environment's bases, on specs small enough to count by hand."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.language import (
    Map,
    Node,
    Nodes,
    Set,
    Spec,
    deliver,
    each,
    empty,
    instantiate,
    record,
    request,
    require,
    timeout,
    volatile,
    witness,
)
from quorate.models.environment import (
    CountingNetwork,
    CrashRestart,
    FifoNetwork,
    Partitions,
    Timers,
    UnorderedNetwork,
)
from quorate.tests.reference_search import Found, reference_search


@record
class First:
    """Sent first."""


@record
class Second:
    """Sent second."""


Message = First | Second


class Unordered(UnorderedNetwork[Message]):
    """Sends two messages once; counts what arrives."""

    nodes: Nodes
    sent: bool = False
    first: bool = False
    second: bool = False
    twice: bool = False

    @request
    def go(self) -> None:
        """Send both."""
        require(not self.sent)
        self.sent = True
        self.send(First())
        self.send(Second())

    @deliver
    def arrive(self, message: Message) -> None:
        """Receive one."""
        self.receive(message)
        if isinstance(message, First):
            self.twice = self.twice or self.first
            self.first = True
        else:
            self.second = True

    @witness
    def overtaken(self) -> bool:
        """The second arrived, and not the first."""
        return self.second and not self.first

    @witness
    def lost(self) -> bool:
        """Nothing is under way, and nothing has arrived."""
        return self.sent and len(self.network) == 0 and not self.first and not self.second

    @witness
    def doubled(self) -> bool:
        """The first arrived twice."""
        return self.twice


class Counting(CountingNetwork[Message]):
    """Sends one message once; counts arrivals."""

    nodes: Nodes
    sent: bool = False
    once: bool = False
    twice: bool = False

    @request
    def go(self) -> None:
        """Send."""
        require(not self.sent)
        self.sent = True
        self.send(First())

    @deliver
    def arrive(self, message: Message) -> None:
        """Receive."""
        self.receive(message)
        self.twice = self.once
        self.once = True

    @witness
    def doubled(self) -> bool:
        """It arrived twice."""
        return self.twice

    @witness
    def lost(self) -> bool:
        """It never arrives."""
        return self.sent and not self.once and len(self.network) == 0


class Ordered(FifoNetwork[Message]):
    """Sends two messages over each channel once."""

    nodes: Nodes
    sent: Set[Node] = empty()
    first: Set[Node] = empty()
    second: Set[Node] = empty()

    @request
    def go(self, sender: Node, to: Node) -> None:
        """Send both to another node."""
        require(sender != to)
        require(sender not in self.sent)
        self.sent.add(sender)
        self.send(sender, to, First())
        self.send(sender, to, Second())

    @deliver
    def arrive(self, sender: Node, to: Node, message: Message) -> None:
        """Receive the oldest."""
        self.receive(sender, to, message)
        if isinstance(message, First):
            self.first.add(to)
        else:
            self.second.add(to)

    @witness
    def overtaken(self) -> bool:
        """A second message arrived without its first."""
        return any(node in self.second and node not in self.first for node in self.nodes)

    @witness
    def arrived(self) -> bool:
        """Both arrived somewhere."""
        return any(node in self.second and node in self.first for node in self.nodes)


class Machine(CrashRestart, Partitions, Timers):
    """Remembers something volatile; a restart notes it."""

    nodes: Nodes
    known: Set[Node] = empty()
    recovered: Set[Node] = empty()
    rang: Set[Node] = empty()

    @request
    def learn(self, node: Node) -> None:
        """Learn, and set a timer."""
        require(self.up[node] and self.connected(node))
        require(node not in self.known)
        self.known.add(node)
        self.set_timer(node)

    @timeout
    def ring(self, node: Node) -> None:
        """The timer runs out."""
        self.expire(node)
        self.rang.add(node)

    def recover(self, node: Node) -> None:
        """Note it."""
        self.recovered.add(node)
        self.cancel_timer(node)

    @witness
    def back(self) -> bool:
        """A node came back."""
        return len(self.recovered) > 0

    @witness
    def all_down(self) -> bool:
        """All are down."""
        return not any(self.up[node] for node in self.nodes)

    @witness
    def alone(self) -> bool:
        """A node is cut off."""
        return len(self.isolated) > 0

    @witness
    def rings(self) -> bool:
        """A timer ran out."""
        return len(self.rang) > 0


def search(spec: type[Spec], **parameters: Any) -> Found:
    instance = instantiate(spec, parameters)
    by_evaluator = reference_search(instance.evaluator(), instance.ir.properties)
    by_python = reference_search(instance.reference(), instance.ir.properties)
    assert by_evaluator.states == by_python.states
    assert by_evaluator.generated == by_python.generated
    return by_evaluator


def test_an_unordered_network_delivers_once_in_any_order() -> None:
    found = search(Unordered, nodes=1)
    # before; both, one of either, none under way
    assert (found.distinct, found.generated, found.depth) == (5, 1 + 1 + 2 + 2, 4)
    assert set(found.reached) == {"overtaken"}


def test_a_lossy_network_loses_each_message_or_not() -> None:
    found = search(Unordered, nodes=1, lossy=True)
    # before; each message under way, arrived or lost
    assert found.distinct == 1 + 3 * 3
    assert set(found.reached) == {"overtaken", "lost"}


def test_a_duplicating_network_keeps_what_it_delivers() -> None:
    found = search(Unordered, nodes=1, duplicating=True)
    # before; the first never, once or twice, the second or not
    assert found.distinct == 1 + 3 * 2
    assert set(found.reached) == {"overtaken", "doubled"}


@pytest.mark.parametrize(
    ("parameters", "reached"),
    [
        ({}, set()),
        ({"lossy": True}, {"lost"}),
        ({"duplicating": True}, set()),
        ({"duplicating": True, "copies": 2}, {"doubled"}),
        ({"duplicating": True, "copies": 2, "lossy": True}, {"doubled", "lost"}),
    ],
)
def test_a_counting_network_counts_copies(parameters: dict[str, Any], reached: set[str]) -> None:
    assert set(search(Counting, nodes=1, **parameters).reached) == reached


def test_nothing_overtakes_in_a_channel() -> None:
    assert set(search(Ordered, nodes=2).reached) == {"arrived"}


def test_a_lossy_channel_loses_its_oldest_message() -> None:
    assert set(search(Ordered, nodes=2, lossy=True).reached) == {"arrived", "overtaken"}


def test_a_channel_that_overflows_is_out_of_bounds() -> None:
    assert search(Ordered, nodes=2, capacity=1).trap is not None


@pytest.mark.parametrize(
    ("parameters", "reached"),
    [
        ({"max_crashes": 0}, {"rings"}),
        ({"max_crashes": 1}, {"rings", "back"}),
        ({"max_crashes": 2}, {"rings", "back", "all_down"}),
        ({"max_crashes": 2, "crash_stop": True}, {"rings", "all_down"}),
        ({"max_crashes": 0, "partitions": True}, {"rings", "alone"}),
    ],
)
def test_machines_crash_come_back_and_are_cut_off(
    parameters: dict[str, Any], reached: set[str]
) -> None:
    assert set(search(Machine, nodes=2, **parameters).reached) == reached


class Forgetful(CrashRestart):
    """Knows something volatile."""

    nodes: Nodes
    known: Set[Node] = volatile(empty())

    @request
    def learn(self, node: Node) -> None:
        """Learn."""
        require(self.up[node])
        self.known.add(node)


def test_a_set_of_nodes_is_not_a_map_so_a_crash_of_a_node_leaves_it() -> None:
    """`lose_volatile(node)` resets entries of maps keyed by nodes, as `Spec` documents."""
    instance = instantiate(Forgetful, {"nodes": 1})
    names = [variable.name for variable in instance.ir.variables]
    states = reference_search(instance.evaluator()).states
    down = [dict(zip(names, state, strict=True)) for state in states]
    assert any(state["known"] and not any(state["up"].values()) for state in down)


class Disk(Node):
    """One of two kinds of node."""


class Host(Node):
    """The other."""


class Rack(CrashRestart[Disk]):
    """Two node sets, and only the members of one crash."""

    disks: Nodes[Disk]
    hosts: Nodes[Host]
    cache: Map[Disk, bool] = volatile(each(False))
    seen: Map[Host, bool] = volatile(each(False))

    @request
    def fill(self, disk: Disk, host: Host) -> None:
        """Note something on both sides."""
        require(self.up[disk])
        self.cache[disk] = True
        self.seen[host] = True

    @witness
    def lost(self) -> bool:
        """The host still knows what the disk has lost."""
        return any(self.seen[host] for host in self.hosts) and not any(
            self.cache[disk] for disk in self.disks
        )

    @witness
    def host_lost(self) -> bool:
        """The disk still knows what the host has lost."""
        return any(self.cache[disk] for disk in self.disks) and not any(
            self.seen[host] for host in self.hosts
        )


def test_the_members_of_one_node_set_crash_where_the_base_names_it() -> None:
    assert set(search(Rack, disks=1, hosts=1).reached) == {"lost"}

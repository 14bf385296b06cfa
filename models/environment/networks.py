"""Networks. A message names its sender and receiver where that matters; time is not modelled."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from ...language import (
    Bag,
    Map,
    Node,
    Seq,
    Set,
    Spec,
    at_most,
    drop,
    duplicate,
    each,
    empty,
    parameter,
    require,
)

M = TypeVar("M")


class UnorderedNetwork(Spec, Generic[M]):
    """Messages in flight, as a set: any may arrive next, and any may wait for ever.

    Sending what is in flight already changes nothing. `lossy`: a message may vanish. `duplicating`:
    a message that has arrived stays in flight, so that it may arrive again. UDP is both.
    """

    lossy: bool = parameter(False)
    duplicating: bool = parameter(False)

    network: Set[M] = empty()

    def send(self, message: M) -> None:
        """Put a message into the network."""
        self.network.add(message)

    def receive(self, message: M) -> None:
        """Take a message out of the network; not possible unless it is there."""
        require(message in self.network)
        if not self.duplicating:
            self.network.discard(message)

    @drop
    def lose(self, message: M) -> None:
        """The network loses a message."""
        require(self.lossy)
        require(message in self.network)
        self.network.discard(message)


class BoundedNetwork(Spec, Generic[M]):
    """Messages in flight, as a set of at most `max_messages`: for messages that have many values.

    While there is no room, a step that sends is not possible: what remains are runs of the
    `UnorderedNetwork`, and no others. `lossy` and `duplicating` are as there.
    """

    lossy: bool = parameter(False)
    duplicating: bool = parameter(False)
    max_messages: int = parameter(4, at_least=1, at_most=64)

    network: Annotated[Set[M], at_most("max_messages")] = empty()

    def send(self, message: M) -> None:
        """Put a message into the network; not possible without room."""
        require(message in self.network or len(self.network) < self.max_messages)
        self.network.add(message)

    def receive(self, message: M) -> None:
        """Take a message out of the network; not possible unless it is there."""
        require(message in self.network)
        if not self.duplicating:
            self.network.discard(message)

    @drop
    def lose(self, message: M) -> None:
        """The network loses a message."""
        require(message in self.network)
        require(self.lossy)
        self.network.discard(message)


class CountingNetwork(Spec, Generic[M]):
    """Messages in flight, as a bag: each copy is lost, doubled and received on its own.

    More than `copies` copies of a message are out of bounds, with their own verdict: what a spec
    sends again and again wants `UnorderedNetwork`.
    """

    lossy: bool = parameter(False)
    duplicating: bool = parameter(False)
    copies: int = parameter(1, at_least=1, at_most=16)

    network: Annotated[Bag[M], at_most(copies="copies")] = empty()

    def send(self, message: M) -> None:
        """Put a copy of a message into the network."""
        self.network.add(message)

    def receive(self, message: M) -> None:
        """Take a copy of a message out of the network; not possible unless there is one."""
        require(message in self.network)
        self.network.remove(message)

    @drop
    def lose(self, message: M) -> None:
        """The network loses a copy of a message."""
        require(self.lossy)
        require(message in self.network)
        self.network.remove(message)

    @duplicate
    def double(self, message: M) -> None:
        """The network makes a copy of a message, up to `copies`."""
        require(self.duplicating)
        require(message in self.network)
        require(self.network.count(message) < self.copies)
        self.network.add(message)


class FifoNetwork(Spec, Generic[M]):
    """A channel for every ordered pair of nodes; nothing overtakes (TCP within one connection).

    `lossy`: the oldest message of a channel may vanish. More than `capacity` messages in a channel
    are out of bounds, with their own verdict.
    """

    lossy: bool = parameter(False)
    capacity: int = parameter(2, at_least=1, at_most=16)

    channels: Map[Node, Map[Node, Annotated[Seq[M], at_most("capacity")]]] = each(each(empty()))

    def send(self, sender: Node, to: Node, message: M) -> None:
        """Append a message to the channel from `sender` to `to`."""
        self.channels[sender][to].append(message)

    def receive(self, sender: Node, to: Node, message: M) -> None:
        """Take the oldest message of a channel; not possible unless it is `message`."""
        require(len(self.channels[sender][to]) > 0)
        require(self.channels[sender][to][0] == message)
        self.channels[sender][to].pop(0)

    @drop
    def lose(self, sender: Node, to: Node) -> None:
        """The network loses the oldest message of a channel."""
        require(self.lossy)
        require(len(self.channels[sender][to]) > 0)
        self.channels[sender][to].pop(0)

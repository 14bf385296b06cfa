"""Partitions: nodes that no message reaches."""

from __future__ import annotations

from ...language import Node, Set, Spec, empty, heal, parameter, partition, require


class Partitions(Spec):
    """A node may be cut off from all others, and come back. Messages to it wait or are lost.

    `partitions`: whether that happens at all. A spec asks `connected(receiver)` before a delivery.
    Nodes that are cut off are alone, each by itself: to model two sides that both talk, a spec
    keeps the side of each node.
    """

    partitions: bool = parameter(False)

    isolated: Set[Node] = empty()

    def connected(self, node: Node) -> bool:
        """Whether messages reach the node."""
        return node not in self.isolated

    @partition
    def isolate(self, node: Node) -> None:
        """A node is cut off from the others."""
        require(self.partitions)
        require(node not in self.isolated)
        self.isolated.add(node)

    @heal
    def reconnect(self, node: Node) -> None:
        """A node is back."""
        require(self.partitions)
        require(node in self.isolated)
        self.isolated.discard(node)

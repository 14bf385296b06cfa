"""Timers without time: a timer that is set may run out at any moment."""

from __future__ import annotations

from ...language import Node, Set, Spec, empty, require


class Timers(Spec):
    """One timer a node. A spec whose time-outs are enabled by state alone does not need this."""

    timers: Set[Node] = empty()

    def set_timer(self, node: Node) -> None:
        """Start the node's timer, or start it again."""
        self.timers.add(node)

    def cancel_timer(self, node: Node) -> None:
        """Stop the node's timer; nothing if it is not running."""
        self.timers.discard(node)

    def expire(self, node: Node) -> None:
        """The guard of a time-out: the timer was running, and has run out."""
        require(node in self.timers)
        self.timers.discard(node)

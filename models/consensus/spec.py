"""Consensus: what any algorithm that chooses a single value implements."""

from __future__ import annotations

from ...language import Node, Nodes, Set, Spec, action, empty, require


class Value(Node):
    """A value that may be proposed. Nothing depends on which it is."""


class Consensus(Spec):
    """At most one value is chosen, and for good.

    Lamport, 'Paxos Made Simple' (2001), section 2.1; the module Consensus of tlaplus/Examples. Who
    proposes and how a choice comes about is left out: a step chooses. That is what makes it the
    meaning, and not an algorithm.
    """

    values: Nodes[Value]

    chosen: Set[Value] = empty()  # the values that are chosen: none, or one

    @action
    def choose_value(self, value: Value) -> None:
        """A value becomes chosen, as long as none is."""
        require(len(self.chosen) == 0)
        self.chosen.add(value)

    def choosable(self) -> Set[Value]:
        """All values: each counts as proposed."""
        return self.values

    def proposed(self, value: Value) -> bool:
        """It may be chosen from the start."""
        return True

    def is_chosen(self, value: Value) -> bool:
        """It is chosen."""
        return value in self.chosen

"""What a type checker takes the collections for: Python's own.

A spec stores displays and comprehensions (`self.sent = {m for m in self.sent if ...}`), which at
run time are copied into the collections of `collections.py`. Only this view makes such a store
clean under a type checker; what Python's collections can do beyond the language is refused when
the spec is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import Node

Map = dict
Seq = list
Set = set

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    N = TypeVar("N", bound=Node, default=Node)

    class Nodes(set[N]):
        """A set of nodes that an instance is given by its size; the nodes are interchangeable."""

    class OrderedNodes(Nodes[N]):
        """Nodes with an order (`<`), as on a ring or with ranked identifiers."""


__all__ = ["Map", "Nodes", "OrderedNodes", "Seq", "Set"]

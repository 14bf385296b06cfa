"""The spec language: write a protocol as a typed Python class, get its meaning and its IR."""

from typing import TYPE_CHECKING

from .collections import Bag
from .declarations import (
    action,
    always_possible,
    assume,
    at_most,
    between,
    choose,
    constraint,
    crash,
    deliver,
    drop,
    duplicate,
    durable,
    each,
    empty,
    flaw,
    heal,
    invariant,
    is_quorum,
    parameter,
    partition,
    record,
    refines,
    request,
    require,
    restart,
    start,
    step_property,
    step_witness,
    timeout,
    volatile,
    witness,
)
from .diagnostics import SpecErrors
from .failures import UsageError
from .instance import Instance, instantiate
from .spec import Spec
from .values import Node

if TYPE_CHECKING:
    from .author_types import Map, Nodes, OrderedNodes, Seq, Set
else:
    from .collections import Map, Nodes, OrderedNodes, Seq, Set

__all__ = [
    "Bag",
    "Instance",
    "Map",
    "Node",
    "Nodes",
    "OrderedNodes",
    "Seq",
    "Set",
    "Spec",
    "SpecErrors",
    "UsageError",
    "action",
    "always_possible",
    "assume",
    "at_most",
    "between",
    "choose",
    "constraint",
    "crash",
    "deliver",
    "drop",
    "duplicate",
    "durable",
    "each",
    "empty",
    "flaw",
    "heal",
    "instantiate",
    "invariant",
    "is_quorum",
    "parameter",
    "partition",
    "record",
    "refines",
    "request",
    "require",
    "restart",
    "start",
    "step_property",
    "step_witness",
    "timeout",
    "volatile",
    "witness",
]

"""Crash and restart: what is volatile is lost, what is durable stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Generic

from ...language import (
    Map,
    Node,
    Spec,
    between,
    crash,
    each,
    parameter,
    require,
    restart,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    N = TypeVar("N", bound=Node, default=Node)
else:
    from typing import TypeVar

    N = TypeVar("N", bound=Node)


class CrashRestart(Spec, Generic[N]):
    """Nodes crash, at most `max_crashes` times in all, and restart unless `crash_stop`.

    Where a spec has several node sets, `CrashRestart[Acceptor]` says whose members crash.

    A crash sets the volatile variables of the node back; what it does at restart, from its durable
    ones, is the `recover` of the spec.
    """

    max_crashes: int = parameter(1, at_least=0, at_most=15)
    crash_stop: bool = parameter(False)

    up: Map[N, bool] = each(True)
    crashes: Annotated[int, between(0, "max_crashes")] = 0

    def recover(self, node: N) -> None:
        """What a node does first after a restart. By default, nothing."""

    @crash
    def crash_node(self, node: N) -> None:
        """A node crashes and loses what is volatile."""
        require(self.crashes < self.max_crashes)
        require(self.up[node])
        self.crashes += 1
        self.up[node] = False
        self.lose_volatile(node)

    @restart
    def restart_node(self, node: N) -> None:
        """A node starts again and recovers from what is durable."""
        require(not self.crash_stop)
        require(not self.up[node])
        self.up[node] = True
        self.recover(node)

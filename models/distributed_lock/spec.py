"""A lock that nodes hand to each other: whoever has the newest epoch holds it."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    Spec,
    action,
    between,
    choose,
    deliver,
    each,
    empty,
    flaw,
    parameter,
    record,
    require,
    start,
)

Epoch = Annotated[int, between(0, "epochs - 1")]


@record
class Transfer:
    """The holder to another node: the lock is yours, in this epoch."""

    epoch: Epoch
    to: Node


@record
class Locked:
    """A node to all who are interested: I hold the lock in this epoch."""

    epoch: Epoch
    node: Node


Message = Transfer | Locked


class DistributedLock(Spec):
    """The holder of a lock hands it to another node, in an epoch above all before.

    Hawblitzel et al., 'IronFleet: Proving Practical Distributed Systems Correct' (SOSP 2015),
    section 3, its lock service. Messages may be late, and come again; an epoch says which are old.
    The paper numbers epochs one by one; of epochs, only the order is used here, so a holder may
    leave some out. Left out: losing messages (one that is not received is as good as lost; with it
    the lock is lost), clients.
    """

    nodes: Nodes
    epochs: int = parameter(3, at_least=1, at_most=15)

    accepts_old_epoch: bool = flaw("a node takes the lock from a transfer that is not newer")
    keeps_lock: bool = flaw("a node that has handed the lock on still holds it")
    reuses_epoch: bool = flaw("the lock is handed on in the epoch of its holder")

    held: Map[Node, bool] = each(False)  # who holds the lock
    epoch: Map[Node, Epoch] = each(0)  # that in which each has held it last; 0 if it has not
    messages: Set[Message] = empty()  # all that were ever sent

    @start
    def first_holder(self) -> None:
        """One node begins with the lock, in the first epoch."""
        first = choose(self.nodes)
        self.held[first] = True
        self.messages.add(Locked(0, first))

    @action
    def grant(self, node: Node, to: Node, epoch: Epoch) -> None:
        """The holder hands the lock to another node, in a later epoch (HostGrant)."""
        require(self.held[node])
        require(to != node)
        require(epoch > self.epoch[node] or (self.reuses_epoch and epoch == self.epoch[node]))
        self.held[node] = self.keeps_lock
        self.messages.add(Transfer(epoch, to))

    @deliver
    def accept(self, transfer: Transfer) -> None:
        """A node takes the lock, if the epoch is above its own, and says so (HostAccept)."""
        require(transfer in self.messages)
        require(transfer.epoch > self.epoch[transfer.to] or self.accepts_old_epoch)
        self.held[transfer.to] = True
        self.epoch[transfer.to] = transfer.epoch
        self.messages.add(Locked(transfer.epoch, transfer.to))

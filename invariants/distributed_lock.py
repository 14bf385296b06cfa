"""A lock that is handed from node to node: who holds it, and who has.

What the lock service of Hawblitzel et al. (IronFleet, SOSP 2015, section 3) promises, and an
inductive invariant for it: whoever is to have the lock next has an epoch above all others. The
properties ask a spec for the names below and for nothing else.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Map, Node, Nodes, Set, always_possible, invariant, step_property, witness
from ..models.distributed_lock.spec import Locked, Message, Transfer


class Handing(Protocol):
    """A spec in which nodes hand a lock to each other, by messages with epochs."""

    nodes: Nodes
    held: Map[Node, bool]
    epoch: Map[Node, int]
    messages: Set[Message]


def transfers(spec: Handing) -> Set[Transfer]:
    """All transfers that were ever sent."""
    return {message for message in spec.messages if isinstance(message, Transfer)}


def holdings(spec: Handing) -> Set[Locked]:
    """The history: which node has held the lock in which epoch."""
    return {message for message in spec.messages if isinstance(message, Locked)}


def is_under_way(spec: Handing, transfer: Transfer) -> bool:
    """The lock is in this message: its node has not taken it yet."""
    return transfer.epoch > spec.epoch[transfer.to]


@invariant
def mutual_exclusion(spec: Handing) -> bool:
    """At most one node holds the lock."""
    return all(
        node == other
        for node in spec.nodes
        if spec.held[node]
        for other in spec.nodes
        if spec.held[other]
    )


@invariant
def one_holder_per_epoch(spec: Handing) -> bool:
    """No two nodes ever hold the lock in the same epoch."""
    return all(
        one.node == other.node
        for one in holdings(spec)
        for other in holdings(spec)
        if one.epoch == other.epoch
    )


@step_property
def history_grows_at_its_end(spec: Handing, after: Handing) -> bool:
    """A node takes the lock in an epoch above all in which it was held before."""
    return all(
        new in spec.messages or all(old.epoch < new.epoch for old in holdings(spec))
        for new in holdings(after)
    )


@invariant
def holder_is_ahead_of_nodes(spec: Handing) -> bool:
    """No node has an epoch above the holder's."""
    return all(
        spec.epoch[other] <= spec.epoch[node]
        for node in spec.nodes
        if spec.held[node]
        for other in spec.nodes
    )


@invariant
def holder_is_ahead_of_transfers(spec: Handing) -> bool:
    """While a node holds the lock, no transfer has an epoch above its own: all are taken."""
    return all(
        transfer.epoch <= spec.epoch[node]
        for node in spec.nodes
        if spec.held[node]
        for transfer in transfers(spec)
    )


@invariant
def held_or_under_way(spec: Handing) -> bool:
    """While the lock is under way, nobody holds it."""
    return not any(is_under_way(spec, transfer) for transfer in transfers(spec)) or not any(
        spec.held[node] for node in spec.nodes
    )


@invariant
def transfer_is_ahead_of_nodes(spec: Handing) -> bool:
    """The epoch of a transfer that is under way is above that of every node."""
    return all(
        spec.epoch[node] < transfer.epoch
        for transfer in transfers(spec)
        if is_under_way(spec, transfer)
        for node in spec.nodes
    )


@invariant
def transfer_is_ahead_of_transfers(spec: Handing) -> bool:
    """The epoch of a transfer that is under way is above that of every other transfer."""
    return all(
        other == transfer or other.epoch < transfer.epoch
        for transfer in transfers(spec)
        if is_under_way(spec, transfer)
        for other in transfers(spec)
    )


@invariant
def holders_know_their_epoch(spec: Handing) -> bool:
    """A node that has held the lock in an epoch has forgotten no later one than that."""
    return all(locked.epoch <= spec.epoch[locked.node] for locked in holdings(spec))


@always_possible()
def can_be_held(spec: Handing) -> bool:
    """Some node can still hold the lock: it is held, or under way."""
    return any(spec.held[node] for node in spec.nodes)


@witness
def handed_back(spec: Handing) -> bool:
    """The lock is with a node that has held it before, and others in between."""
    return any(
        spec.held[first.node] and first.epoch < between.epoch < spec.epoch[first.node]
        for first in holdings(spec)
        for between in holdings(spec)
        if between.node != first.node
    )


@witness
def old_transfer_is_refused(spec: Handing) -> bool:
    """A transfer has come to a node that has left its epoch behind."""
    return any(transfer.epoch < spec.epoch[transfer.to] for transfer in transfers(spec))

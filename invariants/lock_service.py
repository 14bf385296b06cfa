"""A lock service with fencing tokens: what it promises, and why.

Kleppmann, 'How to do distributed locking' (2016); Burrows, 'The Chubby lock service' (OSDI 2006),
section 2.4. That no two clients believe to hold the lock is not promised: without clocks it cannot
be. What the storage accepts is in order all the same. The properties ask a spec for the names below
and for nothing else.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Map, Nodes, Set, invariant, step_property, witness
from ..models.lock_service.spec import Client, Lease, Message, Release, Write


class Fencing(Protocol):
    """A spec in which a service leases a lock to clients, and a storage accepts their writes."""

    clients: Nodes[Client]
    leases: Set[Lease]
    locked: bool
    newest: int
    believed: Map[Client, int]
    accepted: Set[Write]
    last: int
    messages: Set[Message]


def granted(spec: Fencing) -> Set[Lease]:
    """All leases that clients were ever told of."""
    return {message for message in spec.messages if isinstance(message, Lease)}


@invariant
def fencing(spec: Fencing) -> bool:
    """Fencing: the storage's last write has the newest token of all that it has accepted."""
    return all(write.token <= spec.last for write in spec.accepted)


@step_property
def tokens_rise(spec: Fencing, after: Fencing) -> bool:
    """Fencing, step by step: what the storage accepts is never older than what it accepted last."""
    return spec.last <= after.last


@invariant
def one_writer_per_token(spec: Fencing) -> bool:
    """Fencing, for equal tokens: all accepted writes with the same token are of one client."""
    return all(
        write.client == other.client
        for write in spec.accepted
        for other in spec.accepted
        if write.token == other.token
    )


@invariant
def tokens_are_given_once(spec: Fencing) -> bool:
    """No token is given to two clients."""
    return all(
        lease.client == other.client
        for lease in granted(spec)
        for other in granted(spec)
        if lease.token == other.token
    )


@invariant
def one_lease(spec: Fencing) -> bool:
    """Mutual exclusion, as far as the service goes: at most one lease runs."""
    return all(lease == other for lease in spec.leases for other in spec.leases)


@invariant
def leases_lock(spec: Fencing) -> bool:
    """While a lease runs, the service takes the lock for held."""
    return spec.locked or len(spec.leases) == 0


@invariant
def given_tokens_are_known(spec: Fencing) -> bool:
    """No client was told of a token above the newest that the service knows."""
    return all(lease.token <= spec.newest for lease in granted(spec))


@invariant
def leases_were_granted(spec: Fencing) -> bool:
    """A client believes to hold the lock only with a token that it was given."""
    return all(
        spec.believed[client] == 0 or Lease(spec.believed[client], client) in spec.messages
        for client in spec.clients
    )


@invariant
def writers_had_leases(spec: Fencing) -> bool:
    """A client shows the storage only tokens that it was given."""
    return all(
        Lease(message.token, message.client) in spec.messages
        for message in spec.messages
        if isinstance(message, Write)
    )


@invariant
def accepted_were_sent(spec: Fencing) -> bool:
    """The storage accepts only writes that a client has sent."""
    return all(write in spec.messages for write in spec.accepted)


@witness
def two_believe(spec: Fencing) -> bool:
    """Two clients believe at once to hold the lock."""
    return any(
        spec.believed[client] > 0 and spec.believed[other] > 0 and client != other
        for client in spec.clients
        for other in spec.clients
    )


@witness
def two_have_written(spec: Fencing) -> bool:
    """The storage has accepted writes of two clients."""
    return any(write.client != other.client for write in spec.accepted for other in spec.accepted)


@witness
def stale_write_waits(spec: Fencing) -> bool:
    """A write is on its way that the storage will refuse: it has accepted a newer token."""
    return any(
        isinstance(message, Write) and message.token < spec.last for message in spec.messages
    )


@witness
def released_in_time(spec: Fencing) -> bool:
    """A client gives the lock back while its lease still runs."""
    return any(
        isinstance(message, Release) and Lease(message.token, message.client) in spec.leases
        for message in spec.messages
    )

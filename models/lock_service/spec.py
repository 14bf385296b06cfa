"""A lock service: leases run out unnoticed, so the storage has to look at the tokens."""

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
    deliver,
    durable,
    each,
    empty,
    flaw,
    parameter,
    record,
    request,
    require,
    restart,
    timeout,
    volatile,
)

Token = Annotated[int, between(0, "max_token")]  # the first token is above 0; 0 is none


class Client(Node):
    """A process that wants to write to the storage, and nobody else to write meanwhile."""


@record
class Lease:
    """The lock service to a client: the lock is yours for some time, and this is its token."""

    token: Token
    client: Client


@record
class Release:
    """A client to the lock service: I need the lock of this token no more."""

    token: Token
    client: Client


@record
class Write:
    """A client to the storage: write this for me. It shows the token of its lock."""

    token: Token
    client: Client


Message = Lease | Release | Write


class LockService(Spec):
    """Clients get a lock for some time, with a token; the storage refuses tokens that are too old.

    Kleppmann, 'How to do distributed locking' (2016), section 'Making the lock safe with fencing';
    tokens are the sequencers of Burrows, 'The Chubby lock service for loosely-coupled distributed
    systems' (OSDI 2006), section 2.4. A client may pause for any time between any two of its steps,
    and take itself for the holder long after its lease has run out. Left out: clocks (a lease may
    run out at any time), asking for the lock and for more time, what is written, losing messages
    (one that is not received is as good as lost). Of tokens, only the order is used.
    """

    clients: Nodes[Client]
    max_token: int = parameter(2, at_least=1, at_most=15)

    no_fencing: bool = flaw("K01: the storage does not look at the token")
    token_not_persisted: bool = flaw("K02: a restarted service forgets which tokens it has given")
    unlock_by_name: bool = flaw("K06: a release frees the lock, whoever has it")

    # The lock service
    leases: Set[Lease] = volatile(empty())  # that run: neither released nor run out
    locked: bool = volatile(False)  # whether it takes the lock for held
    newest: Token = durable(0)  # the last token that it has given

    # The clients: the token of the lock that each believes to hold
    believed: Map[Client, Token] = each(0)

    # The storage: the writes it has accepted, and the token of the last of them
    accepted: Set[Write] = empty()
    last: Token = 0

    messages: Set[Message] = empty()  # all that were ever sent

    @action
    def grant(self, client: Client, token: Token) -> None:
        """The service gives the free lock to a client, with a token above all before."""
        require(not self.locked)
        require(token > self.newest)
        self.newest = token
        self.locked = True
        self.leases.add(Lease(token, client))
        self.messages.add(Lease(token, client))

    @timeout
    def expire(self, lease: Lease) -> None:
        """A lease runs out: the lock is free again. The client does not notice."""
        require(lease in self.leases)
        self.leases.discard(lease)
        self.locked = False

    @deliver
    def receive_lease(self, lease: Lease) -> None:
        """A client is told that it has the lock, and believes it."""
        require(lease in self.messages)
        self.believed[lease.client] = lease.token

    @request
    def write(self, client: Client) -> None:
        """A client that believes to hold the lock sends a write, with its token."""
        require(self.believed[client] > 0)
        self.messages.add(Write(self.believed[client], client))

    @deliver
    def accept_write(self, message: Write) -> None:
        """The storage accepts a write, unless it has accepted one with a newer token."""
        require(message in self.messages)
        require(message.token >= self.last or self.no_fencing)
        self.accepted.add(message)
        self.last = message.token

    @request
    def release(self, client: Client) -> None:
        """A client that believes to hold the lock gives it back."""
        require(self.believed[client] > 0)
        self.messages.add(Release(self.believed[client], client))
        self.believed[client] = 0

    @deliver
    def receive_release(self, message: Release) -> None:
        """The service frees the lock, if it is the one of this token that is held."""
        require(message in self.messages)
        lease = Lease(message.token, message.client)
        require(lease in self.leases or self.unlock_by_name)
        self.leases.discard(lease)
        self.locked = False

    @restart
    def restart_service(self) -> None:
        """The service crashes, starts again, and waits until every lease has run out.

        What it has on disk is which tokens it has given.
        """
        self.leases = empty()
        self.locked = False
        if self.token_not_persisted:
            self.newest = 0

"""Raft with reads that are not written to the log, and are linearizable all the same."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated

from ...language import (
    Map,
    Node,
    Set,
    action,
    assume,
    at_most,
    between,
    deliver,
    drop,
    each,
    empty,
    flaw,
    parameter,
    record,
    request,
    require,
    timeout,
    volatile,
    witness,
)
from ..raft.spec import AppendEntries, AppendEntriesReply, Index, Message, Raft, RequestVote, Role

Time = Annotated[int, between(0, "max_time + election_timeout")]  # ticks; 0: never
Number = Annotated[int, between(0, "max_reads + max_time + election_timeout")]  # 0: none


class Reads(Enum):
    """How a leader knows that no later leader has committed anything: it asks, or has a lease."""

    NONE = "none"
    READ_INDEX = "read_index"
    LEASE = "lease"


@record
class Call:
    """AppendEntries that calls for confirmation."""

    request: AppendEntries
    number: Number


@record
class Confirmation:
    """Its reply, with the call's number: at that call there was no later term; 0 if there was."""

    reply: AppendEntriesReply
    number: Number


Exchange = Call | Confirmation


@record
class Waiting:
    """A read, until calls with its number are confirmed; `known` is of when it came."""

    number: Annotated[int, between(1, "max_reads + 1")]
    confirmed_by: Set[Node]
    known: Index


@record
class Answer:
    """To a read: the first `returned` entries, of which `known` had to be there."""

    known: Index
    returned: Index


class RaftReads(Raft):
    """A leader answers reads from its state machine, once it is certain to lead still.

    Ongaro, "Consensus: Bridging Theory and Practice" (2014), sections 6.4 (ReadIndex) and 6.4.1
    (leases); section 8 of the paper. Off (`reads`), this is Raft.

    The state machine is the log itself: a write is an entry, known to a client once the leader has
    committed it; a read returns what the leader has committed. readIndex is nowhere noted: the
    commitIndex of a leader never falls, and what is committed counts as applied, so its state
    machine has come that far (6.4, steps 2 and 4). Nor is the empty entry at the start of a term:
    a client's does as well. AppendEntries and replies travel, with a number, in a set of their own.

    Leases count in ticks of clocks that run alike, but that each may miss `clock_drift` of them.
    """

    reads: Reads = parameter(Reads.NONE)
    max_calls: int = parameter(0, at_least=0, at_most=24)  # AppendEntries and replies in flight
    max_reads: int = parameter(0, at_least=0, at_most=15)  # READ_INDEX: no more are asked for
    election_timeout: int = parameter(0, at_least=0, at_most=15)  # LEASE: the shortest, in ticks
    clock_drift: int = parameter(0, at_least=0, at_most=15)  # LEASE: ticks that a clock may miss
    max_time: int = parameter(0, at_least=0, at_most=15)  # LEASE: there is no later tick

    local_read_at_leader: bool = flaw("R30: who takes itself for the leader answers at once")
    readindex_without_current_term_commit: bool = flaw(
        "R31: a leader answers before anything of its term is committed"
    )
    readindex_ack_reused: bool = flaw(
        "R32: calls carry the number of the client, who uses it again, and not a new one"
    )
    read_before_quorum_ack: bool = flaw("R33: no majority is waited for")
    lease_ignores_skew: bool = flaw("R34: a lease lasts a whole election timeout")
    lease_from_ack_time: bool = flaw("R35: a lease runs from the answer to a call, not the call")
    no_stickiness: bool = flaw("R36: who hears from a leader votes for another")

    @assume
    def reads_have_room(self) -> bool:
        """Reads need max_calls above 0, to call, and max_log, for an entry of the leader's term."""
        return self.reads is Reads.NONE or (self.max_calls > 0 and self.max_log > 0)

    @assume
    def reads_are_asked_for(self) -> bool:
        """ReadIndex needs max_reads above 0: clients ask so often."""
        return self.reads is not Reads.READ_INDEX or self.max_reads > 0

    @assume
    def leases_last(self) -> bool:
        """A lease needs election_timeout above clock_drift, whose difference it lasts."""
        return self.reads is not Reads.LEASE or self.election_timeout > self.clock_drift

    @assume
    def leases_end(self) -> bool:
        """A lease needs max_time above 0: without time, none ends."""
        return self.reads is not Reads.LEASE or self.max_time > 0

    # Volatile state on leaders: a read that waits; and until when, by the leader's clock, each
    # server has promised to elect nobody
    waiting: Map[Node, Waiting | None] = volatile(each(None))
    support: Map[Node, Map[Node, Time]] = volatile(each(each(0)))

    # Volatile state on all servers: until when, by its own clock, a server elects nobody
    promised: Map[Node, Time] = volatile(each(0))

    # The time, and the ticks of it that the clock of a server has missed
    now: Annotated[int, between(0, "max_time")] = 0
    missed: Map[Node, Annotated[int, between(0, "clock_drift")]] = each(0)

    # Reads that clients asked for so far
    asked: Annotated[int, between(0, "max_reads")] = 0

    # History: the entries that clients know to be committed, and the last answer to a read
    known: Index = 0
    answer: Answer | None = None

    exchanges: Annotated[Set[Exchange], at_most("max_calls")] = empty()

    @request
    def read(self, server: Node) -> None:
        """A client asks a leader, which begins a round of heartbeats (6.4, step 3).

        If a read waits there already, its client has given up, and asks anew.
        """
        require(self.reads is Reads.READ_INDEX)
        require(self.role[server] is Role.LEADER)
        require(self.asked < self.max_reads)
        self.asked += 1
        number = 1 if self.readindex_ack_reused else self.asked
        self.waiting[server] = Waiting(number, {server}, self.known)
        self.answer_if_certain(server)

    @request
    def read_under_lease(self, server: Node) -> None:
        """A client asks a leader that has a lease, and is answered at once (6.4.1)."""
        require(self.reads is Reads.LEASE)
        require(self.role[server] is Role.LEADER)
        require(self.knows_what_is_committed(server))
        require(self.has_lease(server))
        self.give(server, self.known)

    @timeout
    def call(self, server: Node, peer: Node) -> None:
        """A leader with a read that waits sends heartbeats (6.4, step 3)."""
        require(self.waiting[server] is not None)
        require(peer in self.peers(server))
        self.send_append_entries(server, peer, 0)

    @deliver
    def receive_call(self, message: Call) -> None:
        """AppendEntries is handled as always; the reply repeats the number."""
        self.take(message)
        asked = message.request
        self.handle_append_entries(asked)
        late = asked.term < self.current_term[asked.to]
        self.exchange(Confirmation(self.reply_to(asked), 0 if late else message.number))

    @deliver
    def receive_confirmation(self, message: Confirmation) -> None:
        """A majority has confirmed that the leader was not deposed before its call (6.4, 3)."""
        self.take(message)
        server = message.reply.to
        peer = message.reply.sender
        current = message.reply.term == self.current_term[server]
        if current and self.role[server] is Role.LEADER:
            self.note_confirmation(server, peer, message.number)
        self.handle_append_entries_reply(message.reply)

    @drop
    def lose_exchange(self, message: Exchange) -> None:
        """The network loses AppendEntries or a reply."""
        require(message in self.exchanges)
        require(self.lossy)
        self.exchanges.discard(message)

    @action
    def tick(self, slow: Node | None) -> None:
        """A tick of time passes; one server may fail to notice. Only leases are about time."""
        require(self.reads is Reads.LEASE)
        require(self.now < self.max_time)
        require(slow is None or self.missed[slow] < self.clock_drift)
        self.now += 1
        if slow is not None:
            self.missed[slow] += 1
        self.forget_what_has_passed()

    # A promise: who hears from a leader elects nobody for an election timeout (4.2.3)

    @timeout
    def time_out(self, server: Node) -> None:
        """An election timer takes as long at least as what the server has promised."""
        require(self.promised[server] <= self.clock(server))
        super().time_out(server)

    @deliver
    def receive_request_vote(self, message: RequestVote) -> None:
        """Who has a leader takes neither the term nor the vote of a candidate (4.2.3)."""
        if self.keeps_leader(message.to):
            require(self.up[message.to])
            self.receive(message)
        else:
            super().receive_request_vote(message)

    def follow(self, server: Node) -> None:
        """Who hears from the leader of its term makes a promise."""
        super().follow(server)
        self.promise(server)

    def recover(self, node: Node) -> None:
        """A restart breaks no promise, so a server that may have made one makes another."""
        super().recover(node)
        if self.current_term[node] > 0 and not self.no_stickiness:
            self.promise(node)

    # What the steps are made of

    def knows_what_is_committed(self, server: Node) -> bool:
        """Whether an entry of the leader's term is committed, and so all before it (6.4, 1)."""
        if self.readindex_without_current_term_commit:
            return True
        return self.term_at(server, self.commit_index[server]) == self.current_term[server]

    def note_confirmation(self, server: Node, peer: Node, number: int) -> None:
        """For a read that waits, if the call was made since it came; and for the lease."""
        read = self.waiting[server]
        if read is not None and number == read.number:
            self.waiting[server] = replace(read, confirmed_by=read.confirmed_by | {peer})
        if self.reads is Reads.LEASE and number > 0:
            until = number
            if self.lease_from_ack_time:
                until = self.clock(server) + self.election_timeout
            self.support[server][peer] = max(self.support[server][peer], until)

    def answer_if_certain(self, server: Node) -> None:
        """Answer the read that waits as soon as that may be done (6.4, step 5)."""
        read = self.waiting[server]
        if read is not None and self.is_certain(server, read.confirmed_by):
            self.waiting[server] = None
            self.give(server, read.known)

    def is_certain(self, server: Node, confirmed_by: Set[Node]) -> bool:
        """Whether nothing that the leader lacks was committed before the read came (6.4)."""
        if self.local_read_at_leader:
            return True
        confirmed = self.read_before_quorum_ack or self.has_quorum(server, confirmed_by)
        return confirmed and self.knows_what_is_committed(server)

    def give(self, server: Node, known: int) -> None:
        """Answer a read from the state machine."""
        self.answer = Answer(known, self.commit_index[server])
        self.known = max(self.known, self.commit_index[server])

    def has_lease(self, server: Node) -> bool:
        """Whether a majority still keeps to what it promised, even if its clocks are fast (6.4.1).

        Going by the leader's own clock, and by when it called, which is before they promised.
        """
        margin = 0 if self.lease_ignores_skew else self.clock_drift
        by = {
            peer
            for peer, until in self.support[server].items()
            if self.clock(server) < until - margin
        }
        return self.has_quorum(server, by | {server})

    def keeps_leader(self, server: Node) -> bool:
        """Whether the server takes part in no election yet; a leader hears itself."""
        if self.reads is not Reads.LEASE or self.no_stickiness:
            return False
        return self.leads(server) or self.promised[server] > self.clock(server)

    def promise(self, server: Node) -> None:
        """For an election timeout from here on, elect nobody."""
        if self.reads is Reads.LEASE:
            self.promised[server] = self.clock(server) + self.election_timeout

    def clock(self, server: Node) -> int:
        """What a server's own clock shows."""
        return self.now - self.missed[server]

    def number(self, server: Node) -> int:
        """What a call carries: its round; for leases, when a promise made at once would end."""
        if self.reads is Reads.LEASE:
            return self.clock(server) + self.election_timeout
        read = self.waiting[server]
        return 0 if read is None else read.number

    def forget_what_has_passed(self) -> None:
        """A promise that has ended is none, whoever made or has it."""
        for server in self.servers:
            if self.promised[server] <= self.clock(server):
                self.promised[server] = 0
            for peer in self.servers:
                if self.support[server][peer] <= self.clock(server):
                    self.support[server][peer] = 0

    def advance_commit_index(self, server: Node) -> None:
        """What a leader commits its clients hear of; and a read may have waited for it."""
        super().advance_commit_index(server)
        if self.reads is not Reads.NONE:
            self.known = max(self.known, self.commit_index[server])
            self.answer_if_certain(server)

    def become_follower(self, server: Node) -> None:
        """Who leads no more answers no reads."""
        super().become_follower(server)
        self.waiting[server] = None
        self.support[server] = each(0)

    def send(self, message: Message) -> None:
        """AppendEntries travels as a call."""
        if isinstance(message, AppendEntries) and self.reads is not Reads.NONE:
            self.exchange(Call(message, self.number(message.sender)))
        else:
            super().send(message)

    def exchange(self, message: Exchange) -> None:
        """Put a message into the network; not possible without room."""
        require(message in self.exchanges or len(self.exchanges) < self.max_calls)
        self.exchanges.add(message)

    def take(self, message: Exchange) -> None:
        """Take a message out of the network; not possible unless it is there."""
        require(message in self.exchanges)
        if not self.duplicating:
            self.exchanges.discard(message)

    @witness
    def known_entry_read(self) -> bool:
        """A read returns an entry that a client knew of before."""
        return self.answer is not None and 0 < self.answer.known <= self.answer.returned

    @witness
    def stale_leader_waits(self) -> bool:
        """A read waits at a leader that lacks an entry which a client knew of before."""
        return any(
            read is not None and read.known > self.commit_index[server]
            for server, read in self.waiting.items()
        )

    @witness
    def stale_leader(self) -> bool:
        """A server leads, to itself, and lacks an entry that a client knows of."""
        return any(
            self.leads(server) and self.commit_index[server] < self.known for server in self.servers
        )

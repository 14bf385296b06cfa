"""Raft as its author specified it, for calibration: the semantics of ongardie/raft.tla."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from ...language import (
    Bag,
    Map,
    Node,
    Nodes,
    Seq,
    Set,
    Spec,
    action,
    at_most,
    between,
    constraint,
    deliver,
    drop,
    duplicate,
    durable,
    each,
    empty,
    is_quorum,
    parameter,
    record,
    request,
    require,
    restart,
    timeout,
    volatile,
)


class Value(Node):
    """What a client asks to have put into the log."""


class Variant(Enum):
    """Which faults there are: none, lost messages, restarts, or both and duplicated messages."""

    PROTO = "proto"
    LOSS = "loss"
    CRASH = "crash"
    FULL = "full"


class Role(Enum):
    """What a server takes itself for."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


# What is within the bounds, and one step beyond: that step is taken, and what it leads to is cut.
Term = Annotated[int, between(1, "max_term")]
Index = Annotated[int, between(0, "max_log")]  # 0: before the first entry
NextTerm = Annotated[int, between(1, "max_term + 1")]
NextIndex = Annotated[int, between(1, "max_log + 1")]
LastTerm = Annotated[int, between(0, "max_term")]  # 0: of an empty log


@record
class Entry:
    """An entry of a log."""

    term: Term
    value: Value


@record
class RequestVoteRequest:
    """Candidate to server: vote for me."""

    sender: Node
    to: Node
    term: Term
    last_log_term: LastTerm
    last_log_index: Index


@record
class RequestVoteResponse:
    """Server to candidate: its vote, or a refusal."""

    sender: Node
    to: Node
    term: Term
    vote_granted: bool


@record
class AppendEntriesRequest:
    """Leader to server: the next entry, or none (None: a heartbeat)."""

    sender: Node
    to: Node
    term: Term
    prev_log_index: Index
    prev_log_term: LastTerm
    entry: Entry | None
    commit_index: Index


@record
class AppendEntriesResponse:
    """Server to leader: up to where its log agrees, or that it does not."""

    sender: Node
    to: Node
    term: Term
    success: bool
    match_index: Index


Response = RequestVoteResponse | AppendEntriesResponse
Message = RequestVoteRequest | RequestVoteResponse | AppendEntriesRequest | AppendEntriesResponse


class RaftCore(Spec):
    """Raft, in the steps of its author's TLA+ module: small ones, so that counts can be compared.

    Ongaro, github.com/ongardie/raft.tla (2014). Left out: the history variables (`elections`,
    `allLogs`, `voterLog` and the log in each message), which no step reads. Only the bounds cut
    anything off: they are a constraint, so that a step out of them is counted and goes nowhere.

    The module's granularity is kept, and is not what an implementation does in one step (the spec
    `raft` is): a time-out does not vote for itself, a newer term is taken in a step that leaves
    the message in the bag, so is the return to follower, a conflicting suffix is cut entry by
    entry, an entry is appended before it is acknowledged, and commitIndex advances on its own.
    """

    servers: Nodes
    values: Nodes[Value]
    max_term: int = parameter(2, at_least=1, at_most=7)
    max_log: int = parameter(0, at_least=0, at_most=7)
    max_messages: int = parameter(1, at_least=1, at_most=7)
    max_copies: int = parameter(1, at_least=1, at_most=7)
    variant: Variant = parameter(Variant.PROTO)

    messages: Annotated[Bag[Message], at_most("max_messages + 1", copies="max_copies + 1")] = (
        empty()
    )

    # All servers.
    current_term: Map[Node, NextTerm] = durable(each(1))
    voted_for: Map[Node, Node | None] = durable(each(None))
    log: Map[Node, Annotated[Seq[Entry], at_most("max_log + 1")]] = durable(each(empty()))
    role: Map[Node, Role] = volatile(each(Role.FOLLOWER))
    commit_index: Map[Node, Index] = volatile(each(0))

    # Candidates: who has answered, and who with a vote.
    votes_responded: Map[Node, Set[Node]] = volatile(each(empty()))
    votes_granted: Map[Node, Set[Node]] = volatile(each(empty()))

    # Leaders, of each server: the next entry to send to it, and the last known to be there.
    next_index: Map[Node, Map[Node, NextIndex]] = volatile(each(each(1)))
    match_index: Map[Node, Map[Node, Index]] = volatile(each(each(0)))

    @constraint
    def bounded(self) -> bool:
        """The bounds of the instance."""
        return (
            all(self.current_term[i] <= self.max_term for i in self.servers)
            and all(len(self.log[i]) <= self.max_log for i in self.servers)
            and sum(1 for _ in self.messages) <= self.max_messages
            and all(self.messages.count(m) <= self.max_copies for m in self.messages)
        )

    @restart
    def restart_server(self, i: Node) -> None:
        """A server restarts with its currentTerm, votedFor and log, and nothing else (Restart)."""
        require(self.variant is Variant.CRASH or self.variant is Variant.FULL)
        self.lose_volatile(i)

    @timeout
    def time_out(self, i: Node) -> None:
        """A follower or candidate becomes a candidate of the next term (Timeout).

        It has not voted yet: it asks itself for its vote like everybody else.
        """
        require(self.role[i] is not Role.LEADER)
        self.role[i] = Role.CANDIDATE
        self.current_term[i] += 1
        self.voted_for[i] = None
        self.votes_responded[i] = empty()
        self.votes_granted[i] = empty()

    @action
    def request_vote(self, i: Node, j: Node) -> None:
        """A candidate asks a server that has not answered for its vote (RequestVote)."""
        require(self.role[i] is Role.CANDIDATE)
        require(j not in self.votes_responded[i])
        self.messages.add(
            RequestVoteRequest(
                sender=i,
                to=j,
                term=self.current_term[i],
                last_log_term=self.last_term(i),
                last_log_index=len(self.log[i]),
            )
        )

    @action
    def append_entries(self, i: Node, j: Node) -> None:
        """A leader sends a server the next entry, or none if it has no more (AppendEntries)."""
        require(i != j)
        require(self.role[i] is Role.LEADER)
        prev = self.next_index[i][j] - 1
        last = min(len(self.log[i]), prev + 1)
        self.messages.add(
            AppendEntriesRequest(
                sender=i,
                to=j,
                term=self.current_term[i],
                prev_log_index=prev,
                prev_log_term=self.log[i][prev - 1].term if prev > 0 else 0,
                entry=self.log[i][prev] if last > prev else None,
                commit_index=min(self.commit_index[i], last),
            )
        )

    @action
    def become_leader(self, i: Node) -> None:
        """A candidate with the votes of a majority becomes leader (BecomeLeader)."""
        require(self.role[i] is Role.CANDIDATE)
        require(is_quorum(self.votes_granted[i], self.servers))
        self.role[i] = Role.LEADER
        self.next_index[i] = {j: len(self.log[i]) + 1 for j in self.servers}
        self.match_index[i] = each(0)

    @request
    def client_request(self, i: Node, value: Value) -> None:
        """A leader appends what a client asks for to its log (ClientRequest)."""
        require(self.role[i] is Role.LEADER)
        self.log[i].append(Entry(self.current_term[i], value))

    @action
    def advance_commit_index(self, i: Node) -> None:
        """A leader commits what a majority has, up to an entry of its term (AdvanceCommitIndex).

        With nothing new to commit this is a step that changes nothing.
        """
        require(self.role[i] is Role.LEADER)
        agreed = max(
            (
                index
                for index in range(1, len(self.log[i]) + 1)
                if is_quorum(self.agreeing(i, index), self.servers)
            ),
            default=0,
        )
        if agreed > 0 and self.log[i][agreed - 1].term == self.current_term[i]:
            self.commit_index[i] = agreed

    # Receive: exactly one of the following for each message, or none. Those that leave the message
    # in the bag only make the receiver ready for it.

    @deliver
    def update_term(self, message: Message) -> None:
        """A newer term makes the receiver a follower in it; the message stays (UpdateTerm)."""
        require(message in self.messages)
        i = message.to
        require(message.term > self.current_term[i])
        self.current_term[i] = message.term
        self.role[i] = Role.FOLLOWER
        self.voted_for[i] = None

    @deliver
    def handle_request_vote_request(self, message: RequestVoteRequest) -> None:
        """A server votes, or refuses (HandleRequestVoteRequest)."""
        require(message in self.messages)
        i = message.to
        j = message.sender
        require(message.term <= self.current_term[i])
        up_to_date = message.last_log_term > self.last_term(i) or (
            message.last_log_term == self.last_term(i)
            and message.last_log_index >= len(self.log[i])
        )
        grant = (
            message.term == self.current_term[i]
            and up_to_date
            and (self.voted_for[i] is None or self.voted_for[i] == j)
        )
        if grant:
            self.voted_for[i] = j
        self.reply(RequestVoteResponse(i, j, self.current_term[i], grant), message)

    @deliver
    def drop_stale_response(self, message: Message) -> None:
        """A response of an older term is ignored (DropStaleResponse)."""
        require(message in self.messages)
        require(isinstance(message, (RequestVoteResponse, AppendEntriesResponse)))
        require(message.term < self.current_term[message.to])
        self.messages.remove(message)

    @deliver
    def handle_request_vote_response(self, message: RequestVoteResponse) -> None:
        """A server counts a vote, candidate or not (HandleRequestVoteResponse)."""
        require(message in self.messages)
        i = message.to
        j = message.sender
        require(message.term == self.current_term[i])
        self.votes_responded[i].add(j)
        if message.vote_granted:
            self.votes_granted[i].add(j)
        self.messages.remove(message)

    @deliver
    def reject_append_entries_request(self, message: AppendEntriesRequest) -> None:
        """An old term, or a gap: refused (HandleAppendEntriesRequest, first case)."""
        require(message in self.messages)
        i = message.to
        j = message.sender
        require(
            message.term < self.current_term[i]
            or (
                message.term == self.current_term[i]
                and self.role[i] is Role.FOLLOWER
                and not self.log_ok(message)
            )
        )
        self.reply(AppendEntriesResponse(i, j, self.current_term[i], False, 0), message)

    @deliver
    def return_to_follower(self, message: AppendEntriesRequest) -> None:
        """A candidate learns that its term has a leader; the message stays (second case)."""
        require(message in self.messages)
        require(message.term == self.current_term[message.to])
        require(self.role[message.to] is Role.CANDIDATE)
        self.role[message.to] = Role.FOLLOWER

    @deliver
    def accept_append_entries_request(self, message: AppendEntriesRequest) -> None:
        """A follower has the entry: it takes over commitIndex and says so (third case, done)."""
        require(message in self.messages)
        require(self.acceptable(message))
        i = message.to
        j = message.sender
        prev = message.prev_log_index
        entry = message.entry
        require(entry is None or (len(self.log[i]) > prev and self.log[i][prev].term == entry.term))
        self.commit_index[i] = message.commit_index
        match_index = prev if entry is None else prev + 1
        self.reply(AppendEntriesResponse(i, j, self.current_term[i], True, match_index), message)

    @deliver
    def remove_conflicting_entry(self, message: AppendEntriesRequest) -> None:
        """A follower has another entry there: it cuts its last; the message stays (conflict)."""
        require(message in self.messages)
        require(self.acceptable(message))
        i = message.to
        prev = message.prev_log_index
        entry = message.entry
        require(entry is not None)
        assert entry is not None
        require(len(self.log[i]) > prev)
        require(self.log[i][prev].term != entry.term)
        self.log[i].pop()

    @deliver
    def append_entry(self, message: AppendEntriesRequest) -> None:
        """A follower whose log ends there appends the entry; the message stays (no conflict)."""
        require(message in self.messages)
        require(self.acceptable(message))
        i = message.to
        entry = message.entry
        require(entry is not None)
        assert entry is not None
        require(len(self.log[i]) == message.prev_log_index)
        self.log[i].append(entry)

    @deliver
    def handle_append_entries_response(self, message: AppendEntriesResponse) -> None:
        """A server notes how far another's log agrees, or tries an entry earlier."""
        require(message in self.messages)
        i = message.to
        j = message.sender
        require(message.term == self.current_term[i])
        if message.success:
            self.next_index[i][j] = message.match_index + 1
            self.match_index[i][j] = message.match_index
        else:
            self.next_index[i][j] = max(self.next_index[i][j] - 1, 1)
        self.messages.remove(message)

    # The network

    @duplicate
    def duplicate_message(self, message: Message) -> None:
        """The network makes a copy of a message (DuplicateMessage)."""
        require(message in self.messages)
        require(self.variant is Variant.FULL)
        self.messages.add(message)

    @drop
    def drop_message(self, message: Message) -> None:
        """The network loses a copy of a message (DropMessage)."""
        require(message in self.messages)
        require(self.variant is Variant.LOSS or self.variant is Variant.FULL)
        self.messages.remove(message)

    # What the steps are made of

    def last_term(self, i: Node) -> int:
        """The term of the last entry of a log, 0 if it is empty (LastTerm)."""
        return self.log[i][-1].term if len(self.log[i]) > 0 else 0

    def agreeing(self, i: Node, index: int) -> Set[Node]:
        """The leader, and those it knows to have the entry at `index` (Agree)."""
        return {i} | {k for k in self.servers if self.match_index[i][k] >= index}

    def log_ok(self, message: AppendEntriesRequest) -> bool:
        """Whether the receiver has the entry before those of the message (logOk)."""
        prev = message.prev_log_index
        return prev == 0 or (
            prev <= len(self.log[message.to])
            and message.prev_log_term == self.log[message.to][prev - 1].term
        )

    def acceptable(self, message: AppendEntriesRequest) -> bool:
        """Whether the receiver follows the sender, and has what comes before."""
        current = message.term == self.current_term[message.to]
        return current and self.role[message.to] is Role.FOLLOWER and self.log_ok(message)

    def reply(self, response: Response, request: Message) -> None:
        """Send the response and take the request out of the bag (Reply)."""
        self.messages.add(response)
        self.messages.remove(request)

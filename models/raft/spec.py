"""Raft, to hold beside Figure 2 of its paper."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Seq,
    Set,
    action,
    at_most,
    between,
    deliver,
    durable,
    each,
    empty,
    flaw,
    is_quorum,
    parameter,
    record,
    request,
    require,
    timeout,
    volatile,
)
from ..environment import BoundedNetwork, CrashRestart

Term = Annotated[int, between(0, "max_term")]
Index = Annotated[int, between(0, "max_log")]  # the first entry has index 1; 0 is before it


class Value(Node):
    """A command for the state machine."""


class Role(Enum):
    """What a server is (section 5.1)."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


@record
class Entry:
    """An entry of a log: a command, and the term in which a leader received it."""

    term: Term
    value: Value


@record
class RequestVote:
    """RequestVote RPC: a candidate (`sender`, the paper's candidateId) gathers votes (5.2)."""

    sender: Node
    to: Node
    term: Term
    last_log_index: Index
    last_log_term: Term


@record
class RequestVoteReply:
    """Its results: currentTerm, and whether the candidate received the vote."""

    sender: Node
    to: Node
    term: Term
    vote_granted: bool


@record
class AppendEntries:
    """AppendEntries RPC: the leader (`sender`) replicates entries; without any, a heartbeat."""

    sender: Node
    to: Node
    term: Term
    prev_log_index: Index
    prev_log_term: Term
    entries: Annotated[Seq[Entry], at_most("batch")]
    leader_commit: Index


@record
class AppendEntriesReply:
    """Its results: currentTerm, and whether the follower had the entry before the new ones.

    `match_index`, the last index that it now has for certain, is the paper's "the follower's log
    up to the last new entry": a reply comes alone here, without the request that it answers.
    """

    sender: Node
    to: Node
    term: Term
    success: bool
    match_index: Index


Message = RequestVote | RequestVoteReply | AppendEntries | AppendEntriesReply


class Raft(BoundedNetwork[Message], CrashRestart):
    """Servers elect a leader, and the leader has them store its log; a majority is enough.

    Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)"
    (2014), Figure 2; numbers are its sections. A message is handled, and answered, in one step: a
    candidate becomes leader as it counts the vote, a leader commits as it hears of it.

    Left out: the state machine, for which an entry that is committed counts as applied (the paper
    lets lastApplied follow commitIndex); time (a time-out may happen whenever the role allows
    it, so no proof rests on clocks); which leader a follower would send its clients to.
    """

    servers: Nodes
    values: Nodes[Value]
    max_term: int = parameter(2, at_least=1, at_most=15)  # no time-out begins a later one
    max_log: int = parameter(1, at_least=0, at_most=15)  # no client is served beyond it
    batch: int = parameter(1, at_least=1, at_most=15)  # entries that a message can hold
    heartbeats: bool = parameter(True)  # AppendEntries without entries, or only with
    check_quorum: bool = parameter(False)  # a leader that hears from no majority steps down
    only_acks_late: bool = parameter(False)  # nothing begins while other messages wait

    # Elections
    vote_not_persisted: bool = flaw("R01: votedFor does not survive a crash")
    term_not_persisted: bool = flaw("R02: currentTerm does not survive a crash")
    leader_self_vote_lost: bool = flaw(
        "R03: a candidate's vote for itself does not survive a crash"
    )
    vote_not_recorded: bool = flaw("R04: a vote for another is not recorded")
    stepdown_same_term_clears_vote: bool = flaw("R05: who steps down within a term may vote again")
    follower_clears_vote_on_leader_discovery: bool = flaw(
        "R06: who hears of the term's leader may vote again"
    )
    stale_vote_reply_accepted: bool = flaw("R07: a vote of an earlier term counts")
    duplicate_votes_counted: bool = flaw("R08: a vote that arrives twice counts twice")
    majority_half: bool = flaw("R09: half of the servers count as a majority")
    no_uptodate_check: bool = flaw("R10: a vote does not depend on the candidate's log")
    uptodate_by_length_only: bool = flaw("R11: the longer log counts as more up-to-date")
    uptodate_by_term_only: bool = flaw("R12: the last term alone makes a log up-to-date")
    term_bump_keeps_vote: bool = flaw("R13: a newer term leaves votedFor as it is")
    candidate_forgets_vote: bool = flaw(
        "harmless: a candidate that hears of the term's leader forgets its own vote"
    )

    # Replication and commitment
    commit_any_term: bool = flaw("R16: an entry of an earlier term is committed by counting copies")
    truncate_unconditionally: bool = flaw(
        "R17: what follows prevLogIndex is cut without a conflict"
    )
    no_prevlog_term_check: bool = flaw("R18: prevLogTerm is not compared")
    commit_min_own_log: bool = flaw("R19: entries that the leader has not confirmed are committed")
    commit_not_monotonic: bool = flaw(
        "R20: a follower's commitIndex follows the leader's downwards"
    )
    match_not_monotonic: bool = flaw("R21: a late reply sets matchIndex back")
    ack_own_last_index: bool = flaw("R22: the reply acknowledges all of the follower's log")
    nack_advances_match: bool = flaw("R23: a refusal updates matchIndex")
    stale_term_append_accepted: bool = flaw("R24: AppendEntries of an earlier term is accepted")
    stale_append_reply_accepted: bool = flaw("R25: an acknowledgement of an earlier term counts")
    ack_before_fsync: bool = flaw("R26: the last entry may not survive a crash")
    commit_scan_breaks_on_old_term: bool = flaw("R27: an entry of an earlier term ends the search")
    next_le_match: bool = flaw("R28: a refusal can move nextIndex down to matchIndex")

    # Persistent state on all servers
    current_term: Map[Node, Term] = durable(each(0))
    voted_for: Map[Node, Node | None] = durable(each(None))
    log: Map[Node, Annotated[Seq[Entry], at_most("max_log")]] = durable(each(empty()))

    # Volatile state on all servers
    role: Map[Node, Role] = volatile(each(Role.FOLLOWER))
    commit_index: Map[Node, Index] = volatile(each(0))

    # Volatile state on candidates: who voted for them (and, for R08, what came again)
    votes: Map[Node, Set[Node]] = volatile(each(empty()))
    repeated_votes: Map[Node, Annotated[int, between(0, "len(servers)")]] = volatile(each(0))

    # Volatile state on leaders: for each server, the next entry to send, and the last it has
    next_index: Map[Node, Map[Node, Annotated[int, between(1, "max_log + 1")]]] = volatile(
        each(each(1))
    )
    match_index: Map[Node, Map[Node, Index]] = volatile(each(each(0)))

    # History: who was elected in each term
    elected: Map[Term, Set[Node]] = each(empty())

    # Rules for servers: followers and candidates (5.2)

    @timeout
    def time_out(self, server: Node) -> None:
        """A follower or candidate hears from no leader, and starts an election (5.2).

        It increments currentTerm, votes for itself, and sends RequestVote to all other servers.
        """
        require(self.may_begin())
        require(self.up[server])
        require(self.role[server] is not Role.LEADER)
        require(self.current_term[server] < self.max_term)
        self.current_term[server] += 1
        self.role[server] = Role.CANDIDATE
        self.voted_for[server] = server
        self.votes[server] = {server}
        self.repeated_votes[server] = 0
        for peer in self.peers(server):
            self.send(
                RequestVote(
                    sender=server,
                    to=peer,
                    term=self.current_term[server],
                    last_log_index=len(self.log[server]),
                    last_log_term=self.last_log_term(server),
                )
            )
        self.lead_if_elected(server)

    @deliver
    def receive_request_vote(self, message: RequestVote) -> None:
        """RequestVote RPC, receiver: one vote a term, for a log as up-to-date (5.2, 5.4.1)."""
        self.receive(message)
        server = message.to
        require(self.up[server])
        self.see_term(server, message.term)
        granted = (
            message.term == self.current_term[server]
            and (self.voted_for[server] is None or self.voted_for[server] == message.sender)
            and self.up_to_date(server, message)
        )
        if granted and not self.vote_not_recorded:
            self.voted_for[server] = message.sender
        self.send(RequestVoteReply(server, message.sender, self.current_term[server], granted))

    @deliver
    def receive_request_vote_reply(self, message: RequestVoteReply) -> None:
        """A candidate counts a vote; with those of a majority it becomes leader (5.2)."""
        self.receive(message)
        server = message.to
        require(self.up[server])
        self.see_term(server, message.term)
        current = message.term == self.current_term[server] or self.stale_vote_reply_accepted
        if current and self.role[server] is Role.CANDIDATE and message.vote_granted:
            if self.duplicate_votes_counted and message.sender in self.votes[server]:
                self.repeated_votes[server] = min(
                    self.repeated_votes[server] + 1, len(self.servers)
                )
            self.votes[server].add(message.sender)
            self.lead_if_elected(server)

    # Rules for servers: leaders (5.3, 5.4)

    @request
    def client_request(self, server: Node, value: Value) -> None:
        """A leader appends a command from a client to its log (5.3)."""
        require(self.may_begin())
        require(self.up[server])
        require(self.role[server] is Role.LEADER)
        require(len(self.log[server]) < self.max_log)
        self.log[server].append(Entry(self.current_term[server], value))
        self.advance_commit_index(server)

    @action
    def send_entries(self, server: Node, peer: Node) -> None:
        """A leader with entries from nextIndex on sends AppendEntries with them (5.3)."""
        require(self.may_begin())
        require(peer in self.peers(server))
        require(self.role[server] is Role.LEADER)
        require(len(self.log[server]) >= self.next_index[server][peer])
        self.send_append_entries(server, peer, self.batch)

    @timeout
    def send_heartbeat(self, server: Node, peer: Node) -> None:
        """A leader sends AppendEntries without entries: upon election, and when idle (5.2)."""
        require(self.may_begin())
        require(self.heartbeats)
        require(peer in self.peers(server))
        require(self.role[server] is Role.LEADER)
        self.send_append_entries(server, peer, 0)

    @deliver
    def receive_append_entries(self, message: AppendEntries) -> None:
        """AppendEntries RPC, receiver implementation, steps 1 to 5 (5.1, 5.3)."""
        self.receive(message)
        self.handle_append_entries(message)
        self.send(self.reply_to(message))

    def handle_append_entries(self, message: AppendEntries) -> None:
        """What AppendEntries does to its receiver."""
        server = message.to
        require(self.up[server])
        self.see_term(server, message.term)
        if message.term == self.current_term[server]:
            self.follow(server)
        if self.is_accepted(server, message):
            self.store(server, message)
            last_new = message.prev_log_index + len(message.entries)
            self.follow_commit_index(server, message.leader_commit, last_new)

    def reply_to(self, message: AppendEntries) -> AppendEntriesReply:
        """The answer to AppendEntries, by its receiver after it has had its effects."""
        server = message.to
        accepted = self.is_accepted(server, message)
        last_new = message.prev_log_index + len(message.entries)
        misread = self.ack_own_last_index if accepted else self.nack_advances_match
        known = len(self.log[server]) if misread else last_new if accepted else 0
        term = self.current_term[server]
        return AppendEntriesReply(server, message.sender, term, accepted, known)

    @deliver
    def receive_append_entries_reply(self, message: AppendEntriesReply) -> None:
        """A leader updates nextIndex and matchIndex, or tries an entry earlier (5.3)."""
        self.receive(message)
        require(self.may_begin())
        self.handle_append_entries_reply(message)

    def handle_append_entries_reply(self, message: AppendEntriesReply) -> None:
        """What the answer does to the leader."""
        server = message.to
        peer = message.sender
        require(self.up[server])
        self.see_term(server, message.term)
        current = message.term == self.current_term[server] or self.stale_append_reply_accepted
        if current and self.role[server] is Role.LEADER and peer in self.peers(server):
            if message.success or self.nack_advances_match:
                known = 0 if self.match_not_monotonic else self.match_index[server][peer]
                self.match_index[server][peer] = max(known, message.match_index)
            if message.success:
                self.next_index[server][peer] = self.match_index[server][peer] + 1
            else:
                known = 0 if self.next_le_match else self.match_index[server][peer]
                earlier = self.next_index[server][peer] - 1
                self.next_index[server][peer] = max(earlier, known + 1)
            self.advance_commit_index(server)

    @timeout
    def step_down(self, server: Node) -> None:
        """CheckQuorum: a leader has not heard from a majority for an election timeout (6.2).

        That is section 6.2 of Ongaro's dissertation; it stays in its term.
        """
        require(self.check_quorum)
        require(self.role[server] is Role.LEADER)
        self.become_follower(server)
        if self.stepdown_same_term_clears_vote:
            self.voted_for[server] = None

    # Recovery

    def recover(self, node: Node) -> None:
        """A server restarts as a follower with what is persistent; only flaws lose more."""
        if self.vote_not_persisted:
            self.voted_for[node] = None
        if self.leader_self_vote_lost and self.voted_for[node] == node:
            self.voted_for[node] = None
        if self.term_not_persisted:
            self.current_term[node] = 0
        if self.ack_before_fsync and len(self.log[node]) > 0:
            self.log[node].pop()

    def restore(self, server: Node, applied: int) -> None:
        """The state machine starts as the first `applied` entries leave it: left out here."""

    def wipe(self, server: Node) -> None:
        """A server loses what it had stored, and all else; only a flaw does."""
        require(self.up[server])
        self.current_term[server] = 0
        self.voted_for[server] = None
        self.log[server] = empty()
        self.lose_volatile(server)

    # What the steps are made of

    def see_term(self, server: Node, term: int) -> None:
        """All servers: on a term above currentTerm, take it and become follower (5.1)."""
        if term > self.current_term[server]:
            self.current_term[server] = term
            if not self.term_bump_keeps_vote:
                self.voted_for[server] = None
            self.become_follower(server)

    def follow(self, server: Node) -> None:
        """A candidate that hears from the leader of its term becomes its follower (5.2)."""
        stood = self.role[server] is Role.CANDIDATE
        self.become_follower(server)
        forgets = stood and self.candidate_forgets_vote
        if forgets or self.follower_clears_vote_on_leader_discovery:
            self.voted_for[server] = None

    def become_follower(self, server: Node) -> None:
        """What candidates and leaders know is of no use to a follower."""
        self.role[server] = Role.FOLLOWER
        self.votes[server] = empty()
        self.repeated_votes[server] = 0
        self.next_index[server] = each(1)
        self.match_index[server] = each(0)

    def lead_if_elected(self, server: Node) -> None:
        """Upon votes from a majority: leader, with nextIndex behind its last entry (5.2, 5.3)."""
        if self.is_elected(server):
            self.elected[self.current_term[server]].add(server)
            self.role[server] = Role.LEADER
            self.votes[server] = empty()
            self.repeated_votes[server] = 0
            self.next_index[server] = {peer: len(self.log[server]) + 1 for peer in self.servers}
            self.match_index[server] = each(0)

    def is_elected(self, server: Node) -> bool:
        """Whether a candidate has the votes of a majority."""
        if self.duplicate_votes_counted:
            counted = len(self.votes[server]) + self.repeated_votes[server]
            return 2 * counted > len(self.servers)
        return self.has_quorum(server, self.votes[server])

    def may_begin(self) -> bool:
        """Whether the bounds let something begin while what is in flight has not arrived.

        With `only_acks_late`, replies to AppendEntries may wait, and nothing else.
        """
        return not self.only_acks_late or all(
            isinstance(message, AppendEntriesReply) for message in self.network
        )

    def peers(self, server: Node) -> Set[Node]:
        """Whom a server asks for votes, and replicates its log to: all others."""
        return self.servers - {server}

    def has_quorum(self, server: Node, group: Set[Node]) -> bool:
        """Whether these are enough for what the server decides: a majority."""
        return self.is_majority(group)

    def is_majority(self, group: Set[Node]) -> bool:
        """Whether these are more than half of the servers."""
        if self.majority_half:
            return 2 * len(group) >= len(self.servers)
        return is_quorum(group, self.servers)

    def last_log_term(self, server: Node) -> int:
        """What a candidate says of its log: the term of the last entry; 0 if it is empty."""
        return self.term_at(server, len(self.log[server]))

    def term_at(self, server: Node, index: int) -> int:
        """The term of the entry at an index; 0 where there is none."""
        return self.log[server][index - 1].term if 0 < index <= len(self.log[server]) else 0

    def up_to_date(self, server: Node, message: RequestVote) -> bool:
        """Whether the candidate's log is at least as up-to-date: later term, or longer (5.4.1)."""
        length = len(self.log[server])
        term = self.term_at(server, length)
        if self.no_uptodate_check:
            return True
        if self.uptodate_by_length_only:
            return message.last_log_index >= length
        if self.uptodate_by_term_only:
            return message.last_log_term >= term
        return message.last_log_term > term or (
            message.last_log_term == term and message.last_log_index >= length
        )

    def send_append_entries(self, server: Node, peer: Node, most: int) -> None:
        """Send a peer what is in the log from nextIndex on, `most` entries at most."""
        previous = self.next_index[server][peer] - 1
        self.send(
            AppendEntries(
                sender=server,
                to=peer,
                term=self.current_term[server],
                prev_log_index=previous,
                prev_log_term=self.term_at(server, previous),
                entries=self.log[server][previous:][:most],
                leader_commit=self.commit_index[server],
            )
        )

    def is_accepted(self, server: Node, message: AppendEntries) -> bool:
        """Whether AppendEntries passes steps 1 and 2."""
        return self.is_current(server, message) and self.has_previous(server, message)

    def is_current(self, server: Node, message: AppendEntries) -> bool:
        """Step 1: reply false if term < currentTerm."""
        return message.term == self.current_term[server] or self.stale_term_append_accepted

    def has_previous(self, server: Node, message: AppendEntries) -> bool:
        """Step 2: reply false without an entry at prevLogIndex whose term is prevLogTerm."""
        previous = message.prev_log_index
        if previous == 0:
            return True
        if previous > len(self.log[server]):
            return False
        return (
            self.no_prevlog_term_check
            or self.log[server][previous - 1].term == message.prev_log_term
        )

    def store(self, server: Node, message: AppendEntries) -> None:
        """Step 3: cut from an entry that conflicts on; step 4: append what is not in the log."""
        position = message.prev_log_index
        if self.truncate_unconditionally:
            self.log[server] = self.log[server][:position]
        for entry in message.entries:
            stored = self.log[server]
            if position < len(stored) and stored[position].term != entry.term:
                self.log[server] = stored[:position]
            if position == len(self.log[server]):
                self.log[server].append(entry)
            position += 1

    def follow_commit_index(self, server: Node, leader_commit: int, last_new: int) -> None:
        """Step 5: commitIndex = min(leaderCommit, index of last new entry), if that is more."""
        confirmed = len(self.log[server]) if self.commit_min_own_log else last_new
        known = 0 if self.commit_not_monotonic else self.commit_index[server]
        self.commit_index[server] = max(known, min(leader_commit, confirmed))

    def advance_commit_index(self, server: Node) -> None:
        """A leader commits the last entry of its term that a majority has, and those before."""
        self.commit_index[server] = max(
            (
                index
                for index in range(self.commit_index[server] + 1, len(self.log[server]) + 1)
                if self.has_quorum(server, self.holders(server, index))
                and self.may_count(server, index)
            ),
            default=self.commit_index[server],
        )

    def holders(self, server: Node, index: int) -> Set[Node]:
        """Who is known to a leader to have its entry at an index: itself, and by matchIndex."""
        return {server} | {peer for peer in self.servers if self.match_index[server][peer] >= index}

    def may_count(self, server: Node, index: int) -> bool:
        """Whether the entry may be committed by counting: it has to be of the current term."""
        term = self.current_term[server]
        if self.commit_any_term:
            return True
        if self.commit_scan_breaks_on_old_term:
            return all(
                self.log[server][between - 1].term == term
                for between in range(self.commit_index[server] + 1, index + 1)
            )
        return self.log[server][index - 1].term == term

    # What quorate.invariants.raft asks

    def leads(self, server: Node) -> bool:
        """Whether the server takes itself for the leader of its term."""
        return self.role[server] is Role.LEADER

    def has_next_term(self) -> bool:
        """Whether an election can still begin a term that nobody has seen."""
        return all(self.current_term[server] < self.max_term for server in self.servers)

"""Raft with log compaction: a snapshot stands for the beginning of the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from ...language import (
    Map,
    Node,
    Seq,
    Set,
    action,
    always_possible,
    assume,
    at_most,
    between,
    deliver,
    drop,
    durable,
    each,
    empty,
    flaw,
    invariant,
    is_quorum,
    parameter,
    record,
    require,
    step_property,
    step_witness,
)
from ..raft.spec import AppendEntries, Entry, Index, Raft, Role, Term


@record
class InstallSnapshot:
    """InstallSnapshot RPC: the leader (`sender`) gives its snapshot to a follower far behind (7).

    `data`, the state machine's state, is what was applied: the entries up to the last included
    one, whose index and term are therefore lastIncludedIndex and lastIncludedTerm. What else a
    snapshot holds (clients' sessions, the latest configuration) follows from them.
    """

    sender: Node
    to: Node
    term: Term
    data: Annotated[Seq[Entry], at_most("max_compacted")]


@record
class InstallSnapshotReply:
    """Its results: currentTerm; and, as it comes alone here, up to where the follower has all."""

    sender: Node
    to: Node
    term: Term
    match_index: Index


Transfer = InstallSnapshot | InstallSnapshotReply


class RaftSnapshots(Raft):
    """Servers replace the beginning of their logs by snapshots, and send them to who lacks it.

    Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)"
    (2014), section 7 and Figure 13; Ongaro's dissertation, chapter 5. Off (`max_compacted` = 0),
    this is Raft.

    `log` stays the whole log, but of its first `snapshot_index` entries a server has only the
    snapshot: what was applied, and the index and term of the last one. Nothing else of them is
    looked at. Left out: chunks (a snapshot comes whole, so steps 2 to 4 of Figure 13 fall away).
    The configuration of a snapshot is the latest among the entries that it stands for; here, where
    no entry is one, the first. The new messages travel in a set of their own, with a bound of its
    own: the order of messages means nothing.
    """

    max_compacted: int = parameter(0, at_least=0, at_most=15)  # no snapshot covers more entries
    max_transfers: int = parameter(0, at_least=0, at_most=24)  # InstallSnapshot and replies

    snapshot_drops_suffix: bool = flaw("R42: what follows the last included entry is discarded")
    snapshot_ignores_commit_check: bool = flaw(
        "R42: a snapshot of what is committed already is installed"
    )
    snapshot_moves_commit_back: bool = flaw("R43: commitIndex becomes that of any snapshot")
    snapshot_sets_term: bool = flaw("R44: currentTerm becomes lastIncludedTerm")
    snapshot_boundary_off_by_one: bool = flaw(
        "R45: who needs the last included entry is sent no snapshot, but no entry either"
    )
    prev0_always_matches: bool = flaw("R46: prevLogTerm 0 passes for an empty log before")
    snapshot_keeps_conflict: bool = flaw(
        "R47: where the last included entry has another term, the log is kept"
    )
    last_log_term_zero_after_compaction: bool = flaw(
        "R48: a candidate whose log is all compacted says lastLogTerm 0"
    )

    @assume
    def snapshots_can_be_sent(self) -> bool:
        """Who discards entries sends snapshots instead: both bounds are above 0, or neither."""
        return (self.max_compacted > 0) == (self.max_transfers > 0)

    @assume
    def there_is_a_log_to_compact(self) -> bool:
        """Snapshots need max_log above 0: they stand for entries."""
        return self.max_compacted == 0 or self.max_log > 0

    # Persistent state on all servers: up to where there is a snapshot instead of entries
    snapshot_index: Map[Node, Annotated[int, between(0, "max_compacted")]] = durable(each(0))

    transfers: Annotated[Set[Transfer], at_most("max_transfers")] = empty()

    @action
    def compact(self, server: Node) -> None:
        """A server takes a snapshot of what it applied, and discards the log up to there (7)."""
        require(self.up[server])
        applied = min(self.commit_index[server], len(self.log[server]))
        require(self.snapshot_index[server] < applied)
        require(applied <= self.max_compacted)
        self.snapshot_index[server] = applied

    @deliver
    def receive_install_snapshot(self, message: InstallSnapshot) -> None:
        """InstallSnapshot RPC, receiver implementation (Figure 13).

        Step 1: reply immediately if term < currentTerm. Steps 5 to 8 are `install`'s.
        """
        self.take_transfer(message)
        server = message.to
        require(self.up[server])
        self.see_term(server, message.term)
        covered = 0
        if message.term == self.current_term[server]:
            covered = len(message.data)
            self.follow(server)
            if not self.is_known(server, message):
                self.install(server, message)
        term = self.current_term[server]
        self.transfer(InstallSnapshotReply(server, message.sender, term, covered))

    @deliver
    def receive_install_snapshot_reply(self, message: InstallSnapshotReply) -> None:
        """A leader goes on with what follows the snapshot (7)."""
        self.take_transfer(message)
        server = message.to
        peer = message.sender
        require(self.up[server])
        self.see_term(server, message.term)
        current = message.term == self.current_term[server]
        if current and self.role[server] is Role.LEADER and peer in self.peers(server):
            known = max(self.match_index[server][peer], message.match_index)
            self.match_index[server][peer] = known
            self.next_index[server][peer] = max(self.next_index[server][peer], known + 1)
            self.advance_commit_index(server)

    @drop
    def lose_transfer(self, message: Transfer) -> None:
        """The network loses an InstallSnapshot or its reply."""
        require(message in self.transfers)
        require(self.lossy)
        self.transfers.discard(message)

    def recover(self, node: Node) -> None:
        """The state machine starts from the snapshot: that much is committed and applied (7)."""
        super().recover(node)
        self.commit_index[node] = self.snapshot_index[node]
        self.restore(node, self.snapshot_index[node])

    def wipe(self, server: Node) -> None:
        """Without what it had stored, a server has no snapshot either."""
        super().wipe(server)
        self.snapshot_index[server] = 0

    # The receiver of a snapshot

    def is_known(self, server: Node, message: InstallSnapshot) -> bool:
        """Whether all that the snapshot covers is committed here: it is late, or came twice.

        Such a snapshot changes nothing. In section 7 it may still take the place of the entries
        that it covers, as those behind them are retained (step 6); it would tell nothing new, and
        with step 8 set the state machine back. A newer snapshot is never given up for an older one
        (step 5).
        """
        covered = len(message.data)
        if self.snapshot_ignores_commit_check or self.snapshot_moves_commit_back:
            return covered < self.snapshot_index[server]
        return covered <= self.commit_index[server]

    def install(self, server: Node, message: InstallSnapshot) -> None:
        """Save the snapshot (5), and reset the state machine using it (8).

        If the log has an entry with index and term of the last included one, the entries that
        follow it are retained (6); otherwise the entire log is discarded (7). Figure 13 replies in
        step 6 without step 8. But entries that are not yet applied are gone from the log with it,
        so the state machine is reset in both cases.
        """
        covered = len(message.data)
        last = message.data[covered - 1]
        own_term = self.term_at(server, covered)
        following = self.log[server][covered:]
        self.log[server] = message.data
        self.snapshot_index[server] = covered
        if own_term == last.term and not self.snapshot_drops_suffix:
            self.log[server] = message.data + following
        if own_term not in {0, last.term} and self.snapshot_keeps_conflict:
            self.log[server] = message.data + following
            self.log[server][covered - 1] = Entry(own_term, last.value)
        if covered > self.commit_index[server] or self.snapshot_moves_commit_back:
            self.commit_index[server] = covered
            self.restore(server, covered)
        if self.snapshot_sets_term:
            self.current_term[server] = last.term

    # The leader, and who else looks at entries that may be compacted

    def needs_snapshot(self, server: Node, peer: Node) -> bool:
        """Whether a leader has discarded the next entry that it has to send to a follower (7)."""
        if self.snapshot_boundary_off_by_one:
            return self.next_index[server][peer] < self.snapshot_index[server]
        return self.next_index[server][peer] <= self.snapshot_index[server]

    def send_append_entries(self, server: Node, peer: Node, most: int) -> None:
        """Send what follows nextIndex, or the snapshot if that is discarded (7)."""
        if self.needs_snapshot(server, peer):
            term = self.current_term[server]
            data = self.log[server][: self.snapshot_index[server]]
            self.transfer(InstallSnapshot(server, peer, term, data))
        else:
            discarded = self.next_index[server][peer] <= self.snapshot_index[server]
            super().send_append_entries(server, peer, 0 if discarded else most)

    def term_at(self, server: Node, index: int) -> int:
        """The term of the entry at an index; 0 where there is none, or where it is discarded."""
        if index < self.snapshot_index[server]:
            return 0
        return super().term_at(server, index)

    def last_log_term(self, server: Node) -> int:
        """The term of the last entry, which may be the last included one of the snapshot."""
        compacted = len(self.log[server]) == self.snapshot_index[server]
        if compacted and self.last_log_term_zero_after_compaction:
            return 0
        return super().last_log_term(server)

    def has_previous(self, server: Node, message: AppendEntries) -> bool:
        """What is compacted is committed, so it is the same in the log of every later leader."""
        if message.prev_log_term == 0 and self.prev0_always_matches:
            return True
        if message.prev_log_index < self.snapshot_index[server]:
            return True
        return super().has_previous(server, message)

    def store(self, server: Node, message: AppendEntries) -> None:
        """Entries that the snapshot covers are there already; the others go behind it."""
        covered = max(self.snapshot_index[server] - message.prev_log_index, 0)
        rest = replace(
            message,
            prev_log_index=message.prev_log_index + covered,
            entries=message.entries[covered:],
        )
        super().store(server, rest)

    def transfer(self, message: Transfer) -> None:
        """Put a message into the network; not possible without room."""
        require(message in self.transfers or len(self.transfers) < self.max_transfers)
        self.transfers.add(message)

    def take_transfer(self, message: Transfer) -> None:
        """Take a message out of the network; not possible unless it is there."""
        require(message in self.transfers)
        if not self.duplicating:
            self.transfers.discard(message)

    # Properties of this option

    @invariant
    def snapshot_is_committed(self) -> bool:
        """A snapshot describes committed entries only (7)."""
        return all(
            self.snapshot_index[s] <= self.commit_index[s] for s in self.servers if self.up[s]
        )

    @step_property
    def snapshot_monotonic(self, after: RaftSnapshots) -> bool:
        """A snapshot is replaced by those of a larger index only (Figure 13, step 5)."""
        return all(after.snapshot_index[s] >= self.snapshot_index[s] for s in self.servers)

    @step_property
    def snapshot_is_taken_over(self, after: RaftSnapshots) -> bool:
        """Who goes over to the snapshot that arrives has its entries (Figure 13, steps 5 to 8)."""
        return all(
            message in after.transfers
            or not isinstance(message, InstallSnapshot)
            or after.snapshot_index[message.to] == self.snapshot_index[message.to]
            or after.log[message.to][: len(message.data)] == message.data
            for message in self.transfers
        )

    @step_property
    def follows_on_what_it_has(self, after: RaftSnapshots) -> bool:
        """AppendEntries follows on an entry that the leader has, or on its snapshot's last (7)."""
        return all(
            message in self.network
            or not isinstance(message, AppendEntries)
            or message.prev_log_index >= self.snapshot_index[message.sender]
            for message in after.network
        )

    @always_possible(
        by=(
            "send_entries",
            "receive_request_vote",
            "receive_request_vote_reply",
            "receive_append_entries",
            "receive_append_entries_reply",
            "receive_install_snapshot",
            "receive_install_snapshot_reply",
            "restart_node",
        )
    )
    def followers_catch_up(self) -> bool:
        """A leader can still hear from all others that they have its log, compacted or not (7)."""
        return all(
            self.next_index[leader][s] > len(self.log[leader])
            for leader in self.servers
            if self.leads(leader)
            for s in self.servers - {leader}
        )

    @always_possible(by=("receive_request_vote", "receive_request_vote_reply"))
    def deserved_votes_are_won(self) -> bool:
        """A candidate for whom a majority may vote can be elected by them, if no message is lost.

        They are up, have voted for nobody else, and their logs are no more up-to-date (5.2, 5.4.1).
        """
        return not any(
            self.role[candidate] is Role.CANDIDATE
            and is_quorum(
                {s for s in self.servers if self.may_vote_for(s, candidate)}, self.servers
            )
            for candidate in self.servers
        )

    def may_vote_for(self, server: Node, candidate: Node) -> bool:
        """Whether a server is free to vote for a candidate, going by what their logs really say."""
        term = self.current_term[candidate]
        own_term = self.term_at(server, len(self.log[server]))
        its_term = self.term_at(candidate, len(self.log[candidate]))
        free = self.current_term[server] < term or (
            self.current_term[server] == term
            and (self.voted_for[server] is None or self.voted_for[server] == candidate)
        )
        up_to_date = its_term > own_term or (
            its_term == own_term and len(self.log[candidate]) >= len(self.log[server])
        )
        return self.up[server] and free and up_to_date

    @step_witness
    def snapshot_installed(self, after: RaftSnapshots) -> bool:
        """A server gets to a snapshot of more than it knew to be committed: it installs one."""
        return any(self.is_installed(after, s) for s in self.servers)

    @step_witness
    def suffix_retained(self, after: RaftSnapshots) -> bool:
        """The log has the last included entry, and entries that follow it: they stay (step 6)."""
        return any(
            self.is_installed(after, s) and len(after.log[s]) > after.snapshot_index[s]
            for s in self.servers
        )

    @step_witness
    def conflict_discarded(self, after: RaftSnapshots) -> bool:
        """The log has another entry in the place of the last included one: it goes (step 7)."""
        return any(
            self.is_installed(after, s)
            and len(self.log[s]) >= after.snapshot_index[s]
            and self.log[s][: after.snapshot_index[s]] != after.log[s][: after.snapshot_index[s]]
            for s in self.servers
        )

    def is_installed(self, after: RaftSnapshots, server: Node) -> bool:
        """Whether a step gives a server a snapshot that it could not have taken by itself."""
        known = max(self.commit_index[server], self.snapshot_index[server])
        return after.snapshot_index[server] > known

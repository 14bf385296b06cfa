"""Raft with all options in one spec."""

from __future__ import annotations

from ...language import (
    Node,
    Set,
    action,
    assume,
    crash,
    flaw,
    step_witness,
    witness,
)
from ..raft.spec import Value
from ..raft_membership.spec import Configuration, RaftMembership
from ..raft_prevote.spec import RaftPreVote
from ..raft_reads.spec import Call, Exchange, RaftReads, Reads
from ..raft_sessions.spec import RaftSessions
from ..raft_snapshots.spec import RaftSnapshots, Transfer


class RaftFull(RaftReads, RaftMembership, RaftSnapshots, RaftPreVote, RaftSessions):
    """Figure 2, with membership changes, log compaction, linearizable reads, PreVote and sessions.

    Each option is a layer that is read by itself, and refines the same steps and helpers of
    `Raft`; here they are all there, each off until its parameters switch it on: `check_quorum`,
    `pre_vote`, `membership`, `max_compacted` and `max_transfers`, `reads`, `max_executions`. Off,
    they cost no state. What follows is where one option means something to another.

    Left out: that the answer to a snapshot may confirm a read, as that to AppendEntries does.
    """

    snapshot_without_configuration: bool = flaw(
        "a snapshot leaves the configuration out: who has no later one uses the first"
    )
    snapshot_without_sessions: bool = flaw(
        "a snapshot leaves the sessions out: what it covers is executed again"
    )

    @assume
    def snapshots_are_of_what_counts(self) -> bool:
        """Where configurations wait for being applied (`max_applied`), no log is compacted."""
        return self.max_applied == 0 or self.max_compacted == 0

    @assume
    def a_command_can_come_again(self) -> bool:
        """Sessions need max_log above 1, or snapshots, which bring them to others."""
        return super().a_command_can_come_again() or self.max_compacted > 0

    @action
    def compact(self, server: Node) -> None:
        """A server takes a snapshot; a leader may lead others then, if that lacks something."""
        before = self.peers(server)
        super().compact(server)
        if self.leads(server):
            self.keep_track(server, before)

    @crash
    def crash_node(self, node: Node) -> None:
        """A server crashes; if for good, what is on its way to it is lost."""
        super().crash_node(node)
        if self.is_gone(node):
            self.transfers = Set(m for m in self.transfers if m.to != node)
            self.exchanges = Set(m for m in self.exchanges if goes_to(m) != node)

    def transfer(self, message: Transfer) -> None:
        """A snapshot to a server that will never receive takes no room in the network."""
        if not self.is_gone(message.to):
            super().transfer(message)

    def exchange(self, message: Exchange) -> None:
        """Nor does a call, or an answer."""
        if not self.is_gone(goes_to(message)):
            super().exchange(message)

    def configuration(self, server: Node) -> Configuration:
        """A snapshot has the latest configuration of the entries that it stands for (5.1)."""
        used = self.first
        if not self.snapshot_without_configuration:
            return super().configuration(server)
        for entry in self.log[server][self.snapshot_index[server] :]:
            if len(self.configurations[entry.value]) > 0:
                used = self.configurations[entry.value]
        return used

    def is_command(self, value: Value) -> bool:
        """A configuration is not for the state machine."""
        return len(self.configurations[value]) == 0

    def is_repetition(self, server: Node, value: Value, position: int) -> bool:
        """A snapshot has the sessions: what is executed stays known (6.3)."""
        known = super().is_repetition(server, value, position)
        covered = self.snapshot_index[server]
        if self.snapshot_without_sessions and position >= covered:
            return known and any(e.value == value for e in self.log[server][:position][covered:])
        return known

    def follow(self, server: Node) -> None:
        """Where there is time, a promise says how long a leader is to be kept."""
        super().follow(server)
        if self.reads is Reads.LEASE:
            self.hears_leader[server] = False

    def has_leader(self, server: Node) -> bool:
        """Who refuses its vote for the sake of a leader refuses a pre-vote too (4.2.3, 9.6)."""
        if self.reads is Reads.LEASE and not self.leads(server):
            return self.promised[server] > self.clock(server)
        return super().has_leader(server)

    # Properties of options together

    @witness
    def repetition_behind_snapshot(self) -> bool:
        """A committed entry has a command that a snapshot covers: only its sessions tell that."""
        return any(
            self.snapshot_index[server] <= position < self.commit_index[server]
            and any(
                entry.value == self.log[server][position].value
                for entry in self.log[server][: self.snapshot_index[server]]
            )
            and self.executed[server][self.log[server][position].value] == 1
            for server in self.servers
            for position in range(len(self.log[server]))
        )

    @step_witness
    def sessions_installed(self, after: RaftFull) -> bool:
        """A server learns from a snapshot what is executed, and has executed nothing of it."""
        return any(
            self.is_installed(after, server)
            and self.executed[server][value] == 0
            and after.executed[server][value] == 1
            for server in self.servers
            for value in self.values
        )


def goes_to(message: Exchange) -> Node:
    """Whom a call, or an answer, goes to."""
    return message.request.to if isinstance(message, Call) else message.reply.to

"""Raft with membership changes: the set of servers is replaced while the cluster runs."""

from __future__ import annotations

from enum import Enum
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
    choose,
    each,
    empty,
    flaw,
    invariant,
    is_quorum,
    parameter,
    request,
    require,
    start,
    timeout,
    volatile,
    witness,
)
from ..raft.spec import Entry, Raft, Value


class Membership(Enum):
    """How members change; the values say how many majorities a decision may need then."""

    NONE = 0
    SINGLE_SERVER = 1
    JOINT = 2


Configuration = Annotated[Seq[Set[Node]], at_most("membership.value")]
"""A decision needs a majority of each of these sets. None, or one; C_old and C_new while joint."""


class RaftMembership(Raft):
    """A leader changes who its cluster is by entries of the log, which count once they are there.

    Ongaro, "Consensus: Bridging Theory and Practice" (2014), chapter 4: one server at a time (4.1),
    or any set by joint consensus (4.3; section 6 of the paper). Off (`membership`), this is Raft.
    An entry still holds a value; `configurations` says which values are configurations: a table
    that could as well be fixed at the start, and is filled as it is first asked for.

    Left out: rounds in which a new server catches up before it counts (4.2.1), for availability;
    what keeps removed servers from disrupting the others (4.2.3), which is about time. A server
    that was removed never comes back under its name.
    """

    membership: Membership = parameter(Membership.NONE)
    newcomers: int = parameter(0, at_least=0, at_most=8)  # servers that are to join later
    max_applied: int = parameter(0, at_least=0, at_most=15)  # 0: configurations need not be applied

    config_before_own_term_commit: bool = flaw(
        "R37: a leader changes the members before it has committed an entry of its term"
    )
    config_at_apply_time_without_guard: bool = flaw(
        "R38: a server campaigns that knows a committed configuration, and has not applied it"
    )
    joint_quorum_over_union: bool = flaw(
        "R39: one majority, of C_old and C_new together, counts as both"
    )
    identity_reused_after_wipe: bool = flaw(
        "R40: a server that was removed joins again under its name, without what it had stored"
    )
    premature_retirement: bool = flaw(
        "R41: a leader that is to leave does so before that is committed"
    )

    @assume
    def somebody_founds(self) -> bool:
        """Changes of members need fewer newcomers than servers: the others are there at first."""
        return self.membership is Membership.NONE or self.newcomers < len(self.servers)

    @assume
    def changes_have_room(self) -> bool:
        """Changes of members need two servers, two values (a configuration is one) and a log."""
        return self.membership is Membership.NONE or (
            len(self.servers) > 1 and len(self.values) > 1 and self.max_log > 0
        )

    @assume
    def nothing_applied_is_lost(self) -> bool:
        """Configurations wait for being applied (max_applied) where members change, not crash."""
        return self.max_applied == 0 or (
            self.membership is not Membership.NONE and self.max_crashes == 0
        )

    # What values stand for: a configuration each, but one for a command
    configurations: Map[Value, Configuration] = each(empty())
    command: Value | None = None

    # The first configuration
    first: Configuration = empty()

    # Volatile state: lastApplied, where configurations wait for it
    applied: Map[Node, Annotated[int, between(0, "max_applied")]] = volatile(each(0))

    @start
    def found(self) -> None:
        """The first configuration is all servers but those who join later."""
        if self.membership is not Membership.NONE:
            members = Set(self.servers)
            for _ in range(self.newcomers):
                newcomer = choose(members)
                members = members - {newcomer}
            self.first = [members]

    # Changing one server at a time (4.1)

    @request
    def add_server(self, server: Node, peer: Node, value: Value) -> None:
        """AddServer: a leader appends the configuration with one server more."""
        require(self.membership is Membership.SINGLE_SERVER)
        self.begin_change(server)
        require(self.has_own_term_commit(server) or self.config_before_own_term_commit)
        require(peer not in self.members(server))
        if peer in self.retired(server):
            require(self.identity_reused_after_wipe)
            self.wipe(peer)
        self.change(server, value, [self.members(server) | {peer}])

    @request
    def remove_server(self, server: Node, peer: Node, value: Value) -> None:
        """RemoveServer: a leader appends the configuration with one server less, maybe itself."""
        require(self.membership is Membership.SINGLE_SERVER)
        self.begin_change(server)
        require(self.has_own_term_commit(server) or self.config_before_own_term_commit)
        require(peer in self.members(server))
        require(len(self.members(server)) > 1)
        self.change(server, value, [self.members(server) - {peer}])

    # Changing any number by joint consensus (4.3)

    @request
    def reconfigure(self, server: Node, members: Set[Node], joint: Value, new: Value) -> None:
        """A leader appends C_old,new; once that is committed, C_new follows (`settle`)."""
        require(self.membership is Membership.JOINT)
        self.begin_change(server)
        require(len(members) > 0)
        require(members != self.members(server))
        require(len(members & self.retired(server)) == 0)
        self.name(new, [members])
        self.change(server, joint, [self.members(server), members])

    # What configurations change in the base

    @timeout
    def time_out(self, server: Node) -> None:
        """A follower or candidate starts an election, unless it is known to have left (4.2.2)."""
        require(self.may_campaign(server))
        super().time_out(server)

    @request
    def client_request(self, server: Node, value: Value) -> None:
        """A leader appends a command from a client to its log (5.3): where members change, one."""
        if self.membership is not Membership.NONE:
            require(len(self.configurations[value]) == 0)
            require(self.command is None or self.command == value)
            self.command = value
        super().client_request(server, value)

    @timeout
    def step_down(self, server: Node) -> None:
        """CheckQuorum: a leader has not heard from a majority (6.2); one by itself always has."""
        require(self.membership is Membership.NONE or not self.has_quorum(server, {server}))
        super().step_down(server)

    @action
    def apply_committed(self, server: Node) -> None:
        """A server applies an entry, where configurations count from then on."""
        require(self.applied[server] < self.max_applied)
        require(self.applied[server] < min(self.commit_index[server], len(self.log[server])))
        before = self.peers(server)
        self.applied[server] += 1
        if self.leads(server):
            self.keep_track(server, before)
            self.settle(server)

    def peers(self, server: Node) -> Set[Node]:
        """The other servers in the configuration that it uses (4.1)."""
        if self.membership is Membership.NONE:
            return super().peers(server)
        return self.members(server) - {server}

    def has_quorum(self, server: Node, group: Set[Node]) -> bool:
        """Whether these are a majority of each set of its configuration (4.1, 4.3)."""
        if self.membership is Membership.NONE:
            return super().has_quorum(server, group)
        members = self.members(server)
        if self.joint_quorum_over_union:
            return is_quorum(group & members, members)
        return all(is_quorum(group & part, part) for part in self.configuration(server))

    def lead_if_elected(self, server: Node) -> None:
        """A leader knows of its peers only; what waits for a leader is done."""
        super().lead_if_elected(server)
        if self.membership is not Membership.NONE and self.leads(server):
            self.keep_track(server, self.peers(server))
            self.settle(server)

    def advance_commit_index(self, server: Node) -> None:
        """Commit; then do what waited for a configuration to be committed."""
        super().advance_commit_index(server)
        if self.membership is not Membership.NONE:
            self.settle(server)

    # What the steps are made of

    def configuration(self, server: Node) -> Configuration:
        """The configuration that a server uses: the latest in its log, committed or not (4.1).

        Where configurations wait for being applied: the latest that it has applied.
        """
        used = self.first
        reached = len(self.log[server]) if self.max_applied == 0 else self.applied[server]
        for entry in self.log[server][:reached]:
            if len(self.configurations[entry.value]) > 0:
                used = self.configurations[entry.value]
        return used

    def members(self, server: Node) -> Set[Node]:
        """Everybody in the configuration that a server uses."""
        return {member for part in self.configuration(server) for member in part}

    def retired(self, server: Node) -> Set[Node]:
        """Who was in an earlier configuration of its log, and is no more."""
        earlier = {
            member
            for entry in self.log[server]
            for part in self.configurations[entry.value]
            for member in part
        }
        return (earlier | {member for part in self.first for member in part}) - self.members(server)

    def is_settled(self, server: Node, reached: int) -> bool:
        """Whether no configuration in its log is beyond an index."""
        return all(
            len(self.configurations[entry.value]) == 0 for entry in self.log[server][reached:]
        )

    def done(self, server: Node) -> int:
        """Up to where changes are over: what is committed, or applied where that counts."""
        return self.applied[server] if self.max_applied > 0 else self.commit_index[server]

    def has_own_term_commit(self, server: Node) -> bool:
        """Whether it has committed an entry of its term, and so knows all that is committed.

        Ongaro's correction of 4.1 (raft-dev, 10 July 2015); joint consensus does not need it.
        """
        return self.term_at(server, self.commit_index[server]) == self.current_term[server]

    def may_campaign(self, server: Node) -> bool:
        """Whether a server may be needed as leader: until it is committed that it left (4.2.2).

        Nor may it campaign that knows a committed configuration and has not applied it.
        """
        if self.membership is Membership.NONE:
            return True
        committed = self.commit_index[server]
        if self.max_applied > 0 and not self.config_at_apply_time_without_guard:
            waiting = self.log[server][:committed][self.applied[server] :]
            if any(len(self.configurations[entry.value]) > 0 for entry in waiting):
                return False
        return server in self.members(server) or not self.is_settled(server, committed)

    def begin_change(self, server: Node) -> None:
        """Guards of every change: it is the leader's to make, and there is no other (4.1, 4.3)."""
        require(self.leads(server))
        require(len(self.log[server]) < self.max_log)
        require(len(self.configuration(server)) == 1)
        require(self.is_settled(server, self.done(server)))

    def change(self, server: Node, value: Value, configuration: Configuration) -> None:
        """Append a configuration, and use it from now on."""
        self.name(value, configuration)
        self.append_configuration(server, value)
        self.advance_commit_index(server)

    def name(self, value: Value, configuration: Configuration) -> None:
        """Let a value stand for a configuration: the one that does, or one that nobody has used."""
        if any(self.configurations[other] == configuration for other in self.values):
            require(self.configurations[value] == configuration)
        else:
            require(len(self.configurations[value]) == 0)
            require(value != self.command)
            self.configurations[value] = configuration

    def append_configuration(self, server: Node, value: Value) -> None:
        """A leader appends an entry with a configuration."""
        before = self.peers(server)
        self.log[server].append(Entry(self.current_term[server], value))
        self.keep_track(server, before)

    def keep_track(self, server: Node, before: Set[Node]) -> None:
        """A leader keeps nextIndex and matchIndex for its peers; new ones get this entry first."""
        peers = self.peers(server)
        for peer in self.servers - {server}:
            if peer not in peers:
                self.next_index[server][peer] = 1
                self.match_index[server][peer] = 0
            elif peer not in before:
                self.next_index[server][peer] = len(self.log[server])
                self.match_index[server][peer] = 0

    def settle(self, server: Node) -> None:
        """With C_old,new committed, append C_new (4.3); with C_new, leave if not in it (4.2.2)."""
        used = self.configuration(server)
        if self.leads(server) and len(used) == 2 and self.is_settled(server, self.done(server)):
            require(len(self.log[server]) < self.max_log)
            for value in self.values:
                if self.configurations[value] == used[1:]:
                    self.append_configuration(server, value)
            super().advance_commit_index(server)
        left = self.is_settled(server, self.commit_index[server]) or self.premature_retirement
        if self.leads(server) and server not in self.members(server) and left:
            self.become_follower(server)

    # Properties of this option

    @always_possible(
        by=(
            "send_entries",
            "receive_append_entries",
            "receive_append_entries_reply",
            "receive_request_vote",
            "receive_request_vote_reply",
        )
    )
    def change_can_end(self) -> bool:
        """Who leads can commit the configurations in its log, unless a newer term begins (4.2.2).

        That is, who was elected in its term; of leaders that do not crash.
        """
        return all(
            server not in self.elected[self.current_term[server]]
            or self.is_settled(server, self.commit_index[server])
            for server in self.servers
        )

    @invariant
    def overtaken(self) -> bool:
        """Of two leaders, the earlier can commit nothing more: it lacks a quorum (5.4.3).

        Those who have seen the later term are not with it. That is Leader Completeness, one entry
        before it breaks.
        """
        return all(
            self.current_term[old] >= self.current_term[new]
            or not self.has_quorum(old, self.not_beyond(self.current_term[old]))
            for old in self.servers
            if self.leads(old)
            for new in self.servers
            if self.leads(new)
        )

    def not_beyond(self, term: int) -> Set[Node]:
        """Who has not seen a later term."""
        return {server for server in self.servers if self.current_term[server] <= term}

    @witness
    def change_committed(self) -> bool:
        """A leader has committed a configuration, and uses it."""
        return any(
            self.leads(server)
            and len(self.configuration(server)) == 1
            and self.configuration(server) != self.first
            and self.is_settled(server, self.commit_index[server])
            for server in self.servers
        )

    @witness
    def joint_phase(self) -> bool:
        """A leader has gone from C_old,new to C_new, and committed that (4.3)."""
        return any(
            self.leads(server)
            and len(self.configuration(server)) == 1
            and self.is_settled(server, self.commit_index[server])
            and any(len(self.configurations[entry.value]) == 2 for entry in self.log[server])
            for server in self.servers
        )

    @witness
    def led_from_outside(self) -> bool:
        """A leader has committed a configuration without itself, and leads no more (4.2.2)."""
        return any(
            server in self.elected[self.current_term[server]]
            and not self.leads(server)
            and server not in self.members(server)
            and self.is_settled(server, self.commit_index[server])
            for server in self.servers
        )

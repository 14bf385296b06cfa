"""Raft with client sessions: a command that comes again is executed once."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    assume,
    between,
    each,
    flaw,
    invariant,
    parameter,
    request,
    require,
    volatile,
    witness,
)
from ..raft.spec import Raft, Value


class RaftSessions(Raft):
    """A client sends its command until it is answered; the state machine executes it once.

    Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.3. Off (`max_executions` is
    0), this is Raft. On, a value is a client's command with its serial number, and a server counts
    how often its state machine has executed it, `max_executions` at most.

    Left out: further commands of a client, which its next serial number tells apart; the answer,
    which a client may lose, so it may always ask again; sessions that expire.
    """

    max_executions: int = parameter(0, at_least=0, at_most=3)  # 0: there is no state machine

    no_client_dedup: bool = flaw("R29: a command that was executed is executed again")

    @assume
    def a_second_execution_shows(self) -> bool:
        """With a bound of 1, nobody could execute a command twice: it is 0, or 2 and more."""
        return self.max_executions != 1

    @assume
    def a_command_can_come_again(self) -> bool:
        """Sessions need max_log above 1: a command that comes again is another entry."""
        return self.max_executions == 0 or self.max_log > 1

    # Volatile state: the state machine, rebuilt after a crash
    executed: Map[Node, Map[Value, Annotated[int, between(0, "max_executions")]]] = volatile(
        each(each(0))
    )

    @request
    def client_request(self, server: Node, value: Value) -> None:
        """A client asks, for the first time or again; the session answers what is executed (6.3).

        That answer changes nothing, so it is no step.
        """
        require(not self.is_repetition(server, value, self.commit_index[server]))
        super().client_request(server, value)

    # What the steps are made of

    def advance_commit_index(self, server: Node) -> None:
        """What a leader commits is executed."""
        before = self.commit_index[server]
        super().advance_commit_index(server)
        self.execute(server, before, self.commit_index[server])

    def follow_commit_index(self, server: Node, leader_commit: int, last_new: int) -> None:
        """What a follower learns to be committed is executed."""
        before = self.commit_index[server]
        super().follow_commit_index(server, leader_commit, last_new)
        self.execute(server, before, self.commit_index[server])

    def restore(self, server: Node, applied: int) -> None:
        """What a state machine starts with includes the sessions: what they know stays (6.3)."""
        super().restore(server, applied)
        self.executed[server] = each(0)
        self.execute(server, 0, applied)

    def execute(self, server: Node, before: int, last: int) -> None:
        """Execute the entries behind `before` up to `last`, but no command again (6.3)."""
        for position in range(len(self.log[server])):
            value = self.log[server][position].value
            new = before <= position < last and self.is_command(value)
            if new and not self.is_repetition(server, value, position):
                times = self.executed[server][value] + 1
                self.executed[server][value] = min(times, self.max_executions)

    def is_command(self, value: Value) -> bool:
        """Whether a value is for the state machine."""
        return True

    def is_repetition(self, server: Node, value: Value, position: int) -> bool:
        """Whether the session knows a command as executed, by the entries before a position."""
        return self.executed[server][value] > 0 and not self.no_client_dedup

    # Properties of this option

    @invariant
    def executed_once(self) -> bool:
        """No state machine executes a command twice (6.3)."""
        return all(self.executed[s][v] <= 1 for s in self.servers for v in self.values)

    @witness
    def committed_twice(self) -> bool:
        """A command is in two committed entries of a log: its client has asked again."""
        return any(
            self.log[s][i].value == self.log[s][j].value
            for s in self.servers
            for i in range(len(self.log[s]))
            if i < self.commit_index[s]
            for j in range(len(self.log[s]))
            if j < i
        )

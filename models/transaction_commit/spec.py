"""Transaction commit: what any commit protocol implements."""

from __future__ import annotations

from enum import Enum

from ...language import Map, Node, Nodes, Set, Spec, action, each, require


class RmState(Enum):
    """Where a resource manager stands."""

    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class TransactionCommit(Spec):
    """Resource managers agree whether to commit: all of them if all are prepared, or none.

    Gray and Lamport, 'Consensus on Transaction Commit' (ACM TODS 31(1), 2006), section 2; the
    module TCommit of tlaplus/Examples. How they come to know of each other is left out: a decision
    reads the states of all. That is what makes it the meaning, and not a protocol.
    """

    rms: Nodes

    rm_state: Map[Node, RmState] = each(RmState.WORKING)

    def can_commit(self) -> bool:
        """All are prepared, or have committed already."""
        return all(self.rm_state[rm] in {RmState.PREPARED, RmState.COMMITTED} for rm in self.rms)

    def not_committed(self) -> bool:
        """Nobody has committed."""
        return all(self.rm_state[rm] is not RmState.COMMITTED for rm in self.rms)

    @action
    def prepare(self, rm: Node) -> None:
        """A working resource manager gets ready to commit."""
        require(self.rm_state[rm] is RmState.WORKING)
        self.rm_state[rm] = RmState.PREPARED

    @action
    def decide_commit(self, rm: Node) -> None:
        """A prepared resource manager commits."""
        require(self.rm_state[rm] is RmState.PREPARED)
        require(self.can_commit())
        self.rm_state[rm] = RmState.COMMITTED

    @action
    def decide_abort(self, rm: Node) -> None:
        """A resource manager that has not committed aborts, as long as nobody has."""
        require(self.rm_state[rm] in {RmState.WORKING, RmState.PREPARED})
        require(self.not_committed())
        self.rm_state[rm] = RmState.ABORTED

    def voters(self) -> Set[Node]:
        """All resource managers."""
        return self.rms

    def voted_yes(self, participant: Node) -> bool:
        """Being prepared is a yes vote. (Who aborts afterwards is not known to have been.)"""
        return self.rm_state[participant] in {RmState.PREPARED, RmState.COMMITTED}

    def committed(self, participant: Node) -> bool:
        """It has committed."""
        return self.rm_state[participant] is RmState.COMMITTED

    def aborted(self, participant: Node) -> bool:
        """It has aborted."""
        return self.rm_state[participant] is RmState.ABORTED

    def coordinator_committed(self) -> bool:
        """There is no coordinator."""
        return False

    def coordinator_aborted(self) -> bool:
        """There is no coordinator."""
        return False

"""Two-phase commit as messages that are sent and never go away."""

from __future__ import annotations

from enum import Enum

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    Spec,
    action,
    deliver,
    each,
    empty,
    record,
    refines,
    request,
    require,
)
from ..transaction_commit.spec import RmState, TransactionCommit


class TmState(Enum):
    """Where the transaction manager stands."""

    INIT = "init"
    COMMITTED = "committed"
    ABORTED = "aborted"


@record
class Prepared:
    """Resource manager to transaction manager: I am prepared (a yes vote)."""

    rm: Node


@record
class Commit:
    """Transaction manager to all: commit."""


@record
class Abort:
    """Transaction manager to all: abort."""


Message = Prepared | Commit | Abort


class TwoPhaseCommit(Spec):
    """A transaction manager commits once it has heard from all that they are prepared, or aborts.

    Gray and Lamport, 'Consensus on Transaction Commit' (ACM TODS 31(1), 2006), section 3; the
    module TwoPhase of tlaplus/Examples. Left out: losing messages (a message that is not received
    is as good as lost), crashes (a process that does nothing), the request to prepare. So the spec
    says what may happen, and nothing of what must.
    """

    rms: Nodes

    rm_state: Map[Node, RmState] = each(RmState.WORKING)
    tm_state: TmState = TmState.INIT
    tm_prepared: Set[Node] = empty()  # those the transaction manager has heard Prepared from
    messages: Set[Message] = empty()  # all that were ever sent

    @deliver
    def receive_prepared(self, rm: Node) -> None:
        """The transaction manager receives Prepared; again is as good as once."""
        require(self.tm_state is TmState.INIT)
        require(Prepared(rm) in self.messages)
        self.tm_prepared.add(rm)

    @action
    def tm_commit(self) -> None:
        """The transaction manager commits: all are prepared."""
        require(self.tm_state is TmState.INIT)
        require(self.tm_prepared == self.rms)
        self.tm_state = TmState.COMMITTED
        self.messages.add(Commit())

    @action
    def tm_abort(self) -> None:
        """The transaction manager aborts, whatever its reason."""
        require(self.tm_state is TmState.INIT)
        self.tm_state = TmState.ABORTED
        self.messages.add(Abort())

    @request
    def prepare(self, rm: Node) -> None:
        """A working resource manager votes yes: from here on it may not abort on its own."""
        require(self.rm_state[rm] is RmState.WORKING)
        self.rm_state[rm] = RmState.PREPARED
        self.messages.add(Prepared(rm))

    @action
    def choose_to_abort(self, rm: Node) -> None:
        """A working resource manager aborts on its own. Nobody needs to be told."""
        require(self.rm_state[rm] is RmState.WORKING)
        self.rm_state[rm] = RmState.ABORTED

    @deliver
    def receive_commit(self, rm: Node) -> None:
        """A resource manager is told to commit."""
        require(Commit() in self.messages)
        self.rm_state[rm] = RmState.COMMITTED

    @deliver
    def receive_abort(self, rm: Node) -> None:
        """A resource manager is told to abort."""
        require(Abort() in self.messages)
        self.rm_state[rm] = RmState.ABORTED

    @refines(TransactionCommit)
    def transaction_commit(self) -> TransactionCommit:
        """The states of the resource managers, as they are."""
        return TransactionCommit(rms=self.rms, rm_state={rm: self.rm_state[rm] for rm in self.rms})

    def voters(self) -> Set[Node]:
        """All resource managers."""
        return self.rms

    def voted_yes(self, participant: Node) -> bool:
        """It has sent Prepared."""
        return Prepared(participant) in self.messages

    def committed(self, participant: Node) -> bool:
        """It has committed."""
        return self.rm_state[participant] is RmState.COMMITTED

    def aborted(self, participant: Node) -> bool:
        """It has aborted."""
        return self.rm_state[participant] is RmState.ABORTED

    def coordinator_committed(self) -> bool:
        """The transaction manager has committed."""
        return self.tm_state is TmState.COMMITTED

    def coordinator_aborted(self) -> bool:
        """The transaction manager has aborted."""
        return self.tm_state is TmState.ABORTED

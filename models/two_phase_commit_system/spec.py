"""Two-phase commit as a system: durable logs, time-outs, crashes, recovery, termination."""

from __future__ import annotations

from enum import Enum

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    action,
    crash,
    deliver,
    durable,
    each,
    empty,
    flaw,
    parameter,
    record,
    refines,
    request,
    require,
    restart,
    timeout,
    volatile,
)
from ..environment import CrashRestart, Partitions, UnorderedNetwork
from ..transaction_commit.spec import RmState, TransactionCommit


class Presumption(Enum):
    """What a coordinator answers that has no information on a transaction (Mohan et al. 1986)."""

    NOTHING = "nothing"
    ABORT = "abort"
    COMMIT = "commit"


class Vote(Enum):
    """A participant's answer to VOTE-REQ."""

    YES = "yes"
    NO = "no"


class Decision(Enum):
    """The outcome of the transaction."""

    COMMIT = "commit"
    ABORT = "abort"


class Log(Enum):
    """The last forced record of a participant."""

    NONE = "none"
    YES = "yes"
    COMMIT = "commit"
    ABORT = "abort"


class CoordinatorLog(Enum):
    """The last forced record of the coordinator."""

    NONE = "none"
    START = "start"
    COMMIT = "commit"
    ABORT = "abort"


class State(Enum):
    """What a participant knows while it is up."""

    WORKING = "working"
    UNCERTAIN = "uncertain"
    COMMITTED = "committed"
    ABORTED = "aborted"


class CoordinatorState(Enum):
    """What the coordinator knows while it is up; FORGOTTEN is to know nothing any more."""

    IDLE = "idle"
    COLLECTING = "collecting"
    COMMITTED = "committed"
    ABORTED = "aborted"
    FORGOTTEN = "forgotten"


@record
class VoteRequest:
    """Coordinator to participant: VOTE-REQ."""

    to: Node


@record
class VoteReply:
    """Participant to coordinator: YES or NO."""

    sender: Node
    vote: Vote


@record
class DecisionNotice:
    """COMMIT or ABORT to a participant, from the coordinator or from a peer that knows."""

    to: Node
    decision: Decision


@record
class Acknowledgement:
    """Participant to coordinator: the decision is in my log."""

    sender: Node


@record
class Inquiry:
    """DECISION-REQ to the coordinator."""

    sender: Node


@record
class PeerInquiry:
    """DECISION-REQ to a peer."""

    sender: Node
    to: Node


@record
class Uncertain:
    """A peer's answer: it voted Yes, and does not know either."""

    to: Node


Message = (
    VoteRequest | VoteReply | DecisionNotice | Acknowledgement | Inquiry | PeerInquiry | Uncertain
)


class TwoPhaseCommitSystem(UnorderedNetwork[Message], CrashRestart, Partitions):
    """Two-phase commit with cooperative termination, one transaction.

    Bernstein, Hadzilacos and Goodman, "Concurrency Control and Recovery in Database Systems"
    (1987), section 7.4, cited as BHG; presumed abort and presumed commit are those of Mohan,
    Lindsay and Obermarck (1986). The coordinator holds no data, so it has no vote of its own.

    Left out: time (a time-out may happen whenever what it waits for has not, so no proof rests on
    clocks); records that are not forced, which count as lost in a crash (one that survives leads
    to the state that forcing it leads to); the end record, for the same reason.
    """

    participants: Nodes
    presumption: Presumption = parameter(Presumption.NOTHING)
    timely: bool = parameter(False)  # no time-outs: nothing is late, and nothing fails

    abort_after_yes: bool = flaw("C02: an uncertain participant times out and aborts alone")
    heuristic_commit: bool = flaw("C03: an uncertain participant times out and commits alone")
    peer_ready_means_abort: bool = flaw("C04: a peer that is uncertain too is taken for an abort")
    recover_ready_aborts: bool = flaw("C05: a participant with a yes record aborts at recovery")
    decision_not_forced: bool = flaw("C06: the decision is sent before its record is forced")
    yes_not_forced: bool = flaw("C07: YES is sent before the yes record is forced")
    missing_vote: bool = flaw("C08: the coordinator commits with one vote missing")
    presumed_abort_forgets_commit: bool = flaw(
        "C09: a commit is forgotten before all have acknowledged it"
    )
    presumed_commit_no_collecting_record: bool = flaw(
        "C10: no record is forced before the vote requests are sent"
    )

    # What survives a crash.
    coordinator_log: CoordinatorLog = durable(CoordinatorLog.NONE)
    log: Map[Node, Log] = durable(each(Log.NONE))

    # The coordinator: what it knows, the votes it has, who need not be told any more.
    coordinator: CoordinatorState = volatile(CoordinatorState.IDLE)
    coordinator_up: bool = True
    yes_votes: Set[Node] = volatile(empty())
    no_votes: Set[Node] = volatile(empty())
    acknowledged: Set[Node] = volatile(empty())

    # The participants: what they know.
    state: Map[Node, State] = volatile(each(State.WORKING))

    # History: votes cast (an abort before the vote is a No), and all decisions ever taken.
    vote: Map[Node, Vote | None] = each(None)
    decisions: Map[Node, Set[Decision]] = each(empty())
    coordinator_decisions: Set[Decision] = empty()

    # The coordinator collects votes and decides

    @request
    def request_commit(self) -> None:
        """The coordinator forces a start record and sends VOTE-REQ to all (BHG 7.4, step 1).

        Presumed abort needs no record; presumed commit calls it the collecting record.
        """
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorState.IDLE)
        self.coordinator = CoordinatorState.COLLECTING
        if self.logs_start():
            self.coordinator_log = CoordinatorLog.START
        for participant in self.participants:
            self.send(VoteRequest(participant))

    @deliver
    def receive_vote(self, message: VoteReply) -> None:
        """The coordinator records a vote (BHG 7.4, step 3); a vote that comes late is void."""
        self.receive(message)
        require(self.coordinator_up)
        if self.coordinator is CoordinatorState.COLLECTING:
            if message.vote is Vote.YES:
                require(message.sender not in self.no_votes)
                self.yes_votes.add(message.sender)
            else:
                require(message.sender not in self.yes_votes)
                self.no_votes.add(message.sender)

    @action
    def decide(self) -> None:
        """All votes are Yes: the coordinator commits; one is No: it aborts (BHG 7.4, step 3)."""
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorState.COLLECTING)
        require(self.can_commit() or len(self.no_votes) > 0)
        self.conclude(Decision.COMMIT if self.can_commit() else Decision.ABORT)

    @timeout
    def time_out_votes(self) -> None:
        """The coordinator waits for votes in vain, and aborts (BHG 7.4, time-out actions)."""
        require(not self.timely)
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorState.COLLECTING)
        require(not self.can_commit() and len(self.no_votes) == 0)
        self.conclude(Decision.ABORT)

    @deliver
    def receive_acknowledgement(self, message: Acknowledgement) -> None:
        """The coordinator may forget the transaction once all have acknowledged its outcome."""
        self.receive(message)
        require(self.coordinator_up)
        if self.coordinator_has_decided():
            self.acknowledged.add(message.sender)
            if self.acknowledged == self.participants:
                self.forget()

    @timeout
    def time_out_acknowledgements(self) -> None:
        """The coordinator tells its decision again to those that have not acknowledged it."""
        require(not self.timely)
        require(self.coordinator_up)
        require(self.coordinator_has_decided())
        self.tell()

    # A participant votes and learns the decision

    @deliver
    def vote_yes(self, message: VoteRequest) -> None:
        """A participant forces a yes record, then sends YES (BHG 7.4, step 2)."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        require(self.state[participant] is State.WORKING)
        if not self.yes_not_forced:
            self.log[participant] = Log.YES
        self.state[participant] = State.UNCERTAIN
        self.vote[participant] = Vote.YES
        self.send(VoteReply(participant, Vote.YES))

    @deliver
    def vote_no(self, message: VoteRequest) -> None:
        """A participant aborts and sends NO (BHG 7.4, step 2)."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        require(self.state[participant] is State.WORKING)
        self.abort_alone(participant)
        self.send(VoteReply(participant, Vote.NO))

    @deliver
    def repeat_vote(self, message: VoteRequest) -> None:
        """A participant that has voted, or aborted, answers the same again, and votes no more."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        require(self.state[participant] is not State.WORKING)
        if self.state[participant] is State.UNCERTAIN:
            self.send(VoteReply(participant, Vote.YES))
        elif self.vote[participant] is not Vote.YES:
            self.send(VoteReply(participant, Vote.NO))

    @deliver
    def receive_decision(self, message: DecisionNotice) -> None:
        """A participant records the decision and acknowledges it (BHG 7.4, step 4).

        A notice that contradicts what it has decided is void: the late answer to a copy of its own
        inquiry, by a coordinator that has forgotten.
        """
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        if self.state[participant] is State.WORKING:
            require(message.decision is Decision.ABORT)
        if self.has_decided(participant):
            if self.outcome(participant) is message.decision:
                self.acknowledge(participant, message.decision)
        else:
            self.take(participant, message.decision)
            self.acknowledge(participant, message.decision)

    # Termination

    @timeout
    def time_out_working(self, participant: Node) -> None:
        """A participant waits for VOTE-REQ in vain, and aborts (BHG 7.4, time-out actions)."""
        require(not self.timely)
        require(self.up[participant])
        require(self.state[participant] is State.WORKING)
        self.abort_alone(participant)

    @timeout
    def time_out_uncertain(self, participant: Node) -> None:
        """An uncertain participant asks the coordinator and its peers; it may not decide alone.

        BHG 7.4, cooperative termination protocol.
        """
        require(not self.timely)
        require(self.up[participant])
        require(self.state[participant] is State.UNCERTAIN)
        if self.heuristic_commit:
            self.take(participant, Decision.COMMIT)
        elif self.abort_after_yes:
            self.take(participant, Decision.ABORT)
        else:
            self.ask(participant)

    @deliver
    def receive_inquiry(self, message: Inquiry) -> None:
        """The coordinator answers what it decided; by presumption, if it knows nothing."""
        self.receive(message)
        require(self.coordinator_up)
        if self.coordinator is CoordinatorState.FORGOTTEN:
            self.send(DecisionNotice(message.sender, self.presumed()))
        elif self.coordinator_has_decided():
            self.send(DecisionNotice(message.sender, self.coordinator_outcome()))

    @deliver
    def receive_peer_inquiry(self, message: PeerInquiry) -> None:
        """A peer tells what it decided, aborts if it has not voted, or cannot help (BHG 7.4)."""
        self.receive(message)
        peer = message.to
        require(self.reachable(peer))
        if self.state[peer] is State.WORKING:
            self.abort_alone(peer)
        if self.state[peer] is State.UNCERTAIN:
            self.send(Uncertain(message.sender))
        else:
            self.send(DecisionNotice(message.sender, self.outcome(peer)))

    @deliver
    def receive_uncertain(self, message: Uncertain) -> None:
        """A peer cannot help: it may be uncertain while others have committed."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        if self.peer_ready_means_abort and self.state[participant] is State.UNCERTAIN:
            self.take(participant, Decision.ABORT)

    # Recovery (that of the participants is `recover`)

    @crash
    def crash_coordinator(self) -> None:
        """The coordinator crashes. Before the request it has nothing to lose."""
        require(self.crashes < self.max_crashes)
        require(self.coordinator_up)
        require(self.coordinator is not CoordinatorState.IDLE)
        self.crashes += 1
        self.coordinator_up = False
        self.lose_volatile()

    @restart
    def restart_coordinator(self) -> None:
        """A start record without a decision is aborted; a decision is told again (BHG 7.4)."""
        require(not self.crash_stop)
        require(not self.coordinator_up)
        self.coordinator_up = True
        if self.coordinator_log is CoordinatorLog.START:
            self.conclude(Decision.ABORT)
        elif self.coordinator_log is CoordinatorLog.COMMIT and self.awaits(Decision.COMMIT):
            self.coordinator = CoordinatorState.COMMITTED
            self.tell()
        elif self.coordinator_log is CoordinatorLog.ABORT and self.awaits(Decision.ABORT):
            self.coordinator = CoordinatorState.ABORTED
            self.tell()
        else:
            self.coordinator = CoordinatorState.FORGOTTEN

    def recover(self, node: Node) -> None:
        """No yes record: the participant aborts; no decision: it asks again (BHG 7.4)."""
        match self.log[node]:
            case Log.NONE:
                self.abort_alone(node)
            case Log.YES:
                self.state[node] = State.UNCERTAIN
                if self.recover_ready_aborts:
                    self.take(node, Decision.ABORT)
                else:
                    self.ask(node)
            case Log.COMMIT:
                self.state[node] = State.COMMITTED
            case Log.ABORT:
                self.state[node] = State.ABORTED

    # What the steps are made of

    def logs_start(self) -> bool:
        """Whether the coordinator forces a record before it asks for votes."""
        if self.presumed_commit_no_collecting_record:
            return False
        return self.presumption is not Presumption.ABORT

    def logs_decision(self, decision: Decision) -> bool:
        """Whether the coordinator forces a record of this decision."""
        if self.decision_not_forced:
            return False
        return self.presumption is not Presumption.ABORT or decision is Decision.COMMIT

    def acknowledges(self, decision: Decision) -> bool:
        """Whether participants acknowledge this decision, as the coordinator presumes the other."""
        if self.presumption is Presumption.ABORT:
            return decision is Decision.COMMIT
        return self.presumption is Presumption.NOTHING or decision is Decision.ABORT

    def awaits(self, decision: Decision) -> bool:
        """Whether the coordinator remembers this decision until all have acknowledged it."""
        if self.presumed_abort_forgets_commit and decision is Decision.COMMIT:
            return False
        return self.acknowledges(decision)

    def presumed(self) -> Decision:
        """The answer of a coordinator without information."""
        return Decision.COMMIT if self.presumption is Presumption.COMMIT else Decision.ABORT

    def can_commit(self) -> bool:
        """Whether the coordinator has all the Yes votes it needs."""
        if self.missing_vote:
            return len(self.yes_votes) + 1 >= len(self.participants)
        return self.yes_votes == self.participants

    def conclude(self, decision: Decision) -> None:
        """The coordinator decides: forces the record, then tells all but those that voted No."""
        if self.logs_decision(decision):
            commit = decision is Decision.COMMIT
            self.coordinator_log = CoordinatorLog.COMMIT if commit else CoordinatorLog.ABORT
        self.coordinator_decisions.add(decision)
        committed = decision is Decision.COMMIT
        self.coordinator = CoordinatorState.COMMITTED if committed else CoordinatorState.ABORTED
        self.acknowledged = self.no_votes
        self.yes_votes = empty()
        self.no_votes = empty()
        self.tell()
        if not self.awaits(decision) or self.acknowledged == self.participants:
            self.forget()

    def tell(self) -> None:
        """The coordinator tells its decision to those that have not acknowledged it."""
        for participant in self.participants - self.acknowledged:
            self.send(DecisionNotice(participant, self.coordinator_outcome()))

    def forget(self) -> None:
        """The coordinator forgets the transaction."""
        self.coordinator = CoordinatorState.FORGOTTEN
        self.acknowledged = empty()

    def coordinator_has_decided(self) -> bool:
        """Whether the coordinator knows the decision."""
        committed = self.coordinator is CoordinatorState.COMMITTED
        return committed or self.coordinator is CoordinatorState.ABORTED

    def coordinator_outcome(self) -> Decision:
        """The coordinator's decision, where it has one."""
        committed = self.coordinator is CoordinatorState.COMMITTED
        return Decision.COMMIT if committed else Decision.ABORT

    def reachable(self, participant: Node) -> bool:
        """Whether a message can be delivered to the participant."""
        return self.up[participant] and self.connected(participant)

    def has_decided(self, participant: Node) -> bool:
        """Whether the participant knows the decision."""
        committed = self.state[participant] is State.COMMITTED
        return committed or self.state[participant] is State.ABORTED

    def outcome(self, participant: Node) -> Decision:
        """The participant's decision, where it has one."""
        committed = self.state[participant] is State.COMMITTED
        return Decision.COMMIT if committed else Decision.ABORT

    def take(self, participant: Node, decision: Decision) -> None:
        """The participant decides.

        The record is forced if an acknowledgement promises it, or if there is no yes record: a
        crash would otherwise make the participant free to vote.
        """
        committed = decision is Decision.COMMIT
        if self.acknowledges(decision) or self.log[participant] is Log.NONE:
            self.log[participant] = Log.COMMIT if committed else Log.ABORT
        self.state[participant] = State.COMMITTED if committed else State.ABORTED
        self.decisions[participant].add(decision)

    def abort_alone(self, participant: Node) -> None:
        """The participant aborts before it has voted Yes, in effect a No."""
        if self.vote[participant] is None:
            self.vote[participant] = Vote.NO
        self.take(participant, Decision.ABORT)

    def acknowledge(self, participant: Node, decision: Decision) -> None:
        """The participant acknowledges a decision, unless its presumption makes that needless."""
        if self.acknowledges(decision):
            self.send(Acknowledgement(participant))

    def ask(self, participant: Node) -> None:
        """The participant sends DECISION-REQ to the coordinator and to every peer."""
        self.send(Inquiry(participant))
        for peer in self.participants:
            if peer != participant:
                self.send(PeerInquiry(participant, peer))

    # What quorate.invariants.atomic_commitment asks, and what this implements

    def voters(self) -> Set[Node]:
        """All participants."""
        return self.participants

    def voted_yes(self, participant: Node) -> bool:
        """It has voted Yes."""
        return self.vote[participant] is Vote.YES

    def committed(self, participant: Node) -> bool:
        """It has decided to commit at some time."""
        return Decision.COMMIT in self.decisions[participant]

    def aborted(self, participant: Node) -> bool:
        """It has decided to abort at some time."""
        return Decision.ABORT in self.decisions[participant]

    def coordinator_committed(self) -> bool:
        """The coordinator has decided to commit at some time."""
        return Decision.COMMIT in self.coordinator_decisions

    def coordinator_aborted(self) -> bool:
        """The coordinator has decided to abort at some time."""
        return Decision.ABORT in self.coordinator_decisions

    def failure_occurred(self) -> bool:
        """Time-outs and a bad network count as failures from the start, crashes when they come."""
        return not self.timely or self.lossy or self.partitions or self.crashes > 0

    def failed(self, participant: Node) -> bool:
        """It is down."""
        return not self.up[participant]

    def coordinator_failed(self) -> bool:
        """The coordinator is down."""
        return not self.coordinator_up

    def tolerated(self) -> bool:
        """All failures are, as long as what crashes comes back."""
        return not self.crash_stop

    @refines(TransactionCommit)
    def transaction_commit(self) -> TransactionCommit:
        """A resource manager is a participant; it is prepared once its vote is Yes."""
        return TransactionCommit(
            rms=self.participants,
            rm_state={participant: self.rm_state(participant) for participant in self.participants},
        )

    def rm_state(self, participant: Node) -> RmState:
        """What transaction commit calls the state of a participant, crashed or not."""
        if Decision.COMMIT in self.decisions[participant]:
            return RmState.COMMITTED
        if Decision.ABORT in self.decisions[participant]:
            return RmState.ABORTED
        return RmState.PREPARED if self.vote[participant] is Vote.YES else RmState.WORKING

"""Non-blocking two-phase commit: a decision is forwarded to all before anybody takes it."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    Spec,
    action,
    between,
    crash,
    deliver,
    drop,
    each,
    empty,
    flaw,
    parameter,
    record,
    refines,
    request,
    require,
    timeout,
)
from ..transaction_commit.spec import RmState, TransactionCommit
from ..two_phase_commit_system.spec import (
    Decision,
    DecisionNotice,
    Vote,
    VoteReply,
    VoteRequest,
)


class Phase(Enum):
    """Where a participant stands."""

    WORKING = "working"
    UNCERTAIN = "uncertain"
    FORWARDING = "forwarding"  # knows the decision and is telling the others
    DECIDED = "decided"


class CoordinatorPhase(Enum):
    """Where the coordinator stands."""

    IDLE = "idle"
    COLLECTING = "collecting"
    FORWARDING = "forwarding"
    DECIDED = "decided"


@record
class Forward:
    """COMMIT or ABORT passed on by a participant."""

    sender: Node
    to: Node
    decision: Decision


Message = VoteRequest | VoteReply | DecisionNotice | Forward


class TwoPhaseCommitForwarding(Spec):
    """Two-phase commit on a synchronous reliable network, with a decision that reaches all or none.

    Babaoglu and Toueg, "Non-Blocking Atomic Commitment" (in Mullender, Distributed Systems, 1993),
    protocol ACP-UTRB; `ACP_NB` of tlaplus/Examples. Whoever learns the decision passes it on to all
    others before it decides, so a time-out of an uncertain participant says that nobody decided.

    Processes that crash stay down, so logs are left out, and with them acknowledgements. Synchrony
    is a guard: an uncertain participant times out only when no decision can reach it any more. A
    process that crashes while it sends may have sent to some only: `lose_unsent`.
    """

    participants: Nodes
    max_crashes: int = parameter(1, at_least=0, at_most=15)

    deliver_before_forward: bool = flaw("C11: a participant decides before it forwards")

    network: Set[Message] = empty()
    crashes: Annotated[int, between(0, "max_crashes")] = 0

    # The coordinator: where it stands, the votes it has, what it decided.
    coordinator: CoordinatorPhase = CoordinatorPhase.IDLE
    coordinator_up: bool = True
    yes_votes: Set[Node] = empty()
    no_votes: Set[Node] = empty()
    coordinator_decision: Decision | None = None

    # The participants: where they stand, what they voted and know, who still has to forward it.
    phase: Map[Node, Phase] = each(Phase.WORKING)
    up: Map[Node, bool] = each(True)
    vote: Map[Node, Vote | None] = each(None)
    decision: Map[Node, Decision | None] = each(None)
    owing: Set[Node] = empty()

    # The coordinator

    @request
    def request_commit(self) -> None:
        """The coordinator asks all participants for their votes."""
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorPhase.IDLE)
        self.coordinator = CoordinatorPhase.COLLECTING
        for participant in self.participants:
            self.network.add(VoteRequest(participant))

    @deliver
    def receive_vote(self, message: VoteReply) -> None:
        """The coordinator records a vote; one that comes late is void."""
        self.receive(message)
        require(self.coordinator_up)
        if self.coordinator is CoordinatorPhase.COLLECTING:
            if message.vote is Vote.YES:
                self.yes_votes.add(message.sender)
            else:
                self.no_votes.add(message.sender)

    @action
    def decide(self) -> None:
        """All votes are Yes, or one is No: the coordinator sends the decision to all."""
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorPhase.COLLECTING)
        unanimous = self.yes_votes == self.participants
        require(unanimous or len(self.no_votes) > 0)
        self.announce(Decision.COMMIT if unanimous else Decision.ABORT)

    @timeout
    def time_out_votes(self) -> None:
        """The coordinator waits for votes in vain, and announces an abort."""
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorPhase.COLLECTING)
        require(self.yes_votes != self.participants and len(self.no_votes) == 0)
        self.announce(Decision.ABORT)

    @action
    def proceed_coordinator(self) -> None:
        """All are told: the coordinator decides itself."""
        require(self.coordinator_up)
        require(self.coordinator is CoordinatorPhase.FORWARDING)
        self.coordinator = CoordinatorPhase.DECIDED

    # A participant

    @deliver
    def vote_yes(self, message: VoteRequest) -> None:
        """A participant votes Yes and is uncertain."""
        self.receive(message)
        participant = message.to
        require(self.up[participant])
        require(self.phase[participant] is Phase.WORKING)
        self.phase[participant] = Phase.UNCERTAIN
        self.vote[participant] = Vote.YES
        self.network.add(VoteReply(participant, Vote.YES))

    @deliver
    def vote_no(self, message: VoteRequest) -> None:
        """A participant votes No and aborts."""
        self.receive(message)
        participant = message.to
        require(self.up[participant])
        require(self.phase[participant] is Phase.WORKING)
        self.abort_alone(participant)
        self.network.add(VoteReply(participant, Vote.NO))

    @deliver
    def refuse_vote(self, message: VoteRequest) -> None:
        """A participant that has aborted already votes No."""
        self.receive(message)
        participant = message.to
        require(self.up[participant])
        require(self.phase[participant] is not Phase.WORKING)
        self.network.add(VoteReply(participant, Vote.NO))

    @deliver
    def receive_decision(self, message: DecisionNotice) -> None:
        """A participant learns the decision from the coordinator."""
        self.receive(message)
        require(self.up[message.to])
        self.learn(message.to, message.decision)

    @deliver
    def receive_forward(self, message: Forward) -> None:
        """A participant learns the decision from another."""
        self.receive(message)
        require(self.up[message.to])
        self.learn(message.to, message.decision)

    @action
    def proceed(self, participant: Node) -> None:
        """A participant that has told all others decides."""
        require(self.up[participant])
        if participant in self.owing:
            self.owing.discard(participant)
            self.forward(participant)
        else:
            require(self.phase[participant] is Phase.FORWARDING)
            self.phase[participant] = Phase.DECIDED

    @timeout
    def time_out_working(self, participant: Node) -> None:
        """A participant waits for the vote request in vain, and aborts."""
        require(self.up[participant])
        require(self.phase[participant] is Phase.WORKING)
        self.abort_alone(participant)

    @timeout
    def time_out_uncertain(self, participant: Node) -> None:
        """No decision can come any more, so nobody that is up has decided: abort."""
        require(self.up[participant])
        require(self.phase[participant] is Phase.UNCERTAIN)
        require(not self.decision_may_come())
        self.take(participant, Decision.ABORT)

    # Crashes

    @crash
    def crash_node(self, participant: Node) -> None:
        """A participant crashes for good."""
        require(self.crashes < self.max_crashes)
        require(self.up[participant])
        self.crashes += 1
        self.up[participant] = False

    @crash
    def crash_coordinator(self) -> None:
        """The coordinator crashes for good."""
        require(self.crashes < self.max_crashes)
        require(self.coordinator_up)
        self.crashes += 1
        self.coordinator_up = False

    @drop
    def lose_unsent(self, message: Message) -> None:
        """A process that crashed while it was telling all had not sent this one yet."""
        require(message in self.network)
        match message:
            case DecisionNotice():
                require(not self.coordinator_up)
                require(self.coordinator is CoordinatorPhase.FORWARDING)
            case Forward(sender=sender):
                require(not self.up[sender])
                require(self.phase[sender] is Phase.FORWARDING)
            case _:
                require(False)
        self.network.discard(message)

    # What the steps are made of

    def receive(self, message: Message) -> None:
        """Take a message out of the network."""
        require(message in self.network)
        self.network.discard(message)

    def announce(self, decision: Decision) -> None:
        """The coordinator tells all but those that voted No, which have aborted."""
        self.coordinator = CoordinatorPhase.FORWARDING
        self.coordinator_decision = decision
        for participant in self.participants - self.no_votes:
            self.network.add(DecisionNotice(participant, decision))
        self.yes_votes = empty()
        self.no_votes = empty()

    def learn(self, participant: Node, decision: Decision) -> None:
        """A participant is told the decision: it tells the others, then decides."""
        match self.phase[participant]:
            case Phase.WORKING:
                require(decision is Decision.ABORT)
                self.take(participant, decision)
            case Phase.UNCERTAIN:
                if self.deliver_before_forward:
                    self.take(participant, decision)
                    self.owing.add(participant)
                else:
                    self.phase[participant] = Phase.FORWARDING
                    self.decision[participant] = decision
                    self.forward(participant)
            case _:
                require(True)

    def forward(self, participant: Node) -> None:
        """A participant passes the decision it knows on to all others."""
        known = self.decision[participant]
        for other in self.participants:
            if other != participant and known is not None:
                self.network.add(Forward(participant, other, known))

    def take(self, participant: Node, decision: Decision) -> None:
        """A participant decides."""
        self.phase[participant] = Phase.DECIDED
        self.decision[participant] = decision

    def abort_alone(self, participant: Node) -> None:
        """A participant aborts before it has voted Yes, in effect a No."""
        self.vote[participant] = Vote.NO
        self.take(participant, Decision.ABORT)

    def decision_may_come(self) -> bool:
        """Whether a process that is up can still learn or announce a decision."""
        telling = {CoordinatorPhase.COLLECTING, CoordinatorPhase.FORWARDING}
        return (
            (self.coordinator_up and self.coordinator in telling)
            or any(self.up[p] and self.phase[p] is Phase.FORWARDING for p in self.participants)
            or any(self.up[p] for p in self.owing)
            or any(
                self.up[to] and DecisionNotice(to, decision) in self.network
                for to in self.participants
                for decision in {Decision.COMMIT, Decision.ABORT}
            )
            or any(
                self.up[to] and Forward(sender, to, decision) in self.network
                for sender in self.participants
                for to in self.participants
                for decision in {Decision.COMMIT, Decision.ABORT}
            )
        )

    # What quorate.invariants.atomic_commitment asks, and what this implements

    def voters(self) -> Set[Node]:
        """All participants."""
        return self.participants

    def voted_yes(self, participant: Node) -> bool:
        """It has voted Yes."""
        return self.vote[participant] is Vote.YES

    def committed(self, participant: Node) -> bool:
        """It has decided to commit, and not only learned that it will."""
        decided = self.phase[participant] is Phase.DECIDED
        return decided and self.decision[participant] is Decision.COMMIT

    def aborted(self, participant: Node) -> bool:
        """It has decided to abort."""
        decided = self.phase[participant] is Phase.DECIDED
        return decided and self.decision[participant] is Decision.ABORT

    def coordinator_committed(self) -> bool:
        """The coordinator has decided to commit."""
        decided = self.coordinator is CoordinatorPhase.DECIDED
        return decided and self.coordinator_decision is Decision.COMMIT

    def coordinator_aborted(self) -> bool:
        """The coordinator has decided to abort."""
        decided = self.coordinator is CoordinatorPhase.DECIDED
        return decided and self.coordinator_decision is Decision.ABORT

    def failure_occurred(self) -> bool:
        """Time-outs of votes count as failures, and may come at any moment."""
        return True

    def failed(self, participant: Node) -> bool:
        """It is down."""
        return not self.up[participant]

    def coordinator_failed(self) -> bool:
        """The coordinator is down."""
        return not self.coordinator_up

    def tolerated(self) -> bool:
        """Nothing is repaired here."""
        return False

    @refines(TransactionCommit)
    def transaction_commit(self) -> TransactionCommit:
        """A resource manager is a participant; it is prepared once its vote is Yes."""
        return TransactionCommit(
            rms=self.participants,
            rm_state={participant: self.rm_state(participant) for participant in self.participants},
        )

    def rm_state(self, participant: Node) -> RmState:
        """What transaction commit calls the state of a participant."""
        if self.committed(participant):
            return RmState.COMMITTED
        if self.aborted(participant):
            return RmState.ABORTED
        return RmState.PREPARED if self.vote[participant] is Vote.YES else RmState.WORKING

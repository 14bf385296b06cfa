"""Three-phase commit as a system: durable states, time-outs, crashes, recovery, termination."""

from __future__ import annotations

from enum import Enum

from ...language import (
    Map,
    Node,
    OrderedNodes,
    Set,
    crash,
    deliver,
    drop,
    durable,
    each,
    empty,
    flaw,
    parameter,
    partition,
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


class State(Enum):
    """Where a site stands (the letters of Skeen 1981)."""

    INITIAL = "q"  # has not voted; the coordinator: has not begun
    UNCERTAIN = "w"  # voted yes; the coordinator: collects votes
    PREPARED = "p"  # knows that all voted yes: committable
    COMMITTED = "c"
    ABORTED = "a"


class Vote(Enum):
    """A participant's answer to VOTE-REQ."""

    YES = "yes"
    NO = "no"


class Decision(Enum):
    """The outcome of the transaction."""

    COMMIT = "commit"
    ABORT = "abort"


class Role(Enum):
    """What an undecided participant is about."""

    FOLLOWING = "following"  # it waits for the coordinator or for a backup
    POLLING = "polling"  # the backup: it collects states
    PREPARING = "preparing"  # the backup: it waits for acknowledgements, then commits
    RECOVERING = "recovering"  # it crashed, and asks for the decision


Site = Node | None
"""A participant, or None: the coordinator."""


@record
class VoteRequest:
    """VOTE-REQ from the coordinator."""

    to: Node


@record
class VoteReply:
    """YES or NO to the coordinator."""

    sender: Node
    vote: Vote


@record
class PreCommit:
    """PRE-COMMIT from the coordinator or a backup: all voted yes."""

    sender: Node | None
    to: Node


@record
class Acknowledgement:
    """ACK: I am prepared."""

    sender: Node
    to: Node | None


@record
class DecisionNotice:
    """COMMIT or ABORT from a site that has decided."""

    to: Node | None
    decision: Decision


@record
class StateRequest:
    """STATE-REQ from a backup."""

    sender: Node
    to: Node


@record
class StateReport:
    """Answer to STATE-REQ."""

    sender: Node
    to: Node
    state: State


@record
class TakeOver:
    """UR-ELECTED: all before you in line are down, it is your turn."""

    sender: Node
    to: Node


@record
class DecisionRequest:
    """Do you know the decision? From a recovering site."""

    sender: Node | None
    to: Node | None


Message = (
    VoteRequest
    | VoteReply
    | PreCommit
    | Acknowledgement
    | DecisionNotice
    | StateRequest
    | StateReport
    | TakeOver
    | DecisionRequest
)


class ThreePhaseCommitSystem(UnorderedNetwork[Message], CrashRestart, Partitions):
    """Three-phase commit with the quorumless termination protocol, one transaction.

    The coordinator collects votes, tells all that all voted yes, collects acknowledgements, and
    commits. When it is gone, the first participant that is up collects states and decides by rule
    (TR1 to TR4). Bernstein, Hadzilacos and Goodman, 'Concurrency Control and Recovery in Database
    Systems' (1987), section 7.5, cited as BHG; Skeen, 'Nonblocking Commit Protocols' (1981); for
    recovery Skeen and Stonebraker (1983). The coordinator holds no data and has no vote.

    A time-out strikes only where all that are waited for have failed, or are cut off: that is the
    protocol's assumption, and `partitions` breaks it. A failed site counts as failed until the
    decision, also once it is up again. What a failed site had sent may still arrive, and late.

    Left out: electing a backup takes no messages (each turns to the next in line by itself);
    finding out after a total failure who failed last; sending again what the network lost.
    Every change of state is forced to the log, so `state` and `coordinator` are the logs.
    """

    participants: OrderedNodes
    prompt: bool = parameter(False)
    """Time-outs strike a participant only when it has received all that was sent to it."""

    backup_skips_phase1: bool = flaw("D02: a prepared backup commits without preparing the others")
    uncertain_means_commit: bool = flaw("D03: the termination rule commits when all are uncertain")
    recover_p_commits: bool = flaw("D04: a prepared participant commits alone when it recovers")
    recover_aborts: bool = flaw("D05: an undecided participant aborts alone when it recovers")
    mixed_means_abort: bool = flaw("the termination rule aborts when some are prepared, some not")

    # The coordinator: its state, and whose vote (in w) or acknowledgement (in p) is missing.
    coordinator: State = durable(State.INITIAL)
    coordinator_up: bool = True
    missing: Set[Node] = volatile(empty())

    # The participants: their states, and, while they are undecided, what they are about: whom
    # they follow (None: the coordinator), whose answer they wait for, what they were told.
    state: Map[Node, State] = durable(each(State.INITIAL))
    role: Map[Node, Role] = volatile(each(Role.FOLLOWING))
    leader: Map[Node, Node | None] = volatile(each(None))
    awaited: Map[Node, Set[Node]] = volatile(each(empty()))
    reports: Map[Node, Map[Node, State | None]] = volatile(each(each(None)))

    # History: votes, who has ever crashed, whether the network ever failed.
    vote: Map[Node, Vote | None] = each(None)
    failed_sites: Set[Node] = empty()
    coordinator_has_failed: bool = False
    network_has_failed: bool = False

    # The coordinator (BHG 7.5)

    @request
    def begin(self) -> None:
        """The coordinator sends VOTE-REQ to all (step 1)."""
        require(self.coordinator is State.INITIAL)
        self.coordinator = State.UNCERTAIN
        self.missing = self.participants
        for participant in self.participants:
            self.send_to(participant, VoteRequest(participant))

    @deliver
    def receive_vote(self, message: VoteReply) -> None:
        """The last yes makes it send PRE-COMMIT to all; a no aborts (step 3)."""
        self.receive(message)
        require(self.coordinator_up)
        if self.coordinator is State.UNCERTAIN:
            if message.vote is Vote.NO:
                self.coordinator_decides(Decision.ABORT)
            else:
                self.missing.discard(message.sender)
                if len(self.missing) == 0:
                    self.coordinator = State.PREPARED
                    self.missing = self.participants
                    for participant in self.participants:
                        self.send_to(participant, PreCommit(None, participant))

    @timeout
    def time_out_votes(self) -> None:
        """Votes do not come: the coordinator aborts (step 3)."""
        require(self.coordinator_up and self.coordinator is State.UNCERTAIN)
        require(all(self.silent_to_coordinator(p) for p in self.missing))
        self.coordinator_decides(Decision.ABORT)

    @deliver
    def receive_acknowledgement(self, message: Acknowledgement) -> None:
        """The last acknowledgement makes the coordinator, or a backup, commit (steps 5, TR4)."""
        self.receive(message)
        if message.to is None:
            require(self.coordinator_up)
            if self.coordinator is State.PREPARED and not self.coordinator_has_failed:
                self.missing.discard(message.sender)
                if len(self.missing) == 0:
                    self.coordinator_decides(Decision.COMMIT)
        else:
            backup = message.to
            require(self.reachable(backup))
            if self.undecided(backup) and self.role[backup] is Role.PREPARING:
                self.awaited[backup].discard(message.sender)
                if len(self.awaited[backup]) == 0:
                    self.backup_decides(backup, Decision.COMMIT)

    @timeout
    def time_out_acknowledgements(self) -> None:
        """Acknowledgements do not come: the coordinator commits without them (step 5)."""
        require(self.coordinator_up and self.coordinator is State.PREPARED)
        require(not self.coordinator_has_failed)
        require(all(self.silent_to_coordinator(p) for p in self.missing))
        self.coordinator_decides(Decision.COMMIT)

    # The participants (BHG 7.5)

    @deliver
    def receive_vote_request(self, message: VoteRequest, vote: Vote) -> None:
        """A participant votes; no is a decision (step 2). One that has aborted before votes no."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        require(vote is Vote.NO or self.state[participant] is State.INITIAL)
        if self.vote[participant] is None:
            self.vote[participant] = vote
            self.state[participant] = State.UNCERTAIN if vote is Vote.YES else State.ABORTED
            self.send_to_coordinator(participant, VoteReply(participant, vote))

    @timeout
    def give_up(self, participant: Node) -> None:
        """No VOTE-REQ comes, or it was down when it came: who has not voted aborts (step 2)."""
        require(self.up[participant] and self.state[participant] is State.INITIAL)
        require(self.silent(participant, None) or participant in self.failed_sites)
        self.state[participant] = State.ABORTED

    @deliver
    def receive_pre_commit(self, message: PreCommit) -> None:
        """A participant that heeds the sender is prepared, and acknowledges (step 4)."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        if self.undecided(participant) and self.heeds(participant, message.sender):
            self.state[participant] = State.PREPARED
            self.follow(participant, message.sender)
            reply = Acknowledgement(participant, message.sender)
            if message.sender is None:
                self.send_to_coordinator(participant, reply)
            else:
                self.send_between(participant, message.sender, reply)

    @deliver
    def receive_decision(self, message: DecisionNotice) -> None:
        """An undecided participant, or a recovering coordinator, is told the decision (step 6).

        A backup passes it on: those that follow it wait for nobody else. A notice that
        contradicts what the receiver did is refused.
        """
        self.receive(message)
        if message.to is None:
            require(self.coordinator_up)
            require(not contradicts(self.coordinator, message.decision))
            if self.coordinator is State.PREPARED and self.coordinator_has_failed:
                self.coordinator = settled(message.decision)
        else:
            participant = message.to
            require(self.reachable(participant))
            require(not contradicts(self.state[participant], message.decision))
            if not self.decided(participant):
                if self.role[participant] in {Role.POLLING, Role.PREPARING}:
                    self.backup_decides(participant, message.decision)
                else:
                    self.settle(participant, message.decision)

    # Termination (BHG 7.5, TR1 to TR4)

    @timeout
    def time_out_leader(self, participant: Node) -> None:
        """Whom it follows is silent: a participant turns to the next, or takes over itself."""
        require(self.waits_as(participant, Role.FOLLOWING))
        require(self.silent(participant, self.leader[participant]))
        require(self.has_received_all(participant))
        leader = self.leader[participant]
        for successor in self.participants:
            if self.next_in_line(leader, successor):
                if successor == participant:
                    self.take_over(participant)
                else:
                    self.leader[participant] = successor
                    self.send_between(participant, successor, TakeOver(participant, successor))

    @deliver
    def receive_take_over(self, message: TakeOver) -> None:
        """The next in line takes over; if it has decided, or not voted, it answers instead."""
        self.receive(message)
        participant = message.to
        require(self.reachable(participant))
        self.vote_no_more(participant)
        if self.decided(participant):
            self.answer(participant, message.sender)
        elif self.role[participant] is Role.FOLLOWING:
            leader = self.leader[participant]
            if leader is None or leader < participant:
                self.take_over(participant)

    @deliver
    def receive_state_request(self, message: StateRequest) -> None:
        """A participant that heeds the backup reports its state, and follows it from then on."""
        self.receive(message)
        participant = message.to
        backup = message.sender
        require(self.reachable(participant))
        self.vote_no_more(participant)
        if self.undecided(participant) and self.heeds(participant, backup):
            self.follow(participant, backup)
            self.report(participant, backup)
        elif self.decided(participant):
            self.report(participant, backup)

    @deliver
    def receive_state_report(self, message: StateReport) -> None:
        """The backup collects states; with the last one it applies the rule."""
        self.receive(message)
        backup = message.to
        require(self.reachable(backup))
        if self.waits_as(backup, Role.POLLING) and message.sender in self.awaited[backup]:
            self.reports[backup][message.sender] = message.state
            self.awaited[backup].discard(message.sender)
            if len(self.awaited[backup]) == 0:
                self.conclude(backup)

    @timeout
    def time_out_reports(self, backup: Node) -> None:
        """Reports do not come: the backup applies the rule to those that came."""
        require(self.waits_as(backup, Role.POLLING))
        require(all(self.silent(backup, p) for p in self.awaited[backup]))
        require(self.has_received_all(backup))
        self.conclude(backup)

    @timeout
    def time_out_preparing(self, backup: Node) -> None:
        """Acknowledgements do not come: the backup commits without them (TR4)."""
        require(self.waits_as(backup, Role.PREPARING))
        require(all(self.silent(backup, p) for p in self.awaited[backup]))
        require(self.has_received_all(backup))
        self.backup_decides(backup, Decision.COMMIT)

    @deliver
    def receive_decision_request(self, message: DecisionRequest) -> None:
        """Whoever has decided answers; whoever has not voted aborts, and answers."""
        self.receive(message)
        if message.to is None:
            require(self.coordinator_up)
            if self.coordinator is State.COMMITTED and message.sender is not None:
                self.send_to(message.sender, DecisionNotice(message.sender, Decision.COMMIT))
            elif self.coordinator is State.ABORTED and message.sender is not None:
                self.send_to(message.sender, DecisionNotice(message.sender, Decision.ABORT))
        else:
            participant = message.to
            require(self.reachable(participant))
            self.vote_no_more(participant)
            if self.decided(participant):
                self.answer(participant, message.sender)

    # Recovery (BHG 7.5; Skeen and Stonebraker 1983)

    @crash
    def crash_coordinator(self) -> None:
        """The coordinator crashes. Before it begins it has nothing to lose."""
        require(self.crashes < self.max_crashes)
        require(self.coordinator_up and self.coordinator is not State.INITIAL)
        self.crashes += 1
        self.coordinator_up = False
        self.coordinator_has_failed = True
        self.lose_volatile()
        self.network = Set(m for m in self.network if not addressed(m, None))

    @restart
    def restart_coordinator(self) -> None:
        """It tells its decision again; in w it aborts, as nobody is prepared; in p it asks."""
        require(not self.crash_stop)
        require(not self.coordinator_up)
        self.coordinator_up = True
        match self.coordinator:
            case State.UNCERTAIN | State.ABORTED:
                self.coordinator_decides(Decision.ABORT)
            case State.COMMITTED:
                self.coordinator_decides(Decision.COMMIT)
            case State.PREPARED:
                self.coordinator_asks()
            case State.INITIAL:
                pass

    @crash
    def crash_node(self, node: Node) -> None:
        """A participant crashes after the beginning; what was on its way to it is lost."""
        require(self.coordinator is not State.INITIAL)
        super().crash_node(node)
        self.failed_sites.add(node)
        self.network = Set(m for m in self.network if not addressed(m, node))

    def recover(self, node: Node) -> None:
        """A yes vote binds, in w and in p alike: it asks for the decision."""
        if self.undecided(node):
            if self.state[node] is State.PREPARED and self.recover_p_commits:
                self.settle(node, Decision.COMMIT)
            elif self.recover_aborts:
                self.settle(node, Decision.ABORT)
            else:
                self.role[node] = Role.RECOVERING
                self.ask(node)

    @timeout
    def ask_again(self, participant: Node) -> None:
        """A recovering participant asks all others again."""
        require(self.waits_as(participant, Role.RECOVERING))
        self.ask(participant)

    @timeout
    def coordinator_asks_again(self) -> None:
        """A recovering coordinator asks all participants again."""
        require(self.coordinator_up and self.coordinator_has_failed)
        require(self.coordinator is State.PREPARED)
        self.coordinator_asks()

    # The network (BHG 7.5 assumes that it does not fail)

    @partition
    def isolate(self, node: Node) -> None:
        """A participant is cut off from all other sites."""
        super().isolate(node)
        self.network_has_failed = True

    @drop
    def lose(self, message: Message) -> None:
        """The network loses a message."""
        super().lose(message)
        self.network_has_failed = True

    # What the steps are made of

    def undecided(self, participant: Node) -> bool:
        """Whether the participant has voted yes and not decided yet."""
        return self.state[participant] in {State.UNCERTAIN, State.PREPARED}

    def decided(self, participant: Node) -> bool:
        """Whether the participant has decided."""
        return self.state[participant] in {State.COMMITTED, State.ABORTED}

    def waits_as(self, participant: Node, role: Role) -> bool:
        """Whether the participant is up, undecided, and in this role."""
        return (
            self.up[participant] and self.undecided(participant) and self.role[participant] is role
        )

    def reachable(self, participant: Node) -> bool:
        """Whether a message can be delivered to the participant."""
        return self.up[participant] and self.connected(participant)

    def silent(self, participant: Node, other: Node | None) -> bool:
        """Whether the participant finds the other failed (or the two are cut off)."""
        if other is None:
            return self.coordinator_has_failed or not self.connected(participant)
        return (
            other in self.failed_sites
            or not self.connected(participant)
            or not self.connected(other)
        )

    def silent_to_coordinator(self, participant: Node) -> bool:
        """Whether the coordinator finds the participant failed (or cut off)."""
        return participant in self.failed_sites or not self.connected(participant)

    def has_received_all(self, participant: Node) -> bool:
        """Whether a time-out may strike now, as far as messages go."""
        return not self.prompt or not any(addressed(m, participant) for m in self.network)

    def next_in_line(self, leader: Node | None, successor: Node) -> bool:
        """Whether `successor` comes right after `leader`; after the coordinator, the first."""
        if leader is None:
            return all(successor <= p for p in self.participants)
        return leader < successor and not any(
            leader < p and p < successor for p in self.participants
        )

    def heeds(self, participant: Node, sender: Node | None) -> bool:
        """Whether the participant listens to this leader: its own, or one after that in line."""
        if self.role[participant] is Role.FOLLOWING:
            followed = self.leader[participant]
            return followed is None or (sender is not None and followed <= sender)
        backup = self.role[participant] is not Role.RECOVERING
        return backup and sender is not None and participant < sender

    def follow(self, participant: Node, leader: Node | None) -> None:
        """The participant waits for this leader."""
        self.stand_down(participant)
        self.leader[participant] = leader

    def stand_down(self, participant: Node) -> None:
        """The participant is about nothing special."""
        self.role[participant] = Role.FOLLOWING
        self.leader[participant] = None
        self.awaited[participant] = empty()
        self.reports[participant] = each(None)

    def vote_no_more(self, participant: Node) -> None:
        """A participant that has not voted counts as aborted, so it aborts (TR1)."""
        if self.state[participant] is State.INITIAL:
            self.state[participant] = State.ABORTED

    def settle(self, participant: Node, decision: Decision) -> None:
        """The participant decides."""
        self.state[participant] = settled(decision)
        self.stand_down(participant)

    def take_over(self, backup: Node) -> None:
        """The participant becomes the backup: it asks those after it for their states."""
        self.stand_down(backup)
        self.role[backup] = Role.POLLING
        self.awaited[backup] = Set(p for p in self.participants if backup < p)
        for other in self.awaited[backup]:
            self.send_between(backup, other, StateRequest(backup, other))
        if len(self.awaited[backup]) == 0:
            self.conclude(backup)

    def report(self, participant: Node, backup: Node) -> None:
        """The participant reports its state to a backup."""
        message = StateReport(participant, backup, self.state[participant])
        self.send_between(participant, backup, message)

    def conclude(self, backup: Node) -> None:
        """The termination rule, on the reports and the backup's own state (TR1 to TR4)."""
        reported = self.reports[backup]
        uncertain = Set(p for p in self.participants if reported[p] is State.UNCERTAIN)
        any_prepared = self.state[backup] is State.PREPARED or any(
            reported[p] is State.PREPARED for p in self.participants
        )
        mixed = len(uncertain) > 0 or self.state[backup] is State.UNCERTAIN
        if any(reported[p] is State.ABORTED for p in self.participants):
            self.backup_decides(backup, Decision.ABORT)
        elif any(reported[p] is State.COMMITTED for p in self.participants):
            self.backup_decides(backup, Decision.COMMIT)
        elif not any_prepared:
            commit = self.uncertain_means_commit
            self.backup_decides(backup, Decision.COMMIT if commit else Decision.ABORT)
        elif not mixed or self.backup_skips_phase1:
            self.backup_decides(backup, Decision.COMMIT)
        elif self.mixed_means_abort:
            self.backup_decides(backup, Decision.ABORT)
        else:
            self.prepare_others(backup, uncertain)

    def prepare_others(self, backup: Node, uncertain: Set[Node]) -> None:
        """The uncertain ones are to be prepared before anybody commits (TR4)."""
        self.stand_down(backup)
        self.state[backup] = State.PREPARED
        self.role[backup] = Role.PREPARING
        self.awaited[backup] = uncertain
        for other in uncertain:
            self.send_between(backup, other, PreCommit(backup, other))
        if len(uncertain) == 0:
            self.backup_decides(backup, Decision.COMMIT)

    def backup_decides(self, backup: Node, decision: Decision) -> None:
        """The backup decides and tells the other participants."""
        self.settle(backup, decision)
        for other in self.participants:
            if other != backup:
                self.send_between(backup, other, DecisionNotice(other, decision))

    def answer(self, participant: Node, asker: Node | None) -> None:
        """A participant that has decided says how."""
        commit = self.state[participant] is State.COMMITTED
        notice = DecisionNotice(asker, Decision.COMMIT if commit else Decision.ABORT)
        if asker is None:
            self.send_to_coordinator(participant, notice)
        else:
            self.send_between(participant, asker, notice)

    def coordinator_decides(self, decision: Decision) -> None:
        """The coordinator decides (or has) and tells all participants."""
        self.coordinator = settled(decision)
        self.missing = empty()
        for participant in self.participants:
            self.send_to(participant, DecisionNotice(participant, decision))

    def ask(self, participant: Node) -> None:
        """A recovering participant asks all other sites for the decision."""
        self.send_to_coordinator(participant, DecisionRequest(participant, None))
        for other in self.participants:
            if other != participant:
                self.send_between(participant, other, DecisionRequest(participant, other))

    def coordinator_asks(self) -> None:
        """A recovering coordinator asks all participants for the decision."""
        for participant in self.participants:
            self.send_to(participant, DecisionRequest(None, participant))

    def send_to(self, participant: Node, message: Message) -> None:
        """The coordinator sends; nothing is sent to a site that is down."""
        if self.reachable(participant):
            self.send(message)

    def send_to_coordinator(self, participant: Node, message: Message) -> None:
        """A participant sends to the coordinator."""
        if self.coordinator_up and self.connected(participant):
            self.send(message)

    def send_between(self, participant: Node, other: Node, message: Message) -> None:
        """A participant sends to another."""
        if self.connected(participant) and self.reachable(other):
            self.send(message)

    # What the protocol implements, and what the properties of atomic commitment ask for

    @refines(TransactionCommit)
    def transaction_commit(self) -> TransactionCommit:
        """A resource manager is a participant; it is prepared once its vote is yes."""
        return TransactionCommit(
            rms=self.participants,
            rm_state={participant: self.rm_state(participant) for participant in self.participants},
        )

    def rm_state(self, participant: Node) -> RmState:
        """What transaction commit calls the state of a participant."""
        match self.state[participant]:
            case State.INITIAL:
                return RmState.WORKING
            case State.COMMITTED:
                return RmState.COMMITTED
            case State.ABORTED:
                return RmState.ABORTED
            case _:
                return RmState.PREPARED

    def voters(self) -> Set[Node]:
        """All participants."""
        return self.participants

    def voted_yes(self, participant: Node) -> bool:
        """It has voted yes."""
        return self.vote[participant] is Vote.YES

    def committed(self, participant: Node) -> bool:
        """It has decided to commit."""
        return self.state[participant] is State.COMMITTED

    def aborted(self, participant: Node) -> bool:
        """It has decided to abort."""
        return self.state[participant] is State.ABORTED

    def coordinator_committed(self) -> bool:
        """The coordinator has decided to commit."""
        return self.coordinator is State.COMMITTED

    def coordinator_aborted(self) -> bool:
        """The coordinator has decided to abort."""
        return self.coordinator is State.ABORTED

    def failed(self, participant: Node) -> bool:
        """It has crashed at some time."""
        return participant in self.failed_sites

    def coordinator_failed(self) -> bool:
        """The coordinator has crashed at some time."""
        return self.coordinator_has_failed

    def failure_occurred(self) -> bool:
        """Some site has crashed or was cut off, or a message was lost."""
        return self.crashes > 0 or self.network_has_failed

    def tolerated(self) -> bool:
        """Not all sites have failed: what three-phase commit promises to survive.

        With `crash_stop` failures are not repaired, and AC5 promises nothing.
        """
        total = self.coordinator_has_failed and self.failed_sites == self.participants
        return not total and (self.crashes == 0 or not self.crash_stop)


def settled(decision: Decision) -> State:
    """The state that a decision leads to."""
    return State.COMMITTED if decision is Decision.COMMIT else State.ABORTED


def contradicts(state: State, decision: Decision) -> bool:
    """Whether a site in this state cannot believe this decision."""
    if decision is Decision.COMMIT:
        return state in {State.INITIAL, State.ABORTED}
    return state is State.COMMITTED


def addressed(message: Message, site: Node | None) -> bool:
    """Whether the message is for this site."""
    match message:
        case VoteRequest(to):
            return site == to
        case PreCommit(_, to):
            return site == to
        case Acknowledgement(_, to):
            return site == to
        case DecisionNotice(to, _):
            return site == to
        case StateRequest(_, to):
            return site == to
        case StateReport(_, to, _):
            return site == to
        case TakeOver(_, to):
            return site == to
        case DecisionRequest(_, to):
            return site == to
        case _:
            return site is None

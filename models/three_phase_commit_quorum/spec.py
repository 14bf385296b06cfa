"""Enhanced three-phase commit (E3PC): a quorum that is connected never blocks."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    always_possible,
    between,
    crash,
    deliver,
    durable,
    each,
    empty,
    flaw,
    invariant,
    is_quorum,
    parameter,
    partition,
    record,
    refines,
    request,
    require,
    timeout,
    volatile,
)
from ..environment import CrashRestart, FifoNetwork
from ..transaction_commit.spec import RmState, TransactionCommit

Number = Annotated[int, between(0, "max_regroupings + 2 * max_crashes + 1")]


class State(Enum):
    """Where a site stands (the letters of Skeen 1982)."""

    INITIAL = "q"
    UNCERTAIN = "w"
    PRE_COMMITTED = "pc"
    PRE_ABORTED = "pa"
    COMMITTED = "c"
    ABORTED = "a"


class Vote(Enum):
    """A site's answer to a vote request."""

    YES = "yes"
    NO = "no"


class Decision(Enum):
    """The outcome of the transaction."""

    COMMIT = "commit"
    ABORT = "abort"


class Role(Enum):
    """What an undecided site is about."""

    FOLLOWING = "following"  # it does what its leader says
    COUNTING = "counting"  # the coordinator: it collects votes
    NUMBERING = "numbering"  # an elected leader: it collects counters
    COLLECTING = "collecting"  # a leader whose election has a number: it collects reports
    ATTEMPTING = "attempting"  # a leader: it waits until a quorum has accepted its attempt


@record
class VoteRequest:
    """Coordinator to site: vote."""


@record
class VoteReply:
    """Site to coordinator: its vote."""

    vote: Vote


@record
class Inquiry:
    """Elected leader to site: report."""


@record
class Counter:
    """Site to leader: the last election it took part in."""

    last_elected: Number


@record
class Numbered:
    """Leader to site: the number of this election, higher than all it was told."""

    number: Number


@record
class Report:
    """Site to leader: its state, and the last attempt it took part in."""

    state: State
    last_attempt: Number


@record
class Attempt:
    """Leader to site: move to `target`, in election `number`."""

    number: Number
    target: State


@record
class Accept:
    """Site to leader: I have moved."""

    number: Number


@record
class DecisionNotice:
    """COMMIT or ABORT from a site that has decided."""

    decision: Decision


Message = (
    VoteRequest
    | VoteReply
    | Inquiry
    | Counter
    | Numbered
    | Report
    | Attempt
    | Accept
    | DecisionNotice
)


class QuorumThreePhaseCommit(FifoNetwork[Message], CrashRestart):
    """Three-phase commit in which a majority of the sites decides, one transaction.

    The coordinator, itself a site, collects votes, pre-commits, and commits once a quorum has
    pre-committed. Whenever it changes who is connected, the connected sites elect a leader, which
    collects their states and by rule moves them to pre-committed or to pre-aborted; a quorum there
    decides. Keidar and Dolev, 'Increasing the Resilience of Distributed and Replicated Database
    Systems' (JCSS 57(3), 1998), sections 4 and 5; the flaw is the rule of Skeen, 'A Quorum-Based
    Commit Protocol' (1982).

    The network splits into two sides; a message between the sides is lost. Electing takes no
    messages: a membership service says who is connected and who leads, once after each change, and
    keeps what was sent before a change from arriving after the election (view synchrony; without it
    two leaders can come to wait for each other). Left out: electing again and again.
    """

    sites: Nodes
    max_regroupings: int = parameter(2, at_least=0, at_most=6)

    quorum3pc_lost_quorum_blocks: bool = flaw("D06: Skeen's rule, without the two counters")

    # What survives a crash: the state, the last election it took part in, the last attempt.
    state: Map[Node, State] = durable(each(State.INITIAL))
    last_elected: Map[Node, Number] = durable(each(1))
    last_attempt: Map[Node, Number] = durable(each(0))

    # What an undecided site is about: whom it follows; of a leader, whom it waits for, whom it
    # leads and the highest counter (while numbering), what it was told, where it moves the sites
    # and who has moved.
    role: Map[Node, Role] = volatile(each(Role.FOLLOWING))
    leader: Map[Node, Node | None] = volatile(each(None))
    awaited: Map[Node, Set[Node]] = volatile(each(empty()))
    members: Map[Node, Set[Node]] = volatile(each(empty()))
    highest: Map[Node, Number] = volatile(each(0))
    reports: Map[Node, Map[Node, Report | None]] = volatile(each(each(None)))
    target: Map[Node, State | None] = volatile(each(None))
    accepted: Map[Node, Set[Node]] = volatile(each(empty()))

    # The environment: on which side a site is, and whether that changed since the last election.
    far_side: Set[Node] = empty()
    changed: Map[Node, bool] = each(False)
    regroupings: Annotated[int, between(0, "max_regroupings")] = 0

    # History: votes.
    vote: Map[Node, Vote | None] = each(None)

    # Voting

    @request
    def begin(self, site: Node) -> None:
        """A site becomes the coordinator: it votes yes, and asks all others to vote."""
        require(self.up[site])
        require(all(self.state[s] is State.INITIAL for s in self.sites))
        self.state[site] = State.UNCERTAIN
        self.vote[site] = Vote.YES
        others = Set(s for s in self.sites if s != site)
        self.role[site] = Role.COUNTING
        self.awaited[site] = others
        for other in others:
            self.dispatch(site, other, VoteRequest())
        if len(others) == 0:
            self.attempt(site, State.PRE_COMMITTED, others)

    @deliver
    def receive_vote_request(self, sender: Node, to: Node, vote: Vote) -> None:
        """A site votes; no is a decision."""
        self.receive(sender, to, VoteRequest())
        require(vote is Vote.NO or self.state[to] is State.INITIAL)
        if self.state[to] is State.INITIAL:
            self.vote[to] = vote
            if vote is Vote.YES:
                self.state[to] = State.UNCERTAIN
                self.leader[to] = sender
            else:
                self.settle(to, Decision.ABORT)
            self.dispatch(to, sender, VoteReply(vote))

    @deliver
    def receive_vote(self, sender: Node, to: Node, message: VoteReply) -> None:
        """The last yes makes the coordinator pre-commit; a no aborts."""
        self.receive(sender, to, message)
        if self.role[to] is Role.COUNTING:
            if message.vote is Vote.NO:
                self.announce(to, Decision.ABORT)
            else:
                self.awaited[to].discard(sender)
                if len(self.awaited[to]) == 0:
                    others = Set(s for s in self.sites if s != to)
                    self.attempt(to, State.PRE_COMMITTED, others)

    # Recovery: section 5 of the paper

    @timeout
    def elect(self, leader: Node) -> None:
        """The sites connected have changed: one that knows the transaction leads them.

        What they had sent each other before is not delivered any more.
        """
        require(self.up[leader] and self.changed[leader])
        require(self.state[leader] is not State.INITIAL)
        others = Set(s for s in self.sites if s != leader and self.connected(leader, s))
        self.changed[leader] = False
        for site in others:
            self.changed[site] = False
            self.cut(leader, site)
            for other in others:
                self.cut(site, other)
        if self.decided(leader):
            for other in others:
                self.dispatch(leader, other, DecisionNotice(self.decision(leader)))
        else:
            self.stand_down(leader)
            self.role[leader] = Role.NUMBERING
            self.awaited[leader] = others
            self.members[leader] = others
            self.highest[leader] = self.last_elected[leader]
            for other in others:
                self.dispatch(leader, other, Inquiry())
            if len(others) == 0:
                self.number(leader)

    @deliver
    def receive_inquiry(self, sender: Node, to: Node) -> None:
        """A site follows the new leader; one that has not voted aborts first."""
        self.receive(sender, to, Inquiry())
        if self.state[to] is State.INITIAL:
            self.settle(to, Decision.ABORT)
        if not self.decided(to):
            self.stand_down(to)
            self.leader[to] = sender
        self.dispatch(to, sender, Counter(self.last_elected[to]))

    @deliver
    def receive_counter(self, sender: Node, to: Node, message: Counter) -> None:
        """With the last counter the leader numbers its election."""
        self.receive(sender, to, message)
        if self.role[to] is Role.NUMBERING and sender in self.awaited[to]:
            self.highest[to] = max(self.highest[to], message.last_elected)
            self.awaited[to].discard(sender)
            if len(self.awaited[to]) == 0:
                self.number(to)

    @deliver
    def receive_number(self, sender: Node, to: Node, message: Numbered) -> None:
        """A site that follows the sender takes the number, and reports."""
        self.receive(sender, to, message)
        if self.decided(to):
            self.dispatch(to, sender, self.report(to))
        elif self.follows(to, sender) and self.last_elected[to] < message.number:
            self.last_elected[to] = message.number
            self.dispatch(to, sender, self.report(to))

    @deliver
    def receive_report(self, sender: Node, to: Node, message: Report) -> None:
        """With the last report the leader applies the rule."""
        self.receive(sender, to, message)
        if self.role[to] is Role.COLLECTING and sender in self.awaited[to]:
            self.reports[to][sender] = message
            self.awaited[to].discard(sender)
            if len(self.awaited[to]) == 0:
                self.conclude(to)

    @deliver
    def receive_attempt(self, sender: Node, to: Node, message: Attempt) -> None:
        """A site that follows the sender moves, as far as it may, and accepts."""
        self.receive(sender, to, message)
        if self.follows(to, sender) and self.last_elected[to] == message.number:
            if self.movable(to):
                self.state[to] = message.target
                self.last_attempt[to] = message.number
            if self.state[to] is message.target:
                self.dispatch(to, sender, Accept(message.number))

    @deliver
    def receive_accept(self, sender: Node, to: Node, message: Accept) -> None:
        """A quorum that has moved decides."""
        self.receive(sender, to, message)
        if self.role[to] is Role.ATTEMPTING and message.number == self.last_elected[to]:
            self.accepted[to].add(sender)
            self.weigh(to)

    @deliver
    def receive_decision(self, sender: Node, to: Node, message: DecisionNotice) -> None:
        """A site is told the decision. A notice that contradicts what it did is refused."""
        self.receive(sender, to, message)
        if message.decision is Decision.COMMIT:
            require(self.state[to] not in {State.INITIAL, State.ABORTED})
        else:
            require(self.state[to] is not State.COMMITTED)
        self.settle(to, message.decision)

    # Failures

    @partition
    def regroup(self, node: Node) -> None:
        """A site comes to the other side; what is between the sides is lost."""
        require(self.regroupings < self.max_regroupings)
        self.regroupings += 1
        if node in self.far_side:
            self.far_side.discard(node)
        else:
            self.far_side.add(node)
        self.changed = each(True)
        for other in self.sites:
            if not self.same_side(node, other):
                self.cut(node, other)

    @crash
    def crash_node(self, node: Node) -> None:
        """A site crashes; what is on its way to it or from it is lost."""
        super().crash_node(node)
        self.changed = each(True)
        for other in self.sites:
            self.cut(node, other)

    def recover(self, node: Node) -> None:
        """A restarted site waits for the next election."""
        self.changed = each(True)

    def cut(self, one: Node, other: Node) -> None:
        """What is between two sites is lost."""
        self.channels[one][other] = empty()
        self.channels[other][one] = empty()

    # The rules

    def number(self, leader: Node) -> None:
        """All members know the number of an election before anything is attempted under it."""
        others = Set(self.members[leader])
        self.last_elected[leader] = self.highest[leader] + 1
        self.stand_down(leader)
        self.role[leader] = Role.COLLECTING
        self.awaited[leader] = others
        for other in others:
            self.dispatch(leader, other, Numbered(self.last_elected[leader]))
        if len(others) == 0:
            self.conclude(leader)

    def conclude(self, leader: Node) -> None:
        """The leader decides, moves the members, or blocks."""
        self.reports[leader][leader] = self.report(leader)
        members = Set(s for s in self.sites if self.reports[leader][s] is not None)
        goal = self.goal(leader, members)
        there = Set(s for s in members if self.reported(leader, s) is goal)
        if any(self.reported(leader, s) is State.ABORTED for s in members):
            self.announce(leader, Decision.ABORT)
        elif any(self.reported(leader, s) is State.COMMITTED for s in members):
            self.announce(leader, Decision.COMMIT)
        else:
            self.stand_down(leader)
            if goal is None:
                self.leader[leader] = leader
            else:
                if self.quorum3pc_lost_quorum_blocks:
                    self.accepted[leader] = there
                self.attempt(leader, goal, Set(s for s in members if s != leader))

    def goal(self, leader: Node, members: Set[Node]) -> State | None:
        """Where the leader moves the members, as nobody has decided; None: it blocks."""
        if self.quorum3pc_lost_quorum_blocks:
            return self.plain_rule(leader, members)
        return self.enhanced_rule(leader, members)

    def enhanced_rule(self, leader: Node, members: Set[Node]) -> State | None:
        """Only the latest attempt counts: it may have committed only if all in it are to commit."""
        latest = max(self.attempted(leader, s) for s in members)
        committable = all(
            self.reported(leader, s) is State.PRE_COMMITTED
            for s in members
            if self.attempted(leader, s) == latest
        )
        if not is_quorum(members, self.sites):
            return None
        return State.PRE_COMMITTED if committable else State.PRE_ABORTED

    def plain_rule(self, leader: Node, members: Set[Node]) -> State | None:
        """Skeen: a quorum of pc and w pre-commits, one of pa and w pre-aborts, else it blocks."""
        pre_committed = Set(s for s in members if self.reported(leader, s) is State.PRE_COMMITTED)
        pre_aborted = Set(s for s in members if self.reported(leader, s) is State.PRE_ABORTED)
        if len(pre_committed) > 0 and is_quorum(members - pre_aborted, self.sites):
            return State.PRE_COMMITTED
        if is_quorum(members - pre_committed, self.sites):
            return State.PRE_ABORTED
        return None

    def reported(self, leader: Node, site: Node) -> State | None:
        """The state that a site has reported to the leader."""
        report = self.reports[leader][site]
        return None if report is None else report.state

    def attempted(self, leader: Node, site: Node) -> int:
        """The last attempt that a site has reported."""
        report = self.reports[leader][site]
        return 0 if report is None else report.last_attempt

    # What the steps are made of

    def undecided(self, site: Node) -> bool:
        """Whether the site has voted yes and not decided yet."""
        return self.state[site] is not State.INITIAL and not self.decided(site)

    def follows(self, site: Node, leader: Node) -> bool:
        """Whether the site, undecided, does what this leader says."""
        following = self.undecided(site) and self.role[site] is Role.FOLLOWING
        return following and self.leader[site] == leader

    def decided(self, site: Node) -> bool:
        """Whether the site has decided."""
        return self.state[site] in {State.COMMITTED, State.ABORTED}

    def decision(self, site: Node) -> Decision:
        """The decision of a site that has decided."""
        return Decision.COMMIT if self.state[site] is State.COMMITTED else Decision.ABORT

    def same_side(self, one: Node, other: Node) -> bool:
        """Whether no partition separates two sites."""
        return (one in self.far_side) == (other in self.far_side)

    def connected(self, one: Node, other: Node) -> bool:
        """Whether two sites are up and can talk to each other."""
        return self.up[one] and self.up[other] and self.same_side(one, other)

    def movable(self, site: Node) -> bool:
        """Whether a leader's attempt moves the site; by Skeen's rule only the uncertain ones."""
        return not self.quorum3pc_lost_quorum_blocks or self.state[site] is State.UNCERTAIN

    def dispatch(self, sender: Node, to: Node, message: Message) -> None:
        """A site sends to another; what cannot arrive is lost at once."""
        if self.connected(sender, to):
            self.send(sender, to, message)

    def report(self, site: Node) -> Report:
        """What a site reports."""
        return Report(self.state[site], self.last_attempt[site])

    def attempt(self, leader: Node, goal: State, others: Set[Node]) -> None:
        """The leader moves, as far as it may, and asks the others to."""
        self.role[leader] = Role.ATTEMPTING
        self.target[leader] = goal
        number = self.last_elected[leader]
        if self.movable(leader):
            self.state[leader] = goal
            self.last_attempt[leader] = number
            self.accepted[leader].add(leader)
        for other in others:
            self.dispatch(leader, other, Attempt(number, goal))
        self.weigh(leader)

    def weigh(self, leader: Node) -> None:
        """Once a quorum has moved, the leader decides."""
        if is_quorum(self.accepted[leader], self.sites):
            commit = self.target[leader] is State.PRE_COMMITTED
            self.announce(leader, Decision.COMMIT if commit else Decision.ABORT)

    def announce(self, site: Node, decision: Decision) -> None:
        """A leader decides and tells all other sites."""
        self.settle(site, decision)
        for other in self.sites:
            if other != site:
                self.dispatch(site, other, DecisionNotice(decision))

    def settle(self, site: Node, decision: Decision) -> None:
        """A site decides."""
        self.state[site] = State.COMMITTED if decision is Decision.COMMIT else State.ABORTED
        self.stand_down(site)

    def stand_down(self, site: Node) -> None:
        """A site is about nothing special."""
        self.role[site] = Role.FOLLOWING
        self.leader[site] = None
        self.awaited[site] = empty()
        self.members[site] = empty()
        self.highest[site] = 0
        self.reports[site] = each(None)
        self.target[site] = None
        self.accepted[site] = empty()

    # What the protocol implements, and what the properties ask for

    @invariant
    def quorum_never_blocks(self) -> bool:
        """No leader of a quorum blocks.

        One that blocks follows itself, and nothing is under way that could tell it more.
        """
        return not any(
            self.follows(s, s) and self.in_quorum(s) and self.left_alone(s) for s in self.sites
        )

    def left_alone(self, site: Node) -> bool:
        """Whether no election is due or under way at a site, and no message."""
        return not self.changed[site] and not any(
            self.connected(site, s)
            and (self.role[s] is not Role.FOLLOWING or len(self.channels[s][site]) > 0)
            for s in self.sites
        )

    @always_possible(repairs=False)
    def quorum_decides(self) -> bool:
        """The sites of a quorum that is connected decide, without waiting for any repair.

        Those that have not heard of the transaction cannot.
        """
        return all(
            self.decided(s) or self.state[s] is State.INITIAL or not self.in_quorum(s)
            for s in self.sites
        )

    def in_quorum(self, site: Node) -> bool:
        """Whether the site is connected to a quorum, itself included."""
        return is_quorum(Set(s for s in self.sites if self.connected(site, s)), self.sites)

    @refines(TransactionCommit)
    def transaction_commit(self) -> TransactionCommit:
        """A resource manager is a site; it is prepared once its vote is yes."""
        return TransactionCommit(
            rms=self.sites, rm_state={site: self.rm_state(site) for site in self.sites}
        )

    def rm_state(self, site: Node) -> RmState:
        """What transaction commit calls the state of a site."""
        match self.state[site]:
            case State.INITIAL:
                return RmState.WORKING
            case State.COMMITTED:
                return RmState.COMMITTED
            case State.ABORTED:
                return RmState.ABORTED
            case _:
                return RmState.PREPARED

    def voters(self) -> Set[Node]:
        """All sites."""
        return self.sites

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
        """The coordinator is one of the sites."""
        return False

    def coordinator_aborted(self) -> bool:
        """The coordinator is one of the sites."""
        return False

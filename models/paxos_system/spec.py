"""Single-decree Paxos as a system: proposers, acceptors, learners, crashes, a bad network."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    between,
    crash,
    deliver,
    durable,
    each,
    empty,
    flaw,
    is_quorum,
    parameter,
    record,
    refines,
    request,
    require,
    restart,
    step_property,
    timeout,
    volatile,
)
from ..consensus.spec import Value
from ..environment import CrashRestart, UnorderedNetwork
from ..voting.spec import Acceptor, Ballot, BallotOrNone, Vote, Voting


class Proposer(Node):
    """A process that proposes what clients ask it to."""


class Learner(Node):
    """A process that finds out what is chosen."""


class Phase(Enum):
    """What a proposer is doing."""

    IDLE = "idle"
    PREPARING = "preparing"  # it waits for promises
    PROPOSING = "proposing"  # it has asked for votes


@record
class Prepare:
    """The proposer of `ballot` to an acceptor: a prepare request (1a)."""

    to: Acceptor
    ballot: Ballot


@record
class Promise:
    """An acceptor to the proposer of `ballot`: it votes below it no more; its last vote (1b)."""

    sender: Acceptor
    ballot: Ballot
    vote: Vote | None


@record
class Accept:
    """The proposer of `ballot` to an acceptor: an accept request (2a)."""

    to: Acceptor
    ballot: Ballot
    value: Value


@record
class Accepted:
    """An acceptor to a learner: it has voted for `value` in `ballot` (2b)."""

    sender: Acceptor
    to: Learner
    ballot: Ballot
    value: Value


Message = Prepare | Promise | Accept | Accepted


class PaxosSystem(UnorderedNetwork[Message], CrashRestart[Acceptor]):
    """Proposers, acceptors and learners choose one value.

    Lamport, 'Paxos Made Simple' (2001), sections 2.2 to 2.5, cited by section. Ballots are his
    proposal numbers; a vote is an accepted proposal. Which numbers belong to which proposer is
    settled by their first use, so that every way to divide them is covered.

    Left out: a distinguished proposer, which progress needs and safety does not (2.4); crashes of
    learners (what one has heard it may also never have heard); refusals (2.2), which save time.
    """

    proposers: Nodes[Proposer]
    acceptors: Nodes[Acceptor]
    learners: Nodes[Learner]
    values: Nodes[Value]
    ballots: int = parameter(2, at_least=1, at_most=8)
    proposers_crash: bool = parameter(False)  # whether they do too
    tells_learners: bool = parameter(True)  # without it, learners are what they could learn
    promises_again: bool = parameter(False)  # to the same number: `>=` in phase 1 (b), for `>`

    forget_promise: bool = flaw("P01: an acceptor's promise is lost in a crash")
    forget_accepted: bool = flaw("P02: an acceptor's last vote is lost in a crash")
    disk_loss: bool = flaw("P03: an acceptor loses promise and vote in a crash")
    ignore_reported: bool = flaw("P04: a proposer asks for votes for its own value regardless")
    adopt_lowest: bool = flaw("P05: a proposer takes the earliest of the votes reported")
    adopt_any: bool = flaw("P05: a proposer takes the vote that is reported first")
    accept_without_check: bool = flaw("P06: an acceptor votes whatever it has promised")
    promise_not_recorded: bool = flaw("P07: an acceptor does not note its promise")
    accept_gt: bool = flaw("P08: an acceptor wants a number above its promise, not at least it")
    accept_keeps_maxbal: bool = flaw("P09: to vote in a ballot is not to promise it")
    ballot_reuse: bool = flaw("P10: two proposers use the same number")
    forget_ballot: bool = flaw("P10: a proposer uses a number again after a crash")
    promises_counted_twice: bool = flaw("P11: a proposer counts promises, not acceptors")
    promise_of_other_ballot: bool = flaw("P12: a proposer counts promises of its earlier ballots")
    learner_crosses_ballots: bool = flaw("P13: a learner counts votes across ballots")
    report_first_accepted: bool = flaw("P14: an acceptor reports its first vote, not its last")
    quorum_half: bool = flaw("P15: half of the acceptors pass for a quorum")
    lossy_phase1_no_retry: bool = flaw("P20: a proposer that gets no answer does not ask again")

    # Proposers: the highest number used (2.5); what each is doing, for which value, and the
    # promises it has, with the latest vote that they report.
    tried: Map[Proposer, BallotOrNone] = durable(each(-1))
    phase: Map[Proposer, Phase] = volatile(each(Phase.IDLE))
    proposal: Map[Proposer, Value | None] = volatile(each(None))
    promised_by: Map[Proposer, Set[Acceptor]] = volatile(each(empty()))
    latest: Map[Proposer, Vote | None] = volatile(each(None))
    counted: Map[Proposer, Annotated[int, between(0, "len(acceptors)")]] = volatile(each(0))
    proposer_up: Map[Proposer, bool] = each(True)

    # Acceptors: the number of the highest ballot taken part in, and the last vote (2.2).
    max_bal: Map[Acceptor, BallotOrNone] = durable(each(-1))
    vote: Map[Acceptor, Vote | None] = durable(each(None))

    # Learners: the latest vote heard of from each acceptor (2.3).
    heard: Map[Learner, Map[Acceptor, Vote | None]] = each(each(None))

    # History: whose number a ballot is, the values asked for, the votes, what was learned.
    owner: Map[Ballot, Proposer | None] = each(None)
    requested: Set[Value] = empty()
    votes: Map[Acceptor, Set[Vote]] = each(empty())
    decided: Map[Learner, Set[Value]] = each(empty())

    # Proposers

    @request
    def propose(self, proposer: Proposer, ballot: Ballot, value: Value) -> None:
        """Asked by a client, a proposer sends prepare requests with a new number (2.2, 1 (a)).

        It drops what it was doing. The number is above all it has used, and nobody else's (2.5).
        """
        require(self.proposer_up[proposer])
        require(ballot > self.tried[proposer])
        require(self.owner[ballot] is None or self.is_number_of(ballot, proposer))
        self.owner[ballot] = proposer
        self.requested.add(value)
        self.drop_promises(proposer)
        self.tried[proposer] = ballot
        self.phase[proposer] = Phase.PREPARING
        self.proposal[proposer] = value
        for acceptor in self.acceptors:
            self.send(Prepare(acceptor, ballot))

    @deliver
    def receive_promise(self, proposer: Proposer, message: Promise) -> None:
        """With promises from a majority, a proposer asks for votes (2.2, 2 (a)).

        For the value of the latest vote that they report, or its own if they report none.
        """
        self.receive(message)
        require(self.proposer_up[proposer])
        require(self.is_number_of(message.ballot, proposer))
        if self.counts(proposer, message):
            self.promised_by[proposer].add(message.sender)
            if self.promises_counted_twice:
                self.counted[proposer] += 1
            vote = message.vote
            if vote is not None and self.prefers(vote, self.latest[proposer]):
                self.latest[proposer] = vote
            if self.has_majority(proposer):
                self.ask_for_votes(proposer)

    @timeout
    def time_out(self, proposer: Proposer) -> None:
        """A proposer without an answer sends its requests again: messages may be lost (2.2)."""
        require(self.lossy and not self.lossy_phase1_no_retry)
        require(self.proposer_up[proposer])
        require(self.phase[proposer] is not Phase.IDLE)
        if self.phase[proposer] is Phase.PREPARING:
            for acceptor in self.acceptors - self.promised_by[proposer]:
                self.send(Prepare(acceptor, self.tried[proposer]))
        else:
            self.send_accept_requests(proposer)

    @crash
    def crash_proposer(self, proposer: Proposer) -> None:
        """A proposer crashes: it keeps its number, and no more (2.5)."""
        require(self.proposers_crash)
        require(self.crashes < self.max_crashes)
        require(self.proposer_up[proposer])
        require(self.phase[proposer] is not Phase.IDLE)  # else it has nothing to lose
        self.crashes += 1
        self.proposer_up[proposer] = False
        self.lose_volatile(proposer)
        if self.forget_ballot:
            self.tried[proposer] = -1

    @restart
    def restart_proposer(self, proposer: Proposer) -> None:
        """A proposer starts again, and waits for clients."""
        require(not self.crash_stop)
        require(not self.proposer_up[proposer])
        self.proposer_up[proposer] = True

    # Acceptors

    @deliver
    def receive_prepare(self, message: Prepare) -> None:
        """An acceptor promises a number that is above all others so far (2.2, 1 (b))."""
        self.receive(message)
        acceptor = message.to
        require(self.up[acceptor])
        if self.may_promise(acceptor, message.ballot):
            if not self.promise_not_recorded:
                self.max_bal[acceptor] = message.ballot
            self.send(Promise(acceptor, message.ballot, self.vote[acceptor]))

    @deliver
    def receive_accept(self, message: Accept) -> None:
        """An acceptor votes as asked, unless it has promised a higher number (2.2, 2 (b)).

        It tells all learners (2.3).
        """
        self.receive(message)
        acceptor = message.to
        require(self.up[acceptor])
        if self.may_vote(acceptor, message.ballot):
            vote = Vote(message.ballot, message.value)
            if not self.accept_keeps_maxbal:
                self.max_bal[acceptor] = message.ballot
            if not self.report_first_accepted or self.vote[acceptor] is None:
                self.vote[acceptor] = vote
            self.votes[acceptor].add(vote)
            if self.tells_learners:
                for learner in self.learners:
                    self.send(Accepted(acceptor, learner, message.ballot, message.value))

    def recover(self, node: Acceptor) -> None:
        """An acceptor has its promise and its last vote from stable storage (2.5)."""
        if self.forget_promise or self.disk_loss:
            self.max_bal[node] = -1
        if self.forget_accepted or self.disk_loss:
            self.vote[node] = None

    # Learners

    @deliver
    def receive_accepted(self, message: Accepted) -> None:
        """A learner that knows of a majority of votes in one ballot learns their value (2.3)."""
        self.receive(message)
        learner = message.to
        vote = Vote(message.ballot, message.value)
        if self.is_later(vote, self.heard[learner][message.sender]):
            self.heard[learner][message.sender] = vote
            if self.is_majority(self.agreeing(learner, vote)):
                self.decided[learner].add(vote.value)

    # What the steps are made of

    def is_number_of(self, ballot: int, proposer: Proposer) -> bool:
        """Whether the number is one of the proposer's."""
        return self.ballot_reuse or self.owner[ballot] == proposer

    def is_majority(self, subset: Set[Acceptor]) -> bool:
        """Whether these acceptors are a quorum."""
        if self.quorum_half:
            return 2 * len(subset) >= len(self.acceptors)
        return is_quorum(subset, self.acceptors)

    def may_promise(self, acceptor: Acceptor, ballot: int) -> bool:
        """Whether the acceptor answers a prepare request of this number."""
        if self.promises_again and ballot == self.max_bal[acceptor]:
            return True
        return ballot > self.max_bal[acceptor]

    def may_vote(self, acceptor: Acceptor, ballot: int) -> bool:
        """Whether the acceptor votes in this ballot."""
        if self.accept_gt:
            return ballot > self.max_bal[acceptor]
        return self.accept_without_check or ballot >= self.max_bal[acceptor]

    def counts(self, proposer: Proposer, message: Promise) -> bool:
        """Whether the proposer waits for this promise."""
        if self.promise_of_other_ballot:
            return self.phase[proposer] is Phase.PREPARING
        return self.phase[proposer] is Phase.PREPARING and message.ballot == self.tried[proposer]

    def has_majority(self, proposer: Proposer) -> bool:
        """Whether the proposer has promises enough to ask for votes."""
        if self.promises_counted_twice:
            return 2 * self.counted[proposer] > len(self.acceptors)
        return self.is_majority(self.promised_by[proposer])

    def prefers(self, vote: Vote, latest: Vote | None) -> bool:
        """Whether a reported vote takes the place of the one that a proposer would go by."""
        if latest is None:
            return True
        if self.adopt_lowest:
            return vote.ballot < latest.ballot
        return vote.ballot > latest.ballot and not self.adopt_any

    def ask_for_votes(self, proposer: Proposer) -> None:
        """The proposer settles its value and sends accept requests."""
        latest = self.latest[proposer]
        if latest is not None and not self.ignore_reported:
            self.proposal[proposer] = latest.value
        self.phase[proposer] = Phase.PROPOSING
        self.drop_promises(proposer)
        self.send_accept_requests(proposer)

    def send_accept_requests(self, proposer: Proposer) -> None:
        """The proposer asks all acceptors to vote for its proposal."""
        value = self.proposal[proposer]
        require(value is not None)
        assert value is not None
        for acceptor in self.acceptors:
            self.send(Accept(acceptor, self.tried[proposer], value))

    def drop_promises(self, proposer: Proposer) -> None:
        """The proposer needs its promises no more."""
        self.promised_by[proposer] = empty()
        self.latest[proposer] = None
        self.counted[proposer] = 0

    def is_later(self, vote: Vote, before: Vote | None) -> bool:
        """Whether a vote is of a higher ballot than another, or there is no other."""
        return before is None or vote.ballot > before.ballot

    def agreeing(self, learner: Learner, vote: Vote) -> Set[Acceptor]:
        """The acceptors whose latest vote, as far as the learner knows, is this one."""
        if self.learner_crosses_ballots:
            return {a for a in self.acceptors if self.has_value(self.heard[learner][a], vote.value)}
        return {a for a in self.acceptors if self.heard[learner][a] == vote}

    def has_value(self, vote: Vote | None, value: Value) -> bool:
        """Whether it is a vote for the value."""
        return vote is not None and vote.value == value

    @step_property
    def votes_as_asked(self, after: PaxosSystem) -> bool:
        """P1a, the other half: an accept request gets a vote unless a higher number is promised.

        Section 2.2, phase 2 (b). A request has arrived when it is no longer in flight, so this says
        nothing where messages are lost or repeated.
        """
        return self.lossy or all(
            not isinstance(message, Accept)
            or message in after.network
            or self.left_behind(message.to, message.ballot)
            or after.voted_for(message.to, message.ballot, message.value)
            for message in self.network
        )

    # What quorate.invariants asks, and what this implements

    def choosable(self) -> Set[Value]:
        """All values."""
        return self.values

    def proposed(self, value: Value) -> bool:
        """A client has asked for it."""
        return value in self.requested

    def is_chosen(self, value: Value) -> bool:
        """What passes for a quorum has voted for it in some ballot."""
        return any(
            self.is_majority({a for a in self.acceptors if self.voted_for(a, ballot, value)})
            for ballot in range(self.ballots)
        )

    def voted_for(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """It has voted so at some time, whatever it remembers."""
        return Vote(ballot, value) in self.votes[acceptor]

    def left_behind(self, acceptor: Acceptor, ballot: int) -> bool:
        """It has promised a higher number, as far as it remembers."""
        return self.max_bal[acceptor] > ballot

    def listeners(self) -> Set[Learner]:
        """The learners."""
        return self.learners

    def learned(self, listener: Learner, value: Value) -> bool:
        """It has learned the value at some time, or could have, where nobody is told of votes."""
        if self.tells_learners:
            return value in self.decided[listener]
        return self.is_chosen(value) or self.seems_chosen(value)

    def seems_chosen(self, value: Value) -> bool:
        """Whoever counts votes across ballots takes the value for chosen."""
        voters = {a for a in self.acceptors if any(v.value == value for v in self.votes[a])}
        return self.learner_crosses_ballots and self.is_majority(voters)

    def given_up(self) -> bool:
        """The highest number is used, and its proposer has crashed since."""
        last = self.owner[self.ballots - 1]
        return last is not None and self.phase[last] is Phase.IDLE

    @refines(Voting)
    def voting(self) -> Voting:
        """The votes cast, and the numbers below which no more are."""
        return Voting(
            acceptors=self.acceptors,
            values=self.values,
            ballots=self.ballots,
            votes={a: self.votes[a] for a in self.acceptors},
            max_bal={a: self.max_bal[a] for a in self.acceptors},
        )

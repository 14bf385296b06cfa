"""Single-decree Paxos: the synod algorithm, as messages that are sent and never go away."""

from __future__ import annotations

from ...language import (
    Map,
    Nodes,
    Set,
    Spec,
    action,
    choose,
    deliver,
    each,
    empty,
    is_quorum,
    parameter,
    record,
    refines,
    require,
)
from ..consensus.spec import Value
from ..voting.spec import Acceptor, Ballot, BallotOrNone, Vote, Voting


@record
class Prepare:
    """1a, a prepare request: the leader of `bal` asks for promises."""

    bal: Ballot


@record
class Promise:
    """1b: `acc` takes part in no ballot below `bal`; its last vote was for `mval`, in `mbal`."""

    acc: Acceptor
    bal: Ballot
    mbal: BallotOrNone
    mval: Value | None


@record
class Accept:
    """2a, an accept request: the leader of `bal` asks for votes for `val`."""

    bal: Ballot
    val: Value


@record
class Accepted:
    """2b: `acc` has voted for `val` in `bal`."""

    acc: Acceptor
    bal: Ballot
    val: Value


Message = Prepare | Promise | Accept | Accepted


class Paxos(Spec):
    """Leaders of ballots ask acceptors for promises, then for votes; a quorum of votes chooses.

    Lamport, 'Paxos Made Simple' (2001), section 2.2; the module Paxos of tlaplus/Examples. Left
    out: leaders as processes (a ballot has one, so its messages are its state), losing messages (a
    message that is not received is as good as lost), crashes (a process that does nothing),
    learners. Quorums are the majorities.
    """

    acceptors: Nodes[Acceptor]
    values: Nodes[Value]
    ballots: int = parameter(2, at_least=1, at_most=8)

    max_bal: Map[Acceptor, BallotOrNone] = each(-1)  # the highest ballot it has taken part in
    max_v_bal: Map[Acceptor, BallotOrNone] = each(-1)  # the ballot of its last vote
    max_val: Map[Acceptor, Value | None] = each(None)  # the value of its last vote
    messages: Set[Message] = empty()  # all that were ever sent

    @action
    def phase_1a(self, bal: Ballot) -> None:
        """The leader of a ballot sends prepare requests (section 2.2, phase 1 (a))."""
        self.messages.add(Prepare(bal))

    @deliver
    def phase_1b(self, acc: Acceptor, prepare: Prepare) -> None:
        """An acceptor answers a prepare request above all others with a promise (phase 1 (b))."""
        require(prepare in self.messages)
        require(prepare.bal > self.max_bal[acc])
        self.max_bal[acc] = prepare.bal
        self.messages.add(Promise(acc, prepare.bal, self.max_v_bal[acc], self.max_val[acc]))

    @action
    def phase_2a(self, bal: Ballot, val: Value, quorum: Set[Acceptor]) -> None:
        """The leader, promised by a quorum, sends accept requests for one value (phase 2 (a)).

        That of the latest vote that the quorum reports, or any if it reports none.
        """
        require(self.smallest_quorum(quorum))
        require(not self.asked_for_votes(bal))
        require(all(self.promised(acc, bal) for acc in quorum))
        reports = {p for p in self.promises(bal) if p.acc in quorum and p.mbal >= 0}
        if len(reports) > 0:
            latest = choose(reports)
            require(all(latest.mbal >= other.mbal for other in reports))
            require(latest.mval == val)
        self.messages.add(Accept(bal, val))

    @deliver
    def phase_2b(self, acc: Acceptor, accept: Accept) -> None:
        """An acceptor votes as asked, unless it has promised otherwise (phase 2 (b))."""
        require(accept in self.messages)
        require(accept.bal >= self.max_bal[acc])
        self.max_bal[acc] = accept.bal
        self.max_v_bal[acc] = accept.bal
        self.max_val[acc] = accept.val
        self.messages.add(Accepted(acc, accept.bal, accept.val))

    def asked_for_votes(self, bal: int) -> bool:
        """The leader of the ballot has sent its accept requests."""
        return any(isinstance(m, Accept) and m.bal == bal for m in self.messages)

    def smallest_quorum(self, quorum: Set[Acceptor]) -> bool:
        """It is a majority, and one acceptor less is none. Larger quorums permit nothing more."""
        return is_quorum(quorum, self.acceptors) and 2 * (len(quorum) - 1) <= len(self.acceptors)

    def promises(self, bal: int) -> Set[Promise]:
        """All promises of a ballot."""
        return {m for m in self.messages if isinstance(m, Promise) and m.bal == bal}

    def promised(self, acc: Acceptor, bal: int) -> bool:
        """The acceptor has sent a promise of the ballot."""
        return any(promise.acc == acc for promise in self.promises(bal))

    @refines(Voting)
    def voting(self) -> Voting:
        """The votes are the messages that tell of them."""
        return Voting(
            acceptors=self.acceptors,
            values=self.values,
            ballots=self.ballots,
            votes={acc: self.votes_of(acc) for acc in self.acceptors},
            max_bal={acc: self.max_bal[acc] for acc in self.acceptors},
        )

    def votes_of(self, acc: Acceptor) -> Set[Vote]:
        """The votes that the acceptor has told of."""
        return {
            Vote(m.bal, m.val) for m in self.messages if isinstance(m, Accepted) and m.acc == acc
        }

    # What quorate.invariants asks

    def choosable(self) -> Set[Value]:
        """All values."""
        return self.values

    def proposed(self, value: Value) -> bool:
        """A leader has asked for votes for it."""
        return any(self.asked_for(bal, value) for bal in range(self.ballots))

    def is_chosen(self, value: Value) -> bool:
        """A quorum has voted for it in some ballot."""
        return any(
            is_quorum({a for a in self.acceptors if self.voted_for(a, bal, value)}, self.acceptors)
            for bal in range(self.ballots)
        )

    def voted_for(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """It has sent a 2b message."""
        return Accepted(acceptor, ballot, value) in self.messages

    def left_behind(self, acceptor: Acceptor, ballot: int) -> bool:
        """It takes part in higher ballots only."""
        return self.max_bal[acceptor] > ballot

    def asked_for(self, ballot: int, value: Value) -> bool:
        """A 2a message has been sent."""
        return Accept(ballot, value) in self.messages

    def reported(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """A 1b message names the vote."""
        return any(
            isinstance(m, Promise) and m.acc == acceptor and m.mbal == ballot and m.mval == value
            for m in self.messages
        )

    def takes_part(self, acceptor: Acceptor, ballot: int) -> bool:
        """It takes part in this ballot, or in higher ones only."""
        return self.max_bal[acceptor] >= ballot

    def reported_none_from(self, acceptor: Acceptor, ballot: int, first: int) -> bool:
        """A promise of the ballot names no vote in `first` or later."""
        return any(
            isinstance(m, Promise) and m.acc == acceptor and m.bal == ballot and m.mbal < first
            for m in self.messages
        )

    def voted_since(self, acceptor: Acceptor, ballot: int) -> bool:
        """The vote that it would report is in this ballot or a later one."""
        return self.max_v_bal[acceptor] >= ballot

    def last_vote(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """It is what the acceptor would report."""
        return self.max_v_bal[acceptor] == ballot and self.max_val[acceptor] == value

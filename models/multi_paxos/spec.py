"""Multi-Paxos: a log of decisions, a leader, gaps, and replicas that execute in order."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Seq,
    Set,
    Spec,
    action,
    always_possible,
    at_most,
    between,
    deliver,
    each,
    empty,
    flaw,
    invariant,
    is_quorum,
    parameter,
    record,
    request,
    require,
    step_property,
    witness,
)
from ..voting.spec import Acceptor, Ballot, BallotOrNone

Slot = Annotated[int, between(1, "slots")]


class Command(Node):
    """What a client wants executed."""


class Replica(Node):
    """A process that executes what is chosen, in the order of the slots."""


@record
class Vote:
    """A vote for a command in a ballot; None is the command that does nothing, a no-op."""

    ballot: Ballot
    value: Command | None


@record
class Prepare:
    """1a: the leader of `ballot` asks for promises, for all slots at once."""

    ballot: Ballot


@record
class Promise:
    """1b: `sender` takes part in no lower ballot; its last vote in each slot."""

    sender: Acceptor
    ballot: Ballot
    votes: Map[Slot, Vote | None]


@record
class Accept:
    """2a: the leader of `ballot` asks for votes for `value` in a slot. It asks once in each."""

    ballot: Ballot
    slot: Slot
    value: Command | None


@record
class Accepted:
    """2b: `sender` has voted in a slot as the leader of `ballot` has asked."""

    sender: Acceptor
    ballot: Ballot
    slot: Slot


class MultiPaxos(Spec):
    """A leader carries out phase 1 for all slots at once, then phase 2 for one after the other.

    Lamport, 'Paxos Made Simple' (2001), section 3. As in `paxos`, a ballot has one leader, whose
    state is whether it leads and what it has sent; messages never go away, so not to receive one is
    to lose it; a leader that crashes does nothing more, and another ballot takes over. Left out:
    how a leader is elected, how many slots it may be ahead of what is chosen, and clients that ask
    twice.
    """

    acceptors: Nodes[Acceptor]
    replicas: Nodes[Replica]
    commands: Nodes[Command]
    ballots: int = parameter(2, at_least=1, at_most=4)
    slots: int = parameter(2, at_least=1, at_most=4)

    multi_gap_skip: bool = flaw(
        "P17: a replica executes a slot although an earlier one is not chosen"
    )
    multi_repropose_highest_only: bool = flaw(
        "P18: of the votes reported, only those in the last slot count"
    )
    multi_gap_never_filled: bool = flaw("P19: a new leader leaves the gaps that it finds")

    max_bal: Map[Acceptor, BallotOrNone] = each(-1)  # the highest ballot it has taken part in
    votes: Map[Acceptor, Map[Slot, Vote | None]] = each(each(None))  # its last vote in each slot
    leading: Set[Ballot] = empty()  # those whose leader has had promises from a majority

    # All messages that were ever sent, by kind
    prepares: Set[Prepare] = empty()
    promises: Annotated[Set[Promise], at_most("ballots * len(acceptors)")] = empty()
    accepts: Set[Accept] = empty()
    accepted: Set[Accepted] = empty()

    last_slot: Map[Replica, Annotated[int, between(0, "slots")]] = each(0)  # executed last
    executed: Map[Replica, Annotated[Seq[Command | None], at_most("slots")]] = each(empty())

    @action
    def phase_1a(self, ballot: Ballot) -> None:
        """A new leader sends prepare requests, once for all slots."""
        require(Prepare(ballot) not in self.prepares)
        self.prepares.add(Prepare(ballot))

    @deliver
    def phase_1b(self, acceptor: Acceptor, prepare: Prepare) -> None:
        """An acceptor promises, and reports its last vote in every slot."""
        require(prepare in self.prepares)
        require(prepare.ballot > self.max_bal[acceptor])
        self.max_bal[acceptor] = prepare.ballot
        self.promises.add(Promise(acceptor, prepare.ballot, self.votes[acceptor]))

    @action
    def lead(self, ballot: Ballot, quorum: Set[Acceptor]) -> None:
        """With promises from a majority, a leader asks for votes in the slots that they report.

        In each for the latest vote reported there, and in the gaps below for no-ops.
        """
        require(ballot not in self.leading)
        require(self.is_smallest_quorum(quorum))
        require(all(self.has_promised(acceptor, ballot) for acceptor in quorum))
        self.leading.add(ballot)
        heard = {p for p in self.promises if p.ballot == ballot and p.sender in quorum}
        slots = range(1, self.slots + 1)
        last = max((slot for slot in slots if self.latest(heard, slot) is not None), default=0)
        for slot in range(1, last + 1):
            vote = self.latest(heard, slot)
            if vote is not None and (slot == last or not self.multi_repropose_highest_only):
                self.accepts.add(Accept(ballot, slot, vote.value))
            elif not self.multi_gap_never_filled:
                self.accepts.add(Accept(ballot, slot, None))

    @request
    def propose(self, ballot: Ballot, command: Command) -> None:
        """A leader asks for votes for a client's command, in the slot after all others."""
        require(ballot in self.leading)
        slot = 1 + max((a.slot for a in self.accepts if a.ballot == ballot), default=0)
        require(slot <= self.slots)
        self.accepts.add(Accept(ballot, slot, command))

    @deliver
    def phase_2b(self, acceptor: Acceptor, accept: Accept) -> None:
        """An acceptor votes as asked, unless it has promised otherwise."""
        require(accept in self.accepts)
        require(accept.ballot >= self.max_bal[acceptor])
        require(Accepted(acceptor, accept.ballot, accept.slot) not in self.accepted)
        self.max_bal[acceptor] = accept.ballot
        self.votes[acceptor][accept.slot] = Vote(accept.ballot, accept.value)
        self.accepted.add(Accepted(acceptor, accept.ballot, accept.slot))

    @action
    def execute(self, replica: Replica, accept: Accept) -> None:
        """A replica executes what is chosen in the next slot."""
        require(accept in self.accepts)
        last = self.last_slot[replica]
        require(accept.slot == last + 1 or (self.multi_gap_skip and accept.slot > last))
        require(self.is_chosen(accept))
        self.executed[replica].append(accept.value)
        self.last_slot[replica] = accept.slot

    # What the steps are made of

    def is_smallest_quorum(self, quorum: Set[Acceptor]) -> bool:
        """It is a majority, and one acceptor less is none: leaders wait for no more promises."""
        return is_quorum(quorum, self.acceptors) and 2 * (len(quorum) - 1) <= len(self.acceptors)

    def has_promised(self, acceptor: Acceptor, ballot: int) -> bool:
        """The acceptor has sent a promise of the ballot."""
        return any(p.sender == acceptor and p.ballot == ballot for p in self.promises)

    def latest(self, promises: Set[Promise], slot: int) -> Vote | None:
        """Of the votes that the promises report in a slot, that of the highest ballot."""
        latest: Vote | None = None
        for promise in promises:
            vote = promise.votes[slot]
            if vote is not None and (latest is None or vote.ballot > latest.ballot):
                latest = vote
        return latest

    def is_chosen(self, accept: Accept) -> bool:
        """A quorum has voted as asked."""
        voters = {a for a in self.acceptors if self.has_voted(a, accept)}
        return is_quorum(voters, self.acceptors)

    def has_voted(self, acceptor: Acceptor, accept: Accept) -> bool:
        """The acceptor has voted as asked."""
        return Accepted(acceptor, accept.ballot, accept.slot) in self.accepted

    # What holds

    @invariant
    def agreement(self) -> bool:
        """In every slot, only a single command is chosen."""
        return all(
            one.slot != other.slot
            or one.value == other.value
            or not (self.is_chosen(one) and self.is_chosen(other))
            for one in self.accepts
            for other in self.accepts
        )

    @invariant
    def same_prefix(self) -> bool:
        """Of any two replicas, one has executed what the other has, and perhaps more."""
        return all(
            self.executed[replica][place] == self.executed[other][place]
            for replica in self.replicas
            for other in self.replicas
            for place in range(min(len(self.executed[replica]), len(self.executed[other])))
        )

    @invariant
    def executed_in_order(self) -> bool:
        """No slot is executed before all lower slots are."""
        return all(len(self.executed[r]) == self.last_slot[r] for r in self.replicas)

    @step_property
    def stays_executed(self, after: MultiPaxos) -> bool:
        """What is executed stays so."""
        return all(
            len(self.executed[r]) <= len(after.executed[r])
            and all(
                self.executed[r][place] == after.executed[r][place]
                for place in range(len(self.executed[r]))
            )
            for r in self.replicas
        )

    @always_possible()
    def can_execute(self) -> bool:
        """All replicas can still execute all slots."""
        return all(self.last_slot[replica] == self.slots for replica in self.replicas)

    @witness
    def gap_filled(self) -> bool:
        """A no-op is chosen below a command."""
        return any(
            gap.value is None
            and command.value is not None
            and gap.slot < command.slot
            and self.is_chosen(gap)
            and self.is_chosen(command)
            for gap in self.accepts
            for command in self.accepts
        )

    @witness
    def chosen_by_a_later_leader(self) -> bool:
        """What an earlier leader asked for is chosen in a later ballot, and only there."""
        return any(
            later.ballot > earlier.ballot
            and later.slot == earlier.slot
            and later.value == earlier.value
            and self.is_chosen(later)
            and not self.is_chosen(earlier)
            for later in self.accepts
            for earlier in self.accepts
        )

    @witness
    def all_executed(self) -> bool:
        """All replicas have executed all slots."""
        return all(self.last_slot[replica] == self.slots for replica in self.replicas)

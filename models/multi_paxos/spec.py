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

Slot = Annotated[int, between(0, "slots - 1")]


class Command(Node):
    """What a client wants executed."""


class Replica(Node):
    """A process that executes what is chosen, in the order of the slots."""


@record
class Entry:
    """What a slot is for: a command, or None, the command that does nothing."""

    command: Command | None


@record
class Vote:
    """A vote for an entry in a ballot."""

    ballot: Ballot
    entry: Entry


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
    """2a: the leader of `ballot` asks for votes for an entry in a slot."""

    ballot: Ballot
    slot: Slot
    entry: Entry


class MultiPaxos(Spec):
    """A leader carries out phase 1 for all slots at once, then phase 2 for one after the other.

    Lamport, 'Paxos Made Simple' (2001), section 3. As in `paxos`, a ballot has one leader, whose
    messages are its state; messages never go away, so not to receive one is to lose it; a leader
    that crashes does nothing more, and another ballot takes over. Left out: how a leader is
    elected, how many slots it may be ahead of what is chosen, and clients that ask twice.
    """

    acceptors: Nodes[Acceptor]
    replicas: Nodes[Replica]
    commands: Nodes[Command]
    ballots: int = parameter(2, at_least=1, at_most=4)
    slots: int = parameter(2, at_least=1, at_most=4)

    gap_skip: bool = flaw("P17: a replica executes a slot although an earlier one is not chosen")
    repropose_highest_only: bool = flaw("P18: of the votes reported, only the last slot's counts")
    gap_never_filled: bool = flaw("P19: a leader leaves the gaps that it finds")

    max_bal: Map[Acceptor, BallotOrNone] = each(-1)  # the highest ballot it has taken part in
    votes: Map[Acceptor, Map[Slot, Vote | None]] = each(each(None))  # its last vote in each slot
    prepares: Set[Prepare] = empty()  # all messages that were ever sent, by kind
    promises: Annotated[Set[Promise], at_most("ballots * len(acceptors)")] = empty()
    accepts: Set[Accept] = empty()
    cast: Map[Acceptor, Map[Slot, Set[Vote]]] = each(each(empty()))  # 2b: all votes
    next_slot: Map[Replica, Annotated[int, between(0, "slots")]] = each(0)
    executed: Map[Replica, Annotated[Seq[Entry], at_most("slots")]] = each(empty())

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
    def repropose(self, ballot: Ballot, slot: Slot, quorum: Set[Acceptor]) -> None:
        """A leader asks again for votes for what may have been chosen: the latest vote reported."""
        require(self.leads(ballot, slot, quorum))
        latest = max(self.reported(ballot, slot, acceptor) for acceptor in quorum)
        require(latest >= 0)
        require(not self.repropose_highest_only or not self.reported_above(ballot, slot, quorum))
        for acceptor in quorum:
            for promise in self.promises:
                vote = promise.votes[slot]
                if (
                    promise.sender == acceptor
                    and promise.ballot == ballot
                    and vote is not None
                    and vote.ballot == latest
                ):
                    self.accepts.add(Accept(ballot, slot, vote.entry))

    @action
    def fill_gap(self, ballot: Ballot, slot: Slot, quorum: Set[Acceptor]) -> None:
        """A leader fills a slot without votes, below one with votes, with a no-op."""
        require(not self.gap_never_filled)
        require(self.leads(ballot, slot, quorum))
        require(self.free(ballot, slot, quorum))
        require(self.reported_above(ballot, slot, quorum))
        self.accepts.add(Accept(ballot, slot, Entry(None)))

    @request
    def propose(self, ballot: Ballot, slot: Slot, quorum: Set[Acceptor], command: Command) -> None:
        """A leader asks for votes for a client's command, in the slot after all others."""
        require(self.leads(ballot, slot, quorum))
        require(self.free(ballot, slot, quorum))
        require(not self.reported_above(ballot, slot, quorum))
        require(all(self.dealt_with(ballot, earlier, quorum) for earlier in range(slot)))
        self.accepts.add(Accept(ballot, slot, Entry(command)))

    @deliver
    def phase_2b(self, acceptor: Acceptor, accept: Accept) -> None:
        """An acceptor votes as asked, unless it has promised otherwise."""
        require(accept in self.accepts)
        require(accept.ballot >= self.max_bal[acceptor])
        vote = Vote(accept.ballot, accept.entry)
        require(vote not in self.cast[acceptor][accept.slot])
        self.max_bal[acceptor] = accept.ballot
        self.votes[acceptor][accept.slot] = vote
        self.cast[acceptor][accept.slot].add(vote)

    @action
    def execute(self, replica: Replica, accept: Accept) -> None:
        """A replica executes what is chosen in the next slot."""
        require(accept in self.accepts)
        next_slot = self.next_slot[replica]
        require(accept.slot == next_slot or (self.gap_skip and accept.slot > next_slot))
        require(self.chosen_at(accept.slot, Vote(accept.ballot, accept.entry)))
        self.executed[replica].append(accept.entry)
        self.next_slot[replica] = accept.slot + 1

    # What the steps are made of

    def leads(self, ballot: int, slot: int, quorum: Set[Acceptor]) -> bool:
        """The quorum has promised the ballot, and its leader has not asked for the slot yet."""
        return (
            is_quorum(quorum, self.acceptors)
            and 2 * (len(quorum) - 1) <= len(self.acceptors)
            and not self.asked(ballot, slot)
            and all(
                any(p.sender == acceptor and p.ballot == ballot for p in self.promises)
                for acceptor in quorum
            )
        )

    def asked(self, ballot: int, slot: int) -> bool:
        """The leader has asked for votes in the slot."""
        return any(a.ballot == ballot and a.slot == slot for a in self.accepts)

    def reported(self, ballot: int, slot: int, acceptor: Acceptor) -> int:
        """The ballot of the vote that the acceptor's promise reports in the slot, -1 for none."""
        return max(
            (
                self.ballot_of(p.votes[slot])
                for p in self.promises
                if p.sender == acceptor and p.ballot == ballot
            ),
            default=-1,
        )

    def ballot_of(self, vote: Vote | None) -> int:
        """The ballot of a vote, -1 where there is none."""
        return -1 if vote is None else vote.ballot

    def reported_above(self, ballot: int, slot: int, quorum: Set[Acceptor]) -> bool:
        """The quorum reports a vote in a later slot."""
        return any(
            self.reported(ballot, later, acceptor) >= 0
            for later in range(slot + 1, self.slots)
            for acceptor in quorum
        )

    def free(self, ballot: int, slot: int, quorum: Set[Acceptor]) -> bool:
        """As far as the leader goes by its promises, nothing can be chosen in the slot."""
        if self.repropose_highest_only and self.reported_above(ballot, slot, quorum):
            return True
        return all(self.reported(ballot, slot, acceptor) < 0 for acceptor in quorum)

    def dealt_with(self, ballot: int, slot: int, quorum: Set[Acceptor]) -> bool:
        """The leader has asked for the slot, or, with the flaw, leaves it to be a gap."""
        if self.asked(ballot, slot):
            return True
        return self.gap_never_filled and self.reported_above(ballot, slot, quorum)

    def chosen_at(self, slot: int, vote: Vote) -> bool:
        """A quorum has cast this vote in the slot."""
        return is_quorum({a for a in self.acceptors if vote in self.cast[a][slot]}, self.acceptors)

    def is_chosen(self, slot: int, entry: Entry) -> bool:
        """The entry is chosen in the slot, in some ballot."""
        return any(self.chosen_at(slot, Vote(ballot, entry)) for ballot in range(self.ballots))

    def asked_entries(self, slot: int) -> Set[Entry]:
        """All that was ever asked for in the slot."""
        return {accept.entry for accept in self.accepts if accept.slot == slot}

    # What holds

    @invariant
    def agreement(self) -> bool:
        """In every slot, only a single entry is chosen."""
        return all(
            entry == other or not (self.is_chosen(slot, entry) and self.is_chosen(slot, other))
            for slot in range(self.slots)
            for entry in self.asked_entries(slot)
            for other in self.asked_entries(slot)
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
        return all(len(self.executed[r]) == self.next_slot[r] for r in self.replicas)

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
        return all(self.next_slot[replica] == self.slots for replica in self.replicas)

    @witness
    def gap_filled(self) -> bool:
        """A no-op is chosen below a command."""
        return any(
            self.is_chosen(slot, Entry(None))
            and any(
                entry != Entry(None) and self.is_chosen(later, entry)
                for later in range(slot + 1, self.slots)
                for entry in self.asked_entries(later)
            )
            for slot in range(self.slots)
        )

    @witness
    def chosen_by_a_later_leader(self) -> bool:
        """An entry that an earlier leader asked for is chosen in a later ballot, and only there."""
        return any(
            accept.ballot > earlier.ballot
            and accept.slot == earlier.slot
            and accept.entry == earlier.entry
            and self.chosen_at(accept.slot, Vote(accept.ballot, accept.entry))
            and not self.chosen_at(accept.slot, Vote(earlier.ballot, accept.entry))
            for accept in self.accepts
            for earlier in self.accepts
        )

    @witness
    def all_executed(self) -> bool:
        """All replicas have executed all slots."""
        return all(self.next_slot[replica] == self.slots for replica in self.replicas)

"""Voting: acceptors vote in ballots, and a value that a quorum votes for is chosen."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    Spec,
    action,
    between,
    each,
    empty,
    is_quorum,
    parameter,
    record,
    refines,
    require,
)
from ..consensus.spec import Consensus, Value

Ballot = Annotated[int, between(0, "ballots - 1")]
BallotOrNone = Annotated[int, between(-1, "ballots - 1")]  # -1: none yet


class Acceptor(Node):
    """A process that votes."""


@record
class Vote:
    """A vote for a value in a ballot."""

    ballot: Ballot
    value: Value


class Voting(Spec):
    """Acceptors vote for values that are safe, in ballots they have not left behind.

    The module Voting of tlaplus/Examples, the idea behind Lamport, 'Paxos Made Simple' (2001),
    section 2.2. How an acceptor comes to know the votes of the others is left out: a vote reads
    them all. Quorums are the majorities.
    """

    acceptors: Nodes[Acceptor]
    values: Nodes[Value]
    ballots: int = parameter(2, at_least=1, at_most=8)

    votes: Map[Acceptor, Set[Vote]] = each(empty())  # the votes that each has cast
    max_bal: Map[Acceptor, BallotOrNone] = each(-1)  # below this, it casts no more votes

    @action
    def increase_max_bal(self, acceptor: Acceptor, ballot: Ballot) -> None:
        """An acceptor leaves the ballots below `ballot` behind."""
        require(ballot > self.max_bal[acceptor])
        self.max_bal[acceptor] = ballot

    @action
    def vote_for(self, acceptor: Acceptor, ballot: Ballot, value: Value) -> None:
        """An acceptor votes, once a ballot, as others have in that ballot, for what is safe."""
        require(self.max_bal[acceptor] <= ballot)
        require(self.did_not_vote_at(acceptor, ballot))
        require(
            all(
                vote.value == value
                for other in self.acceptors
                for vote in self.votes[other]
                if vote.ballot == ballot
            )
        )
        require(self.some_quorum_shows_safe_at(ballot, value))
        self.votes[acceptor].add(Vote(ballot, value))
        self.max_bal[acceptor] = ballot

    def voted_for(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """The acceptor has voted for the value in the ballot."""
        return Vote(ballot, value) in self.votes[acceptor]

    def did_not_vote_at(self, acceptor: Acceptor, ballot: int) -> bool:
        """The acceptor has cast no vote in the ballot."""
        return all(vote.ballot != ballot for vote in self.votes[acceptor])

    def chosen_at(self, ballot: int, value: Value) -> bool:
        """A quorum has voted for the value in the ballot."""
        voters = {a for a in self.acceptors if self.voted_for(a, ballot, value)}
        return is_quorum(voters, self.acceptors)

    def some_quorum_shows_safe_at(self, ballot: int, value: Value) -> bool:
        """A quorum that votes below `ballot` no more shows that no other value is chosen there.

        Its last votes below `ballot` were for this value, or it never voted: ShowsSafeAt.
        """
        return any(
            self.shows_safe_at(self.silent(last, ballot), last, value) for last in range(-1, ballot)
        )

    def silent(self, last: int, ballot: int) -> Set[Acceptor]:
        """The acceptors that cast no vote between the two ballots, and never will."""
        return {
            a
            for a in self.acceptors
            if self.max_bal[a] >= ballot
            and all(self.did_not_vote_at(a, skipped) for skipped in range(last + 1, ballot))
        }

    def shows_safe_at(self, silent: Set[Acceptor], last: int, value: Value) -> bool:
        """They are a quorum, and one of them voted for the value in `last`, if that is a ballot."""
        return is_quorum(silent, self.acceptors) and (
            last == -1 or any(self.voted_for(a, last, value) for a in silent)
        )

    def left_behind(self, acceptor: Acceptor, ballot: int) -> bool:
        """It votes in higher ballots only."""
        return self.max_bal[acceptor] > ballot

    def choosable(self) -> Set[Value]:
        """All values."""
        return self.values

    def proposed(self, value: Value) -> bool:
        """It may be voted for from the start."""
        return True

    def is_chosen(self, value: Value) -> bool:
        """A quorum has voted for it in some ballot."""
        return any(self.chosen_at(ballot, value) for ballot in range(self.ballots))

    @refines(Consensus)
    def consensus(self) -> Consensus:
        """The values that a quorum has voted for."""
        return Consensus(
            values=self.values, chosen={value for value in self.values if self.is_chosen(value)}
        )

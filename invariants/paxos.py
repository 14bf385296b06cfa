"""Paxos: what acceptors, their votes and the messages about them keep.

The inductive invariant of Lamport's proof, conjunct by conjunct, so that a failure names the one
that broke: `Inv` of the modules Paxos and Voting of tlaplus/Examples. What Voting says asks for the
methods of `Voters`; what Paxos adds, for those of `Messengers`. Type correctness is the business of
the language. Quorums are the majorities.

The properties ask a spec for the methods below and for nothing else. A vote counts for ever, as
does a message that was sent.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Set, invariant, is_quorum, step_property, witness
from ..models.consensus.spec import Value
from ..models.voting.spec import Acceptor


class Voters(Protocol):
    """A spec in which acceptors vote for values in ballots 0, 1, ... `ballots - 1`."""

    acceptors: Set[Acceptor]
    values: Set[Value]
    ballots: int

    def voted_for(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """Whether the acceptor has voted for the value in the ballot."""

    def left_behind(self, acceptor: Acceptor, ballot: int) -> bool:
        """Whether the acceptor has promised to vote in no ballot up to this one."""


class Messengers(Voters, Protocol):
    """One in which leaders of ballots and acceptors send messages."""

    def asked_for(self, ballot: int, value: Value) -> bool:
        """Whether an accept request (2a) has been sent for the value in the ballot."""

    def promised(self, acceptor: Acceptor, ballot: int) -> bool:
        """Whether the acceptor has sent a promise (1b) of the ballot."""

    def reported(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """Whether some promise of the acceptor names this as its last vote."""

    def last_vote(self, acceptor: Acceptor, ballot: int, value: Value) -> bool:
        """Whether the acceptor has this down as its last vote."""

    def takes_part(self, acceptor: Acceptor, ballot: int) -> bool:
        """Whether the highest ballot it has taken part in is this one or a later one."""

    def voted_since(self, acceptor: Acceptor, ballot: int) -> bool:
        """Whether what it has down is a vote in this ballot or a later one."""

    def reported_none_from(self, acceptor: Acceptor, ballot: int, first: int) -> bool:
        """Whether some promise of the ballot names no vote in `first` or later."""


def voted_at(spec: Voters, acceptor: Acceptor, ballot: int) -> bool:
    """The acceptor has voted in the ballot."""
    return any(spec.voted_for(acceptor, ballot, value) for value in spec.values)


def voters_for(spec: Voters, ballot: int, value: Value) -> Set[Acceptor]:
    """The acceptors that have voted for the value in the ballot."""
    return {a for a in spec.acceptors if spec.voted_for(a, ballot, value)}


def chosen_at(spec: Voters, ballot: int, value: Value) -> bool:
    """ChosenAt: a quorum has voted for the value in the ballot."""
    return is_quorum(voters_for(spec, ballot, value), spec.acceptors)


def none_other_choosable_at(spec: Voters, ballot: int, value: Value) -> bool:
    """NoneOtherChoosableAt: a quorum voted for the value in the ballot or will not vote in it."""
    return is_quorum(
        {
            a
            for a in spec.acceptors
            if spec.voted_for(a, ballot, value)
            or (spec.left_behind(a, ballot) and not voted_at(spec, a, ballot))
        },
        spec.acceptors,
    )


def safe_at(spec: Voters, ballot: int, value: Value) -> bool:
    """SafeAt: no other value has been or will be chosen below the ballot."""
    return all(none_other_choosable_at(spec, earlier, value) for earlier in range(ballot))


def silent_since(spec: Voters, last: int, ballot: int) -> Set[Acceptor]:
    """The acceptors that vote below `ballot` no more, and after `last` have not."""
    return {
        a
        for a in spec.acceptors
        if all(spec.left_behind(a, earlier) for earlier in range(ballot))
        and not any(voted_at(spec, a, later) for later in range(last + 1, ballot))
    }


def shown_safe_by(spec: Voters, quorum: Set[Acceptor], last: int, value: Value) -> bool:
    """They are a quorum; one voted for the value in `last`, or that is no ballot."""
    return is_quorum(quorum, spec.acceptors) and (
        last == -1 or any(spec.voted_for(a, last, value) for a in quorum)
    )


def shows_safe_at(spec: Voters, ballot: int, value: Value) -> bool:
    """ShowsSafeAt, of some quorum: its last votes below the ballot were for the value, or none."""
    return any(
        shown_safe_by(spec, silent_since(spec, last, ballot), last, value)
        for last in range(-1, ballot)
    )


@invariant
def votes_safe(spec: Voters) -> bool:
    """VotesSafe: a value that is voted for in a ballot is safe at that ballot."""
    return all(
        safe_at(spec, ballot, value) or len(voters_for(spec, ballot, value)) == 0
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def one_value_per_ballot(spec: Voters) -> bool:
    """OneValuePerBallot: all votes of a ballot are for the same value."""
    return all(
        value == other
        or len(voters_for(spec, ballot, value)) == 0
        or len(voters_for(spec, ballot, other)) == 0
        for ballot in range(spec.ballots)
        for value in spec.values
        for other in spec.values
    )


@step_property
def votes_are_kept(spec: Voters, after: Voters) -> bool:
    """P1a: nobody votes in a ballot that it has promised to leave alone."""
    return all(
        spec.voted_for(a, ballot, value)
        or not (spec.left_behind(a, ballot) and after.voted_for(a, ballot, value))
        for a in spec.acceptors
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def last_vote_was_cast(spec: Messengers) -> bool:
    """What an acceptor has down as its last vote is a vote that it has cast."""
    return all(
        spec.voted_for(a, ballot, value) or not spec.last_vote(a, ballot, value)
        for a in spec.acceptors
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def promises_are_kept(spec: Messengers) -> bool:
    """Whoever has promised a ballot has left all below it behind."""
    return all(
        not spec.promised(a, ballot)
        or all(spec.left_behind(a, earlier) for earlier in range(ballot))
        for a in spec.acceptors
        for ballot in range(spec.ballots)
    )


@invariant
def reported_votes_were_cast(spec: Messengers) -> bool:
    """A vote that a promise reports has been cast."""
    return all(
        spec.voted_for(a, ballot, value) or not spec.reported(a, ballot, value)
        for a in spec.acceptors
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def requests_are_shown_safe(spec: Messengers) -> bool:
    """P2c: of the value that an accept request is for, some quorum shows that it is safe."""
    return all(
        shows_safe_at(spec, ballot, value) or not spec.asked_for(ballot, value)
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def one_request_per_ballot(spec: Messengers) -> bool:
    """All accept requests of a ballot are for the same value."""
    return all(
        value == other or not (spec.asked_for(ballot, value) and spec.asked_for(ballot, other))
        for ballot in range(spec.ballots)
        for value in spec.values
        for other in spec.values
    )


@invariant
def votes_were_asked_for(spec: Messengers) -> bool:
    """Acceptors vote for nothing but what an accept request of the ballot is for."""
    return all(
        spec.asked_for(ballot, value) or len(voters_for(spec, ballot, value)) == 0
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def voters_take_part(spec: Messengers) -> bool:
    """Whoever has voted in a ballot takes part in no lower one."""
    return all(
        spec.takes_part(a, ballot) or not spec.voted_for(a, ballot, value)
        for a in spec.acceptors
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def no_vote_is_forgotten(spec: Messengers) -> bool:
    """Nobody has voted in a ballot later than that of the last vote it has down."""
    return all(
        spec.voted_since(a, ballot) or not spec.voted_for(a, ballot, value)
        for a in spec.acceptors
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@invariant
def promises_report_the_last_vote(spec: Messengers) -> bool:
    """Between the vote that a promise names and the ballot promised, the acceptor did not vote."""
    return all(
        not (spec.reported_none_from(a, ballot, earlier) and spec.voted_for(a, earlier, value))
        for a in spec.acceptors
        for ballot in range(spec.ballots)
        for earlier in range(ballot)
        for value in spec.values
    )


@invariant
def no_other_is_choosable(spec: Messengers) -> bool:
    """Below a ballot with an accept request, no quorum voted, or still may, for another value.

    It follows from P2c and lasts: what makes agreement inductive, without a search for the quorum
    that once showed the value to be safe (Padon, Losa, Sagiv and Shoham, 'Paxos Made EPR', 2017).
    """
    return all(
        value == other
        or not spec.asked_for(ballot, value)
        or not is_quorum(may_vote_for(spec, earlier, other), spec.acceptors)
        for ballot in range(spec.ballots)
        for earlier in range(ballot)
        for value in spec.values
        for other in spec.values
    )


def may_vote_for(spec: Voters, ballot: int, value: Value) -> Set[Acceptor]:
    """The acceptors that have voted for the value in the ballot, or have not left it behind."""
    return {
        a
        for a in spec.acceptors
        if spec.voted_for(a, ballot, value) or not spec.left_behind(a, ballot)
    }


@witness
def chosen_after_first_vote(spec: Voters) -> bool:
    """A value is chosen in a later ballot than the first in which it got votes."""
    return any(
        chosen_at(spec, ballot, value)
        and any(
            len(voters_for(spec, earlier, value)) > 0 and not chosen_at(spec, earlier, value)
            for earlier in range(ballot)
        )
        for ballot in range(spec.ballots)
        for value in spec.values
    )


@witness
def outvoted(spec: Voters) -> bool:
    """A value is chosen although an earlier ballot had votes for another."""
    return any(
        chosen_at(spec, ballot, value)
        and value != other
        and any(len(voters_for(spec, earlier, other)) > 0 for earlier in range(ballot))
        for ballot in range(spec.ballots)
        for value in spec.values
        for other in spec.values
    )


@witness
def chosen_twice(spec: Voters) -> bool:
    """A value is chosen in two ballots: whoever comes later proposes it again."""
    return any(
        chosen_at(spec, ballot, value)
        and any(chosen_at(spec, earlier, value) for earlier in range(ballot))
        for ballot in range(spec.ballots)
        for value in spec.values
    )

"""Raft's elections: Election Safety, and an inductive invariant for it.

Ongaro and Ousterhout, 'In Search of an Understandable Consensus Algorithm (Extended Version)'
(2014), Figure 3 and section 5.2. The properties ask a spec for the names below and for nothing
else; votes and leaders are histories, from which nothing is taken away.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Map, Node, Nodes, Set, invariant, is_quorum, witness
from ..models.raft_election.spec import Leader, Vote


class Electing(Protocol):
    """A spec in which servers vote in terms, and are elected."""

    servers: Nodes
    current_term: Map[Node, int]
    has_voted: Map[Node, bool]
    votes: Set[Vote]
    leaders: Set[Leader]


@invariant
def election_safety(spec: Electing) -> bool:
    """Election Safety: at most one leader can be elected in a given term (5.2)."""
    return all(
        leader.server == other.server
        for leader in spec.leaders
        for other in spec.leaders
        if leader.term == other.term
    )


@invariant
def one_vote_per_term(spec: Electing) -> bool:
    """A server votes for at most one candidate in a given term (5.2)."""
    return all(
        vote.candidate == other.candidate
        for vote in spec.votes
        for other in spec.votes
        if vote.voter == other.voter and vote.term == other.term
    )


@invariant
def votes_are_of_seen_terms(spec: Electing) -> bool:
    """A server has come at least as far as the terms that it has voted in."""
    return all(vote.term <= spec.current_term[vote.voter] for vote in spec.votes)


@invariant
def votes_are_remembered(spec: Electing) -> bool:
    """A server that has voted in its current term knows that it has."""
    return all(
        spec.has_voted[vote.voter]
        for vote in spec.votes
        if vote.term == spec.current_term[vote.voter]
    )


@invariant
def leaders_have_a_majority(spec: Electing) -> bool:
    """A leader has the votes of a majority, in its term."""
    return all(
        is_quorum(
            {v for v in spec.servers if Vote(leader.term, v, leader.server) in spec.votes},
            spec.servers,
        )
        for leader in spec.leaders
    )


@witness
def two_leaders(spec: Electing) -> bool:
    """Two terms have leaders, and they are different servers."""
    return any(
        leader.term != other.term and leader.server != other.server
        for leader in spec.leaders
        for other in spec.leaders
    )


@witness
def elected_by_late_votes(spec: Electing) -> bool:
    """A server leads a term that all the others who voted for it have left behind."""
    return any(
        all(
            spec.current_term[vote.voter] > leader.term
            for vote in spec.votes
            if vote.term == leader.term
            and vote.candidate == leader.server
            and vote.voter != leader.server
        )
        for leader in spec.leaders
        if spec.current_term[leader.server] == leader.term
    )


@witness
def split_vote(spec: Electing) -> bool:
    """Two candidates have votes in the same term."""
    return any(
        vote.term == other.term and vote.candidate != other.candidate
        for vote in spec.votes
        for other in spec.votes
    )

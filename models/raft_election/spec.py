"""Raft's elections by themselves: terms, votes and majorities."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    Nodes,
    Set,
    Spec,
    between,
    deliver,
    durable,
    each,
    empty,
    flaw,
    is_quorum,
    parameter,
    record,
    require,
    restart,
    timeout,
)

Term = Annotated[int, between(0, "max_term")]


@record
class Vote:
    """RequestVote's result, if the vote is granted: `voter` votes for `candidate` in `term`.

    A candidate's vote for itself is its request to all others, the RequestVote RPC.
    """

    term: Term
    voter: Node
    candidate: Node


@record
class Leader:
    """A server that was elected, and its term."""

    term: Term
    server: Node


class RaftElection(Spec):
    """Servers vote, once a term; who has the votes of a majority leads the term.

    Ongaro and Ousterhout, 'In Search of an Understandable Consensus Algorithm (Extended Version)'
    (2014), sections 5.1 and 5.2; numbers are its sections. The paper increments currentTerm; of
    terms, only the order is used here, so a candidate may leave some out. Left out: logs, so a vote
    may be refused for no reason (5.4.1); roles, since whoever stops being a candidate just does not
    count its votes; losing messages (one that is not received is as good as lost).
    """

    servers: Nodes
    max_term: int = parameter(2, at_least=1, at_most=15)

    vote_not_persisted: bool = flaw("R01: a restarted server may vote again")
    vote_not_recorded: bool = flaw("R04: a vote for another is not recorded")
    stale_vote_reply_accepted: bool = flaw("R07: a vote of an earlier term counts")
    majority_half: bool = flaw("R09: half of the servers count as a majority")

    current_term: Map[Node, Term] = durable(each(0))  # the latest term that each has seen
    has_voted: Map[Node, bool] = durable(each(False))  # votedFor: whether it has, in that term
    votes: Set[Vote] = empty()  # all that were ever sent
    leaders: Set[Leader] = empty()  # all that were ever elected

    @timeout
    def time_out(self, server: Node, term: Term) -> None:
        """A server begins a later term, votes for itself, and asks all others (5.2)."""
        require(term > self.current_term[server])
        self.current_term[server] = term
        self.has_voted[server] = True
        self.votes.add(Vote(term, server, server))

    @deliver
    def see_term(self, server: Node, term: Term) -> None:
        """A server hears of a later term from whoever is in it (5.1). It has no vote there yet."""
        require(term > self.current_term[server])
        require(any(self.current_term[other] >= term for other in self.servers))
        self.current_term[server] = term
        self.has_voted[server] = False

    @deliver
    def vote(self, server: Node, candidate: Node, term: Term) -> None:
        """A server votes for a candidate that asks, if it has not voted in the term (5.2)."""
        require(Vote(term, candidate, candidate) in self.votes)
        require(
            term > self.current_term[server]
            or (term == self.current_term[server] and not self.has_voted[server])
        )
        self.current_term[server] = term
        self.has_voted[server] = not self.vote_not_recorded
        self.votes.add(Vote(term, server, candidate))

    @deliver
    def become_leader(self, server: Node) -> None:
        """A candidate has received votes from a majority for its term, and leads it (5.2)."""
        require(Vote(self.current_term[server], server, server) in self.votes)
        require(self.is_majority(self.voters_for(server)))
        self.leaders.add(Leader(self.current_term[server], server))

    @restart
    def restart_server(self, server: Node) -> None:
        """A server crashes and starts again: currentTerm and votedFor are as they were (5.1)."""
        if self.vote_not_persisted:
            self.has_voted[server] = False

    def voters_for(self, server: Node) -> Set[Node]:
        """Whose votes count for a candidate."""
        return {
            voter
            for voter in self.servers
            if Vote(self.current_term[server], voter, server) in self.votes
            or (
                self.stale_vote_reply_accepted
                and any(vote.voter == voter and vote.candidate == server for vote in self.votes)
            )
        }

    def is_majority(self, group: Set[Node]) -> bool:
        """They are more than half of the servers; with R09, the others are not."""
        if self.majority_half:
            return not is_quorum(self.servers - group, self.servers)
        return is_quorum(group, self.servers)

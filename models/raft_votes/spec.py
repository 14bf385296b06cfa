"""Raft that remembers all votes, so that its elections can be held against raft-election."""

from __future__ import annotations

from ...language import Node, Set, deliver, empty, refines, timeout
from ..raft.spec import Raft, RequestVote
from ..raft_election.spec import Leader, RaftElection, Vote


class RaftVotes(Raft):
    """Raft, and a history of the votes that were ever granted: it refines raft-election.

    A server keeps the vote of its current term only, and a leader forgets who voted for it; what
    makes Election Safety true is in votes that nobody knows of any more. The history is written and
    never read: taken away, what is left are the runs of Raft.
    """

    votes_granted: Set[Vote] = empty()  # all of them, votes of candidates for themselves too

    @timeout
    def time_out(self, server: Node) -> None:
        """An election starts, with the candidate's vote for itself (5.2)."""
        super().time_out(server)
        self.votes_granted.add(Vote(self.current_term[server], server, server))

    @deliver
    def receive_request_vote(self, message: RequestVote) -> None:
        """A vote is granted, or granted again, or not (5.2, 5.4.1)."""
        super().receive_request_vote(message)
        voter = message.to
        if (
            self.current_term[voter] == message.term
            and self.voted_for[voter] is not None
            and self.voted_for[voter] == message.sender
        ):
            self.votes_granted.add(Vote(message.term, voter, message.sender))

    @refines(RaftElection)
    def election(self) -> RaftElection:
        """Terms, votes and who was elected; logs, messages and roles are left out."""
        return RaftElection(
            servers=self.servers,
            max_term=self.max_term,
            current_term={server: self.current_term[server] for server in self.servers},
            has_voted={server: self.voted_for[server] is not None for server in self.servers},
            votes=Set(self.votes_granted),
            leaders={
                Leader(term, server)
                for term in range(self.max_term + 1)
                for server in self.elected[term]
            },
        )

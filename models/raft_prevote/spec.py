"""Raft with PreVote: nobody begins a term in which it could not be elected."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    Set,
    assume,
    at_most,
    crash,
    deliver,
    drop,
    each,
    empty,
    flaw,
    parameter,
    record,
    require,
    step_property,
    step_witness,
    timeout,
    volatile,
)
from ..raft.spec import Message, Raft, RequestVote, Term


@record
class PreVote:
    """Would the receiver grant this request, whose term its sender has not begun?"""

    request: RequestVote


@record
class PreVoteReply:
    """It would, in `term`; or it would not, and its own term is `term`."""

    sender: Node
    to: Node
    term: Term
    vote_granted: bool


PreVoteMessage = PreVote | PreVoteReply


def receiver(message: PreVoteMessage) -> Node:
    """Whom a message goes to."""
    return message.request.to if isinstance(message, PreVote) else message.to


class RaftPreVote(Raft):
    """A server asks whether it would be elected before it increments its term.

    Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 9.6. Off (`pre_vote`), this
    is Raft. On, `time_out` asks, and the answer of a majority does what `time_out` does there.

    Left out: time. A server that has heard from a leader refuses pre-votes, whatever term it has
    seen since, until its own election timeout, which may come at any moment. The new messages
    travel in a set of their own, with a bound of their own: the order of messages means nothing.
    """

    pre_vote: bool = parameter(False)
    max_pre_votes: int = parameter(0, at_least=0, at_most=24)  # PreVote and replies in flight

    prevote_reply_low_term_dropped: bool = flaw(
        "R14: a granted pre-vote carries the voter's term, and is dropped where that is lower"
    )
    leader_grants_prevote: bool = flaw("R15: a leader grants pre-votes")
    low_prevote_ignored: bool = flaw(
        "etcd#8501: a pre-vote for a term that is not newer gets no answer"
    )

    @assume
    def pre_votes_have_room(self) -> bool:
        """PreVote needs max_pre_votes above 0: the questions and answers in flight."""
        return not self.pre_vote or self.max_pre_votes > 0

    # Volatile state: who would vote (empty: not asked), and whether there is a leader to keep
    pre_votes: Map[Node, Set[Node]] = volatile(each(empty()))
    hears_leader: Map[Node, bool] = volatile(each(False))

    polls: Annotated[Set[PreVoteMessage], at_most("max_pre_votes")] = empty()

    @timeout
    def time_out(self, server: Node) -> None:
        """A follower or candidate hears from no leader, and asks for pre-votes (9.6)."""
        if self.pre_vote:
            self.ask_for_pre_votes(server)
        else:
            super().time_out(server)

    @deliver
    def receive_pre_vote(self, message: PreVote) -> None:
        """A server grants what it could vote for, if it hears from no leader (9.6)."""
        self.take_poll(message)
        request = message.request
        server = request.to
        require(self.up[server])
        newer = request.term > self.current_term[server]
        granted = newer and not self.has_leader(server) and self.up_to_date(server, request)
        low = not granted or self.prevote_reply_low_term_dropped
        term = self.current_term[server] if low else request.term
        if newer or not self.low_prevote_ignored:
            self.poll(PreVoteReply(server, request.sender, term, granted))

    @deliver
    def receive_pre_vote_reply(self, message: PreVoteReply) -> None:
        """With the pre-votes of a majority, an election starts (9.6); a refusal tells a term."""
        self.take_poll(message)
        server = message.to
        require(self.up[server])
        if not message.vote_granted:
            self.see_term(server, message.term)
        elif len(self.pre_votes[server]) > 0 and self.answers(server, message):
            self.pre_votes[server].add(message.sender)
            self.campaign_if_electable(server)

    @crash
    def crash_node(self, node: Node) -> None:
        """A server crashes; if for good, what is on its way to it is lost."""
        super().crash_node(node)
        if self.is_gone(node):
            self.network = Set(m for m in self.network if m.to != node)
            self.polls = Set(m for m in self.polls if receiver(m) != node)

    @drop
    def lose_poll(self, message: PreVoteMessage) -> None:
        """The network loses a PreVote or its reply."""
        require(message in self.polls)
        require(self.lossy)
        self.polls.discard(message)

    # What the steps are made of

    def ask_for_pre_votes(self, server: Node) -> None:
        """Ask all others about the next term; a candidate gives up, and no term or vote changes."""
        require(self.up[server])
        require(not self.leads(server))
        require(self.current_term[server] < self.max_term)
        self.become_follower(server)
        self.pre_votes[server] = {server}
        self.hears_leader[server] = False
        for peer in self.peers(server):
            self.poll(
                PreVote(
                    RequestVote(
                        sender=server,
                        to=peer,
                        term=self.current_term[server] + 1,
                        last_log_index=len(self.log[server]),
                        last_log_term=self.last_log_term(server),
                    )
                )
            )
        self.campaign_if_electable(server)

    def campaign_if_electable(self, server: Node) -> None:
        """Start the election that a majority would grant."""
        if self.has_quorum(server, self.pre_votes[server]):
            self.pre_votes[server] = empty()
            super().time_out(server)

    def has_leader(self, server: Node) -> bool:
        """Whether there is a leader that the server wants to keep: it hears from it, or is it."""
        if self.leads(server):
            return not self.leader_grants_prevote
        return self.hears_leader[server]

    def answers(self, server: Node, message: PreVoteReply) -> bool:
        """Whether a granted pre-vote is for the term that the server would begin."""
        if self.prevote_reply_low_term_dropped:
            return message.term >= self.current_term[server]
        return message.term == self.current_term[server] + 1

    def follow(self, server: Node) -> None:
        """Who accepts AppendEntries has a leader to keep."""
        super().follow(server)
        self.hears_leader[server] = self.pre_vote

    def become_follower(self, server: Node) -> None:
        """A follower asks nobody."""
        super().become_follower(server)
        self.pre_votes[server] = empty()

    def poll(self, message: PreVoteMessage) -> None:
        """Put a message into the network; not possible without room."""
        if not self.is_gone(receiver(message)):
            require(message in self.polls or len(self.polls) < self.max_pre_votes)
            self.polls.add(message)

    def send(self, message: Message) -> None:
        """Put a message into the network; not possible without room."""
        if not self.is_gone(message.to):
            super().send(message)

    def is_gone(self, server: Node) -> bool:
        """Whether a server will never receive: messages to it take no room in the network."""
        return self.pre_vote and self.crash_stop and not self.up[server]

    def take_poll(self, message: PreVoteMessage) -> None:
        """Take a message out of the network; not possible unless it is there."""
        require(message in self.polls)
        if not self.duplicating:
            self.polls.discard(message)

    # Properties of this option

    @step_property
    def leader_grants_none(self, after: RaftPreVote) -> bool:
        """A leader grants no pre-vote: there is a leader, itself (9.6)."""
        return all(
            message in self.polls
            or not isinstance(message, PreVoteReply)
            or not message.vote_granted
            or not self.leads(message.sender)
            for message in after.polls
        )

    @step_witness
    def leader_is_kept(self, after: RaftPreVote) -> bool:
        """A server with a leader refuses a pre-vote that a log would have deserved (9.6)."""
        return any(
            isinstance(message, PreVote)
            and (self.duplicating or message not in after.polls)
            and message.request.term > self.current_term[message.request.to]
            and self.has_leader(message.request.to)
            and self.up_to_date(message.request.to, message.request)
            and self.refuses(message.request, after)
            for message in self.polls
        )

    def refuses(self, request: RequestVote, after: RaftPreVote) -> bool:
        """Whether a step answers a request for a pre-vote with a refusal."""
        server = request.to
        refusal = PreVoteReply(server, request.sender, self.current_term[server], False)
        return refusal in after.polls and refusal not in self.polls

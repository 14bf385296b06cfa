"""Leader election: sections 5.2 and 5.4.1; pre-votes and refusals are the dissertation's."""

from __future__ import annotations

from .events import Timer
from .messages import NoOp, RequestVote, RequestVoteReply, TimeoutNow
from .options import Flaw
from .replication import append, greet
from .server import Progress, Role, Server


def time_out(server: Server) -> None:
    """No leader has been heard for an election time-out: begin an election, or ask first (9.6)."""
    server.leader = None
    server.quiet_until = None
    if not _may_campaign(server):
        server.set_timer(Timer.ELECTION)
    elif server.options.pre_vote:
        _ask_first(server)
    else:
        campaign(server)


def campaign(server: Server, *, transfer: bool = False) -> None:
    """5.2: increment currentTerm, vote for self, reset the timer, ask all others for votes."""
    server.become_follower(None)
    server.role = Role.CANDIDATE
    server.current_term += 1
    server.vote_for(server.name)
    server.votes = (server.name,)
    server.set_timer(Timer.ELECTION)
    _request_votes(server, server.current_term, transfer=transfer)
    _lead_if_elected(server)


def _ask_first(server: Server) -> None:
    """9.6: nothing durable changes until a majority would vote for us."""
    server.role = Role.PRE_CANDIDATE
    server.votes = (server.name,)
    server.set_timer(Timer.ELECTION)
    _request_votes(server, server.current_term + 1, pre_vote=True)
    _campaign_if_welcome(server)


def _may_campaign(server: Server) -> bool:
    """Whether this server may be needed as leader, and knows no later configuration committed.

    4.2.2: one that is not in its configuration is needed until that is committed, because others
    may lack the entry, and then it does not vote for them.
    """
    pending = any(index > server.commit_index for index, _ in server.log.configurations)
    if server.name not in server.configuration.members and not pending:
        return False
    if not server.options.configuration_at_apply:
        return True
    if server.has_flaw(Flaw.CONFIG_AT_APPLY_TIME_WITHOUT_GUARD):
        return True
    return not any(
        server.last_applied < index <= server.commit_index for index, _ in server.log.configurations
    )


def _request_votes(
    server: Server, term: int, *, pre_vote: bool = False, transfer: bool = False
) -> None:
    request = RequestVote(term, server.log.last_index, server.last_log_term, pre_vote, transfer)
    for peer in server.peers:
        server.send(peer, request)


def on_request_vote(server: Server, sender: str, request: RequestVote) -> None:
    """RequestVote, receiver implementation (Figure 2)."""
    if request.pre_vote:
        _answer_pre_vote(server, sender, request)
        return
    if server.options.sticky and not request.transfer and _keeps_leader(server):
        # 4.2.3: neither the term nor the vote changes. AppendEntries of the leader will tell the
        # candidate if its term is old, and its answer the leader if it is newer.
        return
    server.see_term(request.term)
    # Step 1: a candidate of an old term gets no vote. Step 2: one vote a term, for a log that is
    # at least as up-to-date.
    granted = (
        request.term == server.current_term
        and server.voted_for in (None, sender)
        and _is_up_to_date(server, request)
    )
    if granted:
        if not server.has_flaw(Flaw.VOTE_NOT_RECORDED) and server.voted_for is None:
            server.vote_for(sender)
        server.set_timer(Timer.ELECTION)
    server.send(sender, RequestVoteReply(server.current_term, granted))


def _answer_pre_vote(server: Server, sender: str, request: RequestVote) -> None:
    newer = request.term > server.current_term
    if not newer and server.has_flaw(Flaw.LOW_PREVOTE_IGNORED):
        return
    careless = server.role is Role.LEADER and server.has_flaw(Flaw.LEADER_GRANTS_PREVOTE)
    kept = _keeps_leader(server) and not careless
    granted = newer and not kept and _is_up_to_date(server, request)
    # A grant speaks of the candidate's term: ours may be lower, and would look like an old one.
    low = server.has_flaw(Flaw.PREVOTE_REPLY_LOW_TERM_DROPPED)
    term = request.term if granted and not low else server.current_term
    server.send(sender, RequestVoteReply(term, granted, pre_vote=True))


def _keeps_leader(server: Server) -> bool:
    """Whether there is a leader to keep (4.2.3): it is heard from. A leader hears itself."""
    return server.role is Role.LEADER or server.hears_leader


def _is_up_to_date(server: Server, request: RequestVote) -> bool:
    """5.4.1: the later last term, or with the same last term the longer log."""
    if server.has_flaw(Flaw.NO_UPTODATE_CHECK):
        return True
    if server.has_flaw(Flaw.UPTODATE_BY_LENGTH_ONLY):
        return request.last_log_index >= server.log.last_index
    if server.has_flaw(Flaw.UPTODATE_BY_TERM_ONLY):
        return request.last_log_term >= server.log.last_term
    theirs = (request.last_log_term, request.last_log_index)
    return theirs >= (server.log.last_term, server.log.last_index)


def on_request_vote_reply(server: Server, sender: str, reply: RequestVoteReply) -> None:
    """Count a vote of this term, or a welcome to the next."""
    if reply.pre_vote and reply.vote_granted:
        _count_pre_vote(server, sender, reply)
        return
    server.see_term(reply.term)
    stale = reply.term != server.current_term
    if stale and not server.has_flaw(Flaw.STALE_VOTE_REPLY_ACCEPTED):
        return
    if server.role is Role.CANDIDATE and reply.vote_granted:
        _count(server, sender)
        _lead_if_elected(server)


def _count_pre_vote(server: Server, sender: str, reply: RequestVoteReply) -> None:
    if server.role is not Role.PRE_CANDIDATE:
        return
    if server.has_flaw(Flaw.PREVOTE_REPLY_LOW_TERM_DROPPED):
        fresh = reply.term >= server.current_term
    else:
        fresh = reply.term == server.current_term + 1
    if fresh:
        _count(server, sender)
        _campaign_if_welcome(server)


def _count(server: Server, sender: str) -> None:
    if sender not in server.votes or server.has_flaw(Flaw.DUPLICATE_VOTES_COUNTED):
        server.votes = (*server.votes, sender)


def _campaign_if_welcome(server: Server) -> None:
    if server.configuration.has_quorum(server.votes, server.options.flaws):
        campaign(server)


def _lead_if_elected(server: Server) -> None:
    """5.2: with the votes of a majority, become leader and say so."""
    if not server.configuration.has_quorum(server.votes, server.options.flaws):
        return
    server.role = Role.LEADER
    server.leader = server.name
    server.votes = ()
    next_index = server.log.last_index + 1
    server.progress = {peer: Progress(next_index) for peer in server.peers}
    server.active = set()
    server.round = 0
    server.round_began = {}
    server.lease_forfeited = False
    server.cancel_timer(Timer.ELECTION)
    server.set_timer(Timer.HEARTBEAT)
    if server.options.check_quorum:
        server.set_timer(Timer.QUORUM)
    if server.options.appends_no_op:
        append(server, NoOp())
    greet(server)


def on_timeout_now(server: Server, order: TimeoutNow) -> None:
    """3.10: the leader wants this server to lead: begin an election without waiting."""
    server.see_term(order.term)
    fresh = order.term == server.current_term and server.role is not Role.LEADER
    if fresh and _may_campaign(server):
        campaign(server, transfer=True)


def check_quorum(server: Server) -> None:
    """6.2: a leader that has not heard from a majority for an election time-out steps down."""
    heard = {*server.active, server.name}
    server.active = set()
    if server.configuration.has_quorum(heard, server.options.flaws):
        server.set_timer(Timer.QUORUM)
        return
    server.become_follower(None)
    if server.has_flaw(Flaw.STEPDOWN_SAME_TERM_CLEARS_VOTE):
        server.vote_for(None)

"""Scenarios in which flaws of elections show."""

from __future__ import annotations

from quorate.implementations.raft import (
    Flaw,
    Role,
    Timer,
)
from quorate.tests.implementations.raft.cluster import (
    APPENDS,
    ASKS,
    VOTES,
    Cluster,
)
from quorate.tests.implementations.raft.flaw_cases import shows


@shows(Flaw.VOTE_NOT_PERSISTED, {"1"}, {"1", "2"})
@shows(Flaw.TERM_NOT_PERSISTED, {"1"}, {"1", "2"})
def voter_restarts(c: Cluster) -> object:
    c.time_out(1)
    c.time_out(2)
    c.deliver(ASKS, 1, 3)
    c.restart(3)
    c.deliver(VOTES, 3, 1)
    c.vote(2, 3)
    return c.led[1]


@shows(Flaw.LEADER_SELF_VOTE_LOST, {"1"}, {"1", "2"})
def leader_restarts_and_votes(c: Cluster) -> object:
    c.elect(1, 3)
    c.restart(1)
    c.elect(2, 1)
    return c.led[1]


@shows(Flaw.VOTE_NOT_RECORDED, {"1"}, {"1", "2"})
def two_ask_one(c: Cluster) -> object:
    c.time_out(1)
    c.time_out(2)
    c.vote(1, 3)
    c.vote(2, 3)
    return c.led[1]


@shows(Flaw.STEPDOWN_SAME_TERM_CLEARS_VOTE, {"1"}, {"1", "2"}, options={"check_quorum": True})
def leader_without_quorum_is_asked(c: Cluster) -> object:
    c.elect(1, 3)
    c.time_out(1, Timer.QUORUM)
    assert c[1].role is Role.FOLLOWER
    c.elect(2, 1)
    return c.led[1]


@shows(Flaw.FOLLOWER_CLEARS_VOTE_ON_LEADER_DISCOVERY, {"1"}, {"1", "2"})
def follower_of_a_leader_is_asked(c: Cluster) -> object:
    c.elect(1, 3)
    c.heartbeat(1, 3)
    c.deliver(APPENDS, 1, 3)
    c.elect(2, 3)
    return c.led[1]


@shows(Flaw.STALE_VOTE_REPLY_ACCEPTED, {"2"}, {"1", "2"})
def vote_of_the_term_before(c: Cluster) -> object:
    c.time_out(1)
    old = c.take(ASKS, 1, 2)
    c.time_out(1)
    c.late(old, 1, 2)
    c.time_out(2)
    c.deliver(VOTES, 2, 1)
    c.vote(2, 3)
    return c.led[2]


@shows(Flaw.DUPLICATE_VOTES_COUNTED, {}, {1: {"1", "2"}}, servers=4)
def votes_come_twice(c: Cluster) -> object:
    for candidate, voter in ((1, 3), (2, 4)):
        c.time_out(candidate)
        c.deliver(ASKS, candidate, voter)
        c.deliver(VOTES, voter, candidate, keep=True)
        c.deliver(VOTES, voter, candidate)
    return c.led


@shows(Flaw.MAJORITY_HALF, {}, {1: {"1", "2"}}, servers=4)
def two_halves(c: Cluster) -> object:
    c.elect(1, 3)
    c.elect(2, 4)
    return c.led


@shows(Flaw.NO_UPTODATE_CHECK, (1, None), (1, {"2"}))
def candidate_without_the_committed_entry(c: Cluster) -> object:
    c.elect(1, 2)
    c.time_out(2)
    c.request(1, "e")
    c.copy(1, 3)
    c.vote(2, 3)
    return c[1].commit_index, c.led.get(2)


@shows(Flaw.UPTODATE_BY_LENGTH_ONLY, (1, None), (1, {"1"}))
def candidate_with_an_older_entry(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "a")
    c.elect(2, 3)
    c.request(2, "b")
    c.copy(2, 3)
    c.restart(1)
    c.time_out(1)
    c.forget()
    c.elect(1, 2)
    return c[2].commit_index, c.led.get(3)


@shows(Flaw.UPTODATE_BY_TERM_ONLY, (2, None), (2, {"3"}), options={"max_batch": 1})
def candidate_with_a_shorter_log(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "a")
    c.request(1, "b")
    c.copy(1, 3)
    c.copy(1, 2)
    c.copy(1, 2)
    committed = c[1].commit_index
    c.elect(3, 1)
    return committed, c.led.get(2)


@shows(Flaw.TERM_BUMP_KEEPS_VOTE, {"2"}, None)
def vote_of_a_past_term(c: Cluster) -> object:
    c.elect(1, 3)
    c.time_out(2)
    c.forget()
    c.elect(2, 3)
    return c.led.get(2)


@shows(Flaw.PREVOTE_REPLY_LOW_TERM_DROPPED, (2, None), (1, None), options={"pre_vote": True})
def welcome_from_an_older_term(c: Cluster) -> object:
    """S1 knows term 1; S3, which does not, is the only one that S1 can reach."""
    c.elect(2, 1)
    c.vote(2, 1)
    c.restart(2)
    c.elect(1, 3)
    return c[1].current_term, c.led.get(2)


@shows(Flaw.LEADER_GRANTS_PREVOTE, Role.PRE_CANDIDATE, Role.CANDIDATE, options={"pre_vote": True})
def leader_is_asked_whether_it_would(c: Cluster) -> object:
    c.elect(1, 2)
    c.vote(1, 2)
    assert c[1].role is Role.LEADER
    c.elect(2, 1)
    return c[2].role


@shows(Flaw.LOW_PREVOTE_IGNORED, [1], [], options={"pre_vote": True})
def who_asks_about_an_old_term_hears_of_the_newer(c: Cluster) -> object:
    c.elect(1, 2)
    c.vote(1, 2)
    c.time_out(3)
    c.deliver(ASKS, 3, 2)
    return [answer.term for sender, to, answer in c.flying if (sender, to) == ("2", "3")]


@shows(Flaw.CANDIDATE_FORGETS_VOTE, "2", None)
def candidate_finds_the_leader_of_its_term(c: Cluster) -> object:
    c.time_out(2)
    c.elect(1, 3)
    c.heartbeat(1, 2)
    c.deliver(APPENDS, 1, 2)
    return c[2].voted_for

"""What options add: sections of Ongaro's dissertation."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.implementations.raft import (
    AlreadyApplied,
    AppendEntries,
    AppendEntriesReply,
    Apply,
    ApplyCommitted,
    CancelTimer,
    ClientRequest,
    Clock,
    Command,
    Conflict,
    Entry,
    Message,
    NoOp,
    Options,
    Persist,
    Raft,
    Received,
    Replicate,
    RequestVote,
    RequestVoteReply,
    Role,
    TermRecord,
    TimedOut,
    TimeoutNow,
    Timer,
    TransferLeadership,
)
from quorate.tests.implementations.raft.cluster import (
    candidate,
    entry,
    follower,
    leader,
    of_kind,
    sends,
)

A, B, C = entry(1, "a"), entry(1, "b"), entry(1, "c")
ELECTION = TimedOut(Timer.ELECTION)


def role(core: Raft) -> Role:
    return core.role


# 9.6: pre-vote


def test_a_pre_vote_asks_for_the_next_term_and_changes_nothing_durable() -> None:
    core = follower(A, term=1, options=Options(pre_vote=True))
    effects = core.handle(ELECTION)
    request = RequestVote(2, 1, 1, pre_vote=True)
    assert sends(effects) == [("b", request), ("c", request)]
    assert not of_kind(effects, Persist)
    assert (core.role, core.current_term) == (Role.PRE_CANDIDATE, 1)


def test_with_a_majority_of_pre_votes_the_election_begins() -> None:
    core = follower(options=Options(pre_vote=True), voters="abcde")
    core.handle(ELECTION)
    welcome = RequestVoteReply(1, True, pre_vote=True)
    core.handle(Received("b", welcome))
    core.handle(Received("b", welcome))
    assert role(core) is Role.PRE_CANDIDATE
    core.handle(Received("c", welcome))
    assert (role(core), core.current_term, core.votes) == (Role.CANDIDATE, 1, ("a",))
    core.handle(Received("d", welcome))  # late: it is not a vote
    assert core.votes == ("a",)


def test_a_refused_pre_vote_tells_a_later_term() -> None:
    core = follower(options=Options(pre_vote=True))
    core.handle(ELECTION)
    core.handle(Received("b", RequestVoteReply(7, False, pre_vote=True)))
    assert (core.role, core.current_term) == (Role.FOLLOWER, 7)


@pytest.mark.parametrize(
    ("term", "index", "granted"), [(3, 1, True), (2, 1, False), (3, 0, False), (1, 9, False)]
)
def test_a_pre_vote_is_granted_for_a_later_term_and_an_up_to_date_log(
    term: int, index: int, granted: bool
) -> None:
    core = follower(A, term=2, options=Options(pre_vote=True))
    core.handle(Clock(500))  # the leader is silent for long
    request = RequestVote(term, index, 1 if index else 0, pre_vote=True)
    if not 0 <= request.last_log_term < term:
        request = RequestVote(term, index, 0, pre_vote=True)
    [(_, reply)] = sends(core.handle(Received("c", request)))
    assert reply == RequestVoteReply(term if granted else 2, granted, pre_vote=True)
    assert core.current_term == 2


def test_no_pre_vote_while_a_leader_is_heard() -> None:
    core = follower(A, term=1, options=Options(pre_vote=True))
    request = Received("c", RequestVote(2, 9, 1, pre_vote=True))
    assert sends(core.handle(request)) == [("c", RequestVoteReply(1, False, pre_vote=True))]
    core.handle(Clock(100))
    assert sends(core.handle(request)) == [("c", RequestVoteReply(2, True, pre_vote=True))]


# 6.2: a leader that hears from no majority


def test_a_leader_that_hears_from_a_majority_stays() -> None:
    core = leader(check_quorum=True)
    core.handle(Received("b", AppendEntriesReply(1, True, 0)))
    effects = core.handle(TimedOut(Timer.QUORUM))
    assert role(core) is Role.LEADER
    assert [effect.timer for effect in effects] == [Timer.QUORUM]  # type: ignore[union-attr]


def test_a_leader_that_hears_from_no_majority_steps_down_in_its_term() -> None:
    core = leader(check_quorum=True)
    effects = core.handle(TimedOut(Timer.QUORUM))
    assert (role(core), core.current_term, core.voted_for) == (Role.FOLLOWER, 1, "a")
    assert CancelTimer(Timer.HEARTBEAT) in effects
    assert not of_kind(effects, Persist)


# 4.2.3: no elections while a leader is heard


def asked(core: Raft, term: int, *, transfer: bool = False) -> list[tuple[str, Message]]:
    return sends(core.handle(Received("c", RequestVote(term, 9, 1, transfer=transfer))))


def test_who_hears_a_leader_takes_part_in_no_election() -> None:
    core = follower(A, term=2, options=Options(stickiness=True))
    core.handle(Clock(99))
    assert not asked(core, 9)
    assert core.current_term == 2
    core.handle(Clock(100))
    assert asked(core, 9) == [("c", RequestVoteReply(9, True))]


def test_a_newer_term_does_not_break_the_promise_to_a_leader() -> None:
    """A lease may rest on it: only time, or one's own time-out, ends it."""
    core = follower(A, term=2, options=Options(stickiness=True))
    core.handle(Received("c", RequestVoteReply(5, False)))
    assert (core.current_term, core.leader) == (5, None)
    assert not asked(core, 9)
    core.handle(ELECTION)
    assert asked(core, 9) == [("c", RequestVoteReply(9, True))]


def test_a_restart_does_not_break_the_promise_to_a_leader() -> None:
    options = Options(stickiness=True)
    core, _ = Raft.recover("a", "abc", [TermRecord(2, None)], options, now=1000)
    assert not asked(core, 9)
    core.handle(Clock(1100))
    assert asked(core, 9) == [("c", RequestVoteReply(9, True))]


def test_an_election_that_the_leader_wants_is_no_disturbance() -> None:
    core = follower(A, term=2, options=Options(stickiness=True))
    assert asked(core, 3, transfer=True) == [("c", RequestVoteReply(3, True))]


def test_a_leader_ignores_who_disturbs_until_it_hears_of_a_newer_term() -> None:
    core = leader(stickiness=True)
    assert not asked(core, 9)
    assert role(core) is Role.LEADER
    core.handle(Received("c", AppendEntriesReply(9, False, 0)))
    assert role(core) is Role.FOLLOWER


# 6.4: the empty entry


def test_a_leader_begins_its_term_with_an_empty_entry() -> None:
    core = candidate(no_op=True)
    effects = core.handle(Received("b", RequestVoteReply(1, True)))
    message = AppendEntries(1, 0, 0, (Entry(1, NoOp()),), 0)
    assert sends(effects) == [("b", message), ("c", message)]
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert core.commit_index == core.last_applied == 1
    assert not of_kind(effects, Apply)


# 6.3: a command is executed once


def test_a_command_that_is_in_the_log_twice_is_applied_once() -> None:
    core = leader(deduplicate=True)
    for _ in range(2):
        core.handle(ClientRequest(b"x", "client", 1))
    core.handle(ClientRequest(b"x", "other", 1))
    assert core.last_index == 3
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 3)))
    assert [e for e in effects if isinstance(e, Apply | AlreadyApplied)] == [
        Apply(1, Command(b"x", "client", 1)),
        AlreadyApplied("client", 1),
        Apply(3, Command(b"x", "other", 1)),
    ]


def test_a_command_that_was_applied_is_not_appended_again() -> None:
    core = leader(voters="a", deduplicate=True)
    core.handle(ClientRequest(b"x", "client", 1))
    assert core.handle(ClientRequest(b"x", "client", 1)) == (AlreadyApplied("client", 1),)
    assert core.handle(ClientRequest(b"old", "client", 0)) == (AlreadyApplied("client", 0),)
    assert core.last_index == 1


# Application on demand


def test_lazy_apply_takes_an_entry_at_a_time() -> None:
    core = follower(A, B, term=1, options=Options(lazy_apply=True))
    core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    assert (core.commit_index, core.last_applied) == (2, 0)
    assert len(of_kind(core.handle(ApplyCommitted()), Apply)) == 1
    assert core.last_applied == 1


# 5.3 and 10.2.2: batches, pipelines, hints


def test_a_batch_has_a_largest_size() -> None:
    core = leader(eager=False, max_batch=2)
    for data in (b"x", b"y", b"z"):
        assert not sends(core.handle(ClientRequest(data)))
    [(_, message)] = sends(core.handle(Replicate("b")))
    assert isinstance(message, AppendEntries)
    assert len(message.entries) == 2


def sizes(effects: tuple[Any, ...], to: str) -> list[tuple[int, int]]:
    return [
        (message.prev_log_index, len(message.entries))
        for peer, message in sends(effects)
        if peer == to and isinstance(message, AppendEntries)
    ]


def test_without_pipelining_an_answer_is_awaited() -> None:
    core = leader()
    assert sizes(core.handle(ClientRequest(b"x")), "b") == [(0, 1)]
    assert sizes(core.handle(ClientRequest(b"y")), "b") == []
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert sizes(effects, "b") == [(1, 1)]


def pipelined(window: int = 2) -> Raft:
    core = leader(max_in_flight=window, conflict_hints=True)
    core.handle(Received("b", AppendEntriesReply(1, True, 0)))
    return core


def test_a_pipeline_sends_ahead_of_the_answers_up_to_its_window() -> None:
    core = pipelined()
    found = [sizes(core.handle(ClientRequest(data)), "b") for data in (b"x", b"y", b"z")]
    assert found == [[(0, 1)], [(1, 1)], []]
    assert (core.next_index["b"], core.match_index["b"]) == (3, 0)
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert sizes(effects, "b") == [(2, 1)]


def test_a_pipeline_does_not_start_before_the_logs_have_met() -> None:
    core = leader(max_in_flight=2)
    assert sizes(core.handle(ClientRequest(b"x")), "b") == [(0, 1)]
    assert sizes(core.handle(ClientRequest(b"y")), "b") == []
    assert core.next_index["b"] == 1


def test_a_pipeline_falls_back_on_a_refusal() -> None:
    core = pipelined()
    for data in (b"x", b"y"):
        core.handle(ClientRequest(data))
    refusal = AppendEntriesReply(1, False, 0, Conflict(1, 0, 0))
    assert sizes(core.handle(Received("b", refusal)), "b") == [(0, 2)]
    assert core.next_index["b"] == 1


def test_a_pipeline_sends_again_what_nobody_answers() -> None:
    core = pipelined()
    core.handle(ClientRequest(b"x"))
    assert sizes(core.handle(TimedOut(Timer.HEARTBEAT)), "b") == [(1, 0)]
    assert sizes(core.handle(TimedOut(Timer.HEARTBEAT)), "b") == [(0, 1)]


def test_a_hint_skips_a_term_at_a_time() -> None:
    """5.3: the follower's entries of terms that the leader's log does not have there."""
    log = [entry(term, "x") for term in (1, 1, 2, 2, 2)]
    options = Options(conflict_hints=True)
    core = follower(*log, term=2, options=options)
    message = AppendEntries(4, 5, 3, (), 0)
    [(_, reply)] = sends(core.handle(Received("c", message)))
    assert reply == AppendEntriesReply(4, False, 0, Conflict(5, 5, 2))
    theirs = [entry(term, "x") for term in (1, 1, 1, 3, 3)]
    other = leader(*theirs, term=4, conflict_hints=True)
    [(_, retry)] = sends(other.handle(Received("b", reply)))
    assert isinstance(retry, AppendEntries)
    assert (retry.prev_log_index, retry.prev_log_term) == (3, 1)
    [(_, reply)] = sends(core.handle(Received("c", retry)))
    assert isinstance(reply, AppendEntriesReply)
    assert reply.conflict == Conflict(3, 2, 1)


def test_a_hint_of_a_short_log_goes_right_to_its_end() -> None:
    core = follower(A, options=Options(conflict_hints=True), term=1)
    [(_, reply)] = sends(core.handle(Received("b", AppendEntries(1, 500, 1, (), 0))))
    assert isinstance(reply, AppendEntriesReply)
    assert reply.conflict == Conflict(500, 1, 1)


# 3.10: transfer of leadership


def test_a_server_with_the_whole_log_is_told_to_begin_at_once() -> None:
    core = leader()
    core.handle(ClientRequest(b"x"))
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert sends(core.handle(TransferLeadership("b"))) == [("b", TimeoutNow(1))]


def test_a_server_that_lags_is_told_once_it_has_the_log() -> None:
    core = leader()
    core.handle(ClientRequest(b"x"))
    assert not sends(core.handle(TransferLeadership("b")))
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert ("b", TimeoutNow(1)) in sends(effects)


def test_who_is_told_begins_an_election_without_asking_first() -> None:
    core = follower(A, term=1, options=Options(pre_vote=True, stickiness=True))
    effects = core.handle(Received("b", TimeoutNow(1)))
    request = RequestVote(2, 1, 1, transfer=True)
    assert sends(effects) == [("b", request), ("c", request)]
    assert not sends(core.handle(Received("b", TimeoutNow(1))))  # a copy comes too late

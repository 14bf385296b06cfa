"""Figure 2 of the Raft paper, a test for each sentence; numbers are its sections."""

from __future__ import annotations

import pytest

from quorate.implementations.raft import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    Apply,
    CancelTimer,
    ClientRequest,
    EntriesRecord,
    Message,
    Persist,
    Raft,
    Received,
    RequestVote,
    RequestVoteReply,
    Role,
    Send,
    SetTimer,
    TermRecord,
    TimedOut,
    Timer,
)
from quorate.tests.implementations.raft.cluster import (
    candidate,
    command,
    entry,
    follower,
    image,
    leader,
    of_kind,
    sends,
)

A, B, C = entry(1, "a"), entry(1, "b"), entry(1, "c")
ELECTION = TimedOut(Timer.ELECTION)


def appended(core: Raft, *args: object, sender: str = "b") -> AppendEntriesReply:
    """What a server answers to AppendEntries."""
    message = AppendEntries(*args)  # type: ignore[arg-type]
    [(to, reply)] = sends(core.handle(Received(sender, message)))
    assert to == sender
    assert isinstance(reply, AppendEntriesReply)
    return reply


def voted(core: Raft, *args: object, sender: str = "c") -> RequestVoteReply:
    message = RequestVote(*args)  # type: ignore[arg-type]
    [(to, reply)] = sends(core.handle(Received(sender, message)))
    assert to == sender
    assert isinstance(reply, RequestVoteReply)
    return reply


# State


def test_state_at_first_boot() -> None:
    core, effects = Raft.recover("a", "abc", ())
    assert (core.current_term, core.voted_for, core.log) == (0, None, ())
    assert (core.commit_index, core.last_applied) == (0, 0)
    assert core.role is Role.FOLLOWER  # 5.2: servers start as followers
    assert effects == (SetTimer(Timer.ELECTION),)


def test_persistent_state_is_stored_before_responding_to_rpcs() -> None:
    effects = follower().handle(Received("b", AppendEntries(1, 0, 0, (A,), 0)))
    kinds = [type(effect) for effect in effects if isinstance(effect, Persist | Send)]
    assert kinds == [Persist, Persist, Send]
    assert all(effect.forced for effect in of_kind(effects, Persist))
    effects = follower().handle(Received("b", RequestVote(3, 0, 0)))
    kept = [effect for effect in effects if isinstance(effect, Persist | Send)]
    assert kept == [
        Persist(TermRecord(3, "b"), forced=True),
        Send("b", RequestVoteReply(3, True)),
    ]


def test_leader_state_is_reinitialized_after_election() -> None:
    core = leader(A, B, term=2)
    assert core.next_index == {"b": 3, "c": 3}
    assert core.match_index == {"b": 0, "c": 0}


# AppendEntries, receiver implementation


def test_append_1_false_if_the_term_is_old() -> None:
    core = follower(A, term=2)
    before = image(core)
    assert appended(core, 1, 0, 0, (B,), 0) == AppendEntriesReply(2, False, 0)
    assert image(core) == before


@pytest.mark.parametrize(("index", "term"), [(2, 1), (1, 2), (7, 2)])
def test_append_2_false_without_the_entry_before(index: int, term: int) -> None:
    core = follower(A, term=2)
    assert appended(core, 2, index, term, (), 0) == AppendEntriesReply(2, False, 0)
    assert core.log == (A,)


def test_append_3_a_conflict_deletes_the_entry_and_all_that_follow() -> None:
    core = follower(A, B, C, term=1)
    new = entry(2, "x")
    assert appended(core, 2, 1, 1, (new,), 0).match_index == 2
    assert core.log == (A, new)


def test_append_3_without_conflict_nothing_is_deleted() -> None:
    core = follower(A, B, C, term=1)
    assert appended(core, 1, 0, 0, (A,), 0).match_index == 1
    assert appended(core, 1, 1, 1, (), 0).match_index == 1
    assert core.log == (A, B, C)


def test_append_4_appends_what_is_not_in_the_log() -> None:
    core = follower(A, term=1)
    effects = core.handle(Received("b", AppendEntries(1, 0, 0, (A, B, C), 0)))
    assert core.log == (A, B, C)
    assert of_kind(effects, Persist) == [Persist(EntriesRecord(2, (B, C)), forced=True)]


@pytest.mark.parametrize(("leader_commit", "commit"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_append_5_commits_up_to_the_last_new_entry(leader_commit: int, commit: int) -> None:
    core = follower(A, B, C, term=1)
    appended(core, 1, 0, 0, (A, B), leader_commit)
    assert core.commit_index == commit


def test_append_5_commit_index_never_goes_back() -> None:
    core = follower(A, B, term=1)
    appended(core, 1, 2, 1, (), 2)
    appended(core, 1, 2, 1, (), 1)
    assert core.commit_index == 2


def test_a_repeated_append_changes_nothing_and_is_answered_alike() -> None:
    core = follower(term=1)
    first = appended(core, 1, 0, 0, (A, B), 1)
    before = image(core)
    effects = core.handle(Received("b", AppendEntries(1, 0, 0, (A, B), 1)))
    assert sends(effects) == [("b", first)]
    assert not of_kind(effects, Persist)
    assert image(core) == before


# RequestVote, receiver implementation


def test_vote_1_false_if_the_term_is_old() -> None:
    assert voted(follower(term=3), 2, 9, 1) == RequestVoteReply(3, False)


def test_vote_2_granted_once_a_term() -> None:
    core = follower()
    assert voted(core, 1, 0, 0, sender="b").vote_granted
    assert not voted(core, 1, 0, 0, sender="c").vote_granted
    assert core.voted_for == "b"


def test_vote_2_granted_again_to_the_same_candidate() -> None:
    core = follower()
    assert voted(core, 1, 0, 0).vote_granted
    effects = core.handle(Received("c", RequestVote(1, 0, 0)))
    assert sends(effects) == [("c", RequestVoteReply(1, True))]
    assert not of_kind(effects, Persist)  # it is stored already


@pytest.mark.parametrize(
    ("index", "term", "granted"),
    [(1, 1, False), (2, 1, True), (3, 1, True), (1, 2, True), (0, 0, False), (9, 0, False)],
)
def test_vote_2_granted_to_a_log_at_least_as_up_to_date(
    index: int, term: int, granted: bool
) -> None:
    """5.4.1: the later last term wins, then the longer log."""
    assert voted(follower(A, B, term=1), 3, index, term).vote_granted is granted


# All servers


def test_all_servers_apply_what_is_committed_in_order() -> None:
    core = follower(A, B, term=1)
    effects = core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    assert of_kind(effects, Apply) == [Apply(1, command("a")), Apply(2, command("b"))]
    assert core.last_applied == 2


NEWER: list[Message] = [
    RequestVote(9, 0, 0),
    RequestVoteReply(9, False),
    AppendEntries(9, 0, 0, (), 0),
    AppendEntriesReply(9, False, 0),
]


@pytest.mark.parametrize("message", NEWER, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("make", [follower, candidate, leader])
def test_all_servers_take_a_newer_term_and_become_followers(make: object, message: Message) -> None:
    core: Raft = make(term=2)  # type: ignore[operator]
    effects = core.handle(Received("c", message))
    assert core.current_term == 9
    assert core.role is Role.FOLLOWER
    assert TermRecord(9, core.voted_for) in [effect.record for effect in of_kind(effects, Persist)]


# Followers (5.2)


def test_followers_respond_to_candidates_and_leaders() -> None:
    core = follower()
    assert voted(core, 1, 0, 0, sender="b").vote_granted
    assert appended(core, 1, 0, 0, (), 0, sender="b").success


def test_followers_become_candidates_on_a_time_out() -> None:
    core = follower(term=1)
    core.handle(ELECTION)
    assert core.role is Role.CANDIDATE


def test_the_election_timer_starts_anew_on_append_entries_of_the_leader_and_on_a_vote() -> None:
    anew = SetTimer(Timer.ELECTION)
    core = follower(A, term=1)
    assert anew in core.handle(Received("b", AppendEntries(1, 0, 0, (), 0)))
    assert anew in core.handle(Received("c", RequestVote(2, 1, 1)))
    assert anew not in core.handle(Received("b", AppendEntries(1, 0, 0, (), 0)))  # an old leader
    assert anew not in core.handle(Received("b", RequestVote(2, 9, 1)))  # no vote


# Candidates (5.2)


def test_candidates_start_an_election() -> None:
    core = follower(A, term=1)
    effects = core.handle(ELECTION)
    assert (core.current_term, core.voted_for, core.votes) == (2, "a", ("a",))
    assert SetTimer(Timer.ELECTION) in effects
    assert sends(effects) == [("b", RequestVote(2, 1, 1)), ("c", RequestVote(2, 1, 1))]
    persisted = effects.index(Persist(TermRecord(2, "a"), forced=True))
    assert persisted < min(effects.index(one) for one in of_kind(effects, Send))


def test_candidates_with_a_majority_become_leader() -> None:
    core = candidate(voters="abcde")
    core.handle(Received("b", RequestVoteReply(1, True)))
    core.handle(Received("b", RequestVoteReply(1, True)))  # a duplicate counts once
    core.handle(Received("c", RequestVoteReply(1, False)))
    core.handle(Received("x", RequestVoteReply(1, True)))  # not a member
    assert core.leader is None
    effects = core.handle(Received("d", RequestVoteReply(1, True)))
    assert core.role is Role.LEADER
    assert core.leader == "a"
    assert {CancelTimer(Timer.ELECTION), SetTimer(Timer.HEARTBEAT)} <= set(effects)


def test_a_single_server_elects_itself() -> None:
    core = Raft("a", "a")
    core.handle(ELECTION)
    assert core.role is Role.LEADER
    effects = core.handle(ClientRequest(b"x"))
    assert Apply(1, command("x")) in effects
    persisted = effects.index(of_kind(effects, Persist)[0])
    assert persisted < effects.index(of_kind(effects, Apply)[0])


def test_votes_of_an_old_term_do_not_count() -> None:
    core = candidate(term=2)
    core.handle(Received("b", RequestVoteReply(1, True)))
    assert core.role is Role.CANDIDATE


def test_candidates_follow_the_leader_of_their_term() -> None:
    core = candidate(term=2)
    appended(core, 2, 0, 0, (), 0)
    assert core.role is Role.FOLLOWER
    assert (core.leader, core.voted_for) == ("b", "a")  # the vote stays given


def test_candidates_ignore_the_leader_of_an_old_term() -> None:
    core = candidate(term=2)
    assert not appended(core, 1, 0, 0, (), 0).success
    assert core.role is Role.CANDIDATE


def test_candidates_start_anew_on_a_time_out() -> None:
    core = candidate(term=2)
    core.handle(Received("b", RequestVoteReply(2, False)))
    effects = core.handle(ELECTION)
    assert (core.current_term, core.votes) == (3, ("a",))
    assert len(sends(effects)) == 2


# Leaders (5.3, 5.4)


def test_leaders_send_empty_append_entries_upon_election_and_when_idle() -> None:
    core = candidate(A, term=2)
    effects = core.handle(Received("b", RequestVoteReply(2, True)))
    heartbeat = AppendEntries(2, 1, 1, (), 0)
    assert sends(effects) == [("b", heartbeat), ("c", heartbeat)]
    effects = core.handle(TimedOut(Timer.HEARTBEAT))
    assert sends(effects) == [("b", heartbeat), ("c", heartbeat)]
    assert SetTimer(Timer.HEARTBEAT) in effects


def test_leaders_append_commands_and_answer_after_applying() -> None:
    core = leader()
    effects = core.handle(ClientRequest(b"x"))
    assert core.log == (entry(1, "x"),)
    assert Accepted(1, 1) in effects
    assert not of_kind(effects, Apply)
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert of_kind(effects, Apply) == [Apply(1, command("x"))]


def test_leaders_store_an_entry_before_they_send_it() -> None:
    effects = leader().handle(ClientRequest(b"x"))
    kinds = [type(effect) for effect in effects if isinstance(effect, Persist | Send)]
    assert kinds == [Persist, Send, Send]


def test_leaders_send_entries_from_next_index_on() -> None:
    core = leader(A, term=2)
    new = entry(2, "x")
    effects = core.handle(ClientRequest(b"x"))
    message = AppendEntries(2, 1, 1, (new,), 0)
    assert sends(effects) == [("b", message), ("c", message)]


def test_leaders_send_lost_entries_again_though_heartbeats_are_answered() -> None:
    core = leader()
    core.handle(ClientRequest(b"x"))
    core.handle(Received("b", AppendEntriesReply(1, True, 0)))  # to the heartbeat before
    messages = dict(sends(core.handle(TimedOut(Timer.HEARTBEAT))))
    assert messages["b"] == AppendEntries(1, 0, 0, (entry(1, "x"),), 0)


def test_leaders_update_next_and_match_index_on_success() -> None:
    core = leader()
    core.handle(ClientRequest(b"x"))
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert core.next_index["b"] == 2
    assert core.match_index["b"] == 1


def test_leaders_decrement_next_index_on_failure_and_retry() -> None:
    core = leader(A, B, term=2)
    effects = core.handle(Received("b", AppendEntriesReply(2, False, 0)))
    assert core.next_index["b"] == 2
    assert sends(effects) == [("b", AppendEntries(2, 1, 1, (B,), 0))]
    core.handle(Received("b", AppendEntriesReply(2, False, 0)))
    core.handle(Received("b", AppendEntriesReply(2, False, 0)))
    assert core.next_index["b"] == 1


def test_leaders_do_not_go_back_behind_what_is_known_to_agree() -> None:
    core = leader(A, B, term=2)
    core.handle(Received("b", AppendEntriesReply(2, True, 2)))
    core.handle(Received("b", AppendEntriesReply(2, False, 0)))
    assert core.next_index["b"] == 3


def test_leaders_commit_what_a_majority_has() -> None:
    core = leader(voters="abcde")
    core.handle(ClientRequest(b"x"))
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert core.commit_index == 0
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    assert core.commit_index == 0
    core.handle(Received("c", AppendEntriesReply(1, True, 1)))
    assert core.commit_index == 1


def test_leaders_commit_old_entries_only_behind_one_of_their_term() -> None:
    """5.4.2, Figure 8."""
    core = leader(A, term=2)
    core.handle(Received("b", AppendEntriesReply(2, True, 1)))
    assert core.commit_index == 0
    core.handle(ClientRequest(b"x"))
    core.handle(Received("b", AppendEntriesReply(2, True, 2)))
    assert core.commit_index == 2


def test_answers_of_an_old_term_or_out_of_order_take_nothing_back() -> None:
    core = leader()
    core.handle(ClientRequest(b"x"))
    core.handle(ClientRequest(b"y"))
    core.handle(Received("b", AppendEntriesReply(1, True, 2)))
    before = core.match_index, core.commit_index
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    core.handle(Received("b", AppendEntriesReply(0, True, 1)))
    assert (core.match_index, core.commit_index) == before

"""Events that cannot happen raise, and nothing has changed; repeated messages change nothing."""

from __future__ import annotations

import pytest

from quorate.implementations.raft import (
    AddServer,
    AppendEntries,
    AppendEntriesReply,
    ApplyCommitted,
    ClientRequest,
    Clock,
    Compact,
    Configuration,
    Conflict,
    Event,
    Heartbeat,
    InstallSnapshot,
    InstallSnapshotReply,
    LocalError,
    Membership,
    Message,
    NotLeaderError,
    Options,
    Persist,
    Raft,
    ReadRequest,
    Reads,
    Received,
    Reconfigure,
    RemoteError,
    RemoveServer,
    Replicate,
    RequestVote,
    RequestVoteReply,
    Snapshot,
    TimedOut,
    TimeoutNow,
    Timer,
    TransferLeadership,
)
from quorate.tests.implementations.raft.cluster import (
    candidate,
    entry,
    follower,
    image,
    leader,
    of_kind,
)

A, B = entry(1, "a"), entry(1, "b")
PART = Snapshot(1, 1, Configuration.of("abc"), (), b"state")


def refused(core: Raft, event: Event, error: type[Exception], match: str | None = None) -> None:
    before = image(core)
    with pytest.raises(error, match=match):
        core.handle(event)
    assert image(core) == before


LEADERS_ONLY: list[Event] = [
    ClientRequest(b"x"),
    ReadRequest(1),
    Replicate("b"),
    Heartbeat("b"),
    AddServer("d"),
    RemoveServer("b"),
    Reconfigure(("d",)),
    TransferLeadership("b"),
]


@pytest.mark.parametrize("event", LEADERS_ONLY, ids=lambda event: type(event).__name__)
def test_only_a_leader_does_this_and_the_error_names_it(event: Event) -> None:
    refused(candidate(), event, NotLeaderError, "no leader is known")
    core = follower(term=1)
    refused(core, event, NotLeaderError, "'b'")


@pytest.mark.parametrize("timer", [Timer.HEARTBEAT, Timer.QUORUM, Timer.TRANSFER])
def test_timers_of_leaders_do_not_run_out_at_others(timer: Timer) -> None:
    refused(follower(), TimedOut(timer), LocalError, "not set")


@pytest.mark.parametrize("timer", [Timer.ELECTION, Timer.QUORUM, Timer.TRANSFER])
def test_timers_that_a_leader_has_not_set(timer: Timer) -> None:
    refused(leader(), TimedOut(timer), LocalError, "not set")


LOCAL: list[tuple[Event, str]] = [
    (Clock(-1), "went back"),
    (ApplyCommitted(), "nothing waits"),
    (Compact(1, b""), "no snapshot at 1"),
    (Compact(0, b""), "no snapshot at 0"),
    (ReadRequest(1), "reads are off"),
    (Replicate("x"), "not one of the others"),
    (Replicate("b"), "has been sent all"),
    (Heartbeat("a"), "not one of the others"),
    (ClientRequest(b"x", "client", -1), "begin at 0"),
    (AddServer("d"), "membership is none"),
    (RemoveServer("b"), "membership is none"),
    (Reconfigure(("d",)), "membership is none"),
    (TransferLeadership("a"), "cannot take over"),
    (TransferLeadership("x"), "cannot take over"),
]


@pytest.mark.parametrize(("event", "match"), LOCAL, ids=lambda value: str(value))
def test_a_driver_that_breaks_a_rule_is_told_so(event: Event, match: str) -> None:
    refused(leader(), event, LocalError, match)


SINGLE: list[tuple[Event, str]] = [
    (AddServer("b"), "a member already"),
    (RemoveServer("x"), "not a member"),
    (Reconfigure(("b",)), "membership is single"),
    (AddServer("d"), "nothing of this term"),
]


@pytest.mark.parametrize(("event", "match"), SINGLE, ids=lambda value: str(value))
def test_changes_of_members_that_cannot_be(event: Event, match: str) -> None:
    refused(leader(membership=Membership.SINGLE), event, LocalError, match)


def test_changes_of_members_come_one_at_a_time() -> None:
    core = leader(membership=Membership.SINGLE)
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    core.handle(AddServer("d"))
    refused(core, RemoveServer("b"), LocalError, "under way")
    core.handle(Received("b", AppendEntriesReply(1, True, 2)))
    core.handle(Received("c", AppendEntriesReply(1, True, 2)))
    core.handle(RemoveServer("b"))


def test_joint_changes_that_cannot_be() -> None:
    core = leader(membership=Membership.JOINT)
    core.handle(Received("b", AppendEntriesReply(1, True, 1)))
    refused(core, Reconfigure(()), LocalError, "at least one")
    refused(core, Reconfigure(("a", "b", "c")), LocalError, "already")
    core.handle(Reconfigure(("d", "e")))
    refused(core, Reconfigure(("a",)), LocalError, "under way")


def test_the_last_member_stays() -> None:
    core = leader(voters="a", membership=Membership.SINGLE)
    refused(core, RemoveServer("a"), LocalError, "only member")


REMOTE: list[Message] = [
    RequestVote(0, 0, 0),
    RequestVote(2, -1, 0),
    RequestVote(2, 3, 2),
    RequestVoteReply(-1, True),
    AppendEntries(0, 0, 0, (), 0),
    AppendEntries(2, -1, 0, (), 0),
    AppendEntries(2, 0, 0, (), -1),
    AppendEntries(2, 1, 3, (), 0),
    AppendEntries(2, 0, 0, (entry(3, "x"),), 0),
    AppendEntries(2, 0, 0, (entry(2, "x"), entry(1, "y")), 0),
    AppendEntriesReply(2, True, -1),
    AppendEntriesReply(2, True, 1, Conflict(1, 0, 0)),
    InstallSnapshot(0, PART, 0, True),
    InstallSnapshot(2, PART, -1, True),
    InstallSnapshotReply(2, 0, 0, True),
    TimeoutNow(-1),
]


@pytest.mark.parametrize("message", REMOTE, ids=str)
@pytest.mark.parametrize("make", [follower, candidate, leader])
def test_messages_that_say_nothing_possible(make: object, message: Message) -> None:
    refused(make(term=1), Received("b", message), RemoteError)  # type: ignore[operator]


def test_a_message_to_oneself() -> None:
    refused(follower(), Received("a", RequestVote(1, 0, 0)), RemoteError, "itself")


LED: list[Message] = [
    AppendEntries(1, 0, 0, (A,), 0),
    InstallSnapshot(1, PART, 0, True),
    TimeoutNow(1),
]


@pytest.mark.parametrize("message", LED, ids=lambda message: type(message).__name__)
def test_a_term_has_one_leader(message: Message) -> None:
    refused(follower(term=1), Received("c", message), RemoteError, "lead in term 1")
    refused(leader(), Received("c", message), RemoteError, "lead in term 1")


def test_committed_entries_are_not_overwritten() -> None:
    core = follower(A, term=1)
    core.handle(Received("b", AppendEntries(1, 1, 1, (), 1)))
    other = AppendEntries(2, 0, 0, (entry(2, "x"),), 0)
    refused(core, Received("c", other), RemoteError, "overwrites committed")


@pytest.mark.parametrize(
    "reply",
    [
        AppendEntriesReply(1, True, 9),
        AppendEntriesReply(1, True, 0, round=9),
        InstallSnapshotReply(1, 9, 0, True),
    ],
)
def test_nobody_acknowledges_what_was_not_sent(reply: Message) -> None:
    refused(leader(), Received("b", reply), RemoteError)


def test_a_transfer_stops_requests_until_its_time_out() -> None:
    core = leader()
    core.handle(ClientRequest(b"x"))
    core.handle(TransferLeadership("b"))
    refused(core, ClientRequest(b"y"), LocalError, "being handed")
    refused(core, TransferLeadership("c"), LocalError, "being handed")
    core.handle(TimedOut(Timer.TRANSFER))
    core.handle(ClientRequest(b"y"))


@pytest.mark.parametrize(
    "values",
    [
        {"max_batch": 0},
        {"max_in_flight": 0},
        {"snapshot_chunk": 0},
        {"clock_drift": -1},
        {"clock_drift": 100},
    ],
)
def test_options_that_make_no_sense(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Options(**values)  # type: ignore[arg-type]


# Duplicates

REPEATED: list[Message] = [
    RequestVote(2, 9, 1),
    RequestVote(1, 9, 0),
    RequestVoteReply(1, True),
    RequestVoteReply(1, False),
    AppendEntries(1, 0, 0, (A, B), 1),
    AppendEntries(1, 5, 1, (B,), 1),
    AppendEntriesReply(1, True, 1),
    InstallSnapshot(1, PART, 0, True),
    InstallSnapshot(1, PART, 0, False),
    InstallSnapshotReply(1, 1, 0, True),
]


LEADING = (AppendEntries, InstallSnapshot)  # a leader has no leader
KINDS = ("follower", "candidate", "leader")


@pytest.mark.parametrize(
    ("kind", "message"),
    [(k, m) for k in KINDS for m in REPEATED if k != "leader" or not isinstance(m, LEADING)],
    ids=str,
)
def test_a_message_that_comes_again_changes_nothing(kind: str, message: Message) -> None:
    options = Options(conflict_hints=True, reads=Reads.READ_INDEX)
    if kind == "follower":
        core = follower(A, term=1, options=options)
    elif kind == "candidate":
        core = candidate(conflict_hints=True, voters="abcde")
    else:
        core = leader(conflict_hints=True)
        core.handle(ClientRequest(b"x"))
    core.handle(Received("b", message))
    before = image(core)
    effects = core.handle(Received("b", message))
    assert image(core) == before
    assert not of_kind(effects, Persist)


def test_a_refusal_that_comes_again_moves_next_index_once() -> None:
    core = leader(A, B, entry(1, "c"), term=2, conflict_hints=True)
    refusal = Received("b", AppendEntriesReply(2, False, 0, Conflict(3, 1, 1)))
    core.handle(refusal)
    assert core.next_index["b"] == 2
    before = image(core)
    assert not core.handle(refusal)
    assert image(core) == before

"""Impossible events raise and change nothing; copies of possible ones change nothing either."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from quorate.implementations.multi_paxos import (
    Accept,
    Accepted,
    Ballot,
    Behind,
    Checkpoint,
    Chosen,
    Command,
    Forward,
    Heartbeat,
    LocalError,
    Noop,
    Options,
    Persist,
    Prepare,
    Promise,
    Received,
    Refused,
    RemoteError,
    Replica,
    Snapshot,
    Submit,
    TakeOver,
    TimedOut,
    Timer,
    Vote,
)
from quorate.tests.implementations.multi_paxos.cluster import Cluster, command

A0, B1, C9 = Ballot(0, "a"), Ballot(1, "b"), Ballot(9, "c")
BAD = Command("c", 0, "early")


def follower() -> Replica:
    """b, with a vote in slot 2 and two slots chosen and executed, the first discarded."""
    cluster = Cluster("a b c")
    for event in (
        Received("a", Accept(A0, 3, command(3))),
        Received("a", Chosen(1, command(1))),
        Received("a", Chosen(2, command(2))),
        Checkpoint(1, "state"),
    ):
        cluster.feed("b", event)
    return cluster.cores["b"]


def candidate() -> Replica:
    cluster = Cluster("a b c")
    cluster.feed("b", TakeOver(1))
    return cluster.cores["b"]


def leader() -> Replica:
    """b, with a command proposed in slot 1 and one waiting."""
    cluster = Cluster("a b c", Options(window=1))
    cluster.feed("b", TakeOver(1))
    cluster.feed("b", Received("a", Promise(B1, ())))
    cluster.submit("b", command(1))
    cluster.submit("b", command(1, "d"))
    return cluster.cores["b"]


def wiped() -> Replica:
    return Cluster("a b c").start("b", disk_lost=True)


def state(core: Replica) -> object:
    return deepcopy((core.ledger, core.leadership, core.leader, core.waiting, core.timer))


IMPOSSIBLE: list[tuple[Replica, Any, type[Exception], str]] = [
    (follower(), Submit(BAD), LocalError, "start at 1"),
    (follower(), TimedOut(Timer.HEARTBEAT), LocalError, "not set"),
    (leader(), TimedOut(Timer.ELECTION), LocalError, "not set"),
    (wiped(), TimedOut(Timer.ELECTION), LocalError, "not set"),
    (wiped(), TakeOver(), LocalError, "lost its disk"),
    (leader(), TakeOver(1), LocalError, "not above 1"),
    (follower(), Checkpoint(1, "s"), LocalError, "above 1"),
    (follower(), Checkpoint(3, "s"), LocalError, "at most 2"),
    (follower(), Received("x", Behind(0)), RemoteError, "not another member"),
    (follower(), Received("b", Behind(0)), RemoteError, "not another member"),
    (follower(), Received("c", Prepare(A0, 1)), RemoteError, "a number of 'a'"),
    (follower(), Received("c", Accept(A0, 1, Noop())), RemoteError, "a number of 'a'"),
    (follower(), Received("c", Heartbeat(A0, 1)), RemoteError, "a number of 'a'"),
    (follower(), Received("a", Prepare(A0, 0)), RemoteError, "below 1"),
    (follower(), Received("a", Accept(A0, 0, Noop())), RemoteError, "below 1"),
    (follower(), Received("a", Chosen(0, Noop())), RemoteError, "below 1"),
    (follower(), Received("a", Snapshot(0, "s", ())), RemoteError, "below 1"),
    (follower(), Received("a", Accept(A0, 3, Noop())), RemoteError, "two values"),
    (follower(), Received("a", Chosen(2, Noop())), RemoteError, "others say"),
    (follower(), Received("a", Chosen(5, BAD)), RemoteError, "start at 1"),
    (follower(), Received("a", Forward(BAD)), RemoteError, "start at 1"),
    (candidate(), Received("a", Promise(A0, ())), RemoteError, "a number of 'a'"),
    (candidate(), Received("a", Promise(Ballot(2, "b"), ())), RemoteError, "never used"),
    (candidate(), Received("a", Promise(B1, ((0, Vote(A0, Noop())),))), RemoteError, "below 1"),
    (leader(), Received("a", Accepted(Ballot(2, "b"), 1)), RemoteError, "never used"),
    (leader(), Received("a", Accepted(A0, 1)), RemoteError, "a number of 'a'"),
    (leader(), Received("a", Refused(B1, A0)), RemoteError, "not above"),
    (leader(), Received("a", Refused(C9, C9)), RemoteError, "a number of 'c'"),
]


@pytest.mark.parametrize(("core", "event", "error", "reason"), IMPOSSIBLE)
def test_an_impossible_event_raises_and_changes_nothing(
    core: Replica, event: Any, error: type[Exception], reason: str
) -> None:
    before = state(core)
    with pytest.raises(error, match=reason):
        core.handle(event)
    assert state(core) == before


def test_an_answer_from_a_replica_that_votes_not_is_impossible() -> None:
    cluster = Cluster("a b c p", acceptors="a b c")
    cluster.feed("a", TakeOver(1))
    with pytest.raises(RemoteError, match="no acceptor"):
        cluster.feed("a", Received("p", Promise(Ballot(1, "a"), ())))


COPIES: list[tuple[Replica, Any]] = [
    (follower(), Received("c", Prepare(C9, 1))),
    (follower(), Received("a", Accept(A0, 4, Noop()))),
    (follower(), Received("a", Accept(A0, 1, Noop()))),
    (follower(), Received("a", Heartbeat(A0, 5))),
    (follower(), Received("a", Chosen(3, command(3)))),
    (follower(), Received("a", Chosen(1, command(1)))),
    (follower(), Received("a", Chosen(7, Noop()))),
    (follower(), Received("a", Snapshot(4, "s", (("c", 4),)))),
    (follower(), Received("a", Snapshot(1, "s", ()))),
    (follower(), Received("a", Behind(0))),
    (follower(), Received("a", Forward(command(9)))),
    (follower(), Submit(command(9))),
    (follower(), Submit(command(1))),
    (candidate(), Received("a", Promise(B1, ((1, Vote(A0, Noop())),)))),
    (candidate(), Received("a", Refused(B1, C9))),
    (candidate(), Submit(command(9))),
    (leader(), Received("a", Promise(B1, ()))),
    (leader(), Received("a", Accepted(B1, 1))),
    (leader(), Received("a", Accepted(B1, 7))),
    (leader(), Received("a", Refused(B1, C9))),
    (leader(), Received("c", Prepare(C9, 1))),
    (leader(), Received("c", Accept(C9, 1, Noop()))),
    (leader(), Received("c", Heartbeat(C9, 0))),
    (leader(), Received("a", Chosen(1, Noop()))),
    (leader(), Submit(command(1))),
    (leader(), Submit(command(1, "d"))),
    (wiped(), Received("a", Promise(B1, ()))),
    (wiped(), Received("a", Accept(A0, 1, Noop()))),
]


@pytest.mark.parametrize(("core", "event"), COPIES)
def test_a_copy_changes_nothing_and_stores_nothing(core: Replica, event: Any) -> None:
    core.handle(event)
    before = state(core)
    again = core.handle(event)
    assert state(core) == before
    assert not any(isinstance(effect, Persist) for effect in again)


@pytest.mark.parametrize(
    "message",
    [Chosen(1, Noop()), Accept(A0, 1, Noop()), Snapshot(1, "other", ()), Snapshot(2, "other", ())],
)
def test_what_a_checkpoint_or_the_prefix_covers_comes_too_late(message: Any) -> None:
    core = follower()
    before = deepcopy(core.ledger)
    core.handle(Received("a", message))
    assert core.ledger == before


@pytest.mark.parametrize(
    ("members", "acceptors", "reason"),
    [
        ((), None, "include 'a'"),
        (("b",), None, "include 'a'"),
        (("a", "a"), None, "distinct"),
        (("a", "b"), (), "at least one"),
        (("a", "b"), ("b", "b"), "distinct"),
        (("a", "b"), ("c",), "must be members"),
    ],
)
def test_members_and_acceptors_are_checked(members: Any, acceptors: Any, reason: str) -> None:
    with pytest.raises(LocalError, match=reason):
        Replica("a", members, acceptors=acceptors)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"batch": 0}])
def test_windows_and_batches_hold_something(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Options(**wrong)  # type: ignore[arg-type]

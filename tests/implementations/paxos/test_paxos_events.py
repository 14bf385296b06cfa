"""Impossible events raise and change nothing; copies of possible ones change nothing either."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.implementations.paxos import (
    Abandon,
    Accept,
    Accepted,
    Acceptor,
    Ask,
    Ballot,
    Chosen,
    Inquiry,
    Learner,
    LocalError,
    Options,
    Persist,
    Prepare,
    Promise,
    Propose,
    Proposer,
    Received,
    Refused,
    RemoteError,
    Send,
    TimedOut,
    Vote,
)

X = "x"
A = ("a1", "a2", "a3")
B1, B2, B9, Q1 = Ballot(1, "p"), Ballot(2, "p"), Ballot(9, "p"), Ballot(1, "q")
Core = Proposer | Acceptor | Learner


def proposer(*events: Any) -> Proposer:
    core = Proposer("p", A)
    for event in (Propose(X, "v", 1), *events):
        core.handle(event)
    return core


def acceptor() -> Acceptor:
    core = Acceptor("a1", ("l",))
    core.handle(Received("p", Accept(X, B1, "v")))
    return core


def learner() -> Learner:
    core = Learner("l", A)
    core.handle(Received("a1", Accepted(X, B1, "v")))
    return core


DONE = Received("l", Chosen(X, "v"))
IMPOSSIBLE: list[tuple[Core, Any, type[Exception], str]] = [
    (proposer(), Propose(X, "w", 1), LocalError, "not above 1"),
    (proposer(), Propose(X, "w", 0), LocalError, "not above 1"),
    (proposer(), TimedOut("other"), LocalError, "no timer"),
    (proposer(Abandon(X)), TimedOut(X), LocalError, "no timer"),
    (proposer(DONE), TimedOut(X), LocalError, "no timer"),
    (proposer(), Abandon("other"), LocalError, "nothing is being proposed"),
    (proposer(DONE), Abandon(X), LocalError, "nothing is being proposed"),
    (proposer(), Received("b", Promise(X, B1, None)), RemoteError, "no acceptor"),
    (proposer(), Received("a1", Promise(X, Q1, None)), RemoteError, "a number of 'q'"),
    (proposer(), Received("a1", Promise(X, B9, None)), RemoteError, "never used"),
    (proposer(), Received("a1", Promise("other", B1, None)), RemoteError, "never used"),
    (proposer(), Received("b", Refused(X, B1, B2)), RemoteError, "no acceptor"),
    (proposer(), Received("a1", Refused(X, B1, B1)), RemoteError, "not above"),
    (proposer(DONE), Received("l", Chosen(X, "w")), RemoteError, "others 'v'"),
    (proposer(), Received("q", Prepare(X, Q1)), RemoteError, "Prepare to a proposer"),
    (proposer(), Received("q", Accept(X, Q1, "v")), RemoteError, "Accept to a proposer"),
    (proposer(), Received("a1", Accepted(X, B1, "v")), RemoteError, "Accepted to a proposer"),
    (acceptor(), Received("q", Prepare(X, B2)), RemoteError, "a number of 'p'"),
    (acceptor(), Received("q", Accept(X, B2, "v")), RemoteError, "a number of 'p'"),
    (acceptor(), Received("p", Accept(X, B1, "w")), RemoteError, "two values"),
    (acceptor(), Received("p", Promise(X, B1, None)), RemoteError, "Promise to an acceptor"),
    (acceptor(), Received("a2", Accepted(X, B1, "v")), RemoteError, "Accepted to an acceptor"),
    (acceptor(), Received("a2", Refused(X, B1, B2)), RemoteError, "Refused to an acceptor"),
    (acceptor(), Received("l", Chosen(X, "v")), RemoteError, "Chosen to an acceptor"),
    (learner(), TimedOut(X), LocalError, "no timer"),
    (learner(), TimedOut("other"), LocalError, "no timer"),
    (learner(), Received("b", Accepted(X, B1, "v")), RemoteError, "no acceptor"),
    (learner(), Received("a2", Accepted(X, B1, "w")), RemoteError, "two values"),
    (learner(), Received("p", Prepare(X, B1)), RemoteError, "Prepare to a learner"),
    (learner(), Received("p", Accept(X, B1, "v")), RemoteError, "Accept to a learner"),
    (learner(), Received("a1", Promise(X, B1, None)), RemoteError, "Promise to a learner"),
    (learner(), Received("a1", Refused(X, B1, B2)), RemoteError, "Refused to a learner"),
]


@pytest.mark.parametrize(("core", "event", "error", "reason"), IMPOSSIBLE)
def test_an_impossible_event_raises_and_changes_nothing(
    core: Core, event: Any, error: type[Exception], reason: str
) -> None:
    before = dict(core.instances)
    with pytest.raises(error, match=reason):
        core.handle(event)
    assert dict(core.instances) == before


COPIES: list[tuple[Core, Any]] = [
    (proposer(), Received("a1", Promise(X, B1, Vote(Ballot(0, "q"), "w")))),
    (proposer(Propose(X, "w", 2)), Received("a1", Promise(X, B1, None))),
    (proposer(), Received("a1", Refused(X, B1, B2))),
    (proposer(), DONE),
    (proposer(DONE), Received("l", Inquiry(X))),
    (acceptor(), Received("p", Prepare(X, B2))),
    (acceptor(), Received("p", Accept(X, B2, "w"))),
    (acceptor(), Received("p", Prepare(X, Ballot(0, "p")))),
    (acceptor(), Received("l", Inquiry(X))),
    (learner(), Received("a1", Accepted(X, B2, "v"))),
    (learner(), Received("a2", Accepted(X, B1, "v"))),
    (learner(), DONE),
    (learner(), Ask(X)),
]


@pytest.mark.parametrize(("core", "event"), COPIES)
def test_a_copy_changes_nothing_and_stores_nothing(core: Core, event: Any) -> None:
    core.handle(event)
    before = dict(core.instances)
    again: tuple[object, ...] = core.handle(event)
    assert dict(core.instances) == before
    assert not any(isinstance(effect, Persist) for effect in again)


def test_a_copy_of_the_last_promise_does_not_ask_for_votes_again() -> None:
    core = proposer(Received("a1", Promise(X, B1, None)), Received("a2", Promise(X, B1, None)))
    assert core.handle(Received("a2", Promise(X, B1, None))) == ()
    assert core.handle(Received("a3", Promise(X, B1, None))) == ()


def test_instances_do_not_touch_each_other() -> None:
    core = Proposer("p", A)
    for name in ("x", "y"):
        core.handle(Propose(name, f"{name}'s"))
    core.handle(Received("a1", Promise("x", Ballot(0, "p"), None)))
    assert core.instances["y"].promised_by == frozenset()
    effects = core.handle(Received("a2", Promise("x", Ballot(0, "p"), None)))
    sends = [effect for effect in effects if isinstance(effect, Send)]
    assert sends == [Send(name, Accept("x", Ballot(0, "p"), "x's")) for name in A]
    voter = Acceptor("a1", ("l",))
    voter.handle(Received("p", Prepare("x", B9)))
    voter.handle(Received("p", Accept("y", B1, "v")))
    assert voter.instances["y"].max_bal == B1


@pytest.mark.parametrize("acceptors", [(), ("a", "a")])
def test_acceptors_must_be_distinct_and_at_least_one(acceptors: tuple[str, ...]) -> None:
    with pytest.raises(LocalError, match="distinct"):
        Proposer("p", acceptors)


def test_a_number_of_resends_is_not_negative() -> None:
    with pytest.raises(ValueError, match="resends=-1"):
        Options(resends=-1)


def test_without_a_limit_the_same_ballot_is_tried_for_ever() -> None:
    core = Proposer("p", A, Options(resends=None))
    core.handle(Propose(X, "v"))
    for _ in range(9):
        core.handle(TimedOut(X))
    assert core.instances[X].tried == Ballot(0, "p")

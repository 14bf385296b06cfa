"""A test per rule of E3PC (Keidar and Dolev 1998), and of what it improves on (Skeen 1982)."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.implementations.storage import MemoryLog, SqliteLog
from quorate.implementations.three_phase_commit.messages import (
    AskVote,
    Decide,
    Decision,
    LocalError,
    Notify,
    RemoteError,
    Vote,
    VoteCast,
    VoteRequest,
)
from quorate.implementations.three_phase_commit.quorum import (
    Attempting,
    Follower,
    QuorumSite,
    enhanced_rule,
    plain_rule,
)
from quorate.implementations.three_phase_commit.quorum_messages import (
    Accept,
    Attempt,
    Counter,
    Elected,
    Inquire,
    Number,
    QuorumBegin,
    QuorumEffect,
    QuorumEntered,
    QuorumEvent,
    QuorumMessage,
    QuorumPersist,
    QuorumReceived,
    QuorumSend,
    QuorumState,
    Report,
    load,
    persist,
)

SITES = ("S1", "S2", "S3")
W, PC, PA = QuorumState.UNCERTAIN, QuorumState.PRE_COMMITTED, QuorumState.PRE_ABORTED
COMMIT, ABORT = Decision.COMMIT, Decision.ABORT


def received(core: QuorumSite, sender: str, message: QuorumMessage) -> tuple[QuorumEffect, ...]:
    return core.handle(QuorumReceived(sender, message))


def sent(effects: tuple[QuorumEffect, ...]) -> set[tuple[str, QuorumMessage]]:
    return {(effect.to, effect.message) for effect in effects if isinstance(effect, QuorumSend)}


def voter(site: str = "S2", *flaws: str) -> QuorumSite:
    core = QuorumSite(site, flaws=flaws)
    received(core, "S1", VoteRequest("t", SITES))
    core.handle(VoteCast("t", yes=True))
    return core


def state_of(core: QuorumSite) -> QuorumState:
    known = core.state("t")
    assert known is not None
    return known.state


def reports(text: str) -> list[Report]:
    """As in `pc2 w0`: state and last attempt of each site."""
    return [Report("t", QuorumState(word[:-1]), int(word[-1])) for word in text.split()]


@pytest.mark.parametrize(
    ("told", "goal"),
    [
        ("w0 w0", PA),
        ("pc1 w0", PC),  # the latest attempt was to commit
        ("pc1 pa2", PA),  # the latest attempt was to abort
        ("pc3 pa2", PC),
        ("pc2 pa2", PA),  # not all in the latest attempt are to commit
        ("w0 a0", QuorumState.ABORTED),
        ("w0 c1", QuorumState.COMMITTED),
        ("pc1", None),  # no quorum
    ],
)
def test_the_rule_of_e3pc(told: str, goal: QuorumState | None) -> None:
    assert enhanced_rule(reports(told), 3) is goal


@pytest.mark.parametrize(
    ("told", "goal"),
    [
        ("w0 w0", PA),
        ("pc1 w0", PC),
        ("pa2 w0", PA),
        ("pc1 pa2", None),  # blocked, though a quorum is there
        ("pc1 w0 pa2", PC),
        ("w0 a0", QuorumState.ABORTED),
        ("w0 c1", QuorumState.COMMITTED),
        ("w0", None),
    ],
)
def test_the_rule_of_skeen(told: str, goal: QuorumState | None) -> None:
    assert plain_rule(reports(told), 3) is goal


def test_the_coordinator_commits_once_a_quorum_has_pre_committed() -> None:
    core = QuorumSite("S1")
    request = VoteRequest("t", SITES)
    assert sent(core.handle(QuorumBegin("t", SITES))) == {("S2", request), ("S3", request)}
    assert not sent(received(core, "S2", Vote("t", yes=True)))
    effects = received(core, "S3", Vote("t", yes=True))
    assert effects[0] == QuorumPersist(QuorumEntered("t", SITES, PC, 1, 1))
    assert sent(effects) == {("S2", Attempt("t", 1, PC)), ("S3", Attempt("t", 1, PC))}
    effects = received(core, "S3", Accept("t", 1))
    assert sent(effects) == {("S2", Decide("t", COMMIT)), ("S3", Decide("t", COMMIT))}
    assert Notify("t", COMMIT) in effects


def test_a_no_vote_aborts() -> None:
    core = QuorumSite("S1")
    core.handle(QuorumBegin("t", SITES))
    effects = received(core, "S2", Vote("t", yes=False))
    assert ("S3", Decide("t", ABORT)) in sent(effects)


def test_a_site_votes_when_it_is_asked() -> None:
    core = QuorumSite("S2")
    assert received(core, "S1", VoteRequest("t", SITES)) == (AskVote("t"),)
    assert sent(core.handle(VoteCast("t", yes=False))) == {("S1", Vote("t", False))}
    assert state_of(core) is QuorumState.ABORTED


def test_an_election_gets_a_number_that_all_members_store_before_anything_is_attempted() -> None:
    leader, member = voter("S2"), voter("S3")
    effects = leader.handle(Elected("t", frozenset({"S2", "S3"})))
    assert sent(effects) == {("S3", Inquire("t"))}
    assert sent(received(member, "S2", Inquire("t"))) == {("S2", Counter("t", 1))}
    assert sent(received(leader, "S3", Counter("t", 4))) == {("S3", Number("t", 5))}
    effects = received(member, "S2", Number("t", 5))
    assert effects[0] == QuorumPersist(QuorumEntered("t", SITES, W, 5, 0))
    assert sent(effects) == {("S2", Report("t", W, 0))}
    assert received(member, "S2", Number("t", 5)) == ()
    effects = received(leader, "S3", Report("t", W, 0))
    assert sent(effects) == {("S3", Attempt("t", 5, PA))}
    effects = received(member, "S2", Attempt("t", 5, PA))
    assert sent(effects) == {("S2", Accept("t", 5))}
    assert Notify("t", ABORT) in received(leader, "S3", Accept("t", 5))


def test_without_a_quorum_the_leader_blocks() -> None:
    core = voter()
    assert not sent(core.handle(Elected("t", frozenset({"S2"}))))
    known = core.state("t")
    assert known is not None
    assert (known.state, known.last_elected, known.role) == (W, 2, Follower("S2"))


def test_a_site_heeds_only_the_leader_that_inquired_last() -> None:
    core = voter("S3")
    received(core, "S2", Inquire("t"))
    assert received(core, "S1", Attempt("t", 1, PC)) == ()
    assert received(core, "S1", Number("t", 9)) == ()
    assert received(core, "S2", Attempt("t", 7, PC)) == ()  # not the number it stored
    assert state_of(core) is W


def test_whoever_has_not_voted_aborts_when_a_leader_asks() -> None:
    core = QuorumSite("S3")
    assert Notify("t", ABORT) in received(core, "S2", Inquire("t"))


def test_whoever_has_decided_tells_when_it_leads() -> None:
    core = voter()
    received(core, "S1", Decide("t", COMMIT))
    effects = core.handle(Elected("t", frozenset({"S2", "S3"})))
    assert sent(effects) == {("S3", Decide("t", COMMIT))}


def test_by_skeens_rule_a_pre_aborted_site_does_not_move() -> None:
    core = voter("S3", "quorum3pc_lost_quorum_blocks")
    for number, target in ((2, PA), (3, PC)):
        received(core, "S2", Inquire("t"))
        received(core, "S2", Number("t", number))
        received(core, "S2", Attempt("t", number, target))
        assert state_of(core) is PA


def test_state_and_counters_survive_a_crash_and_the_leader_does_not(tmp_path: Path) -> None:
    with SqliteLog(tmp_path / "log.sqlite") as log:
        core = QuorumSite("S3")
        persist(received(core, "S1", VoteRequest("t", SITES)), log)
        persist(core.handle(VoteCast("t", yes=True)), log)
        persist(received(core, "S1", Attempt("t", 1, PC)), log)
    with SqliteLog(tmp_path / "log.sqlite") as log:
        core, effects = QuorumSite.recover("S3", load(log))
    known = core.state("t")
    assert known is not None
    assert effects == ()
    assert (known.state, known.last_elected, known.last_attempt) == (PC, 1, 1)
    assert known.role == Follower(None)


def test_a_decision_is_told_again_after_a_crash() -> None:
    record = QuorumEntered("t", SITES, QuorumState.COMMITTED, 1, 1)
    assert QuorumSite.recover("S3", [record])[1] == (Notify("t", COMMIT),)


def test_duplicates_change_nothing() -> None:
    core = QuorumSite("S1")
    core.handle(QuorumBegin("t", (*SITES, "S4", "S5")))
    for site in ("S2", "S3", "S4", "S5", "S5"):
        received(core, site, Vote("t", yes=True))
    received(core, "S2", Accept("t", 1))
    assert received(core, "S2", Accept("t", 1)) == ()
    known = core.state("t")
    assert known is not None
    assert known.role == Attempting(PC, frozenset({"S1", "S2"}))


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (QuorumBegin("t", SITES), LocalError),
        (QuorumBegin("u", ("S1", "S3")), LocalError),
        (QuorumBegin("u", ("S2", "S2")), LocalError),
        (VoteCast("t", yes=True), LocalError),
        (Elected("u", frozenset({"S2"})), LocalError),
        (Elected("t", frozenset({"S1"})), LocalError),
        (Elected("t", frozenset({"S2", "S9"})), LocalError),
        (QuorumReceived("S9", Inquire("t")), RemoteError),
        (QuorumReceived("S1", VoteRequest("u", ("S1", "S3"))), RemoteError),
        (QuorumReceived("S1", Vote("u", yes=True)), RemoteError),
        (QuorumReceived("S1", Number("u", 2)), RemoteError),
        (QuorumReceived("S1", Attempt("u", 2, PC)), RemoteError),
        (QuorumReceived("S1", Decide("u", COMMIT)), RemoteError),
    ],
)
def test_the_impossible_raises_and_changes_nothing(
    event: QuorumEvent, error: type[Exception]
) -> None:
    core = voter()
    before = core.state("t")
    with pytest.raises(error):
        core.handle(event)
    assert core.state("t") == before
    assert core.state("u") is None


def test_a_contradicting_decision_is_refused() -> None:
    core = voter()
    received(core, "S1", Decide("t", COMMIT))
    with pytest.raises(RemoteError, match="decided abort"):
        received(core, "S3", Decide("t", ABORT))


def test_a_foreign_record_is_refused() -> None:
    log = MemoryLog()
    log.append("t", b'[["S1"], "z", 1, 0]', forced=True)
    with pytest.raises(LocalError, match="not a record"):
        load(log)


def test_an_unknown_flaw_is_refused() -> None:
    with pytest.raises(LocalError, match="unknown flaws"):
        QuorumSite("S1", flaws=["quorum3pc"])

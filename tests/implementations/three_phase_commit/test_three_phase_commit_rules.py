"""A test per rule of three-phase commit: BHG 1987, section 7.5, and the papers named below."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.implementations.storage import MemoryLog, SqliteLog
from quorate.implementations.three_phase_commit import (
    Acknowledge,
    AskVote,
    Begin,
    CancelTimer,
    Coordinator,
    Decide,
    Decision,
    DecisionRequest,
    Effect,
    Entered,
    Event,
    Following,
    GiveUp,
    LocalError,
    Message,
    Notify,
    Participant,
    Persist,
    PreCommit,
    Received,
    RemoteError,
    Send,
    SetTimer,
    SiteDown,
    State,
    StateReport,
    StateRequest,
    TakeOver,
    TimedOut,
    Vote,
    VoteCast,
    VoteRequest,
    load,
    persist,
)
from quorate.implementations.three_phase_commit.termination import Ruling, rule

COMMIT, ABORT = Decision.COMMIT, Decision.ABORT
SITES = ("P1", "P2", "P3")


def entered(state: State) -> Entered:
    """The record of a participant of t."""
    return Entered("t", state, "C", SITES)


def begun(state: State) -> Entered:
    """The record of the coordinator of t."""
    return Entered("t", state, "C", ("P1", "P2"))


def coordinator() -> Coordinator:
    """One that has begun transaction t with two participants."""
    core = Coordinator("C")
    core.handle(Begin("t", ("P1", "P2")))
    return core


def votes_yes(core: Coordinator, *sites: str) -> tuple[Effect, ...]:
    effects: tuple[Effect, ...] = ()
    for site in sites:
        effects = core.handle(Received(site, Vote("t", yes=True)))
    return effects


def voter(site: str) -> Participant:
    """A participant that has voted yes on t, with participants P1, P2, P3."""
    core = Participant(site)
    core.handle(Received("C", VoteRequest("t", SITES)))
    core.handle(VoteCast("t", yes=True))
    return core


def state_of(core: Coordinator | Participant, name: str = "t") -> State:
    known = core.state(name)
    assert known is not None
    return known.state


def sent(effects: tuple[Effect, ...]) -> set[tuple[str, Message]]:
    return {(effect.to, effect.message) for effect in effects if isinstance(effect, Send)}


def received(core: Coordinator | Participant, sender: str, message: Message) -> tuple[Effect, ...]:
    return core.handle(Received(sender, message))


# The commit protocol: BHG 7.5, steps 1 to 6.


def test_the_coordinator_asks_all_participants_to_vote() -> None:
    effects = Coordinator("C").handle(Begin("t", ("P1", "P2")))
    request = VoteRequest("t", ("P1", "P2"))
    assert effects == (
        Persist(begun(State.UNCERTAIN)),
        Send("P1", request),
        Send("P2", request),
        SetTimer("t"),
    )


def test_a_yes_vote_is_logged_and_binds() -> None:
    core = Participant("P1")
    assert received(core, "C", VoteRequest("t", SITES)) == (AskVote("t"),)
    assert core.handle(VoteCast("t", yes=True)) == (
        Persist(entered(State.UNCERTAIN)),
        Send("C", Vote("t", True)),
        SetTimer("t"),
    )
    with pytest.raises(LocalError, match="no vote is due"):
        core.handle(GiveUp("t"))


def test_a_no_vote_decides_abort_at_once() -> None:
    core = Participant("P1")
    received(core, "C", VoteRequest("t", SITES))
    effects = core.handle(VoteCast("t", yes=False))
    assert effects == (
        Persist(entered(State.ABORTED)),
        Send("C", Vote("t", False)),
        Notify("t", ABORT),
    )
    assert state_of(core) is State.ABORTED


def test_one_no_vote_aborts_the_transaction() -> None:
    core = coordinator()
    votes_yes(core, "P1")
    effects = received(core, "P2", Vote("t", yes=False))
    assert ("P1", Decide("t", ABORT)) in sent(effects)
    assert effects[-2:] == (Notify("t", ABORT), CancelTimer("t"))


def test_pre_commit_goes_out_only_after_the_last_yes() -> None:
    core = coordinator()
    assert votes_yes(core, "P1") == (SetTimer("t"),)
    assert sent(votes_yes(core, "P2")) == {("P1", PreCommit("t")), ("P2", PreCommit("t"))}


def test_a_missing_vote_aborts_after_the_time_out() -> None:
    core = coordinator()
    votes_yes(core, "P1")
    assert sent(core.handle(TimedOut("t"))) == {
        ("P1", Decide("t", ABORT)),
        ("P2", Decide("t", ABORT)),
    }


def test_commit_goes_out_only_after_the_last_acknowledgement() -> None:
    core = coordinator()
    votes_yes(core, "P1", "P2")
    assert not sent(received(core, "P1", Acknowledge("t")))
    effects = received(core, "P2", Acknowledge("t"))
    assert sent(effects) == {("P1", Decide("t", COMMIT)), ("P2", Decide("t", COMMIT))}
    assert Notify("t", COMMIT) in effects


def test_a_missing_acknowledgement_is_not_waited_for() -> None:
    core = coordinator()
    votes_yes(core, "P1", "P2")
    received(core, "P1", Acknowledge("t"))
    assert Notify("t", COMMIT) in core.handle(TimedOut("t"))


def test_a_failure_notice_counts_for_its_site_alone() -> None:
    core = coordinator()
    votes_yes(core, "P1", "P2")
    assert not sent(core.handle(SiteDown("P1")))
    assert core.handle(SiteDown("P3")) == ()
    assert Notify("t", COMMIT) in core.handle(SiteDown("P2"))


def test_pre_commit_prepares_and_is_acknowledged() -> None:
    effects = received(voter("P1"), "C", PreCommit("t"))
    assert effects == (
        Persist(entered(State.PREPARED)),
        Send("C", Acknowledge("t")),
        SetTimer("t"),
    )


@pytest.mark.parametrize("decision", [COMMIT, ABORT])
def test_a_decision_is_logged_and_told_to_the_application(decision: Decision) -> None:
    effects = received(voter("P1"), "C", Decide("t", decision))
    state = State.COMMITTED if decision is COMMIT else State.ABORTED
    assert effects == (Persist(entered(state)), Notify("t", decision), CancelTimer("t"))


def test_whoever_has_not_voted_may_abort_alone_and_then_votes_no() -> None:
    core = Participant("P1")
    record = Persist(Entered("t", State.ABORTED))
    assert core.handle(GiveUp("t")) == (record, Notify("t", ABORT))
    assert sent(received(core, "C", VoteRequest("t", SITES))) == {("C", Vote("t", False))}


# Termination: BHG 7.5, rules TR1 to TR4.


@pytest.mark.parametrize(
    ("states", "ruling"),
    [
        ("wwa", Ruling.ABORT),  # TR1
        ("q", Ruling.ABORT),
        ("pc", Ruling.COMMIT),  # TR2
        ("ww", Ruling.ABORT),  # TR3
        ("w", Ruling.ABORT),
        ("wp", Ruling.PREPARE_OTHERS),  # TR4
        ("pp", Ruling.COMMIT),
    ],
)
def test_the_termination_rule(states: str, ruling: Ruling) -> None:
    assert rule(map(State, states), frozenset()) is ruling


@pytest.mark.parametrize(
    ("flaw", "states", "ruling"),
    [
        ("uncertain_means_commit", "ww", Ruling.COMMIT),
        ("backup_skips_phase1", "wp", Ruling.COMMIT),
        ("mixed_means_abort", "wp", Ruling.ABORT),
    ],
)
def test_what_the_flaws_make_of_the_rule(flaw: str, states: str, ruling: Ruling) -> None:
    assert rule(map(State, states), frozenset({flaw})) is ruling


def test_the_first_in_line_takes_over_and_asks_those_after_it() -> None:
    effects = voter("P1").handle(TimedOut("t"))
    assert sent(effects) == {("P2", StateRequest("t")), ("P3", StateRequest("t"))}


def test_the_others_turn_to_the_next_in_line() -> None:
    core = voter("P3")
    assert sent(core.handle(TimedOut("t"))) == {("P1", TakeOver("t"))}
    assert sent(core.handle(SiteDown("P1"))) == {("P2", TakeOver("t"))}
    assert Notify("t", ABORT) in core.handle(TimedOut("t"))  # alone and uncertain: TR3


def test_whoever_is_told_to_take_over_does_so_once() -> None:
    core = voter("P2")
    assert sent(received(core, "P3", TakeOver("t"))) == {("P3", StateRequest("t"))}
    assert received(core, "P3", TakeOver("t")) == ()


def test_whoever_is_told_to_take_over_and_has_decided_answers() -> None:
    core = voter("P2")
    received(core, "C", Decide("t", COMMIT))
    assert sent(received(core, "P3", TakeOver("t"))) == {("P3", Decide("t", COMMIT))}


def test_a_backup_that_is_told_the_decision_passes_it_on() -> None:
    core = voter("P1")
    core.handle(TimedOut("t"))
    effects = received(core, "C", Decide("t", COMMIT))
    assert sent(effects) == {("P2", Decide("t", COMMIT)), ("P3", Decide("t", COMMIT))}


def test_a_backup_prepares_the_uncertain_before_it_commits() -> None:
    core = voter("P1")
    received(core, "C", PreCommit("t"))
    core.handle(TimedOut("t"))
    received(core, "P2", StateReport("t", State.UNCERTAIN))
    effects = received(core, "P3", StateReport("t", State.PREPARED))
    assert sent(effects) == {("P2", PreCommit("t"))}
    effects = received(core, "P2", Acknowledge("t"))
    assert sent(effects) == {("P2", Decide("t", COMMIT)), ("P3", Decide("t", COMMIT))}


def test_an_uncertain_backup_prepares_itself_too() -> None:
    core = voter("P2")
    core.handle(TimedOut("t"))
    core.handle(TimedOut("t"))
    assert Notify("t", COMMIT) in received(core, "P3", StateReport("t", State.PREPARED))
    core = voter("P1")
    core.handle(TimedOut("t"))
    received(core, "P2", StateReport("t", State.PREPARED))
    effects = received(core, "P3", StateReport("t", State.UNCERTAIN))
    assert effects[0] == Persist(entered(State.PREPARED))


def test_a_backup_does_not_wait_for_the_silent() -> None:
    core = voter("P1")
    core.handle(TimedOut("t"))
    received(core, "P2", StateReport("t", State.PREPARED))
    assert Notify("t", COMMIT) in core.handle(TimedOut("t"))


def test_after_answering_a_backup_the_old_coordinator_comes_too_late() -> None:
    core = voter("P2")
    effects = received(core, "P1", StateRequest("t"))
    assert sent(effects) == {("P1", StateReport("t", State.UNCERTAIN))}
    assert received(core, "C", PreCommit("t")) == ()
    assert state_of(core) is State.UNCERTAIN
    assert sent(received(core, "P1", PreCommit("t"))) == {("P1", Acknowledge("t"))}


def test_whoever_has_not_voted_aborts_when_it_is_asked() -> None:
    core = Participant("P2")
    effects = received(core, "P1", StateRequest("t"))
    assert sent(effects) == {("P1", StateReport("t", State.ABORTED))}
    core = Participant("P2")
    received(core, "C", VoteRequest("t", SITES))
    effects = received(core, "P1", DecisionRequest("t"))
    assert sent(effects) == {("P1", Decide("t", ABORT)), ("C", Vote("t", False))}


def test_only_the_decided_answer_for_the_decision() -> None:
    core = voter("P2")
    assert received(core, "P3", DecisionRequest("t")) == ()
    received(core, "C", Decide("t", COMMIT))
    assert sent(received(core, "P3", DecisionRequest("t"))) == {("P3", Decide("t", COMMIT))}


# Recovery: Skeen and Stonebraker 1983; BHG 7.5.


VOTED = (entered(State.UNCERTAIN),)
PREPARED = (*VOTED, entered(State.PREPARED))


@pytest.mark.parametrize("records", [VOTED, PREPARED])
def test_a_participant_that_voted_yes_does_not_recover_alone(records: tuple[Entered, ...]) -> None:
    core, effects = Participant.recover("P1", records)
    asked = {(site, DecisionRequest("t")) for site in ("C", "P2", "P3")}
    assert sent(effects) == asked
    assert sent(core.handle(TimedOut("t"))) == asked
    assert received(core, "P2", StateRequest("t")) == ()
    assert received(core, "C", PreCommit("t")) == ()
    assert Notify("t", COMMIT) in received(core, "P3", Decide("t", COMMIT))


@pytest.mark.parametrize(
    ("flaw", "records", "decision"),
    [
        ("recover_p_commits", PREPARED, COMMIT),
        ("recover_aborts", PREPARED, ABORT),
        ("recover_aborts", VOTED, ABORT),
    ],
)
def test_what_the_flaws_make_of_recovery(
    flaw: str, records: tuple[Entered, ...], decision: Decision
) -> None:
    _, effects = Participant.recover("P1", records, flaws=[flaw])
    assert effects[1:] == (Notify("t", decision),)


def test_a_decided_participant_recovers_with_its_decision() -> None:
    core, effects = Participant.recover("P1", (*PREPARED, entered(State.COMMITTED)))
    assert effects == (Notify("t", COMMIT),)
    report = StateReport("t", State.COMMITTED)
    assert sent(received(core, "P2", StateRequest("t"))) == {("P2", report)}


def test_a_coordinator_without_pre_commit_in_its_log_aborts() -> None:
    core, effects = Coordinator.recover("C", [begun(State.UNCERTAIN)])
    assert effects[0] == Persist(begun(State.ABORTED))
    assert Notify("t", ABORT) in effects
    assert state_of(core) is State.ABORTED


def test_a_coordinator_with_pre_commit_in_its_log_asks() -> None:
    core, effects = Coordinator.recover("C", [begun(State.UNCERTAIN), begun(State.PREPARED)])
    asked = {("P1", DecisionRequest("t")), ("P2", DecisionRequest("t"))}
    assert sent(effects) == asked
    assert received(core, "P1", Acknowledge("t")) == ()
    assert sent(core.handle(TimedOut("t"))) == asked
    effects = received(core, "P2", Decide("t", ABORT))
    assert effects[1:] == (Notify("t", ABORT), CancelTimer("t"))


def test_a_decided_coordinator_sends_its_decision_again() -> None:
    _, effects = Coordinator.recover("C", [begun(State.UNCERTAIN), begun(State.COMMITTED)])
    assert ("P2", Decide("t", COMMIT)) in sent(effects)


def test_a_site_recovers_from_a_log_on_disk_that_both_roles_share(tmp_path: Path) -> None:
    with SqliteLog(tmp_path / "log.sqlite") as log:
        persist(Coordinator("P1").handle(Begin("own", ("P2",))), log)
        core = Participant("P1")
        persist(received(core, "C", VoteRequest("t", SITES)), log)
        persist(core.handle(VoteCast("t", yes=True)), log)
    with SqliteLog(tmp_path / "log.sqlite") as log:
        records = load(log)
    leading, effects = Coordinator.recover("P1", records)
    taking_part, _ = Participant.recover("P1", records)
    assert leading.state("t") is None
    assert taking_part.state("own") is None
    assert state_of(taking_part) is State.UNCERTAIN
    assert Notify("own", ABORT) in effects


def test_records_are_forced_once_for_many_events() -> None:
    log = MemoryLog()
    effects = Coordinator("C").handle(Begin("t", ("P1",)))
    rest = persist((*effects, Persist(entered(State.UNCERTAIN))), log)
    assert rest == effects[1:]
    assert len(log.durable()) == 2
    assert load(log) == (Entered("t", State.UNCERTAIN, "C", ("P1",)), entered(State.UNCERTAIN))


def test_a_foreign_record_is_refused() -> None:
    log = MemoryLog()
    log.append("t", b'{"state": "z"}', forced=True)
    with pytest.raises(LocalError, match="not a record of three-phase commit"):
        load(log)


# What every event must satisfy: duplicates are harmless, the impossible changes nothing.


@pytest.mark.parametrize(
    "message",
    [
        VoteRequest("t", SITES),
        PreCommit("t"),
        StateRequest("t"),
        Decide("t", COMMIT),
    ],
)
def test_a_duplicate_changes_neither_state_nor_log(message: Message) -> None:
    core = voter("P3")
    received(core, "C", message)
    known = core.state("t")
    effects = received(core, "C", message)
    assert core.state("t") == known
    assert not [effect for effect in effects if isinstance(effect, Persist | Notify | AskVote)]


def test_duplicates_change_nothing_at_the_coordinator() -> None:
    core = coordinator()
    votes_yes(core, "P1")
    assert votes_yes(core, "P1") == ()
    votes_yes(core, "P2")
    received(core, "P1", Acknowledge("t"))
    assert received(core, "P1", Acknowledge("t")) == ()
    received(core, "P2", Acknowledge("t"))
    assert received(core, "P2", Acknowledge("t")) == ()
    assert votes_yes(core, "P2") == ()


def settled(decision: Decision) -> Participant:
    core = voter("P2")
    received(core, "C", Decide("t", decision))
    return core


@pytest.mark.parametrize(
    ("core", "event", "error"),
    [
        (coordinator(), Begin("t", ("P1",)), LocalError),
        (coordinator(), Begin("u", ()), LocalError),
        (coordinator(), Begin("u", ("P1", "P1")), LocalError),
        (coordinator(), Begin("u", ("P1", "C")), LocalError),
        (coordinator(), TimedOut("u"), LocalError),
        (coordinator(), VoteCast("t", yes=True), LocalError),
        (coordinator(), Received("P1", Vote("u", yes=True)), RemoteError),
        (coordinator(), Received("P9", Vote("t", yes=True)), RemoteError),
        (coordinator(), Received("P1", Acknowledge("t")), RemoteError),
        (coordinator(), Received("P1", PreCommit("t")), RemoteError),
        (coordinator(), Received("P1", Decide("t", COMMIT)), RemoteError),
        (voter("P2"), Begin("u", ("P1",)), LocalError),
        (voter("P2"), VoteCast("t", yes=True), LocalError),
        (voter("P2"), VoteCast("u", yes=True), LocalError),
        (voter("P2"), TimedOut("u"), LocalError),
        (voter("P2"), Received("C", PreCommit("u")), RemoteError),
        (voter("P2"), Received("C", Decide("u", COMMIT)), RemoteError),
        (voter("P2"), Received("P1", StateReport("u", State.UNCERTAIN)), RemoteError),
        (voter("P2"), Received("C", VoteRequest("u", ("P1",))), RemoteError),
        (voter("P2"), Received("P9", StateRequest("t")), RemoteError),
        (voter("P2"), Received("P1", Vote("t", yes=True)), RemoteError),
        (settled(COMMIT), TimedOut("t"), LocalError),
        (settled(COMMIT), Received("P1", Decide("t", ABORT)), RemoteError),
        (settled(ABORT), Received("C", Decide("t", COMMIT)), RemoteError),
    ],
)
def test_the_impossible_raises_and_changes_nothing(
    core: Coordinator | Participant, event: Event, error: type[Exception]
) -> None:
    before = [core.state(name) for name in ("t", "u")]
    with pytest.raises(error):
        core.handle(event)
    assert [core.state(name) for name in ("t", "u")] == before


def test_a_no_after_a_yes_is_refused() -> None:
    core = coordinator()
    votes_yes(core, "P1")
    with pytest.raises(RemoteError, match="after it voted yes"):
        received(core, "P1", Vote("t", yes=False))
    assert state_of(core) is State.UNCERTAIN


def test_transactions_do_not_touch_each_other() -> None:
    core = voter("P1")
    received(core, "C", VoteRequest("u", ("P2", "P1")))
    core.handle(VoteCast("u", yes=False))
    received(core, "D", VoteRequest("v", ("P1",)))
    assert [state_of(core, name) for name in ("t", "u", "v")] == [
        State.UNCERTAIN,
        State.ABORTED,
        State.INITIAL,
    ]
    known = core.state("t")
    assert known is not None
    assert known.role == Following("C")


def test_an_unknown_flaw_is_refused() -> None:
    with pytest.raises(LocalError, match="unknown flaws"):
        Participant("P1", flaws=["recover_commits"])

"""The coordinator, a test a rule: BHG 1987 section 7.4, Mohan et al. 1986 for presumptions."""

from __future__ import annotations

import pytest

from quorate.implementations.two_phase_commit import (
    Acknowledgement,
    CancelTimer,
    Coordinator,
    CoordinatorEvent,
    Decide,
    Decided,
    Decision,
    DecisionNotice,
    DecisionReady,
    DecisionRecord,
    DecisionRequest,
    Effect,
    Ended,
    EndRecord,
    Flaw,
    LocalError,
    Options,
    Persist,
    Presumption,
    Proceed,
    ProceedWhenSent,
    Received,
    RemoteError,
    Request,
    Send,
    SetTimer,
    StartRecord,
    Termination,
    TimedOut,
    Uncertain,
    Vote,
    VoteReply,
    VoteRequest,
    Wait,
    YesRecord,
)

T = "t"
BOTH = ("p1", "p2")
ASKED = VoteRequest(T, BOTH)
COMMIT = DecisionNotice(T, Decision.COMMIT)
ABORT = DecisionNotice(T, Decision.ABORT)
START = StartRecord(T, BOTH)


def committed(told: tuple[str, ...] = BOTH) -> DecisionRecord:
    return DecisionRecord(T, Decision.COMMIT, told)


def aborted() -> DecisionRecord:
    return DecisionRecord(T, Decision.ABORT, BOTH)


def vote(name: str, value: Vote = Vote.YES, transaction: str = T) -> Received:
    return Received(name, VoteReply(transaction, value))


def after(*events: CoordinatorEvent, options: Options | None = None) -> Coordinator:
    core = Coordinator(options)
    core.handle(Request(T, BOTH))
    for event in events:
        core.handle(event)
    return core


def sends(effects: tuple[Effect, ...]) -> list[Effect]:
    return [effect for effect in effects if isinstance(effect, Send)]


ALL_YES = (vote("p1"), vote("p2"))


# BHG 7.4, the protocol


def test_request_forces_the_start_record_then_asks_every_participant() -> None:
    assert Coordinator().handle(Request(T, BOTH)) == (
        Persist(START, forced=True),
        Send("p1", ASKED),
        Send("p2", ASKED),
        SetTimer(T, Wait.VOTES),
    )


def test_a_vote_is_only_recorded_until_the_last() -> None:
    core = after()
    assert core.handle(vote("p1")) == ()
    assert core.transactions[T].yes == {"p1"}
    assert core.handle(vote("p2")) == (CancelTimer(T), DecisionReady(T))


def test_all_yes_is_commit_forced_before_it_is_sent() -> None:
    assert after(*ALL_YES).handle(Decide(T)) == (
        Persist(committed(), forced=True),
        Send("p1", COMMIT),
        Send("p2", COMMIT),
        Decided(T, Decision.COMMIT),
        SetTimer(T, Wait.ACKNOWLEDGEMENTS),
    )


def test_one_no_is_abort_and_the_no_voter_is_not_told() -> None:
    core = after(vote("p1"))
    assert core.handle(vote("p2", Vote.NO)) == (CancelTimer(T), DecisionReady(T))
    assert core.handle(Decide(T)) == (
        Persist(aborted(), forced=True),
        Send("p1", ABORT),
        Decided(T, Decision.ABORT),
        SetTimer(T, Wait.ACKNOWLEDGEMENTS),
    )


def test_when_all_vote_no_nobody_is_left_to_acknowledge() -> None:
    core = after(vote("p1", Vote.NO), vote("p2", Vote.NO))
    assert core.handle(Decide(T))[-3:] == (
        Persist(EndRecord(T), forced=False),
        CancelTimer(T),
        Ended(T),
    )
    assert not core.transactions


def test_time_out_waiting_for_votes_is_abort() -> None:
    core = after(vote("p1"))
    assert core.handle(TimedOut(T))[:3] == (
        Persist(aborted(), forced=True),
        Send("p1", ABORT),
        Send("p2", ABORT),
    )


def test_time_out_waiting_for_acknowledgements_repeats_the_decision() -> None:
    core = after(*ALL_YES, Decide(T), Received("p1", Acknowledgement(T)))
    again = (Send("p2", COMMIT), SetTimer(T, Wait.ACKNOWLEDGEMENTS))
    assert core.handle(TimedOut(T)) == again


def test_the_last_acknowledgement_ends_the_transaction_lazily() -> None:
    core = after(*ALL_YES, Decide(T), Received("p1", Acknowledgement(T)))
    assert core.handle(Received("p2", Acknowledgement(T))) == (
        Persist(EndRecord(T), forced=False),
        CancelTimer(T),
        Ended(T),
    )
    assert not core.transactions


def test_an_inquiry_is_answered_from_memory_once_decided() -> None:
    core = after(*ALL_YES)
    assert core.handle(Received("p1", DecisionRequest(T))) == ()
    core.handle(Decide(T))
    assert core.handle(Received("p1", DecisionRequest(T))) == (Send("p1", COMMIT),)


# BHG 7.4, recovery


def test_recovery_aborts_what_was_started_and_not_decided() -> None:
    core, effects = Coordinator.recover([START])
    assert effects == (
        Persist(aborted(), forced=True),
        Send("p1", ABORT),
        Send("p2", ABORT),
        Decided(T, Decision.ABORT),
        SetTimer(T, Wait.ACKNOWLEDGEMENTS),
    )
    assert core.transactions[T].decision is Decision.ABORT


@pytest.mark.parametrize("decision", Decision)
def test_recovery_sends_a_decision_again_and_tells_the_application(decision: Decision) -> None:
    core, effects = Coordinator.recover([START, DecisionRecord(T, decision, BOTH)])
    assert effects == (
        Send("p1", DecisionNotice(T, decision)),
        Send("p2", DecisionNotice(T, decision)),
        Decided(T, decision),
        SetTimer(T, Wait.ACKNOWLEDGEMENTS),
    )
    assert core.handle(Received("p1", Acknowledgement(T))) == ()


def test_recovery_forgets_what_has_ended() -> None:
    core, effects = Coordinator.recover([START, committed(), EndRecord(T)])
    assert not core.transactions
    assert effects == (Ended(T),)


def test_recovery_refuses_the_log_of_a_participant() -> None:
    with pytest.raises(LocalError, match="participant's"):
        Coordinator.recover([YesRecord(T, "c", BOTH)])


# presumed abort (Mohan et al., section 3)

PRESUMED_ABORT = Options(Presumption.ABORT)


def test_presumed_abort_writes_no_start_record() -> None:
    effects = Coordinator(PRESUMED_ABORT).handle(Request(T, BOTH))
    assert not [effect for effect in effects if isinstance(effect, Persist)]


def test_presumed_abort_forgets_an_abort_at_once() -> None:
    core = after(vote("p1"), options=PRESUMED_ABORT)
    assert core.handle(TimedOut(T)) == (
        Send("p1", ABORT),
        Send("p2", ABORT),
        Decided(T, Decision.ABORT),
        CancelTimer(T),
        Ended(T),
    )
    assert core.handle(Received("p1", DecisionRequest(T))) == (Send("p1", ABORT),)


def test_presumed_abort_forces_a_commit_with_the_participants_and_awaits_everybody() -> None:
    core = after(*ALL_YES, options=PRESUMED_ABORT)
    effects = core.handle(Decide(T))
    assert effects[0] == Persist(committed(), forced=True)
    assert effects[-1] == SetTimer(T, Wait.ACKNOWLEDGEMENTS)


def test_presumed_abort_recovers_the_participants_from_the_commit_record() -> None:
    _, effects = Coordinator.recover([committed()], PRESUMED_ABORT)
    assert sends(effects) == [Send("p1", COMMIT), Send("p2", COMMIT)]


# presumed commit (Mohan et al., section 4)

PRESUMED_COMMIT = Options(Presumption.COMMIT)


def test_presumed_commit_forces_the_collecting_record_before_asking() -> None:
    effects = Coordinator(PRESUMED_COMMIT).handle(Request(T, BOTH))
    assert effects[0] == Persist(START, forced=True)


def test_presumed_commit_forgets_a_commit_at_once() -> None:
    core = after(*ALL_YES, options=PRESUMED_COMMIT)
    assert core.handle(Decide(T)) == (
        Persist(committed(), forced=True),
        Send("p1", COMMIT),
        Send("p2", COMMIT),
        Decided(T, Decision.COMMIT),
        CancelTimer(T),
        Ended(T),
    )
    assert core.handle(Received("p1", DecisionRequest(T))) == (Send("p1", COMMIT),)


def test_presumed_commit_remembers_an_abort_until_all_have_acknowledged() -> None:
    core = after(vote("p1"), options=PRESUMED_COMMIT)
    effects = core.handle(TimedOut(T))
    assert effects[0] == Persist(aborted(), forced=True)
    core.handle(Received("p1", Acknowledgement(T)))
    assert core.handle(Received("p2", DecisionRequest(T))) == (Send("p2", ABORT),)


def test_presumed_commit_recovers_an_abort_from_the_collecting_record_alone() -> None:
    _, effects = Coordinator.recover([START], PRESUMED_COMMIT)
    assert effects[:2] == (Persist(aborted(), forced=True), Send("p1", ABORT))


def test_presumed_commit_recovers_a_commit_as_forgotten() -> None:
    core, effects = Coordinator.recover([START, committed()], PRESUMED_COMMIT)
    assert not core.transactions
    assert effects == (Decided(T, Decision.COMMIT), CancelTimer(T), Ended(T))


# the forwarding variant (Babaoglu and Toueg 1993)

FORWARDING = Options(termination=Termination.FORWARDING)


def test_forwarding_tells_everybody_before_it_decides() -> None:
    core = after(*ALL_YES, options=FORWARDING)
    told = (Send("p1", COMMIT), Send("p2", COMMIT))
    assert core.handle(Decide(T)) == (CancelTimer(T), *told, ProceedWhenSent(T))
    assert core.handle(Proceed(T))[:2] == (
        Persist(committed(), forced=True),
        Decided(T, Decision.COMMIT),
    )


def test_forwarding_asks_after_a_crash_because_somebody_may_have_been_told() -> None:
    core, effects = Coordinator.recover([START], FORWARDING)
    assert sends(effects) == [Send("p1", DecisionRequest(T)), Send("p2", DecisionRequest(T))]
    assert core.handle(TimedOut(T)) == effects
    assert core.handle(Received("p1", Uncertain(T))) == ()
    assert core.handle(Received("p2", COMMIT))[-1] == ProceedWhenSent(T)


# idempotence and illegal events


@pytest.mark.parametrize("event", [vote("p1"), Received("p1", Acknowledgement(T))])
def test_a_duplicate_changes_nothing(event: Received) -> None:
    core = after(vote("p1")) if event == vote("p1") else after(*ALL_YES, Decide(T), event)
    before = dict(core.transactions)
    assert core.handle(event) == ()
    assert dict(core.transactions) == before


@pytest.mark.parametrize(
    "late",
    [
        vote("p1"),
        vote("p1", Vote.NO),
        Received("p1", Acknowledgement(T)),
        Received("p1", COMMIT),
        Received("p1", Uncertain(T)),
    ],
)
def test_a_late_message_of_a_forgotten_transaction_is_ignored(late: Received) -> None:
    core = after(*ALL_YES, Decide(T), *(Received(p, Acknowledgement(T)) for p in BOTH))
    assert core.handle(late) == ()
    assert not core.transactions


ILLEGAL: list[tuple[tuple[CoordinatorEvent, ...], CoordinatorEvent, type[Exception]]] = [
    ((), Request(T, BOTH), LocalError),
    ((), Request("u", ()), LocalError),
    ((), Request("u", ("p1", "p1")), LocalError),
    ((), Decide(T), LocalError),
    ((), Decide("u"), LocalError),
    ((vote("p1"),), Decide(T), LocalError),
    ((*ALL_YES, Decide(T)), Decide(T), LocalError),
    ((), TimedOut("u"), LocalError),
    (ALL_YES, TimedOut(T), LocalError),
    ((), Proceed(T), LocalError),
    ((), Proceed("u"), LocalError),
    ((), vote("p3"), RemoteError),
    ((vote("p1"),), vote("p1", Vote.NO), RemoteError),
    ((vote("p1", Vote.NO),), vote("p1"), RemoteError),
    ((), Received("p1", ASKED), RemoteError),
    ((*ALL_YES, Decide(T)), Received("p3", Acknowledgement(T)), RemoteError),
    ((*ALL_YES, Decide(T)), Received("p1", ABORT), RemoteError),
]


@pytest.mark.parametrize(("events", "illegal", "error"), ILLEGAL)
def test_an_illegal_event_raises_and_nothing_changed(
    events: tuple[CoordinatorEvent, ...], illegal: CoordinatorEvent, error: type[Exception]
) -> None:
    core = after(*events)
    before = dict(core.transactions)
    with pytest.raises(error):
        core.handle(illegal)
    assert dict(core.transactions) == before


def test_transactions_do_not_meet() -> None:
    core = after(vote("p1"))
    core.handle(Request("u", ("p1", "p3")))
    before = core.transactions[T]
    core.handle(vote("p1", Vote.NO, "u"))
    core.handle(Decide("u"))
    assert core.transactions[T] == before
    assert core.handle(vote("p2")) == (CancelTimer(T), DecisionReady(T))


# flaws


def flawed(flaw: Flaw, presumption: Presumption = Presumption.NOTHING) -> Options:
    return Options(presumption, flaws=frozenset({flaw}))


def test_flaw_decision_not_forced() -> None:
    effects = after(*ALL_YES, options=flawed(Flaw.DECISION_NOT_FORCED)).handle(Decide(T))
    assert effects[:3] == (
        Send("p1", COMMIT),
        Send("p2", COMMIT),
        Persist(committed(), forced=False),
    )


def test_flaw_missing_vote() -> None:
    core = after(options=flawed(Flaw.MISSING_VOTE))
    assert core.handle(vote("p1")) == (CancelTimer(T), DecisionReady(T))
    assert Decided(T, Decision.COMMIT) in core.handle(Decide(T))


def test_flaw_presumed_abort_forgets_commit() -> None:
    options = flawed(Flaw.PRESUMED_ABORT_FORGETS_COMMIT, Presumption.ABORT)
    core = after(*ALL_YES, Decide(T), options=options)
    assert core.handle(Received("p1", DecisionRequest(T))) == (Send("p1", ABORT),)


def test_flaw_presumed_commit_no_collecting_record() -> None:
    options = flawed(Flaw.PRESUMED_COMMIT_NO_COLLECTING_RECORD, Presumption.COMMIT)
    effects = Coordinator(options).handle(Request(T, BOTH))
    assert not [effect for effect in effects if isinstance(effect, Persist)]

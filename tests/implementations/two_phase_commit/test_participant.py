"""The participant, a test a rule: BHG 1987 section 7.4, Mohan et al. 1986 for presumptions."""

from __future__ import annotations

import pytest

from quorate.implementations.two_phase_commit import (
    Acknowledgement,
    CancelTimer,
    CastVote,
    Decided,
    Decision,
    DecisionNotice,
    DecisionRecord,
    DecisionRequest,
    Effect,
    Enlist,
    Flaw,
    Forget,
    LocalError,
    Options,
    Participant,
    ParticipantEvent,
    Persist,
    Presumption,
    Proceed,
    ProceedWhenSent,
    Received,
    Record,
    RemoteError,
    Send,
    SetTimer,
    StartRecord,
    Termination,
    TimedOut,
    Uncertain,
    Vote,
    VoteReply,
    VoteRequest,
    VoteRequested,
    Wait,
    YesRecord,
)

T = "t"
BOTH = ("p1", "p2")
ASKED = Received("c", VoteRequest(T, BOTH))
YES = CastVote(T, Vote.YES)
NO = CastVote(T, Vote.NO)
COMMIT = DecisionNotice(T, Decision.COMMIT)
ABORT = DecisionNotice(T, Decision.ABORT)
FROM_C = {Decision.COMMIT: Received("c", COMMIT), Decision.ABORT: Received("c", ABORT)}
ACKNOWLEDGED = Send("c", Acknowledgement(T))
YES_RECORD = YesRecord(T, "c", BOTH)
UNCERTAIN: tuple[ParticipantEvent, ...] = (ASKED, YES)
ASKS_EVERYBODY: tuple[Effect, ...] = (
    Send("c", DecisionRequest(T)),
    Send("p2", DecisionRequest(T)),
    SetTimer(T, Wait.DECISION),
)


def record(decision: Decision) -> DecisionRecord:
    return DecisionRecord(T, decision)


def deciding(decision: Decision, *, forced: bool = True) -> tuple[Effect, ...]:
    return (Persist(record(decision), forced), CancelTimer(T), Decided(T, decision))


def after(*events: ParticipantEvent, options: Options | None = None) -> Participant:
    core = Participant("p1", options)
    core.handle(Enlist(T, "c"))
    for event in events:
        core.handle(event)
    return core


# BHG 7.4, the protocol


def test_work_waits_for_the_vote_request() -> None:
    assert Participant("p1").handle(Enlist(T, "c")) == (SetTimer(T, Wait.VOTE_REQUEST),)


def test_a_vote_request_asks_the_application() -> None:
    assert after().handle(ASKED) == (CancelTimer(T), VoteRequested(T))


def test_the_yes_record_is_forced_before_yes_is_sent() -> None:
    assert after(ASKED).handle(YES) == (
        Persist(YES_RECORD, forced=True),
        Send("c", VoteReply(T, Vote.YES)),
        SetTimer(T, Wait.DECISION),
    )


def test_a_no_vote_aborts_at_once() -> None:
    assert after(ASKED).handle(NO) == (
        Persist(record(Decision.ABORT), forced=True),
        Send("c", VoteReply(T, Vote.NO)),
        CancelTimer(T),
        Decided(T, Decision.ABORT),
    )


@pytest.mark.parametrize("decision", Decision)
def test_a_decision_is_recorded_then_acknowledged(decision: Decision) -> None:
    core = after(*UNCERTAIN)
    assert core.handle(FROM_C[decision]) == (*deciding(decision), ACKNOWLEDGED)
    assert core.transactions[T].decision is decision


def test_time_out_before_the_vote_is_a_unilateral_abort() -> None:
    assert after().handle(TimedOut(T)) == deciding(Decision.ABORT)


def test_time_out_when_uncertain_asks_and_never_decides() -> None:
    core = after(*UNCERTAIN)
    assert core.handle(TimedOut(T)) == ASKS_EVERYBODY
    assert core.transactions[T].decision is None


@pytest.mark.parametrize("events", [(), (ASKED,)])
def test_an_abort_that_overtakes_the_vote_is_taken(events: tuple[ParticipantEvent, ...]) -> None:
    assert Decided(T, Decision.ABORT) in after(*events).handle(Received("c", ABORT))


def test_an_answer_of_the_application_that_comes_too_late_is_ignored() -> None:
    core = after(ASKED, Received("c", ABORT))
    assert core.handle(YES) == ()
    assert core.transactions[T].vote is None


# BHG 7.4, cooperative termination: the peer that is asked


@pytest.mark.parametrize("decision", Decision)
def test_a_peer_that_has_decided_tells(decision: Decision) -> None:
    core = after(*UNCERTAIN, FROM_C[decision])
    answer = Send("p2", DecisionNotice(T, decision))
    assert core.handle(Received("p2", DecisionRequest(T))) == (answer,)


@pytest.mark.parametrize("events", [(), (ASKED,)])
def test_a_peer_that_has_not_voted_aborts_and_tells(events: tuple[ParticipantEvent, ...]) -> None:
    core = after(*events)
    effects = core.handle(Received("p2", DecisionRequest(T)))
    assert effects == (*deciding(Decision.ABORT), Send("p2", ABORT))


def test_a_peer_that_is_uncertain_cannot_help() -> None:
    core = after(*UNCERTAIN)
    assert core.handle(Received("p2", DecisionRequest(T))) == (Send("p2", Uncertain(T)),)
    assert core.handle(Received("p2", Uncertain(T))) == ()
    assert core.transactions[T].decision is None


def test_a_decision_from_a_peer_counts_and_the_coordinator_hears_of_it() -> None:
    effects = after(*UNCERTAIN).handle(Received("p2", COMMIT))
    assert effects == (*deciding(Decision.COMMIT), ACKNOWLEDGED)


def test_a_peer_that_knows_nothing_aborts_so_that_it_can_never_vote_yes() -> None:
    core = Participant("p1")
    assert core.handle(Received("p2", DecisionRequest(T))) == (
        Persist(record(Decision.ABORT), forced=True),
        Send("p2", ABORT),
    )
    assert core.handle(ASKED) == (Send("c", VoteReply(T, Vote.NO)),)
    assert core.handle(Enlist(T, "c")) == (Decided(T, Decision.ABORT),)


# BHG 7.4, recovery


def test_recovery_with_a_yes_record_is_uncertain_and_asks() -> None:
    core, effects = Participant.recover("p1", [YES_RECORD])
    assert effects == ASKS_EVERYBODY
    assert core.handle(ASKED) == (Send("c", VoteReply(T, Vote.YES)),)  # never asks twice


def test_recovery_without_a_yes_record_aborts() -> None:
    core, effects = Participant.recover("p1", [], unfinished=[(T, "c")])
    assert effects == deciding(Decision.ABORT)
    assert core.handle(ASKED) == (Send("c", VoteReply(T, Vote.NO)),)


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("before", [[], [YES_RECORD]])
def test_recovery_with_a_decision_tells_the_application_again(
    decision: Decision, before: list[YesRecord]
) -> None:
    records: list[Record] = [*before, record(decision)]
    core, effects = Participant.recover("p1", records, unfinished=[(T, "c")])
    assert effects == (Decided(T, decision),)
    assert core.handle(FROM_C[decision]) == (ACKNOWLEDGED,)


def test_recovery_acknowledges_to_the_coordinator_though_another_tells_the_outcome() -> None:
    core, _ = Participant.recover("p1", [record(Decision.ABORT)], unfinished=[(T, "c")])
    assert core.handle(Received("backup", ABORT)) == (ACKNOWLEDGED,)


def test_recovery_refuses_the_log_of_a_coordinator() -> None:
    with pytest.raises(LocalError, match="coordinator's"):
        Participant.recover("p1", [StartRecord(T, BOTH)])


# presumptions: a record is forced if an acknowledgement promises it


@pytest.mark.parametrize(
    ("presumption", "decision"),
    [(Presumption.ABORT, Decision.ABORT), (Presumption.COMMIT, Decision.COMMIT)],
)
def test_the_presumed_decision_is_neither_forced_nor_acknowledged(
    presumption: Presumption, decision: Decision
) -> None:
    core = after(*UNCERTAIN, options=Options(presumption))
    assert core.handle(FROM_C[decision]) == deciding(decision, forced=False)


@pytest.mark.parametrize(
    ("presumption", "decision"),
    [(Presumption.ABORT, Decision.COMMIT), (Presumption.COMMIT, Decision.ABORT)],
)
def test_the_other_decision_is_forced_and_acknowledged(
    presumption: Presumption, decision: Decision
) -> None:
    core = after(*UNCERTAIN, options=Options(presumption))
    assert core.handle(FROM_C[decision]) == (*deciding(decision), ACKNOWLEDGED)


def test_an_abort_without_a_yes_record_is_forced_even_under_presumed_abort() -> None:
    """A crash would forget it, and a copy of the vote request would find us free to vote Yes."""
    core = after(options=Options(Presumption.ABORT))
    assert core.handle(TimedOut(T)) == deciding(Decision.ABORT, forced=True)


# the forwarding variant (Babaoglu and Toueg 1993)

FORWARDING = Options(termination=Termination.FORWARDING)


def test_forwarding_tells_the_others_before_it_decides() -> None:
    core = after(*UNCERTAIN, options=FORWARDING)
    forwarded = (CancelTimer(T), Send("p2", COMMIT), ProceedWhenSent(T))
    assert core.handle(Received("c", COMMIT)) == forwarded
    assert core.handle(Received("p2", COMMIT)) == ()
    assert core.handle(Received("p2", DecisionRequest(T))) == (Send("p2", Uncertain(T)),)
    assert core.handle(Proceed(T)) == (*deciding(Decision.COMMIT), ACKNOWLEDGED)


def test_forwarding_time_out_when_uncertain_is_abort() -> None:
    core = after(*UNCERTAIN, options=FORWARDING)
    assert core.handle(TimedOut(T)) == deciding(Decision.ABORT)


def test_forwarding_does_not_trust_a_time_out_after_a_crash() -> None:
    core, _ = Participant.recover("p1", [YES_RECORD], FORWARDING)
    assert core.handle(TimedOut(T)) == ASKS_EVERYBODY


# idempotence and illegal events


def test_a_repeated_vote_request_gets_the_same_vote_again() -> None:
    assert after(ASKED).handle(ASKED) == ()
    assert after(*UNCERTAIN).handle(ASKED) == (Send("c", VoteReply(T, Vote.YES)),)
    assert after(ASKED, NO).handle(ASKED) == (Send("c", VoteReply(T, Vote.NO)),)
    assert after(*UNCERTAIN, Received("c", COMMIT)).handle(ASKED) == ()


def test_a_repeated_decision_is_acknowledged_again() -> None:
    core = after(*UNCERTAIN, Received("c", COMMIT))
    assert core.handle(Received("c", COMMIT)) == (ACKNOWLEDGED,)


def test_a_decision_is_never_reversed() -> None:
    """The late answer to a copy of our own inquiry, after the coordinator has forgotten."""
    core = after(*UNCERTAIN, Received("c", COMMIT))
    assert core.handle(Received("c", ABORT)) == ()
    assert core.transactions[T].decision is Decision.COMMIT


def test_a_forgotten_commit_is_acknowledged_and_a_late_abort_not_told_to_the_application() -> None:
    core = after(*UNCERTAIN, Received("c", COMMIT), Forget(T))
    assert core.handle(Received("c", COMMIT)) == (ACKNOWLEDGED,)
    effects = core.handle(Received("c", ABORT))
    assert not [effect for effect in effects if isinstance(effect, Decided)]


ILLEGAL: list[tuple[tuple[ParticipantEvent, ...], ParticipantEvent, type[Exception]]] = [
    ((), Enlist(T, "c"), LocalError),
    (UNCERTAIN, Enlist(T, "c"), LocalError),
    ((), YES, LocalError),
    ((), CastVote("u", Vote.NO), LocalError),
    (UNCERTAIN, YES, LocalError),
    ((*UNCERTAIN, Received("c", ABORT)), YES, LocalError),
    ((), TimedOut("u"), LocalError),
    ((ASKED,), TimedOut(T), LocalError),
    ((ASKED, NO), TimedOut(T), LocalError),
    (UNCERTAIN, Proceed(T), LocalError),
    (UNCERTAIN, Forget(T), LocalError),
    ((), Forget("u"), LocalError),
    ((), Received("c", VoteRequest(T, ("p2", "p3"))), RemoteError),
    ((), Received("x", VoteRequest(T, BOTH)), RemoteError),
    ((), Received("c", COMMIT), RemoteError),
    ((ASKED,), Received("c", COMMIT), RemoteError),
    ((), Received("p2", VoteReply(T, Vote.YES)), RemoteError),
]


@pytest.mark.parametrize(("events", "illegal", "error"), ILLEGAL)
def test_an_illegal_event_raises_and_nothing_changed(
    events: tuple[ParticipantEvent, ...], illegal: ParticipantEvent, error: type[Exception]
) -> None:
    core = after(*events)
    before = dict(core.transactions)
    with pytest.raises(error):
        core.handle(illegal)
    assert dict(core.transactions) == before


def test_a_decision_on_its_way_to_others_cannot_change() -> None:
    core = after(*UNCERTAIN, Received("c", COMMIT), options=FORWARDING)
    before = dict(core.transactions)
    with pytest.raises(RemoteError, match="reverses"):
        core.handle(Received("p2", ABORT))
    assert dict(core.transactions) == before


def test_transactions_do_not_meet() -> None:
    core = after(*UNCERTAIN)
    before = core.transactions[T]
    core.handle(Enlist("u", "d"))
    core.handle(Received("d", VoteRequest("u", ("p1", "p9"))))
    core.handle(CastVote("u", Vote.NO))
    assert core.transactions[T] == before


# flaws


def flawed(flaw: Flaw, termination: Termination = Termination.COOPERATIVE) -> Options:
    return Options(termination=termination, flaws=frozenset({flaw}))


def test_flaw_abort_after_yes() -> None:
    core = after(*UNCERTAIN, options=flawed(Flaw.ABORT_AFTER_YES))
    assert core.handle(TimedOut(T)) == deciding(Decision.ABORT)


def test_flaw_heuristic_commit() -> None:
    core = after(*UNCERTAIN, options=flawed(Flaw.HEURISTIC_COMMIT))
    assert core.handle(TimedOut(T)) == deciding(Decision.COMMIT)


def test_flaw_peer_ready_means_abort() -> None:
    core = after(*UNCERTAIN, options=flawed(Flaw.PEER_READY_MEANS_ABORT))
    assert core.handle(Received("p2", Uncertain(T))) == deciding(Decision.ABORT)


def test_flaw_recover_ready_aborts() -> None:
    options = flawed(Flaw.RECOVER_READY_ABORTS)
    _, effects = Participant.recover("p1", [YES_RECORD], options)
    assert effects == deciding(Decision.ABORT)


def test_flaw_yes_not_forced() -> None:
    core = after(ASKED, options=flawed(Flaw.YES_NOT_FORCED))
    assert core.handle(YES)[0] == Persist(YES_RECORD, forced=False)


def test_flaw_deliver_before_forward() -> None:
    options = flawed(Flaw.DELIVER_BEFORE_FORWARD, Termination.FORWARDING)
    core = after(*UNCERTAIN, options=options)
    effects = core.handle(Received("c", COMMIT))
    assert effects == (*deciding(Decision.COMMIT), ACKNOWLEDGED, ProceedWhenSent(T))
    assert core.handle(Proceed(T)) == (Send("p2", COMMIT),)

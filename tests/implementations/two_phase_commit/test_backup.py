"""The backup coordinator: it passes on what somebody knows, and originates nothing."""

from __future__ import annotations

import pytest

from quorate.implementations.two_phase_commit import (
    BackupCoordinator,
    BackupEvent,
    CancelTimer,
    Decided,
    Decision,
    DecisionNotice,
    DecisionRequest,
    Ended,
    Flaw,
    Forget,
    LocalError,
    Options,
    Received,
    RemoteError,
    Send,
    SetTimer,
    TakeOver,
    TimedOut,
    Uncertain,
    Vote,
    VoteReply,
    Wait,
)

T = "t"
BOTH = ("p1", "p2")
COMMIT = DecisionNotice(T, Decision.COMMIT)
ABORT = DecisionNotice(T, Decision.ABORT)
ASKS = (
    Send("p1", DecisionRequest(T)),
    Send("p2", DecisionRequest(T)),
    SetTimer(T, Wait.REPORTS),
)
FLAWED = Options(flaws=frozenset({Flaw.BACKUP_TM_READS_STATE}))


def after(*events: BackupEvent, options: Options | None = None) -> BackupCoordinator:
    core = BackupCoordinator(options)
    assert core.handle(TakeOver(T, BOTH)) == ASKS
    for event in events:
        core.handle(event)
    return core


@pytest.mark.parametrize("notice", [COMMIT, ABORT])
def test_a_known_decision_is_passed_on(notice: DecisionNotice) -> None:
    assert after().handle(Received("p2", notice)) == (
        CancelTimer(T),
        Send("p1", notice),
        Send("p2", notice),
        Decided(T, notice.decision),
        Ended(T),
    )


def test_while_everybody_is_uncertain_it_asks_again() -> None:
    core = after(Received("p1", Uncertain(T)), Received("p2", Uncertain(T)))
    assert core.handle(TimedOut(T)) == ASKS
    assert core.transactions[T].decision is None


def test_it_answers_inquiries_once_it_knows() -> None:
    core = after()
    assert core.handle(Received("p1", DecisionRequest(T))) == ()
    core.handle(Received("p2", COMMIT))
    assert core.handle(Received("p1", DecisionRequest(T))) == (Send("p1", COMMIT),)
    assert core.handle(Forget(T)) == ()
    assert core.handle(Received("p1", DecisionRequest(T))) == ()


KNOWING = Received("p1", COMMIT)
ILLEGAL: list[tuple[tuple[BackupEvent, ...], BackupEvent, type[Exception]]] = [
    ((), TakeOver(T, BOTH), LocalError),
    ((), TakeOver("u", ()), LocalError),
    ((), TimedOut("u"), LocalError),
    ((KNOWING,), TimedOut(T), LocalError),
    ((), Forget(T), LocalError),
    ((KNOWING,), Received("p2", ABORT), RemoteError),
    ((), Received("p3", Uncertain(T)), RemoteError),
    ((), Received("p1", VoteReply(T, Vote.YES)), RemoteError),
]


@pytest.mark.parametrize(("events", "illegal", "error"), ILLEGAL)
def test_an_illegal_event_raises_and_nothing_changed(
    events: tuple[BackupEvent, ...], illegal: BackupEvent, error: type[Exception]
) -> None:
    core = after(*events)
    before = dict(core.transactions)
    with pytest.raises(error):
        core.handle(illegal)
    assert dict(core.transactions) == before


def test_flaw_all_uncertain_is_taken_for_commit() -> None:
    core = after(Received("p1", Uncertain(T)), options=FLAWED)
    assert Decided(T, Decision.COMMIT) in core.handle(Received("p2", Uncertain(T)))


def test_flaw_silence_is_taken_for_failure() -> None:
    assert Decided(T, Decision.ABORT) in after(options=FLAWED).handle(TimedOut(T))

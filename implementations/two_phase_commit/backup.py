"""A backup coordinator: drives cooperative termination when the coordinator is down.

After `BTM` of tlaplus/Examples, 2PCwithBTM, but in messages: that module's backup reads all states
at once, and nothing is in flight there. The backup originates no decision, so it needs no log: it
passes on what somebody knows, and makes those abort that have not voted. If everybody it reaches
is uncertain it waits, as two-phase commit must.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import assert_never

from .effects import CancelTimer, Decided, Effect, Ended, Send, SetTimer, Wait
from .errors import LocalError, RemoteError
from .events import BackupEvent, Forget, Received, TakeOver, TimedOut
from .messages import (
    Acknowledgement,
    Decision,
    DecisionNotice,
    DecisionRequest,
    Uncertain,
    VoteReply,
    VoteRequest,
)
from .options import Flaw, Options


@dataclass(frozen=True)
class BackupTransaction:
    """What the backup has heard: who is uncertain, and the decision if anybody knew it."""

    participants: tuple[str, ...]
    uncertain: frozenset[str] = frozenset()
    decision: Decision | None = None


_Step = tuple[BackupTransaction | None, tuple[Effect, ...]]


class BackupCoordinator:
    """The backup's core. `handle` either does the whole step or raises and does nothing."""

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._transactions: dict[str, BackupTransaction] = {}

    @property
    def transactions(self) -> Mapping[str, BackupTransaction]:
        """The transactions taken over and not yet forgotten."""
        return MappingProxyType(self._transactions)

    def handle(self, event: BackupEvent) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        state = self._transactions.get(event.transaction)
        after, effects = self._step(event.transaction, state, event)
        if after is None:
            self._transactions.pop(event.transaction, None)
        else:
            self._transactions[event.transaction] = after
        return effects

    def _step(self, transaction: str, state: BackupTransaction | None, event: BackupEvent) -> _Step:
        match event:
            case TakeOver(participants=participants):
                if state is not None:
                    raise LocalError(f"transaction {transaction!r} is taken over already")
                if not participants or len(set(participants)) != len(participants):
                    raise LocalError(f"participants must be distinct and some: {participants!r}")
                asking = BackupTransaction(participants)
                return asking, _inquiries(transaction, asking)
            case Received():
                return self._receive(transaction, state, event)
            case TimedOut():
                return self._time_out(transaction, state)
            case Forget():
                if state is None or state.decision is None:
                    raise LocalError(f"transaction {transaction!r} is not decided here")
                return None, ()
            case _:
                assert_never(event)

    def _receive(self, transaction: str, state: BackupTransaction | None, event: Received) -> _Step:
        match event.message:
            case DecisionNotice(decision=decision):
                if state is None or state.decision is decision:
                    return state, ()
                if state.decision is not None:
                    raise RemoteError(f"{event.sender!r} reverses the decision on {transaction!r}")
                return _pass_on(transaction, state, decision)
            case Uncertain():
                return self._report(transaction, state, event.sender)
            case DecisionRequest():
                if state is None or state.decision is None:
                    return state, ()
                answer = DecisionNotice(transaction, state.decision)
                return state, (Send(event.sender, answer),)
            case Acknowledgement():
                return state, ()
            case VoteRequest() | VoteReply():
                raise RemoteError(f"{event.sender!r} votes with the backup on {transaction!r}")
            case _:
                assert_never(event.message)

    def _report(self, transaction: str, state: BackupTransaction | None, sender: str) -> _Step:
        if state is None or state.decision is not None:
            return state, ()
        if sender not in state.participants:
            raise RemoteError(f"{sender!r} is not a participant of {transaction!r}")
        after = replace(state, uncertain=state.uncertain | {sender})
        everybody = after.uncertain >= set(after.participants)
        if everybody and Flaw.BACKUP_TM_READS_STATE in self._options.flaws:
            return _pass_on(transaction, after, Decision.COMMIT)
        return after, ()

    def _time_out(self, transaction: str, state: BackupTransaction | None) -> _Step:
        if state is None or state.decision is not None:
            raise LocalError(f"no timer is set for {transaction!r}")
        if Flaw.BACKUP_TM_READS_STATE in self._options.flaws:
            # Who does not answer counts as failed, and its commit is not seen.
            return _pass_on(transaction, state, Decision.ABORT)
        return state, _inquiries(transaction, state)


def _inquiries(transaction: str, state: BackupTransaction) -> tuple[Effect, ...]:
    ask = DecisionRequest(transaction)
    sends = tuple(Send(participant, ask) for participant in state.participants)
    return (*sends, SetTimer(transaction, Wait.REPORTS))


def _pass_on(transaction: str, state: BackupTransaction, decision: Decision) -> _Step:
    notice = DecisionNotice(transaction, decision)
    return replace(state, decision=decision), (
        CancelTimer(transaction),
        *(Send(participant, notice) for participant in state.participants),
        Decided(transaction, decision),
        Ended(transaction),
    )

"""The coordinator: asks for votes, decides, tells everybody until all have acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import assert_never

from .effects import (
    CancelTimer,
    Decided,
    DecisionReady,
    Effect,
    Ended,
    Persist,
    ProceedWhenSent,
    Send,
    SetTimer,
    Wait,
)
from .errors import LocalError, RemoteError
from .events import CoordinatorEvent, Decide, Proceed, Received, Request, TimedOut
from .messages import (
    Acknowledgement,
    Decision,
    DecisionNotice,
    DecisionRequest,
    Uncertain,
    Vote,
    VoteReply,
    VoteRequest,
)
from .options import Flaw, Options, Termination
from .records import DecisionRecord, EndRecord, Record, StartRecord, YesRecord


class CoordinatorPhase(Enum):
    """Where a transaction stands; a transaction that is forgotten has no phase."""

    COLLECTING = "collecting"
    FORWARDING = "forwarding"  # the decision is on its way, but not taken yet
    DECIDED = "decided"
    ASKING = "asking"  # recovered under FORWARDING: participants may know what we forgot


@dataclass(frozen=True)
class CoordinatorTransaction:
    """What the coordinator knows of one transaction.

    Invariants: 1. `yes`, `no` and `acknowledged` are among `participants`; `yes` and `no` are
    disjoint, and empty once there is a decision. 2. `decision` is set exactly in FORWARDING and
    DECIDED.
    """

    participants: tuple[str, ...]
    phase: CoordinatorPhase = CoordinatorPhase.COLLECTING
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    acknowledged: frozenset[str] = frozenset()
    decision: Decision | None = None


_Step = tuple[CoordinatorTransaction | None, tuple[Effect, ...]]


class Coordinator:
    """The coordinator's core. `handle` either does the whole step or raises and does nothing."""

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._transactions: dict[str, CoordinatorTransaction] = {}

    @classmethod
    def recover(
        cls, records: Iterable[Record], options: Options | None = None
    ) -> tuple[Coordinator, tuple[Effect, ...]]:
        """The core after a crash, from the records of its log; and what is to be done first.

        A start record without a decision is aborted (BHG 7.4, recovery); a decision that
        participants acknowledge is sent again. Raises LocalError on a participant's log.
        """
        core = cls(options)
        found: dict[str, list[Record]] = {}
        for record in records:
            found.setdefault(record.transaction, []).append(record)
        effects: list[Effect] = []
        for transaction, own in found.items():
            state, more = core._recovered(transaction, own)
            core._store(transaction, state)
            effects.extend(more)
        return core, tuple(effects)

    @property
    def transactions(self) -> Mapping[str, CoordinatorTransaction]:
        """The transactions not yet forgotten."""
        return MappingProxyType(self._transactions)

    def handle(self, event: CoordinatorEvent) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        state = self._transactions.get(event.transaction)
        after, effects = self._step(event.transaction, state, event)
        self._store(event.transaction, after)
        return effects

    def _store(self, transaction: str, state: CoordinatorTransaction | None) -> None:
        if state is None:
            self._transactions.pop(transaction, None)
        else:
            self._transactions[transaction] = state

    def _step(
        self, transaction: str, state: CoordinatorTransaction | None, event: CoordinatorEvent
    ) -> _Step:
        match event:
            case Request(participants=participants):
                return self._request(transaction, state, participants)
            case Received(sender=sender):
                return self._receive(transaction, state, sender, event)
            case Decide():
                return self._decide(transaction, state)
            case TimedOut():
                return self._time_out(transaction, state)
            case Proceed():
                return self._proceed(transaction, state)
            case _:
                assert_never(event)

    def _request(
        self,
        transaction: str,
        state: CoordinatorTransaction | None,
        participants: tuple[str, ...],
    ) -> _Step:
        """BHG 7.4, first step: start record, then VOTE-REQ to all participants."""
        if state is not None:
            raise LocalError(f"transaction {transaction!r} is under way: use a new identifier")
        if not participants or len(set(participants)) != len(participants):
            raise LocalError(f"participants must be distinct and at least one: {participants!r}")
        effects: list[Effect] = []
        if self._options.logs_start:
            effects.append(Persist(StartRecord(transaction, participants), forced=True))
        ask = VoteRequest(transaction, participants)
        effects += [Send(participant, ask) for participant in participants]
        effects.append(SetTimer(transaction, Wait.VOTES))
        return CoordinatorTransaction(participants), tuple(effects)

    def _receive(
        self,
        transaction: str,
        state: CoordinatorTransaction | None,
        sender: str,
        event: Received,
    ) -> _Step:
        match event.message:
            case VoteReply(vote=vote):
                return self._vote(transaction, state, sender, vote)
            case Acknowledgement():
                return self._acknowledge(transaction, state, sender)
            case DecisionRequest():
                return self._answer(transaction, state, sender)
            case DecisionNotice(decision=decision):
                return self._notice(transaction, state, sender, decision)
            case Uncertain():
                return state, ()
            case VoteRequest():
                raise RemoteError(f"{sender!r} asks the coordinator for a vote on {transaction!r}")
            case _:
                assert_never(event.message)

    def _vote(
        self, transaction: str, state: CoordinatorTransaction | None, sender: str, vote: Vote
    ) -> _Step:
        """Record a vote. Votes for a decided or forgotten transaction come late: ignored."""
        if state is None:
            return None, ()
        _expect_participant(transaction, state, sender)
        if state.phase is not CoordinatorPhase.COLLECTING:
            return state, ()
        if sender in (state.no if vote is Vote.YES else state.yes):
            raise RemoteError(f"{sender!r} votes both ways on {transaction!r}")
        if vote is Vote.YES:
            after = replace(state, yes=state.yes | {sender})
        else:
            after = replace(state, no=state.no | {sender})
        if self._ready(after) and not self._ready(state):
            return after, (CancelTimer(transaction), DecisionReady(transaction))
        return after, ()

    def _can_commit(self, state: CoordinatorTransaction) -> bool:
        needed = len(state.participants)
        if Flaw.MISSING_VOTE in self._options.flaws:
            needed -= 1
        return len(state.yes) >= needed

    def _ready(self, state: CoordinatorTransaction) -> bool:
        return self._can_commit(state) or bool(state.no)

    def _decide(self, transaction: str, state: CoordinatorTransaction | None) -> _Step:
        """BHG 7.4, third step: Commit if all votes are Yes, Abort if one is No."""
        if state is None or state.phase is not CoordinatorPhase.COLLECTING:
            raise LocalError(f"no votes are being collected for {transaction!r}")
        if not self._ready(state):
            raise LocalError(f"votes on {transaction!r} are missing: neither all Yes nor one No")
        decision = Decision.COMMIT if self._can_commit(state) else Decision.ABORT
        return self._conclude(transaction, state, decision)

    def _time_out(self, transaction: str, state: CoordinatorTransaction | None) -> _Step:
        if state is None:
            raise LocalError(f"no timer is set for {transaction!r}")
        again = SetTimer(transaction, Wait.ACKNOWLEDGEMENTS)
        match state.phase:
            case CoordinatorPhase.COLLECTING if not self._ready(state):
                # BHG 7.4: waiting for votes, the coordinator may decide Abort.
                return self._conclude(transaction, state, Decision.ABORT)
            case CoordinatorPhase.DECIDED:
                return state, (*_notices(transaction, state), again)
            case CoordinatorPhase.ASKING:
                return state, _inquiries(transaction, state)
            case CoordinatorPhase.COLLECTING | CoordinatorPhase.FORWARDING:
                raise LocalError(f"the timer of {transaction!r} is cancelled")
            case _:
                assert_never(state.phase)

    def _conclude(
        self, transaction: str, state: CoordinatorTransaction, decision: Decision
    ) -> _Step:
        """Take a decision. Who voted No has aborted already and is not told."""
        after = CoordinatorTransaction(
            state.participants, CoordinatorPhase.DECIDED, acknowledged=state.no, decision=decision
        )
        notices = _notices(transaction, after)
        if self._options.termination is Termination.FORWARDING:
            after = replace(after, phase=CoordinatorPhase.FORWARDING)
            return after, (CancelTimer(transaction), *notices, ProceedWhenSent(transaction))
        record = self._decision_record(transaction, after)
        # The flaw sends first, and leaves the record to a later force that a crash may forestall.
        if Flaw.DECISION_NOT_FORCED in self._options.flaws:
            first: tuple[Effect, ...] = (*notices, *record)
        else:
            first = (*record, *notices)
        after_all, last = self._await_acknowledgements(transaction, after)
        return after_all, (*first, Decided(transaction, decision), *last)

    def _proceed(self, transaction: str, state: CoordinatorTransaction | None) -> _Step:
        """FORWARDING: everybody is told, so the coordinator may decide itself."""
        if state is None or state.decision is None:
            raise LocalError(f"nothing is being forwarded for {transaction!r}")
        if state.phase is not CoordinatorPhase.FORWARDING:
            raise LocalError(f"nothing is being forwarded for {transaction!r}")
        after = replace(state, phase=CoordinatorPhase.DECIDED)
        record = self._decision_record(transaction, after)
        after_all, last = self._await_acknowledgements(transaction, after)
        return after_all, (*record, Decided(transaction, state.decision), *last)

    def _decision_record(
        self, transaction: str, state: CoordinatorTransaction
    ) -> tuple[Effect, ...]:
        assert state.decision is not None
        if not self._options.logs_decision(state.decision):
            return ()
        forced = Flaw.DECISION_NOT_FORCED not in self._options.flaws
        record = DecisionRecord(transaction, state.decision, state.participants)
        return (Persist(record, forced),)

    def _await_acknowledgements(self, transaction: str, state: CoordinatorTransaction) -> _Step:
        """Remember a decision while somebody may ask whose answer presumption gets wrong."""
        assert state.decision is not None
        if not self._options.acknowledged(state.decision):
            return None, (CancelTimer(transaction), Ended(transaction))
        hasty = (
            Flaw.PRESUMED_ABORT_FORGETS_COMMIT in self._options.flaws
            and state.decision is Decision.COMMIT
        )
        if hasty or state.acknowledged >= set(state.participants):
            return None, self._ending(transaction)
        return state, (SetTimer(transaction, Wait.ACKNOWLEDGEMENTS),)

    def _ending(self, transaction: str) -> tuple[Effect, ...]:
        # Lazy: losing it costs another round of notices and acknowledgements, nothing else.
        end = Persist(EndRecord(transaction), forced=False)
        return (end, CancelTimer(transaction), Ended(transaction))

    def _acknowledge(
        self, transaction: str, state: CoordinatorTransaction | None, sender: str
    ) -> _Step:
        if state is None:
            return None, ()  # a late copy: the transaction has ended
        _expect_participant(transaction, state, sender)
        if state.phase is CoordinatorPhase.COLLECTING:
            return state, ()  # a peer that had not voted told the sender Abort before we know
        after = replace(state, acknowledged=state.acknowledged | {sender})
        everybody = after.acknowledged >= set(after.participants)
        if everybody and after.phase is CoordinatorPhase.DECIDED:
            return None, self._ending(transaction)
        return after, ()

    def _answer(self, transaction: str, state: CoordinatorTransaction | None, sender: str) -> _Step:
        """Answer a DECISION-REQ: from memory, or by presumption; not at all while undecided."""
        if state is None:
            return None, (Send(sender, DecisionNotice(transaction, self._options.presumed)),)
        if state.decision is None:
            return state, ()
        return state, (Send(sender, DecisionNotice(transaction, state.decision)),)

    def _notice(
        self,
        transaction: str,
        state: CoordinatorTransaction | None,
        sender: str,
        decision: Decision,
    ) -> _Step:
        """A decision that comes back to the coordinator: news only if it is asking."""
        if state is None:
            return None, ()
        if state.phase is CoordinatorPhase.ASKING:
            return self._conclude(transaction, state, decision)
        if state.decision is not decision:
            raise RemoteError(
                f"{sender!r} knows {decision.value} of {transaction!r}, which nobody was told"
            )
        return state, ()

    def _recovered(self, transaction: str, records: list[Record]) -> _Step:
        participants: tuple[str, ...] = ()
        decision: Decision | None = None
        for record in records:
            match record:
                case StartRecord():
                    participants = record.participants
                case DecisionRecord():
                    decision, participants = record.decision, record.participants
                case EndRecord():
                    return None, (Ended(transaction),)
                case YesRecord():
                    raise LocalError(f"the log of {transaction!r} is a participant's")
                case _:
                    assert_never(record)
        if decision is None:
            return self._recovered_undecided(transaction, CoordinatorTransaction(participants))
        state = CoordinatorTransaction(
            participants, phase=CoordinatorPhase.DECIDED, decision=decision
        )
        after, last = self._await_acknowledgements(transaction, state)
        notices = _notices(transaction, state) if after is not None else ()
        return after, (*notices, Decided(transaction, decision), *last)

    def _recovered_undecided(self, transaction: str, state: CoordinatorTransaction) -> _Step:
        """BHG 7.4, recovery: a start record and no decision. Nobody can have been told Commit."""
        if self._options.termination is Termination.FORWARDING:
            # Here notices leave before the record is forced, so somebody may have been told.
            asking = replace(state, phase=CoordinatorPhase.ASKING)
            return asking, _inquiries(transaction, asking)
        return self._conclude(transaction, state, Decision.ABORT)


def _notices(transaction: str, state: CoordinatorTransaction) -> tuple[Effect, ...]:
    assert state.decision is not None
    notice = DecisionNotice(transaction, state.decision)
    return tuple(
        Send(participant, notice)
        for participant in state.participants
        if participant not in state.acknowledged
    )


def _inquiries(transaction: str, state: CoordinatorTransaction) -> tuple[Effect, ...]:
    ask = DecisionRequest(transaction)
    return (
        *(Send(participant, ask) for participant in state.participants),
        SetTimer(transaction, Wait.DECISION),
    )


def _expect_participant(transaction: str, state: CoordinatorTransaction, sender: str) -> None:
    if sender not in state.participants:
        raise RemoteError(f"{sender!r} is not a participant of {transaction!r}")

"""The participant: votes once, and after a Yes does only what somebody who knows tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import assert_never

from .effects import (
    CancelTimer,
    Decided,
    Effect,
    Persist,
    ProceedWhenSent,
    Send,
    SetTimer,
    VoteRequested,
    Wait,
)
from .errors import LocalError, RemoteError
from .events import CastVote, Enlist, Forget, ParticipantEvent, Proceed, Received, TimedOut
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


class ParticipantPhase(Enum):
    """Where a transaction stands at a participant."""

    WORKING = "working"
    VOTING = "voting"  # the application has been asked
    UNCERTAIN = "uncertain"  # voted Yes, knows no decision
    FORWARDING = "forwarding"  # knows the decision, is telling the others first
    DECIDED = "decided"


@dataclass(frozen=True)
class ParticipantTransaction:
    """What a participant knows of one transaction.

    Invariants: 1. UNCERTAIN and FORWARDING imply `vote` is YES. 2. `decision` is set exactly in
    FORWARDING and DECIDED. 3. Without a YES vote, `decision` is ABORT or None.
    """

    phase: ParticipantPhase
    coordinator: str | None = None
    """None while only others than the coordinator have named the transaction to us."""
    participants: tuple[str, ...] = ()
    vote: Vote | None = None
    decision: Decision | None = None
    recovered: bool = False
    """Whether a crash lies behind: then a time-out says nothing about what others were told."""
    owes_forwarding: bool = False
    """Only with the flaw `deliver_before_forward`: has decided, and told nobody."""


_Step = tuple[ParticipantTransaction | None, tuple[Effect, ...]]


class Participant:
    """A participant's core. `handle` either does the whole step or raises and does nothing."""

    def __init__(self, name: str, options: Options | None = None) -> None:
        self._name = name
        self._options = options or Options()
        self._transactions: dict[str, ParticipantTransaction] = {}

    @classmethod
    def recover(
        cls,
        name: str,
        records: Iterable[Record],
        options: Options | None = None,
        *,
        unfinished: Iterable[tuple[str, str]] = (),
    ) -> tuple[Participant, tuple[Effect, ...]]:
        """The core after a crash, from the records of its log; and what is to be done first.

        `unfinished`: (transaction, coordinator) pairs that the application was working on when it
        crashed. One without a yes record is aborted; one with a yes record and no decision is
        uncertain and asks (BHG 7.4, recovery). Raises LocalError on a coordinator's log.
        """
        core = cls(name, options)
        found: dict[str, list[Record]] = {}
        for record in records:
            found.setdefault(record.transaction, []).append(record)
        effects: list[Effect] = []
        for transaction, own in found.items():
            core._transactions[transaction], more = core._recovered(transaction, own)
            effects.extend(more)
        for transaction, coordinator in unfinished:
            known = core._transactions.get(transaction)
            if known is None:
                working = ParticipantTransaction(ParticipantPhase.WORKING, coordinator)
                core._transactions[transaction], more = core._abort_alone(transaction, working)
                effects.extend(more)
            elif known.coordinator is None:
                # Aborted before any vote request: the record does not say who counts the
                # acknowledgement, and whoever tells us the outcome need not be the coordinator.
                core._transactions[transaction] = replace(known, coordinator=coordinator)
        return core, tuple(effects)

    @property
    def name(self) -> str:
        """The name that vote requests spell."""
        return self._name

    @property
    def transactions(self) -> Mapping[str, ParticipantTransaction]:
        """The transactions not yet forgotten."""
        return MappingProxyType(self._transactions)

    def handle(self, event: ParticipantEvent) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        state = self._transactions.get(event.transaction)
        after, effects = self._step(event.transaction, state, event)
        if after is None:
            self._transactions.pop(event.transaction, None)
        else:
            self._transactions[event.transaction] = after
        return effects

    def _step(
        self, transaction: str, state: ParticipantTransaction | None, event: ParticipantEvent
    ) -> _Step:
        match event:
            case Received():
                return self._receive(transaction, state, event)
            case Enlist(coordinator=coordinator):
                return self._enlist(transaction, state, coordinator)
            case CastVote(vote=vote):
                return self._cast_vote(transaction, state, vote)
            case TimedOut():
                return self._time_out(transaction, state)
            case Proceed():
                return self._proceed(transaction, state)
            case Forget():
                if state is None or state.phase is not ParticipantPhase.DECIDED:
                    raise LocalError(f"transaction {transaction!r} is not decided here")
                return None, ()
            case _:
                assert_never(event)

    def _enlist(
        self, transaction: str, state: ParticipantTransaction | None, coordinator: str
    ) -> _Step:
        if state is None:
            working = ParticipantTransaction(ParticipantPhase.WORKING, coordinator)
            return working, (SetTimer(transaction, Wait.VOTE_REQUEST),)
        if state.phase is ParticipantPhase.DECIDED and state.vote is None:
            return state, (Decided(transaction, Decision.ABORT),)  # the work comes too late
        raise LocalError(f"transaction {transaction!r} is known already")

    def _receive(
        self, transaction: str, state: ParticipantTransaction | None, event: Received
    ) -> _Step:
        match event.message:
            case VoteRequest(participants=participants):
                return self._vote_request(transaction, state, event.sender, participants)
            case DecisionNotice(decision=decision):
                return self._notice(transaction, state, event.sender, decision)
            case DecisionRequest():
                return self._answer(transaction, state, event.sender)
            case Uncertain():
                return self._uncertain_peer(transaction, state)
            case Acknowledgement():
                return state, ()  # of a decision that was passed on: the coordinator counts them
            case VoteReply():
                raise RemoteError(f"{event.sender!r} votes to a participant on {transaction!r}")
            case _:
                assert_never(event.message)

    def _vote_request(
        self,
        transaction: str,
        state: ParticipantTransaction | None,
        sender: str,
        participants: tuple[str, ...],
    ) -> _Step:
        """VOTE-REQ: ask the application, once. A repeated request gets the same vote again."""
        if self._name not in participants:
            raise RemoteError(f"{self._name!r} is not among the participants of {transaction!r}")
        if state is None:
            state = ParticipantTransaction(ParticipantPhase.WORKING)
        if state.coordinator not in (None, sender):
            raise RemoteError(f"{sender!r} does not coordinate {transaction!r}")
        state = replace(state, coordinator=sender)
        match state.phase:
            case ParticipantPhase.WORKING:
                after = replace(state, phase=ParticipantPhase.VOTING, participants=participants)
                return after, (CancelTimer(transaction), VoteRequested(transaction))
            case ParticipantPhase.VOTING | ParticipantPhase.FORWARDING:
                return state, ()
            case ParticipantPhase.UNCERTAIN:
                return state, (Send(sender, VoteReply(transaction, Vote.YES)),)
            case ParticipantPhase.DECIDED:
                if state.vote is Vote.YES:
                    return state, ()
                return state, (Send(sender, VoteReply(transaction, Vote.NO)),)
            case _:
                assert_never(state.phase)

    def _cast_vote(
        self, transaction: str, state: ParticipantTransaction | None, vote: Vote
    ) -> _Step:
        """BHG 7.4, second step: the yes record before YES; or abort, and NO."""
        if state is None or state.coordinator is None:
            raise LocalError(f"no vote on {transaction!r} was asked for")
        if state.phase not in (ParticipantPhase.VOTING, ParticipantPhase.DECIDED):
            raise LocalError(f"no vote on {transaction!r} was asked for")
        if state.phase is ParticipantPhase.DECIDED:
            if state.vote is Vote.YES:
                raise LocalError(f"the vote on {transaction!r} was cast already")
            return state, ()  # the decision came while the application was making up its mind
        reply = Send(state.coordinator, VoteReply(transaction, vote))
        if vote is Vote.NO:
            aborted, effects = self._abort_alone(transaction, state)
            return aborted, (effects[0], reply, *effects[1:])
        record = YesRecord(transaction, state.coordinator, state.participants)
        forced = Flaw.YES_NOT_FORCED not in self._options.flaws
        after = replace(state, phase=ParticipantPhase.UNCERTAIN, vote=Vote.YES)
        wait = SetTimer(transaction, Wait.DECISION)
        return after, (Persist(record, forced), reply, wait)

    def _time_out(self, transaction: str, state: ParticipantTransaction | None) -> _Step:
        if state is None:
            raise LocalError(f"no timer is set for {transaction!r}")
        match state.phase:
            case ParticipantPhase.WORKING:
                # BHG 7.4: waiting for VOTE-REQ, a participant may abort: it has not voted.
                return self._abort_alone(transaction, state)
            case ParticipantPhase.UNCERTAIN:
                return self._time_out_uncertain(transaction, state)
            case ParticipantPhase.VOTING | ParticipantPhase.FORWARDING | ParticipantPhase.DECIDED:
                raise LocalError(f"the timer of {transaction!r} is cancelled")
            case _:
                assert_never(state.phase)

    def _time_out_uncertain(self, transaction: str, state: ParticipantTransaction) -> _Step:
        """Waiting for the decision: start the termination protocol, never decide alone."""
        flaws = self._options.flaws
        if Flaw.HEURISTIC_COMMIT in flaws:
            return self._decided(transaction, state, Decision.COMMIT)
        if Flaw.ABORT_AFTER_YES in flaws:
            return self._decided(transaction, state, Decision.ABORT)
        if self._options.termination is Termination.FORWARDING and not state.recovered:
            # Whoever decided has told everybody first, and nothing has come: nobody decided.
            return self._decided(transaction, state, Decision.ABORT)
        return state, self._inquiries(transaction, state)

    def _inquiries(self, transaction: str, state: ParticipantTransaction) -> tuple[Effect, ...]:
        """Cooperative termination: DECISION-REQ to the coordinator and to every peer."""
        assert state.coordinator is not None
        ask = DecisionRequest(transaction)
        return (
            Send(state.coordinator, ask),
            *(Send(peer, ask) for peer in self._peers(state)),
            SetTimer(transaction, Wait.DECISION),
        )

    def _peers(self, state: ParticipantTransaction) -> tuple[str, ...]:
        return tuple(name for name in state.participants if name != self._name)

    def _answer(self, transaction: str, state: ParticipantTransaction | None, sender: str) -> _Step:
        """Cooperative termination, the peer asked: tells, or aborts unvoted, or cannot help."""
        if state is None:
            after, effects = self._refuse_unknown(transaction)
            return after, (*effects, Send(sender, DecisionNotice(transaction, Decision.ABORT)))
        match state.phase:
            case ParticipantPhase.WORKING | ParticipantPhase.VOTING:
                after, effects = self._abort_alone(transaction, state)
                return after, (*effects, Send(sender, DecisionNotice(transaction, Decision.ABORT)))
            case ParticipantPhase.UNCERTAIN | ParticipantPhase.FORWARDING:
                return state, (Send(sender, Uncertain(transaction)),)
            case ParticipantPhase.DECIDED:
                assert state.decision is not None
                return state, (Send(sender, DecisionNotice(transaction, state.decision)),)
            case _:
                assert_never(state.phase)

    def _uncertain_peer(self, transaction: str, state: ParticipantTransaction | None) -> _Step:
        """A peer cannot help. (It may be uncertain while others have committed.)"""
        uncertain = state is not None and state.phase is ParticipantPhase.UNCERTAIN
        if state is not None and uncertain and Flaw.PEER_READY_MEANS_ABORT in self._options.flaws:
            return self._decided(transaction, state, Decision.ABORT)
        return state, ()

    def _notice(
        self,
        transaction: str,
        state: ParticipantTransaction | None,
        sender: str,
        decision: Decision,
    ) -> _Step:
        """COMMIT or ABORT arrives."""
        if state is None:
            return self._notice_of_unknown(transaction, sender, decision)
        match state.phase:
            case ParticipantPhase.WORKING | ParticipantPhase.VOTING:
                if decision is Decision.COMMIT:
                    raise RemoteError(f"{sender!r} commits {transaction!r} without our vote")
                return self._acknowledging(transaction, state, sender, decision)
            case ParticipantPhase.UNCERTAIN:
                if self._options.termination is Termination.FORWARDING:
                    return self._forward_and_decide(transaction, state, sender, decision)
                return self._acknowledging(transaction, state, sender, decision)
            case ParticipantPhase.FORWARDING:
                if decision is not state.decision:
                    raise RemoteError(f"{sender!r} reverses the decision on {transaction!r}")
                return state, ()
            case ParticipantPhase.DECIDED:
                if decision is not state.decision:
                    # NOTE(stale-inquiry): a late copy of our own DECISION-REQ reached a coordinator
                    # that had forgotten the transaction and answered by presumption.
                    return state, ()
                return state, self._acknowledgement(transaction, state, sender, decision)
            case _:
                assert_never(state.phase)

    def _notice_of_unknown(self, transaction: str, sender: str, decision: Decision) -> _Step:
        """A decision on a transaction we know nothing of.

        A commit we have forgotten: only the acknowledgement was lost. An abort may be news, or the
        late answer of NOTE(stale-inquiry): the application does no work here, so is not told.
        """
        unknown = ParticipantTransaction(ParticipantPhase.WORKING)
        acknowledgement = self._acknowledgement(transaction, unknown, sender, decision)
        if decision is Decision.COMMIT:
            return None, acknowledgement
        after, effects = self._refuse_unknown(transaction)
        return after, (*effects, *acknowledgement)

    def _refuse_unknown(
        self, transaction: str
    ) -> tuple[ParticipantTransaction, tuple[Effect, ...]]:
        """Record an abort, so that a vote request that was overtaken is not answered Yes."""
        refused = ParticipantTransaction(ParticipantPhase.DECIDED, decision=Decision.ABORT)
        record = DecisionRecord(transaction, Decision.ABORT)
        return refused, (Persist(record, forced=True),)

    def _acknowledging(
        self, transaction: str, state: ParticipantTransaction, sender: str, decision: Decision
    ) -> tuple[ParticipantTransaction, tuple[Effect, ...]]:
        after, effects = self._decided(transaction, state, decision)
        acknowledgement = self._acknowledgement(transaction, state, sender, decision)
        return after, (*effects, *acknowledgement)

    def _acknowledgement(
        self, transaction: str, state: ParticipantTransaction, sender: str, decision: Decision
    ) -> tuple[Effect, ...]:
        """To the coordinator, who counts them, whoever told us."""
        if not self._options.acknowledged(decision):
            return ()
        return (Send(state.coordinator or sender, Acknowledgement(transaction)),)

    def _forward_and_decide(
        self, transaction: str, state: ParticipantTransaction, sender: str, decision: Decision
    ) -> _Step:
        """FORWARDING: everybody is told before anybody decides (Babaoglu and Toueg 1993)."""
        if Flaw.DELIVER_BEFORE_FORWARD in self._options.flaws:
            after, effects = self._acknowledging(transaction, state, sender, decision)
            owing = replace(after, owes_forwarding=True)
            return owing, (*effects, ProceedWhenSent(transaction))
        knowing = replace(state, phase=ParticipantPhase.FORWARDING, decision=decision)
        return knowing, (
            CancelTimer(transaction),
            *self._forwards(transaction, state, decision),
            ProceedWhenSent(transaction),
        )

    def _forwards(
        self, transaction: str, state: ParticipantTransaction, decision: Decision
    ) -> tuple[Effect, ...]:
        notice = DecisionNotice(transaction, decision)
        return tuple(Send(peer, notice) for peer in self._peers(state))

    def _proceed(self, transaction: str, state: ParticipantTransaction | None) -> _Step:
        if state is not None and state.coordinator is not None and state.decision is not None:
            if state.phase is ParticipantPhase.FORWARDING:
                return self._acknowledging(transaction, state, state.coordinator, state.decision)
            if state.owes_forwarding:
                sends = self._forwards(transaction, state, state.decision)
                return replace(state, owes_forwarding=False), sends
        raise LocalError(f"nothing is being forwarded for {transaction!r}")

    def _abort_alone(
        self, transaction: str, state: ParticipantTransaction
    ) -> tuple[ParticipantTransaction, tuple[Effect, ...]]:
        """Unilateral abort, in effect a No vote. Only before a Yes."""
        return self._decided(transaction, replace(state, vote=Vote.NO), Decision.ABORT)

    def _decided(
        self, transaction: str, state: ParticipantTransaction, decision: Decision
    ) -> tuple[ParticipantTransaction, tuple[Effect, ...]]:
        # An acknowledgement promises the record, so it is forced. So is an abort without a yes
        # record: BHG leave it to a later force, but then a crash forgets that we aborted, and a
        # copy of the vote request would find us free to vote Yes.
        forced = self._options.acknowledged(decision) or state.vote is not Vote.YES
        after = replace(state, phase=ParticipantPhase.DECIDED, decision=decision)
        return after, (
            Persist(DecisionRecord(transaction, decision), forced),
            CancelTimer(transaction),
            Decided(transaction, decision),
        )

    def _recovered(
        self, transaction: str, records: list[Record]
    ) -> tuple[ParticipantTransaction, tuple[Effect, ...]]:
        state = ParticipantTransaction(ParticipantPhase.WORKING, recovered=True)
        for record in records:
            match record:
                case YesRecord(coordinator=coordinator, participants=participants):
                    state = replace(
                        state,
                        phase=ParticipantPhase.UNCERTAIN,
                        coordinator=coordinator,
                        participants=participants,
                        vote=Vote.YES,
                    )
                case DecisionRecord(decision=decision):
                    state = replace(state, phase=ParticipantPhase.DECIDED, decision=decision)
                case StartRecord() | EndRecord():
                    raise LocalError(f"the log of {transaction!r} is a coordinator's")
                case _:
                    assert_never(record)
        if state.decision is not None:
            return state, (Decided(transaction, state.decision),)
        if Flaw.RECOVER_READY_ABORTS in self._options.flaws:
            return self._decided(transaction, state, Decision.ABORT)
        return state, self._inquiries(transaction, state)

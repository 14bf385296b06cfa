"""The proposer: gets a value chosen, its own or one that may be chosen already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import assert_never

from .effects import CancelTimer, Effect, Learned, Persist, Send, SetTimer, Wait
from .errors import LocalError, RemoteError
from .events import Abandon, Propose, ProposerEvent, Received, TimedOut
from .messages import (
    Accept,
    Accepted,
    Ballot,
    Chosen,
    Inquiry,
    Prepare,
    Promise,
    Refused,
    Vote,
    is_above,
)
from .options import Flaw, Options
from .records import AcceptorRecord, BallotRecord, Record


class Phase(Enum):
    """What a proposer is doing in an instance."""

    IDLE = "idle"
    PREPARING = "preparing"  # waits for promises
    PROPOSING = "proposing"  # has asked for votes
    BACKING_OFF = "backing off"  # has abandoned a ballot for a higher one, and will try again
    DONE = "done"  # knows what is chosen


@dataclass(frozen=True)
class ProposerInstance:
    """What a proposer knows of an instance. Only `tried` is durable (section 2.5).

    Invariants: 1. `wanted` is set except in IDLE and DONE; `value` exactly in PROPOSING (what it
    asks votes for) and DONE (what is chosen). 2. There are promises in PREPARING only. 3. The
    timer runs in PREPARING, PROPOSING and BACKING_OFF.
    """

    tried: Ballot | None = None
    """The highest ballot that it has used."""
    phase: Phase = Phase.IDLE
    wanted: str | None = None
    """What the application wants chosen."""
    value: str | None = None
    promised_by: frozenset[str] = frozenset()
    latest: Vote | None = None
    """The vote of the highest ballot among those that the promises report."""
    above: Ballot | None = None
    """The highest ballot that a refusal has told of."""
    silent: int = 0
    """How many time-outs in a row were answered with the same ballot."""
    counted: int = 0
    """Only with the flaw `promises_counted_twice`: promises, where acceptors should count."""

    @property
    def proposal(self) -> str | None:
        """What it asks votes for, or would."""
        return self.wanted if self.value is None else self.value


_Step = tuple[ProposerInstance, tuple[Effect, ...]]
_NEW = ProposerInstance()


class Proposer:
    """A proposer's core. `handle` either does the whole step or raises and does nothing."""

    def __init__(self, name: str, acceptors: Iterable[str], options: Options | None = None) -> None:
        self._name = name
        self._acceptors = tuple(acceptors)
        self._options = options or Options()
        self._instances: dict[str, ProposerInstance] = {}
        if not self._acceptors or len(set(self._acceptors)) < len(self._acceptors):
            raise LocalError(f"acceptors must be distinct and at least one: {self._acceptors!r}")

    @classmethod
    def recover(
        cls,
        name: str,
        acceptors: Iterable[str],
        records: Iterable[Record],
        options: Options | None = None,
    ) -> Proposer:
        """The core after a crash, from the records of its log: idle, and knows its ballots.

        The application proposes again if it still wants to. Raises LocalError on an acceptor's
        log.
        """
        core = cls(name, acceptors, options)
        for record in records:
            match record:
                case BallotRecord(instance, ballot):
                    if Flaw.FORGET_BALLOT not in core._options.flaws:
                        core._instances[instance] = ProposerInstance(tried=ballot)
                case AcceptorRecord(instance):
                    raise LocalError(f"the log of {instance!r} is an acceptor's")
                case _:
                    assert_never(record)
        return core

    @property
    def name(self) -> str:
        """The name in its ballots."""
        return self._name

    @property
    def instances(self) -> Mapping[str, ProposerInstance]:
        """The instances in which it has proposed, or knows what is chosen."""
        return MappingProxyType(self._instances)

    def instance(self, name: str) -> ProposerInstance:
        """What it knows of an instance: nothing yet, perhaps."""
        return self._instances.get(name, _NEW)

    def handle(self, event: ProposerEvent) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        name = event.instance
        before = self.instance(name)
        after, effects = self._step(name, before, event)
        if after != before:
            self._instances[name] = after
        return effects

    def _step(self, name: str, state: ProposerInstance, event: ProposerEvent) -> _Step:
        match event:
            case Propose(value=value, round=number):
                return self._propose(name, state, value, number)
            case Abandon():
                return _abandon(name, state)
            case TimedOut():
                return self._time_out(name, state)
            case Received():
                return self._receive(name, state, event)
            case _:
                assert_never(event)

    def _receive(self, name: str, state: ProposerInstance, event: Received) -> _Step:
        match event.message:
            case Promise():
                self._expect_answer(state, event.sender, event.message.ballot)
                return self._promise(name, state, event.sender, event.message)
            case Refused(_, ballot, max_bal):
                self._expect_answer(state, event.sender, ballot)
                return _refused(name, state, event.sender, ballot, max_bal)
            case Chosen(_, value):
                return _told(name, state, event.sender, value)
            case Inquiry():
                if state.phase is not Phase.DONE or state.value is None:
                    return state, ()
                return state, (Send(event.sender, Chosen(name, state.value)),)
            case Prepare() | Accept() | Accepted():
                kind = type(event.message).__name__
                raise RemoteError(f"{event.sender!r} sends {kind} to a proposer")
            case _:
                assert_never(event.message)

    def _expect_answer(self, state: ProposerInstance, sender: str, ballot: Ballot) -> None:
        if sender not in self._acceptors:
            raise RemoteError(f"{sender!r} is no acceptor, and answers {ballot}")
        if ballot.proposer != self._owner:
            raise RemoteError(f"{sender!r} answers {ballot}, a number of {ballot.proposer!r}")
        # With flawed numbers it may be an answer to another, or to what is forgotten.
        known = state.tried is not None and ballot <= state.tried
        if not known and not self._options.shares_ballots:
            raise RemoteError(f"{sender!r} answers {ballot}, which was never used")

    @property
    def _owner(self) -> str:
        return "" if Flaw.BALLOT_REUSE in self._options.flaws else self._name

    # Phase 1

    def _propose(self, name: str, state: ProposerInstance, value: str, number: int | None) -> _Step:
        used = -1 if state.tried is None else state.tried.round
        if number is not None and number <= used:
            raise LocalError(f"round {number} of {name!r} is not above {used}, which was used")
        if state.phase is Phase.DONE:
            assert state.value is not None
            return state, (Learned(name, state.value),)
        return self._prepare(name, replace(state, wanted=value), number)

    def _prepare(self, name: str, state: ProposerInstance, number: int | None = None) -> _Step:
        """Section 2.2, phase 1 (a), with a number above all used and all heard of (2.5)."""
        if number is None:
            known = [ballot.round for ballot in (state.tried, state.above) if ballot is not None]
            number = max(known, default=-1) + 1
        ballot = Ballot(number, self._owner)
        after = ProposerInstance(ballot, Phase.PREPARING, state.wanted, above=state.above)
        return after, (
            Persist(BallotRecord(name, ballot), forced=True),
            *(Send(acceptor, Prepare(name, ballot)) for acceptor in self._acceptors),
            SetTimer(name, Wait.PROMISES),
        )

    def _promise(self, name: str, state: ProposerInstance, sender: str, promise: Promise) -> _Step:
        """Section 2.2, phase 2 (a): a majority's answers to this very ballot."""
        if state.phase is not Phase.PREPARING:
            return state, ()
        other = promise.ballot != state.tried
        if other and Flaw.PROMISE_OF_OTHER_BALLOT not in self._options.flaws:
            return state, ()
        after = replace(state, promised_by=state.promised_by | {sender})
        count = len(after.promised_by)
        if Flaw.PROMISES_COUNTED_TWICE in self._options.flaws:
            count = state.counted + 1
            after = replace(after, counted=count)
        if promise.vote is not None and self._prefers(promise.vote, state.latest):
            after = replace(after, latest=promise.vote)
        if self._options.is_majority(count, len(self._acceptors)):
            return self._ask_for_votes(name, after)
        return after, ()

    def _prefers(self, vote: Vote, latest: Vote | None) -> bool:
        if latest is None:
            return True
        if Flaw.ADOPT_ANY in self._options.flaws:
            return False
        if Flaw.ADOPT_LOWEST in self._options.flaws:
            return vote.ballot < latest.ballot
        return vote.ballot > latest.ballot

    # Phase 2

    def _ask_for_votes(self, name: str, state: ProposerInstance) -> _Step:
        """The value of the highest reported vote, or any value if none is reported (P2c)."""
        free = state.latest is None or Flaw.IGNORE_REPORTED in self._options.flaws
        value = state.wanted if free or state.latest is None else state.latest.value
        after = ProposerInstance(
            state.tried, Phase.PROPOSING, state.wanted, value, above=state.above
        )
        return after, self._accept_requests(name, after)

    def _accept_requests(self, name: str, state: ProposerInstance) -> tuple[Effect, ...]:
        assert state.tried is not None
        assert state.value is not None
        request = Accept(name, state.tried, state.value)
        sends = tuple(Send(acceptor, request) for acceptor in self._acceptors)
        return (*sends, SetTimer(name, Wait.CHOICE))

    # Loss, and other proposers

    def _time_out(self, name: str, state: ProposerInstance) -> _Step:
        """Send again what may be lost; after enough silence, and after a refusal, go higher."""
        if state.phase in (Phase.IDLE, Phase.DONE):
            raise LocalError(f"no timer is set for {name!r}")
        if state.phase is Phase.BACKING_OFF:
            return self._prepare(name, state)
        if Flaw.LOSSY_PHASE1_NO_RETRY in self._options.flaws:
            return state, ()
        if self._options.resends is not None and state.silent >= self._options.resends:
            return self._prepare(name, state)
        after = replace(state, silent=state.silent + 1)
        if state.phase is Phase.PROPOSING:
            return after, self._accept_requests(name, state)
        assert state.tried is not None
        request = Prepare(name, state.tried)
        missing = [one for one in self._acceptors if one not in state.promised_by]
        sends = tuple(Send(acceptor, request) for acceptor in missing)
        return after, (*sends, SetTimer(name, Wait.PROMISES))


def _abandon(name: str, state: ProposerInstance) -> _Step:
    """Section 2.2: a proposer can abandon a proposal in the middle of the protocol."""
    if state.phase in (Phase.IDLE, Phase.DONE):
        raise LocalError(f"nothing is being proposed in {name!r}")
    return ProposerInstance(state.tried, above=state.above), (CancelTimer(name),)


def _refused(
    name: str, state: ProposerInstance, sender: str, ballot: Ballot, max_bal: Ballot
) -> _Step:
    """Section 2.2: a proposer abandons a ballot that an acceptor has promised to ignore."""
    if max_bal <= ballot:
        raise RemoteError(f"{sender!r} refuses {ballot} for {max_bal}, which is not above it")
    if ballot != state.tried or state.phase not in (Phase.PREPARING, Phase.PROPOSING):
        if state.phase is Phase.BACKING_OFF and is_above(max_bal, state.above):
            return replace(state, above=max_bal), ()
        return state, ()
    above = max_bal if is_above(max_bal, state.above) else state.above
    after = ProposerInstance(state.tried, Phase.BACKING_OFF, state.wanted, above=above)
    return after, (SetTimer(name, Wait.BACK_OFF),)


def _told(name: str, state: ProposerInstance, sender: str, value: str) -> _Step:
    """A learner knows what is chosen: nothing is left to do."""
    if state.phase is Phase.DONE:
        if state.value != value:
            raise RemoteError(f"{sender!r} learned {value!r} in {name!r}, others {state.value!r}")
        return state, ()
    stop = () if state.phase is Phase.IDLE else (CancelTimer(name),)
    after = ProposerInstance(state.tried, Phase.DONE, value=value, above=state.above)
    return after, (*stop, Learned(name, value))

"""The coordinator of three-phase commit, for any number of transactions.

It asks for votes, tells all participants to prepare once every vote is yes, and commits once every
participant that is up has prepared (BHG 1987, section 7.5; Skeen 1981, figure 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from .messages import (
    Acknowledge,
    Begin,
    CancelTimer,
    Decide,
    Decision,
    DecisionRequest,
    Effect,
    Entered,
    Event,
    GiveUp,
    LocalError,
    Message,
    Notify,
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
    check_flaws,
)


@dataclass(frozen=True, slots=True)
class Coordination:
    """A transaction at its coordinator.

    1. `awaited` are the participants whose vote (in w) or acknowledgement (in p) is missing; a
       recovering coordinator awaits them all, for the decision. A decided one awaits nobody.
    2. The timer runs exactly while somebody is awaited.
    """

    participants: tuple[str, ...]
    state: State
    awaited: frozenset[str]
    recovering: bool = False


_Step = tuple[Coordination, tuple[Effect, ...]]


class Coordinator:
    """The coordinating side of a site. One event at a time goes in, the effects come out.

    `handle` raises LocalError or RemoteError for an event that cannot be, and has then changed
    nothing.
    """

    def __init__(self, site: str, *, flaws: Iterable[str] = ()) -> None:
        self.site = site
        check_flaws(frozenset(flaws))
        self._transactions: dict[str, Coordination] = {}
        self._timers: set[str] = set()

    @classmethod
    def recover(
        cls, site: str, records: Iterable[Entered], *, flaws: Iterable[str] = ()
    ) -> tuple[Coordinator, tuple[Effect, ...]]:
        """The core after a crash, from the records of its log, and what is to be done first.

        Without a record of PreCommit nobody can be committable, so the coordinator aborts (Skeen
        and Stonebraker 1983: the failure transition out of w). With it, participants may have
        decided either way while it was down, so it asks. A decision is sent out again.
        """
        core = cls(site, flaws=flaws)
        for record in records:
            if record.coordinator == site:  # else of the site's participant, in a shared log
                core._transactions[record.transaction] = _remembered(record)
        effects: list[Effect] = []
        for name, known in list(core._transactions.items()):
            effects += core._enter(name, core._resume(name, known))
        return core, tuple(effects)

    def state(self, transaction: str) -> Coordination | None:
        """What the coordinator knows of a transaction, None where it never began."""
        return self._transactions.get(transaction)

    def handle(self, event: Event) -> tuple[Effect, ...]:
        """Take one event; the effects are to be carried out in order."""
        match event:
            case Begin(name, participants):
                return self._enter(name, self._begin(name, participants))
            case Received(sender, message):
                known = self._known(message.transaction, RemoteError)
                if sender not in known.participants:
                    raise RemoteError(
                        f"{sender!r} takes no part in {message.transaction!r}, "
                        f"only {list(known.participants)} do"
                    )
                return self._enter(message.transaction, self._receive(sender, message, known))
            case TimedOut(name):
                known = self._known(name, LocalError)
                if name not in self._timers:
                    raise LocalError(f"no timer runs for {name!r}")
                step = self._presume_down(name, known, known.awaited)
                return self._enter(name, step, fired=True)
            case SiteDown(site):
                return tuple(
                    effect
                    for name, known in list(self._transactions.items())
                    if site in known.awaited and not known.recovering
                    for effect in self._enter(
                        name, self._presume_down(name, known, frozenset({site}))
                    )
                )
            case VoteCast() | GiveUp():
                raise LocalError(f"a coordinator does not vote: {event}")
            case _:
                assert_never(event)

    def _known(self, transaction: str, error: type[LocalError | RemoteError]) -> Coordination:
        known = self._transactions.get(transaction)
        if known is None:
            raise error(f"{self.site!r} coordinates no transaction {transaction!r}")
        return known

    def _resume(self, name: str, known: Coordination) -> _Step:
        made = decision_of(known.state)
        if made is not None:
            return known, _announce(name, known, made)
        if known.state is State.UNCERTAIN:
            return self._decide(name, known, Decision.ABORT)
        return known, _to_all(known, DecisionRequest(name))

    def _enter(self, name: str, step: _Step, *, fired: bool = False) -> tuple[Effect, ...]:
        """Make the new state current: its record goes first, and the timer follows from it."""
        after, effects = step
        before = self._transactions.get(name)
        if before is None or before.state is not after.state:
            record = Entered(name, after.state, self.site, after.participants)
            effects = (Persist(record), *effects)
        self._transactions[name] = after
        running = name in self._timers and not fired
        if not after.awaited:
            self._timers.discard(name)
            return (*effects, CancelTimer(name)) if running else effects
        if running and not effects and before == after:
            return ()
        self._timers.add(name)
        return (*effects, SetTimer(name))

    def _begin(self, name: str, participants: tuple[str, ...]) -> _Step:
        if name in self._transactions:
            raise LocalError(f"transaction {name!r} has begun already")
        if not participants or len(set(participants)) < len(participants):
            raise LocalError(f"participants must be some, and distinct: {list(participants)}")
        if self.site in participants:
            raise LocalError(f"the coordinator {self.site!r} cannot be a participant")
        fresh = Coordination(participants, State.UNCERTAIN, frozenset(participants))
        return fresh, _to_all(fresh, VoteRequest(name, participants))

    def _receive(self, sender: str, message: Message, known: Coordination) -> _Step:
        name = message.transaction
        match message:
            case Vote(_, yes):
                return self._count(name, known, sender, yes)
            case Acknowledge():
                if known.state is State.UNCERTAIN:
                    raise RemoteError(f"{sender!r} acknowledges a PreCommit that was not sent")
                if known.state is not State.PREPARED or known.recovering:
                    return known, ()
                return self._no_longer_await(name, known, frozenset({sender}))
            case Decide(_, decision):
                return self._told(name, known, sender, decision)
            case DecisionRequest():
                made = decision_of(known.state)
                return known, () if made is None else (Send(sender, Decide(name, made)),)
            case VoteRequest() | PreCommit() | StateRequest() | StateReport() | TakeOver():
                raise RemoteError(f"{sender!r} sent its coordinator {message}")
            case _:
                assert_never(message)

    def _count(self, name: str, known: Coordination, sender: str, yes: bool) -> _Step:
        """BHG 7.5, step 3. A vote that is late or comes again changes nothing."""
        if known.state is not State.UNCERTAIN or known.recovering:
            return known, ()
        if not yes:
            if sender not in known.awaited:
                raise RemoteError(f"{sender!r} votes no after it voted yes")
            return self._decide(name, known, Decision.ABORT)
        missing = known.awaited - {sender}
        if missing:
            return replace(known, awaited=missing), ()
        prepared = replace(known, state=State.PREPARED, awaited=frozenset(known.participants))
        return prepared, _to_all(prepared, PreCommit(name))

    def _presume_down(self, name: str, known: Coordination, sites: frozenset[str]) -> _Step:
        """BHG 7.5: a missing vote aborts; a missing acknowledgement is not waited for."""
        if known.recovering:
            return known, _to_all(known, DecisionRequest(name))
        if known.state is State.UNCERTAIN:
            return self._decide(name, known, Decision.ABORT)
        return self._no_longer_await(name, known, sites)

    def _no_longer_await(self, name: str, known: Coordination, sites: frozenset[str]) -> _Step:
        missing = known.awaited - sites
        if missing:
            return replace(known, awaited=missing), ()
        return self._decide(name, known, Decision.COMMIT)

    def _told(self, name: str, known: Coordination, sender: str, decision: Decision) -> _Step:
        """While it is up it decides itself; only a recovering coordinator is told."""
        if decision_of(known.state) is decision:
            return known, ()
        if not known.recovering:
            raise RemoteError(
                f"{sender!r} decided {decision.value} on {name!r}, "
                f"whose coordinator is in {known.state.value}"
            )
        return _settled(known, decision), (Notify(name, decision),)

    def _decide(self, name: str, known: Coordination, decision: Decision) -> _Step:
        return _settled(known, decision), _announce(name, known, decision)


def _remembered(record: Entered) -> Coordination:
    waiting = decision_of(record.state) is None
    awaited = frozenset(record.participants if waiting else ())
    return Coordination(record.participants, record.state, awaited, recovering=waiting)


def decision_of(state: State) -> Decision | None:
    """The decision that a state stands for, None where there is none yet."""
    match state:
        case State.COMMITTED:
            return Decision.COMMIT
        case State.ABORTED:
            return Decision.ABORT
        case State.INITIAL | State.UNCERTAIN | State.PREPARED:
            return None
        case _:
            assert_never(state)


def settled_state(decision: Decision) -> State:
    """The state that a decision leads to."""
    return State.COMMITTED if decision is Decision.COMMIT else State.ABORTED


def _settled(known: Coordination, decision: Decision) -> Coordination:
    return Coordination(known.participants, settled_state(decision), frozenset())


def _announce(name: str, known: Coordination, decision: Decision) -> tuple[Effect, ...]:
    return (*_to_all(known, Decide(name, decision)), Notify(name, decision))


def _to_all(known: Coordination, message: Message) -> tuple[Effect, ...]:
    return tuple(Send(site, message) for site in known.participants)

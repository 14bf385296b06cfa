"""A participant of three-phase commit: it votes, prepares, takes over, recovers.

When the one it follows is silent, a participant turns to the next in the line of succession. If
that is itself, it takes over as the backup: it collects the states of those after it, and applies
the termination rule (BHG 1987, section 7.5). It heeds nobody before the one it follows: messages
of a dead coordinator that are still on their way come too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from .coordinator import decision_of, settled_state
from .messages import (
    Acknowledge,
    AskVote,
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
from .termination import Ruling, rule


@dataclass(frozen=True, slots=True)
class Following:
    """It waits for the coordinator, or for a backup."""

    leader: str


@dataclass(frozen=True, slots=True)
class Polling:
    """It has taken over and collects states; `awaited` have not answered yet."""

    awaited: frozenset[str]
    reports: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class Preparing:
    """It has taken over and waits for acknowledgements before it commits."""

    awaited: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recovering:
    """It crashed while it was uncertain or prepared: it asks, and takes no part in termination."""


Role = Following | Polling | Preparing | Recovering


@dataclass(frozen=True, slots=True)
class Participation:
    """A transaction at a participant.

    1. `voted` is False in q, and in an a where no vote was sent (since the last restart).
    2. `role` matters only in w and p; a Polling or Preparing one awaits somebody.
    3. The timer runs exactly in w and p.
    """

    coordinator: str
    participants: tuple[str, ...]
    state: State
    role: Role
    voted: bool


_Step = tuple[Participation, tuple[Effect, ...]]

_UNKNOWN = Participation("", (), State.INITIAL, Following(""), False)
"""A transaction that the participant has not heard of. It may still abort it."""


class Participant:
    """The participating side of a site. One event at a time goes in, the effects come out.

    `handle` raises LocalError or RemoteError for an event that cannot be, and has then changed
    nothing.
    """

    def __init__(self, site: str, *, flaws: Iterable[str] = ()) -> None:
        self.site = site
        self._flaws = check_flaws(frozenset(flaws))
        self._transactions: dict[str, Participation] = {}
        self._timers: set[str] = set()

    @classmethod
    def recover(
        cls, site: str, records: Iterable[Entered], *, flaws: Iterable[str] = ()
    ) -> tuple[Participant, tuple[Effect, ...]]:
        """The core after a crash, from the records of its log, and what is to be done first.

        A yes vote binds: in w and in p it must ask, for the others may have decided either way
        while it was down (Skeen and Stonebraker 1983: no independent recovery). If all sites
        failed, it stays blocked until one that has decided is back: finding out who failed last
        is not attempted.
        """
        core = cls(site, flaws=flaws)
        for record in records:
            if record.coordinator == site:
                continue  # of the site's coordinator, in a shared log
            voted = record.transaction in core._transactions or record.state is State.UNCERTAIN
            core._transactions[record.transaction] = Participation(
                record.coordinator, record.participants, record.state, Recovering(), voted
            )
        effects: list[Effect] = []
        for name, known in list(core._transactions.items()):
            effects += core._enter(name, core._resume(name, known))
        return core, tuple(effects)

    def state(self, transaction: str) -> Participation | None:
        """What the participant knows of a transaction, None where it has not heard of it."""
        return self._transactions.get(transaction)

    def handle(self, event: Event) -> tuple[Effect, ...]:
        """Take one event; the effects are to be carried out in order."""
        match event:
            case Received(sender, message):
                return self._enter(message.transaction, self._receive(sender, message))
            case VoteCast(name, yes):
                return self._enter(name, self._vote(name, self._asked(name), yes))
            case GiveUp(name):
                if name not in self._transactions:
                    return self._enter(name, self._settle(name, _UNKNOWN, Decision.ABORT))
                return self._enter(name, self._vote(name, self._asked(name), False))
            case TimedOut(name):
                known = self._transactions.get(name)
                if known is None or name not in self._timers:
                    raise LocalError(f"no timer runs for {name!r}")
                return self._enter(name, self._timed_out(name, known), fired=True)
            case SiteDown(site):
                return tuple(
                    effect
                    for name, known in list(self._transactions.items())
                    if _waits(known)
                    for effect in self._enter(name, self._lost(name, known, site))
                )
            case Begin():
                raise LocalError(f"a participant begins no transaction: {event}")
            case _:
                assert_never(event)

    def _resume(self, name: str, known: Participation) -> _Step:
        made = decision_of(known.state)
        if made is not None:
            return known, (Notify(name, made),)
        if known.state is State.PREPARED and "recover_p_commits" in self._flaws:
            return self._settle(name, known, Decision.COMMIT)
        if "recover_aborts" in self._flaws:
            return self._settle(name, known, Decision.ABORT)
        return known, self._ask_all(name, known)

    def _enter(self, name: str, step: _Step, *, fired: bool = False) -> tuple[Effect, ...]:
        """Make the new state current: its record goes first, and the timer follows from it."""
        after, effects = step
        before = self._transactions.get(name, _UNKNOWN)
        if after is _UNKNOWN:
            return effects
        if before.state is not after.state:
            record = Entered(name, after.state, after.coordinator, after.participants)
            effects = (Persist(record), *effects)
        self._transactions[name] = after
        running = name in self._timers and not fired
        if not _waits(after):
            self._timers.discard(name)
            return (*effects, CancelTimer(name)) if running else effects
        if running and not effects and before == after:
            return ()
        self._timers.add(name)
        return (*effects, SetTimer(name))

    def _asked(self, name: str) -> Participation:
        known = self._transactions.get(name)
        if known is None or known.state is not State.INITIAL:
            raise LocalError(f"no vote is due on {name!r}")
        return known

    def _vote(self, name: str, known: Participation, yes: bool) -> _Step:
        """BHG 7.5, step 2: whoever votes no has decided."""
        answer = Send(known.coordinator, Vote(name, yes))
        if yes:
            return replace(known, state=State.UNCERTAIN, voted=True), (answer,)
        aborted, effects = self._settle(name, replace(known, voted=True), Decision.ABORT)
        return aborted, (answer, *effects)

    def _receive(self, sender: str, message: Message) -> _Step:
        name = message.transaction
        known = self._transactions.get(name, _UNKNOWN)
        if isinstance(message, VoteRequest):
            return self._requested(sender, message, known)
        self._check_sender(sender, name, known)
        match message:
            case PreCommit():
                return self._prepare(sender, name, known)
            case Decide(_, decision):
                return self._told(sender, name, known, decision)
            case StateRequest():
                return self._report(sender, name, known)
            case StateReport() | Acknowledge() if known is _UNKNOWN:
                raise RemoteError(f"{sender!r} answers what was never asked: {message}")
            case StateReport(_, state):
                return self._collect(sender, name, known, state)
            case Acknowledge():
                if not isinstance(known.role, Preparing) or not _waits(known):
                    return known, ()
                return self._prepared(name, known, known.role.awaited - {sender})
            case TakeOver() | DecisionRequest():
                known, effects = self._no_longer_vote(name, known)
                made = decision_of(known.state)
                if made is not None:
                    return known, (*effects, Send(sender, Decide(name, made)))
                if isinstance(message, TakeOver) and self._is_next(known):
                    return self._take_over(name, known)
                return known, ()
            case Vote():
                raise RemoteError(f"{sender!r} sent its vote to a participant: {message}")
            case _:
                assert_never(message)

    def _check_sender(self, sender: str, name: str, known: Participation) -> None:
        """Of a transaction without a VoteRequest the participant cannot tell who belongs to it."""
        if known.participants and sender not in (known.coordinator, *known.participants):
            raise RemoteError(f"{sender!r} takes no part in {name!r}")

    def _requested(self, sender: str, message: VoteRequest, known: Participation) -> _Step:
        """Asks for the vote once. One that has aborted without a vote says so."""
        name, participants = message.transaction, message.participants
        if self.site not in participants or sender in participants:
            raise RemoteError(f"{sender!r} asks {self.site!r} to vote, not {list(participants)}")
        if known is _UNKNOWN:
            fresh = Participation(sender, participants, State.INITIAL, Following(sender), False)
            return fresh, (AskVote(name),)
        if known.state is State.ABORTED and not known.voted:
            return replace(known, voted=True), (Send(sender, Vote(name, False)),)
        return known, ()

    def _no_longer_vote(self, name: str, known: Participation) -> _Step:
        """A site that has not voted counts as aborted, so it aborts before it answers (BHG 7.5)."""
        if known.state is not State.INITIAL:
            return known, ()
        if known is _UNKNOWN:
            return self._settle(name, known, Decision.ABORT)
        return self._vote(name, known, False)

    def _prepare(self, sender: str, name: str, known: Participation) -> _Step:
        """BHG 7.5, step 4; a repeated PreCommit is acknowledged again."""
        if known.state is State.INITIAL:
            raise RemoteError(f"{sender!r} sends PreCommit on {name!r}, which has no vote yet")
        if not _waits(known) or not self._heeds(known, sender):
            return known, ()
        prepared = replace(known, state=State.PREPARED, role=Following(sender))
        return prepared, (Send(sender, Acknowledge(name)),)

    def _told(self, sender: str, name: str, known: Participation, decision: Decision) -> _Step:
        made = decision_of(known.state)
        if made is decision:
            return known, ()
        if made is not None or (known.state is State.INITIAL and decision is Decision.COMMIT):
            raise RemoteError(
                f"{sender!r} decided {decision.value} on {name!r}, here it is in "
                f"{known.state.value}"
            )
        if isinstance(known.role, Polling | Preparing):
            return self._announce(name, known, decision)  # those that follow it wait for it
        return self._settle(name, known, decision)

    def _report(self, sender: str, name: str, known: Participation) -> _Step:
        known, effects = self._no_longer_vote(name, known)
        if _waits(known):
            if not self._heeds(known, sender):
                return known, ()
            known = replace(known, role=Following(sender))
        return known, (*effects, Send(sender, StateReport(name, known.state)))

    def _heeds(self, known: Participation, sender: str) -> bool:
        """Only the one it follows, and those after it. Itself recovering: nobody."""
        line = (known.coordinator, *known.participants)
        match known.role:
            case Following(leader):
                return line.index(sender) >= line.index(leader)
            case Polling() | Preparing():
                return line.index(sender) > line.index(self.site)
            case Recovering():
                return False
            case _:
                assert_never(known.role)

    def _timed_out(self, name: str, known: Participation) -> _Step:
        match known.role:
            case Following(leader):
                return self._succeed(name, known, leader)
            case Polling(_, reports):
                return self._conclude(name, known, reports)
            case Preparing():
                return self._prepared(name, known, frozenset())
            case Recovering():
                return known, self._ask_all(name, known)
            case _:
                assert_never(known.role)

    def _lost(self, name: str, known: Participation, site: str) -> _Step:
        match known.role:
            case Following(leader) if leader == site:
                return self._succeed(name, known, leader)
            case Polling(awaited, reports) if site in awaited:
                return self._polled(name, known, awaited - {site}, reports)
            case Preparing(awaited) if site in awaited:
                return self._prepared(name, known, awaited - {site})
            case _:
                return known, ()

    def _succeed(self, name: str, known: Participation, leader: str) -> _Step:
        """Turn to the next in line, and tell it: it may have decided, and wait for nothing."""
        line = (known.coordinator, *known.participants)
        after = line[line.index(leader) + 1 :]
        if after and after[0] != self.site:
            turned = replace(known, role=Following(after[0]))
            return turned, (Send(after[0], TakeOver(name)),)
        return self._take_over(name, known)

    def _is_next(self, known: Participation) -> bool:
        """Whether it follows somebody before it in line, who is down if it is told to take over."""
        line = (known.coordinator, *known.participants)
        return isinstance(known.role, Following) and (
            line.index(known.role.leader) < line.index(self.site)
        )

    def _take_over(self, name: str, known: Participation) -> _Step:
        others = known.participants[known.participants.index(self.site) + 1 :]
        known, effects = self._polled(name, known, frozenset(others), {})
        return known, (*(Send(site, StateRequest(name)) for site in others), *effects)

    def _collect(self, sender: str, name: str, known: Participation, state: State) -> _Step:
        if not _waits(known):
            return known, ()
        match known.role:
            case Polling(awaited, reports) if sender in awaited:
                return self._polled(name, known, awaited - {sender}, {**reports, sender: state})
            case _:
                return known, ()

    def _polled(
        self,
        name: str,
        known: Participation,
        awaited: frozenset[str],
        reports: Mapping[str, State],
    ) -> _Step:
        if awaited:
            return replace(known, role=Polling(awaited, reports)), ()
        return self._conclude(name, known, reports)

    def _conclude(self, name: str, known: Participation, reports: Mapping[str, State]) -> _Step:
        """The termination rule, on the states of those that answered and its own."""
        match rule((known.state, *reports.values()), self._flaws):
            case Ruling.ABORT:
                return self._announce(name, known, Decision.ABORT)
            case Ruling.COMMIT:
                return self._announce(name, known, Decision.COMMIT)
            case Ruling.PREPARE_OTHERS:
                known = replace(known, state=State.PREPARED)
                uncertain = [s for s, state in reports.items() if state is State.UNCERTAIN]
                known, effects = self._prepared(name, known, frozenset(uncertain))
                requests = (Send(site, PreCommit(name)) for site in sorted(uncertain))
                return known, (*requests, *effects)

    def _prepared(self, name: str, known: Participation, awaited: frozenset[str]) -> _Step:
        if awaited:
            return replace(known, role=Preparing(awaited)), ()
        return self._announce(name, known, Decision.COMMIT)

    def _announce(self, name: str, known: Participation, decision: Decision) -> _Step:
        known, effects = self._settle(name, known, decision)
        others = (site for site in known.participants if site != self.site)
        return known, (*(Send(site, Decide(name, decision)) for site in others), *effects)

    def _settle(self, name: str, known: Participation, decision: Decision) -> _Step:
        return replace(known, state=settled_state(decision)), (Notify(name, decision),)

    def _ask_all(self, name: str, known: Participation) -> tuple[Effect, ...]:
        others = (s for s in (known.coordinator, *known.participants) if s != self.site)
        return tuple(Send(site, DecisionRequest(name)) for site in others)


def _waits(known: Participation) -> bool:
    return known.state in (State.UNCERTAIN, State.PREPARED)

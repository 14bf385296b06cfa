"""Three-phase commit that survives partitions: a quorum of sites terminates a transaction.

E3PC (Keidar and Dolev, 'Increasing the Resilience of Distributed and Replicated Database Systems',
JCSS 57(3), 1998), which is Skeen's quorum-based commit protocol (1982) with two counters, so that
a quorum that is connected never blocks, whatever failed before. Time-outs play no part: a
membership service says which sites are connected and who of them leads (`Elected`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from .messages import (
    AskVote,
    Decide,
    Decision,
    LocalError,
    Notify,
    RemoteError,
    Vote,
    VoteCast,
    VoteRequest,
)
from .quorum_messages import (
    Accept,
    Attempt,
    Counter,
    Elected,
    Inquire,
    Number,
    QuorumBegin,
    QuorumEffect,
    QuorumEntered,
    QuorumEvent,
    QuorumMessage,
    QuorumPersist,
    QuorumReceived,
    QuorumSend,
    QuorumState,
    Report,
)


@dataclass(frozen=True, slots=True)
class Follower:
    """Does what `leader` says; None after a restart: nobody yet."""

    leader: str | None


@dataclass(frozen=True, slots=True)
class Counting:
    """The coordinator, collecting votes."""

    awaited: frozenset[str]


@dataclass(frozen=True, slots=True)
class Numbering:
    """An elected leader, collecting counters of its other members; `highest` so far."""

    members: frozenset[str]
    awaited: frozenset[str]
    highest: int


@dataclass(frozen=True, slots=True)
class Collecting:
    """A leader whose election has its number, collecting reports of its other members."""

    awaited: frozenset[str]
    reports: Mapping[str, Report]


@dataclass(frozen=True, slots=True)
class Attempting:
    """A leader whose attempt at `target` is accepted by `accepted` so far."""

    target: QuorumState
    accepted: frozenset[str]


QuorumRole = Follower | Counting | Numbering | Collecting | Attempting


@dataclass(frozen=True, slots=True)
class QuorumParticipation:
    """A transaction at a site.

    1. `last_attempt` <= `last_elected`.
    2. In pc and pa, `last_attempt` is the number of the election that brought it there; the
       coordinator's own attempt, before any election, has number 1.
    3. `role` matters only while there is no decision.
    """

    sites: tuple[str, ...]
    state: QuorumState
    role: QuorumRole
    last_elected: int = 1
    last_attempt: int = 0


QUORUM_FLAWS = {
    "quorum3pc_lost_quorum_blocks": "Skeen's rule without the counters: a quorum can stay blocked",
}

_Step = tuple[QuorumParticipation, tuple[QuorumEffect, ...]]
_UNKNOWN = QuorumParticipation((), QuorumState.INITIAL, Follower(None))
DECIDED = {
    QuorumState.COMMITTED: Decision.COMMIT,
    QuorumState.ABORTED: Decision.ABORT,
}


class QuorumSite:
    """A site of E3PC. One event at a time goes in, the effects come out.

    `handle` raises LocalError or RemoteError for an event that cannot be, and has then changed
    nothing.
    """

    def __init__(self, site: str, *, flaws: Iterable[str] = ()) -> None:
        unknown = sorted(set(flaws) - QUORUM_FLAWS.keys())
        if unknown:
            raise LocalError(f"unknown flaws {unknown}, the known ones are {sorted(QUORUM_FLAWS)}")
        self.site = site
        self._counters = not set(flaws)
        self._transactions: dict[str, QuorumParticipation] = {}

    @classmethod
    def recover(
        cls, site: str, records: Iterable[QuorumEntered], *, flaws: Iterable[str] = ()
    ) -> tuple[QuorumSite, tuple[QuorumEffect, ...]]:
        """The core after a crash. It waits for the next election."""
        core = cls(site, flaws=flaws)
        for record in records:
            core._transactions[record.transaction] = QuorumParticipation(
                record.sites,
                record.state,
                Follower(None),
                record.last_elected,
                record.last_attempt,
            )
        decided = (
            Notify(name, DECIDED[known.state])
            for name, known in core._transactions.items()
            if known.state in DECIDED
        )
        return core, tuple(decided)

    def state(self, transaction: str) -> QuorumParticipation | None:
        """What the site knows of a transaction, None where it has not heard of it."""
        return self._transactions.get(transaction)

    def handle(self, event: QuorumEvent) -> tuple[QuorumEffect, ...]:
        """Take one event; the effects are to be carried out in order."""
        match event:
            case QuorumBegin(name, sites):
                return self._enter(name, self._begin(name, sites))
            case QuorumReceived(sender, message):
                name = message.transaction
                known = self._transactions.get(name, _UNKNOWN)
                if known.sites and sender not in known.sites:
                    raise RemoteError(f"{sender!r} takes no part in {name!r}")
                return self._enter(name, self._receive(sender, message, known))
            case VoteCast(name, yes):
                known = self._transactions.get(name, _UNKNOWN)
                if known is _UNKNOWN or known.state is not QuorumState.INITIAL:
                    raise LocalError(f"no vote is due on {name!r}")
                return self._enter(name, self._vote(name, known, yes))
            case Elected(name, members):
                return self._enter(name, self._elected(name, members))
            case _:
                assert_never(event)

    def _enter(self, name: str, step: _Step) -> tuple[QuorumEffect, ...]:
        after, effects = step
        if after is _UNKNOWN:
            return effects
        before = self._transactions.get(name, _UNKNOWN)
        self._transactions[name] = after
        if _durable(before) == _durable(after):
            return effects
        return (QuorumPersist(QuorumEntered(name, after.sites, *_durable(after))), *effects)

    def _begin(self, name: str, sites: tuple[str, ...]) -> _Step:
        if name in self._transactions:
            raise LocalError(f"transaction {name!r} has begun already")
        if self.site not in sites or len(set(sites)) < len(sites):
            raise LocalError(f"sites must be distinct and include {self.site!r}: {list(sites)}")
        others = frozenset(sites) - {self.site}
        begun = QuorumParticipation(sites, QuorumState.UNCERTAIN, Counting(others))
        if not others:
            return self._attempt(name, begun, QuorumState.PRE_COMMITTED, others, others)
        return begun, _to(others, VoteRequest(name, sites))

    def _vote(self, name: str, known: QuorumParticipation, yes: bool) -> _Step:
        answer: tuple[QuorumEffect, ...] = ()
        if isinstance(known.role, Follower) and known.role.leader is not None:
            answer = (QuorumSend(known.role.leader, Vote(name, yes)),)
        if yes:
            return replace(known, state=QuorumState.UNCERTAIN), answer
        aborted, effects = _settle(name, known, Decision.ABORT)
        return aborted, (*answer, *effects)

    def _receive(self, sender: str, message: QuorumMessage, known: QuorumParticipation) -> _Step:
        name = message.transaction
        match message:
            case VoteRequest(_, sites):
                if known is not _UNKNOWN:
                    return known, ()
                if self.site not in sites or sender not in sites:
                    raise RemoteError(f"{sender!r} asks {self.site!r} to vote, not {list(sites)}")
                asked = QuorumParticipation(sites, QuorumState.INITIAL, Follower(sender))
                return asked, (AskVote(name),)
            case Vote(_, yes):
                return self._count(name, known, sender, yes)
            case Inquire():
                return self._inquired(name, known, sender)
            case Counter(_, last_elected):
                return self._highest(name, known, sender, last_elected)
            case Number(_, number):
                return self._report(name, known, sender, number)
            case Report():
                return self._collect(name, known, sender, message)
            case Attempt():
                return self._follow(name, known, sender, message)
            case Accept(_, number):
                return self._accepted(name, known, sender, number)
            case Decide(_, decision):
                return self._told(name, known, sender, decision)
            case _:
                assert_never(message)

    def _count(self, name: str, known: QuorumParticipation, sender: str, yes: bool) -> _Step:
        """Pre-commits once all voted yes; the commit then needs a quorum only."""
        if known is _UNKNOWN:
            raise RemoteError(f"{sender!r} votes on {name!r}, which did not begin here")
        if not isinstance(known.role, Counting) or known.state is not QuorumState.UNCERTAIN:
            return known, ()
        others = frozenset(known.sites) - {self.site}
        if not yes:
            return self._announce(name, known, Decision.ABORT)
        missing = known.role.awaited - {sender}
        if missing:
            return replace(known, role=Counting(missing)), ()
        return self._attempt(name, known, QuorumState.PRE_COMMITTED, others, frozenset())

    def _elected(self, name: str, members: frozenset[str]) -> _Step:
        """Whoever has decided tells; whoever has not voted aborts; the others collect reports."""
        known = self._transactions.get(name)
        if known is None:
            raise LocalError(f"{self.site!r} has not heard of {name!r}")
        if self.site not in members or (known.sites and not members <= set(known.sites)):
            raise LocalError(f"members {sorted(members)} are not sites of {name!r} with this one")
        effects: tuple[QuorumEffect, ...] = ()
        if known.state is QuorumState.INITIAL:
            known, effects = _settle(name, known, Decision.ABORT)
        others = members - {self.site}
        if known.state in DECIDED:
            return known, (*effects, *_to(others, Decide(name, DECIDED[known.state])))
        if not others:
            return self._number(name, known, others, known.last_elected)
        numbering = Numbering(others, others, known.last_elected)
        return replace(known, role=numbering), _to(others, Inquire(name))

    def _inquired(self, name: str, known: QuorumParticipation, sender: str) -> _Step:
        """From here on only this leader is followed."""
        effects: tuple[QuorumEffect, ...] = ()
        if known.state is QuorumState.INITIAL:
            known, effects = _settle(name, known, Decision.ABORT)
        if known.state not in DECIDED:
            known = replace(known, role=Follower(sender))
        return known, (*effects, QuorumSend(sender, Counter(name, known.last_elected)))

    def _highest(
        self, name: str, known: QuorumParticipation, sender: str, last_elected: int
    ) -> _Step:
        role = known.role
        if known.state in DECIDED or not isinstance(role, Numbering) or sender not in role.awaited:
            return known, ()
        missing, highest = role.awaited - {sender}, max(role.highest, last_elected)
        if missing:
            return replace(known, role=Numbering(role.members, missing, highest)), ()
        return self._number(name, known, role.members, highest)

    def _number(
        self, name: str, known: QuorumParticipation, others: frozenset[str], highest: int
    ) -> _Step:
        """All members know the number before anything is attempted under it.

        That is what tells attempts of different leaders apart: two that both moved sites under one
        number could be taken for one, by a third that meets a site of each.
        """
        known = replace(known, last_elected=highest + 1)
        if not others:
            return self._conclude(name, known, {})
        return replace(known, role=Collecting(others, {})), _to(others, Number(name, highest + 1))

    def _report(self, name: str, known: QuorumParticipation, sender: str, number: int) -> _Step:
        if known.state is QuorumState.INITIAL:
            raise RemoteError(f"{sender!r} numbers an election on {name!r} without an inquiry")
        if known.state not in DECIDED:
            if known.role != Follower(sender) or number <= known.last_elected:
                return known, ()
            known = replace(known, last_elected=number)
        return known, (QuorumSend(sender, Report(name, known.state, known.last_attempt)),)

    def _collect(self, name: str, known: QuorumParticipation, sender: str, report: Report) -> _Step:
        if known.state in DECIDED or not isinstance(known.role, Collecting):
            return known, ()
        if sender not in known.role.awaited:
            return known, ()
        reports = {**known.role.reports, sender: report}
        missing = known.role.awaited - {sender}
        if missing:
            return replace(known, role=Collecting(missing, reports)), ()
        return self._conclude(name, known, reports)

    def _conclude(
        self, name: str, known: QuorumParticipation, reports: Mapping[str, Report]
    ) -> _Step:
        """Decide, attempt or block. Skeen's rule moves only the uncertain, E3PC's everybody."""
        everyone = {**reports, self.site: Report(name, known.state, known.last_attempt)}
        rule = enhanced_rule if self._counters else plain_rule
        target = rule(everyone.values(), len(known.sites))
        others = frozenset(reports)
        if target in DECIDED:
            return self._announce(name, known, DECIDED[target])
        if target is None:
            return replace(known, role=Follower(self.site)), ()
        if self._counters:
            return self._attempt(name, known, target, others, frozenset())
        there = frozenset(site for site, report in everyone.items() if report.state is target)
        return self._attempt(name, known, target, others, there)

    def _attempt(
        self,
        name: str,
        known: QuorumParticipation,
        target: QuorumState,
        others: frozenset[str],
        there: frozenset[str],
    ) -> _Step:
        """Move to the target and ask the others to; those in `there` are in it already."""
        number = known.last_elected
        if self._movable(known):
            known = replace(known, state=target, last_attempt=number)
            there |= {self.site}
        requests = _to(others, Attempt(name, number, target))
        after, effects = self._weigh(name, known, target, there)
        return after, (*requests, *effects)

    def _movable(self, known: QuorumParticipation) -> bool:
        return self._counters or known.state is QuorumState.UNCERTAIN

    def _weigh(
        self, name: str, known: QuorumParticipation, target: QuorumState, accepted: frozenset[str]
    ) -> _Step:
        """A quorum in pc commits, a quorum in pa aborts."""
        if not _is_quorum(len(accepted), len(known.sites)):
            return replace(known, role=Attempting(target, accepted)), ()
        commit = target is QuorumState.PRE_COMMITTED
        return self._announce(name, known, Decision.COMMIT if commit else Decision.ABORT)

    def _announce(self, name: str, known: QuorumParticipation, decision: Decision) -> _Step:
        settled, effects = _settle(name, known, decision)
        others = frozenset(known.sites) - {self.site}
        return settled, (*_to(others, Decide(name, decision)), *effects)

    def _follow(
        self, name: str, known: QuorumParticipation, sender: str, attempt: Attempt
    ) -> _Step:
        if known.state is QuorumState.INITIAL:
            raise RemoteError(f"{sender!r} attempts on {name!r}, which has no vote yet")
        if known.state in DECIDED or known.role != Follower(sender):
            return known, ()
        if attempt.number != known.last_elected:
            return known, ()
        if self._movable(known):
            known = replace(known, state=attempt.target, last_attempt=attempt.number)
        accept = (QuorumSend(sender, Accept(name, attempt.number)),)
        return known, accept if known.state is attempt.target else ()

    def _accepted(self, name: str, known: QuorumParticipation, sender: str, number: int) -> _Step:
        role = known.role
        if not isinstance(role, Attempting) or number != known.last_elected:
            return known, ()
        if known.state in DECIDED:
            return known, ()
        return self._weigh(name, known, role.target, role.accepted | {sender})

    def _told(
        self, name: str, known: QuorumParticipation, sender: str, decision: Decision
    ) -> _Step:
        made = DECIDED.get(known.state)
        if made is decision:
            return known, ()
        unvoted = known.state is QuorumState.INITIAL and decision is Decision.COMMIT
        if made is not None or unvoted:
            raise RemoteError(
                f"{sender!r} decided {decision.value} on {name!r}, here it is in "
                f"{known.state.value}"
            )
        return _settle(name, known, decision)


def enhanced_rule(reports: Iterable[Report], sites: int) -> QuorumState | None:
    """Keidar and Dolev 1998, figure 4: what a leader moves its members to; None: it blocks.

    Only the latest attempt counts. It may have led to a commit only if everybody who took part in
    it and is here was to commit; otherwise aborting is safe.
    """
    known = tuple(reports)
    decided = _decided_among(known)
    if decided is not None:
        return decided
    if not _is_quorum(len(known), sites):
        return None
    latest = max(report.last_attempt for report in known)
    committable = all(
        report.state is QuorumState.PRE_COMMITTED
        for report in known
        if report.last_attempt == latest
    )
    return QuorumState.PRE_COMMITTED if committable else QuorumState.PRE_ABORTED


def plain_rule(reports: Iterable[Report], sites: int) -> QuorumState | None:
    """Skeen 1982: a quorum of pc and w pre-commits, one of pa and w pre-aborts, else it blocks."""
    known = tuple(reports)
    decided = _decided_among(known)
    if decided is not None:
        return decided
    states = [report.state for report in known]
    uncertain = states.count(QuorumState.UNCERTAIN)
    pre_committed = states.count(QuorumState.PRE_COMMITTED)
    if pre_committed and _is_quorum(pre_committed + uncertain, sites):
        return QuorumState.PRE_COMMITTED
    if _is_quorum(states.count(QuorumState.PRE_ABORTED) + uncertain, sites):
        return QuorumState.PRE_ABORTED
    return None


def _decided_among(reports: tuple[Report, ...]) -> QuorumState | None:
    states = {report.state for report in reports}
    for decided in (QuorumState.ABORTED, QuorumState.COMMITTED):
        if decided in states:
            return decided
    return None


def _durable(known: QuorumParticipation) -> tuple[QuorumState, int, int]:
    return known.state, known.last_elected, known.last_attempt


def _settle(name: str, known: QuorumParticipation, decision: Decision) -> _Step:
    commit = decision is Decision.COMMIT
    state = QuorumState.COMMITTED if commit else QuorumState.ABORTED
    return replace(known, state=state), (Notify(name, decision),)


def _is_quorum(count: int, sites: int) -> bool:
    return 2 * count > sites


def _to(sites: Iterable[str], message: QuorumMessage) -> tuple[QuorumEffect, ...]:
    return tuple(QuorumSend(site, message) for site in sorted(sites))

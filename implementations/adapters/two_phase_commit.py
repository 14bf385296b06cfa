"""Replays `two-phase-commit-system` on `implementations.two_phase_commit`, one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...language.ir.nodes import Kind
from ...models.two_phase_commit_system import spec
from ...traces.trace import Setting
from .. import sessions
from .. import two_phase_commit as core
from ..storage import Log

T = "t"
C = "coordinator"
CAST = {
    "vote_yes": core.CastVote(T, core.Vote.YES),
    "vote_no": core.CastVote(T, core.Vote.NO),
}
OUTCOMES = {core.Decision.COMMIT: "committed", core.Decision.ABORT: "aborted"}

VOCABULARY = sessions.Vocabulary(
    spec=spec.TwoPhaseCommitSystem,
    others=(C,),
    send=core.Send,
    received=core.Received,
    persist=core.persist,
    refusal=core.ProtocolError,
    timers=sessions.TimerWords(core.SetTimer, core.CancelTimer, core.TimedOut),
    wire={
        core.DecisionRequest: lambda sender, to, _: (
            spec.PeerInquiry(sender, to) if to else spec.Inquiry(sender)
        ),
    },
    actions={
        "request_commit": lambda self, _: self.feed(C, core.Request(T, self.names)),
        "decide": core.Decide(T),
    },
    demands=dict.fromkeys(CAST, core.VoteRequested),
    answers={core.VoteRequested: lambda self, _: CAST.get(self.label.action)},
)


class TwoPhaseCommitSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    """One coordinator, its participants, and the network between them."""

    vocabulary = VOCABULARY
    termination = core.Termination.COOPERATIVE

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        super().__init__(parameters, flaws)
        self.votes: dict[str, core.Vote] = {}
        for name in self.names:
            self.feed(name, core.Enlist(T, C))

    @property
    def options(self) -> core.Options:
        """The variant that the parameters and flaws of a trace name."""
        presumption = self.parameters.get("presumption", core.Presumption.NOTHING).value
        flaws = frozenset(core.Flaw(flaw) for flaw in self.flaws)
        return core.Options(core.Presumption(presumption), self.termination, flaws)

    def create(self, name: str) -> Any:
        """A coordinator or a participant."""
        return core.Coordinator(self.options) if name == C else core.Participant(name, self.options)

    def recover(self, name: str, log: Log) -> tuple[Any, tuple[core.Effect, ...]]:
        """The same from its log; what a participant worked on, its application knows."""
        if name == C:
            return core.Coordinator.recover(core.load(log), self.options)
        return core.Participant.recover(name, core.load(log), self.options, unfinished=[(T, C)])

    def observe(self, site: sessions.Site) -> None:
        """The first vote is history: an abort before the vote is a No."""
        vote = getattr(site.core.transactions.get(T), "vote", None)
        if vote is not None:
            self.votes.setdefault(site.name, vote)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. What a site knows while it is down is where the spec begins."""
        coordinator = self.sites[C]
        own = coordinator.up and coordinator.core.transactions.get(T)
        return {
            "coordinator_up": coordinator.up,
            "coordinator": self.coordinator_state(),
            "coordinator_log": last_record(coordinator),
            "yes_votes": own.yes if own else (),
            "no_votes": own.no if own else (),
            "acknowledged": own.acknowledged if own else (),
            "log": self.each(last_record),
            "state": self.each(participant_state),
            "vote": self.each(lambda site: self.votes.get(site.name)),
            "decisions": self.each(decisions),
            "coordinator_decisions": decisions(coordinator),
        }

    def coordinator_state(self) -> str:
        """What the coordinator knows of the transaction."""
        if not self.sites[C].up or not self.taken[Kind.REQUEST]:
            return "idle"
        own = self.sites[C].core.transactions.get(T)
        return OUTCOMES.get(own.decision, "collecting") if own else "forgotten"


def participant_state(site: sessions.Site) -> str:
    """What a participant knows of the transaction."""
    own = site.core.transactions[T]
    return OUTCOMES.get(own.decision, own.phase.value) if site.up else "working"


def last_record(site: sessions.Site) -> str:
    """The last forced record, as the spec's logs call it; the end record is none there."""
    for _, entry in reversed(site.log.durable()):
        match core.decode(entry):
            case core.StartRecord():
                return "start"
            case core.YesRecord():
                return "yes"
            case core.DecisionRecord(decision=decision):
                return decision.value
    return "none"


def decisions(site: sessions.Site) -> set[core.Decision]:
    """All decisions that a site ever told its application."""
    return {one.decision for one in site.past(core.Decided)}


adapter = sessions.InProcess(TwoPhaseCommitSession)

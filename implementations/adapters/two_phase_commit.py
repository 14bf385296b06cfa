"""Replays `two-phase-commit-system` on `implementations.two_phase_commit`, one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...language.ir.nodes import Kind
from ...models.two_phase_commit_system import spec
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

VOCABULARY = sessions.Vocabulary.of(
    core,
    spec=spec.TwoPhaseCommitSystem,
    others=(C,),
    begin=core.Enlist(T, C),
    timers=sessions.TimerWords(core.SetTimer, core.CancelTimer, core.TimedOut),
    wire={core.DecisionRequest: (spec.PeerInquiry, spec.Inquiry)},
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
        site.note(vote=getattr(site.core.transactions.get(T), "vote", None))

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. What a site knows while it is down is where the spec begins."""
        own = known(self.sites[C])
        unknown = "forgotten" if self.sites[C].up and self.taken[Kind.REQUEST] else "idle"
        return {
            "coordinator": called(own, unknown),
            "yes_votes": own.yes if own else (),
            "no_votes": own.no if own else (),
            "acknowledged": own.acknowledged if own else (),
            "state": self.each(lambda site: called(known(site), "working")),
            "vote": self.each(lambda site: site.first.get("vote")),
            **self.each_and(C, log=last_record, decisions=sessions.ever(core.Decided, "decision")),
        }


def known(site: sessions.Site) -> Any:
    """What a site that is up knows of the transaction, if anything."""
    return site.running and site.running.transactions.get(T)


def called(own: Any, unknown: str) -> str:
    """What the spec calls that."""
    return OUTCOMES.get(own.decision, own.phase.value) if own else unknown


def last_record(site: sessions.Site) -> Any:
    """The last forced record, as the spec's logs call it; the end record is none there."""
    names = {core.StartRecord: "start", core.YesRecord: "yes"}
    records = [one for one in site.surviving(core.load) if not isinstance(one, core.EndRecord)]
    return ["none", *(getattr(one, "decision", None) or names[type(one)] for one in records)][-1]


adapter = sessions.InProcess(TwoPhaseCommitSession)

"""Replays `three-phase-commit-system` on `implementations.three_phase_commit`, one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from ...language.ir.nodes import Kind
from ...models.three_phase_commit_system import spec
from ...traces.adapter import StepRefused
from .. import sessions
from .. import three_phase_commit as core
from ..storage import Log

T = "t"
C = "coordinator"
VOTES = {True: spec.Vote.YES, False: spec.Vote.NO}


class ThreePhaseCommitSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    """One coordinator, its participants, and a network that takes nothing to a failed site."""

    vocabulary = sessions.Vocabulary(
        spec=spec.ThreePhaseCommitSystem,
        others=(C,),
        send=core.Send,
        received=core.Received,
        persist=core.persist,
        refusal=core.CommitError,
        timers=sessions.TimerWords(core.SetTimer, core.CancelTimer, core.TimedOut),
        wire={
            core.Vote: lambda sender, _, vote: spec.VoteReply(sender, VOTES[vote.yes]),
            core.Acknowledge: spec.Acknowledgement,
            core.Decide: spec.DecisionNotice,
        },
        actions={
            "begin": lambda self, _: self.feed(C, core.Begin(T, self.names)),
            "give_up": core.GiveUp(T),
        },
        answers={core.AskVote: lambda _, given: core.VoteCast(T, given["vote"] is spec.Vote.YES)},
    )

    def create(self, name: str) -> core.Coordinator | core.Participant:
        """A coordinator or a participant."""
        kind = core.Coordinator if name == C else core.Participant
        return kind(name, flaws=self.flaws)

    def recover(self, name: str, log: Log) -> tuple[object, tuple[core.Effect, ...]]:
        """The same, from its log."""
        kind = core.Coordinator if name == C else core.Participant
        return kind.recover(name, core.load(log), flaws=self.flaws)

    def crash(self, name: str) -> None:
        """What is on its way to a site that crashes is lost."""
        super().crash(name)
        self.network.lose_where(lambda envelope: envelope.to == name)

    def reaches(self, sender: str, to: str) -> bool:
        """Nothing is on its way to a site that is down, or to and from one that is cut off."""
        return self.sites[to].up and not {sender, to} & self.isolated

    def state(self) -> Mapping[str, object]:
        """The spec's variables. What a role does not have is as in the beginning."""
        coordinator = self.sites[C]
        own = coordinator.up and coordinator.core.state(T)
        return {
            "coordinator": durable(coordinator),
            "missing": own.awaited if own and not own.recovering else (),
            "state": self.each(durable),
            "role": self.each(lambda site: type(role(site)).__name__.lower()),
            **self.each_field(role, leader=None, awaited=(), reports={}),
            "vote": self.each(
                lambda site: next((VOTES[vote.yes] for vote in site.sent(core.Vote)), None)
            ),
            "failed_sites": {name for name in self.names if self.sites[name].crashes},
            "coordinator_has_failed": coordinator.crashes > 0,
            "network_has_failed": self.taken[Kind.DROP] + self.taken[Kind.PARTITION] > 0,
        }


def durable(site: sessions.Site) -> core.State:
    """The state in the log, which a core that is up must agree with."""
    records = core.load(site.log)
    logged = records[-1].state if records else core.State.INITIAL
    known = site.running and site.running.state(T)
    held = known.state if known else core.State.INITIAL
    if site.up and held is not logged:
        raise StepRefused(f"{site.name} holds {held.value}, its log {logged.value}")
    return logged


def role(site: sessions.Site) -> core.Following | core.Polling | core.Preparing | core.Recovering:
    """What a participant that is up and undecided is about; any other follows the coordinator."""
    known = site.running and site.running.state(T)
    undecided = known and known.state in (core.State.UNCERTAIN, core.State.PREPARED)
    return known.role if undecided else core.Following(C)


adapter = sessions.InProcess(ThreePhaseCommitSession)

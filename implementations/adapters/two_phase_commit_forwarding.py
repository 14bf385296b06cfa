"""Replays `two-phase-commit-forwarding` on `implementations.two_phase_commit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from ...models.two_phase_commit_forwarding import spec
from ...models.two_phase_commit_system.spec import Decision, DecisionNotice
from .. import sessions
from .. import two_phase_commit as core
from .two_phase_commit import VOCABULARY, C, T, TwoPhaseCommitSession


def decision_image(sender: Any, to: Any, notice: core.DecisionNotice) -> Any:
    """The coordinator decides, participants forward."""
    decision = Decision(notice.decision.value)
    return spec.Forward(sender, to, decision) if sender else DecisionNotice(to, decision)


class ForwardingSession(TwoPhaseCommitSession):
    """Processes that crash stay down; the spec shows them as they were when they crashed."""

    vocabulary = replace(
        VOCABULARY,
        spec=spec.TwoPhaseCommitForwarding,
        wire={core.DecisionNotice: decision_image, core.Acknowledgement: None},
        actions={
            **VOCABULARY.actions,
            "proceed": core.Proceed(T),
            "proceed_coordinator": core.Proceed(T),
        },
    )
    termination = core.Termination.FORWARDING

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. A decided transaction without anybody to await is forgotten."""
        coordinator = self.sites[C]
        own = coordinator.core.transactions.get(T)
        decided = coordinator.past(core.Decided)
        decision = own.decision if own else next(map(attrgetter("decision"), decided), None)
        return {
            "coordinator": "decided" if decided else own.phase if own else "idle",
            "yes_votes": own.yes if own else (),
            "no_votes": own.no if own else (),
            "coordinator_decision": decision,
            "phase": self.each(lambda site: known(site).phase),
            "vote": self.each(lambda site: site.first.get("vote")),
            "decision": self.each(lambda site: known(site).decision),
            "owing": {name for name in self.names if known(self.sites[name]).owes_forwarding},
        }


def known(site: sessions.Site) -> core.ParticipantTransaction:
    """What a participant knows or knew of the transaction."""
    transaction: core.ParticipantTransaction = site.core.transactions[T]
    return transaction


adapter = sessions.InProcess(ForwardingSession)

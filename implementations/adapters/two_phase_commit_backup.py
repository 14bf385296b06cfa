"""Replays `two-phase-commit-backup` on `implementations.two_phase_commit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...models.two_phase_commit_backup import spec
from ...models.two_phase_commit_system.spec import Decision
from .. import sessions
from .. import two_phase_commit as core
from .two_phase_commit import OUTCOMES, VOCABULARY, C, T, TwoPhaseCommitSession

B = "backup"
BACKUP_MESSAGES = (spec.BackupInquiry, spec.UncertainReport, spec.DecisionReport)


class BackupSession(TwoPhaseCommitSession):
    """The system of `two-phase-commit-system` with a backup, which does not crash."""

    vocabulary = replace(
        VOCABULARY,
        spec=spec.TwoPhaseCommitBackup,
        others=(C, B),
        actions={
            **VOCABULARY.actions,
            "take_over": lambda self, _: self.feed(B, core.TakeOver(T, self.names)),
            "time_out_reports": lambda self, _: self.run_out(B),
        },
    )

    def create(self, name: str) -> Any:
        """The backup too."""
        return core.BackupCoordinator(self.options) if name == B else super().create(name)

    def image(self, sender: str, to: str, message: core.Message) -> Any:
        """What the backup asks and is told has records of its own in the spec."""
        nodes = self.translation.nodes
        match message:
            case core.DecisionRequest() if sender == B:
                return spec.BackupInquiry(nodes[to])
            case core.Uncertain() if to == B:
                return spec.UncertainReport(nodes[sender])
            case core.DecisionNotice(decision=decision) if to == B:
                return spec.DecisionReport(Decision(decision.value))
            case _:
                return super().image(sender, to, message)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables."""
        own = self.sites[B].core.transactions.get(T)
        return {
            **super().state(),
            "network": self.network.contents() - self.network.contents(*BACKUP_MESSAGES),
            "backup": OUTCOMES.get(own.decision, "asking") if own else "idle",
            "uncertain": own.uncertain if own else (),
            "backup_network": self.network.contents(*BACKUP_MESSAGES),
        }


adapter = sessions.InProcess(BackupSession)

"""Replays `two-phase-commit-backup` on `implementations.two_phase_commit`."""

from __future__ import annotations

from collections.abc import Mapping

from ...language.ir.nodes import Kind
from ...language.labels import Label
from ...language.values import Value
from ...models.two_phase_commit_backup import spec
from ...models.two_phase_commit_system.spec import Decision as SpecDecision
from ...traces.adapter import Control, Named
from ...traces.trace import Setting
from ..two_phase_commit import (
    BackupCoordinator,
    BackupEvent,
    Decision,
    DecisionNotice,
    DecisionRequest,
    Message,
    Options,
    Received,
    Send,
    TakeOver,
    TimedOut,
    Uncertain,
)
from .two_phase_commit import T, TwoPhaseCommitSession, options_of

B = "backup"

STATES = {
    None: spec.BackupState.ASKING,
    Decision.COMMIT: spec.BackupState.COMMITTED,
    Decision.ABORT: spec.BackupState.ABORTED,
}


class BackupSession(TwoPhaseCommitSession):
    """The system of `two-phase-commit-system` with a backup and its messages."""

    def __init__(self, parameters: Mapping[str, Setting], options: Options) -> None:
        super().__init__(parameters, options)
        self.backup = BackupCoordinator(options)
        self.backup_network: set[Value] = set()

    def step(self, label: Label, given: Mapping[str, Value]) -> None:
        """The steps of the backup here, all others as in the system without it."""
        message = given.get("message")
        if message in self.backup_network and not self.duplicating:
            self.backup_network.remove(message)
        match message:
            case spec.BackupInquiry(to) if label.kind is Kind.DELIVER:
                self.feed(to.name, Received(B, DecisionRequest(T)))
            case spec.UncertainReport(sender):
                self.feed_backup(Received(sender.name, Uncertain(T)))
            case spec.DecisionReport(decision):
                notice = DecisionNotice(T, Decision(decision.value))
                self.feed_backup(Received(next(iter(self.nodes)), notice))
            case None if label.action == "take_over":
                self.feed_backup(TakeOver(T, tuple(self.nodes)))
            case None if label.action == "time_out_reports":
                self.feed_backup(TimedOut(T))
            case _:
                super().step(label, given)

    def feed_backup(self, event: BackupEvent) -> None:
        """Pass an event to the backup; it has no log and no application of its own."""
        for effect in self.backup.handle(event):
            match effect:
                case Send(to, DecisionRequest()):
                    self.backup_network.add(spec.BackupInquiry(self.nodes[to]))
                case Send(to, message):
                    self.send(B, to, message)

    def send(self, sender: str, to: str, message: Message) -> None:
        """Reports to the backup travel apart."""
        match message:
            case Uncertain() if to == B:
                self.backup_network.add(spec.UncertainReport(self.nodes[sender]))
            case DecisionNotice(decision=decision) if to == B:
                self.backup_network.add(spec.DecisionReport(SpecDecision(decision.value)))
            case _:
                super().send(sender, to, message)

    def project(self) -> Named:
        """The state in the spec's variables."""
        own = self.backup.transactions.get(T)
        return {
            **super().project(),
            "backup": STATES[own.decision] if own else spec.BackupState.IDLE,
            "uncertain": self.set(own.uncertain if own else ()),
            "backup_network": frozenset(self.backup_network),
        }


class BackupAdapter:
    """Starts sessions; see `traces.adapter.Adapter`."""

    control = Control.IN_PROCESS

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> BackupSession:
        """A fresh system with the parameters and flaws of a trace."""
        return BackupSession(parameters, options_of(parameters, flaws))


adapter = BackupAdapter()

"""Two-phase commit with a backup coordinator that drives termination."""

from __future__ import annotations

from enum import Enum

from ...language import (
    Node,
    Set,
    deliver,
    empty,
    flaw,
    record,
    require,
    timeout,
)
from ..two_phase_commit_system.spec import (
    Decision,
    DecisionNotice,
    State,
    TwoPhaseCommitSystem,
)


class BackupState(Enum):
    """What the backup knows."""

    IDLE = "idle"
    ASKING = "asking"
    COMMITTED = "committed"
    ABORTED = "aborted"


@record
class BackupInquiry:
    """Backup to participant: DECISION-REQ."""

    to: Node


@record
class UncertainReport:
    """Participant to backup: it voted Yes and knows no decision."""

    sender: Node


@record
class DecisionReport:
    """Participant to backup: what it decided."""

    decision: Decision


BackupMessage = BackupInquiry | UncertainReport | DecisionReport


class TwoPhaseCommitBackup(TwoPhaseCommitSystem):
    """The system of `two-phase-commit-system` and a backup that takes over from the coordinator.

    After `BTM` of tlaplus/Examples, `2PCwithBTM` (Demirbas), in messages: there the backup reads
    all states in one step, with nothing in flight, and no coordinator times out. Here it passes on
    what some participant knows, makes those abort that have not voted, and else waits. It keeps no
    log, as it decides nothing of its own; it does not crash.
    """

    backup_tm_reads_state: bool = flaw(
        "C12: the backup decides from the states it is told: all uncertain is commit, silence abort"
    )

    # The backup: what it knows, who told it to be uncertain, the messages to and from it.
    backup: BackupState = BackupState.IDLE
    uncertain: Set[Node] = empty()
    backup_network: Set[BackupMessage] = empty()

    @timeout
    def take_over(self) -> None:
        """The coordinator is down: the backup asks all participants."""
        require(not self.coordinator_up)
        require(self.backup is BackupState.IDLE)
        self.backup = BackupState.ASKING
        self.inquire()

    @deliver
    def receive_backup_inquiry(self, message: BackupInquiry) -> None:
        """A participant tells what it decided, aborts if it has not voted, or is uncertain."""
        self.receive_backup(message)
        participant = message.to
        require(self.reachable(participant))
        if self.state[participant] is State.WORKING:
            self.abort_alone(participant)
        if self.state[participant] is State.UNCERTAIN:
            self.backup_network.add(UncertainReport(participant))
        else:
            self.backup_network.add(DecisionReport(self.outcome(participant)))

    @deliver
    def receive_uncertain_report(self, message: UncertainReport) -> None:
        """All may be uncertain, and the coordinator may have decided either way: wait."""
        self.receive_backup(message)
        if self.backup is BackupState.ASKING:
            self.uncertain.add(message.sender)
            if self.backup_tm_reads_state and self.uncertain == self.participants:
                self.pass_on(Decision.COMMIT)

    @deliver
    def receive_decision_report(self, message: DecisionReport) -> None:
        """Somebody knows: the backup tells all. Reports that differ are nobody's step."""
        self.receive_backup(message)
        if self.backup is BackupState.ASKING:
            self.pass_on(message.decision)
        else:
            committed = self.backup is BackupState.COMMITTED
            require(committed == (message.decision is Decision.COMMIT))

    @timeout
    def time_out_reports(self) -> None:
        """The backup asks again; who is silent may have committed."""
        require(self.backup is BackupState.ASKING)
        if self.backup_tm_reads_state:
            self.pass_on(Decision.ABORT)
        else:
            self.inquire()

    def inquire(self) -> None:
        """The backup asks all participants."""
        for participant in self.participants:
            self.backup_network.add(BackupInquiry(participant))

    def pass_on(self, decision: Decision) -> None:
        """The backup tells all participants."""
        committed = decision is Decision.COMMIT
        self.backup = BackupState.COMMITTED if committed else BackupState.ABORTED
        for participant in self.participants:
            self.send(DecisionNotice(participant, decision))

    def receive_backup(self, message: BackupMessage) -> None:
        """Take a message out of the backup's network."""
        require(message in self.backup_network)
        if not self.duplicating:
            self.backup_network.discard(message)

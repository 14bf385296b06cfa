"""Variants of the protocol, and its known mistakes as switches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .messages import Decision


class Presumption(Enum):
    """What a coordinator without information answers, and what it may therefore not log.

    NOTHING: two-phase commit as in BHG 7.4; both outcomes are logged and acknowledged.
    ABORT: aborts are neither logged by the coordinator nor acknowledged; no start record.
    COMMIT: commits are not acknowledged; the start ("collecting") record must be forced.
    Mohan, Lindsay, Obermarck 1986, sections 3 and 4.
    """

    NOTHING = "nothing"
    ABORT = "abort"
    COMMIT = "commit"


class Termination(Enum):
    """How an uncertain participant gets out of its doubt.

    COOPERATIVE: it asks coordinator and peers, and blocks while nobody knows (BHG 7.4).
    FORWARDING: who learns a decision forwards it to all others before deciding, so a time-out
    means that nobody decided: Abort. Needs a synchronous network that loses nothing between
    running processes, and time-outs longer than the forwarding takes (Babaoglu and Toueg 1993).
    """

    COOPERATIVE = "cooperative"
    FORWARDING = "forwarding"


class Flaw(Enum):
    """Known mistakes, for checking the checkers; the values are the names in specs and traces."""

    ABORT_AFTER_YES = "abort_after_yes"
    HEURISTIC_COMMIT = "heuristic_commit"
    PEER_READY_MEANS_ABORT = "peer_ready_means_abort"
    RECOVER_READY_ABORTS = "recover_ready_aborts"
    DECISION_NOT_FORCED = "decision_not_forced"
    YES_NOT_FORCED = "yes_not_forced"
    MISSING_VOTE = "missing_vote"
    PRESUMED_ABORT_FORGETS_COMMIT = "presumed_abort_forgets_commit"
    PRESUMED_COMMIT_NO_COLLECTING_RECORD = "presumed_commit_no_collecting_record"
    DELIVER_BEFORE_FORWARD = "deliver_before_forward"
    BACKUP_TM_READS_STATE = "backup_tm_reads_state"


@dataclass(frozen=True)
class Options:
    """A variant; every process of a system must run the same one."""

    presumption: Presumption = Presumption.NOTHING
    termination: Termination = Termination.COOPERATIVE
    flaws: frozenset[Flaw] = frozenset()

    @property
    def logs_start(self) -> bool:
        """Whether the coordinator forces a start record before it asks for votes."""
        if Flaw.PRESUMED_COMMIT_NO_COLLECTING_RECORD in self.flaws:
            return False
        return self.presumption is not Presumption.ABORT

    def logs_decision(self, decision: Decision) -> bool:
        """Whether the coordinator forces a record of this decision."""
        return self.presumption is not Presumption.ABORT or decision is Decision.COMMIT

    def acknowledged(self, decision: Decision) -> bool:
        """Whether participants acknowledge this decision, and the coordinator waits for it."""
        match self.presumption:
            case Presumption.NOTHING:
                return True
            case Presumption.ABORT:
                return decision is Decision.COMMIT
            case Presumption.COMMIT:
                return decision is Decision.ABORT

    @property
    def presumed(self) -> Decision:
        """The answer to an inquiry about a transaction that the coordinator knows nothing of.

        Abort under NOTHING too: a commit is remembered until all have acknowledged it, and who
        has acknowledged it does not ask.
        """
        return Decision.COMMIT if self.presumption is Presumption.COMMIT else Decision.ABORT

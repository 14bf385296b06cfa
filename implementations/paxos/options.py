"""Choices that the protocol leaves open, and its known mistakes as switches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Flaw(Enum):
    """Known mistakes, for checking the checkers; the values are the names in specs and traces."""

    FORGET_PROMISE = "forget_promise"
    FORGET_ACCEPTED = "forget_accepted"
    DISK_LOSS = "disk_loss"
    IGNORE_REPORTED = "ignore_reported"
    ADOPT_LOWEST = "adopt_lowest"
    ADOPT_ANY = "adopt_any"
    ACCEPT_WITHOUT_CHECK = "accept_without_check"
    PROMISE_NOT_RECORDED = "promise_not_recorded"
    ACCEPT_GT = "accept_gt"
    ACCEPT_KEEPS_MAXBAL = "accept_keeps_maxbal"
    BALLOT_REUSE = "ballot_reuse"
    FORGET_BALLOT = "forget_ballot"
    PROMISES_COUNTED_TWICE = "promises_counted_twice"
    PROMISE_OF_OTHER_BALLOT = "promise_of_other_ballot"
    LEARNER_CROSSES_BALLOTS = "learner_crosses_ballots"
    REPORT_FIRST_ACCEPTED = "report_first_accepted"
    QUORUM_HALF = "quorum_half"
    LOSSY_PHASE1_NO_RETRY = "lossy_phase1_no_retry"


@dataclass(frozen=True)
class Options:
    """A variant; every process of a system must run the same one."""

    refusals: bool = True
    """Whether acceptors tell a proposer that its number is too low (section 2.2)."""
    promises_again: bool = True
    """Whether a prepare request is answered again, so that a lost promise costs one more message.

    Without it, as in section 2.2, only a higher number is answered. Safe: promises are counted by
    acceptor, and an acceptor's answers to one ballot before its vote there are the same.
    """
    resends: int | None = 1
    """How many time-outs in a row a proposer answers with the same ballot before it takes a
    higher one; None: all of them."""
    flaws: frozenset[Flaw] = frozenset()

    def __post_init__(self) -> None:
        """Raises ValueError on a negative number of resends."""
        if self.resends is not None and self.resends < 0:
            raise ValueError(f"resends={self.resends}: a number of time-outs, or None")

    @property
    def shares_ballots(self) -> bool:
        """Whether a flaw makes it possible that one ballot is used twice.

        Correct processes refuse what can only come of that: two values in one ballot, answers to a
        ballot that was never used. Those checks would hide that the first one is missing.
        """
        return bool({Flaw.BALLOT_REUSE, Flaw.FORGET_BALLOT} & self.flaws)

    def is_majority(self, count: int, acceptors: int) -> bool:
        """Whether `count` acceptors are a quorum among `acceptors`."""
        if Flaw.QUORUM_HALF in self.flaws:
            return 2 * count >= acceptors
        return 2 * count > acceptors

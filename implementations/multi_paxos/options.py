"""Choices that the protocol leaves open, and its known mistakes as switches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Flaw(Enum):
    """Known mistakes, for checking the checkers; the values are the names in specs and traces.

    Those of one slot are in `quorate.implementations.paxos`.
    """

    MARK_NONVOTING_REJOIN = "mark_nonvoting_rejoin"
    MULTI_GAP_SKIP = "multi_gap_skip"
    MULTI_REPROPOSE_HIGHEST_ONLY = "multi_repropose_highest_only"
    MULTI_GAP_NEVER_FILLED = "multi_gap_never_filled"
    LOSSY_PHASE1_NO_RETRY = "lossy_phase1_no_retry"


@dataclass(frozen=True)
class Options:
    """A variant; every replica of a system must run the same one."""

    window: int = 64
    """How many slots a leader may be ahead of the last one before which all are chosen (alpha in
    section 3); commands beyond wait."""
    batch: int = 64
    """How many chosen values a replica that lags is sent at a time."""
    flaws: frozenset[Flaw] = frozenset()

    def __post_init__(self) -> None:
        """Raises ValueError unless window and batch are at least 1."""
        if self.window < 1 or self.batch < 1:
            raise ValueError(f"window={self.window}, batch={self.batch}: at least 1 each")

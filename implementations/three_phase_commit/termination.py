"""The termination rule: what a backup makes of the states that it has collected.

Bernstein, Hadzilacos and Goodman 1987, section 7.5, rules TR1 to TR4; Skeen 1981, section 5. A
site that has not voted yet counts as aborted: it aborts when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from .messages import State


class Ruling(Enum):
    """What the backup does next."""

    ABORT = "abort"
    COMMIT = "commit"
    PREPARE_OTHERS = "prepare the uncertain ones, then commit"


def rule(states: Iterable[State], flaws: frozenset[str]) -> Ruling:
    """The ruling for the states of all sites that answered, the backup's own included."""
    known = set(states)
    if known & {State.INITIAL, State.ABORTED}:
        return Ruling.ABORT  # TR1
    if State.COMMITTED in known:
        return Ruling.COMMIT  # TR2
    if State.PREPARED not in known:  # TR3
        return Ruling.COMMIT if "uncertain_means_commit" in flaws else Ruling.ABORT
    if State.UNCERTAIN not in known or "backup_skips_phase1" in flaws:
        return Ruling.COMMIT
    if "mixed_means_abort" in flaws:
        return Ruling.ABORT
    return Ruling.PREPARE_OTHERS  # TR4

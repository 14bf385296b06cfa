"""Workers meet: each says how far it is, waits for the others, and goes on from what all said.

Nothing else orders what they do. Between two meetings a worker writes to its own memory only, and
to the tables by atomic operations; what it wrote, all may read after the next one.
"""

from __future__ import annotations

from numba import njit

from ..control import (
    LINE,
    LINES,
    MEETING,
    MEETING_ARRIVED,
    MEETING_STATUS,
    ROUND,
    SHARED,
    SHARED_PAUSE,
    SHARED_STOP,
    STOPPED,
    WORKER,
    WORKERS,
    YIELD,
)
from .intrinsics import acquire, call0, peek, poke, release

_SPINS = 2000  # looks at another worker's word before the core is offered to others


@njit
def line(ctl, worker, kind):  # type: ignore[no-untyped-def]
    """Address of a worker's shared line of a kind."""
    return peek(ctl, SHARED) + 8 * LINE * (LINES * worker + kind)


@njit
def common(ctl):  # type: ignore[no-untyped-def]
    """Address of the line that belongs to nobody."""
    return line(ctl, peek(ctl, WORKERS), 0)


@njit
def pause(ctl):  # type: ignore[no-untyped-def]
    """Ask the others to come to the next meeting soon."""
    release(common(ctl), SHARED_PAUSE, peek(ctl, ROUND) + 1)


@njit
def paused(ctl):  # type: ignore[no-untyped-def]
    """Whether somebody waits in the next meeting."""
    return acquire(common(ctl), SHARED_PAUSE) > peek(ctl, ROUND)


@njit
def _arrive(ctl, status):  # type: ignore[no-untyped-def]
    """Say a status, and wait until all have. False when told to stop."""
    number = peek(ctl, ROUND) + 1
    poke(ctl, ROUND, number)
    mine = line(ctl, peek(ctl, WORKER), MEETING)
    # Nobody comes to the meeting after the next before all have read what was said in this one.
    poke(mine, MEETING_STATUS + number % 2, status)
    release(mine, MEETING_ARRIVED, number)
    for other in range(peek(ctl, WORKERS)):
        spins = 0
        while acquire(line(ctl, other, MEETING), MEETING_ARRIVED) < number:
            if acquire(common(ctl), SHARED_STOP) != 0:
                return False
            spins += 1
            if spins > _SPINS:
                call0(peek(ctl, YIELD))
    return acquire(common(ctl), SHARED_STOP) == 0


@njit
def _said(ctl, other):  # type: ignore[no-untyped-def]
    """What a worker said in the last meeting."""
    return peek(line(ctl, other, MEETING), MEETING_STATUS + peek(ctl, ROUND) % 2)


@njit
def meet(ctl, status):  # type: ignore[no-untyped-def]
    """Meet, each with a status: the greatest, or STOPPED."""
    if not _arrive(ctl, status):
        return STOPPED
    worst = status
    for other in range(peek(ctl, WORKERS)):
        worst = max(worst, _said(ctl, other))
    return worst


@njit
def gather(ctl, bits):  # type: ignore[no-untyped-def]
    """Meet, each with some bits: those that anybody has, or -1 when told to stop."""
    if not _arrive(ctl, bits):
        return -1
    for other in range(peek(ctl, WORKERS)):
        bits |= _said(ctl, other)
    return bits

"""Who expands what.

A worker begins a level with the states that it found itself, in the order in which it found them:
states found one after the other have successors in common, and those that one worker finds again
soon its filter stops, before they are looked up. Who is done takes from the end of the part of
whoever has most left, so that all are done at the same time, and most states are still expanded
beside those they were found with.
"""

from __future__ import annotations

from numba import njit

from ..control import (
    ARENA,
    CHUNK,
    CHUNK_BITS,
    CLAIMS,
    CLAIMS_CHUNKS,
    CLAIMS_END,
    CLAIMS_FIRST,
    CLAIMS_SIZE,
    COUNT,
    CURSOR,
    LAST,
    LEVEL_END,
    WORDS,
    WORKER,
    WORKERS,
)
from .intrinsics import acquire, exchange, peek, poke, release
from .meeting import line

_PARTS = 16  # into which a worker's states are cut at least, if they are enough
_MASK = (1 << CHUNK_BITS) - 1


@njit
def offer_level(ctl):  # type: ignore[no-untyped-def]
    """Put the states that this worker has found since the last level up for expansion."""
    size = 8 * peek(ctl, WORDS)
    states = peek(ctl, COUNT) - peek(ctl, LEVEL_END)
    chunk = CHUNK
    if peek(ctl, WORKERS) > 1:
        chunk = max(1, min(CHUNK, states // _PARTS))
    mine = line(ctl, peek(ctl, WORKER), CLAIMS)
    poke(mine, CLAIMS_FIRST, peek(ctl, ARENA) + size * peek(ctl, LEVEL_END))
    poke(mine, CLAIMS_END, peek(ctl, ARENA) + size * peek(ctl, COUNT))
    poke(mine, CLAIMS_SIZE, size * chunk)
    release(mine, CLAIMS_CHUNKS, (states + chunk - 1) // chunk)


@njit
def _chunks_left(ctl, worker):  # type: ignore[no-untyped-def]
    word = acquire(line(ctl, worker, CLAIMS), CLAIMS_CHUNKS)
    return (word & _MASK) - (word >> CHUNK_BITS)


@njit
def _take(ctl, worker, first):  # type: ignore[no-untyped-def]
    """Take the first or the last chunk of a worker's states: its number, or -1."""
    claims = line(ctl, worker, CLAIMS)
    while True:
        word = acquire(claims, CLAIMS_CHUNKS)
        low = word >> CHUNK_BITS
        high = word & _MASK
        if low == high:
            return -1
        rest = word + (1 << CHUNK_BITS) if first else word - 1
        if exchange(claims, CLAIMS_CHUNKS, word, rest):
            return low if first else high - 1


@njit
def _richest(ctl):  # type: ignore[no-untyped-def]
    """The worker with most chunks left; -1 when nobody has any."""
    richest = -1
    most = 0
    for worker in range(peek(ctl, WORKERS)):
        left = _chunks_left(ctl, worker)
        if left > most:
            richest = worker
            most = left
    return richest


@njit
def next_chunk(ctl):  # type: ignore[no-untyped-def]
    """Take a chunk in hand. False when all states of the level are taken."""
    worker = peek(ctl, WORKER)
    chunk = _take(ctl, worker, True)
    while chunk < 0:
        worker = _richest(ctl)
        if worker < 0:
            return False
        chunk = _take(ctl, worker, False)
    claims = line(ctl, worker, CLAIMS)
    cursor = peek(claims, CLAIMS_FIRST) + chunk * peek(claims, CLAIMS_SIZE)
    poke(ctl, CURSOR, cursor)
    poke(ctl, LAST, min(cursor + peek(claims, CLAIMS_SIZE), peek(claims, CLAIMS_END)))
    return True

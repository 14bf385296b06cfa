"""Passes over stored states: finding predecessors, always-possible marks."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..control import (
    ARENA,
    CANONICAL,
    COUNT,
    COVERAGE,
    EXPAND,
    EXPAND_SOME,
    LEAVE_OUT,
    MARKS,
    NONE,
    OVERFULL,
    PEERS,
    PREDICATES,
    RAW,
    RAW_LIMIT,
    SCRATCH,
    TARGET,
    TRAP,
    WORDS,
    WORKERS,
)
from .findings import compare
from .hashing import hash_words, mix
from .intrinsics import (
    call2,
    call5,
    high_product,
    load,
    load_byte,
    peek,
    poke,
    store_byte,
)
from .visited import find_narrow, find_wide, table_of


@njit
def predecessor(ctl, start, end):  # type: ignore[no-untyped-def]
    """The least state from `start` to `end` of the arena with TARGET (another state) among its
    successors: its position, or NONE.
    """
    words = peek(ctl, WORDS)
    arena = peek(ctl, ARENA)
    raw = peek(ctl, RAW)
    canonical = peek(ctl, CANONICAL)
    wanted = peek(ctl, TARGET)
    best = NONE
    for position in range(start, end):
        state = arena + 8 * words * position
        if best >= 0 and compare(state, arena + 8 * words * best, words) > 0:
            continue
        limit = peek(ctl, RAW_LIMIT) + LEAVE_OUT
        count = call5(peek(ctl, EXPAND), state, raw, limit, peek(ctl, COVERAGE), ctl + 8 * TRAP)
        poke(ctl, TRAP, 0)
        if count < 0:
            return OVERFULL
        for k in range(count):
            target = raw + 8 * words * k
            if canonical != 0:
                call2(canonical, target, peek(ctl, SCRATCH))
                target = peek(ctl, SCRATCH)
            if compare(target, wanted, words) == 0:
                best = position
                break
    return best


def make(wide: bool) -> Any:
    """The kernels that look states up."""

    @njit
    def marked(ctl, state):  # type: ignore[no-untyped-def]
        """Address of the mark of a stored state, of whichever worker; 0 for a state not stored."""
        hashed = hash_words(state, peek(ctl, WORDS)) if wide else mix(load(state, 0))
        workers = peek(ctl, WORKERS)
        about = table_of(ctl, hashed, workers)
        slot = find_wide(ctl, about, state, hashed) if wide else find_narrow(ctl, about, hashed)
        owner = peek(peek(ctl, PEERS), high_product(hashed, workers))
        return peek(owner, MARKS) + slot if slot >= 0 else 0

    @njit
    def seed(ctl, mask_bit, unused):  # type: ignore[no-untyped-def]
        """Mark the stored states in which predicate number `mask_bit` holds. Returns how many."""
        words = peek(ctl, WORDS)
        total = 0
        for position in range(peek(ctl, COUNT)):
            state = peek(ctl, ARENA) + 8 * words * position
            held = call2(peek(ctl, PREDICATES), state, ctl + 8 * TRAP)
            if (held >> mask_bit) & 1 != 0:
                store_byte(marked(ctl, state), 0, 1)
                total += 1
        return total

    @njit
    def sweep(ctl, start, end):  # type: ignore[no-untyped-def]
        """Mark those of the states from `start` to `end` with a marked successor by EXPAND_SOME;
        backwards where `end` is less. Returns how many were marked.
        """
        words = peek(ctl, WORDS)
        arena = peek(ctl, ARENA)
        raw = peek(ctl, RAW)
        canonical = peek(ctl, CANONICAL)
        changed = 0
        for step in range(abs(end - start)):
            position = start + step if start < end else start - 1 - step
            state = arena + 8 * words * position
            mark = marked(ctl, state)
            if load_byte(mark, 0) != 0:
                continue
            limit = peek(ctl, RAW_LIMIT) + LEAVE_OUT
            junk = peek(ctl, COVERAGE)
            count = call5(peek(ctl, EXPAND_SOME), state, raw, limit, junk, ctl + 8 * TRAP)
            if count < 0:
                return OVERFULL
            for k in range(count):
                target = raw + 8 * words * k
                if canonical != 0:
                    call2(canonical, target, peek(ctl, SCRATCH))
                    target = peek(ctl, SCRATCH)
                there = marked(ctl, target)
                if there != 0 and load_byte(there, 0) != 0:
                    store_byte(mark, 0, 1)
                    changed += 1
                    break
        return changed

    @njit
    def unmarked(ctl, start, end):  # type: ignore[no-untyped-def]
        """The least state without a mark from `start` to `end`: its position, or NONE."""
        words = peek(ctl, WORDS)
        arena = peek(ctl, ARENA)
        best = NONE
        for position in range(start, end):
            state = arena + 8 * words * position
            if load_byte(marked(ctl, state), 0) != 0:
                continue
            if best < 0 or compare(state, arena + 8 * words * best, words) < 0:
                best = position
        return best

    return {"seed": seed, "sweep": sweep, "unmarked": unmarked}

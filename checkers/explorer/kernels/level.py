"""Expanding level after level.

Every worker expands the states that it has claimed (`claims.py`), and looks the fresh successors
up batch by batch; those that are new it keeps. Workers meet (`meeting.py`) when a table is full,
when the level ends, and when somebody has to return. What a worker has in hand then, the chunk of
states and the pending batch, stays in its control block, and it goes on with it.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ..control import (
    ARENA,
    BATCH,
    CANONICAL,
    COUNT,
    COVERAGE,
    CURRENT,
    CURSOR,
    DEADLOCK,
    DONE,
    EXPAND,
    FILL,
    FILTER,
    FILTER_BITS,
    FOUND_DEADLOCK,
    FOUND_OTHER,
    FOUND_PREDICATES,
    FOUND_REFINEMENTS,
    FOUND_STEPS,
    FOUND_TRAP,
    GROW,
    HASHES,
    LAST,
    LEAVE_OUT,
    LEFT,
    LEVEL,
    LEVEL_COUNT,
    LEVEL_END,
    LEVEL_ENDS,
    LEVEL_LIMIT,
    MORE,
    NEED_ROOM,
    OPEN,
    OTHERS,
    PENDING,
    PREDICATE_COUNT,
    PREDICATES,
    RAW,
    RAW_LIMIT,
    REFINEMENTS,
    SCRATCH,
    STATES,
    STEP_COUNT,
    STEP_MASK,
    STOPPED,
    TRAP,
    WORDS,
    WORKER,
    WORKERS,
)
from .claims import next_chunk, offer_level
from .findings import any_found, check_steps, evaluate, record
from .growth import make as make_growth
from .hashing import hash_words, mix, unmix
from .intrinsics import call2, call5, high_product, load, peek, poke, store
from .meeting import gather, meet, pause, paused
from .sifting import prepare, sift, sift_narrow
from .visited import copy, insert_narrow, insert_wide

_NEW = 1  # at the end of a level: states were found,
_FOUND = 2  # and something that Python has to look at


@njit
def _looked_for(ctl):  # type: ignore[no-untyped-def]
    """Whether steps have properties, which a step back to the same state has too."""
    return peek(ctl, STEP_MASK) != 0 or peek(ctl, REFINEMENTS) != 0


@njit
def _note(ctl, state, count):  # type: ignore[no-untyped-def]
    """Findings about the steps out of a state: a trap, no step, or a property of steps."""
    words = peek(ctl, WORDS)
    other = peek(ctl, FOUND_OTHER)
    if peek(ctl, TRAP) != 0:
        record(other, FOUND_TRAP, words, peek(ctl, TRAP), state, state)
        poke(ctl, TRAP, 0)
    elif count == 0 and peek(ctl, DEADLOCK) != 0:
        record(other, FOUND_DEADLOCK, words, 0, state, state)
    if _looked_for(ctl):
        check_steps(ctl, state, count)


@njit
def check(ctl, unused, neither):  # type: ignore[no-untyped-def]
    """Evaluate the predicates in the states found since the last level."""
    words = peek(ctl, WORDS)
    if peek(ctl, PREDICATES) != 0:
        for position in range(peek(ctl, LEVEL_END), peek(ctl, COUNT)):
            evaluate(ctl, peek(ctl, ARENA) + 8 * words * position)
    return DONE


@njit
def _end_level(ctl):  # type: ignore[no-untyped-def]
    """Look at the states found since the last level, and put them up for expansion. Bits."""
    words = peek(ctl, WORDS)
    bits = _NEW if peek(ctl, COUNT) > peek(ctl, LEVEL_END) else 0
    check(ctl, 0, 0)
    if (
        any_found(peek(ctl, FOUND_PREDICATES), peek(ctl, PREDICATE_COUNT), words)
        or any_found(peek(ctl, FOUND_STEPS), peek(ctl, STEP_COUNT), words)
        or any_found(peek(ctl, FOUND_REFINEMENTS), peek(ctl, REFINEMENTS), words)
        or any_found(peek(ctl, FOUND_OTHER), OTHERS, words)
    ):
        bits |= _FOUND
    offer_level(ctl)
    return bits


@njit
def _begin_level(ctl):  # type: ignore[no-untyped-def]
    """The states found since the last level are one."""
    poke(peek(ctl, LEVEL_ENDS), peek(ctl, LEVEL_COUNT), peek(ctl, COUNT))
    poke(ctl, LEVEL_COUNT, peek(ctl, LEVEL_COUNT) + 1)
    poke(ctl, LEVEL_END, peek(ctl, COUNT))
    poke(ctl, OPEN, 1)


def make(wide: bool) -> Any:
    """The kernels `advance` and `offer`, for states of one word or of several."""
    insert = insert_wide if wide else insert_narrow
    make_room = make_growth(wide)

    @njit
    def canonicalise(ctl, fill):  # type: ignore[no-untyped-def]
        """Bring the batch's states into canonical form, and their hashes up to date."""
        words = peek(ctl, WORDS)
        canonical = peek(ctl, CANONICAL)
        hashes = peek(ctl, HASHES)
        scratch = peek(ctl, SCRATCH)
        form = scratch + 8 * words
        for k in range(fill):
            if wide:
                state = peek(ctl, STATES) + 8 * words * k
                call2(canonical, state, form)
                copy(form, state, words)
                store(hashes, k, hash_words(form, words))
            else:
                store(scratch, 0, unmix(load(hashes, k)))
                call2(canonical, scratch, form)
                store(hashes, k, mix(load(form, 0)))

    @njit
    def settle(ctl):  # type: ignore[no-untyped-def]
        """Add what is new in the pending batch. A status."""
        status = insert(ctl)
        if status == DONE:
            poke(ctl, PENDING, 0)
            poke(ctl, FILL, 0)
        return status

    @njit
    def hand_in(ctl, fill):  # type: ignore[no-untyped-def]
        """Make the first entries of HASHES and STATES the pending batch, and add it. A status."""
        if peek(ctl, CANONICAL) != 0:
            canonicalise(ctl, fill)
        poke(ctl, PENDING, 0)
        poke(ctl, FILL, fill)
        return settle(ctl)

    @njit
    def expand_chunks(ctl):  # type: ignore[no-untyped-def]
        """Expand states, as many as are left to this call. A status."""
        words = peek(ctl, WORDS) if wide else 1
        raw = peek(ctl, RAW)
        raw_limit = peek(ctl, RAW_LIMIT)
        coverage = peek(ctl, COVERAGE)
        function = peek(ctl, EXPAND)
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        filter_ = peek(ctl, FILTER)
        bits = peek(ctl, FILTER_BITS)
        steps = _looked_for(ctl)
        # A step back to the same state leads nowhere new; only properties of steps look at it.
        limit = raw_limit if steps or peek(ctl, DEADLOCK) != 0 else raw_limit + LEAVE_OUT
        trap = ctl + 8 * TRAP
        left = peek(ctl, LEFT)
        cursor = peek(ctl, CURSOR)
        last = peek(ctl, LAST)
        fill = 0
        status = DONE
        while True:
            if left <= 0 or (cursor == last and paused(ctl)):
                status = MORE
                break
            if cursor == last:
                if not next_chunk(ctl):
                    break
                cursor = peek(ctl, CURSOR)
                last = peek(ctl, LAST)
            count = call5(function, cursor, raw, limit, coverage, trap)
            if count < 0:
                status = NEED_ROOM
                poke(ctl, CURRENT, cursor)
                poke(ctl, TRAP, 0)  # of steps that will be taken again
                break
            if steps or count == 0 or peek(ctl, TRAP) != 0:
                _note(ctl, cursor, count)
            if wide:
                fill = sift(filter_, bits, raw, count, cursor, hashes, fill, states, words)
            else:
                fill = sift_narrow(filter_, bits, raw, count, cursor, hashes, fill)
            cursor += 8 * words
            left -= 1
            if fill >= BATCH:
                status = hand_in(ctl, fill)
                fill = 0
                if status != DONE:
                    break
        poke(ctl, CURSOR, cursor)
        poke(ctl, LAST, last)
        poke(ctl, LEFT, left)
        if fill > 0:
            settled = hand_in(ctl, fill)
            if settled != DONE:
                status = settled
        return status

    @njit
    def expand(ctl):  # type: ignore[no-untyped-def]
        """A worker's part of a level, or of what is left of it. A status."""
        status = settle(ctl)
        if status == DONE and peek(ctl, CURRENT) != 0:
            status = NEED_ROOM
        if status == DONE:
            status = expand_chunks(ctl)
        if status != DONE:
            pause(ctl)
        return status

    @njit
    def finish_level(ctl):  # type: ignore[no-untyped-def]
        """Expand the level, with all workers. The worst of their statuses."""
        status = GROW
        while status == GROW:
            status = meet(ctl, expand(ctl))
            if status == GROW:
                made = make_room(ctl)
                if made != DONE:
                    return made
        return status

    @njit
    def advance(ctl, states, unused):  # type: ignore[no-untyped-def]
        """Expand about so many states and their level's end, or go on until something is found.

        All workers call this at once, and all return the same status.
        """
        poke(ctl, LEFT, states)
        while True:
            if peek(ctl, OPEN) == 0:
                bits = gather(ctl, _end_level(ctl))
                if bits < 0:
                    return STOPPED
                if bits & _NEW == 0:
                    return DONE
                _begin_level(ctl)
                if bits & _FOUND != 0 or peek(ctl, LEVEL_COUNT) >= peek(ctl, LEVEL_LIMIT):
                    return LEVEL
            status = finish_level(ctl)
            if status != DONE:
                return status
            poke(ctl, OPEN, 0)

    @njit
    def offer(ctl, count, unused):  # type: ignore[no-untyped-def]
        """Add those of the `count` states in RAW that this worker owns. A status."""
        words = peek(ctl, WORDS)
        canonical = peek(ctl, CANONICAL)
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        form = peek(ctl, SCRATCH)
        fill = 0
        for k in range(count):
            state = peek(ctl, RAW) + 8 * words * k
            if canonical != 0:
                call2(canonical, state, form)
                state = form
            hashed = hash_words(state, words) if wide else mix(load(state, 0))
            if high_product(hashed, peek(ctl, WORKERS)) == peek(ctl, WORKER):
                store(hashes, fill, hashed)
                if wide:
                    copy(state, states + 8 * words * fill, words)
                fill += 1
        poke(ctl, PENDING, 0)
        poke(ctl, FILL, fill)
        status = GROW
        while status == GROW:
            status = meet(ctl, settle(ctl))
            if status == GROW:
                made = make_room(ctl)
                if made != DONE:
                    return made
        return status

    @njit
    def begin(ctl, unused, neither):  # type: ignore[no-untyped-def]
        """Prepare this worker's memory for its first state."""
        if wide:
            prepare(peek(ctl, FILTER), peek(ctl, FILTER_BITS), peek(ctl, SCRATCH), peek(ctl, WORDS))
        return DONE

    return {"begin": begin, "advance": advance, "offer": offer}

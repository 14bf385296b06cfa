"""Findings: of all candidates on a level, the canonically least, so that neither the order of the
search nor the number of workers shows in what is reported.

A finding is a flag, a number (the trap site, where there is one), and two packed states.
"""

from __future__ import annotations

from numba import njit, uint64

from ..control import (
    ALWAYS_MASK,
    FOUND_OTHER,
    FOUND_PREDICATES,
    FOUND_REFINEMENTS,
    FOUND_STATE_TRAP,
    FOUND_STEP_TRAP,
    FOUND_STEPS,
    PREDICATES,
    RAW,
    REFINEMENT_ABSTRACT,
    REFINEMENT_AFTER,
    REFINEMENT_BEFORE,
    REFINEMENT_COVERAGE,
    REFINEMENT_EXPAND,
    REFINEMENT_FIELDS,
    REFINEMENT_FULL,
    REFINEMENT_RAW,
    REFINEMENT_RAW_LIMIT,
    REFINEMENT_TABLE,
    REFINEMENT_WORDS,
    REFINEMENTS,
    SOMETIMES_MASK,
    STEP_MASK,
    STEPS,
    TRAP,
    WORDS,
)
from .intrinsics import call2, call3, call5, load, peek, poke, store, unsigned


@njit
def compare(a, b, words):  # type: ignore[no-untyped-def]
    """-1, 0 or 1: the order of two packed states, the first word deciding first."""
    for i in range(words):
        x = load(a, i)
        y = load(b, i)
        if x < y:
            return -1
        if x > y:
            return 1
    return 0


@njit
def record(base, k, words, number, before, after):  # type: ignore[no-untyped-def]
    """Note a candidate for finding `k` of a table, unless a lesser one is there."""
    entry = base + 8 * (2 + 2 * words) * k
    first = entry + 16
    second = first + 8 * words
    if peek(entry, 0) != 0:
        order = compare(before, first, words)
        if order > 0 or (order == 0 and compare(after, second, words) >= 0):
            return
    poke(entry, 0, 1)
    poke(entry, 1, number)
    for i in range(words):
        store(first, i, load(before, i))
        store(second, i, load(after, i))


@njit
def any_found(base, count, words):  # type: ignore[no-untyped-def]
    """Whether any of the `count` findings of a table is there."""
    for k in range(count):  # noqa: SIM110 - a kernel has no generators
        if peek(base + 8 * (2 + 2 * words) * k, 0) != 0:
            return True
    return False


@njit
def _each_bit(base, bits, words, before, after):  # type: ignore[no-untyped-def]
    k = 0
    while bits != uint64(0):
        if bits & uint64(1):
            record(base, k, words, 0, before, after)
        bits = bits >> uint64(1)
        k += 1


@njit
def evaluate(ctl, state):  # type: ignore[no-untyped-def]
    """Evaluate the predicates in a state."""
    function = peek(ctl, PREDICATES)
    if function == 0:
        return
    words = peek(ctl, WORDS)
    held = unsigned(call2(function, state, ctl + 8 * TRAP))
    if peek(ctl, TRAP) != 0:
        record(peek(ctl, FOUND_OTHER), FOUND_STATE_TRAP, words, peek(ctl, TRAP), state, state)
        poke(ctl, TRAP, 0)
        return
    noted = (~held & load(ctl, ALWAYS_MASK)) | (held & load(ctl, SOMETIMES_MASK))
    if noted != uint64(0):
        _each_bit(peek(ctl, FOUND_PREDICATES), noted, words, state, state)


@njit
def check_steps(ctl, state, count):  # type: ignore[no-untyped-def]
    """Evaluate step properties and refinements on the `count` transitions in RAW out of a state."""
    words = peek(ctl, WORDS)
    raw = peek(ctl, RAW)
    steps = peek(ctl, STEPS)
    mask = load(ctl, STEP_MASK)
    if mask != uint64(0):
        for k in range(count):
            after = raw + 8 * words * k
            held = unsigned(call3(steps, state, after, ctl + 8 * TRAP))
            if peek(ctl, TRAP) != 0:
                _step_trap(ctl, state, after)
            elif ~held & mask != uint64(0):
                _each_bit(peek(ctl, FOUND_STEPS), ~held & mask, words, state, after)
    for number in range(peek(ctl, REFINEMENTS)):
        _refinement(ctl, number, state, count)


@njit
def _step_trap(ctl, before, after):  # type: ignore[no-untyped-def]
    base = peek(ctl, FOUND_OTHER)
    record(base, FOUND_STEP_TRAP, peek(ctl, WORDS), peek(ctl, TRAP), before, after)
    poke(ctl, TRAP, 0)


@njit
def _refinement(ctl, number, state, count):  # type: ignore[no-untyped-def]
    """Each abstract successor must be the abstract state, or one step of the abstract spec on."""
    words = peek(ctl, WORDS)
    entry = peek(ctl, REFINEMENT_TABLE) + 8 * REFINEMENT_FIELDS * number
    function = peek(entry, REFINEMENT_ABSTRACT)
    size = peek(entry, REFINEMENT_WORDS)
    before = peek(entry, REFINEMENT_BEFORE)
    after = peek(entry, REFINEMENT_AFTER)
    allowed = peek(entry, REFINEMENT_RAW)
    trap = ctl + 8 * TRAP
    call3(function, state, before, trap)
    if peek(ctl, TRAP) != 0:
        _step_trap(ctl, state, state)
        return
    options = -1
    for k in range(count):
        target = peek(ctl, RAW) + 8 * words * k
        call3(function, target, after, trap)
        if peek(ctl, TRAP) != 0:
            _step_trap(ctl, state, target)
            continue
        if compare(before, after, size) == 0:
            continue
        if options < 0:
            limit = peek(entry, REFINEMENT_RAW_LIMIT)
            junk = peek(entry, REFINEMENT_COVERAGE)
            options = call5(peek(entry, REFINEMENT_EXPAND), before, allowed, limit, junk, trap)
            # A trap of the abstract spec allows nothing; too many steps for the room is noted.
            poke(ctl, TRAP, 0)
            if options < 0:
                poke(entry, REFINEMENT_FULL, 1)
                return
        found = False
        for i in range(options):
            if compare(allowed + 8 * size * i, after, size) == 0:
                found = True
                break
        if not found:
            record(peek(ctl, FOUND_REFINEMENTS), number, words, 0, state, target)

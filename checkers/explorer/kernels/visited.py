"""The visited set and the arena: looking states up, adding them, growing the table.

A table is an open-addressing one with linear probing. The place of an entry is the upper part of
its hash, so the table is nearly sorted, and growing it by half moves every entry up: one sweep from
the end, in place. Only entries next to the start could land on one not yet moved (as close as they
are displaced); they are set aside first.

Narrow tables hold the hash itself, which determines the state. Wide tables hold a tag and the
position in the arena, and states are compared in full.
"""

from __future__ import annotations

from numba import njit, uint64

from ..control import (
    ARENA,
    BYTES_LIMIT,
    CAPACITY,
    CONSTRAINT,
    COUNT,
    CROWDED,
    CUT,
    FAR,
    FOUND_OTHER,
    FOUND_STATE_TRAP,
    GROW_AT,
    HASHES,
    INDEX_BITS,
    LIMIT,
    OUT_OF_MEMORY,
    OUT_OF_STATES,
    PAD,
    RESERVED_SLOTS,
    SCRATCH,
    SIDE,
    SIDE_SLOTS,
    STATES,
    TABLE,
    TRAP,
    WORDS,
    WORKERS,
)
from .findings import evaluate, record
from .hashing import hash_words, unmix
from .intrinsics import (
    call2,
    high_product,
    load,
    peek,
    poke,
    prefetch,
    signed,
    store,
    unsigned,
)

_INDEX = (1 << INDEX_BITS) - 1


@njit(inline="always")
def place(hashed, workers, capacity):  # type: ignore[no-untyped-def]
    """Where a hash points to in the table of its owner."""
    return high_product(hashed * unsigned(workers), capacity)


@njit(inline="always")
def same(a, b, words):  # type: ignore[no-untyped-def]
    """Whether two states of several words are equal."""
    for i in range(words):
        if load(a, i) != load(b, i):
            return False
    return True


@njit(inline="always")
def copy(source, target, words):  # type: ignore[no-untyped-def]
    """Copy words."""
    for i in range(words):
        store(target, i, load(source, i))


@njit(inline="always")
def _admitted(ctl, state):  # type: ignore[no-untyped-def]
    """Whether the constraint lets a state in. One outside is evaluated here: it is not kept."""
    constraint = peek(ctl, CONSTRAINT)
    if constraint == 0:
        return True
    trap = ctl + 8 * TRAP
    inside = call2(constraint, state, trap)
    if peek(ctl, TRAP) != 0:
        words = peek(ctl, WORDS)
        record(peek(ctl, FOUND_OTHER), FOUND_STATE_TRAP, words, peek(ctl, TRAP), state, state)
        poke(ctl, TRAP, 0)
        return False
    if inside == 0:
        poke(ctl, CUT, peek(ctl, CUT) + 1)
        evaluate(ctl, state)
        return False
    return True


@njit
def insert_narrow(ctl, fill):  # type: ignore[no-untyped-def]
    """Add the states of a batch of `fill` hashes that are new. Returns 0, or why it stopped."""
    hashes = peek(ctl, HASHES)
    arena = peek(ctl, ARENA)
    table = peek(ctl, TABLE)
    workers = peek(ctl, WORKERS)
    constrained = peek(ctl, CONSTRAINT) != 0
    limit = peek(ctl, LIMIT)
    capacity = peek(ctl, CAPACITY)
    grow_at = peek(ctl, GROW_AT)
    count = peek(ctl, COUNT)
    status = 0
    for k in range(fill):
        hashed = load(hashes, k)
        first = place(hashed, workers, capacity)
        slot = first
        there = load(table, slot)
        while there != hashed and there != uint64(0):
            slot += 1
            there = load(table, slot)
        if there == hashed:
            continue
        if constrained:
            scratch = peek(ctl, SCRATCH)
            store(scratch, 0, unmix(hashed))
            if not _admitted(ctl, scratch):
                continue
        if count >= limit:
            status = OUT_OF_STATES
            break
        store(table, slot, hashed)
        store(arena, count, unmix(hashed))
        count += 1
        if count >= grow_at or slot - first >= FAR:
            poke(ctl, COUNT, count)
            status = _grow(ctl, False)
            if status != 0:
                break
            capacity = peek(ctl, CAPACITY)
            grow_at = peek(ctl, GROW_AT)
    poke(ctl, COUNT, count)
    return status


@njit
def insert_wide(ctl, fill):  # type: ignore[no-untyped-def]
    """`insert_narrow` for states of several words, which lie beside their hashes."""
    hashes = peek(ctl, HASHES)
    states = peek(ctl, STATES)
    words = peek(ctl, WORDS)
    arena = peek(ctl, ARENA)
    table = peek(ctl, TABLE)
    workers = peek(ctl, WORKERS)
    for k in range(fill):
        # The first slot has arrived: if its tag fits, its state will be compared.
        hashed = load(hashes, k)
        there = load(table, place(hashed, workers, peek(ctl, CAPACITY)))
        if there != uint64(0) and _fits(there, hashed):
            prefetch(arena, (signed(there & uint64(_INDEX)) - 1) * words)
    count = peek(ctl, COUNT)
    status = 0
    for k in range(fill):
        state = states + 8 * words * k
        slot, found = find_wide(ctl, state, load(hashes, k))
        if found or not _admitted(ctl, state):
            continue
        if count >= peek(ctl, LIMIT):
            status = OUT_OF_STATES
            break
        store(table, slot, _tagged(load(hashes, k), count))
        copy(state, arena + 8 * words * count, words)
        first = place(load(hashes, k), workers, peek(ctl, CAPACITY))
        count += 1
        poke(ctl, COUNT, count)
        if count >= peek(ctl, GROW_AT) or slot - first >= FAR:
            status = _grow(ctl, True)
            if status != 0:
                break
    return status


@njit(inline="always")
def _tagged(hashed, position):  # type: ignore[no-untyped-def]
    """The entry of a wide table: the low bits of the hash (the place has used up the high ones),
    and the position in the arena, plus one so that no entry is zero."""
    return (hashed << uint64(INDEX_BITS)) | unsigned(position + 1)


@njit(inline="always")
def _fits(entry, hashed):  # type: ignore[no-untyped-def]
    """Whether an entry's tag is that of a hash."""
    return (entry ^ (hashed << uint64(INDEX_BITS))) >> uint64(INDEX_BITS) == uint64(0)


@njit(inline="always")
def find_narrow(ctl, hashed):  # type: ignore[no-untyped-def]
    """The slot of a hash, or the one where it would go, and whether it is there."""
    table = peek(ctl, TABLE)
    slot = place(hashed, peek(ctl, WORKERS), peek(ctl, CAPACITY))
    there = load(table, slot)
    while there != hashed and there != uint64(0):
        slot += 1
        there = load(table, slot)
    return slot, there == hashed


@njit(inline="always")
def find_wide(ctl, state, hashed):  # type: ignore[no-untyped-def]
    """`find_narrow` for a state of several words."""
    table = peek(ctl, TABLE)
    arena = peek(ctl, ARENA)
    words = peek(ctl, WORDS)
    slot = place(hashed, peek(ctl, WORKERS), peek(ctl, CAPACITY))
    there = load(table, slot)
    while there != uint64(0):
        if _fits(there, hashed):
            position = signed(there & uint64(_INDEX)) - 1
            if same(state, arena + 8 * words * position, words):
                return slot, True
        slot += 1
        there = load(table, slot)
    return slot, False


@njit(inline="always")
def _hash_of(ctl, entry, wide):  # type: ignore[no-untyped-def]
    if not wide:
        return entry
    words = peek(ctl, WORDS)
    position = signed(entry & uint64(_INDEX)) - 1
    return hash_words(peek(ctl, ARENA) + 8 * words * position, words)


@njit(inline="always")
def _settle(ctl, entry, wide):  # type: ignore[no-untyped-def]
    """Put an entry at its place in the grown table; returns how far from it."""
    table = peek(ctl, TABLE)
    first = place(_hash_of(ctl, entry, wide), peek(ctl, WORKERS), peek(ctl, CAPACITY))
    slot = first
    while load(table, slot) != uint64(0):
        slot += 1
    store(table, slot, entry)
    return slot - first


@njit
def _grow(ctl, wide):  # type: ignore[no-untyped-def]
    """Half as many slots again, in place. Returns 0, OUT_OF_MEMORY, or CROWDED where entries lie
    so far from their places that the next growth would lose some (the hash is at fault)."""
    table = peek(ctl, TABLE)
    words = peek(ctl, WORDS)
    old = peek(ctl, CAPACITY)
    new = old + old // 2
    taken = 8 * (new + PAD) + 8 * words * peek(ctl, COUNT)
    if new + PAD > peek(ctl, RESERVED_SLOTS) or taken > peek(ctl, BYTES_LIMIT):
        return OUT_OF_MEMORY
    poke(ctl, CAPACITY, new)
    poke(ctl, GROW_AT, new * 3 // 4)
    side = peek(ctl, SIDE)
    aside = 0
    farthest = 0
    near = min(old + PAD, SIDE_SLOTS)
    for slot in range(near):
        entry = load(table, slot)
        if entry != uint64(0):
            store(side, aside, entry)
            store(table, slot, uint64(0))
            aside += 1
    slot = old + PAD - 1
    while slot >= near:
        if wide and slot >= near + 16:
            ahead = load(table, slot - 16)
            if ahead != uint64(0):
                prefetch(peek(ctl, ARENA), (signed(ahead & uint64(_INDEX)) - 1) * words)
        entry = load(table, slot)
        if entry != uint64(0):
            store(table, slot, uint64(0))
            farthest = max(farthest, _settle(ctl, entry, wide))
        slot -= 1
    for k in range(aside):
        farthest = max(farthest, _settle(ctl, load(side, k), wide))
    return CROWDED if farthest >= FAR else 0

"""The visited set and the arena: looking states up, adding them, growing the table.

A table is an open-addressing one of buckets, each a cache line of eight entries, filled from its
start and never emptied. A hash points to a bucket by its upper part, so the table is nearly sorted,
and doubling it moves every entry up: one sweep from the end, in place. Only entries next to
the start could land on one not yet moved (as close as they are displaced); they are set aside.

Narrow tables hold the hash itself, which determines the state. Wide tables hold a tag and the
position in the arena, and states are compared in full.
"""

from __future__ import annotations

from typing import Any

from numba import njit, uint64

from ..control import (
    AHEAD,
    ARENA,
    BUCKETS,
    BYTES_LIMIT,
    CONSTRAINT,
    COUNT,
    COUNTED,
    COUNTS,
    CROWDED,
    CUT,
    FAR,
    FOUND_OTHER,
    FOUND_STATE_TRAP,
    FULL,
    GROW_AT,
    INDEX_BITS,
    LIMIT,
    MOVED,
    OUT_OF_MEMORY,
    OUT_OF_STATES,
    PAD,
    RESERVED_BUCKETS,
    SCRATCH,
    SIDE,
    SIDE_BUCKETS,
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
    lowest,
    matches,
    matches_above,
    peek,
    poke,
    prefetch,
    signed,
    store,
    unsigned,
)

_INDEX = (1 << INDEX_BITS) - 1


@njit
def place(hashed, workers, buckets):  # type: ignore[no-untyped-def]
    """The bucket that a hash points to in the table of its owner."""
    return high_product(hashed * unsigned(workers), buckets)


@njit
def same(a, b, words):  # type: ignore[no-untyped-def]
    """Whether two states of several words are equal."""
    for i in range(words):  # noqa: SIM110 - a kernel has no generators
        if load(a, i) != load(b, i):
            return False
    return True


@njit
def copy(source, target, words):  # type: ignore[no-untyped-def]
    """Copy words."""
    for i in range(words):
        store(target, i, load(source, i))


@njit
def _admitted(ctl, state):  # type: ignore[no-untyped-def]
    """Whether the constraint lets a state in. One outside is evaluated here: it is not kept."""
    trap = ctl + 8 * TRAP
    inside = call2(peek(ctl, CONSTRAINT), state, trap)
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
def insert_narrow(ctl, hashes, unused, fill):  # type: ignore[no-untyped-def]
    """Add those states of a batch of `fill` hashes that are new. Returns 0, or why it stopped."""
    arena = peek(ctl, ARENA)
    table = peek(ctl, TABLE)
    workers = peek(ctl, WORKERS)
    constrained = peek(ctl, CONSTRAINT) != 0
    limit = peek(ctl, LIMIT)
    buckets = peek(ctl, BUCKETS)
    grow_at = peek(ctl, GROW_AT)
    count = peek(ctl, COUNT)
    status = 0
    for k in range(min(fill, AHEAD)):
        prefetch(table, 8 * place(load(hashes, k), workers, buckets))
    for k in range(fill):
        if k + AHEAD < fill:
            prefetch(table, 8 * place(load(hashes, k + AHEAD), workers, buckets))
        hashed = load(hashes, k)
        first = place(hashed, workers, buckets)
        bucket = first
        known = matches(table, bucket, hashed)
        free = matches(table, bucket, uint64(0))
        while known == 0 and free == 0:
            bucket += 1
            known = matches(table, bucket, hashed)
            free = matches(table, bucket, uint64(0))
        if known != 0:
            continue
        if constrained:
            scratch = peek(ctl, SCRATCH)
            store(scratch, 0, unmix(hashed))
            if not _admitted(ctl, scratch):
                continue
        if count >= limit:
            status = OUT_OF_STATES
            break
        store(table, 8 * bucket + lowest(free), hashed)
        store(arena, count, unmix(hashed))
        count += 1
        if count >= grow_at or bucket - first >= FAR:
            poke(ctl, COUNT, count)
            status = _grow_narrow(ctl)
            if status != 0:
                break
            buckets = peek(ctl, BUCKETS)
            grow_at = peek(ctl, GROW_AT)
    poke(ctl, COUNT, count)
    return status


@njit
def insert_wide(ctl, hashes, states, fill):  # type: ignore[no-untyped-def]
    """`insert_narrow` for states of several words, which lie beside their hashes."""
    words = peek(ctl, WORDS)
    arena = peek(ctl, ARENA)
    table = peek(ctl, TABLE)
    workers = peek(ctl, WORKERS)
    constrained = peek(ctl, CONSTRAINT) != 0
    status = 0
    buckets = peek(ctl, BUCKETS)
    for k in range(min(fill, AHEAD)):
        prefetch(table, 8 * place(load(hashes, k), workers, buckets))
    for k in range(fill):
        if k + AHEAD < fill:
            prefetch(table, 8 * place(load(hashes, k + AHEAD), workers, buckets))
        if k + AHEAD // 2 < fill:
            # That bucket has arrived: the state whose tag fits will be compared.
            hashed = load(hashes, k + AHEAD // 2)
            bucket = place(hashed, workers, buckets)
            fitting = matches_above(table, bucket, INDEX_BITS, hashed << uint64(INDEX_BITS))
            if fitting != 0:
                entry = load(table, 8 * bucket + lowest(fitting))
                prefetch(arena, (signed(entry & uint64(_INDEX)) - 1) * words)
        state = states + 8 * words * k
        hashed = load(hashes, k)
        slot = find_wide(ctl, state, hashed)
        if slot >= 0 or (constrained and not _admitted(ctl, state)):
            continue
        slot = ~slot
        count = peek(ctl, COUNT)
        if count >= peek(ctl, LIMIT):
            status = OUT_OF_STATES
            break
        # The low bits of the hash are the tag: the place has used up the high ones.
        store(table, slot, (hashed << uint64(INDEX_BITS)) | unsigned(count + 1))
        copy(state, arena + 8 * words * count, words)
        poke(ctl, COUNT, count + 1)
        far = slot // 8 - place(hashed, workers, buckets) >= FAR
        if count + 1 >= peek(ctl, GROW_AT) or far:
            status = _grow_wide(ctl)
            if status != 0:
                break
            buckets = peek(ctl, BUCKETS)
    return status


@njit
def find_narrow(ctl, hashed):  # type: ignore[no-untyped-def]
    """The slot of a hash; ~ of the slot where it would go if it is not there."""
    table = peek(ctl, TABLE)
    bucket = place(hashed, peek(ctl, WORKERS), peek(ctl, BUCKETS))
    while True:
        known = matches(table, bucket, hashed)
        if known != 0:
            return 8 * bucket + lowest(known)
        free = matches(table, bucket, uint64(0))
        if free != 0:
            return ~(8 * bucket + lowest(free))
        bucket += 1


@njit
def find_wide(ctl, state, hashed):  # type: ignore[no-untyped-def]
    """`find_narrow` for a state of several words."""
    table = peek(ctl, TABLE)
    arena = peek(ctl, ARENA)
    words = peek(ctl, WORDS)
    tag = hashed << uint64(INDEX_BITS)
    bucket = place(hashed, peek(ctl, WORKERS), peek(ctl, BUCKETS))
    while True:
        free = matches(table, bucket, uint64(0))
        fitting = matches_above(table, bucket, INDEX_BITS, tag) & ~free
        while fitting != 0:
            slot = 8 * bucket + lowest(fitting)
            position = signed(load(table, slot) & uint64(_INDEX)) - 1
            if same(state, arena + 8 * words * position, words):
                return slot
            fitting = fitting & (fitting - 1)
        if free != 0:
            return ~(8 * bucket + lowest(free))
        bucket += 1


def _make_grow(wide: bool) -> Any:
    """The function that grows a table."""

    @njit
    def settle(ctl, entry, lowest_yet):  # type: ignore[no-untyped-def]
        """Put an entry at its place in the grown table: the lowest place so far, how far from it.

        How full a bucket is is counted beside the table, for the run of buckets that can still
        change: reading a line that was just written to would make the processor wait.
        """
        buckets = peek(ctl, BUCKETS)
        hashed = entry
        if wide:
            position = signed(entry & uint64(_INDEX)) - 1
            words = peek(ctl, WORDS)
            hashed = hash_words(peek(ctl, ARENA) + 8 * words * position, words)
        counts = peek(ctl, COUNTS)
        first = place(hashed, peek(ctl, WORKERS), buckets)
        while lowest_yet > first:
            lowest_yet -= 1
            poke(counts, lowest_yet & (COUNTED - 1), 0)
        bucket = first
        used = peek(counts, bucket & (COUNTED - 1))
        while used == 8:
            bucket += 1
            used = peek(counts, bucket & (COUNTED - 1))
        poke(counts, bucket & (COUNTED - 1), used + 1)
        store(peek(ctl, TABLE), 8 * bucket + used, entry)
        return lowest_yet, bucket - first

    @njit
    def grow(ctl):  # type: ignore[no-untyped-def]
        """Twice the buckets, in place. Returns 0, OUT_OF_MEMORY, or CROWDED where entries
        lie so far from their places that the next growth would lose some (the hash is at fault).
        """
        table = peek(ctl, TABLE)
        arena = peek(ctl, ARENA)
        words = peek(ctl, WORDS)
        old = peek(ctl, BUCKETS)
        new = 2 * old
        taken = 64 * (new + PAD) + 8 * words * (new * FULL // 16)
        if new + PAD > peek(ctl, RESERVED_BUCKETS) or taken > peek(ctl, BYTES_LIMIT):
            return OUT_OF_MEMORY
        poke(ctl, BUCKETS, new)
        poke(ctl, GROW_AT, new * FULL // 16)
        side = peek(ctl, SIDE)
        aside = 0
        farthest = 0
        near = min(old + PAD, SIDE_BUCKETS)
        for slot in range(8 * near):
            entry = load(table, slot)
            if entry != uint64(0):
                store(side, aside, entry)
                store(table, slot, uint64(0))
                aside += 1
        counts = peek(ctl, COUNTS)
        for k in range(COUNTED):
            poke(counts, k, 0)
        lowest_yet = new + PAD
        moved = ctl + 8 * MOVED
        bucket = old + PAD - 1
        while bucket >= near:
            if wide and bucket >= near + 2:
                for k in range(8):
                    ahead = load(table, 8 * (bucket - 2) + k)
                    if ahead != uint64(0):
                        prefetch(arena, (signed(ahead & uint64(_INDEX)) - 1) * words)
            for k in range(8):
                store(moved, k, load(table, 8 * bucket + k))
                store(table, 8 * bucket + k, uint64(0))
            k = 0
            while k < 8:
                entry = load(moved, k)
                if entry == uint64(0):
                    break
                lowest_yet, away = settle(ctl, entry, lowest_yet)
                farthest = max(farthest, away)
                k += 1
            bucket -= 1
        while aside > 0:
            aside -= 1
            lowest_yet, away = settle(ctl, load(side, aside), lowest_yet)
            farthest = max(farthest, away)
        return CROWDED if farthest >= FAR else 0

    return grow


_grow_narrow = _make_grow(False)
_grow_wide = _make_grow(True)

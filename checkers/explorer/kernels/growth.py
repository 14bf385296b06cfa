"""Tables that grow.

A hash points to a bucket by its upper part, so a table is nearly sorted, and doubling it moves
every entry up: one sweep from the end, in place. Only entries next to the start could land on one
not yet moved (as close as they are displaced); they are set aside.

Workers add to tables that they do not own, and count for themselves. So that a table is looked at
in time, each may add its part of what there is room for; who has used it up asks all to meet, and
the owner counts together, and makes the table larger or not.
"""

from __future__ import annotations

from typing import Any

from numba import njit, uint64

from ..control import (
    ADDED,
    ALLOWED,
    BUCKETS,
    BYTES_LIMIT,
    COUNTED,
    COUNTS,
    CROWDED,
    DONE,
    FAR,
    FULL,
    GROW_AT,
    INDEX_BITS,
    MOVED,
    OUT_OF_MEMORY,
    PAD,
    PEERS,
    RESERVED_BUCKETS,
    SIDE,
    SIDE_BUCKETS,
    TABLE,
    TABLES,
    TABLES_BUCKETS,
    TABLES_CROWDED,
    TABLES_GROW_AT,
    TABLES_TOTAL,
    WORDS,
    WORKER,
    WORKERS,
)
from .hashing import hash_words
from .intrinsics import load, peek, poke, prefetch, store
from .meeting import line, meet
from .visited import place, stored

_NEARLY = 5  # a table with less than this power of two's part of its room left grows


@njit
def _entries(ctl):  # type: ignore[no-untyped-def]
    """How many entries all have added to this worker's table."""
    total = 0
    for other in range(peek(ctl, WORKERS)):
        peer = peek(peek(ctl, PEERS), other)
        total += peek(peek(peer, ADDED), peek(ctl, WORKER))
    return total


@njit
def _allot(ctl):  # type: ignore[no-untyped-def]
    """Take this worker's part of the room that all tables have left."""
    workers = peek(ctl, WORKERS)
    for owner in range(workers):
        about = line(ctl, owner, TABLES)
        room = peek(about, TABLES_GROW_AT) - peek(about, TABLES_TOTAL)
        added = peek(peek(ctl, ADDED), owner)
        poke(peek(ctl, ALLOWED), owner, added + max(1, room // workers))


@njit
def has_places(ctl):  # type: ignore[no-untyped-def]
    """Whether the tags of a wide table have enough bits to say which bucket (a power of two)."""
    return peek(ctl, BUCKETS) <= 1 << (64 - peek(ctl, INDEX_BITS))


def make(wide: bool) -> Any:
    """The function `make_room`, for tables of states of one word or of several."""

    @njit
    def place_of(ctl, entry):  # type: ignore[no-untyped-def]
        """The bucket that an entry belongs to."""
        workers = peek(ctl, WORKERS)
        buckets = peek(ctl, BUCKETS)
        if not wide:
            return place(entry, workers, buckets)
        if has_places(ctl):
            return place(entry, 1, buckets)
        words = peek(ctl, WORDS)
        return place(hash_words(stored(ctl, entry, words), words), workers, buckets)

    @njit
    def settle(ctl, entry, lowest_yet):  # type: ignore[no-untyped-def]
        """Put an entry at its place in the grown table: the lowest place so far, how far from it.

        How full a bucket is is counted beside the table, for the run of buckets that can still
        change: reading a line that was just written to would make the processor wait.
        """
        counts = peek(ctl, COUNTS)
        first = place_of(ctl, entry)
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
    def put_aside(ctl, near):  # type: ignore[no-untyped-def]
        """Move the entries of the first buckets out of the table. How many there are."""
        table = peek(ctl, TABLE)
        aside = 0
        for slot in range(8 * near):
            entry = load(table, slot)
            if entry != uint64(0):
                store(peek(ctl, SIDE), aside, entry)
                store(table, slot, uint64(0))
                aside += 1
        return aside

    @njit
    def fetch(ctl, bucket):  # type: ignore[no-untyped-def]
        """Ask for the states of a bucket's entries."""
        for k in range(8):
            entry = load(peek(ctl, TABLE), 8 * bucket + k)
            if entry != uint64(0):
                prefetch(stored(ctl, entry, peek(ctl, WORDS)), 0)

    @njit
    def move_up(ctl, old):  # type: ignore[no-untyped-def]
        """Bring the entries of the `old` buckets to their places. The farthest lies how far off."""
        table = peek(ctl, TABLE)
        near = min(old + PAD, SIDE_BUCKETS)
        aside = put_aside(ctl, near)
        for k in range(COUNTED):
            poke(peek(ctl, COUNTS), k, 0)
        farthest = 0
        lowest_yet = peek(ctl, BUCKETS) + PAD
        moved = ctl + 8 * MOVED
        bucket = old + PAD - 1
        while bucket >= near:
            if wide and bucket >= near + 2 and not has_places(ctl):
                fetch(ctl, bucket - 2)
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
            lowest_yet, away = settle(ctl, load(peek(ctl, SIDE), aside), lowest_yet)
            farthest = max(farthest, away)
        return farthest

    @njit
    def double(ctl):  # type: ignore[no-untyped-def]
        """Twice the buckets, in place. Returns DONE, OUT_OF_MEMORY, or CROWDED where entries
        lie so far from their places that the next growth would lose some (the hash is at fault).
        """
        old = peek(ctl, BUCKETS)
        new = 2 * old
        taken = 64 * (new + PAD) + 8 * peek(ctl, WORDS) * (new * FULL // 16)
        if new + PAD > peek(ctl, RESERVED_BUCKETS) or taken > peek(ctl, BYTES_LIMIT):
            return OUT_OF_MEMORY
        poke(ctl, BUCKETS, new)
        poke(ctl, GROW_AT, new * FULL // 16)
        return CROWDED if move_up(ctl, old) >= FAR else DONE

    @njit
    def make_room(ctl):  # type: ignore[no-untyped-def]
        """Look at all tables, together with all workers, and make those larger that are full."""
        workers = peek(ctl, WORKERS)
        mine = line(ctl, peek(ctl, WORKER), TABLES)
        total = _entries(ctl)
        enough = 0
        if workers > 1:
            enough = max(64 * workers, peek(ctl, GROW_AT) >> _NEARLY)
        status = DONE
        if peek(ctl, GROW_AT) - total <= enough or peek(mine, TABLES_CROWDED) != 0:
            status = double(ctl)
            poke(mine, TABLES_CROWDED, 0)
        poke(mine, TABLES_TOTAL, total)
        poke(mine, TABLES_BUCKETS, peek(ctl, BUCKETS))
        poke(mine, TABLES_GROW_AT, peek(ctl, GROW_AT))
        status = meet(ctl, status)
        _allot(ctl)
        return status

    return make_room

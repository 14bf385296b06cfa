"""The visited set and the arenas: looking states up, and adding them.

A table is an open-addressing one of buckets, each a cache line of eight entries, filled from its
start and never emptied. A hash says which worker's table a state belongs to, and by its upper part
which bucket. Every worker adds to every table, each entry by one atomic operation; only the owner
of a table makes it larger, while all others wait (`growth.py`).

Narrow tables hold the hash itself, which determines the state. Wide tables hold a tag and an index,
which says in whose arena the state is and where, and states are compared in full. The state itself
is in the arena of the worker that added it.
"""

from __future__ import annotations

from typing import Any

from numba import njit, uint64

from ..control import (
    ADDED,
    AHEAD,
    ALLOWED,
    ARENA,
    CONSTRAINT,
    COUNT,
    CUT,
    FAR,
    FILL,
    FOUND_OTHER,
    FOUND_STATE_TRAP,
    GROW,
    HASHES,
    INDEX_BITS,
    INDEX_SHIFT,
    LIMIT,
    OUT_OF_STATES,
    PENDING,
    SCRATCH,
    STATES,
    TABLES,
    TABLES_ARENA,
    TABLES_BUCKETS,
    TABLES_CROWDED,
    TABLES_TABLE,
    TRAP,
    WORDS,
    WORKER,
    WORKERS,
)
from .findings import evaluate, record
from .hashing import unmix
from .intrinsics import (
    call2,
    exchange,
    high_product,
    known_and_free,
    load,
    lowest,
    matches,
    matches_above,
    peek,
    poke,
    prefetch,
    release,
    signed,
    store,
    unsigned,
)
from .meeting import line


@njit
def table_of(ctl, hashed, workers):  # type: ignore[no-untyped-def]
    """The line about the table that a hash belongs to."""
    return line(ctl, high_product(hashed, workers), TABLES)


@njit
def place(hashed, workers, buckets):  # type: ignore[no-untyped-def]
    """The bucket that a hash points to in its table."""
    return high_product(hashed * unsigned(workers), buckets)


@njit
def tag_of(ctl, hashed):  # type: ignore[no-untyped-def]
    """The upper bits of an entry for a hash: of the number that says which bucket it points to.

    So a table can grow without a look at the states.
    """
    bits = unsigned(peek(ctl, INDEX_BITS))
    return ((hashed * unsigned(peek(ctl, WORKERS))) >> bits) << bits


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
def stored(ctl, entry, words):  # type: ignore[no-untyped-def]
    """Address of the state of an entry of a wide table."""
    index = (signed(entry) & ((1 << peek(ctl, INDEX_BITS)) - 1)) - 1
    shift = peek(ctl, INDEX_SHIFT)
    worker = index & ((1 << shift) - 1)
    arena = peek(line(ctl, worker, TABLES), TABLES_ARENA)
    return arena + 8 * words * (index >> shift)


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
def find_narrow(ctl, about, hashed):  # type: ignore[no-untyped-def]
    """The slot of a hash in a table; ~ of the slot where it would go if it is not there."""
    table = peek(about, TABLES_TABLE)
    bucket = place(hashed, peek(ctl, WORKERS), peek(about, TABLES_BUCKETS))
    while True:
        found = known_and_free(table, bucket, hashed)
        if found & 255 != 0:
            return 8 * bucket + lowest(found)
        if found != 0:
            return ~(8 * bucket + lowest(found >> 8))
        bucket += 1


@njit
def find_wide(ctl, about, state, hashed):  # type: ignore[no-untyped-def]
    """`find_narrow` for a state of several words."""
    table = peek(about, TABLES_TABLE)
    words = peek(ctl, WORDS)
    bits = peek(ctl, INDEX_BITS)
    tag = tag_of(ctl, hashed)
    bucket = place(hashed, peek(ctl, WORKERS), peek(about, TABLES_BUCKETS))
    while True:
        # First, so that what is filled after this is looked for again in vain, not missed.
        free = matches(table, bucket, uint64(0))
        fitting = matches_above(table, bucket, bits, tag) & ~free
        while fitting != 0:
            slot = 8 * bucket + lowest(fitting)
            if same(state, stored(ctl, load(table, slot), words), words):
                return slot
            fitting = fitting & (fitting - 1)
        if free != 0:
            return ~(8 * bucket + lowest(free))
        bucket += 1


@njit
def _note_added(ctl, owner, entries, away):  # type: ignore[no-untyped-def]
    """Note entries added to a table, the last one `away` buckets from its place. GROW when the
    table is to be looked at.
    """
    added = peek(peek(ctl, ADDED), owner) + entries
    poke(peek(ctl, ADDED), owner, added)
    if away >= FAR:
        release(line(ctl, owner, TABLES), TABLES_CROWDED, 1)
        return GROW
    return GROW if added >= peek(peek(ctl, ALLOWED), owner) else 0


@njit
def _room(ctl, owner):  # type: ignore[no-untyped-def]
    """How many entries this worker may add to a table until it is to be looked at."""
    return peek(peek(ctl, ALLOWED), owner) - peek(peek(ctl, ADDED), owner)


def _make_insert_narrow(shared: bool) -> Any:
    """`insert_narrow`, for one worker or for several."""

    @njit
    def ask(ctl, hashed, workers, table, buckets):  # type: ignore[no-untyped-def]
        """Ask for the bucket that a hash points to, in the one table or in its own."""
        if shared:
            about = table_of(ctl, hashed, workers)
            table = peek(about, TABLES_TABLE)
            buckets = peek(about, TABLES_BUCKETS)
        prefetch(table, 8 * place(hashed, workers, buckets))

    @njit
    def insert(ctl):  # type: ignore[no-untyped-def]
        hashes = peek(ctl, HASHES)
        arena = peek(ctl, ARENA)
        workers = peek(ctl, WORKERS) if shared else 1
        constrained = peek(ctl, CONSTRAINT) != 0
        limit = peek(ctl, LIMIT)
        begun = count = peek(ctl, COUNT)
        full = count + _room(ctl, 0)
        fill = peek(ctl, FILL)
        about = line(ctl, 0, TABLES)
        table = peek(about, TABLES_TABLE)
        buckets = peek(about, TABLES_BUCKETS)
        status = 0
        away = 0
        k = peek(ctl, PENDING)
        for ahead in range(k, min(fill, k + AHEAD)):
            ask(ctl, load(hashes, ahead), workers, table, buckets)
        while k < fill:
            if k + AHEAD < fill:
                ask(ctl, load(hashes, k + AHEAD), workers, table, buckets)
            hashed = load(hashes, k)
            if shared:
                about = table_of(ctl, hashed, workers)
                table = peek(about, TABLES_TABLE)
                buckets = peek(about, TABLES_BUCKETS)
            first = place(hashed, workers, buckets)
            bucket = first
            found = known_and_free(table, bucket, hashed)
            while found == 0:
                bucket += 1
                found = known_and_free(table, bucket, hashed)
            if found & 255 != 0:
                k += 1
                continue
            if constrained:
                scratch = peek(ctl, SCRATCH)
                store(scratch, 0, unmix(hashed))
                if not _admitted(ctl, scratch):
                    k += 1
                    continue
            if count >= limit:
                status = OUT_OF_STATES
                break
            slot = 8 * bucket + lowest(found >> 8)
            if not shared:
                store(table, slot, hashed)
            elif not exchange(table, slot, 0, signed(hashed)):
                continue  # another worker was faster: look again
            store(arena, count, unmix(hashed))
            count += 1
            k += 1
            away = bucket - first
            if shared:
                status = _note_added(ctl, high_product(hashed, workers), 1, away)
                if status != 0:
                    break
            elif count >= full or away >= FAR:
                break
        if not shared:
            status = max(status, _note_added(ctl, 0, count - begun, away))
        poke(ctl, COUNT, count)
        poke(ctl, PENDING, k)
        return status

    return insert


def _make_insert_wide(shared: bool) -> Any:
    """`insert_wide`, for one worker or for several."""

    @njit
    def about_table(ctl, hashed, workers):  # type: ignore[no-untyped-def]
        return table_of(ctl, hashed, workers) if shared else line(ctl, 0, TABLES)

    @njit
    def ask(ctl, hashed, workers):  # type: ignore[no-untyped-def]
        """Ask for the bucket that a hash points to."""
        about = about_table(ctl, hashed, workers)
        first = place(hashed, workers, peek(about, TABLES_BUCKETS))
        prefetch(peek(about, TABLES_TABLE), 8 * first)

    @njit
    def insert(ctl):  # type: ignore[no-untyped-def]
        words = peek(ctl, WORDS)
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        arena = peek(ctl, ARENA)
        workers = peek(ctl, WORKERS) if shared else 1
        constrained = peek(ctl, CONSTRAINT) != 0
        shift = peek(ctl, INDEX_SHIFT)
        fill = peek(ctl, FILL)
        status = 0
        k = peek(ctl, PENDING)
        for ahead in range(k, min(fill, k + AHEAD)):
            ask(ctl, load(hashes, ahead), workers)
        while k < fill:
            if k + AHEAD < fill:
                ask(ctl, load(hashes, k + AHEAD), workers)
            if k + AHEAD // 2 < fill:
                # That bucket has arrived: the state whose tag fits will be compared.
                hashed = load(hashes, k + AHEAD // 2)
                about = about_table(ctl, hashed, workers)
                table = peek(about, TABLES_TABLE)
                bucket = place(hashed, workers, peek(about, TABLES_BUCKETS))
                fitting = matches_above(table, bucket, peek(ctl, INDEX_BITS), tag_of(ctl, hashed))
                if fitting != 0:
                    prefetch(stored(ctl, load(table, 8 * bucket + lowest(fitting)), words), 0)
            state = states + 8 * words * k
            hashed = load(hashes, k)
            about = about_table(ctl, hashed, workers)
            slot = find_wide(ctl, about, state, hashed)
            if slot >= 0 or (constrained and not _admitted(ctl, state)):
                k += 1
                continue
            slot = ~slot
            count = peek(ctl, COUNT)
            if count >= peek(ctl, LIMIT):
                status = OUT_OF_STATES
                break
            index = ((count << shift) | peek(ctl, WORKER)) + 1
            entry = tag_of(ctl, hashed) | unsigned(index)
            copy(state, arena + 8 * words * count, words)
            if not shared:
                store(peek(about, TABLES_TABLE), slot, entry)
            elif not exchange(peek(about, TABLES_TABLE), slot, 0, signed(entry)):
                continue  # another worker was faster: look again
            poke(ctl, COUNT, count + 1)
            k += 1
            away = slot // 8 - place(hashed, workers, peek(about, TABLES_BUCKETS))
            status = _note_added(ctl, high_product(hashed, workers), 1, away)
            if status != 0:
                break
        poke(ctl, PENDING, k)
        return status

    return insert


_narrow_alone = _make_insert_narrow(False)
_narrow_shared = _make_insert_narrow(True)
_wide_alone = _make_insert_wide(False)
_wide_shared = _make_insert_wide(True)


@njit
def insert_narrow(ctl):  # type: ignore[no-untyped-def]
    """Add those states of the pending batch that are new. Returns 0, or why it stopped."""
    return _narrow_shared(ctl) if peek(ctl, WORKERS) > 1 else _narrow_alone(ctl)


@njit
def insert_wide(ctl):  # type: ignore[no-untyped-def]
    """`insert_narrow` for states of several words, which lie beside their hashes."""
    return _wide_shared(ctl) if peek(ctl, WORKERS) > 1 else _wide_alone(ctl)

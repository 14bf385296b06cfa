"""Expanding a level.

A worker expands its own states in order. A successor it owns goes to a batch, and its slot of the
table is on its way from memory while the batch fills; another worker's goes to a mailbox. In each
round every worker fills its mailboxes at most, waits for the others, and takes what they left for
it. Mailboxes exist twice, by parity of the round, so one wait a round is enough: nobody can be two
rounds ahead.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ..control import (
    ARENA,
    BATCH,
    CANONICAL,
    CAPACITY,
    COVERAGE,
    CURSOR,
    DEADLOCK,
    DONE,
    EXPAND,
    FOUND_DEADLOCK,
    FOUND_OTHER,
    FOUND_TRAP,
    GENERATED,
    HASHES,
    LEVEL_END,
    MAILBOX_LIMIT,
    MAILBOXES,
    MORE,
    NEED_ROOM,
    QUANTUM,
    RAW,
    RAW_LIMIT,
    REFINEMENTS,
    ROUND,
    SCRATCH,
    SHARED,
    SHARED_ARRIVED,
    SHARED_STATUS,
    SHARED_STOP,
    STATES,
    STEP_MASK,
    STOPPED,
    TABLE,
    TRAP,
    WORDS,
    WORKER,
    WORKERS,
    YIELD,
)
from .findings import check_steps, record
from .hashing import hash_words, mix
from .intrinsics import (
    acquire,
    call0,
    call2,
    call5,
    high_product,
    load,
    peek,
    poke,
    prefetch,
    release,
    store,
)
from .visited import copy, insert_narrow, insert_wide, place, same

_SPINS = 2000  # looks at another worker's word before the core is offered to others


@njit(inline="always")
def mailbox(ctl, source, target, parity):  # type: ignore[no-untyped-def]
    """Address of a mailbox: the count of states, then the states."""
    table = peek(ctl, MAILBOXES)
    workers = peek(ctl, WORKERS)
    return peek(table, (source * workers + target) * 2 + parity)


@njit
def wait(ctl):  # type: ignore[no-untyped-def]
    """Wait until every worker has arrived at this round. False when told to stop."""
    shared = peek(ctl, SHARED)
    number = peek(ctl, ROUND)
    release(shared, 8 * peek(ctl, WORKER) + SHARED_ARRIVED, number)
    for other in range(peek(ctl, WORKERS)):
        spins = 0
        while acquire(shared, 8 * other + SHARED_ARRIVED) < number:
            if acquire(shared, SHARED_STOP) != 0:
                return False
            spins += 1
            if spins > _SPINS:
                call0(peek(ctl, YIELD))
    return acquire(shared, SHARED_STOP) == 0


def make(wide: bool) -> Any:
    """The kernels `rounds` and `offer`, for states of one word or of several."""
    insert = insert_wide if wide else insert_narrow

    @njit(inline="always")
    def hash_of(ctl, state):  # type: ignore[no-untyped-def]
        if wide:
            return hash_words(state, peek(ctl, WORDS))
        return mix(load(state, 0))

    @njit(inline="always")
    def push(ctl, fill, hashed, state):  # type: ignore[no-untyped-def]
        store(peek(ctl, HASHES), fill, hashed)
        if wide:
            words = peek(ctl, WORDS)
            copy(state, peek(ctl, STATES) + 8 * words * fill, words)
        slot = place(hashed, peek(ctl, WORKERS), peek(ctl, CAPACITY))
        prefetch(peek(ctl, TABLE), slot)

    @njit
    def expand(ctl):  # type: ignore[no-untyped-def]
        """Expand states until the level ends or a mailbox may overflow. Returns a status."""
        cursor = peek(ctl, CURSOR)
        end = peek(ctl, LEVEL_END)
        arena = peek(ctl, ARENA)
        words = peek(ctl, WORDS) if wide else 1
        raw = peek(ctl, RAW)
        raw_limit = peek(ctl, RAW_LIMIT)
        scratch = peek(ctl, SCRATCH)
        coverage = peek(ctl, COVERAGE)
        function = peek(ctl, EXPAND)
        canonical = peek(ctl, CANONICAL)
        workers = peek(ctl, WORKERS)
        worker = peek(ctl, WORKER)
        parity = peek(ctl, ROUND) & 1
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        table = peek(ctl, TABLE)
        capacity = peek(ctl, CAPACITY)
        steps = peek(ctl, STEP_MASK) != 0 or peek(ctl, REFINEMENTS) != 0
        trap = ctl + 8 * TRAP
        generated = 0
        fill = 0
        status = DONE
        room = peek(ctl, MAILBOX_LIMIT)
        last = min(end, cursor + peek(ctl, QUANTUM))
        while cursor < last:
            state = arena + 8 * words * cursor
            count = call5(function, state, raw, raw_limit, coverage, trap)
            if count < 0:
                status = NEED_ROOM
                break
            generated += count
            if peek(ctl, TRAP) != 0:
                base = peek(ctl, FOUND_OTHER)
                record(base, FOUND_TRAP, words, peek(ctl, TRAP), state, state)
                poke(ctl, TRAP, 0)
            elif count == 0 and peek(ctl, DEADLOCK) != 0:
                record(peek(ctl, FOUND_OTHER), FOUND_DEADLOCK, words, 0, state, state)
            if steps:
                check_steps(ctl, state, count)
            cursor += 1
            for k in range(count):
                target = raw + 8 * words * k
                if wide:
                    if same(state, target, words):
                        continue
                elif load(target, 0) == load(state, 0):
                    continue
                if canonical != 0:
                    call2(canonical, target, scratch)
                    target = scratch
                hashed = hash_of(ctl, target)
                if workers > 1:
                    owner = high_product(hashed, workers)
                    if owner != worker:
                        box = mailbox(ctl, worker, owner, parity)
                        filled = peek(box, 0)
                        copy(target, box + 8 + 8 * words * filled, words)
                        poke(box, 0, filled + 1)
                        room = min(room, peek(ctl, MAILBOX_LIMIT) - filled - 1)
                        continue
                store(hashes, fill, hashed)
                if wide:
                    copy(target, states + 8 * words * fill, words)
                prefetch(table, place(hashed, workers, capacity))
                fill += 1
            if fill >= BATCH:
                status = insert(ctl, fill)
                fill = 0
                capacity = peek(ctl, CAPACITY)
                if status != DONE:
                    break
            if room < raw_limit:
                break
        if fill > 0 and (status == DONE or status == NEED_ROOM):
            inserted = insert(ctl, fill)
            if inserted != DONE:
                status = inserted
        if status == DONE and cursor < end:
            status = MORE
        poke(ctl, CURSOR, cursor)
        poke(ctl, GENERATED, peek(ctl, GENERATED) + generated)
        return status

    @njit
    def receive(ctl, parity):  # type: ignore[no-untyped-def]
        """Take in what the others found for this worker."""
        words = peek(ctl, WORDS)
        worker = peek(ctl, WORKER)
        for other in range(peek(ctl, WORKERS)):
            if other == worker:
                continue
            box = mailbox(ctl, other, worker, parity)
            filled = peek(box, 0)
            poke(box, 0, 0)
            fill = 0
            for k in range(filled):
                state = box + 8 + 8 * words * k
                push(ctl, fill, hash_of(ctl, state), state)
                fill += 1
                if fill == BATCH or k == filled - 1:
                    status = insert(ctl, fill)
                    fill = 0
                    if status != DONE:
                        return status
        return DONE

    @njit
    def rounds(ctl, number, unused):  # type: ignore[no-untyped-def]
        """Expand for at most `number` rounds; several workers call this at once. A status."""
        shared = peek(ctl, SHARED)
        workers = peek(ctl, WORKERS)
        if workers == 1:
            return expand(ctl)
        for _ in range(number):
            poke(ctl, ROUND, peek(ctl, ROUND) + 1)
            parity = peek(ctl, ROUND) & 1
            status = expand(ctl)
            release(shared, 8 * peek(ctl, WORKER) + SHARED_STATUS + parity, status)
            if not wait(ctl):
                return STOPPED
            worst = DONE
            for other in range(workers):
                worst = max(worst, acquire(shared, 8 * other + SHARED_STATUS + parity))
            if worst > NEED_ROOM:
                return status if status > NEED_ROOM else STOPPED
            received = receive(ctl, parity)
            if received != DONE:
                release(shared, SHARED_STOP, 1)
                return received
            if worst == DONE:
                return DONE
            if worst == NEED_ROOM:
                return status
        return MORE

    @njit
    def offer(ctl, count, unused):  # type: ignore[no-untyped-def]
        """Add those of the `count` states in RAW that this worker owns. A status."""
        words = peek(ctl, WORDS)
        canonical = peek(ctl, CANONICAL)
        for k in range(count):
            state = peek(ctl, RAW) + 8 * words * k
            if canonical != 0:
                call2(canonical, state, peek(ctl, SCRATCH))
                state = peek(ctl, SCRATCH)
            hashed = hash_of(ctl, state)
            if high_product(hashed, peek(ctl, WORKERS)) == peek(ctl, WORKER):
                push(ctl, 0, hashed, state)
                status = insert(ctl, 1)
                if status != DONE:
                    return status
        return DONE

    return {"rounds": rounds, "offer": offer}

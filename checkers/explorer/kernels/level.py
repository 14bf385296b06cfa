"""Expanding a level.

One worker looks its fresh successors up batch by batch. Several send each to its owner's mailbox,
their own too; in each round every worker fills its mailboxes at most, waits for the others, and
takes what is there for it. Mailboxes exist twice, by parity of the round, so one wait a round is
enough: nobody can be two rounds ahead.

States found together have successors in common, which the filter stops as long as one worker
expands those states one after the other. So a worker does not expand the states that it owns: it
has a part of every arena, all of them side by side. Arenas have the same order, that of the rounds
and then of the senders, so what was found together lies at the same part of each.
"""

from __future__ import annotations

from typing import Any

from numba import int64, njit, uint64

from ..control import (
    ARENA,
    BATCH,
    CANONICAL,
    CHUNK,
    COVERAGE,
    CURRENT,
    DEADLOCK,
    DONE,
    EXPAND,
    FILTER,
    FILTER_BITS,
    FOUND_DEADLOCK,
    FOUND_OTHER,
    FOUND_TRAP,
    FULLEST,
    HASHES,
    LEAVE_OUT,
    MAILBOX_LIMIT,
    MAILBOXES,
    MORE,
    NEED_ROOM,
    PEERS,
    QUANTUM,
    RAW,
    RAW_LIMIT,
    REFINEMENTS,
    ROUND,
    SCRATCH,
    SEGMENTS,
    SHARED,
    SHARED_ARRIVED,
    SHARED_STATUS,
    SHARED_STOP,
    STATES,
    STEP_MASK,
    STOPPED,
    TRAP,
    WORDS,
    WORKER,
    WORKERS,
    YIELD,
)
from .findings import check_steps, record
from .hashing import hash_words, mix, unmix
from .intrinsics import (
    acquire,
    call0,
    call2,
    call5,
    high_product,
    load,
    peek,
    poke,
    release,
    signed,
    store,
)
from .visited import copy, insert_narrow, insert_wide, same

_SPINS = 2000  # looks at another worker's word before the core is offered to others


@njit
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


@njit
def sift_narrow(filter_, bits, raw, count, state, hashes, fill):  # type: ignore[no-untyped-def]
    """Append the hashes of the successors that the filter has not seen; returns the new fill.

    Without branches: whether a successor is fresh is as good as random to the processor.
    """
    itself = load(state, 0)
    for k in range(count):
        target = load(raw, k)
        hashed = mix(target)
        line = signed(hashed >> uint64(64 - bits))
        seen = load(filter_, line)
        store(filter_, line, hashed)
        store(hashes, fill, hashed)
        fill += int64(seen != hashed) & int64(target != itself)
    return fill


@njit
def sift_wide(  # type: ignore[no-untyped-def]
    filter_, bits, raw, count, state, hashes, fill, states, words
):
    """`sift_narrow` for states of several words, which the filter holds in full."""
    for k in range(count):
        target = raw + 8 * words * k
        hashed = hash_words(target, words)
        seen = filter_ + 8 * words * signed(hashed >> uint64(64 - bits))
        if same(seen, target, words) or same(state, target, words):
            continue
        copy(target, seen, words)
        copy(target, states + 8 * words * fill, words)
        store(hashes, fill, hashed)
        fill += 1
    return fill


@njit
def _next_segment(segments, peer, workers):  # type: ignore[no-untyped-def]
    """The next arena after a peer's with states to expand; -1 when there is none."""
    for _ in range(workers):
        peer = peer + 1 if peer + 1 < workers else 0
        if peek(segments, 2 * peer) < peek(segments, 2 * peer + 1):
            return peer
    return -1


def make(wide: bool) -> Any:
    """The kernels `rounds` and `offer`, for states of one word or of several."""
    insert = insert_wide if wide else insert_narrow

    @njit
    def route(ctl, last):  # type: ignore[no-untyped-def]
        """Bring the batch's entries into canonical form and, of several workers, send each to its
        owner. Returns the new fill.
        """
        words = peek(ctl, WORDS)
        canonical = peek(ctl, CANONICAL)
        workers = peek(ctl, WORKERS)
        worker = peek(ctl, WORKER)
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        scratch = peek(ctl, SCRATCH)
        form = scratch + 8 * words
        parity = peek(ctl, ROUND) & 1
        fill = 0
        for k in range(last):
            hashed = load(hashes, k)
            state = states + 8 * words * k
            if canonical != 0:
                if not wide:
                    store(scratch, 0, unmix(hashed))
                    state = scratch
                call2(canonical, state, form)
                state = form
                hashed = hash_words(form, words) if wide else mix(load(form, 0))
            if workers == 1:
                store(hashes, fill, hashed)
                if wide:
                    copy(state, states + 8 * words * fill, words)
                fill += 1
                continue
            box = mailbox(ctl, worker, high_product(hashed, workers), parity)
            filled = peek(box, 0)
            if wide:
                copy(state, box + 8 + 8 * words * filled, words)
            else:
                store(box, 1 + filled, hashed)
            poke(box, 0, filled + 1)
            poke(ctl, FULLEST, max(peek(ctl, FULLEST), filled + 1))
        return fill

    @njit
    def settle(ctl, fill):  # type: ignore[no-untyped-def]
        """Bring a batch to where it belongs. A status."""
        if peek(ctl, CANONICAL) != 0 or peek(ctl, WORKERS) > 1:
            fill = route(ctl, fill)
        return insert(ctl, peek(ctl, HASHES), peek(ctl, STATES), fill)

    @njit
    def note(ctl, state, count):  # type: ignore[no-untyped-def]
        """Findings about the steps out of a state: a trap, no step, or a property of steps."""
        words = peek(ctl, WORDS)
        other = peek(ctl, FOUND_OTHER)
        if peek(ctl, TRAP) != 0:
            record(other, FOUND_TRAP, words, peek(ctl, TRAP), state, state)
            poke(ctl, TRAP, 0)
        elif count == 0 and peek(ctl, DEADLOCK) != 0:
            record(other, FOUND_DEADLOCK, words, 0, state, state)
        if peek(ctl, STEP_MASK) != 0 or peek(ctl, REFINEMENTS) != 0:
            check_steps(ctl, state, count)

    @njit
    def expand(ctl):  # type: ignore[no-untyped-def]
        """Expand states until the level ends or a mailbox may overflow. Returns a status."""
        words = peek(ctl, WORDS) if wide else 1
        workers = peek(ctl, WORKERS)
        peers = peek(ctl, PEERS)
        segments = peek(ctl, SEGMENTS)
        arena = peek(ctl, ARENA)
        raw = peek(ctl, RAW)
        raw_limit = peek(ctl, RAW_LIMIT)
        coverage = peek(ctl, COVERAGE)
        function = peek(ctl, EXPAND)
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        filter_ = peek(ctl, FILTER)
        bits = peek(ctl, FILTER_BITS)
        steps = peek(ctl, STEP_MASK) != 0 or peek(ctl, REFINEMENTS) != 0
        most = peek(ctl, MAILBOX_LIMIT) - raw_limit - BATCH
        # A step back to the same state leads nowhere new; only properties of steps look at it.
        limit = raw_limit if steps or peek(ctl, DEADLOCK) != 0 else raw_limit + LEAVE_OUT
        trap = ctl + 8 * TRAP
        fill = 0
        status = DONE
        left = peek(ctl, QUANTUM)
        chunk = left if workers == 1 else CHUNK
        peer = workers - 1
        cursor = 0
        last = 0
        poke(ctl, FULLEST, 0)
        while left > 0:
            if cursor == last:
                peer = _next_segment(segments, peer, workers)
                if peer < 0:
                    break
                arena = peek(peek(peers, peer), ARENA)
                cursor = peek(segments, 2 * peer)
                last = min(peek(segments, 2 * peer + 1), cursor + chunk)
            state = arena + 8 * words * cursor
            count = call5(function, state, raw, limit, coverage, trap)
            if count < 0:
                status = NEED_ROOM
                poke(ctl, CURRENT, state)
                break
            cursor += 1
            left -= 1
            poke(segments, 2 * peer, cursor)
            if steps or count == 0 or peek(ctl, TRAP) != 0:
                note(ctl, state, count)
            if wide:
                fill = sift_wide(filter_, bits, raw, count, state, hashes, fill, states, words)
            else:
                fill = sift_narrow(filter_, bits, raw, count, state, hashes, fill)
            if fill >= BATCH:
                status = settle(ctl, fill)
                fill = 0
                if status != DONE or peek(ctl, FULLEST) > most:
                    break
        if fill > 0 and status in (DONE, NEED_ROOM):
            settled = settle(ctl, fill)
            if settled != DONE:
                status = settled
        if status == DONE and _next_segment(segments, 0, workers) >= 0:
            status = MORE
        return status

    @njit
    def receive(ctl, parity):  # type: ignore[no-untyped-def]
        """Take in what all found for this worker, in the same order as the others do."""
        words = peek(ctl, WORDS)
        worker = peek(ctl, WORKER)
        hashes = peek(ctl, HASHES)
        for other in range(peek(ctl, WORKERS)):
            box = mailbox(ctl, other, worker, parity)
            filled = peek(box, 0)
            poke(box, 0, 0)
            if not wide:
                status = insert(ctl, box + 8, box + 8, filled)
                if status != DONE:
                    return status
                continue
            done = 0
            while done < filled:
                size = min(BATCH, filled - done)
                states = box + 8 + 8 * words * done
                for k in range(size):
                    store(hashes, k, hash_words(states + 8 * words * k, words))
                status = insert(ctl, hashes, states, size)
                if status != DONE:
                    return status
                done += size
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
        return insert(ctl, hashes, states, fill)

    return {"rounds": rounds, "offer": offer}

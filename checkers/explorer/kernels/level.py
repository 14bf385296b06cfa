"""Expanding a level.

One worker looks its fresh successors up batch by batch. Several send each to its owner's mailbox,
their own too. In each round a worker fills its mailboxes at most; then it takes what all have found
for it in the round before. So it waits only for those who are more than a round behind, and nobody
is two ahead. Others may still have to read the mailboxes of three rounds before when a worker
writes those of the next: mailboxes exist four times (PHASES).

A worker does not expand the states that it owns, but a part of every arena, of states that were
found together, side by side (`shares.py` says which, and why).
"""

from __future__ import annotations

from typing import Any

from numba import int64, njit, uint64

from ..control import (
    ARENA,
    BATCH,
    CANONICAL,
    CHUNK,
    COUNT,
    COVERAGE,
    CURRENT,
    DEADLOCK,
    DONE,
    ENDS,
    EXPAND,
    FILTER,
    FILTER_BITS,
    FOUND_DEADLOCK,
    FOUND_OTHER,
    FOUND_TRAP,
    HASHES,
    LEAVE_OUT,
    MAILBOX_LIMIT,
    MAILBOXES,
    MORE,
    NEED_ROOM,
    PEERS,
    PHASES,
    QUANTUM,
    RAW,
    RAW_LIMIT,
    REFINEMENTS,
    ROUND,
    ROW,
    ROW_COUNT,
    ROWS,
    RUN_COUNT,
    RUNS,
    SCRATCH,
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
from .visited import copy, insert_narrow, insert_wide

_SPINS = 2000  # looks at another worker's word before the core is offered to others


@njit
def mailbox(ctl, source, target, number):  # type: ignore[no-untyped-def]
    """Address of a round's mailbox: the count of states, then the states."""
    table = peek(ctl, MAILBOXES)
    workers = peek(ctl, WORKERS)
    return peek(table, (source * workers + target) * PHASES + number % PHASES)


@njit
def wait(ctl, number):  # type: ignore[no-untyped-def]
    """Wait until every worker has had its part of a round. False when told to stop."""
    shared = peek(ctl, SHARED)
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
        entry = states + 8 * words * fill
        unlike_seen = uint64(0)
        unlike_state = uint64(0)
        for i in range(words):
            word = load(target, i)
            unlike_seen |= word ^ load(seen, i)
            unlike_state |= word ^ load(state, i)
            store(seen, i, word)
            store(entry, i, word)
        store(hashes, fill, hashed)
        fill += int64(unlike_seen != uint64(0)) & int64(unlike_state != uint64(0))
    return fill


@njit
def sift(  # type: ignore[no-untyped-def]
    filter_, bits, raw, count, state, hashes, fill, states, words
):
    """`sift_wide`, written out for a few numbers of words: what is known becomes straight code."""
    if words == 2:
        return sift_wide(filter_, bits, raw, count, state, hashes, fill, states, 2)
    if words == 3:
        return sift_wide(filter_, bits, raw, count, state, hashes, fill, states, 3)
    if words == 4:
        return sift_wide(filter_, bits, raw, count, state, hashes, fill, states, 4)
    if words == 5:
        return sift_wide(filter_, bits, raw, count, state, hashes, fill, states, 5)
    if words == 6:
        return sift_wide(filter_, bits, raw, count, state, hashes, fill, states, 6)
    return sift_wide(filter_, bits, raw, count, state, hashes, fill, states, words)


@njit
def next_run(row, peer, workers):  # type: ignore[no-untyped-def]
    """The next arena after a peer's of which a row has states left; -1 when there is none."""
    for _ in range(workers):
        peer = peer + 1 if peer + 1 < workers else 0
        if peek(row, 2 * peer) < peek(row, 2 * peer + 1):
            return peer
    return -1


@njit
def current_row(ctl):  # type: ignore[no-untyped-def]
    """Address of the first row with states left, which is the current one from now on; or 0."""
    workers = peek(ctl, WORKERS)
    while peek(ctl, ROW) < peek(ctl, ROW_COUNT):
        row = peek(ctl, ROWS) + 16 * workers * peek(ctl, ROW)
        if next_run(row, 0, workers) >= 0:
            return row
        poke(ctl, ROW, peek(ctl, ROW) + 1)
    return 0


def make(wide: bool) -> Any:
    """The kernels `rounds` and `offer`, for states of one word or of several."""
    insert = insert_wide if wide else insert_narrow

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
    def post(ctl, fill):  # type: ignore[no-untyped-def]
        """Put the batch's entries into the mailboxes of their owners."""
        words = peek(ctl, WORDS)
        workers = peek(ctl, WORKERS)
        hashes = peek(ctl, HASHES)
        states = peek(ctl, STATES)
        ends = peek(ctl, ENDS)
        for k in range(fill):
            hashed = load(hashes, k)
            owner = high_product(hashed, workers)
            end = peek(ends, owner)
            if wide:
                copy(states + 8 * words * k, end, words)
                poke(ends, owner, end + 8 * words)
            else:
                store(end, 0, hashed)
                poke(ends, owner, end + 8)

    @njit
    def settle(ctl, fill):  # type: ignore[no-untyped-def]
        """Bring a batch to where it belongs. A status."""
        if peek(ctl, CANONICAL) != 0:
            canonicalise(ctl, fill)
        if peek(ctl, WORKERS) > 1:
            post(ctl, fill)
            return DONE
        return insert(ctl, peek(ctl, HASHES), peek(ctl, STATES), fill)

    @njit
    def posted(ctl, target):  # type: ignore[no-untyped-def]
        """How many states this worker has put into its mailbox for another in this round."""
        words = peek(ctl, WORDS) if wide else 1
        box = mailbox(ctl, peek(ctl, WORKER), target, peek(ctl, ROUND))
        return (peek(peek(ctl, ENDS), target) - box - 8) // (8 * words)

    @njit
    def fullest(ctl):  # type: ignore[no-untyped-def]
        """How many states the fullest of this worker's mailboxes holds."""
        most = 0
        for target in range(peek(ctl, WORKERS)):
            most = max(most, posted(ctl, target))
        return most

    @njit
    def open_mailboxes(ctl):  # type: ignore[no-untyped-def]
        """Begin a round's mailboxes."""
        for target in range(peek(ctl, WORKERS)):
            box = mailbox(ctl, peek(ctl, WORKER), target, peek(ctl, ROUND))
            poke(peek(ctl, ENDS), target, box + 8)

    @njit
    def close_mailboxes(ctl):  # type: ignore[no-untyped-def]
        """Write what a round's mailboxes hold where their readers look."""
        for target in range(peek(ctl, WORKERS)):
            box = mailbox(ctl, peek(ctl, WORKER), target, peek(ctl, ROUND))
            poke(box, 0, posted(ctl, target))

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
        row = int64(0)
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
        while left > 0:
            if cursor == last:
                row = current_row(ctl)
                if row == 0:
                    break
                peer = next_run(row, peer, workers)
                arena = peek(peek(peers, peer), ARENA)
                cursor = peek(row, 2 * peer)
                last = min(peek(row, 2 * peer + 1), cursor + chunk)
            state = arena + 8 * words * cursor
            count = call5(function, state, raw, limit, coverage, trap)
            if count < 0:
                status = NEED_ROOM
                poke(ctl, CURRENT, state)
                break
            cursor += 1
            left -= 1
            poke(row, 2 * peer, cursor)
            if steps or count == 0 or peek(ctl, TRAP) != 0:
                note(ctl, state, count)
            if wide:
                fill = sift(filter_, bits, raw, count, state, hashes, fill, states, words)
            else:
                fill = sift_narrow(filter_, bits, raw, count, state, hashes, fill)
            if fill >= BATCH:
                status = settle(ctl, fill)
                fill = 0
                if status != DONE or (workers > 1 and fullest(ctl) > most):
                    break
        if fill > 0 and status in (DONE, NEED_ROOM):
            settled = settle(ctl, fill)
            if settled != DONE:
                status = settled
        if status == DONE and current_row(ctl) != 0:
            status = MORE
        return status

    @njit
    def take_in(ctl, box):  # type: ignore[no-untyped-def]
        """Add those states of a mailbox that are new. A status."""
        filled = peek(box, 0)
        if not wide:
            return insert(ctl, box + 8, box + 8, filled)
        words = peek(ctl, WORDS)
        hashes = peek(ctl, HASHES)
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
    def receive(ctl, number):  # type: ignore[no-untyped-def]
        """Take in what all found for this worker in a round. A status."""
        for sender in range(peek(ctl, WORKERS)):
            status = take_in(ctl, mailbox(ctl, sender, peek(ctl, WORKER), number))
            if status != DONE:
                return status
            poke(peek(ctl, RUNS), peek(ctl, RUN_COUNT), peek(ctl, COUNT))
            poke(ctl, RUN_COUNT, peek(ctl, RUN_COUNT) + 1)
        return DONE

    @njit
    def take_part(ctl, before):  # type: ignore[no-untyped-def]
        """A worker's own part of a round, given its status before. Returns the status now."""
        poke(ctl, ROUND, peek(ctl, ROUND) + 1)
        number = peek(ctl, ROUND)
        open_mailboxes(ctl)
        status = expand(ctl) if before <= MORE else before
        close_mailboxes(ctl)
        mine = 8 * peek(ctl, WORKER)
        release(peek(ctl, SHARED), mine + SHARED_STATUS + number % PHASES, status)
        release(peek(ctl, SHARED), mine + SHARED_ARRIVED, number)
        return status

    @njit
    def conclude(ctl, number):  # type: ignore[no-untyped-def]
        """Take in what a round found, once all have had their parts of it. The worst status."""
        if not wait(ctl, number):
            return STOPPED
        worst = DONE
        for other in range(peek(ctl, WORKERS)):
            status = acquire(peek(ctl, SHARED), 8 * other + SHARED_STATUS + number % PHASES)
            worst = max(worst, status)
        received = receive(ctl, number)
        if received != DONE:
            release(peek(ctl, SHARED), SHARED_STOP, 1)
            return received
        return worst

    @njit
    def rounds(ctl, number, unused):  # type: ignore[no-untyped-def]
        """Expand for at most `number` rounds; several workers call this at once. A status."""
        if peek(ctl, WORKERS) == 1:
            return expand(ctl)
        status = take_part(ctl, MORE)
        worst = MORE
        while number > 1 and worst == MORE:
            number -= 1
            status = take_part(ctl, status)
            worst = conclude(ctl, peek(ctl, ROUND) - 1)
        if worst <= NEED_ROOM:
            worst = conclude(ctl, peek(ctl, ROUND))
        if worst == DONE or worst > NEED_ROOM:
            return worst
        return max(status, MORE)

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

"""Filters: of the successors of a state, those that this worker has not found a moment ago.

A filter holds recent successors, each at the place its hash gives. It only spares work: what it
forgets is looked up in the visited set.

A narrow filter holds hashes, of which none is zero, so an empty one has seen nothing. A wide one
holds states, and zero is a state: `prepare` sees to it that it has not been seen either.
"""

from __future__ import annotations

from numba import int64, njit, uint64

from .hashing import hash_words, mix
from .intrinsics import load, signed, store


@njit
def prepare(filter_, bits, scratch, words):  # type: ignore[no-untyped-def]
    """At the place of the state of zeros in an empty wide filter, put one that belongs elsewhere.

    `scratch` has room for a state.
    """
    for i in range(words):
        store(scratch, i, uint64(0))
    line = hash_words(scratch, words) >> uint64(64 - bits)
    other = line
    number = uint64(0)
    while other == line:
        number += uint64(1)
        store(scratch, 0, number)
        other = hash_words(scratch, words) >> uint64(64 - bits)
    store(filter_, words * signed(line), number)


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

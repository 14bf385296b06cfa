"""Hashes of packed states.

A state of one word is hashed by a bijection of 64-bit words, so its hash stands for it exactly. The
place in a table is the upper part of the hash: the order of entries is that of their hashes, which
lets a table grow in place in one sweep.
"""

from __future__ import annotations

from numba import njit, uint64

from .intrinsics import fold, load, unsigned

# Odd multipliers (those of the finaliser of splitmix64, whose avalanche is well tested) and their
# inverses modulo 2**64.
_A = 0xBF58476D1CE4E5B9
_B = 0x94D049BB133111EB
_A_INVERSE = pow(_A, -1, 1 << 64)
_B_INVERSE = pow(_B, -1, 1 << 64)


def _scramble(word: int) -> int:
    mask = (1 << 64) - 1
    word = word * _A & mask
    word ^= word >> 32
    return word * _B & mask


# All ones is no state, so its hash is free: exclusive-or with it makes zero the empty slot.
_EMPTY = _scramble((1 << 64) - 1)


@njit
def mix(word):  # type: ignore[no-untyped-def]
    """The hash of a state of one word; never zero."""
    word = word * uint64(_A)
    word = word ^ (word >> uint64(32))
    return (word * uint64(_B)) ^ uint64(_EMPTY)


@njit
def unmix(hashed):  # type: ignore[no-untyped-def]
    """The state of a hash."""
    word = (hashed ^ uint64(_EMPTY)) * uint64(_B_INVERSE)
    word = word ^ (word >> uint64(32))
    return word * uint64(_A_INVERSE)


@njit
def hash_words(state, words):  # type: ignore[no-untyped-def]
    """The hash of a state of several words at an address: a product of 128 bits for two words."""
    # A factor that is zero would make the others mean nothing: each is spread by a constant.
    hashed = uint64(_B) + unsigned(words)
    i = 0
    while i + 1 < words:
        hashed = fold(load(state, i) ^ uint64(_A), load(state, i + 1) ^ hashed)
        i += 2
    if i < words:
        hashed = fold(load(state, i) ^ uint64(_A), hashed ^ uint64(_A_INVERSE))
    return fold(hashed ^ uint64(_B), uint64(_B_INVERSE))

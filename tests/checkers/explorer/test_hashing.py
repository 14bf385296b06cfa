"""The hash of wide states: it spreads states that differ little, in all the bits that are used."""

import ctypes
import itertools
import math

import pytest

from quorate.checkers.explorer.kernels.hashing import hash_words

MASK = (1 << 64) - 1


def _hash(state: tuple[int, ...]) -> int:
    words = (ctypes.c_uint64 * len(state))(*state)
    return int(hash_words(ctypes.addressof(words), len(state))) & MASK


@pytest.mark.parametrize("words", [2, 3, 4, 5])
@pytest.mark.parametrize("shift", [0, 24, 52])
def test_states_that_differ_in_a_few_bits_are_spread(words: int, shift: int) -> None:
    # Every word is 0, 1, 2, ...: what packed states look like. The rest of the words are alike.
    values = range(round(4096 ** (1 / words)))
    states = [tuple(v << shift for v in state) for state in itertools.product(values, repeat=words)]
    hashes = [_hash(state) for state in states]
    assert len(set(hashes)) == len(states)
    # The upper bits are the place in a table, the lower ones the tag.
    at_random = 4096 * (1 - math.exp(-len(states) / 4096))
    assert len({h >> 52 for h in hashes}) > 0.92 * at_random
    assert len({h & 0xFFF for h in hashes}) > 0.92 * at_random


def test_the_order_of_words_matters() -> None:
    assert len({_hash(state) for state in itertools.permutations((1, 2, 3, 4))}) == 24
    assert _hash((0, 0)) != _hash((0, 0, 0))

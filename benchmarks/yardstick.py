"""The yardstick: a search of two-phase commit written by hand, as fast as we can make it.

The state is packed by hand, the step is coded by hand and inlined into the search, self-loops are
counted without being made, memory is laid out beforehand for the number of states that is known to
come. It checks nothing, keeps no coverage and has no limits: it is what the explorer, which is told
all of this by a spec, is measured against.

A state, from the lowest bit, `n` bits each: two planes of `rmState` (working 00, prepared 01,
committed 10, aborted 11), `tmPrepared`, the Prepared messages; then two bits of `tmState` (init,
committed, aborted), and the messages Commit and Abort.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numba import cfunc, int64, njit, types, uint64

from ..checkers.explorer.kernels.hashing import mix, unmix
from ..checkers.explorer.kernels.intrinsics import (
    count_ones,
    high_product,
    load,
    lowest,
    matches,
    poke,
    prefetch,
    signed,
    store,
)
from ..checkers.explorer.memory import Region

_BATCH = 1024
_AHEAD = 24
_FILTER_BITS = 14
_LOAD = 0.6  # entries a slot of the table, at the end


@njit(inline="always")
def _push(filter_, hashes, fill, state):  # type: ignore[no-untyped-def]
    """Append a successor unless the filter has seen it lately."""
    hashed = mix(state)
    line = signed(hashed >> uint64(64 - _FILTER_BITS))
    seen = load(filter_, line)
    store(filter_, line, hashed)
    store(hashes, fill, hashed)
    return fill + int64(seen != hashed)


@njit
def _insert(table, buckets, hashes, fill, arena, count):  # type: ignore[no-untyped-def]
    """Add the new states of a batch to the table and the arena; the new count."""
    for k in range(min(fill, _AHEAD)):
        prefetch(table, 8 * high_product(load(hashes, k), buckets))
    for k in range(fill):
        if k + _AHEAD < fill:
            prefetch(table, 8 * high_product(load(hashes, k + _AHEAD), buckets))
        hashed = load(hashes, k)
        bucket = high_product(hashed, buckets)
        known = matches(table, bucket, hashed)
        free = matches(table, bucket, uint64(0))
        while known == 0 and free == 0:
            bucket += 1
            known = matches(table, bucket, hashed)
            free = matches(table, bucket, uint64(0))
        if known == 0:
            store(table, 8 * bucket + lowest(free), hashed)
            store(arena, count, unmix(hashed))
            count += 1
    return count


@lru_cache
def _kernel(n: int) -> Any:
    """The search for `n` resource managers, as a C function of addresses."""
    every = (1 << n) - 1
    tm, commit, abort = 4 * n, 4 * n + 2, 4 * n + 3
    committed = (1 << tm) | (1 << commit)
    aborted = (2 << tm) | (1 << abort)

    @njit(inline="always")
    def expand(state, filter_, hashes, fill):  # type: ignore[no-untyped-def]
        """Push the successors; the new fill and the number of enabled transitions."""
        low = state & uint64(every)
        high = (state >> uint64(n)) & uint64(every)
        heard = (state >> uint64(2 * n)) & uint64(every)
        sent = (state >> uint64(3 * n)) & uint64(every)
        working = ~(low | high) & uint64(every)
        generated = 2 * count_ones(working)
        if (state >> uint64(tm)) & uint64(3) == uint64(0):
            generated += count_ones(sent) + 1
            rest = sent & ~heard
            while rest != uint64(0):
                one = rest & (~rest + uint64(1))
                rest = rest ^ one
                fill = _push(filter_, hashes, fill, state | (one << uint64(2 * n)))
            if heard == uint64(every):
                generated += 1
                fill = _push(filter_, hashes, fill, state | uint64(committed))
            fill = _push(filter_, hashes, fill, state | uint64(aborted))
        while working != uint64(0):
            one = working & (~working + uint64(1))
            working = working ^ one
            fill = _push(filter_, hashes, fill, state | one | (one << uint64(3 * n)))
            fill = _push(filter_, hashes, fill, state | one | (one << uint64(n)))
        if (state >> uint64(commit)) & uint64(1) != uint64(0):
            generated += n
            rest = ~(high & ~low) & uint64(every)
            while rest != uint64(0):
                one = rest & (~rest + uint64(1))
                rest = rest ^ one
                fill = _push(filter_, hashes, fill, (state & ~one) | (one << uint64(n)))
        if (state >> uint64(abort)) & uint64(1) != uint64(0):
            generated += n
            rest = ~(high & low) & uint64(every)
            while rest != uint64(0):
                one = rest & (~rest + uint64(1))
                rest = rest ^ one
                fill = _push(filter_, hashes, fill, state | one | (one << uint64(n)))
        return fill, generated

    word = types.int64

    @cfunc(word(word, word, word, word, word, word))
    def search(table, buckets, arena, filter_, hashes, figures):  # type: ignore[no-untyped-def]
        store(hashes, 0, mix(uint64(0)))
        count = _insert(table, buckets, hashes, 1, arena, 0)
        generated = 1
        depth = 0
        cursor = 0
        while cursor < count:
            depth += 1
            end = count
            fill = 0
            while cursor < end:
                fill, taken = expand(load(arena, cursor), filter_, hashes, fill)
                generated += taken
                cursor += 1
                if fill >= _BATCH:
                    count = _insert(table, buckets, hashes, fill, arena, count)
                    fill = 0
            count = _insert(table, buckets, hashes, fill, arena, count)
        poke(figures, 0, generated)
        poke(figures, 1, depth)
        return count

    return search


@dataclass(frozen=True)
class Run:
    """Figures of one run; `memory_bytes` is table and arena."""

    distinct: int
    generated: int
    depth: int
    seconds: float
    memory_bytes: int


def run(rms: int, states: int) -> Run:
    """Search once, with room for a known number of states."""
    search = _kernel(rms)
    buckets = int(states / _LOAD) // 8 + 8
    figures = (ctypes.c_int64 * 2)()
    hashes = (ctypes.c_int64 * (_BATCH + 16 * rms))()
    filter_ = (ctypes.c_int64 * (1 << _FILTER_BITS))()
    started = time.perf_counter()
    table = Region(64 * (buckets + 1024), large_pages=True)
    arena = Region(8 * (states + 1), large_pages=True)
    count = search.ctypes(
        table.address,
        buckets,
        arena.address,
        ctypes.addressof(filter_),
        ctypes.addressof(hashes),
        ctypes.addressof(figures),
    )
    seconds = time.perf_counter() - started
    return Run(count, figures[0], figures[1], seconds, 64 * buckets + 8 * states)

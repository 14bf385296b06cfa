"""Workers: their memory, their control blocks, and running kernels on all of them at once."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import control as c
from .functions import Functions
from .machine import Kernel, load_kernels
from .memory import Region

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

RAW_LIMIT = 1024  # successors of a state, until a spec shows more
FILTER_BITS = 15  # of a filter's words: what half of a core's own cache holds
MOST_LEVELS = 1 << 10  # that end in one call of the kernels

Words = tuple[int, ...]


def _lines(words: int) -> tuple[ctypes.Array[ctypes.c_int64], int]:
    """Zeroed words on cache lines of their own, and their address.

    Two workers that write to one line, each to its own words, slow each other down. The processor
    fetches lines in pairs, hence 128 bytes.
    """
    buffer = (ctypes.c_int64 * (words + 32))()
    address = ctypes.addressof(buffer)
    return buffer, address + -address % 128


def index_bits(states: int) -> int:
    """Bits for the number of a state, from 1 on, in the entries of wide tables."""
    return states.bit_length()


class Worker:
    """One worker: `worker[FIELD]` reads and sets its control block."""

    def __init__(self, functions: Functions, number: int, workers: int, budget: int) -> None:
        words = functions.words
        self._block, self.address = _lines(c.FIELDS)
        self._words = words
        self._actions = functions.actions
        self._keep: dict[int, ctypes.Array[ctypes.c_int64]] = {}
        self.levels: list[int] = [0]  # where each level begins in the arena
        self[c.WORKER], self[c.WORKERS], self[c.WORDS] = number, workers, words
        self.arena = Region(budget, large_pages=True)
        self.table = Region(budget + 64 * (c.FIRST_BUCKETS + c.PAD), large_pages=True)
        self[c.ARENA] = self.arena.address
        self[c.LIMIT] = self.arena_states = self.arena.size // (8 * words)
        self[c.TABLE] = self.table.address
        self[c.RESERVED_BUCKETS] = self.table.size // 64
        self[c.BUCKETS] = c.FIRST_BUCKETS
        self[c.GROW_AT] = c.FIRST_BUCKETS * c.FULL // 16
        self[c.BYTES_LIMIT] = budget
        self._buffer(c.SIDE, 8 * c.SIDE_BUCKETS)
        self._buffer(c.COUNTS, c.COUNTED)
        self._buffer(c.LEVEL_ENDS, MOST_LEVELS)
        self._buffer(c.ADDED, workers)
        self._buffer(c.ALLOWED, workers)
        self._words_of(c.ALLOWED, workers)[:] = [self[c.GROW_AT] // workers] * workers
        self[c.INDEX_SHIFT] = (workers - 1).bit_length()
        self[c.INDEX_BITS] = index_bits(self.arena_states << self[c.INDEX_SHIFT])
        self._buffer(c.SCRATCH, 4 * words)
        self[c.FILTER_BITS] = max(1, FILTER_BITS - (words - 1).bit_length())
        self._buffer(c.FILTER, words << self[c.FILTER_BITS])
        self._buffer(c.TARGET, words)
        self._buffer(c.COVERAGE, max(functions.actions, 1))
        self.make_room(RAW_LIMIT)
        self[c.EXPAND] = functions.expand
        self[c.CONSTRAINT] = functions.constraint
        self[c.CANONICAL] = functions.canonical
        self[c.STEPS] = functions.steps
        self[c.PREDICATES] = functions.predicates
        self[c.PREDICATE_COUNT] = functions.predicate_count
        self[c.STEP_COUNT] = functions.step_count
        self._findings = {
            c.FOUND_PREDICATES: functions.predicate_count,
            c.FOUND_STEPS: functions.step_count,
            c.FOUND_REFINEMENTS: len(functions.refinements),
            c.FOUND_OTHER: c.OTHERS,
        }
        for table, count in self._findings.items():
            self._buffer(table, c.finding_words(words) * max(count, 1))
        self._refinements(functions)

    def __getitem__(self, field: int) -> int:
        return self._at(self.address, field)

    def __setitem__(self, field: int, value: int) -> None:
        ctypes.c_int64.from_address(self.address + 8 * field).value = value

    def _buffer(self, field: int, words: int) -> None:
        self._keep[field], self[field] = _lines(words)

    def _words_of(self, field: int, words: int) -> ctypes.Array[ctypes.c_int64]:
        return (ctypes.c_int64 * words).from_address(self[field])

    def _refinements(self, functions: Functions) -> None:
        table = (ctypes.c_int64 * (c.REFINEMENT_FIELDS * max(len(functions.refinements), 1)))()
        self._keep[c.REFINEMENT_TABLE] = table
        self[c.REFINEMENT_TABLE] = ctypes.addressof(table)
        for number, item in enumerate(functions.refinements):
            base = number * c.REFINEMENT_FIELDS
            for field, words in (
                (c.REFINEMENT_BEFORE, item.words),
                (c.REFINEMENT_AFTER, item.words),
                (c.REFINEMENT_RAW, item.words * RAW_LIMIT * 16),
                (c.REFINEMENT_COVERAGE, item.actions),
            ):
                buffer = (ctypes.c_int64 * max(words, 1))()
                self._keep[-1 - base - field] = buffer
                table[base + field] = ctypes.addressof(buffer)
            table[base + c.REFINEMENT_RAW_LIMIT] = RAW_LIMIT * 16
            table[base + c.REFINEMENT_ABSTRACT] = item.abstract
            table[base + c.REFINEMENT_EXPAND] = item.expand
            table[base + c.REFINEMENT_WORDS] = item.words

    def refinement_overflowed(self, number: int) -> bool:
        """Whether an abstract state had more successors than there is room for."""
        address = self[c.REFINEMENT_TABLE] + 8 * c.REFINEMENT_FIELDS * number
        return self._at(address, c.REFINEMENT_FULL) != 0

    @staticmethod
    def _at(address: int, index: int) -> int:
        return ctypes.c_int64.from_address(address + 8 * index).value

    def left(self) -> int:
        """About how many states of the level are left of this worker's."""
        size, claims = 8 * self._words, self.line(c.CLAIMS)
        chunks = claims[c.CLAIMS_CHUNKS]
        first = chunks >> c.CHUNK_BITS
        behind = chunks & ((1 << c.CHUNK_BITS) - 1)
        in_hand = (self[c.LAST] - self[c.CURSOR]) // size
        return in_hand + (behind - first) * claims[c.CLAIMS_SIZE] // size

    def line(self, kind: int) -> ctypes.Array[ctypes.c_int64]:
        """A line of this worker's that all share."""
        number = c.LINES * self[c.WORKER] + kind
        return (ctypes.c_int64 * c.LINE).from_address(self[c.SHARED] + 8 * c.LINE * number)

    def gather_levels(self) -> None:
        """Take over where levels ended in the last call."""
        self.levels += self._words_of(c.LEVEL_ENDS, self[c.LEVEL_COUNT])
        self[c.LEVEL_COUNT] = 0

    def forget_findings(self) -> None:
        """Make place for what is found from now on."""
        for table, count in self._findings.items():
            for number in range(count):
                address = self[table] + 8 * c.finding_words(self._words) * number
                ctypes.c_int64.from_address(address).value = 0

    def make_room(self, successors: int) -> None:
        """Room for that many successors of one state."""
        self[c.RAW_LIMIT] = successors
        self._buffer(c.RAW, successors * self._words)
        self._buffer(c.HASHES, successors + c.BATCH)
        self._buffer(c.STATES, (successors + c.BATCH) * self._words if self._words > 1 else 1)

    def words_at(self, address: int) -> Words:
        """A packed state at an address."""
        return tuple((ctypes.c_uint64 * self._words).from_address(address))

    def put(self, address: int, state: Words) -> None:
        """Store a packed state at an address."""
        (ctypes.c_uint64 * self._words).from_address(address)[:] = list(state)

    def state(self, position: int) -> Words:
        """A state of the arena."""
        return self.words_at(self[c.ARENA] + 8 * self._words * position)

    def range(self, level: int) -> tuple[int, int]:
        """Where the states of a level (the first being 1) are in the arena."""
        end = self.levels[level] if level < len(self.levels) else self[c.COUNT]
        return self.levels[level - 1], end

    def finding(self, table: int, number: int) -> tuple[int, Words, Words] | None:
        """Trap site and states of a finding; None where nothing was found."""
        address = self[table] + 8 * c.finding_words(self._words) * number
        if not self._at(address, 0):
            return None
        first = address + 16
        second = first + 8 * self._words
        return self._at(address, 1), self.words_at(first), self.words_at(second)

    def coverage(self) -> list[int]:
        """Transitions taken, by action."""
        return list((ctypes.c_int64 * self._actions).from_address(self[c.COVERAGE]))

    def bytes(self) -> int:
        """Memory in use: visited set, arena and buffers."""
        buffers = sum(map(ctypes.sizeof, self._keep.values()))
        table = 64 * (self[c.BUCKETS] + c.PAD)
        return table + 8 * self._words * self[c.COUNT] + buffers


class Crew:
    """All workers of a search. The caller's thread is the first of them."""

    def __init__(self, functions: Functions, workers: int, budget: int) -> None:
        self.functions = functions
        self.kernels: dict[str, Kernel] = load_kernels(functions.words > 1)
        self.workers = [Worker(functions, i, workers, budget // workers) for i in range(workers)]
        self._pool = _threads(workers - 1) if workers > 1 else None
        self._shared, shared = _lines(c.LINE * (c.LINES * workers + 1))
        self._peers = (ctypes.c_int64 * workers)(*(w.address for w in self.workers))
        for worker in self.workers:
            worker[c.SHARED] = shared
            worker[c.PEERS] = ctypes.addressof(self._peers)
            worker[c.YIELD] = _sched_yield()
            tables = worker.line(c.TABLES)
            tables[c.TABLES_TABLE] = worker[c.TABLE]
            tables[c.TABLES_BUCKETS] = worker[c.BUCKETS]
            tables[c.TABLES_GROW_AT] = worker[c.GROW_AT]
            tables[c.TABLES_ARENA] = worker[c.ARENA]

    def run(self, kernel: str, arguments: Sequence[tuple[int, int]]) -> list[int]:
        """Run a kernel on every worker, each with its two numbers; their results."""
        function = self.kernels[kernel]
        futures: list[Future[int]] = []
        try:
            if self._pool is not None:
                for worker, (a, b) in zip(self.workers[1:], arguments[1:], strict=True):
                    futures.append(self._pool.submit(function, worker.address, a, b))
            first = function(self.workers[0].address, *arguments[0])
            return [first, *(future.result() for future in futures)]
        except BaseException:
            self.stop()
            for future in futures:
                future.result()
            raise

    def run_alike(self, kernel: str, a: int = 0, b: int = 0) -> list[int]:
        """`run` with the same numbers for all."""
        return self.run(kernel, [(a, b)] * len(self.workers))

    def advance(self, states: int, levels: int) -> int:
        """Expand about so many states a worker, or until so many levels have begun. A status."""
        for worker in self.workers:
            worker[c.LEVEL_LIMIT] = min(levels, MOST_LEVELS)
        try:
            return max(self.run_alike("advance", states))
        finally:
            for worker in self.workers:
                worker.gather_levels()

    def stop(self) -> None:
        """Tell workers that wait for each other to return."""
        common = self.workers[0][c.SHARED] + 8 * c.LINE * c.LINES * len(self.workers)
        ctypes.c_int64.from_address(common + 8 * c.SHARED_STOP).value = 1

    def make_room(self) -> None:
        """Four times the room for the successors of a state, on every worker.

        The call that found too little room has counted some of the transitions: they are taken off
        the coverage by repeating it on its own.
        """
        for worker in self.workers:
            _take_back(worker, self.functions)
            worker[c.CURRENT] = 0
            worker.make_room(4 * worker[c.RAW_LIMIT])

    def close(self) -> None:
        """Let the threads go."""
        self.stop()
        if self._pool is not None:
            self._pool.shutdown()


def _threads(count: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # only several workers pay for it

    return ThreadPoolExecutor(count)


EXPAND = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)


def _take_back(worker: Worker, functions: Functions) -> None:
    state = worker[c.CURRENT]
    if state == 0:
        return
    coverage = (ctypes.c_int64 * max(functions.actions, 1))()
    trap = ctypes.c_int64(0)
    count = EXPAND(functions.expand)(
        state,
        worker[c.RAW],
        worker[c.RAW_LIMIT],
        ctypes.addressof(coverage),
        ctypes.addressof(trap),
    )
    assert count < 0, "a state with too many successors has fewer of them the second time"
    total = (ctypes.c_int64 * len(coverage)).from_address(worker[c.COVERAGE])
    for action, taken in enumerate(coverage):
        total[action] -= taken


def _sched_yield() -> int:
    function = ctypes.CDLL(None).sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)

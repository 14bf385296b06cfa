"""The block of words through which Python and the kernels talk: one a worker.

A field is an index of an int64. Addresses are as the C functions of the native ABI take them.
Kernels read settings, and write counters back, here; nothing is passed any other way.
"""

from __future__ import annotations

# Who works, and on states of how many words.
WORKER = 0
WORKERS = 1
WORDS = 2

# The arena: the states this worker found, in order. Positions count states.
ARENA = 8
COUNT = 9
LIMIT = 10  # no more states than this
LEFT = 11  # states that it may still expand in this call
CURRENT = 12  # address of the state with too many successors

# The chunk of states in hand: addresses.
CURSOR = 13  # the next
LAST = 14  # behind the last

# The visited set: each worker owns a table, an open-addressing one of words; all add to all.
TABLE = 16
BUCKETS = 17  # buckets that a hash can point to
GROW_AT = 18  # the count of entries at which the table grows
SIDE = 19  # room for the entries that growing sets aside
BYTES_LIMIT = 20  # what table and arena together may take
RESERVED_BUCKETS = 21  # buckets of the reservation
COUNTS = 22  # how full each of COUNTED buckets is, while growing

# Batches: successors that wait for their slot to arrive from memory.
RAW = 24  # successors of one state
RAW_LIMIT = 25
HASHES = 26
STATES = 27  # wide states of the batch
SCRATCH = 28  # a few states' worth of words
TRAP = 29  # the trap site of the last call
FILTER = 30  # recent successors, each at the place its hash gives
FILTER_BITS = 31

# The spec's functions; 0 where there is none.
EXPAND = 32
CONSTRAINT = 33
CANONICAL = 34
STEPS = 35
PREDICATES = 36
EXPAND_SOME = 37  # restricted to the actions of one always-possible property

# What is looked for, as masks over predicates and step properties.
ALWAYS_MASK = 40
SOMETIMES_MASK = 41
STEP_MASK = 42
DEADLOCK = 43  # 1: a state without an enabled transition is a finding
REFINEMENTS = 44  # how many
REFINEMENT_TABLE = 45  # REFINEMENT_FIELDS words each

# What was found: candidates of FINDING_WORDS(words) words each.
FOUND_PREDICATES = 48  # one a predicate
FOUND_STEPS = 49  # one a step property
FOUND_REFINEMENTS = 50  # one a refinement
FOUND_OTHER = 51  # FOUND_DEADLOCK, FOUND_TRAP, ...

# Counters.
CUT = 57  # successors outside the constraint
COVERAGE = 58

# The batch that is being added: entries of HASHES (and STATES) from PENDING up to FILL.
PENDING = 59
FILL = 60

# How many properties there are, to see whether something was found.
PREDICATE_COUNT = 61
STEP_COUNT = 62

# Entries of a wide table.
INDEX_BITS = 63  # the lower bits, an index; those above are a tag
INDEX_SHIFT = 64  # of an index: the lower bits, which say in whose arena the state is

# Several workers.
SHARED = 65  # address of the lines that all share
YIELD = 66  # address of sched_yield
ROUND = 67  # how often the workers have met
ADDED = 68  # for each table, the entries that this worker has added to it
ALLOWED = 69  # for each table, the count in ADDED at which the workers have to look at it

# Levels.
OPEN = 70  # whether a level is being expanded; else the states after LEVEL_END are to be looked at
LEVEL_END = 71  # the position in the arena at which the last level ends
LEVEL_ENDS = 72  # the positions of those that ended in this call
LEVEL_COUNT = 73  # how many they are
LEVEL_LIMIT = 74  # and how many they may be

# The always-possible pass.
MARKS = 76  # one byte a slot of the table
PEERS = 77  # address of a table of all workers' control blocks

# Going back along a trace.
TARGET = 78  # address of the state whose predecessor is looked for

MOVED = 80  # eight words: the bucket being moved

FIELDS = 128

# What kernels return. Where workers differ, the greatest counts.
DONE = 0  # all states are expanded
MORE = 1  # not yet; call again
NEED_ROOM = 2  # a state has more successors than RAW holds
GROW = 3  # a table is full; between workers only
LEVEL = 4  # a level ended on which something was found, or LEVEL_LIMIT is reached; call again
OUT_OF_STATES = 5
OUT_OF_MEMORY = 6
STOPPED = 7  # another worker stopped, or Python said so
CROWDED = 8  # the hash does not spread these states: our bug

# What passes return in place of a count or a position.
NONE = -1
OVERFULL = -2  # a state has more successors than in the search: our bug

# Findings of FOUND_OTHER.
FOUND_DEADLOCK = 0
FOUND_TRAP = 1  # while expanding: the state before
FOUND_STATE_TRAP = 2  # while evaluating a predicate or the constraint: the state itself
FOUND_STEP_TRAP = 3  # while evaluating a step property or a refinement: both states
OTHERS = 4

# Constants of the visited set.
PAD = 1024  # buckets after the last that a hash points to: runs of full buckets end there
FAR = 512  # an entry this many buckets from its place makes the table grow
COUNTED = 4 * FAR  # entries of neighbouring buckets go to fewer buckets than this
SIDE_BUCKETS = 4 * FAR  # entries nearer to the start than this may have to be set aside in growing
FULL = 92  # sixteenths of an entry a bucket (of 8 * 16) at which the table grows
FIRST_BUCKETS = 1 << 11
CHUNK = 128  # states that a worker takes at once
BATCH = 1024  # successors of a batch before they are looked up
AHEAD = 24  # how many entries before its turn a bucket is asked for

REFINEMENT_FIELDS = 16
REFINEMENT_ABSTRACT = 0
REFINEMENT_EXPAND = 1
REFINEMENT_WORDS = 2
REFINEMENT_BEFORE = 3  # address of a packed abstract state
REFINEMENT_AFTER = 4
REFINEMENT_RAW = 5
REFINEMENT_RAW_LIMIT = 6
REFINEMENT_COVERAGE = 7  # where the abstract spec's coverage goes; nobody reads it
REFINEMENT_FULL = 8  # set where the abstract state had more successors than that

# Shared lines, of LINE words each: LINES for each worker, then one for all.
LINE = 16
LINES = 3
MEETING = 0  # where the worker is
CLAIMS = 1  # which states of its arena are still to be expanded
TABLES = 2  # its table and its arena, for all to read

MEETING_ARRIVED = 0  # the number of the last meeting that it has come to
MEETING_STATUS = 1  # two words: what it said in the last meetings

CLAIMS_CHUNKS = 0  # the chunks left: the number of the first, and of the one behind the last
CLAIMS_FIRST = 1  # address of the first state of chunk 0
CLAIMS_END = 2  # address behind the last state
CLAIMS_SIZE = 3  # bytes of a chunk
CHUNK_BITS = 32  # of a number in CLAIMS_CHUNKS

TABLES_TABLE = 0
TABLES_BUCKETS = 1
TABLES_GROW_AT = 2
TABLES_TOTAL = 3  # entries, when the workers last looked
TABLES_CROWDED = 4  # an entry lies far from its place: the table has to grow
TABLES_ARENA = 5

SHARED_STOP = 0  # of the line for all: non-zero stops all
SHARED_PAUSE = 1  # the number of the meeting that somebody waits in


def finding_words(words: int) -> int:
    """Words of a finding: a flag, a number (a trap site), and two states."""
    return 2 + 2 * words


LEAVE_OUT = 1 << 62
"""Added to the limit of `expand`: successors equal to the state are counted, not written."""

"""The block of words through which Python and the kernels talk: one a worker.

A field is an index of an int64. Addresses are as the C functions of the native ABI take them.
Kernels read settings, and write counters back, here; nothing is passed any other way.
"""

from __future__ import annotations

# Who works, and on states of how many words.
WORKER = 0
WORKERS = 1
WORDS = 2

# The arena: the states this worker owns, in order of discovery. Positions count states.
ARENA = 8
COUNT = 9
LIMIT = 10  # no more states than this
ROWS = 11  # what this worker is to expand: of each arena the next state and the end, row by row
CURRENT = 12  # address of the state with too many successors
QUANTUM = 13  # states expanded in a round at most
ROW = 14  # the row that is being expanded
ROW_COUNT = 15

# The visited set: an open-addressing table of words.
TABLE = 16
BUCKETS = 17  # buckets that a hash can point to
GROW_AT = 18  # the count of states at which the table grows
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
FILTER = 30  # recent successors, each at the place its hash gives
FILTER_BITS = 31
TRAP = 29  # the trap site of the last call

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

# Several workers.
SHARED = 64  # address of the shared words
MAILBOXES = 65  # address of the table of mailboxes
MAILBOX_LIMIT = 66  # states that a mailbox holds
YIELD = 67  # address of sched_yield
ROUND = 68
ENDS = 69  # addresses: where the next state goes in the mailbox for each worker
RUNS = 70  # positions in the arena: how far what each sent in each round goes
RUN_COUNT = 71

# The always-possible pass.
MARKS = 72  # one byte a slot of the table
PEERS = 73  # address of a table of all workers' control blocks

# Going back along a trace.
TARGET = 76  # address of the state whose predecessor is looked for

MOVED = 80  # eight words: the bucket being moved

FIELDS = 128

# Values of STATUS.
DONE = 0  # the level is complete
MORE = 1  # the level is not complete; call again
NEED_ROOM = 2  # a state has more successors than RAW holds
OUT_OF_STATES = 3
OUT_OF_MEMORY = 4
STOPPED = 5  # another worker stopped, or Python said so
CROWDED = 6  # the hash does not spread these states: our bug

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
CHUNK = 128  # states of one arena before those of the next are expanded
BATCH = 1024  # successors of a batch before they are looked up
PHASES = 4  # rounds whose mailboxes exist at once
AHEAD = 24  # how many entries before its turn a bucket is asked for
INDEX_BITS = 40  # of an entry of a wide table; the rest is a tag

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

# Shared words: a line of eight a worker, then flags.
SHARED_ARRIVED = 0
SHARED_STATUS = 1  # PHASES words: of the last rounds
SHARED_STOP = 5  # of worker 0's line: non-zero stops all


def finding_words(words: int) -> int:
    """Words of a finding: a flag, a number (a trap site), and two states."""
    return 2 + 2 * words


LEAVE_OUT = 1 << 62
"""Added to the limit of `expand`: successors equal to the state are counted, not written."""

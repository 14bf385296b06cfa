"""The state of a server (Figure 2, "State"), and the few ways in which all rules change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from .configuration import Configuration
from .effects import CancelTimer, Effect, Persist, ReadFailed, Send, SetTimer
from .events import Timer
from .log import RaftLog
from .messages import Entry, Message, Snapshot
from .options import Flaw, Options
from .records import CheckpointRecord, EntriesRecord, Record, TermRecord


class Role(Enum):
    """What a server takes itself for (5.1); the pre-candidate is that of 9.6."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre_candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


@dataclass
class Progress:
    """What a leader knows of one follower.

    Invariants: 1. 0 <= `match_index` < `next_index`. 2. `in_flight` has the last indexes of
    unanswered AppendEntries, ascending. 3. `offset` is set exactly while the follower gets the
    snapshot at `snapshot_index`.
    """

    next_index: int
    match_index: int = 0
    probing: bool = True
    """Whether it is unknown where the logs agree: one AppendEntries at a time until then."""
    in_flight: list[int] = field(default_factory=list)
    answered: bool = True
    """Whether it has answered since the last heartbeat: if not, what is in flight may be lost."""
    snapshot_index: int = 0
    offset: int | None = None
    round: int = 0
    """The last call for confirmation that it has answered."""
    promised_until: int = 0
    """Until when, by the leader's clock, it elects nobody (6.4.1)."""


@dataclass
class PendingRead:
    """A read that waits: for `index` to be known and applied, and for `round` to be confirmed."""

    index: int | None
    round: int
    confirmed_by: set[str]


@dataclass
class Arriving:
    """A snapshot of which some bytes have come."""

    source: tuple[str, int, int]
    """Who sends it, in which term, and its last index: others may write the same in other bytes."""
    data: bytearray


@dataclass
class Server:
    """One server. Rules live in the modules beside; they change this and ask for effects.

    Invariants: 1. `current_term` >= the term of every entry. 2. base of the log <= `last_applied`
    <= `commit_index` <= last entry. 3. `voted_for` changes only when `current_term` grows, or from
    None. 4. What `unsaved` marks is written before a message leaves. With flaws, none may hold.
    """

    name: str
    options: Options
    first_configuration: Configuration

    # Persistent
    current_term: int = 0
    voted_for: str | None = None
    log: RaftLog = field(default_factory=RaftLog)
    snapshot: Snapshot | None = None

    # Volatile, on all servers
    role: Role = Role.FOLLOWER
    leader: str | None = None
    commit_index: int = 0
    last_applied: int = 0
    sessions: dict[str, int] = field(default_factory=dict)
    now: int = 0
    quiet_until: int | None = None
    """NOTE(promise): having answered a leader, a server elects nobody until then, or until its own
    election timer runs out, which takes as long. A newer term, or a restart, is no reason to break
    the promise: a lease may rest on it."""
    arriving: Arriving | None = None

    # Volatile, on candidates
    votes: tuple[str, ...] = ()

    # Volatile, on leaders
    progress: dict[str, Progress] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    """Who has been heard from since the last QUORUM time-out."""
    round: int = 0
    round_began: dict[int, int] = field(default_factory=dict)
    reads: dict[int, PendingRead] = field(default_factory=dict)
    transferee: str | None = None
    lease_forfeited: bool = False
    """A TimeoutNow is or was on its way in this term: followers keep no promise to this leader."""

    # The step that is being taken
    unsaved: bool = False
    effects: list[Effect] = field(default_factory=list)

    def has_flaw(self, flaw: Flaw) -> bool:
        """Whether a known mistake is switched on."""
        return flaw in self.options.flaws

    @property
    def configuration(self) -> Configuration:
        """The configuration in force: the last in the log, committed or not (4.1)."""
        late = self.options.configuration_at_apply
        return self.configuration_at(self.last_applied if late else self.log.last_index)

    def configuration_at(self, index: int) -> Configuration:
        """The last configuration at or before an index that is not compacted."""
        for found, configuration in reversed(self.log.configurations):
            if found <= index:
                return configuration
        if self.snapshot is None or self.has_flaw(Flaw.SNAPSHOT_WITHOUT_CONFIGURATION):
            return self.first_configuration
        return self.snapshot.configuration

    @property
    def peers(self) -> tuple[str, ...]:
        """The other members, in order."""
        return tuple(sorted(self.configuration.members - {self.name}))

    @property
    def last_log_term(self) -> int:
        """The term of the last entry, as a candidate says it (5.4.1)."""
        empty = self.log.last_index == self.log.base_index
        if empty and self.has_flaw(Flaw.LAST_LOG_TERM_ZERO_AFTER_COMPACTION):
            return 0
        return self.log.last_term

    @property
    def has_own_term_commit(self) -> bool:
        """Whether an entry of the current term is committed: then all before are known to be."""
        return self.log.term_at(self.commit_index) == self.current_term

    def align_progress(self) -> None:
        """Keep `progress` for the other members exactly.

        To new ones, the entry by which they are members is sent first, so that they hear at once.
        """
        if self.role is not Role.LEADER:
            return
        peers, known = self.peers, self.progress
        if known.keys() != set(peers):
            last = self.log.last_index
            self.progress = {peer: known.get(peer) or Progress(last) for peer in peers}

    @property
    def hears_leader(self) -> bool:
        """Whether a leader was heard less than the shortest election time-out ago (4.2.3).

        See NOTE(promise).
        """
        return self.quiet_until is not None and self.now < self.quiet_until

    # Asking for effects

    def send(self, to: str, message: Message) -> None:
        """Send; what is durable by then includes everything so far."""
        self.flush()
        self.effects.append(Send(to, message))

    def set_timer(self, timer: Timer) -> None:
        """Start a timer anew."""
        self.effects.append(SetTimer(timer))

    def cancel_timer(self, timer: Timer) -> None:
        """Stop a timer."""
        self.effects.append(CancelTimer(timer))

    def flush(self) -> None:
        """Write currentTerm and votedFor if they changed."""
        if self.unsaved:
            self.unsaved = False
            self._persist(TermRecord(*self._term_and_vote(), self._durable_commit))

    def store(self, first: int, entries: Sequence[Entry]) -> None:
        """Put entries at `first` in place of what is there and behind; durable before any reply."""
        self.flush()
        self.log.replace_from(first, entries)
        forced = not self.has_flaw(Flaw.ACK_BEFORE_FSYNC)
        self._persist(EntriesRecord(first, tuple(entries)), forced=forced)

    def checkpoint(self, snapshot: Snapshot, log: RaftLog) -> None:
        """Put a snapshot and what follows it in place of the log."""
        self.snapshot = snapshot
        self.log = log
        self.unsaved = False
        term, vote = self._term_and_vote()
        self._persist(CheckpointRecord(term, vote, snapshot, log.entries, self._durable_commit))

    def commit_to(self, index: int) -> None:
        """Set commitIndex. A configuration that takes effect by that is not to be forgotten."""
        if self.options.configuration_at_apply and any(
            self.commit_index < found <= index for found, _ in self.log.configurations
        ):
            self.unsaved = True
        self.commit_index = index

    @property
    def _durable_commit(self) -> int:
        return self.commit_index if self.options.configuration_at_apply else 0

    def _persist(self, record: Record, *, forced: bool = True) -> None:
        self.effects.append(Persist(record, forced))

    def _term_and_vote(self) -> tuple[int, str | None]:
        lost = self.has_flaw(Flaw.VOTE_NOT_PERSISTED) or (
            self.has_flaw(Flaw.LEADER_SELF_VOTE_LOST) and self.voted_for == self.name
        )
        term = 0 if self.has_flaw(Flaw.TERM_NOT_PERSISTED) else self.current_term
        return term, None if lost else self.voted_for

    # Changing role and term

    def vote_for(self, candidate: str | None) -> None:
        """Set votedFor."""
        self.voted_for = candidate
        self.unsaved = True

    def see_term(self, term: int) -> None:
        """All servers: a term above currentTerm is taken, and makes a follower (5.1)."""
        if term <= self.current_term:
            return
        self.current_term = term
        self.unsaved = True
        if not self.has_flaw(Flaw.TERM_BUMP_KEEPS_VOTE):
            self.voted_for = None
        self.become_follower(None)

    def become_follower(self, leader: str | None) -> None:
        """Follow `leader`, or nobody yet, in the current term. votedFor stays as it is."""
        led = self.role is Role.LEADER
        self.role = Role.FOLLOWER
        self.leader = leader
        self.votes = ()
        if led:
            self._lead_no_more()

    def _lead_no_more(self) -> None:
        for timer in (Timer.HEARTBEAT, Timer.QUORUM, Timer.TRANSFER):
            self.cancel_timer(timer)
        self.set_timer(Timer.ELECTION)
        self.effects.extend(ReadFailed(number) for number in self.reads)
        self.reads = {}
        self.progress = {}
        self.active = set()
        self.round_began = {}
        self.transferee = None

"""Variants of the protocol, each off unless asked for, and its known mistakes as switches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reads(Enum):
    """How the leader answers a read without writing to its log (Ongaro's dissertation, 6.4).

    NONE: it does not; reads are commands like any other.
    READ_INDEX: a majority confirms that it still leads, after the read came (6.4).
    LEASE: a majority that answered lately elects nobody else for a while: clocks count (6.4.1).
    """

    NONE = "none"
    READ_INDEX = "read_index"
    LEASE = "lease"


class Membership(Enum):
    """How the set of servers changes: not at all, one server at a time (4.1), or jointly (4.3)."""

    NONE = "none"
    SINGLE = "single"
    JOINT = "joint"


class Flaw(Enum):
    """Known mistakes, for checking the checkers; the values are the names in specs and traces."""

    # Elections
    VOTE_NOT_PERSISTED = "vote_not_persisted"
    TERM_NOT_PERSISTED = "term_not_persisted"
    LEADER_SELF_VOTE_LOST = "leader_self_vote_lost"
    VOTE_NOT_RECORDED = "vote_not_recorded"
    STEPDOWN_SAME_TERM_CLEARS_VOTE = "stepdown_same_term_clears_vote"
    FOLLOWER_CLEARS_VOTE_ON_LEADER_DISCOVERY = "follower_clears_vote_on_leader_discovery"
    STALE_VOTE_REPLY_ACCEPTED = "stale_vote_reply_accepted"
    DUPLICATE_VOTES_COUNTED = "duplicate_votes_counted"
    MAJORITY_HALF = "majority_half"
    NO_UPTODATE_CHECK = "no_uptodate_check"
    UPTODATE_BY_LENGTH_ONLY = "uptodate_by_length_only"
    UPTODATE_BY_TERM_ONLY = "uptodate_by_term_only"
    TERM_BUMP_KEEPS_VOTE = "term_bump_keeps_vote"
    PREVOTE_REPLY_LOW_TERM_DROPPED = "prevote_reply_low_term_dropped"
    LEADER_GRANTS_PREVOTE = "leader_grants_prevote"
    LOW_PREVOTE_IGNORED = "low_prevote_ignored"  # shows with the first of these three only
    CANDIDATE_FORGETS_VOTE = "candidate_forgets_vote"  # harmless: a control

    # Replication and commitment
    COMMIT_ANY_TERM = "commit_any_term"
    TRUNCATE_UNCONDITIONALLY = "truncate_unconditionally"
    NO_PREVLOG_TERM_CHECK = "no_prevlog_term_check"
    COMMIT_MIN_OWN_LOG = "commit_min_own_log"
    COMMIT_NOT_MONOTONIC = "commit_not_monotonic"
    MATCH_NOT_MONOTONIC = "match_not_monotonic"
    ACK_OWN_LAST_INDEX = "ack_own_last_index"
    NACK_ADVANCES_MATCH = "nack_advances_match"
    STALE_TERM_APPEND_ACCEPTED = "stale_term_append_accepted"
    STALE_APPEND_REPLY_ACCEPTED = "stale_append_reply_accepted"
    ACK_BEFORE_FSYNC = "ack_before_fsync"
    COMMIT_SCAN_BREAKS_ON_OLD_TERM = "commit_scan_breaks_on_old_term"
    NEXT_LE_MATCH = "next_le_match"
    NO_CLIENT_DEDUP = "no_client_dedup"

    # Reads and leases; each shows with the option that it spoils
    LOCAL_READ_AT_LEADER = "local_read_at_leader"
    READINDEX_WITHOUT_CURRENT_TERM_COMMIT = "readindex_without_current_term_commit"
    READINDEX_ACK_REUSED = "readindex_ack_reused"
    READ_BEFORE_QUORUM_ACK = "read_before_quorum_ack"
    LEASE_IGNORES_SKEW = "lease_ignores_skew"
    LEASE_FROM_ACK_TIME = "lease_from_ack_time"
    NO_STICKINESS = "no_stickiness"

    # Membership; the second shows with `configuration_at_apply` only, the third in joint changes
    CONFIG_BEFORE_OWN_TERM_COMMIT = "config_before_own_term_commit"
    CONFIG_AT_APPLY_TIME_WITHOUT_GUARD = "config_at_apply_time_without_guard"
    JOINT_QUORUM_OVER_UNION = "joint_quorum_over_union"
    IDENTITY_REUSED_AFTER_WIPE = "identity_reused_after_wipe"
    PREMATURE_RETIREMENT = "premature_retirement"

    # Snapshots; the first two mask each other, as do "off by one" and "prev0"
    SNAPSHOT_DROPS_SUFFIX = "snapshot_drops_suffix"
    SNAPSHOT_IGNORES_COMMIT_CHECK = "snapshot_ignores_commit_check"
    SNAPSHOT_MOVES_COMMIT_BACK = "snapshot_moves_commit_back"
    SNAPSHOT_SETS_TERM = "snapshot_sets_term"
    SNAPSHOT_BOUNDARY_OFF_BY_ONE = "snapshot_boundary_off_by_one"
    PREV0_ALWAYS_MATCHES = "prev0_always_matches"
    SNAPSHOT_KEEPS_CONFLICT = "snapshot_keeps_conflict"
    LAST_LOG_TERM_ZERO_AFTER_COMPACTION = "last_log_term_zero_after_compaction"
    SNAPSHOT_WITHOUT_CONFIGURATION = "snapshot_without_configuration"  # shows with membership
    SNAPSHOT_WITHOUT_SESSIONS = "snapshot_without_sessions"  # shows with deduplication


@dataclass(frozen=True, kw_only=True)
class Options:
    """A variant; every server of a cluster must run the same one. The default is Figure 2.

    Times are in ticks of the driver's choice, those of `Clock`. Raises ValueError for values that
    make no sense, alone or together.
    """

    eager: bool = True
    """Send entries as soon as there are some; else only on `Replicate`, `Heartbeat`, time-outs."""
    max_batch: int = 64
    """Entries that one AppendEntries carries at most."""
    max_in_flight: int = 1
    """AppendEntries with entries to one follower that may be unanswered; above 1: pipelining."""
    conflict_hints: bool = False
    """A refusal says where the logs may agree, so that nextIndex skips whole terms (5.3)."""
    no_op: bool | None = None
    """A leader begins its term with an empty entry; by default, if reads or members need it."""
    deduplicate: bool = False
    """Apply a command once for each client and sequence number (section 8; dissertation 6.3)."""
    lazy_apply: bool = False
    """Apply committed entries only on `ApplyCommitted`; else as soon as they are committed."""
    pre_vote: bool = False
    """Ask whether an election could be won before beginning a term (dissertation 9.6)."""
    check_quorum: bool = False
    """A leader that hears from no majority for an election time-out steps down (6.2)."""
    stickiness: bool = False
    """Who hears from a leader takes part in no election (4.2.3). Use it with `check_quorum`."""
    reads: Reads = Reads.NONE
    election_timeout: int = 100
    """Ticks: the shortest time after which a driver lets an election timer run out."""
    clock_drift: int = 10
    """Ticks: how much less one clock may show than another over an election time-out."""
    membership: Membership = Membership.NONE
    configuration_at_apply: bool = False
    """A configuration counts once applied, not once in the log; and nobody campaigns between."""
    snapshot_chunk: int | None = None
    """Bytes of a snapshot that one InstallSnapshot carries at most; None: all of them."""
    flaws: frozenset[Flaw] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.max_batch < 1 or self.max_in_flight < 1:
            raise ValueError("max_batch and max_in_flight are at least 1")
        if self.snapshot_chunk is not None and self.snapshot_chunk < 1:
            raise ValueError("snapshot_chunk is at least 1")
        if not 0 <= self.clock_drift < self.election_timeout:
            raise ValueError("0 <= clock_drift < election_timeout")

    @property
    def appends_no_op(self) -> bool:
        """Whether a leader begins its term with an empty entry (6.4).

        Without one, neither a read nor a change of members is possible until a client has written.
        """
        if self.no_op is not None:
            return self.no_op
        return self.reads is not Reads.NONE or self.membership is not Membership.NONE

    @property
    def sticky(self) -> bool:
        """Whether votes are refused while a leader is heard from; a lease rests on that (6.4.1)."""
        if Flaw.NO_STICKINESS in self.flaws:
            return False
        return self.stickiness or self.reads is Reads.LEASE

    @property
    def strict(self) -> bool:
        """Whether messages that no correct server sends are refused.

        With a flaw they are the flaw's consequences, which somebody wants to see.
        """
        return not self.flaws

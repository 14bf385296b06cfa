"""Raft with all options in one spec."""

from __future__ import annotations

from ..raft_membership.spec import RaftMembership
from ..raft_prevote.spec import RaftPreVote
from ..raft_reads.spec import RaftReads
from ..raft_sessions.spec import RaftSessions
from ..raft_snapshots.spec import RaftSnapshots


class RaftFull(RaftMembership, RaftSnapshots, RaftReads, RaftSessions, RaftPreVote):
    """Figure 2, with membership changes, log compaction, reads, client sessions and PreVote.

    Each option is a layer that is read by itself, and refines the same steps and helpers of
    `Raft`; here they are all there, each off until its parameters switch it on: `check_quorum`,
    `pre_vote`, `max_executions`, `reads`, `max_compacted` and `max_transfers`, `majorities`. Off,
    they cost no state.
    """

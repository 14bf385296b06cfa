"""Raft with all options in one spec."""

from __future__ import annotations

from ..raft_membership.spec import RaftMembership
from ..raft_prevote.spec import RaftPreVote
from ..raft_reads.spec import RaftReads
from ..raft_snapshots.spec import RaftSnapshots


class RaftFull(RaftMembership, RaftSnapshots, RaftReads, RaftPreVote):
    """Figure 2, with membership changes, log compaction, linearizable reads and PreVote.

    Each option is a layer that is read by itself, and refines the same steps and helpers of
    `Raft`; here they are all there, each off until its parameters switch it on: `check_quorum`,
    `pre_vote`, `membership`, `max_compacted` and `max_transfers`, `reads`. Off, they cost no state.

    Client sessions (`raft_sessions`) are not among them: a snapshot would have to hold them.
    """

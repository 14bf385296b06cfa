"""Figure 3 under crashes, loss, duplication, reordering and partitions, in every variant."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.implementations.raft import Membership, Options, Reads
from quorate.tests.implementations.raft.simulation import Faults, World

# Without these, removed servers begin elections for ever (dissertation 4.2.3).
CALM: Any = {"check_quorum": True, "stickiness": True, "conflict_hints": True}

VARIANTS = {
    "figure 2": Options(),
    "paced": Options(max_batch=1),
    "pipelined": Options(max_in_flight=4, max_batch=2, conflict_hints=True),
    "pipelined without hints": Options(max_in_flight=4, max_batch=2),
    "hints": Options(conflict_hints=True, deduplicate=True),
    "pre-vote": Options(pre_vote=True),
    "check quorum": Options(pre_vote=True, check_quorum=True, stickiness=True),
    "read index": Options(reads=Reads.READ_INDEX, deduplicate=True),
    "lease": Options(reads=Reads.LEASE, check_quorum=True),
    "single": Options(membership=Membership.SINGLE, snapshot_chunk=3, **CALM),
    "single at apply": Options(membership=Membership.SINGLE, configuration_at_apply=True, **CALM),
    "joint": Options(membership=Membership.JOINT, snapshot_chunk=3, **CALM),
    "everything": Options(
        max_in_flight=3,
        max_batch=2,
        conflict_hints=True,
        deduplicate=True,
        pre_vote=True,
        check_quorum=True,
        stickiness=True,
        reads=Reads.LEASE,
        membership=Membership.JOINT,
        snapshot_chunk=7,
    ),
}


@pytest.mark.parametrize("servers", [3, 5])
@pytest.mark.parametrize("variant", VARIANTS)
def test_safety_under_faults_and_progress_without(variant: str, servers: int) -> None:
    options = VARIANTS[variant]
    spare = 0 if options.membership is Membership.NONE else 2
    for seed in range(4):
        world = World(seed, options, servers, Faults(), spare=spare)
        world.run(600)
        world.quiet()


@pytest.mark.parametrize("membership", [Membership.SINGLE, Membership.JOINT])
def test_removed_servers_disturb_and_do_no_harm(membership: Membership) -> None:
    options = Options(membership=membership, conflict_hints=True)
    for seed in range(6):
        World(seed, options, 4, Faults(), spare=2).run(600)


def test_everything_happens() -> None:
    """The runs above would prove little if they never came to a snapshot or a repetition."""
    seen = set()
    for seed in range(6):
        world = World(seed, VARIANTS["everything"], 5, Faults(), spare=2)
        world.run(800)
        seen |= world.seen
    assert seen >= {
        "crash",
        "apply",
        "restore",
        "read",
        "repetition",
        "configuration",
        "RequestVote",
        "RequestVoteReply",
        "AppendEntries",
        "AppendEntriesReply",
        "InstallSnapshot",
        "InstallSnapshotReply",
        "TimeoutNow",
    }


def test_same_seed_same_events() -> None:
    first = World(7, VARIANTS["everything"], 3, Faults())
    second = World(7, VARIANTS["everything"], 3, Faults())
    first.run(500)
    second.run(500)
    assert first.events == second.events

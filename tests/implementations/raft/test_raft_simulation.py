"""Figure 3 under crashes, loss, duplication, reordering and partitions, in every variant."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.implementations.raft import Flaw, Membership, Options, Reads
from quorate.tests.implementations.raft.simulation import Faults, World, flawed

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


TIMED = {name for name, options in VARIANTS.items() if options.reads is Reads.LEASE}


@pytest.mark.parametrize("servers", [3, 5])
@pytest.mark.parametrize("variant", VARIANTS)
def test_safety_under_faults_and_progress_without(variant: str, servers: int) -> None:
    options = VARIANTS[variant]
    spare = 0 if options.membership is Membership.NONE else 2
    for seed in range(3):
        world = World(seed, options, servers, Faults(), spare=spare)
        world.run(500)
        world.quiet()


@pytest.mark.parametrize("servers", [3, 4])
@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in TIMED])
def test_safety_whatever_the_order_and_progress_after(variant: str, servers: int) -> None:
    options = VARIANTS[variant]
    spare = 0 if options.membership is Membership.NONE else 2
    for seed in range(3):
        world = World(seed, options, servers, Faults(), spare=spare)
        world.chaos(600)
        world.quiet()


@pytest.mark.parametrize("variant", ["figure 2", "pipelined", "hints"])
def test_lost_messages_alone_stop_nobody_for_long(variant: str) -> None:
    for seed in range(8):
        world = World(seed, VARIANTS[variant], 3, Faults(0, 0, 0.05, 0, 0))
        world.run(150)
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


FOUND = [
    Flaw.VOTE_NOT_PERSISTED,
    Flaw.TERM_NOT_PERSISTED,
    Flaw.LEADER_SELF_VOTE_LOST,
    Flaw.FOLLOWER_CLEARS_VOTE_ON_LEADER_DISCOVERY,
    Flaw.VOTE_NOT_RECORDED,
    Flaw.MAJORITY_HALF,
    Flaw.NO_UPTODATE_CHECK,
    Flaw.UPTODATE_BY_TERM_ONLY,
    Flaw.TERM_BUMP_KEEPS_VOTE,
    Flaw.TRUNCATE_UNCONDITIONALLY,
    Flaw.NO_PREVLOG_TERM_CHECK,
    Flaw.COMMIT_NOT_MONOTONIC,
    Flaw.MATCH_NOT_MONOTONIC,
    Flaw.ACK_OWN_LAST_INDEX,
    Flaw.STALE_TERM_APPEND_ACCEPTED,
    Flaw.NEXT_LE_MATCH,
    Flaw.NO_CLIENT_DEDUP,
]


@pytest.mark.parametrize("flaw", FOUND, ids=lambda flaw: flaw.value)
def test_the_simulation_can_fail(flaw: Flaw) -> None:
    """It finds these within some seconds; the others need the scenarios, or an exploration."""
    options = flawed(flaw, deduplicate=True)
    servers = 4 if flaw is Flaw.MAJORITY_HALF else 3
    assert any(_goes_wrong(World(seed, options, servers, Faults())) for seed in range(30))


def _goes_wrong(world: World) -> bool:
    try:
        world.chaos(800)
        world.quiet()
    except AssertionError:
        return True
    return False

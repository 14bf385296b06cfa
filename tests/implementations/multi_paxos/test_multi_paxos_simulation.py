"""One log under loss, copies, reordering, crashes and lost disks; and that the test can fail."""

from __future__ import annotations

import pytest

from quorate.implementations.multi_paxos import Flaw, Noop, Options, ProtocolError
from quorate.tests.implementations.multi_paxos.multi_paxos_simulation import Faults, run

SEEDS = range(60)


@pytest.mark.parametrize("replicas", [1, 2, 3, 5])
def test_agreement_order_and_progress(replicas: int) -> None:
    for seed in SEEDS:
        run(seed, Options(), Faults(), replicas=replicas).check_progress()


@pytest.mark.parametrize("options", [Options(window=1), Options(window=2, batch=1)])
def test_agreement_order_and_progress_in_narrow_windows(options: Options) -> None:
    for seed in SEEDS:
        run(seed, options, Faults(), replicas=3).check_progress()


@pytest.mark.parametrize(("replicas", "disks"), [(3, 1), (5, 2)])
def test_agreement_order_and_progress_without_some_disks(replicas: int, disks: int) -> None:
    for seed in SEEDS:
        faults = Faults(disk_loss=disks)
        run(seed, Options(), faults, replicas=replicas).check_progress()


def test_what_should_happen_does() -> None:
    """Gaps are filled, logs are truncated, replicas catch up from snapshots, clients ask twice."""
    seen = set()
    for seed in SEEDS:
        world = run(seed, Options(), Faults(), replicas=3)
        if any(isinstance(value, Noop) for _, _, value in world.votes):
            seen.add("no-op")
        if any(core.ledger.checkpoint for core in world.up()):
            seen.add("checkpoint")
        if any("Snapshot(" in event for event in world.events):
            seen.add("snapshot")
        if len({ballot.proposer for _, ballot, _ in world.votes}) > 1:
            seen.add("leader change")
    assert seen == {"no-op", "checkpoint", "snapshot", "leader change"}


def test_same_seed_same_events() -> None:
    first, second = (run(7, Options(), Faults(), replicas=3) for _ in range(2))
    assert first.events == second.events


FOUND = [flaw for flaw in Flaw if flaw is not Flaw.MARK_NONVOTING_REJOIN]


@pytest.mark.parametrize("flaw", FOUND, ids=lambda flaw: flaw.value)
def test_the_simulation_finds_flaws(flaw: Flaw) -> None:
    """All but `mark_nonvoting_rejoin`, which takes an order that chance hardly ever does."""
    for seed in range(200):
        try:
            options = Options(flaws=frozenset({flaw}))
            run(seed, options, Faults(), replicas=3).check_progress()
        except (AssertionError, ProtocolError):
            return
    pytest.fail("200 runs, and nobody noticed")

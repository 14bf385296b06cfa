"""Every flaw switches off one guard: a scenario each where that shows, and the core without it.

Most are the shortest ways to break a property of Figure 3, up to where they could be stopped.
"""

from __future__ import annotations

import pytest

from quorate.implementations.raft import (
    AppendEntries,
    Compact,
    Flaw,
    Received,
)
from quorate.tests.implementations.raft import (
    flaws_of_elections,
    flaws_of_membership,
    flaws_of_reads,
    flaws_of_replication,
    flaws_of_snapshots,
)
from quorate.tests.implementations.raft.cluster import (
    APPENDS,
    Cluster,
    entry,
)
from quorate.tests.implementations.raft.flaw_cases import CASES, Case, play
from quorate.tests.implementations.raft.flaws_of_snapshots import install

SCENARIOS = (
    flaws_of_elections,
    flaws_of_replication,
    flaws_of_reads,
    flaws_of_membership,
    flaws_of_snapshots,
)


def test_every_flaw_has_a_scenario() -> None:
    assert set(CASES) == set(Flaw)


@pytest.mark.parametrize("flaw", Flaw, ids=lambda flaw: flaw.value)
def test_a_flaw_is_one_guard(flaw: Flaw) -> None:
    case = CASES[flaw]
    assert play(case, ()) == case.correct
    assert play(case, {flaw}) == case.flawed


# The masks


def test_a_snapshot_that_drops_the_suffix_is_masked_by_the_check_of_commit_index() -> None:
    case = CASES[Flaw.SNAPSHOT_DROPS_SUFFIX]
    masked = Case(case.scenario, case.correct, case.correct)
    assert play(masked, {Flaw.SNAPSHOT_DROPS_SUFFIX}) == case.correct


def test_a_suffix_behind_an_uncommitted_snapshot_is_dropped_by_the_flaw_alone() -> None:
    """Figure 13, step 6, without the second switch."""

    def suffix(*flaws: Flaw) -> int:
        core = Cluster(3, flaws=frozenset(flaws))[3]
        entries = (entry(1, "a"), entry(1, "b"))
        core.handle(Received("1", AppendEntries(1, 0, 0, entries, 0)))
        install(core, 1, 1, 1)
        return len(core.log)

    assert suffix() == 1
    assert suffix(Flaw.SNAPSHOT_DROPS_SUFFIX) == 0


def test_the_boundary_and_the_unknown_term_commit_another_entry_only_together() -> None:
    """R45 with R46: S3 has its own entries where the snapshot of S1 ends."""

    def committed(*flaws: Flaw) -> int:
        c = Cluster(3, flaws=frozenset(flaws))
        c.elect(3, 2)
        c.request(3, "x")
        c.time_out(1)
        c.forget()
        c.elect(1, 2)
        for data in ("a", "b"):
            c.request(1, data)
        c.copy(1, 2)
        c.restart(1)
        c.elect(1, 2)
        c.request(1, "c")
        c.copy(1, 2)
        c.step(1, Compact(3, b"state"))
        c.heartbeat(1, 3)
        if Flaw.SNAPSHOT_BOUNDARY_OFF_BY_ONE in flaws:
            assert c[1].next_index["3"] == 3
            c.deliver(APPENDS, 1, 3)
        return c[3].commit_index if c.data(3) == ["x"] else 0

    assert committed() == 0
    assert committed(Flaw.SNAPSHOT_BOUNDARY_OFF_BY_ONE) == 0
    assert committed(Flaw.PREV0_ALWAYS_MATCHES) == 0
    both = committed(Flaw.SNAPSHOT_BOUNDARY_OFF_BY_ONE, Flaw.PREV0_ALWAYS_MATCHES)
    assert both > 0

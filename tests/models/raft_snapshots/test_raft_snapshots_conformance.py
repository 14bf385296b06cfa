"""Snapshots in the implementation and in the spec, step by step."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_snapshots import adapter
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import cover

MODEL = registry.find("raft-snapshots")

# Each compacts, crashes, and begins again from its snapshot; messages are lost. The graph of
# `a-snapshot`, in which one is left behind and gets the snapshot, takes too long for each run: its
# README says what came of it. Here random runs install snapshots.
TWO: dict[str, Setting] = {
    "servers": 2,
    "values": 1,
    "max_term": 1,
    "max_log": 1,
    "max_messages": 2,
    "max_crashes": 1,
    "lossy": True,
    "heartbeats": False,
    "max_compacted": 1,
    "max_transfers": 1,
}
MORE: dict[str, Setting] = {
    **TWO,
    "servers": 3,
    "max_term": 3,
    "max_log": 3,
    "batch": 2,
    "max_messages": 5,
    "max_crashes": 2,
    "heartbeats": True,
    "max_compacted": 3,
    "max_transfers": 3,
}


def test_every_edge_is_driven_through_crashes_and_losses() -> None:
    instance = check.build(MODEL, TWO, ())
    found = cover(adapter, instance.evaluator(), ir=instance.ir, parameters=TWO)
    assert (found.edges, found.driven, dict(found.apart)) == (568, 568, {})


@pytest.mark.parametrize(
    "flaws",
    [(), ("snapshot_drops_suffix", "snapshot_ignores_commit_check"), ("snapshot_sets_term",)],
    ids=["correct", "R42", "R44"],
)
def test_the_implementation_follows_the_spec(flaws: tuple[str, ...]) -> None:
    instance = check.build(MODEL, MORE, flaws)
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=MORE,
        flaws=flaws,
        walks=3,
        steps=60,
    )
    assert found is None, found[1].lines()

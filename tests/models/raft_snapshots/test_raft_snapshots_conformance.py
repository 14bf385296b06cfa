"""Snapshots in the implementation and in the spec, step by step."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_snapshots import adapter
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import cover

MODEL = registry.find("raft-snapshots")

# Each compacts, crashes, and begins again from its snapshot; messages are lost. In the graph of
# `a-snapshot` one is left behind and gets the snapshot; without being asked, random runs do that.
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
A_SNAPSHOT = next(dict(one.parameters) for one in MODEL.instances if one.name == "a-snapshot")
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        (A_SNAPSHOT, (3121, 8553)),
        ({**TWO, "max_log": 2, "max_compacted": 2}, (1074, 4002)),
    ],
    ids=["a-snapshot", "two-entries"],
)
def test_every_edge_of_a_larger_graph_is_driven(
    parameters: dict[str, Setting], size: tuple[int, int]
) -> None:
    instance = check.build(MODEL, parameters, ())
    found = cover(adapter, instance.evaluator(), ir=instance.ir, parameters=parameters)
    assert (found.driven, dict(found.apart)) == (found.edges, {})
    assert (found.states, found.edges) == size


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

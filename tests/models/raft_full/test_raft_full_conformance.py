"""All options of Raft at once, in the implementation and in the spec, step by step."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_full import adapter
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import cover

MODEL = registry.find("raft-full")

# Two servers with two entries: a log that is compacted, commands that come again.
TWO: dict[str, Setting] = {
    "servers": 2,
    "values": 1,
    "max_term": 1,
    "max_log": 2,
    "max_messages": 1,
    "max_crashes": 0,
    "heartbeats": False,
    "max_compacted": 1,
    "max_transfers": 1,
    "max_executions": 2,
}
PRE_VOTES: dict[str, Setting] = {"pre_vote": True, "max_pre_votes": 1}
ONE_JOINS: dict[str, Setting] = {"values": 2, "membership": "single_server", "newcomers": 1}
BOTH: dict[str, Setting] = {"values": 3, "membership": "joint", "newcomers": 1}
READ_INDEX: dict[str, Setting] = {"reads": "read_index", "max_calls": 1, "max_reads": 1}
LEASE: dict[str, Setting] = {
    "reads": "lease",
    "max_calls": 1,
    "election_timeout": 2,
    "clock_drift": 1,
    "max_time": 1,
}

# Everything on, more of it than a graph could hold.
LARGE: dict[str, Setting] = {
    "servers": 3,
    "values": 2,
    "max_term": 3,
    "max_log": 3,
    "batch": 2,
    "max_messages": 4,
    "max_crashes": 1,
    "lossy": True,
    "check_quorum": True,
    "pre_vote": True,
    "max_pre_votes": 4,
    "membership": "single_server",
    "newcomers": 1,
    "max_compacted": 3,
    "max_transfers": 2,
    "max_executions": 2,
}
MANY_READS: dict[str, Setting] = {"reads": "read_index", "max_calls": 3, "max_reads": 3}
LONG_LEASE: dict[str, Setting] = {**LEASE, "max_calls": 3, "election_timeout": 3, "max_time": 5}
JOINT: dict[str, Setting] = {"values": 4, "max_log": 4, "membership": "joint", "max_crashes": 0}


def is_driven(parameters: dict[str, Setting], size: tuple[int, int]) -> None:
    """Every edge of the state graph, taken by the implementation with the same result."""
    instance = check.build(MODEL, parameters, ())
    found = cover(adapter, instance.evaluator(), ir=instance.ir, parameters=parameters)
    assert (found.driven, dict(found.apart)) == (found.edges, {})
    assert (found.states, found.edges) == size


def test_every_edge_is_driven_while_a_server_joins() -> None:
    """A change of members, snapshots and sessions."""
    is_driven({**TWO, **ONE_JOINS}, (240, 510))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({**PRE_VOTES, "max_crashes": 1}, (830, 1878)),
        ({**PRE_VOTES, **ONE_JOINS, **READ_INDEX}, (1442, 3392)),
        ({**LEASE, "max_log": 1}, (124, 209)),
        ({**ONE_JOINS, **LEASE}, (4400, 13012)),
        (BOTH, (1624, 3326)),
    ],
    ids=["crash", "read-index", "lease", "lease-and-change", "joint"],
)
def test_every_edge_of_a_larger_graph_is_driven(
    options: dict[str, Setting], size: tuple[int, int]
) -> None:
    is_driven({**TWO, **options}, size)


def follows(parameters: dict[str, Setting], flaws: tuple[str, ...], walks: int, steps: int) -> None:
    """Random runs of the spec, on the implementation."""
    instance = check.build(MODEL, parameters, flaws)
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        walks=walks,
        steps=steps,
    )
    assert found is None, found[1].lines()


@pytest.mark.parametrize("options", [LONG_LEASE, {**MANY_READS, **JOINT}], ids=["lease", "joint"])
def test_the_implementation_follows_the_spec(options: dict[str, Setting]) -> None:
    follows({**LARGE, **options}, (), walks=1, steps=30)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [MANY_READS, LONG_LEASE, {**MANY_READS, **JOINT}, {"crash_stop": True, **MANY_READS}],
    ids=["read-index", "lease", "joint", "crash-stop"],
)
def test_the_implementation_follows_the_spec_for_long(options: dict[str, Setting]) -> None:
    follows({**LARGE, **options}, (), walks=20, steps=100)


@pytest.mark.slow
def test_the_flawed_implementation_follows_the_flawed_spec() -> None:
    follows({**LARGE, **JOINT}, ("snapshot_without_configuration",), walks=1, steps=30)

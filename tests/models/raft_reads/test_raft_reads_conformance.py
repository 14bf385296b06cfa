"""The Raft implementation takes every step of small instances with reads, and runs of large ones.

With each flaw, it follows the spec with that flaw.
"""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_reads import adapter
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import cover

MODEL = registry.find("raft-reads")

SMALL: dict[str, Setting] = {
    "servers": 2,
    "values": 1,
    "max_term": 1,
    "max_log": 1,
    "max_messages": 1,
    "heartbeats": False,
}
READ_INDEX: dict[str, Setting] = {
    **SMALL,
    "reads": "read_index",
    "max_calls": 1,
    "max_reads": 1,
    "max_crashes": 1,
}
LEASE: dict[str, Setting] = {
    **SMALL,
    "reads": "lease",
    "max_calls": 1,
    "max_crashes": 0,
    "election_timeout": 2,
    "clock_drift": 1,
    "max_time": 2,
}
LARGE: dict[str, Setting] = {
    "servers": 3,
    "values": 1,
    "max_term": 3,
    "max_log": 2,
    "batch": 2,
    "max_messages": 5,
    "max_calls": 4,
    "max_crashes": 1,
    "lossy": True,
}
QUESTIONS: dict[str, Setting] = {**LARGE, "reads": "read_index", "max_reads": 4}
TIMES: dict[str, Setting] = {
    **LARGE,
    "reads": "lease",
    "election_timeout": 3,
    "clock_drift": 1,
    "max_time": 5,
}


@pytest.mark.parametrize(
    ("parameters", "size"),
    [(READ_INDEX, (312, 594)), (LEASE, (268, 462))],
    ids=["read-index", "lease"],
)
def test_every_edge_is_driven(parameters: dict[str, Setting], size: tuple[int, int]) -> None:
    instance = check.build(MODEL, parameters, ())
    found = cover(adapter, instance.evaluator(), ir=instance.ir, parameters=parameters)
    assert not found.apart
    assert found.driven == found.edges
    assert (found.states, found.edges) == size


def follows(parameters: dict[str, Setting], flaws: tuple[str, ...], walks: int) -> None:
    """Random runs of the spec, on the implementation."""
    instance = check.build(MODEL, parameters, flaws)
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        walks=walks,
        steps=40,
    )
    assert found is None, found[1].lines()


@pytest.mark.parametrize("parameters", [QUESTIONS, TIMES], ids=["read-index", "lease"])
def test_the_implementation_follows_the_spec(parameters: dict[str, Setting]) -> None:
    follows(parameters, (), 2)


@pytest.mark.parametrize("flaw", list(MODEL.flaws)[-7:])
def test_the_flawed_implementation_follows_the_flawed_spec(flaw: str) -> None:
    parameters = TIMES if flaw.startswith("lease") or flaw == "no_stickiness" else QUESTIONS
    follows(parameters, (flaw,), 1)

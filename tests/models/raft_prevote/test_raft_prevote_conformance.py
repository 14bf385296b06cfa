"""PreVote in the implementation and in the spec, step by step, in both directions."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_prevote import adapter
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import Coverage, cover

MODEL = registry.find("raft-prevote")

TWO: dict[str, Setting] = {
    "servers": 2,
    "values": 1,
    "pre_vote": True,
    "max_term": 1,
    "max_log": 0,
    "max_messages": 1,
    "max_pre_votes": 2,
    "max_crashes": 0,
}
HEARTBEATS: dict[str, Setting] = {**TWO, "max_pre_votes": 1, "check_quorum": True}
ONE_GOES: dict[str, Setting] = {
    **TWO,
    "heartbeats": False,
    "max_crashes": 1,
    "crash_stop": True,
    "lossy": True,
}


def covered(parameters: dict[str, Setting], *, beyond: bool = False) -> Coverage:
    """The implementation along a state graph."""
    instance = check.build(MODEL, parameters, ())
    return cover(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=instance.parameters,
        beyond=beyond,
    )


@pytest.mark.parametrize(
    ("parameters", "edges"),
    [(HEARTBEATS, 164), (ONE_GOES, 1716)],
    ids=["heartbeats", "one-goes"],
)
def test_every_edge_of_the_graph_is_driven(parameters: dict[str, Setting], edges: int) -> None:
    found = covered(parameters)
    assert (found.edges, found.driven, dict(found.apart)) == (edges, edges, {})


def test_what_the_spec_does_not_allow_only_leads_out_of_its_bounds() -> None:
    """Two servers, an election: a time-out may need a term, or room, that is not there."""
    found = covered({**TWO, "heartbeats": False, "max_pre_votes": 1}, beyond=True)
    assert found.driven == found.edges
    assert found.attempts > 100
    assert {edge.label.action for edge in found.beyond} == {"time_out"}


MORE: dict[str, Setting] = {
    "servers": 3,
    "values": 1,
    "pre_vote": True,
    "max_term": 3,
    "max_log": 2,
    "max_messages": 6,
    "max_pre_votes": 6,
    "max_crashes": 2,
    "lossy": True,
    "duplicating": True,
    "check_quorum": True,
}


@pytest.mark.parametrize(
    "flaws",
    [(), ("prevote_reply_low_term_dropped", "low_prevote_ignored"), ("leader_grants_prevote",)],
    ids=["correct", "R14", "R15"],
)
def test_the_implementation_follows_the_spec(flaws: tuple[str, ...]) -> None:
    instance = check.build(MODEL, MORE, flaws)
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=MORE,
        flaws=flaws,
        walks=2,
        steps=40,
    )
    assert found is None, found[1].lines()

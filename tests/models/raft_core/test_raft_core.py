"""The calibration form of Raft: counts of other tools, and steps of a run by hand."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.models.raft_core.spec import (
    RaftCore,
    RequestVoteRequest,
    RequestVoteResponse,
    Role,
)
from quorate.tests.reference_search import reference_search

MODEL = registry.find("raft-core")
SMALL = [e for e in MODEL.instances if e.distinct is not None and e.distinct < 600]


def test_the_figures_of_tlc_are_in_the_manifest() -> None:
    # The fast instances are run with all manifests; here it is only that these three are there.
    figures = {(e.distinct, e.generated, e.depth) for e in MODEL.instances if e.fast}
    assert figures >= {(61805, 528679, 40), (341387, 2690854, 48), (617361, 7680091, 39)}


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: entry.name)
def test_the_reference_search_agrees(entry: InstanceEntry) -> None:
    found = reference_search(check.build(MODEL, entry.parameters, entry.flaws).evaluator())
    figures = (found.distinct, found.generated, found.depth)
    assert figures == (entry.distinct, entry.generated, entry.depth)


def test_a_time_out_does_not_vote_and_a_newer_term_is_a_step_of_its_own() -> None:
    spec = RaftCore(servers=2, values=1)
    first, second = spec.servers
    spec.time_out(first)
    assert spec.voted_for[first] is None
    spec.request_vote(first, second)
    (request,) = spec.messages
    assert isinstance(request, RequestVoteRequest)
    spec.update_term(request)
    assert spec.current_term[second] == 2
    assert list(spec.messages) == [request]
    spec.handle_request_vote_request(request)
    (response,) = spec.messages
    assert isinstance(response, RequestVoteResponse)
    spec.handle_request_vote_response(response)
    assert spec.votes_granted[first] == {second}
    assert spec.role[first] is Role.CANDIDATE

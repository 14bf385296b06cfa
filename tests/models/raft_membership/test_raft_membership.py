"""Raft with membership changes, stepped by hand along chapter 4; off, it is Raft."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_membership import adapter
from quorate.language import Node
from quorate.language.failures import Disabled
from quorate.models.raft.spec import (
    AppendEntries,
    AppendEntriesReply,
    RequestVote,
    RequestVoteReply,
    Role,
)
from quorate.models.raft_membership.spec import Membership, RaftMembership
from quorate.tests.reference_search import reference_search
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import cover

MODEL = registry.find("raft-membership")
FLAWED = [entry for entry in MODEL.instances if entry.expected == "violated"]


def cluster(servers: int = 3, **given: Any) -> tuple[RaftMembership, list[Node], list[Any]]:
    """A cluster before its first election, of all servers; and its values."""
    bounds: dict[str, Any] = {"max_term": 4, "max_log": 6, "max_messages": 12}
    bounds = bounds | {"membership": Membership.SINGLE_SERVER} | given
    spec = RaftMembership(servers=servers, values=4, **bounds)
    everybody = list(spec.servers)
    if spec.membership is not Membership.NONE:
        spec.first = [set(everybody[: servers - spec.newcomers])]
    return spec, everybody, list(spec.values)


def in_flight(spec: RaftMembership, kind: type, to: Node) -> Any:
    """The one message of a kind on its way to a server."""
    (found,) = [m for m in spec.network if isinstance(m, kind) and m.to == to]
    return found


def elect(spec: RaftMembership, server: Node, *voters: Node) -> None:
    """A server campaigns, and some vote."""
    spec.time_out(server)
    for voter in voters:
        spec.receive_request_vote(in_flight(spec, RequestVote, voter))
        spec.receive_request_vote_reply(in_flight(spec, RequestVoteReply, server))
    spec.network.clear()


def replicate(spec: RaftMembership, leader: Node, follower: Node) -> None:
    """A leader sends what comes next, and hears of it."""
    spec.send_entries(leader, follower)
    spec.receive_append_entries(in_flight(spec, AppendEntries, follower))
    spec.receive_append_entries_reply(in_flight(spec, AppendEntriesReply, leader))


def leading(**given: Any) -> tuple[RaftMembership, list[Node], list[Any]]:
    """The first server leads, and has committed a command with the second."""
    spec, everybody, values = cluster(**given)
    elect(spec, everybody[0], everybody[1])
    spec.client_request(everybody[0], values[0])
    replicate(spec, everybody[0], everybody[1])
    assert spec.commit_index[everybody[0]] == 1
    return spec, everybody, values


def test_a_configuration_counts_from_the_log_on_and_the_next_waits_for_its_commit() -> None:
    """4.1."""
    spec, (a, b, c), (_, one, two, _) = leading()
    spec.remove_server(a, c, one)
    assert spec.configuration(a) == [{a, b}]
    assert spec.configuration(b) == [{a, b, c}]
    with pytest.raises(Disabled):
        spec.remove_server(a, b, two)
    with pytest.raises(Disabled):
        spec.send_entries(a, c)
    replicate(spec, a, b)
    assert spec.commit_index[a] == 2
    spec.remove_server(a, b, two)
    assert (spec.commit_index[a], spec.configuration(a)) == (3, [{a}])


def test_a_change_waits_for_an_entry_of_the_term() -> None:
    """Ongaro, raft-dev, 10 July 2015; joint changes do not."""
    spec, (a, b, c), (_, one, _, _) = cluster()
    elect(spec, a, b)
    with pytest.raises(Disabled):
        spec.remove_server(a, c, one)
    joint, (d, e, f), (_, two, three, _) = cluster(membership=Membership.JOINT)
    elect(joint, d, e)
    joint.reconfigure(d, {e, f}, two, three)
    assert joint.configuration(d) == [{d, e, f}, {e, f}]


def test_a_new_server_hears_at_once_and_counts() -> None:
    spec, (a, b, c), (_, one, *_) = leading(newcomers=1)
    with pytest.raises(Disabled):
        spec.time_out(c)
    spec.add_server(a, c, one)
    assert spec.next_index[a][c] == 2
    replicate(spec, a, b)
    assert spec.commit_index[a] == 2
    spec.time_out(b)
    assert {m.to for m in spec.network} == {a, c}


def test_who_was_removed_does_not_come_back() -> None:
    spec, (a, b, c), (_, one, two, _) = leading()
    spec.remove_server(a, c, one)
    replicate(spec, a, b)
    with pytest.raises(Disabled):
        spec.add_server(a, c, two)


def test_a_removed_leader_leads_until_that_is_committed_and_does_not_count_itself() -> None:
    """4.2.2."""
    spec, (a, b, c), (_, one, _, _) = leading()
    replicate(spec, a, c)
    spec.remove_server(a, a, one)
    replicate(spec, a, b)
    assert (spec.role[a], spec.commit_index[a]) == (Role.LEADER, 1)
    replicate(spec, a, c)
    assert (spec.role[a], spec.commit_index[a]) == (Role.FOLLOWER, 2)
    with pytest.raises(Disabled):
        spec.time_out(a)


def test_who_is_not_in_its_configuration_may_be_needed_as_leader() -> None:
    """4.2.2, and Figure 4.6: it campaigns until the change is committed, on others' votes."""
    spec, (a, b, c), (_, one, _, _) = leading()
    replicate(spec, a, c)
    spec.remove_server(a, a, one)
    spec.see_term(a, 2)
    elect(spec, a, b)
    assert spec.role[a] is Role.CANDIDATE
    elect(spec, a, b, c)
    assert spec.role[a] is Role.LEADER


def test_a_joint_configuration_needs_both_majorities_and_leads_to_the_new_one() -> None:
    """4.3."""
    spec, (a, b, c, d), (_, joint, new, _) = leading(
        servers=4, newcomers=1, membership=Membership.JOINT
    )
    spec.reconfigure(a, {c, d}, joint, new)
    replicate(spec, a, b)
    replicate(spec, a, c)
    replicate(spec, a, c)
    assert spec.commit_index[a] == 1, "a majority of C_old has it, and none of C_new"
    spec.next_index[a][d] = 1
    replicate(spec, a, d)
    replicate(spec, a, d)
    assert (spec.commit_index[a], spec.configuration(a)) == (2, [{c, d}])
    replicate(spec, a, c)
    replicate(spec, a, d)
    assert (spec.commit_index[a], spec.role[a]) == (3, Role.FOLLOWER)


def test_where_configurations_wait_for_being_applied() -> None:
    spec, (a, b, c), (_, one, two, _) = leading(max_applied=3, max_crashes=0)
    spec.remove_server(a, c, one)
    replicate(spec, a, b)
    assert spec.configuration(a) == [{a, b, c}]
    with pytest.raises(Disabled):
        spec.remove_server(a, b, two)
    spec.apply_committed(a)
    spec.apply_committed(a)
    spec.remove_server(a, b, two)
    replicate(spec, a, b)
    with pytest.raises(Disabled):
        spec.time_out(b)
    spec.apply_committed(b)
    spec.apply_committed(b)
    spec.time_out(b)


def test_a_value_stands_for_one_thing() -> None:
    spec, (a, _, c), (command, one, two, _) = leading()
    with pytest.raises(Disabled):
        spec.remove_server(a, c, command)
    spec.remove_server(a, c, one)
    with pytest.raises(Disabled):
        spec.client_request(a, one)
    with pytest.raises(Disabled):
        spec.client_request(a, two)


def test_the_reference_search_agrees() -> None:
    entry = next(e for e in MODEL.instances if e.name == "two-servers")
    instance = check.build(MODEL, entry.parameters, entry.flaws)
    found = reference_search(instance.evaluator(), instance.ir.properties)
    assert not set(found.violated) & set(entry.properties or ())


@pytest.mark.parametrize("entry", FLAWED, ids=lambda entry: entry.name)
def test_the_bounds_of_a_flaw_are_clean_without_it(entry: Any) -> None:
    clean = [
        other
        for other in MODEL.instances
        if other.parameters == entry.parameters and not other.flaws and other.expected == "holds"
    ]
    assert any(entry.violates in (c.properties or ()) and c.distinct for c in clean)


SMALL: dict[str, Setting] = {
    "servers": 2,
    "values": 2,
    "membership": "single_server",
    "max_term": 1,
    "max_log": 2,
    "max_messages": 2,
    "max_crashes": 0,
    "heartbeats": False,
}
JOINT = SMALL | {"membership": "joint", "max_messages": 1}
LATE = SMALL | {"max_applied": 2, "max_messages": 1}
JOINS = SMALL | {"newcomers": 1, "check_quorum": True}


@pytest.mark.parametrize(
    ("parameters", "size"),
    [(SMALL, (192, 364)), (JOINT, (95, 130)), (LATE, (207, 358)), (JOINS, (288, 582))],
    ids=["single", "joint", "late", "joins"],
)
def test_every_edge_of_the_graph_is_driven(
    parameters: dict[str, Setting], size: tuple[int, int]
) -> None:
    instance = check.build(MODEL, parameters, ())
    covered = cover(adapter, instance.evaluator(), ir=instance.ir, parameters=parameters)
    assert not covered.apart, next(iter(covered.apart.values()))
    assert (covered.states, covered.driven) == size


MORE: dict[str, Setting] = {
    "servers": 4,
    "newcomers": 1,
    "values": 4,
    "max_term": 3,
    "max_log": 4,
    "batch": 2,
    "max_messages": 8,
    "max_crashes": 0,
}


@pytest.mark.parametrize(
    "given",
    [
        {"membership": "single_server", "max_crashes": 1},
        {"membership": "joint", "max_crashes": 1},
        {"membership": "single_server", "max_applied": 4},
    ],
    ids=["single", "joint", "late"],
)
def test_the_implementation_follows_the_spec(given: dict[str, Setting]) -> None:
    """Random runs; the flawed one follows the flawed spec along the traces of the corpus."""
    parameters = MORE | given
    instance = check.build(MODEL, parameters, ())
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        walks=2,
        steps=40,
    )
    assert found is None, found[1].lines()

"""Raft's spec, stepped by hand along Figure 2, and what its manifest promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.invariants.raft import committed_on_majority, leader_completeness
from quorate.language import Node
from quorate.language.failures import Disabled
from quorate.models.raft.spec import (
    AppendEntries,
    AppendEntriesReply,
    Entry,
    Message,
    Raft,
    RequestVote,
    RequestVoteReply,
    Role,
)
from quorate.tests.reference_search import reference_search

MODEL = registry.find("raft")
FLAWED = [entry for entry in MODEL.instances if entry.expected == "violated"]


def cluster(servers: int = 3, **given: Any) -> tuple[Raft, list[Node]]:
    """A cluster before its first election."""
    bounds = {"max_term": 4, "max_log": 3, "max_messages": 12, **given}
    spec = Raft(servers=servers, values=2, **bounds)
    return spec, list(spec.servers)


def in_flight(spec: Raft, kind: type[Message], to: Node) -> Any:
    """The one message of a kind on its way to a server."""
    (found,) = [m for m in spec.network if isinstance(m, kind) and m.to == to]
    return found


def elect(spec: Raft, server: Node, voter: Node) -> None:
    """A server times out and becomes leader by the vote of another."""
    spec.time_out(server)
    spec.receive_request_vote(in_flight(spec, RequestVote, voter))
    spec.receive_request_vote_reply(in_flight(spec, RequestVoteReply, server))
    spec.network.clear()
    assert spec.role[server] is Role.LEADER


def replicate(spec: Raft, leader: Node, follower: Node) -> None:
    """A leader sends what comes next, and hears of it."""
    spec.send_entries(leader, follower)
    spec.receive_append_entries(in_flight(spec, AppendEntries, follower))
    spec.receive_append_entries_reply(in_flight(spec, AppendEntriesReply, leader))


def test_a_majority_elects_and_a_majority_commits() -> None:
    spec, (a, b, c) = cluster()
    elect(spec, a, b)
    value = next(iter(spec.values))
    spec.client_request(a, value)
    assert spec.commit_index[a] == 0
    replicate(spec, a, b)
    assert spec.log[b] == [Entry(1, value)]
    assert (spec.commit_index[a], spec.commit_index[b]) == (1, 0)
    spec.send_heartbeat(a, b)
    spec.receive_append_entries(in_flight(spec, AppendEntries, b))
    assert (spec.commit_index[b], spec.commit_index[c]) == (1, 0)


def test_a_cluster_of_one_elects_and_commits_at_once() -> None:
    spec, (only,) = cluster(servers=1)
    spec.time_out(only)
    assert spec.role[only] is Role.LEADER
    spec.client_request(only, next(iter(spec.values)))
    assert spec.commit_index[only] == 1


def test_one_vote_a_term_and_none_for_an_older_log() -> None:
    spec, (a, b, c) = cluster()
    elect(spec, a, b)
    spec.time_out(c)
    spec.receive_request_vote(in_flight(spec, RequestVote, b))
    assert not in_flight(spec, RequestVoteReply, c).vote_granted
    spec.network.clear()
    spec.client_request(a, next(iter(spec.values)))
    replicate(spec, a, b)
    spec.time_out(c)
    spec.receive_request_vote(in_flight(spec, RequestVote, b))
    assert not in_flight(spec, RequestVoteReply, c).vote_granted
    assert (spec.current_term[b], spec.voted_for[b]) == (2, None)


def test_a_conflict_is_overwritten_and_an_old_entry_waits_for_one_of_the_term() -> None:
    spec, (a, b, c) = cluster()
    first, second = spec.values
    elect(spec, a, b)
    spec.client_request(a, first)
    elect(spec, b, c)
    spec.client_request(b, second)
    replicate(spec, b, a)
    assert (spec.log[a], spec.role[a]) == ([Entry(2, second)], Role.FOLLOWER)
    elect(spec, a, c)
    spec.next_index[a][c] = 1
    replicate(spec, a, c)
    assert spec.match_index[a][c] == 1
    assert spec.commit_index[a] == 0, "an entry of term 2 is not committed by counting (5.4.2)"
    spec.client_request(a, first)
    replicate(spec, a, c)
    assert spec.commit_index[a] == 2


def test_a_refusal_moves_next_index_back_by_one() -> None:
    spec, (a, b, c) = cluster()
    elect(spec, a, b)
    spec.client_request(a, next(iter(spec.values)))
    spec.next_index[a][c] = 2
    spec.send_heartbeat(a, c)
    spec.receive_append_entries(in_flight(spec, AppendEntries, c))
    spec.receive_append_entries_reply(in_flight(spec, AppendEntriesReply, a))
    assert spec.next_index[a][c] == 1


def test_a_crash_leaves_what_is_durable() -> None:
    spec, (a, b, _) = cluster(max_crashes=1)
    elect(spec, a, b)
    spec.client_request(a, next(iter(spec.values)))
    spec.crash_node(a)
    with pytest.raises(Disabled):
        spec.send_heartbeat(a, b)
    spec.restart_node(a)
    assert (spec.current_term[a], spec.voted_for[a], len(spec.log[a])) == (1, a, 1)
    assert (spec.role[a], spec.commit_index[a]) == (Role.FOLLOWER, 0)


def test_where_only_acknowledgements_are_late_nothing_begins_before_the_rest_arrived() -> None:
    spec, (a, b, c) = cluster(only_acks_late=True)
    elect(spec, a, b)
    value = next(iter(spec.values))
    spec.client_request(a, value)
    spec.send_entries(a, b)
    beginnings: list[Callable[[], None]] = [
        lambda: spec.time_out(c),
        lambda: spec.client_request(a, value),
        lambda: spec.send_entries(a, c),
        lambda: spec.send_heartbeat(a, c),
    ]
    for begin in beginnings:
        with pytest.raises(Disabled):
            begin()
    spec.receive_append_entries(in_flight(spec, AppendEntries, b))
    late = in_flight(spec, AppendEntriesReply, a)
    spec.time_out(c)
    with pytest.raises(Disabled):
        spec.receive_append_entries_reply(late)


def test_a_full_network_sends_nothing_new() -> None:
    spec, (a, b, _) = cluster(max_messages=2)
    spec.time_out(a)
    with pytest.raises(Disabled):
        spec.time_out(b)


def test_the_reference_search_agrees() -> None:
    entry = next(e for e in MODEL.instances if e.name == "two-servers")
    instance = check.build(MODEL, entry.parameters, entry.flaws)
    found = reference_search(instance.evaluator(), instance.ir.properties)
    figures = (found.distinct, found.generated, found.depth)
    assert figures == (entry.distinct, entry.generated, entry.depth)
    assert not set(found.violated) & set(entry.properties or ())


@pytest.mark.parametrize("entry", FLAWED, ids=lambda entry: entry.name)
def test_the_bounds_of_a_flaw_are_clean_without_it(entry: Any) -> None:
    # The manifests' own tests check that both instances say what they are expected to say.
    clean = [
        other
        for other in MODEL.instances
        if other.parameters == entry.parameters and not other.flaws and other.expected == "holds"
    ]
    assert any(entry.violates in (c.properties or ()) and c.distinct for c in clean)


def overtaken(*, flawed: bool) -> tuple[Raft, list[Node]]:
    """R25 by hand: an acknowledgement of term 1 arrives in term 3, for entries that are gone.

    Five servers. `a` leads term 1, and only `b` has its two entries; `c` leads term 2 and puts its
    own in their place at `a`; `a` leads term 3, and has one more entry at itself and at `d`.
    """
    spec, servers = cluster(5, max_messages=24, batch=2, stale_append_reply_accepted=flawed)
    a, b, c, d, e = servers
    first, second = spec.values

    def win(server: Node, *voters: Node) -> None:
        spec.time_out(server)
        for voter in voters:
            spec.receive_request_vote(in_flight(spec, RequestVote, voter))
            spec.receive_request_vote_reply(in_flight(spec, RequestVoteReply, server))
        assert spec.role[server] is Role.LEADER
        spec.network.clear()

    win(a, b, c)
    spec.client_request(a, first)
    spec.client_request(a, first)
    spec.send_entries(a, b)
    spec.receive_append_entries(in_flight(spec, AppendEntries, b))
    late = in_flight(spec, AppendEntriesReply, a)
    spec.network.clear()
    win(c, d, e)
    spec.client_request(c, second)
    for follower in (a, d):
        replicate(spec, c, follower)
    spec.network.clear()
    win(a, d, e)
    spec.client_request(a, first)
    spec.network.add(late)
    spec.receive_append_entries_reply(late)
    replicate(spec, a, d)
    return spec, servers


def test_a_late_acknowledgement_does_not_count() -> None:
    spec, (a, *_) = overtaken(flawed=False)
    assert spec.commit_index[a] == 0
    assert committed_on_majority(spec)


def test_r25_counts_it_and_a_later_leader_lacks_what_was_committed() -> None:
    spec, (a, b, c, _, e) = overtaken(flawed=True)
    assert spec.commit_index[a] == 2
    assert not committed_on_majority(spec)
    spec.network.clear()
    spec.see_term(c, 3)
    spec.time_out(c)
    for voter in (b, e):
        spec.receive_request_vote(in_flight(spec, RequestVote, voter))
        spec.receive_request_vote_reply(in_flight(spec, RequestVoteReply, c))
    assert spec.role[c] is Role.LEADER
    assert not leader_completeness(spec)

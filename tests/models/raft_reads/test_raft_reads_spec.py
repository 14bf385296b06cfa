"""Raft with reads: the options off is Raft; on, stepped by hand along sections 6.4 and 6.4.1."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.invariants.linearizability import linearizable_reads
from quorate.language import Node
from quorate.language.failures import Disabled
from quorate.models.raft.spec import RequestVote, RequestVoteReply, Role
from quorate.models.raft_reads.spec import Answer, Call, Confirmation, RaftReads, Reads
from quorate.tests.reference_search import reference_search

MODEL = registry.find("raft-reads")
FLAWED = [entry for entry in MODEL.instances if entry.expected == "violated"]


def cluster(reads: Reads = Reads.READ_INDEX, **given: Any) -> tuple[RaftReads, list[Node]]:
    """A cluster before its first election, with room for everything."""
    bounds = {"max_term": 4, "max_log": 3, "max_messages": 12, "max_calls": 8, "max_reads": 4}
    lease = {"election_timeout": 3, "clock_drift": 1, "max_time": 8}
    times = lease if reads is Reads.LEASE else {}
    spec = RaftReads(servers=3, values=1, reads=reads, **{**bounds, **times, **given})
    return spec, list(spec.servers)


def elect(spec: RaftReads, server: Node, voter: Node) -> None:
    """A server times out and becomes leader by the vote of another."""
    spec.time_out(server)
    (asked,) = [m for m in spec.network if isinstance(m, RequestVote) and m.to == voter]
    spec.receive_request_vote(asked)
    (vote,) = [m for m in spec.network if isinstance(m, RequestVoteReply)]
    spec.receive_request_vote_reply(vote)
    spec.network.clear()
    assert spec.role[server] is Role.LEADER


def hear(spec: RaftReads, peer: Node) -> Confirmation:
    """The call that is in flight to a server arrives; the answer is on its way."""
    (call,) = [m for m in spec.exchanges if isinstance(m, Call) and m.request.to == peer]
    spec.receive_call(call)
    (reply,) = [m for m in spec.exchanges if isinstance(m, Confirmation)]
    return reply


def write(spec: RaftReads, leader: Node, peer: Node) -> None:
    """An entry is committed by a leader and another server."""
    spec.client_request(leader, next(iter(spec.values)))
    while spec.commit_index[leader] < len(spec.log[leader]):
        spec.send_entries(leader, peer)
        spec.receive_confirmation(hear(spec, peer))


def test_a_majority_confirms_and_the_read_returns_what_is_committed() -> None:
    spec, (a, b, _) = cluster()
    elect(spec, a, b)
    write(spec, a, b)
    assert spec.known == 1
    spec.read(a)
    assert not spec.answer
    spec.call(a, b)
    spec.receive_confirmation(hear(spec, b))
    assert spec.answer == Answer(known=1, returned=1)
    assert not spec.waiting[a]
    with pytest.raises(Disabled):
        spec.call(a, b)


def test_a_read_waits_for_an_entry_of_the_term() -> None:
    spec, (a, b, c) = cluster()
    elect(spec, a, b)
    write(spec, a, b)
    elect(spec, b, c)
    spec.read(b)
    spec.call(b, a)
    spec.receive_confirmation(hear(spec, a))
    assert (spec.answer, spec.commit_index[b]) == (None, 0)
    write(spec, b, a)
    assert spec.answer == Answer(known=1, returned=2)


def test_a_deposed_leader_is_told_so_and_an_answer_to_an_earlier_read_says_nothing() -> None:
    spec, (a, b, c) = cluster()
    elect(spec, a, b)
    write(spec, a, b)
    spec.read(a)
    spec.call(a, b)
    late = hear(spec, b)
    spec.exchanges.clear()
    elect(spec, b, c)
    write(spec, b, c)
    spec.read(a)
    spec.exchanges.add(late)
    spec.receive_confirmation(late)
    assert (spec.known, spec.commit_index[a], spec.answer) == (2, 1, None)
    spec.call(a, b)
    refusal = hear(spec, b)
    assert refusal.number == 0
    spec.receive_confirmation(refusal)
    assert (spec.role[a], spec.waiting[a]) == (Role.FOLLOWER, None)


def test_an_old_answer_with_a_number_that_is_used_again_makes_a_stale_read() -> None:
    spec, (a, b, c) = cluster(readindex_ack_reused=True)
    elect(spec, a, b)
    write(spec, a, b)
    spec.read(a)
    spec.call(a, b)
    late = hear(spec, b)
    spec.exchanges.clear()
    elect(spec, b, c)
    write(spec, b, c)
    spec.read(a)
    spec.exchanges.add(late)
    assert linearizable_reads(spec)
    spec.receive_confirmation(late)
    assert spec.answer == Answer(known=2, returned=1)
    assert not linearizable_reads(spec)


def test_a_lease_lasts_an_election_timeout_from_the_call_less_the_drift() -> None:
    spec, (a, b, _) = cluster(Reads.LEASE)
    elect(spec, a, b)
    spec.client_request(a, next(iter(spec.values)))
    spec.send_entries(a, b)
    spec.tick(None)
    reply = hear(spec, b)
    assert (reply.number, spec.promised[b]) == (3, 4)
    with pytest.raises(Disabled):
        spec.read_under_lease(a)
    spec.receive_confirmation(reply)
    spec.read_under_lease(a)
    assert spec.answer == Answer(known=1, returned=1)
    spec.tick(None)
    with pytest.raises(Disabled):
        spec.read_under_lease(a)


def test_who_hears_from_a_leader_neither_votes_nor_stands_through_a_restart_too() -> None:
    spec, (a, b, c) = cluster(Reads.LEASE, max_crashes=1)
    elect(spec, a, b)
    spec.send_heartbeat(a, b)
    hear(spec, b)
    spec.crash_node(b)
    spec.restart_node(b)
    with pytest.raises(Disabled):
        spec.time_out(b)
    spec.see_term(c, 1)
    spec.time_out(c)
    for asked in [m for m in spec.network if isinstance(m, RequestVote)]:
        spec.receive_request_vote(asked)
    assert not spec.network
    assert (spec.current_term[a], spec.current_term[b], spec.current_term[c]) == (1, 1, 2)
    for _ in range(3):
        spec.tick(None)
    spec.time_out(b)


def test_a_slow_clock_keeps_a_promise_longer() -> None:
    spec, (a, b, _) = cluster(Reads.LEASE)
    elect(spec, a, b)
    spec.send_heartbeat(a, b)
    hear(spec, b)
    spec.tick(b)
    with pytest.raises(Disabled):
        spec.tick(b)
    for _ in range(2):
        spec.tick(None)
    with pytest.raises(Disabled):
        spec.time_out(b)
    spec.tick(None)
    spec.time_out(b)


def test_the_reference_search_agrees_that_it_is_raft() -> None:
    entry = next(e for e in registry.find("raft").instances if e.name == "two-servers")
    found = reference_search(check.build(MODEL, entry.parameters, entry.flaws).evaluator())
    figures = (found.distinct, found.generated, found.depth)
    assert figures == (entry.distinct, entry.generated, entry.depth)


@pytest.mark.parametrize("entry", [e for e in FLAWED if e.fast], ids=lambda entry: str(entry.name))
def test_the_bounds_of_a_flaw_are_clean_without_it(entry: Any) -> None:
    # The manifests' own tests check that both instances say what they are expected to say.
    clean = [
        other
        for other in MODEL.instances
        if other.parameters == entry.parameters and not other.flaws and other.expected == "holds"
    ]
    assert any(entry.violates in (c.properties or ()) and c.distinct for c in clean)

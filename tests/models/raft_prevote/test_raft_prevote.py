"""Raft with PreVote: the option off is Raft; on, stepped by hand along section 9.6."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.language import Node
from quorate.language.failures import Disabled
from quorate.models.raft.spec import AppendEntries, Role
from quorate.models.raft_prevote.spec import PreVote, PreVoteReply, RaftPreVote, receiver
from quorate.tests.reference_search import reference_search

MODEL = registry.find("raft-prevote")


def cluster(**given: Any) -> tuple[RaftPreVote, list[Node]]:
    """A cluster before its first election."""
    bounds = {"max_term": 4, "max_log": 2, "max_messages": 12, "max_pre_votes": 12, **given}
    spec = RaftPreVote(servers=3, values=1, pre_vote=True, **bounds)
    return spec, list(spec.servers)


def ask(spec: RaftPreVote, server: Node, voter: Node) -> PreVoteReply:
    """A server asks for pre-votes, and a voter answers; the answer is still in flight."""
    spec.polls.clear()
    spec.time_out(server)
    (asked,) = [m for m in spec.polls if isinstance(m, PreVote) and receiver(m) == voter]
    spec.receive_pre_vote(asked)
    (reply,) = [m for m in spec.polls if isinstance(m, PreVoteReply)]
    return reply


def campaign(spec: RaftPreVote, server: Node, voter: Node) -> None:
    """A server is welcomed by a voter, starts its election and wins it by the voter's vote."""
    spec.receive_pre_vote_reply(ask(spec, server, voter))
    (request,) = [m for m in spec.network if m.to == voter]
    spec.receive_request_vote(request)  # type: ignore[arg-type]
    (vote,) = [m for m in spec.network if m.to == server]
    spec.receive_request_vote_reply(vote)  # type: ignore[arg-type]
    spec.network.clear()
    assert spec.role[server] is Role.LEADER


def hear(spec: RaftPreVote, leader: Node, follower: Node) -> None:
    """A follower hears from the leader."""
    spec.send_heartbeat(leader, follower)
    (message,) = [m for m in spec.network if isinstance(m, AppendEntries) and m.to == follower]
    spec.receive_append_entries(message)
    spec.network.clear()


def test_asking_changes_no_term_and_a_majority_starts_the_election() -> None:
    spec, (a, b, c) = cluster()
    reply = ask(spec, a, b)
    assert (reply.vote_granted, reply.term) == (True, 1)
    assert {spec.current_term[s] for s in (a, b, c)} == {0}
    spec.receive_pre_vote_reply(reply)
    assert (spec.current_term[a], spec.role[a]) == (1, Role.CANDIDATE)


def test_who_hears_from_a_leader_refuses_until_its_own_time_out() -> None:
    spec, (a, b, c) = cluster()
    campaign(spec, a, b)
    hear(spec, a, b)
    hear(spec, a, c)
    assert not ask(spec, c, b).vote_granted
    assert not ask(spec, c, a).vote_granted, "the leader keeps itself"
    assert ask(spec, b, c).vote_granted, "c has timed out itself"


def test_a_shorter_log_is_not_welcome() -> None:
    spec, (a, b, c) = cluster()
    campaign(spec, a, b)
    spec.client_request(a, next(iter(spec.values)))
    spec.send_entries(a, b)
    (entry,) = spec.network
    spec.receive_append_entries(entry)  # type: ignore[arg-type]
    spec.network.clear()
    spec.hears_leader[b] = False
    spec.current_term[c] = 1
    assert not ask(spec, c, b).vote_granted


def test_a_refusal_tells_the_newer_term() -> None:
    spec, (a, b, c) = cluster()
    campaign(spec, a, b)
    reply = ask(spec, c, b)
    assert (reply.vote_granted, reply.term) == (False, 1)
    spec.receive_pre_vote_reply(reply)
    assert spec.current_term[c] == 1


def test_an_answer_of_an_earlier_round_starts_nothing() -> None:
    spec, (a, b, c) = cluster()
    late = ask(spec, c, b)
    spec.see_term(c, 1)
    spec.time_out(c)
    spec.polls.add(late)
    spec.receive_pre_vote_reply(late)
    assert spec.pre_votes[c] == {c}
    assert spec.current_term[a] == 0


def test_a_leader_asks_nobody() -> None:
    spec, (a, b, _) = cluster()
    campaign(spec, a, b)
    with pytest.raises(Disabled):
        spec.time_out(a)


def test_the_reference_search_agrees_that_it_is_raft() -> None:
    entry = next(e for e in registry.find("raft").instances if e.name == "two-servers")
    found = reference_search(check.build(MODEL, entry.parameters, entry.flaws).evaluator())
    figures = (found.distinct, found.generated, found.depth)
    assert figures == (entry.distinct, entry.generated, entry.depth)

"""Raft's elections: counts by a formula, each property broken, and Raft held against them."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.language import Node, deliver, instantiate, require
from quorate.language.failures import Disabled
from quorate.models.raft_election.spec import Leader, RaftElection, Term, Vote
from quorate.tests.reference_search import reference_search

MODEL = registry.find("raft-election")
VOTES = registry.find("raft-votes")
FLAWED = [entry for entry in MODEL.instances if entry.flaws]
RAFT = {"servers": 3, "values": 1, "max_log": 0, "max_messages": 4, "heartbeats": False}


def states_of_one_term(servers: int) -> int:
    """The states with one term: what each server has done, and whether a winner knows.

    A server stands, or is still in term 0, or has seen the term and not voted, or has voted for one
    who stands. Nobody hears of a term in which nobody stands.
    """
    total = 1
    for standing in range(1, servers + 1):
        for done in itertools.product(range(-2, standing), repeat=servers - standing):
            votes = Counter(range(standing)) + Counter(c for c in done if c >= 0)
            won = any(2 * count > servers for count in votes.values())
            total += len(list(itertools.combinations(range(servers), standing))) * (1 + won)
    return total


@pytest.mark.parametrize("name", ["one-term", "four-servers"])
def test_the_formula_agrees(name: str) -> None:
    entry = MODEL.instance(name)
    servers = entry.parameters["servers"]
    assert isinstance(servers, int)
    assert states_of_one_term(servers) == entry.distinct


def test_the_reference_search_agrees() -> None:
    entry = MODEL.instance("one-term")
    instance = check.build(MODEL, entry.parameters, ())
    found = reference_search(instance.evaluator(), instance.ir.properties)
    counts = (found.distinct, found.generated, found.depth)
    assert counts == (entry.distinct, entry.generated, entry.depth)
    assert set(found.reached) >= set(entry.witnesses)
    assert not found.violated


@pytest.mark.parametrize("entry", FLAWED, ids=lambda entry: entry.name)
def test_a_flaw_is_found_where_elections_are_safe_without_it(entry: InstanceEntry) -> None:
    clean = [e for e in MODEL.instances if e.parameters == entry.parameters and not e.flaws]
    assert any(e.properties is None or "ElectionSafety" in e.properties for e in clean)


def test_a_majority_elects_and_nobody_votes_twice() -> None:
    spec = RaftElection(servers=3, max_term=2)
    a, b, c = spec.servers
    spec.time_out(a, 1)
    spec.time_out(b, 1)
    with pytest.raises(Disabled):
        spec.become_leader(a)
    spec.vote(c, a, 1)
    spec.restart_server(c)
    with pytest.raises(Disabled):
        spec.vote(c, b, 1)
    spec.become_leader(a)
    assert spec.leaders == {Leader(1, a)}
    with pytest.raises(Disabled):
        spec.become_leader(b)
    spec.time_out(b, 2)
    spec.see_term(c, 2)
    spec.vote(c, b, 2)
    spec.become_leader(b)
    assert spec.leaders == {Leader(1, a), Leader(2, b)}


class Staying(RaftElection):
    """Servers vote in later terms and stay in theirs."""

    @deliver
    def vote(self, server: Node, candidate: Node, term: Term) -> None:
        """Vote without noting the term."""
        require(Vote(term, candidate, candidate) in self.votes)
        require(term > self.current_term[server])
        self.votes.add(Vote(term, server, candidate))


BROKEN: list[tuple[type[RaftElection], str, dict[str, int], set[str]]] = [
    (Staying, "", {"servers": 3, "max_term": 1}, {"votes-are-of-seen-terms", "OneVotePerTerm"}),
    (RaftElection, "vote_not_recorded", {"servers": 3, "max_term": 1}, {"votes-are-remembered"}),
    (
        RaftElection,
        "majority_half",
        {"servers": 4, "max_term": 1},
        {"ElectionSafety", "leaders-have-a-majority"},
    ),
]


@pytest.mark.parametrize(("wrong", "flaw", "parameters", "broken"), BROKEN)
def test_wrong_elections_break_the_property(
    wrong: type[RaftElection], flaw: str, parameters: dict[str, int], broken: set[str]
) -> None:
    flaws = (flaw,) if flaw else ()
    instance = instantiate(wrong, parameters, flaws, properties=MODEL.outside)
    for name in sorted(broken):
        result = explore(instance, properties=[name])
        assert [violation.property for violation in result.violations] == [name]


def test_every_property_is_broken_by_something() -> None:
    stated = {name for name, info in MODEL.properties.items() if info.kind != "sometimes"}
    assert stated == set().union(*(names for *_, names in BROKEN))


def test_the_history_of_votes_adds_no_states_where_there_is_one_term() -> None:
    (votes, raft) = (VOTES.instance("one-term"), registry.find("raft").instance("one-term"))
    assert votes.parameters == raft.parameters
    counts = (votes.distinct, votes.generated, votes.depth)
    assert counts == (raft.distinct, raft.generated, raft.depth)


@pytest.mark.parametrize(
    ("flaw", "bounds"),
    [
        ("vote_not_persisted", {"max_term": 1, "max_crashes": 1}),
        ("vote_not_recorded", {"max_term": 1, "max_crashes": 1}),
        ("stale_vote_reply_accepted", {"max_term": 2, "max_crashes": 0, "max_messages": 6}),
    ],
)
def test_a_flaw_of_raft_is_no_step_of_elections(flaw: str, bounds: dict[str, int]) -> None:
    instance = check.build(VOTES, {**RAFT, **bounds}, (flaw,))
    result = explore(instance, properties=["election"], symmetry=True)
    assert [violation.property for violation in result.violations] == ["election"]

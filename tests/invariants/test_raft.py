"""Raft's properties on states that are made by hand: each is broken by what it forbids."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.invariants import raft
from quorate.models.raft.spec import Entry, Raft, Role


def leading(term: int = 2) -> Any:
    """A leader with two entries, one of them committed, and a follower that has both."""
    spec: Any = Raft(servers=3, values=2, max_term=4, max_log=3, max_messages=4)
    a, b, _ = spec.servers
    x, y = spec.values
    for server in (a, b):
        spec.current_term[server] = term
        spec.voted_for[server] = a
        spec.log[server] = [Entry(1, x), Entry(term, y)]
        spec.commit_index[server] = 1
    spec.role[a] = Role.LEADER
    spec.elected[term] = {a}
    spec.next_index[a] = dict.fromkeys(spec.servers, 3)
    return spec


def two_elected(spec: Any) -> None:
    """A second winner of the term."""
    spec.elected[2] = set(list(spec.servers)[:2])


def two_lead(spec: Any) -> None:
    """A second leader of the term."""
    spec.role[list(spec.servers)[1]] = Role.LEADER


def other_past(spec: Any) -> None:
    """An entry of the same term behind another one."""
    x, y = spec.values
    spec.log[list(spec.servers)[2]] = [Entry(2, x), Entry(2, y)]


def leader_lacks(spec: Any) -> None:
    """A leader without the committed entry."""
    a, b, c = spec.servers
    spec.log[a] = []
    spec.log[c] = spec.log[b]


def other_committed(spec: Any) -> None:
    """Two servers that committed different entries."""
    c = list(spec.servers)[2]
    spec.log[c] = [Entry(2, next(iter(spec.values)))]
    spec.commit_index[c] = 1


def one_copy(spec: Any) -> None:
    """A committed entry on one server."""
    spec.log[list(spec.servers)[1]] = []
    spec.commit_index[list(spec.servers)[1]] = 0


def slow_commit(spec: Any) -> None:
    """A majority has the leader's entry, and the leader knows it."""
    a, b, _ = spec.servers
    spec.match_index[a][b] = 2


def resends(spec: Any) -> None:
    """The leader would send what it knows to be there."""
    a, b, _ = spec.servers
    spec.next_index[a][b] = 1
    spec.match_index[a][b] = 1


def carried_vote(spec: Any) -> None:
    """A vote in a term that the candidate has not reached."""
    spec.voted_for[list(spec.servers)[1]] = list(spec.servers)[2]


STATES = [
    (raft.election_safety, two_elected),
    (raft.single_leader, two_lead),
    (raft.log_matching, other_past),
    (raft.leader_completeness, leader_lacks),
    (raft.state_machine_safety, other_committed),
    (raft.committed_on_majority, one_copy),
    (raft.commits_what_it_may, slow_commit),
    (raft.next_above_match, resends),
    (raft.votes_for_candidates, carried_vote),
]


@pytest.mark.parametrize(("holds", "spoil"), STATES, ids=lambda item: item.__name__)
def test_a_state_property_forbids(holds: Any, spoil: Any) -> None:
    spec = leading()
    assert holds(spec)
    spoil(spec)
    assert not holds(spec)


def cuts_its_log(spec: Any) -> None:
    """A leader deletes an entry of its own."""
    spec.log[next(iter(spec.servers))].pop()


def changes_its_log(spec: Any) -> None:
    """A leader overwrites an entry of its own."""
    spec.log[next(iter(spec.servers))][1] = Entry(1, next(iter(spec.values)))


def votes_again(spec: Any) -> None:
    """A second vote in the term."""
    spec.voted_for[list(spec.servers)[1]] = list(spec.servers)[1]


def goes_back(spec: Any) -> None:
    """A server returns to an earlier term."""
    spec.current_term[list(spec.servers)[1]] = 1


def forgets_commit(spec: Any) -> None:
    """A server no longer knows what is committed."""
    spec.commit_index[list(spec.servers)[1]] = 0


def forgets_match(spec: Any) -> None:
    """A leader no longer knows what a follower has."""
    a, b, _ = spec.servers
    spec.match_index[a][b] = 0


STEPS = [
    (raft.leader_append_only, cuts_its_log),
    (raft.leader_append_only, changes_its_log),
    (raft.one_vote_per_term, votes_again),
    (raft.term_monotonic, goes_back),
    (raft.commit_monotonic, forgets_commit),
    (raft.match_monotonic, forgets_match),
]


def test_a_suffix_is_overwritten_by_another_entry_not_by_more_or_fewer() -> None:
    before, after = leading(), leading()
    b = list(after.servers)[1]
    assert not raft.suffix_overwritten(before, after)
    cut = after.log[b].pop()
    assert not raft.suffix_overwritten(before, after)
    after.log[b].append(Entry(3, cut.value))
    assert raft.suffix_overwritten(before, after)


@pytest.mark.parametrize(("holds", "spoil"), STEPS, ids=lambda item: item.__name__)
def test_a_step_property_forbids(holds: Any, spoil: Any) -> None:
    before, after = leading(), leading()
    for spec in (before, after):
        slow_commit(spec)
    assert holds(before, after)
    spoil(after)
    assert not holds(before, after)


def test_what_a_crash_may_do_is_not_a_violation() -> None:
    before, after = leading(), leading()
    a = next(iter(after.servers))
    after.up[a] = False
    after.role[a] = Role.FOLLOWER
    after.commit_index[a] = 0
    assert raft.commit_monotonic(before, after)
    assert raft.leader_append_only(before, after)


def test_witnesses() -> None:
    spec = leading()
    assert raft.earlier_term_committed(spec)
    assert not raft.two_leaders(spec)
    c = list(spec.servers)[2]
    spec.current_term[c] = 1
    spec.role[c] = Role.LEADER
    assert raft.two_leaders(spec)

"""Changes of the set of servers: chapter 4 of Ongaro's dissertation."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from quorate.implementations.raft import (
    AddServer,
    AppendEntries,
    AppendEntriesReply,
    CancelTimer,
    Configuration,
    Entry,
    Flaw,
    Membership,
    Raft,
    Received,
    Reconfigure,
    RemoveServer,
    RequestVote,
    RequestVoteReply,
    Role,
    SetTimer,
    TimedOut,
    Timer,
)
from quorate.tests.implementations.raft.cluster import Cluster, entry, follower, leader, sends

NAMES = "abcde"


def groups(names: str) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(names, size) for size in range(len(names) + 1)))


def acknowledge(core: Raft, *peers: str) -> None:
    for peer in peers:
        core.handle(Received(peer, AppendEntriesReply(1, True, core.last_index)))


def changing(membership: Membership, voters: str = "abc") -> Raft:
    """A leader whose empty entry is committed."""
    core = leader(voters=voters, membership=membership)
    acknowledge(core, *sorted(set(voters) - {"a"}))
    assert core.commit_index == 1
    return core


# Quorums, against a dumb count of all subsets


@pytest.mark.parametrize("voters", groups(NAMES)[1:], ids="".join)
def test_any_two_majorities_meet_and_with_half_some_do_not(voters: tuple[str, ...]) -> None:
    configuration = Configuration.of(voters)
    quorums = [set(group) for group in groups(NAMES) if configuration.has_quorum(group)]
    assert quorums
    assert all(one & other for one in quorums for other in quorums)
    half = frozenset({Flaw.MAJORITY_HALF})
    loose = [set(group) for group in groups(NAMES) if configuration.has_quorum(group, half)]
    meet = all(one & other & set(voters) for one in loose for other in loose)
    assert meet is (len(voters) % 2 == 1)


@pytest.mark.parametrize("old", [("a",), ("a", "b"), ("a", "b", "c")])
@pytest.mark.parametrize("new", [("c", "d", "e"), ("d", "e"), ("b",)])
def test_joint_majorities_meet_those_before_and_after(
    old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    joint = Configuration.of(old).entering(new)
    during = [set(group) for group in groups(NAMES) if joint.has_quorum(group)]
    for other in (Configuration.of(old), joint.left()):
        alone = [set(group) for group in groups(NAMES) if other.has_quorum(group)]
        assert all(one & two for one in during for two in alone)


def test_majorities_one_server_apart_meet() -> None:
    for voters in groups("abcd")[1:]:
        before, after = Configuration.of(voters), Configuration.of(voters).adding("e")
        for one in groups(NAMES):
            for two in groups(NAMES):
                if before.has_quorum(one) and after.has_quorum(two):
                    assert set(one) & set(two)


# 4.1: one server at a time


def test_a_configuration_counts_from_when_it_is_in_the_log() -> None:
    core = changing(Membership.SINGLE)
    core.handle(AddServer("d"))
    assert core.configuration == Configuration(("a", "b", "c", "d"))
    acknowledge(core, "b")
    assert core.commit_index == 1  # two of four
    acknowledge(core, "c")
    assert core.commit_index == 2


def test_a_follower_takes_a_configuration_over_at_once_and_gives_it_back() -> None:
    new = Configuration.of("abcd")
    core = follower(Entry(1, new), term=1)
    assert core.configuration == new
    core.handle(Received("c", AppendEntries(2, 0, 0, (entry(2, "x"),), 0)))
    assert core.configuration == Configuration.of("abc")


def test_at_apply_a_configuration_counts_once_committed() -> None:
    core = leader(membership=Membership.SINGLE, configuration_at_apply=True)
    acknowledge(core, "b", "c")
    core.handle(AddServer("d"))
    assert core.configuration == Configuration.of("abc")
    acknowledge(core, "b")
    assert core.configuration == Configuration.of("abcd")
    assert core.next_index["d"] == 2


def test_a_new_server_gets_the_log_from_the_beginning() -> None:
    c = Cluster(4, voters=3, membership=Membership.SINGLE, conflict_hints=True)
    c.elect(1, 2)
    c.copy(1, 2)
    c.step(1, AddServer("4"))
    c.copy(1, 4, entries=False)
    c.copy(1, 4)
    assert c[4].configuration == Configuration.of("1234")
    assert c[1].match_index["4"] == 2


def test_a_server_without_a_configuration_begins_no_election_and_votes() -> None:
    core = Raft("x", ())
    assert core.handle(TimedOut(Timer.ELECTION)) == (SetTimer(Timer.ELECTION),)
    [(_, reply)] = sends(core.handle(Received("a", RequestVote(1, 0, 0))))
    assert reply == RequestVoteReply(1, True)


def test_a_removed_leader_stays_until_that_is_committed_and_does_not_count_itself() -> None:
    """4.2.2."""
    core = changing(Membership.SINGLE)
    core.handle(RemoveServer("a"))
    acknowledge(core, "b")
    assert (core.role, core.commit_index) == (Role.LEADER, 1)
    effects = core.handle(Received("c", AppendEntriesReply(1, True, 2)))
    assert core.commit_index == 2
    assert core.role is not Role.LEADER
    assert CancelTimer(Timer.HEARTBEAT) in effects


def test_a_removed_server_hears_no_more_and_its_name_is_retired() -> None:
    core = changing(Membership.SINGLE)
    core.handle(RemoveServer("c"))
    assert set(core.next_index) == {"b"}
    assert core.configuration.retired == ("c",)


def test_who_is_removed_campaigns_until_that_is_committed_and_does_not_count_itself() -> None:
    """4.2.2: others may lack the entry, and then it does not vote for them."""
    core = follower(Entry(1, Configuration.of("abc")), Entry(1, Configuration.of("bc")), term=1)
    core.handle(TimedOut(Timer.ELECTION))
    core.handle(Received("b", RequestVoteReply(2, True)))
    assert core.leader is None
    core.handle(Received("c", RequestVoteReply(2, True)))
    assert core.leader == "a"


def test_who_knows_that_its_removal_is_committed_begins_no_election() -> None:
    core = follower(Entry(1, Configuration.of("bc")), term=1)
    core.handle(Received("b", AppendEntries(1, 1, 1, (), 1)))
    assert core.commit_index == 1
    assert core.handle(TimedOut(Timer.ELECTION)) == (SetTimer(Timer.ELECTION),)


# 4.3: joint consensus


def test_a_joint_configuration_needs_both_majorities_and_leads_to_the_new_one() -> None:
    core = changing(Membership.JOINT)
    core.handle(Reconfigure(("a", "d", "e")))
    assert core.configuration == Configuration(("a", "d", "e"), ("a", "b", "c"))
    acknowledge(core, "b", "c")
    assert core.commit_index == 1
    acknowledge(core, "d")
    assert core.commit_index == 2
    assert core.configuration == Configuration(("a", "d", "e"), (), ("b", "c"))
    assert core.last_index == 3
    acknowledge(core, "d")
    assert core.commit_index == 3


def test_a_joint_change_waits_for_no_entry_of_the_term() -> None:
    """Ongaro's correction is about changes of one server: a joint one needs the old majority."""
    core = leader(membership=Membership.JOINT, no_op=False)
    core.handle(Reconfigure(("a", "d", "e")))
    assert core.configuration.is_joint


def test_an_election_in_a_joint_configuration_needs_both_majorities() -> None:
    joint = Configuration.of("abc").entering("ade")
    core = follower(Entry(1, joint), term=1)
    effects = core.handle(TimedOut(Timer.ELECTION))
    assert [to for to, _ in sends(effects)] == ["b", "c", "d", "e"]
    for voter in "bc":
        core.handle(Received(voter, RequestVoteReply(2, True)))
    assert core.leader is None
    core.handle(Received("e", RequestVoteReply(2, True)))
    assert core.leader == "a"


def test_a_leader_that_finds_a_joint_configuration_finishes_the_change() -> None:
    joint = Configuration.of("abc").entering("abd")
    core = leader(Entry(1, joint), term=2, membership=Membership.JOINT)
    assert core.last_index == 2
    for peer in "bd":
        core.handle(Received(peer, AppendEntriesReply(2, True, 2)))
    assert core.configuration == Configuration(("a", "b", "d"), (), ("c",))

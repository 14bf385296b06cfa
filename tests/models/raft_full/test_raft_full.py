"""Where one option of Raft means something to another."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from quorate.language import Node
from quorate.language.failures import Disabled, UsageError
from quorate.models.raft.spec import AppendEntries, AppendEntriesReply, Role
from quorate.models.raft_full.spec import RaftFull
from quorate.models.raft_membership.spec import Membership
from quorate.models.raft_reads.spec import Call, Confirmation, Reads
from quorate.models.raft_snapshots.spec import InstallSnapshot, InstallSnapshotReply


def cluster(**given: Any) -> tuple[RaftFull, list[Node]]:
    """Three servers, the first of which leads term 1."""
    bounds = {"max_term": 3, "max_log": 4, "max_messages": 12, "heartbeats": True, "values": 2}
    snapshots = {"max_compacted": 4, "max_transfers": 4}
    spec = RaftFull(servers=3, **{**bounds, **snapshots, **given})
    spec.found()
    a, *others = spec.servers
    lead(spec, a)
    return spec, [a, *others]


def lead(spec: RaftFull, server: Node) -> None:
    """A server is elected by everybody."""
    spec.current_term = dict.fromkeys(spec.servers, spec.current_term[server] + 1)
    spec.voted_for = dict.fromkeys(spec.servers, server)
    spec.role[server] = Role.CANDIDATE
    spec.votes[server] = set(spec.servers)
    spec.lead_if_elected(server)
    assert spec.leads(server)


def replicate(spec: RaftFull, leader: Node, follower: Node, *, heartbeat: bool = False) -> None:
    """A leader sends what comes next, and hears of it."""
    (spec.send_heartbeat if heartbeat else spec.send_entries)(leader, follower)
    for message in list(spec.network):
        if isinstance(message, AppendEntries) and message.to == follower:
            spec.receive_append_entries(message)
    for message in list(spec.network):
        if isinstance(message, AppendEntriesReply) and message.to == leader:
            spec.receive_append_entries_reply(message)


def offer(spec: RaftFull, leader: Node, follower: Node) -> None:
    """A leader sends its snapshot, and it is installed; the answer is on its way."""
    spec.send_entries(leader, follower)
    (message,) = (m for m in spec.transfers if isinstance(m, InstallSnapshot))
    spec.receive_install_snapshot(message)


def answer(spec: RaftFull) -> InstallSnapshotReply:
    """The answer to a snapshot."""
    (message,) = (m for m in spec.transfers if isinstance(m, InstallSnapshotReply))
    return message


SESSIONS = {"values": 1, "max_executions": 2}
MEMBERS = {"values": 3, "membership": Membership.SINGLE_SERVER}


@pytest.mark.parametrize("forgets", [False, True], ids=["correct", "flawed"])
def test_what_a_snapshot_covers_is_not_executed_again(forgets: bool) -> None:
    spec, (a, b, c) = cluster(**SESSIONS, snapshot_without_sessions=forgets)
    (value,) = spec.values
    spec.client_request(a, value)
    spec.client_request(a, value)
    replicate(spec, a, b)
    spec.compact(a)
    before = deepcopy(spec)
    offer(spec, a, c)
    assert before.sessions_installed(spec)
    assert spec.executed[c][value] == 1
    spec.receive_install_snapshot_reply(answer(spec))
    replicate(spec, a, c)
    assert spec.executed[a][value] == (2 if forgets else 1)
    assert spec.executed_once() is not forgets
    assert spec.repetition_behind_snapshot() is not forgets


def test_a_restart_knows_what_its_snapshot_has_executed() -> None:
    spec, (a, b, _) = cluster(**SESSIONS, max_crashes=1)
    (value,) = spec.values
    spec.client_request(a, value)
    replicate(spec, a, b)
    spec.compact(a)
    spec.crash_node(a)
    assert spec.executed[a][value] == 0
    spec.restart_node(a)
    assert spec.executed[a][value] == 1
    lead(spec, a)
    with pytest.raises(Disabled):
        spec.client_request(a, value)


def removed(spec: RaftFull, leader: Node, other: Node, gone: Node) -> None:
    """A leader removes a server, with another one."""
    command, change, _ = spec.values
    spec.client_request(leader, command)
    replicate(spec, leader, other)
    spec.remove_server(leader, gone, change)
    replicate(spec, leader, other)
    assert spec.commit_index[leader] == 2


def test_a_configuration_is_not_for_the_state_machine() -> None:
    spec, (a, b, c) = cluster(**MEMBERS, max_executions=2)
    removed(spec, a, b, c)
    assert sorted(spec.executed[a].values()) == [0, 0, 1]


@pytest.mark.parametrize("forgets", [False, True], ids=["correct", "flawed"])
def test_a_snapshot_has_the_configuration(forgets: bool) -> None:
    spec, (a, b, c) = cluster(**MEMBERS, snapshot_without_configuration=forgets)
    removed(spec, a, b, c)
    spec.compact(a)
    assert spec.members(a) == ({a, b, c} if forgets else {a, b})
    assert (c in spec.peers(a)) is forgets


def test_the_late_answer_of_a_server_that_left_is_passed_over() -> None:
    spec, (a, b, c) = cluster(**MEMBERS)
    command, change, _ = spec.values
    spec.client_request(a, command)
    replicate(spec, a, b)
    spec.compact(a)
    offer(spec, a, c)
    late = answer(spec)
    spec.remove_server(a, c, change)
    spec.receive_install_snapshot_reply(late)
    assert spec.match_index[a][c] == 0


def test_a_server_that_comes_back_wiped_has_no_snapshot() -> None:
    spec, (a, b, c) = cluster(**MEMBERS, max_log=3, identity_reused_after_wipe=True)
    command, change, again = spec.values
    spec.client_request(a, command)
    replicate(spec, a, c)
    replicate(spec, a, c, heartbeat=True)
    spec.compact(c)
    spec.remove_server(a, c, change)
    replicate(spec, a, b)
    replicate(spec, a, b)
    spec.add_server(a, c, again)
    assert (spec.snapshot_index[c], spec.log[c]) == (0, [])
    assert spec.snapshot_is_committed()


def test_who_is_gone_for_good_takes_no_room_in_any_network() -> None:
    reads = {"reads": Reads.READ_INDEX, "max_calls": 4, "max_reads": 2}
    spec, (a, b, c) = cluster(**reads, pre_vote=True, max_pre_votes=4, crash_stop=True)
    spec.client_request(a, next(iter(spec.values)))
    spec.send_entries(a, b)
    (call,) = spec.exchanges
    assert isinstance(call, Call)
    spec.receive_call(call)
    (confirmation,) = spec.exchanges
    assert isinstance(confirmation, Confirmation)
    spec.receive_confirmation(confirmation)
    spec.compact(a)
    spec.send_entries(a, c)
    spec.send_heartbeat(a, b)
    spec.crash_node(c)
    assert (len(spec.transfers), len(spec.exchanges)) == (0, 1)
    spec.send_entries(a, c)
    assert not spec.transfers


def test_a_promise_keeps_its_leader_from_pre_votes_as_long_as_it_lasts() -> None:
    lease = {"reads": Reads.LEASE, "election_timeout": 2, "clock_drift": 1, "max_time": 5}
    spec, (_, b, _) = cluster(**lease, max_calls=4, pre_vote=True, max_pre_votes=4)
    spec.follow(b)
    assert spec.has_leader(b)
    assert not spec.hears_leader[b], "that is for specs without time"
    spec.tick(None)
    assert spec.has_leader(b)
    spec.tick(None)
    assert not spec.has_leader(b)


@pytest.mark.parametrize(
    "given",
    [
        {"max_transfers": 0},
        {"max_compacted": 0},
        {"max_executions": 1},
        {**MEMBERS, "max_applied": 1},
    ],
    ids=["no-transfers", "no-snapshots", "one-execution", "late-application"],
)
def test_options_that_mean_nothing_together_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        cluster(**given)

"""Raft with snapshots: the option off is Raft; on, stepped by hand along section 7."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.language import Node
from quorate.language.failures import Disabled
from quorate.models.raft.spec import (
    AppendEntries,
    AppendEntriesReply,
    Entry,
    RequestVote,
    RequestVoteReply,
    Role,
)
from quorate.models.raft_snapshots.spec import (
    InstallSnapshot,
    InstallSnapshotReply,
    RaftSnapshots,
)
from quorate.tests.reference_search import reference_search

MODEL = registry.find("raft-snapshots")
FLAWED = [entry for entry in MODEL.instances if entry.expected == "violated"]


def cluster(**given: Any) -> tuple[RaftSnapshots, list[Node]]:
    """A cluster before its first election."""
    bounds = {"max_term": 4, "max_log": 3, "max_messages": 12, **given}
    spec = RaftSnapshots(servers=3, values=1, max_compacted=3, max_transfers=4, **bounds)
    return spec, list(spec.servers)


def in_flight(messages: Iterable[Any], kind: type, to: Node) -> Any:
    """The one message of a kind on its way to a server."""
    (found,) = [m for m in messages if m.to == to and isinstance(m, kind)]
    return found


def elect(spec: RaftSnapshots, server: Node, voter: Node) -> None:
    """A server times out and becomes leader by the vote of another."""
    spec.time_out(server)
    spec.receive_request_vote(in_flight(spec.network, RequestVote, voter))
    spec.receive_request_vote_reply(in_flight(spec.network, RequestVoteReply, server))
    spec.network.clear()
    assert spec.role[server] is Role.LEADER


def request(spec: RaftSnapshots, leader: Node, times: int = 1) -> None:
    """A client asks for the same again and again."""
    for _ in range(times):
        spec.client_request(leader, next(iter(spec.values)))


def replicate(spec: RaftSnapshots, leader: Node, follower: Node) -> None:
    """A leader sends what comes next, and hears of it."""
    spec.send_entries(leader, follower)
    spec.receive_append_entries(in_flight(spec.network, AppendEntries, follower))
    spec.receive_append_entries_reply(in_flight(spec.network, AppendEntriesReply, leader))


def compacted(**given: Any) -> tuple[RaftSnapshots, list[Node]]:
    """A leader has committed two entries with one follower, and compacted its log."""
    spec, (a, b, c) = cluster(**given)
    elect(spec, a, b)
    request(spec, a, 2)
    replicate(spec, a, b)
    replicate(spec, a, b)
    spec.compact(a)
    assert (spec.snapshot_index[a], spec.commit_index[a]) == (2, 2)
    return spec, [a, b, c]


def offer(spec: RaftSnapshots, leader: Node, follower: Node) -> InstallSnapshot:
    """The leader has to send its snapshot, and does."""
    spec.send_entries(leader, follower)
    found = in_flight(spec.transfers, InstallSnapshot, follower)
    assert isinstance(found, InstallSnapshot)
    return found


def test_who_is_behind_the_snapshot_gets_it_and_then_what_follows() -> None:
    spec, (a, b, c) = compacted()
    spec.receive_install_snapshot(offer(spec, a, c))
    assert spec.log[c] == spec.log[b] == [Entry(1, v) for v in spec.values for _ in range(2)]
    assert (spec.snapshot_index[c], spec.commit_index[c]) == (2, 2)
    spec.receive_install_snapshot_reply(in_flight(spec.transfers, InstallSnapshotReply, a))
    assert (spec.match_index[a][c], spec.next_index[a][c]) == (2, 3)
    request(spec, a)
    replicate(spec, a, c)
    assert (len(spec.log[c]), spec.commit_index[a]) == (3, 3)


def test_a_heartbeat_is_a_snapshot_too_where_the_entry_before_is_gone() -> None:
    spec, (a, b, c) = compacted()
    spec.send_heartbeat(a, c)
    assert in_flight(spec.transfers, InstallSnapshot, c).data == spec.log[b]
    assert not spec.network


def test_taking_a_snapshot_is_not_installing_one() -> None:
    spec, (_, b, _) = compacted()
    before = deepcopy(spec)
    spec.compact(b)
    assert not before.snapshot_installed(spec)


def test_a_wipe_takes_the_snapshot_too() -> None:
    spec, (a, _, _) = compacted()
    spec.wipe(a)
    assert (spec.snapshot_index[a], spec.commit_index[a], spec.log[a]) == (0, 0, [])
    assert spec.snapshot_is_committed()


def test_nobody_compacts_what_is_not_committed_nor_twice() -> None:
    spec, (a, b, c) = compacted()
    spec.compact(b)
    assert spec.snapshot_index[b] == 1, "it has not heard of more"
    for server in (a, b, c):
        with pytest.raises(Disabled):
            spec.compact(server)


def test_a_restart_begins_at_the_snapshot() -> None:
    spec, (a, _, c) = compacted(max_crashes=1)
    spec.crash_node(a)
    spec.restart_node(a)
    assert (spec.commit_index[a], len(spec.log[a]), spec.role[a]) == (2, 2, Role.FOLLOWER)
    assert spec.commit_index[c] == 0


def test_a_snapshot_of_an_earlier_term_is_refused() -> None:
    spec, (a, b, c) = compacted()
    late = offer(spec, a, c)
    elect(spec, b, c)
    spec.receive_install_snapshot(late)
    assert (spec.snapshot_index[c], spec.log[c]) == (0, [])
    refusal = in_flight(spec.transfers, InstallSnapshotReply, a)
    assert (refusal.term, refusal.match_index) == (2, 0)
    spec.receive_install_snapshot_reply(refusal)
    assert spec.role[a] is Role.FOLLOWER


def test_what_follows_the_last_included_entry_is_retained() -> None:
    """Step 6; entries and snapshot were sent before the follower had anything."""
    spec, (a, b, c) = cluster(batch=3)
    elect(spec, a, b)
    request(spec, a)
    replicate(spec, a, b)
    request(spec, a)
    spec.send_entries(a, c)
    late = in_flight(spec.network, AppendEntries, c)
    # What the leader knew to be committed when it sent this is not what it knows now.
    early = AppendEntries(a, c, 1, 0, 0, late.entries, 0)
    spec.network.add(early)
    spec.receive_append_entries(early)
    spec.compact(a)
    message, before = offer(spec, a, c), deepcopy(spec)
    spec.receive_install_snapshot(message)
    assert before.suffix_retained(spec)
    assert (len(spec.log[c]), spec.snapshot_index[c], spec.commit_index[c]) == (2, 1, 1)


def test_a_log_with_another_entry_there_is_discarded_whole() -> None:
    """Step 7."""
    spec, (a, b, c) = cluster()
    elect(spec, c, b)
    request(spec, c, 3)
    spec.see_term(a, 1)
    elect(spec, a, b)
    request(spec, a, 2)
    replicate(spec, a, b)
    replicate(spec, a, b)
    spec.compact(a)
    spec.next_index[a][c] = 1
    message, before = offer(spec, a, c), deepcopy(spec)
    spec.receive_install_snapshot(message)
    assert before.conflict_discarded(spec)
    assert spec.log[c] == spec.log[a]


def test_a_snapshot_that_comes_late_changes_nothing() -> None:
    spec, (a, b, _) = compacted()
    spec.next_index[a][b] = 1
    message = offer(spec, a, b)
    spec.commit_index[b] = 2
    before = deepcopy(spec)
    spec.receive_install_snapshot(message)
    assert not before.snapshot_installed(spec)
    assert (spec.snapshot_index[b], spec.commit_index[b]) == (0, 2)
    assert in_flight(spec.transfers, InstallSnapshotReply, a).match_index == 2


def test_entries_that_the_snapshot_covers_are_passed_over() -> None:
    spec, (a, b, _) = compacted()
    spec.commit_index[b] = 1
    spec.compact(b)
    value = next(iter(spec.values))
    late = AppendEntries(a, b, 1, 0, 0, [Entry(1, value)], 0)
    spec.network.add(late)
    spec.receive_append_entries(late)
    assert in_flight(spec.network, AppendEntriesReply, a).match_index == 1
    assert len(spec.log[b]) == 2


def test_the_reference_search_agrees() -> None:
    parameters = {
        **next(e for e in MODEL.instances if e.name == "a-snapshot").parameters,
        "servers": 2,
    }
    instance = check.build(MODEL, parameters, ())
    found = reference_search(instance.evaluator(), instance.ir.properties)
    assert (found.distinct, found.generated, found.depth) == (36, 53, 11)


@pytest.mark.parametrize("entry", FLAWED, ids=lambda entry: entry.name)
def test_the_bounds_of_a_flaw_are_clean_without_it(entry: Any) -> None:
    # The manifests' own tests check that both instances say what they are expected to say.
    clean = [
        other
        for other in MODEL.instances
        if other.parameters == entry.parameters and not other.flaws and other.expected == "holds"
    ]
    assert any(entry.violates in (c.properties or ()) and c.distinct for c in clean)

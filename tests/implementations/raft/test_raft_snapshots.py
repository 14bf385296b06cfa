"""Section 7: compaction, and the rules of Figure 13 for who receives InstallSnapshot."""

from __future__ import annotations

import pytest

from quorate.implementations.raft import (
    AppendEntries,
    AppendEntriesReply,
    CheckpointRecord,
    ClientRequest,
    Command,
    Compact,
    Configuration,
    Entry,
    InstallSnapshot,
    InstallSnapshotReply,
    Options,
    Persist,
    Raft,
    Received,
    Restore,
    Send,
    Snapshot,
    TimedOut,
    Timer,
)
from quorate.tests.implementations.raft.cluster import (
    entry,
    follower,
    image,
    leader,
    of_kind,
    sends,
)

ABC = Configuration.of("abc")
A, B, C = entry(1, "a"), entry(1, "b"), entry(1, "c")


def part(index: int, term: int, data: bytes = b"state") -> Snapshot:
    return Snapshot(index, term, ABC, (), data)


def installed(core: Raft, message: InstallSnapshot) -> InstallSnapshotReply:
    [(to, reply)] = sends(core.handle(Received("b", message)))
    assert to == "b"
    assert isinstance(reply, InstallSnapshotReply)
    return reply


# Taking a snapshot


def test_a_snapshot_replaces_the_log_up_to_an_applied_entry() -> None:
    core = follower(A, B, C, term=1)
    core.handle(Received("b", AppendEntries(1, 3, 1, (), 2)))
    effects = core.handle(Compact(2, b"state"))
    snapshot = Snapshot(2, 1, ABC, (), b"state")
    assert effects == (Persist(CheckpointRecord(1, None, snapshot, (C,)), forced=True),)
    assert (core.snapshot, core.log, core.last_index) == (snapshot, (C,), 3)


def test_a_snapshot_goes_forward_only() -> None:
    core = follower(A, B, term=1)
    core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    core.handle(Compact(1, b"1"))
    core.handle(Compact(2, b"2"))
    assert core.log == ()
    assert core.snapshot == Snapshot(2, 1, ABC, (), b"2")


def test_a_snapshot_has_the_sessions_of_its_index() -> None:
    log = [Entry(1, Command(b"x", "client", number)) for number in (3, 4, 5)]
    core = follower(*log, term=1)
    core.handle(Received("b", AppendEntries(1, 3, 1, (), 3)))
    core.handle(Compact(1, b""))
    assert core.snapshot is not None
    assert core.snapshot.sessions == (("client", 3),)
    core.handle(Compact(2, b""))
    assert core.snapshot.sessions == (("client", 4),)


def test_a_snapshot_has_the_configuration_of_its_index() -> None:
    joint = ABC.entering("cd")
    core = follower(Entry(1, joint), B, term=1)
    core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    core.handle(Compact(2, b""))
    assert core.snapshot is not None
    assert core.snapshot.configuration == core.configuration == joint


def test_append_entries_that_reach_back_behind_the_snapshot_are_taken() -> None:
    """They are committed here, so they agree: nothing to compare, and only the rest is new."""
    core = follower(A, B, term=1)
    core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    core.handle(Compact(2, b""))
    effects = core.handle(Received("b", AppendEntries(1, 0, 0, (A, B, C), 2)))
    assert sends(effects) == [("b", AppendEntriesReply(1, True, 3))]
    assert core.log == (C,)
    effects = core.handle(Received("b", AppendEntries(1, 0, 0, (A,), 2)))
    assert sends(effects) == [("b", AppendEntriesReply(1, True, 1))]
    assert core.log == (C,)


# Sending a snapshot


def compacted(*, chunk: int | None = None) -> Raft:
    """Leader `a` with a snapshot of entry 1; `c` has answered, `b` has not."""
    core = leader(snapshot_chunk=chunk)
    core.handle(ClientRequest(b"x"))
    core.handle(Received("c", AppendEntriesReply(1, True, 1)))
    core.handle(Compact(1, b"12345"))
    return core


def test_a_leader_sends_the_snapshot_to_who_lacks_what_it_covers() -> None:
    core = compacted()
    messages = dict(sends(core.handle(TimedOut(Timer.HEARTBEAT))))
    snapshot = Snapshot(1, 1, ABC, (), b"12345")
    assert messages["b"] == InstallSnapshot(1, snapshot, 0, True)
    assert isinstance(messages["c"], AppendEntries)


def test_a_follower_with_the_snapshot_goes_on_with_the_log() -> None:
    core = compacted()
    core.handle(TimedOut(Timer.HEARTBEAT))
    core.handle(ClientRequest(b"y"))
    effects = core.handle(Received("b", InstallSnapshotReply(1, 1, 5, True)))
    assert sends(effects) == [("b", AppendEntries(1, 1, 1, (entry(1, "y"),), 1))]
    assert core.match_index["b"] == 1


def test_a_snapshot_goes_in_parts_each_after_the_answer_to_the_one_before() -> None:
    core = compacted(chunk=2)
    core.handle(TimedOut(Timer.HEARTBEAT))
    found = []
    for offset in (2, 4):
        [(_, message)] = sends(
            core.handle(Received("b", InstallSnapshotReply(1, 1, offset, False)))
        )
        assert isinstance(message, InstallSnapshot)
        found.append((message.offset, message.part.data, message.done))
    assert found == [(2, b"34", False), (4, b"5", True)]
    before = image(core)
    assert not core.handle(Received("b", InstallSnapshotReply(1, 1, 4, False)))
    assert image(core) == before


def test_a_part_that_is_lost_goes_again_with_the_heartbeat() -> None:
    core = compacted(chunk=2)
    core.handle(TimedOut(Timer.HEARTBEAT))
    core.handle(Received("b", InstallSnapshotReply(1, 1, 2, False)))
    message = dict(sends(core.handle(TimedOut(Timer.HEARTBEAT))))["b"]
    assert isinstance(message, InstallSnapshot)
    assert message.offset == 2


def test_a_newer_snapshot_begins_anew() -> None:
    core = compacted(chunk=2)
    core.handle(TimedOut(Timer.HEARTBEAT))
    core.handle(ClientRequest(b"y"))
    core.handle(Received("c", AppendEntriesReply(1, True, 2)))
    core.handle(Compact(2, b"67890"))
    assert not sends(core.handle(Received("b", InstallSnapshotReply(1, 1, 2, False))))[1:]
    message = dict(sends(core.handle(TimedOut(Timer.HEARTBEAT))))["b"]
    assert isinstance(message, InstallSnapshot)
    assert (message.part.last_index, message.offset) == (2, 0)


# InstallSnapshot, receiver implementation


def test_install_1_old_terms_are_refused() -> None:
    core = follower(A, term=2)
    before = image(core)
    reply = installed(core, InstallSnapshot(1, part(1, 1), 0, True))
    assert reply == InstallSnapshotReply(2, 1, 0, False)
    assert image(core) == before


def test_install_2_to_4_parts_are_collected_in_order() -> None:
    core = follower()
    first = InstallSnapshot(1, part(2, 1, b"ab"), 0, False)
    last = InstallSnapshot(1, part(2, 1, b"cd"), 2, True)
    assert installed(core, last).offset == 0  # it came first: asked for from the beginning
    assert installed(core, first) == InstallSnapshotReply(1, 2, 2, False)
    assert installed(core, first) == InstallSnapshotReply(1, 2, 2, False)
    assert core.snapshot is None
    assert installed(core, last) == InstallSnapshotReply(1, 2, 4, True)
    assert core.snapshot == part(2, 1, b"abcd")


@pytest.mark.parametrize(("term", "sender"), [(2, "b"), (2, "c")])
def test_install_parts_of_different_leaders_are_not_mixed(term: int, sender: str) -> None:
    """Two servers may write the same state in different bytes."""
    core = follower()
    installed(core, InstallSnapshot(1, part(2, 1, b"ab"), 0, False))
    other = InstallSnapshot(term, part(2, 1, b"YZ"), 2, True)
    [(_, reply)] = sends(core.handle(Received(sender, other)))
    assert reply == InstallSnapshotReply(2, 2, 0, False)


def test_install_5_a_smaller_snapshot_in_progress_is_dropped() -> None:
    core = follower()
    installed(core, InstallSnapshot(1, part(2, 1, b"ab"), 0, False))
    assert installed(core, InstallSnapshot(1, part(5, 1, b"xy"), 0, True)).done
    assert core.snapshot == part(5, 1, b"xy")


def test_install_6_what_follows_the_same_last_entry_is_kept() -> None:
    core = follower(A, B, C, term=1)
    installed(core, InstallSnapshot(1, part(2, 1), 0, True))
    assert core.log == (C,)
    assert core.commit_index == 2


@pytest.mark.parametrize(("index", "term"), [(2, 2), (9, 1)])
def test_install_7_else_the_whole_log_is_discarded(index: int, term: int) -> None:
    core = follower(A, B, C, term=1)
    installed(core, InstallSnapshot(2, part(index, term), 0, True))
    assert core.log == ()
    assert core.last_index == core.commit_index == index


def test_install_8_the_state_machine_is_reset_once_the_snapshot_is_durable() -> None:
    core = follower(A, term=1)
    effects = core.handle(Received("b", InstallSnapshot(1, part(2, 1), 0, True)))
    kept = [effect for effect in effects if isinstance(effect, Persist | Restore | Send)]
    assert [type(effect) for effect in kept] == [Persist, Restore, Send]
    assert kept[1] == Restore(part(2, 1))
    assert core.configuration == ABC


def test_install_a_snapshot_of_what_is_committed_is_ignored() -> None:
    core = follower(A, B, term=1)
    core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    effects = core.handle(Received("b", InstallSnapshot(1, part(1, 1), 0, True)))
    assert sends(effects) == [("b", InstallSnapshotReply(1, 1, 0, True))]
    assert not of_kind(effects, Persist)
    assert not of_kind(effects, Restore)
    assert core.log == (A, B)


def test_install_gives_back_the_sessions() -> None:
    core = follower(options=Options(deduplicate=True))
    snapshot = Snapshot(3, 1, ABC, (("client", 7),), b"")
    core.handle(Received("b", InstallSnapshot(1, snapshot, 0, True)))
    assert core.sessions == {"client": 7}

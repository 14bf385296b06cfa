"""Reads without log entries: section 6.4 of Ongaro's dissertation."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.implementations.raft import (
    AddServer,
    AppendEntries,
    AppendEntriesReply,
    Apply,
    ApplyCommitted,
    ClientRequest,
    Clock,
    InstallSnapshotReply,
    Membership,
    Options,
    Raft,
    ReadFailed,
    ReadReady,
    ReadRequest,
    Reads,
    Received,
    RequestVote,
    TimedOut,
    Timer,
    TransferLeadership,
)
from quorate.tests.implementations.raft.cluster import follower, leader, of_kind, sends

HEARTBEAT = TimedOut(Timer.HEARTBEAT)


def reader(reads: Reads = Reads.READ_INDEX, **options: Any) -> Raft:
    """A leader of five, whose empty entry is committed."""
    core = leader(voters="abcde", reads=reads, **options)
    for peer in "bc":
        core.handle(Received(peer, AppendEntriesReply(1, True, 1)))
    assert core.commit_index == 1
    return core


def confirm(core: Raft, sender: str, number: int) -> list[Any]:
    reply = AppendEntriesReply(1, True, 1, round=number)
    return of_kind(core.handle(Received(sender, reply)), ReadReady)


def rounds(effects: tuple[Any, ...]) -> set[int]:
    return {m.round for _, m in sends(effects) if isinstance(m, AppendEntries)}


def test_a_read_waits_for_a_majority_that_answers_a_later_call() -> None:
    core = reader()
    core.handle(HEARTBEAT)
    [earlier] = rounds(core.handle(HEARTBEAT))
    [number] = rounds(core.handle(ReadRequest(7)))
    assert number == earlier + 1
    assert not confirm(core, "b", earlier)
    assert not confirm(core, "c", earlier)
    assert not confirm(core, "b", number)
    assert not confirm(core, "b", number)
    assert confirm(core, "c", number) == [ReadReady(7)]


def test_a_read_is_confirmed_by_answers_to_still_later_calls() -> None:
    core = reader()
    core.handle(ReadRequest(7))
    [number] = rounds(core.handle(ReadRequest(8)))
    assert not confirm(core, "b", number)
    assert confirm(core, "c", number) == [ReadReady(7), ReadReady(8)]


def test_a_refusal_within_the_term_confirms_too() -> None:
    core = reader()
    [number] = rounds(core.handle(ReadRequest(7)))
    core.handle(Received("d", AppendEntriesReply(1, False, 0, round=number)))
    effects = core.handle(Received("e", AppendEntriesReply(1, False, 0, round=number)))
    assert ReadReady(7) in effects


def test_a_refusal_of_an_old_term_confirms_nothing() -> None:
    """It says the follower's term; who called may lead in that one when the answer comes."""
    core = follower(term=5)
    [(_, reply)] = sends(core.handle(Received("c", AppendEntries(4, 0, 0, (), 0, round=3))))
    assert reply == AppendEntriesReply(5, False, 0, round=0)


def test_a_read_waits_for_a_commit_of_this_term() -> None:
    core = leader(reads=Reads.READ_INDEX)
    [number] = rounds(core.handle(ReadRequest(7)))
    reply = AppendEntriesReply(1, False, 0, round=number)
    assert ReadReady(7) not in core.handle(Received("b", reply))
    assert ReadReady(7) in core.handle(Received("b", AppendEntriesReply(1, True, 1)))


def test_a_read_waits_for_what_was_committed_to_be_applied() -> None:
    core = leader(voters="a", reads=Reads.READ_INDEX, lazy_apply=True)
    core.handle(ClientRequest(b"x"))
    assert not core.handle(ReadRequest(7))
    core.handle(ApplyCommitted())
    assert core.handle(ApplyCommitted())[1:] == (ReadReady(7),)


def test_the_state_machine_has_the_commands_before_the_read() -> None:
    core = leader(reads=Reads.READ_INDEX)
    core.handle(ClientRequest(b"x"))
    [number] = rounds(core.handle(ReadRequest(7)))
    effects = core.handle(Received("b", AppendEntriesReply(1, True, 2, round=number)))
    kinds = [type(effect) for effect in effects if isinstance(effect, Apply | ReadReady)]
    assert kinds == [Apply, ReadReady]


def test_reads_fail_with_the_leadership() -> None:
    core = reader()
    core.handle(ReadRequest(7))
    effects = core.handle(Received("c", RequestVote(2, 0, 0)))
    assert ReadFailed(7) in effects


def test_a_repeated_read_is_asked_for_anew() -> None:
    core = reader()
    [first] = rounds(core.handle(ReadRequest(7)))
    confirm(core, "b", first)
    [second] = rounds(core.handle(ReadRequest(7)))
    assert not confirm(core, "c", first)
    assert not confirm(core, "b", second)
    assert confirm(core, "d", second) == [ReadReady(7)]


def test_an_answer_to_a_snapshot_confirms_as_well() -> None:
    core = reader()
    [number] = rounds(core.handle(ReadRequest(7)))
    for peer in "de":
        effects = core.handle(Received(peer, InstallSnapshotReply(1, 1, 0, True, number)))
    assert ReadReady(7) in effects


# 6.4.1: leases


def leased(**options: Any) -> Raft:
    """A leader whose call at 1000 a majority has answered at 1050; the lease ends at 1090."""
    core = reader(Reads.LEASE, election_timeout=100, clock_drift=10, **options)
    core.handle(Clock(1000))
    [number] = rounds(core.handle(HEARTBEAT))
    core.handle(Clock(1050))
    confirm(core, "b", number)
    confirm(core, "c", number)
    return core


@pytest.mark.parametrize(("now", "answered"), [(1050, True), (1089, True), (1090, False)])
def test_a_lease_runs_from_the_call_and_ends_before_the_followers_promise(
    now: int, answered: bool
) -> None:
    core = leased()
    core.handle(Clock(now))
    assert (ReadReady(7) in core.handle(ReadRequest(7))) is answered


def test_a_lease_is_from_a_majority_of_the_members_of_now() -> None:
    core = leased(membership=Membership.SINGLE)
    core.handle(AddServer("f"))
    assert ReadReady(7) not in core.handle(ReadRequest(7)), "three of six promised"
    [number] = rounds(core.handle(HEARTBEAT))
    confirm(core, "d", number)
    assert ReadReady(8) in core.handle(ReadRequest(8))


def test_without_a_lease_a_read_asks() -> None:
    core = leased()
    core.handle(Clock(2000))
    [number] = rounds(core.handle(ReadRequest(7)))
    confirm(core, "d", number)
    assert confirm(core, "e", number) == [ReadReady(7)]
    assert ReadReady(8) in core.handle(ReadRequest(8))  # that was a new lease


def test_a_transfer_ends_the_lease_for_the_rest_of_the_term() -> None:
    """The election that it starts does not wait for anybody's promise."""
    core = leased()
    core.handle(TransferLeadership("b"))
    assert ReadReady(7) not in core.handle(ReadRequest(7))
    core.handle(TimedOut(Timer.TRANSFER))
    [number] = rounds(core.handle(HEARTBEAT))
    confirm(core, "b", number)
    confirm(core, "c", number)
    assert ReadReady(8) not in core.handle(ReadRequest(8))


def test_followers_with_leases_are_sticky() -> None:
    assert Options(reads=Reads.LEASE).sticky
    assert not Options(reads=Reads.READ_INDEX).sticky

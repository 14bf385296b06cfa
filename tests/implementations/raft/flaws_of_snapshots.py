"""Scenarios in which flaws of snapshots show."""

from __future__ import annotations

from typing import Any

from quorate.implementations.raft import (
    AlreadyApplied,
    AppendEntries,
    Apply,
    ClientRequest,
    Compact,
    Configuration,
    Flaw,
    InstallSnapshot,
    Membership,
    Persist,
    Raft,
    Received,
    RemoveServer,
    RequestVote,
    Snapshot,
)
from quorate.tests.implementations.raft.cluster import (
    ACKS,
    APPENDS,
    ASKS,
    INSTALLED,
    INSTALLS,
    Cluster,
    entry,
    of_kind,
    sends,
)
from quorate.tests.implementations.raft.flaw_cases import shows

ABC = Configuration.of("123")


def three_with_a_snapshot(c: Cluster) -> None:
    """S1 leads term 1, has a snapshot of entry 1; S3 has installed it and has entry 2."""
    c.elect(1, 2)
    c.request(1, "e1")
    c.copy(1, 2)
    c.step(1, Compact(1, b"state"))
    c.replicate(1, 3)
    c.deliver(INSTALLS, 1, 3, keep=True)
    c.deliver(INSTALLED, 3, 1)
    c.request(1, "e2")
    c.copy(1, 3)
    c.heartbeat(1, 3)
    c.deliver(APPENDS, 1, 3)
    assert c[3].commit_index == 2


@shows(
    Flaw.SNAPSHOT_DROPS_SUFFIX,
    ["e2"],
    [],
    together=frozenset({Flaw.SNAPSHOT_IGNORES_COMMIT_CHECK}),
)
def snapshot_comes_twice(c: Cluster) -> object:
    three_with_a_snapshot(c)
    c.deliver(INSTALLS, 1, 3)
    return c.data(3)


@shows(
    Flaw.SNAPSHOT_IGNORES_COMMIT_CHECK,
    [],
    ["e2"],
    together=frozenset({Flaw.SNAPSHOT_DROPS_SUFFIX}),
)
def what_a_repeated_snapshot_takes(c: Cluster) -> object:
    three_with_a_snapshot(c)
    before = c.data(3)
    c.deliver(INSTALLS, 1, 3)
    return [data for data in before if data not in c.data(3)]


@shows(Flaw.SNAPSHOT_MOVES_COMMIT_BACK, (2, 2), (1, 1))
def snapshot_comes_late(c: Cluster) -> object:
    three_with_a_snapshot(c)
    c.deliver(INSTALLS, 1, 3)
    return c[3].commit_index, c[3].last_applied


def install(core: Raft, term: int, index: int, last_term: int) -> list[Any]:
    part = Snapshot(index, last_term, ABC, (), b"state")
    return of_kind(core.handle(Received("1", InstallSnapshot(term, part, 0, True))), Persist)


@shows(Flaw.SNAPSHOT_SETS_TERM, 5, 1)
def snapshot_of_an_old_term(c: Cluster) -> object:
    install(c[3], 5, 2, 1)
    return c[3].current_term


@shows(Flaw.SNAPSHOT_BOUNDARY_OFF_BY_ONE, InstallSnapshot, (), options={"max_batch": 1})
def follower_lacks_the_last_entry_of_the_snapshot(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "a")
    c.request(1, "b")
    c.copy(1, 3)
    c.copy(1, 2)
    c.copy(1, 2)
    c.step(1, Compact(2, b"state"))
    c.replicate(1, 3)
    [message] = [
        message
        for sender, to, message in c.flying
        if (sender, to) == ("1", "3") and not isinstance(message, RequestVote)
    ]
    return message.entries if isinstance(message, AppendEntries) else type(message)


@shows(Flaw.PREV0_ALWAYS_MATCHES, 0, 1)
def previous_term_is_unknown(c: Cluster) -> object:
    core = c[3]
    core.handle(Received("1", AppendEntries(1, 0, 0, (entry(1, "a"), entry(1, "b")), 0)))
    core.handle(Received("2", AppendEntries(2, 1, 0, (), 1)))
    return core.commit_index


@shows(Flaw.SNAPSHOT_KEEPS_CONFLICT, True, False)
def snapshot_of_another_entry(c: Cluster) -> object:
    core = c[3]
    core.handle(Received("2", AppendEntries(1, 0, 0, (entry(1, "a"), entry(1, "b")), 0)))
    install(core, 3, 2, 2)
    [(_, reply)] = sends(core.handle(Received("1", AppendEntries(3, 2, 2, (), 2))))
    assert isinstance(reply, ACKS)
    return reply.success


@shows(Flaw.LAST_LOG_TERM_ZERO_AFTER_COMPACTION, (1, 1), (1, 0))
def candidate_with_nothing_but_a_snapshot(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "a")
    c.copy(1, 2)
    c.step(1, Compact(1, b"state"))
    c.restart(1)
    c.forget()
    c.time_out(1)
    request = c.take(ASKS, 1, 2)
    assert isinstance(request, RequestVote)
    return request.last_log_index, request.last_log_term


@shows(
    Flaw.SNAPSHOT_WITHOUT_CONFIGURATION,
    ("1", "3"),
    ("1", "2", "3"),
    options={"membership": Membership.SINGLE, "no_op": False},
)
def snapshot_covers_a_change_of_members(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "a")
    c.copy(1, 3)
    c.step(1, RemoveServer("2"))
    c.copy(1, 3)
    assert c[1].commit_index == 2
    c.step(1, Compact(2, b"state"))
    return c[1].configuration.voters


@shows(
    Flaw.SNAPSHOT_WITHOUT_SESSIONS,
    [Apply, AlreadyApplied, AlreadyApplied],
    [Apply, Apply, Apply, AlreadyApplied],
    servers=1,
    options={"deduplicate": True},
)
def client_asks_again_behind_a_snapshot(c: Cluster) -> object:
    c.time_out(1)
    request = ClientRequest(b"x", "client", 1)
    effects = c.step(1, request)
    c.step(1, Compact(1, b"state"))
    effects += c.step(1, request)
    c.restart(1)
    c.time_out(1)
    effects += c.step(1, request)
    return [type(effect) for effect in effects if isinstance(effect, Apply | AlreadyApplied)]

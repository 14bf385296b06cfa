"""Scenarios in which flaws of reads and leases show."""

from __future__ import annotations

from quorate.implementations.raft import (
    Flaw,
    ReadReady,
    ReadRequest,
    Reads,
    Timer,
)
from quorate.tests.implementations.raft.cluster import (
    ACKS,
    APPENDS,
    ASKS,
    Cluster,
)
from quorate.tests.implementations.raft.flaw_cases import shows

READ_INDEX = {"reads": Reads.READ_INDEX}
LEASE = {"reads": Reads.LEASE, "election_timeout": 100, "clock_drift": 10}
READ = ReadRequest(7)


def answered(c: Cluster) -> bool:
    """Whether the last step answered the read."""
    return ReadReady(7) in c.effects


@shows(Flaw.LOCAL_READ_AT_LEADER, False, True, options=READ_INDEX)
def deposed_leader_reads(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2)
    c.elect(2, 3)
    c.request(2, "x")
    c.copy(2, 3, entries=False)
    c.copy(2, 3)
    assert c[2].commit_index == 3
    c.step(1, READ)
    return answered(c)


@shows(
    Flaw.READINDEX_WITHOUT_CURRENT_TERM_COMMIT,
    (0, False),
    (0, True),
    options={**READ_INDEX, "no_op": False},
)
def new_leader_reads(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "e")
    c.copy(1, 2)
    assert c[1].commit_index == 1
    c.elect(2, 1)
    c.step(2, READ)
    c.copy(2, 3, entries=False)
    return c[2].commit_index, answered(c)


@shows(Flaw.READINDEX_ACK_REUSED, False, True, options=READ_INDEX)
def answer_to_the_first_attempt(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2)
    c.step(1, READ)
    c.heartbeat(1, 2)
    c.deliver(APPENDS, 1, 2)
    first = c.take(ACKS, 2, 1)
    c.elect(2, 3)
    c.copy(2, 3, entries=False)
    c.copy(2, 3)
    assert c[2].commit_index == 2
    c.step(1, READ)
    c.late(first, 2, 1)
    return answered(c)


@shows(Flaw.READ_BEFORE_QUORUM_ACK, False, True, options=READ_INDEX)
def leader_asks_nobody(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2)
    c.step(1, READ)
    return answered(c)


def lease(c: Cluster, *, acknowledged: int, read: int) -> bool:
    """A call at 0, its answer later; whether a read then is answered from the lease."""
    c.elect(1, 2)
    c.copy(1, 2)
    c.time_out(1, Timer.HEARTBEAT)
    c.deliver(APPENDS, 1, 2)
    c.clock(1, acknowledged)
    c.deliver(ACKS, 2, 1)
    c.clock(1, read)
    c.step(1, READ)
    return answered(c)


@shows(Flaw.LEASE_IGNORES_SKEW, False, True, options=LEASE)
def clock_may_be_slow(c: Cluster) -> object:
    return lease(c, acknowledged=1, read=95)


@shows(Flaw.LEASE_FROM_ACK_TIME, False, True, options=LEASE)
def answer_takes_long(c: Cluster) -> object:
    return lease(c, acknowledged=50, read=95)


@shows(Flaw.NO_STICKINESS, 1, 2, options={"stickiness": True})
def follower_of_a_live_leader_is_asked(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2, entries=False)
    c.time_out(3)
    c.forget()
    c.time_out(3)
    c.deliver(ASKS, 3, 2)
    return c[2].current_term

"""Scenarios in which flaws of changes of members show."""

from __future__ import annotations

from quorate.implementations.raft import (
    AddServer,
    ApplyCommitted,
    Flaw,
    LocalError,
    Membership,
    Reconfigure,
    RemoveServer,
    Role,
)
from quorate.tests.implementations.raft.cluster import (
    Cluster,
)
from quorate.tests.implementations.raft.flaw_cases import shows

SINGLE = {"membership": Membership.SINGLE}


def error_of(c: Cluster, event: AddServer | RemoveServer) -> bool:
    try:
        c.step(1, event)
    except LocalError:
        return True
    return False


@shows(
    Flaw.CONFIG_BEFORE_OWN_TERM_COMMIT,
    True,
    False,
    servers=4,
    options={**SINGLE, "no_op": False},
)
def change_before_a_commit(c: Cluster) -> object:
    c.elect(1, 2, 3)
    return error_of(c, RemoveServer("2"))


@shows(
    Flaw.CONFIG_AT_APPLY_TIME_WITHOUT_GUARD,
    (Role.FOLLOWER, {1: {"1"}}),
    (Role.LEADER, {1: {"1"}, 2: {"2"}}),
    options={**SINGLE, "configuration_at_apply": True, "lazy_apply": True},
)
def two_removed_servers_elect_each_other(c: Cluster) -> object:
    c.elect(1, 2)
    for removed in ("3", "2"):
        c.copy(1, 2)
        c.step(1, ApplyCommitted())
        c.step(1, RemoveServer(removed))
    c.copy(1, 2)
    assert c[2].commit_index == 2
    assert c[2].last_applied == 0
    c.time_out(2)
    if c[2].role is Role.CANDIDATE:
        c.vote(2, 3)
    return c[2].role, c.led


@shows(
    Flaw.JOINT_QUORUM_OVER_UNION,
    None,
    {"4"},
    servers=5,
    options={"membership": Membership.JOINT, "voters": 3},
)
def majority_of_all(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2)
    c.step(1, Reconfigure(("3", "4", "5")))
    for follower in (3, 4):
        while c[1].match_index[str(follower)] < 2:
            c.copy(1, follower, entries=False)
            if c[1].next_index[str(follower)] <= 2:
                c.copy(1, follower)
    c.elect(4, 3, 5)
    return c.led.get(2)


@shows(Flaw.IDENTITY_REUSED_AFTER_WIPE, True, False, options=SINGLE)
def removed_server_comes_back(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2)
    c.step(1, RemoveServer("3"))
    c.copy(1, 2)
    assert c[1].commit_index == 2
    return error_of(c, AddServer("3"))


@shows(Flaw.PREMATURE_RETIREMENT, Role.LEADER, Role.FOLLOWER, options=SINGLE)
def leader_removes_itself(c: Cluster) -> object:
    c.elect(1, 2)
    c.copy(1, 2)
    c.step(1, RemoveServer("1"))
    return c[1].role

"""Scenarios in which flaws of replication and commitment show."""

from __future__ import annotations

from quorate.implementations.raft import (
    AlreadyApplied,
    Apply,
    ClientRequest,
    Flaw,
)
from quorate.tests.implementations.raft.cluster import (
    ACKS,
    APPENDS,
    ASKS,
    VOTES,
    Cluster,
)
from quorate.tests.implementations.raft.flaw_cases import shows


@shows(Flaw.COMMIT_ANY_TERM, (0, {"2"}), (1, {"2"}))
def figure_8(c: Cluster) -> object:
    c.time_out(1)
    c.take(ASKS, 1, 3)
    c.deliver(ASKS, 1, 2)
    c.time_out(2)
    c.deliver(VOTES, 2, 1)
    c.request(1, "a")
    c.deliver(ASKS, 2, 1)
    c.time_out(1)
    c.vote(2, 3)
    c.request(2, "b")
    c.deliver(ASKS, 1, 2)
    c.time_out(2)
    c.vote(1, 3)
    c.copy(1, 3, entries=False)
    c.copy(1, 3)
    committed = c[1].commit_index
    c.take(VOTES, 1, 2)  # the refusal in term 2
    c.vote(2, 1)
    assert c.data(2) == ["b"]
    return committed, c.led[4]


@shows(Flaw.TRUNCATE_UNCONDITIONALLY, ["e"], [])
def an_empty_message_comes_late(c: Cluster) -> object:
    c.elect(1, 2)
    c.heartbeat(1, 2)
    early = c.take(APPENDS, 1, 2)
    c.request(1, "e")
    c.replicate(1, 2)
    c.deliver(APPENDS, 1, 2)
    c.late(early, 1, 2)
    return c.data(2)


def different_first_entries(c: Cluster) -> None:
    """S1 has a of term 1, S2 leads term 2 and has b."""
    c.elect(1, 3)
    c.request(1, "a")
    c.time_out(2)
    c.forget()
    c.elect(2, 3)
    c.request(2, "b")


@shows(Flaw.NO_PREVLOG_TERM_CHECK, ["b"], ["b", "c"])
def another_entry_comes_before(c: Cluster) -> object:
    different_first_entries(c)
    c.restart(1)
    c.time_out(1)
    c.forget()
    c.elect(1, 3)
    c.request(1, "c")
    c.replicate(1, 2)
    c.deliver(APPENDS, 1, 2)
    return c.data(2)


@shows(Flaw.COMMIT_MIN_OWN_LOG, (["a"], 0), (["a"], 1))
def heartbeat_to_a_different_log(c: Cluster) -> object:
    different_first_entries(c)
    c.copy(2, 3)
    assert c[2].commit_index == 1
    c.heartbeat(2, 1)
    c.deliver(APPENDS, 2, 1)
    return c.data(1), c[1].commit_index


@shows(Flaw.COMMIT_NOT_MONOTONIC, 1, 0)
def old_heartbeat_comes_late(c: Cluster) -> object:
    c.elect(1, 2)
    c.heartbeat(1, 2)
    early = c.take(APPENDS, 1, 2)
    c.request(1, "x")
    c.copy(1, 2)
    c.heartbeat(1, 2)
    c.deliver(APPENDS, 1, 2)
    c.late(early, 1, 2)
    return c[2].commit_index


@shows(Flaw.MATCH_NOT_MONOTONIC, 2, 1)
def answers_out_of_order(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "x")
    c.replicate(1, 2)
    c.deliver(APPENDS, 1, 2)
    first = c.take(ACKS, 2, 1)
    c.request(1, "y")
    c.copy(1, 2)
    c.late(first, 2, 1)
    return c[1].match_index["2"]


@shows(Flaw.ACK_OWN_LAST_INDEX, (0, 0), (1, 1))
def heartbeat_before_another_log_is_replaced(c: Cluster) -> object:
    c.elect(1, 3)
    c.request(1, "a")
    c.time_out(2)
    c.forget()
    c.elect(2, 3)
    c.heartbeat(2, 1)
    c.request(2, "b")
    c.deliver(APPENDS, 2, 1)
    c.deliver(ACKS, 1, 2)
    return c[2].match_index["1"], c[2].commit_index


@shows(Flaw.NACK_ADVANCES_MATCH, 0, 1)
def refusal_of_another_log(c: Cluster) -> object:
    different_first_entries(c)
    c.copy(2, 3)
    c.elect(3, 2)
    c.request(3, "z")
    c.copy(3, 1)
    return c[3].match_index["1"]


@shows(Flaw.STALE_TERM_APPEND_ACCEPTED, [], ["e"])
def append_after_a_later_vote(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "e")
    c.replicate(1, 3)
    c.time_out(2)
    c.deliver(ASKS, 2, 3)
    c.deliver(APPENDS, 1, 3)
    return c.data(3)


@shows(Flaw.STALE_APPEND_REPLY_ACCEPTED, 0, 2, servers=5)
def answer_to_an_earlier_leadership(c: Cluster) -> object:
    c.elect(1, 2, 3)
    c.request(1, "a")
    c.request(1, "b")
    c.replicate(1, 2)
    c.deliver(APPENDS, 1, 2)
    c.time_out(4)
    c.take(ASKS, 4, 1)
    c.time_out(4)
    c.deliver(ASKS, 4, 1)
    c.take(ASKS, 1, 4)
    c.elect(1, 2, 3)
    assert c.led[3] == {"1"}
    c.deliver(ACKS, 2, 1)
    return c[1].match_index["2"]


@shows(Flaw.ACK_BEFORE_FSYNC, (1, ["e"]), (1, []))
def follower_restarts_after_its_answer(c: Cluster) -> object:
    c.elect(1, 2)
    c.request(1, "e")
    c.copy(1, 3)
    c.restart(3)
    return c[1].commit_index, c.data(3)


def entries_of_two_terms(c: Cluster) -> None:
    """S1 leads term 2, with an entry of term 1 that nobody else has."""
    c.elect(1, 3)
    c.request(1, "a")
    c.restart(1)
    c.elect(1, 3)


@shows(Flaw.COMMIT_SCAN_BREAKS_ON_OLD_TERM, 2, 0)
def old_entry_before_a_new_one(c: Cluster) -> object:
    entries_of_two_terms(c)
    c.request(1, "b")
    c.copy(1, 3)
    c.copy(1, 3)
    return c[1].commit_index


@shows(Flaw.NEXT_LE_MATCH, (2, 1), (1, 1))
def refusal_comes_late(c: Cluster) -> object:
    entries_of_two_terms(c)
    c.heartbeat(1, 2)
    c.deliver(APPENDS, 1, 2)
    refusal = c.take(ACKS, 2, 1)
    c.copy(1, 2, entries=False)
    c.copy(1, 2)
    c.late(refusal, 2, 1)
    return c[1].next_index["2"], c[1].match_index["2"]


@shows(
    Flaw.NO_CLIENT_DEDUP,
    [Apply, AlreadyApplied],
    [Apply, Apply],
    servers=1,
    options={"deduplicate": True},
)
def client_asks_twice(c: Cluster) -> object:
    c.time_out(1)
    request = ClientRequest(b"x", "client", 1)
    effects = [*c.step(1, request), *c.step(1, request)]
    return [type(effect) for effect in effects if isinstance(effect, Apply | AlreadyApplied)]

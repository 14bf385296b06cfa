"""A test for each sentence of "Paxos Made Simple" (Lamport 2001), section 3, told in our words.

What the section says of changes of the set of servers is not implemented.
"""

from __future__ import annotations

import pytest

from quorate.implementations.multi_paxos import (
    Accept,
    Accepted,
    Ballot,
    Behind,
    Checkpoint,
    Chosen,
    Execute,
    Forward,
    Heartbeat,
    Message,
    Noop,
    Options,
    Persist,
    Prepare,
    Promise,
    PromiseRecord,
    Received,
    Refused,
    Repeated,
    Restore,
    Role,
    Send,
    SetTimer,
    Snapshot,
    Submit,
    TakeOver,
    TimedOut,
    Timer,
    Unavailable,
    Vote,
)
from quorate.tests.implementations.multi_paxos.cluster import Cluster, among, command, sent

ABC = "a b c"


def led(options: Options | None = None) -> Cluster:
    """Three replicas, led by a."""
    cluster = Cluster(ABC, options)
    cluster.elect("a")
    return cluster


def slots(cluster: Cluster, name: str) -> list[int]:
    return [slot for slot, _ in cluster.executed[name]]


def test_all_replicas_execute_the_same_commands_in_the_same_order() -> None:
    """Section 3: each server is a state machine; they go through the same sequence."""
    cluster = led()
    for number in (1, 2, 3):
        cluster.submit("a", command(number))
        cluster.deliver()
    expected = [(number, command(number)) for number in (1, 2, 3)]
    assert all(cluster.executed[name] == expected for name in cluster.members)


def test_clients_commands_go_to_the_leader_which_gives_them_slots() -> None:
    """Section 3: clients send commands to the leader, which decides where each appears."""
    cluster = led()
    assert sent(cluster.submit("b", command(1))) == [("a", Forward(command(1)))]
    cluster.deliver()
    assert cluster.executed["b"] == [(1, command(1))]


def test_if_the_leader_wants_a_command_in_a_slot_it_may_fail() -> None:
    """Section 3: it may fail because another server believes that it is the leader."""
    cluster = led()
    cluster.feed("b", TakeOver())
    cluster.deliver(among("b", "c"))
    cluster.submit("a", command(1))
    cluster.deliver(lambda sender, to, message: "b" not in (sender, to))
    assert cluster.cores["a"].role is Role.FOLLOWING
    assert cluster.executed["a"] == []
    cluster.submit("b", command(1, "d"))
    cluster.deliver()
    assert cluster.executed["b"] == [(1, command(1, "d"))]


def gaps() -> Cluster:
    """The section's example, with slots 1 to 6 for 135 to 140, at an acceptor that reports.

    c knows that 4 and 5 are chosen; b reports votes in 1 and 6.
    """
    cluster = Cluster(ABC)
    ballot = Ballot(0, "a")
    for slot in (1, 6):
        cluster.feed("b", Received("a", Accept(ballot, slot, command(slot))))
    for slot in (4, 5):
        cluster.feed("c", Received("a", Chosen(slot, command(slot))))
    cluster.flying.clear()
    cluster.feed("c", TakeOver(1))
    return cluster


def test_a_new_leader_executes_phase_1_of_all_slots_that_it_does_not_know() -> None:
    """Section 3: of 135-137 and of all above 139, in one message."""
    cluster = gaps()
    assert [packet[2] for packet in cluster.flying] == [Prepare(Ballot(1, "c"), 1)] * 2


def test_an_acceptor_answers_for_all_slots_at_once() -> None:
    """Section 3: with more than an OK only for slots in which it has accepted something."""
    cluster = gaps()
    (answer,) = sent(cluster.feed("b", Received("c", Prepare(Ballot(1, "c"), 1))))
    votes = tuple((slot, Vote(Ballot(0, "a"), command(slot))) for slot in (1, 6))
    assert answer == ("c", Promise(Ballot(1, "c"), votes))
    (other,) = sent(cluster.feed("a", Received("c", Prepare(Ballot(1, "c"), 1))))
    assert other == ("c", Promise(Ballot(1, "c"), ()))
    (later,) = sent(cluster.feed("b", Received("c", Prepare(Ballot(1, "c"), 2))))
    assert isinstance(later[1], Promise)
    assert later[1].votes == votes[1:]


def test_it_proposes_what_is_reported_and_no_ops_in_the_gaps() -> None:
    """Section 3: phase 2 of 135 and 140 with the reported values, 136 and 137 with no-ops."""
    cluster = gaps()
    cluster.deliver(among("b", "c"))
    proposals = {
        message.slot: message.value
        for effect in cluster.effects["c"]
        if isinstance(effect, Send) and isinstance(message := effect.message, Accept)
    }
    assert proposals == {1: command(1), 2: Noop(), 3: Noop(), 6: command(6)}


def test_commands_behind_a_gap_wait_until_it_is_filled() -> None:
    """Section 3: 138 to 140 are not executed while 136 and 137 are not chosen."""
    cluster = gaps()
    cluster.deliver(
        lambda sender, to, m: (
            among("b", "c")(sender, to, m) and not (isinstance(m, Accept) and m.slot in (2, 3))
        )
    )
    assert cluster.cores["c"].ledger.prefix == 1
    assert slots(cluster, "c") == [1]
    cluster.feed("c", TimedOut(Timer.HEARTBEAT))  # asks for the missing votes again
    cluster.deliver(among("b", "c"))
    assert slots(cluster, "c") == [1, 4, 5, 6]
    assert cluster.cores["c"].ledger.executed == 6


def test_the_next_command_gets_the_next_slot_without_phase_1() -> None:
    """Section 3: having completed phase 1 for all slots above, the leader is free to propose."""
    cluster = gaps()
    cluster.deliver(among("b", "c"))
    effects = cluster.submit("c", command(7))
    assert [m for _, m in sent(effects)] == [Accept(Ballot(1, "c"), 7, command(7))] * 2


def test_a_leader_proposes_before_it_knows_that_earlier_slots_are_chosen() -> None:
    """Section 3: it can propose 142 before it learns that 141 is chosen, and 141 may be lost."""
    cluster = led()
    cluster.submit("a", command(1))
    cluster.flying.clear()
    cluster.submit("a", command(1, "d"))
    cluster.deliver()
    leader = cluster.cores["a"]
    assert leader.ledger.chosen == {2: command(1, "d")}
    assert slots(cluster, "a") == []
    cluster.feed("a", TimedOut(Timer.HEARTBEAT))
    cluster.deliver()
    assert slots(cluster, "a") == slots(cluster, "b") == [1, 2]


def test_a_new_leader_fills_the_gap_that_the_old_one_left() -> None:
    """Section 3: messages of 141 are lost, 142 is chosen, and the leader fails."""
    cluster = led()
    cluster.submit("a", command(1))
    cluster.flying.clear()
    cluster.submit("a", command(1, "d"))
    cluster.deliver()
    cluster.feed("b", TakeOver())
    cluster.deliver(among("b", "c"))
    assert cluster.cores["b"].ledger.chosen == {1: Noop(), 2: command(1, "d")}
    assert cluster.executed["c"] == [(2, command(1, "d"))]


def test_a_leader_is_ahead_by_a_window_at_most() -> None:
    """Section 3: it can get alpha commands ahead; a gap has at most alpha - 1 slots."""
    cluster = led(Options(window=2))
    for number, client in enumerate("vwxyz", 1):
        cluster.submit("a", command(1, client))
        assert len(cluster.cores["a"].waiting) == max(0, number - 2)
    cluster.deliver()
    assert [one.client for _, one in cluster.executed["a"]] == list("vwxyz")
    assert cluster.cores["a"].waiting == ()


def test_in_the_steady_state_a_command_costs_phase_2_only() -> None:
    """Section 3: the cost of a command is that of phase 2, which is minimal."""
    cluster = led()
    for name in cluster.members:
        cluster.effects[name].clear()
    cluster.submit("a", command(1))
    cluster.deliver()
    kinds = [type(m) for name in cluster.members for _, m in sent(cluster.effects[name])]
    assert (
        sorted(kind.__name__ for kind in kinds)
        == ["Accept"] * 2 + ["Accepted"] * 2 + ["Chosen"] * 2
    )


def test_without_a_leader_no_command_is_proposed() -> None:
    """Section 3: if election fails, nothing new is proposed."""
    cluster = Cluster(ABC)
    assert cluster.submit("a", command(1)) == (Unavailable(command(1)),)
    cluster.feed("a", TimedOut(Timer.ELECTION))
    cluster.submit("a", command(1))
    assert cluster.cores["a"].role is Role.PREPARING
    assert cluster.cores["a"].waiting == (command(1),)
    assert all(isinstance(packet[2], Prepare) for packet in cluster.flying)


def test_two_leaders_prevent_progress_and_nothing_else() -> None:
    """Section 3: several that believe to be leaders can keep values from being chosen."""
    cluster = Cluster(ABC)
    late: list[tuple[str, str, Message]] = []

    def hold_back(sender: str, to: str, message: Message) -> bool:
        if isinstance(message, Accept):
            late.append((sender, to, message))
        return isinstance(message, Prepare | Promise)

    for name in "ababab":
        stale = late.copy()
        late.clear()
        cluster.feed(name, TakeOver())
        cluster.deliver(hold_back)  # to the old leader too, which gives way
        for sender, to, message in stale:
            ((_, answer),) = sent(cluster.feed(to, Received(sender, message)))
            assert isinstance(answer, Refused)
        cluster.flying.clear()
        cluster.submit(name, command(1, name))
        late += [packet for packet in cluster.flying if isinstance(packet[2], Accept)]
        cluster.flying.clear()
    assert all(core.ledger.prefix == 0 for core in cluster.cores.values())


# How leaders are found, and what else the section leaves open


def test_a_replica_that_hears_of_no_leader_becomes_one() -> None:
    cluster = led()
    cluster.submit("a", command(1))
    cluster.deliver()
    cluster.feed("b", TimedOut(Timer.ELECTION))
    cluster.deliver()
    assert cluster.cores["b"].role is Role.LEADING
    assert cluster.cores["a"].role is Role.FOLLOWING
    assert {core.leader for core in cluster.cores.values()} == {"b"}
    assert sent(cluster.submit("a", command(2))) == [("b", Forward(command(2)))]


def test_a_heartbeat_puts_off_the_next_election() -> None:
    cluster = led()
    ballot = cluster.cores["a"].ledger.max_bal
    assert ballot is not None
    effects = cluster.feed("b", Received("a", Heartbeat(ballot, 0)))
    assert effects == (SetTimer(Timer.ELECTION),)


def test_an_old_leader_hears_that_it_is_one() -> None:
    cluster = led()
    cluster.feed("b", TakeOver())
    cluster.deliver(among("b", "c"))
    (beat,) = [
        m
        for to, m in sent(cluster.feed("a", TimedOut(Timer.HEARTBEAT)))
        if to == "c" and isinstance(m, Heartbeat)
    ]
    refusal = Refused(beat.ballot, Ballot(1, "b"))
    assert sent(cluster.feed("c", Received("a", beat))) == [("a", refusal)]
    cluster.feed("a", Received("c", refusal))
    assert cluster.cores["a"].role is Role.FOLLOWING


def test_a_candidate_asks_again_those_who_have_not_answered() -> None:
    cluster = Cluster("a b c d e")
    cluster.feed("a", TimedOut(Timer.ELECTION))
    ballot = Ballot(0, "a")
    cluster.feed("a", Received("b", Promise(ballot, ())))
    effects = cluster.feed("a", TimedOut(Timer.ELECTION))
    assert sent(effects) == [(name, Prepare(ballot, 1)) for name in "cde"]
    assert effects[-1] == SetTimer(Timer.ELECTION)


def test_a_refused_candidate_tries_above_what_it_was_refused_for() -> None:
    cluster = Cluster(ABC)
    cluster.feed("a", TimedOut(Timer.ELECTION))
    refusal = Refused(Ballot(0, "a"), Ballot(7, "b"))
    assert cluster.feed("a", Received("b", refusal)) == (SetTimer(Timer.ELECTION),)
    effects = cluster.feed("a", TimedOut(Timer.ELECTION))
    assert effects[0] == Persist(PromiseRecord(Ballot(8, "a")), forced=True)


def test_what_waits_at_a_leader_that_gives_way_is_unavailable() -> None:
    cluster = led(Options(window=1))
    cluster.submit("a", command(1))
    cluster.submit("a", command(1, "d"))
    effects = cluster.feed("a", Received("b", Prepare(Ballot(5, "b"), 1)))
    assert Unavailable(command(1, "d")) in effects
    assert cluster.cores["a"].waiting == ()


def test_a_replica_that_votes_not_may_lead() -> None:
    """Proposers and acceptors are roles; one process need not play both (section 2)."""
    cluster = Cluster("p a b c", acceptors="a b c")
    cluster.elect("p")
    cluster.submit("p", command(1))
    cluster.deliver()
    assert cluster.cores["p"].ledger.votes == {}
    assert all(executed == [(1, command(1))] for executed in cluster.executed.values())


# Clients


def test_a_command_is_executed_once_however_often_it_is_submitted() -> None:
    cluster = led()
    cluster.submit("a", command(1))
    assert sent(cluster.submit("a", command(1))) == []
    cluster.deliver()
    assert cluster.submit("a", command(1)) == (Repeated(command(1)),)
    assert cluster.executed["a"] == [(1, command(1))]


def test_a_command_chosen_in_two_slots_is_executed_in_the_first() -> None:
    cluster = Cluster(ABC)
    for slot in (1, 2):
        effects = cluster.feed("b", Received("a", Chosen(slot, command(1))))
    assert effects[-1] == Repeated(command(1))
    assert cluster.executed["b"] == [(1, command(1))]
    assert cluster.cores["b"].ledger.executed == 2


def test_a_command_that_is_chosen_and_waits_is_not_proposed_again() -> None:
    cluster = led()
    cluster.submit("a", command(1, "d"))
    cluster.flying.clear()
    cluster.submit("a", command(1))
    cluster.deliver()
    assert cluster.cores["a"].ledger.chosen == {2: command(1)}
    assert cluster.submit("a", command(1)) == ()


def test_a_forwarded_command_is_not_forwarded_again() -> None:
    cluster = led()
    assert cluster.feed("b", Received("c", Forward(command(1)))) == ()


# Lagging replicas


def lagging(options: Options | None = None, commands: int = 5) -> Cluster:
    """Three replicas led by a; c has missed some commands."""
    cluster = led(options)
    for number in range(1, commands + 1):
        cluster.submit("a", command(number))
        cluster.deliver(among("a", "b"))
    return cluster


def beat(cluster: Cluster) -> None:
    cluster.feed("a", TimedOut(Timer.HEARTBEAT))
    cluster.deliver()


def test_a_replica_that_lags_asks_and_catches_up() -> None:
    cluster = lagging()
    cluster.feed("a", TimedOut(Timer.HEARTBEAT))
    cluster.deliver()
    assert ("a", Behind(0)) in sent(cluster.effects["c"])
    assert cluster.executed["c"] == cluster.executed["a"]


def test_it_catches_up_some_slots_at_a_time() -> None:
    cluster = lagging(Options(batch=2))
    for expected in (2, 4, 5):
        beat(cluster)
        assert cluster.cores["c"].ledger.executed == expected


def test_a_checkpoint_stands_for_the_log_below() -> None:
    cluster = lagging()
    cluster.feed("a", Checkpoint(4, "after 4"))
    ledger = cluster.cores["a"].ledger
    assert sorted(ledger.chosen) == sorted(ledger.votes) == [5]
    assert ledger.checkpoint == Snapshot(4, "after 4", (("c", 4),))
    beat(cluster)
    assert Restore(4, "after 4") in cluster.effects["c"]
    assert cluster.executed["c"] == [(5, command(5))]
    assert cluster.cores["c"].ledger.sessions == {"c": 5}
    assert Execute(1, command(1)) not in cluster.effects["c"]


def test_a_leader_learns_from_a_checkpoint_what_nobody_reports() -> None:
    """Slots below a checkpoint are chosen: they are asked for, never filled with no-ops."""
    cluster = lagging()
    for name in "ab":
        cluster.feed(name, Checkpoint(5 if name == "a" else 4, "state"))
    cluster.feed("c", TakeOver())
    cluster.deliver(among("b", "c"))
    leader = cluster.cores["c"]
    assert leader.role is Role.LEADING
    assert leader.ledger.executed == 5
    accepts = [m for _, m in sent(cluster.effects["c"]) if isinstance(m, Accept)]
    assert all(message.slot > 4 and message.value == command(5) for message in accepts)


def test_the_question_of_a_leader_that_lags_is_repeated() -> None:
    cluster = lagging()
    cluster.feed("b", Checkpoint(5, "state"))
    cluster.feed("c", TakeOver())
    cluster.deliver(lambda s, t, m: among("b", "c")(s, t, m) and not isinstance(m, Behind))
    assert cluster.cores["c"].ledger.executed == 0
    cluster.feed("c", TimedOut(Timer.HEARTBEAT))
    cluster.deliver(among("b", "c"))
    assert cluster.cores["c"].ledger.executed == 5


def test_an_old_accept_request_below_the_checkpoint_gets_the_checkpoint() -> None:
    cluster = led()
    cluster.submit("a", command(1))
    (request,) = [p for p in cluster.flying if p[1] == "b" and isinstance(p[2], Accept)]
    cluster.deliver()
    cluster.feed("b", Checkpoint(1, "state"))
    effects = cluster.feed("b", Received("a", request[2]))
    assert sent(effects) == [("a", Snapshot(1, "state", (("c", 1),)))]
    assert not any(isinstance(m, Accepted) for _, m in sent(effects))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_slot_is_chosen_by_a_majority(count: int) -> None:
    names = [f"r{i}" for i in range(count)]
    cluster = Cluster(" ".join(names))
    cluster.elect("r0")
    cluster.feed("r0", Submit(command(1)))
    ballot = cluster.cores["r0"].ledger.max_bal
    assert ballot is not None
    needed = count // 2  # besides the leader
    for name in names[1 : needed + 1]:
        assert cluster.cores["r0"].ledger.prefix == 0
        for _ in range(2):  # a copy is no second vote
            cluster.feed("r0", Received(name, Accepted(ballot, 1)))
    assert cluster.cores["r0"].ledger.prefix == 1


def test_votes_in_an_earlier_ballot_do_not_count() -> None:
    """Section 2.1: a majority accepts one proposal, not several with some value."""
    cluster = led()
    cluster.submit("a", command(1))
    cluster.flying.clear()
    first = cluster.cores["a"].ledger.max_bal
    assert first is not None
    cluster.feed("a", TakeOver())
    cluster.feed("a", Received("b", Promise(Ballot(1, "a"), ())))
    leader = cluster.cores["a"]
    assert leader.role is Role.LEADING
    cluster.feed("a", Received("b", Accepted(first, 1)))
    assert leader.ledger.prefix == 0
    cluster.feed("a", Received("b", Accepted(Ballot(1, "a"), 1)))
    assert leader.ledger.prefix == 1


def test_promises_of_an_earlier_ballot_do_not_count() -> None:
    cluster = Cluster(ABC)
    cluster.feed("a", TakeOver())
    cluster.feed("a", TakeOver())
    cluster.feed("a", Received("b", Promise(Ballot(0, "a"), ())))
    assert cluster.cores["a"].role is Role.PREPARING


def test_a_leader_does_not_go_on_with_what_a_snapshot_covers() -> None:
    cluster = led()
    cluster.submit("a", command(1))
    cluster.submit("a", command(1, "d"))
    cluster.feed("a", Received("b", Snapshot(1, "state", (("c", 1),))))
    leadership = cluster.cores["a"].leadership
    assert leadership is not None
    assert set(leadership.proposals) == set(leadership.acks) == {2}

"""Every flaw of Multi-Paxos: where the flawed core parts from the correct one, and what it breaks.

Each story takes the same steps twice, once without the flaw.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quorate.implementations.multi_paxos import (
    Accept,
    Accepted,
    Ballot,
    Chosen,
    Flaw,
    Heartbeat,
    Message,
    Noop,
    Options,
    Prepare,
    Promise,
    Received,
    RemoteError,
    Role,
    TakeOver,
    TimedOut,
    Timer,
    Value,
    Vote,
)
from quorate.tests.implementations.multi_paxos.cluster import Cluster, Packet, command, sent

B0, B1 = Ballot(0, "a"), Ballot(1, "c")
V, W = command(1, "v"), command(1, "w")


def asked(cluster: Cluster, name: str) -> dict[int, Value]:
    """What a leader has asked votes for."""
    requests = [m for _, m in sent(cluster.effects[name])]
    return {m.slot: m.value for m in requests if isinstance(m, Accept)}


def new_leader(options: Options, *votes: int) -> Cluster:
    """A leader c, after a promise that reports votes in these slots."""
    cluster = Cluster("a b c", options)
    cluster.feed("c", TakeOver(1))
    report = tuple((slot, Vote(B0, command(slot))) for slot in votes)
    cluster.feed("c", Received("b", Promise(B1, report)))
    return cluster


def gap_skip(options: Options) -> object:
    """P17: slot 2 is chosen, slot 1 is not."""
    cluster = Cluster("a b c", options)
    cluster.feed("b", Received("a", Chosen(2, W)))
    first = list(cluster.executed["b"])
    cluster.feed("b", Received("a", Chosen(1, V)))
    return first, cluster.executed["b"]


def repropose_highest_only(options: Options) -> object:
    """P18: the promises report slots 1 and 2."""
    return asked(new_leader(options, 1, 2), "c")


def gap_never_filled(options: Options) -> object:
    """P19: the promises report slots 1 and 3."""
    return asked(new_leader(options, 1, 3), "c")


def no_retry(options: Options) -> object:
    """P20: the prepare requests are lost, and then the accept requests are."""
    cluster = Cluster("a b c", options)
    cluster.feed("c", TimedOut(Timer.ELECTION))
    first = sent(cluster.feed("c", TimedOut(Timer.ELECTION)))
    leading = new_leader(options, 1)
    second = sent(leading.feed("c", TimedOut(Timer.HEARTBEAT)))
    return first, [(to, m) for to, m in second if isinstance(m, Accept)]


def rejoin(options: Options) -> object:
    """P16: b has lost its disk, and one slot that began later is chosen. Does it vote?"""
    cluster = Cluster("a b c", options)
    cluster.start("b", disk_lost=True)
    cluster.feed("b", Received("a", Heartbeat(B0, 0)))
    cluster.feed("b", Received("a", Chosen(1, V)))
    return sent(cluster.feed("b", Received("a", Accept(B0, 2, W))))


def test_a_slot_begun_before_the_loss_lets_nobody_vote_again() -> None:
    """P16 as the paper has it: what counts is a slot that began after the replica did."""
    options = Options(flaws=frozenset({Flaw.MARK_NONVOTING_REJOIN}))
    cluster = Cluster("a b c", options)
    core = cluster.start("b", disk_lost=True)
    cluster.feed("b", Received("a", Heartbeat(B0, 0, last=1)))
    cluster.feed("b", Received("a", Chosen(1, V)))
    assert not core.ledger.voting
    cluster.feed("b", Received("a", Chosen(2, W)))
    assert core.ledger.voting
    assert core.ledger.votes == {1: Vote(B0, V), 2: Vote(B0, W)}
    assert core.ledger.max_bal == B0


STORIES: dict[Flaw, Callable[[Options], object]] = {
    Flaw.MARK_NONVOTING_REJOIN: rejoin,
    Flaw.MULTI_GAP_SKIP: gap_skip,
    Flaw.MULTI_REPROPOSE_HIGHEST_ONLY: repropose_highest_only,
    Flaw.MULTI_GAP_NEVER_FILLED: gap_never_filled,
    Flaw.LOSSY_PHASE1_NO_RETRY: no_retry,
}
WITHOUT: dict[Flaw, object] = {
    Flaw.MARK_NONVOTING_REJOIN: [],
    Flaw.MULTI_GAP_SKIP: ([], [(1, V), (2, W)]),
    Flaw.MULTI_REPROPOSE_HIGHEST_ONLY: {1: command(1), 2: command(2)},
    Flaw.MULTI_GAP_NEVER_FILLED: {1: command(1), 2: Noop(), 3: command(3)},
    Flaw.LOSSY_PHASE1_NO_RETRY: (
        [(name, Prepare(Ballot(0, "c"), 1)) for name in "ab"],
        [(name, Accept(B1, 1, command(1))) for name in "ab"],
    ),
}
WITH: dict[Flaw, object] = {
    Flaw.MARK_NONVOTING_REJOIN: [("a", Accepted(B0, 2))],
    Flaw.MULTI_GAP_SKIP: ([(2, W)], [(2, W)]),
    Flaw.MULTI_REPROPOSE_HIGHEST_ONLY: {1: Noop(), 2: command(2)},
    Flaw.MULTI_GAP_NEVER_FILLED: {1: command(1), 3: command(3)},
    Flaw.LOSSY_PHASE1_NO_RETRY: ([], []),
}


@pytest.mark.parametrize("flaw", Flaw, ids=lambda flaw: flaw.value)
def test_the_flawed_core_parts_from_the_correct_one(flaw: Flaw) -> None:
    story = STORIES[flaw]
    assert story(Options(window=1)) == WITHOUT[flaw]
    assert story(Options(window=1, flaws=frozenset({flaw}))) == WITH[flaw]


@pytest.mark.parametrize("flaw", Flaw, ids=lambda flaw: flaw.value)
def test_a_flaw_shows_in_no_other_flaw_s_story(flaw: Flaw) -> None:
    """One switch, one guard."""
    for other in set(Flaw) - {flaw}:
        options = Options(window=1, flaws=frozenset({flaw}))
        expected = WITHOUT[other]
        if (flaw, other) == (Flaw.MULTI_REPROPOSE_HIGHEST_ONLY, Flaw.MULTI_GAP_NEVER_FILLED):
            expected = {1: Noop(), 2: Noop(), 3: command(3)}  # slot 1 is not the highest there
        assert STORIES[other](options) == expected, other


# What they break, as in the catalogue's traces


class Duel:
    """Three acceptors, two leaders that vote not: p with lower ballots, q with higher ones."""

    def __init__(self, flaws: frozenset[Flaw]) -> None:
        self.cluster = Cluster("a1 a2 a3 p q", Options(window=1, flaws=flaws), acceptors="a1 a2 a3")
        self.kept: list[Packet] = []

    def exchange(self, leader: str, acceptors: str, *, keep: str = "") -> None:
        """The leader and these acceptors hear each other; what goes to or from `keep` waits."""
        flying = [*self.kept, *self.cluster.flying]
        self.kept, self.cluster.flying = [], []
        heard = {leader, *acceptors.split()}
        while flying:
            sender, to, message = flying.pop(0)
            if {sender, to} <= heard:
                self.cluster.feed(to, Received(sender, message))
                flying += self.cluster.flying
                self.cluster.flying = []
            elif keep and keep in (sender, to) and leader in (sender, to):
                self.kept.append((sender, to, message))

    def voted(self, slot: int) -> dict[Value, set[str]]:
        """Who has ever voted for what; here each value has one leader, and one ballot."""
        found: dict[Value, set[str]] = {}
        for name, effects in self.cluster.effects.items():
            for to, message in sent(effects):
                if isinstance(message, Accepted) and message.slot == slot:
                    found.setdefault(asked(self.cluster, to)[slot], set()).add(name)
        return found


def forgotten_promise(flaws: frozenset[Flaw]) -> Duel:
    """P16 with three acceptors and one lost disk; what counts is slot 2.

    a1 promises to q and loses its disk; a slot later it votes for p; a2 promises to q, too.
    """
    duel = Duel(flaws)
    cluster = duel.cluster
    cluster.feed("p", TakeOver(1))
    duel.exchange("p", "a1 a2 a3")
    cluster.feed("q", TakeOver(2))
    duel.exchange("q", "a1", keep="a2")
    cluster.start("a1", disk_lost=True)
    cluster.feed("p", TimedOut(Timer.HEARTBEAT))
    late, duel.kept = duel.kept, []  # the prepare request to a2
    duel.exchange("p", "a1 a2 a3")
    cluster.submit("p", command(1))
    duel.exchange("p", "a1 a2 a3")  # slot 1 is chosen, and a1 hears of it
    cluster.submit("p", V)
    duel.exchange("p", "a1 a3")
    duel.kept = late
    duel.exchange("q", "a2")  # q has its majority: a1's old promise, and a2's
    cluster.submit("q", W)
    cluster.feed("q", TimedOut(Timer.HEARTBEAT))
    return duel


def test_a_replica_that_rejoins_breaks_agreement() -> None:
    """Two majorities for two values in one slot, and a replica that hears of both."""
    duel = forgotten_promise(frozenset({Flaw.MARK_NONVOTING_REJOIN}))
    with pytest.raises(RemoteError, match="is chosen in slot 2, others say"):
        duel.exchange("q", "a1 a2")  # slot 1 again, and then slot 2
    assert duel.voted(2) == {V: {"a1", "a3"}, W: {"a1", "a2"}}


def test_a_replica_that_stays_out_does_not() -> None:
    duel = forgotten_promise(frozenset())
    duel.exchange("q", "a1 a2")
    assert duel.voted(2) == {V: {"a3"}}


def test_a_replica_without_its_disk_neither_votes_nor_leads() -> None:
    cluster = Cluster("a b c")
    core = cluster.start("b", disk_lost=True)
    assert core.timer is None
    assert cluster.feed("b", Received("c", Prepare(B1, 1))) == ()
    cluster.feed("b", Received("c", Accept(B1, 1, V)))
    assert core.ledger.votes == {}
    cluster.feed("b", Received("c", Chosen(1, V)))
    assert cluster.executed["b"] == [(1, V)]
    again = cluster.start("b")
    assert not again.ledger.voting
    assert again.role is Role.FOLLOWING
    assert again.timer is None


def reproposal(flaws: frozenset[Flaw]) -> object:
    """P18: slots 1 and 2 are chosen by p, which is heard of no more; what q asks for in slot 1."""
    cluster = Cluster("a1 a2 a3 p q", Options(flaws=flaws), acceptors="a1 a2 a3")

    def without(absent: str) -> Callable[[str, str, Message], bool]:
        return lambda sender, to, _: absent not in (sender, to)

    cluster.elect("p", without("q"))
    for one in (V, W):
        cluster.submit("p", one)
        cluster.deliver(lambda sender, to, m: without("q")(sender, to, m) and to != "a3")
    cluster.feed("q", TakeOver(9))
    cluster.deliver(
        lambda sender, to, m: without("p")(sender, to, m) and isinstance(m, Prepare | Promise)
    )
    return asked(cluster, "q")


def test_what_an_old_leader_got_chosen_is_lost_by_a_new_one() -> None:
    assert reproposal(frozenset()) == {1: V, 2: W}
    assert reproposal(frozenset({Flaw.MULTI_REPROPOSE_HIGHEST_ONLY})) == {1: Noop(), 2: W}

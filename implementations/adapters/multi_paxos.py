"""Replays `multi-paxos` on `implementations.multi_paxos`.

Acceptors of the spec are replicas that vote, its replicas are replicas that do not, and the leader
of a ballot, whom the spec does not name, is one more, which leads in that ballot only. The spec's
messages never go away: what arrives is taken from what a site has ever sent, and what no step
receives is lost. One step of the code is several of the spec, or the reverse:

- A leader with promises from a majority asks for votes in all slots that they report and in all
  gaps at once; the spec asks slot by slot. Requests that the spec has not come to are on their way.
- A replica of the spec sees by itself that a majority has voted. The code's is told by the leader,
  whom the acceptors tell: these messages all arrive in the step `execute`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...language.values import FrozenMap, Value
from ...models.multi_paxos import spec
from ...traces.adapter import StepRefused
from ...traces.trace import Setting
from .. import multi_paxos as core
from .. import sessions

LEADERS = tuple(f"leader{ballot}" for ballot in range(4))


class MultiPaxosSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    """Voters, learners, and a leader for every ballot."""

    vocabulary = sessions.Vocabulary(
        spec=spec.MultiPaxos,
        sites=("acceptors", "replicas"),
        others=LEADERS,
        send=core.Send,
        received=core.Received,
        persist=core.persist,
        refusal=core.ProtocolError,
        number=lambda ballot: -1 if ballot is None else ballot.round,
        actions={
            "phase_1a": lambda self, given: self.feed(
                LEADERS[given["ballot"]], core.TakeOver(given["ballot"])
            ),
            "phase_1b": lambda self, given: self.answer(given, core.Prepare, given["prepare"]),
            "repropose": lambda self, given: self.ask(given),
            "fill_gap": lambda self, given: self.ask(given),
            "propose": lambda self, given: self.ask(given, given["command"]),
            "phase_2b": lambda self, given: self.answer(
                given, core.Accept, given["accept"], given["accept"].slot + 1
            ),
            "execute": lambda self, given: self.execute(given),
        },
    )

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        super().__init__(parameters, flaws)
        self.asked: set[core.Accept] = set()

    def create(self, name: str) -> core.Replica:
        """A replica, which votes if it is one of the acceptors."""
        flaws = frozenset(core.Flaw(f"multi_{flaw}") for flaw in self.flaws)
        members, acceptors = (*LEADERS, *self.names), self.translation.names("acceptors")
        return core.Replica(name, members, core.Options(flaws=flaws), acceptors=acceptors)

    def image(self, sender: str, to: str, message: core.Message) -> None:
        """Messages are kept where they were sent."""

    def arrive(self, sender: str, to: str, kind: type[Any], ballot: int, slot: int = 0) -> None:
        """What a site has sent in a ballot, and about a slot where it is about one, arrives."""
        found = sent(self.sites[sender], kind, ballot, slot)
        if not found:
            raise StepRefused(f"{sender} has sent no {kind.__name__} of ballot {ballot}")
        self.feed(to, core.Received(sender, found[0]))

    def answer(self, given: sessions.Given, kind: type[Any], request: Any, slot: int = 0) -> None:
        """A request of a leader arrives at an acceptor, unless it is on its way until later."""
        if kind is core.Accept and not self.asked.intersection(
            sent(self.sites[LEADERS[request.ballot]], kind, request.ballot, slot)
        ):
            raise StepRefused(f"{request} is not in flight")
        self.arrive(LEADERS[request.ballot], given["acceptor"].name, kind, request.ballot, slot)

    def ask(self, given: sessions.Given, command: Value = None) -> None:
        """A leader leads by promises of the quorum, if it does not yet, and asks for a slot."""
        ballot, slot = given["ballot"], given["slot"] + 1
        leader = self.sites[LEADERS[ballot]]
        if leader.core.role is not core.Role.LEADING:
            for acceptor in sorted(one.name for one in given["quorum"]):
                self.arrive(acceptor, leader.name, core.Promise, ballot)
        if command is not None:
            # Two requests are two commands, though they say the same: a client for each.
            client = f"client of {ballot}, {slot}"
            self.feed(leader.name, core.Submit(core.Command(client, 1, command.name)))
            before = {one for one in leader.sent(core.Accept) if one.slot < slot}
            if not before <= self.asked:
                raise StepRefused(f"{leader.name} asks for earlier slots first")
        requests = sent(leader, core.Accept, ballot, slot)
        if not requests:
            raise StepRefused(f"{leader.name} asks for nothing in slot {slot}")
        self.asked.update(requests)

    def execute(self, given: sessions.Given) -> None:
        """The leader is told of the votes, and tells the replica what is chosen."""
        ballot, slot = given["accept"].ballot, given["accept"].slot + 1
        leader = LEADERS[ballot]
        for name in self.translation.names("acceptors"):
            if sent(self.sites[name], core.Accepted, ballot, slot):
                self.arrive(name, leader, core.Accepted, ballot, slot)
        self.arrive(leader, given["replica"].name, core.Chosen, ballot, slot)

    def hidden(self) -> object:
        """Whose promises each leader goes by: the spec lets it choose anew for each slot."""
        own = [self.sites[name].core.leadership for name in LEADERS]
        return tuple(frozenset(one.promised_by) if one and one.leads else None for one in own)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables."""
        leaders = [self.sites[name] for name in LEADERS]
        acceptors = self.each(lambda site: site, of="acceptors")
        return {
            **self.each_field(lambda site: site.core.ledger, max_bal=None),
            "votes": {one: self.last(on.core.ledger.votes) for one, on in acceptors.items()},
            "prepares": {one for leader in leaders for one in leader.sent(core.Prepare)},
            "promises": {
                self.promise(one, promise)
                for one, on in acceptors.items()
                for promise in on.sent(core.Promise)
            },
            "accepts": {
                spec.Accept(one.ballot.round, one.slot - 1, self.entry(one.value))
                for one in self.asked
            },
            "cast": {one: self.cast(on) for one, on in acceptors.items()},
            "next_slot": self.each(lambda site: site.core.ledger.executed, of="replicas"),
            "executed": self.each(self.executed, of="replicas"),
        }

    def promise(self, sender: Any, promise: core.Promise) -> spec.Promise:
        """A promise, with who gives it."""
        votes: Any = FrozenMap(self.last(dict(promise.votes)))
        return spec.Promise(sender, promise.ballot.round, votes)

    def entry(self, value: core.Value) -> spec.Entry:
        """What a slot is for."""
        nodes: Mapping[str, Any] = self.translation.nodes
        return spec.Entry(nodes[value.operation] if isinstance(value, core.Command) else None)

    def vote(self, vote: core.Vote | core.VoteRecord) -> spec.Vote:
        """A vote."""
        return spec.Vote(vote.ballot.round, self.entry(vote.value))

    def last(self, votes: Mapping[int, core.Vote]) -> dict[int, spec.Vote | None]:
        """The last vote in each slot."""
        slots = range(self.parameters["slots"])
        return {slot: self.vote(votes[slot + 1]) if slot + 1 in votes else None for slot in slots}

    def cast(self, acceptor: sessions.Site) -> dict[int, set[spec.Vote]]:
        """All votes in each slot that an acceptor ever wrote to its log."""
        written = [one.record for one in acceptor.past(core.Persist)]
        votes = [one for one in written if isinstance(one, core.VoteRecord)]
        slots = range(self.parameters["slots"])
        return {slot: {self.vote(one) for one in votes if one.slot == slot + 1} for slot in slots}

    def executed(self, replica: sessions.Site) -> list[spec.Entry]:
        """What a replica had its application execute, and the no-ops between."""
        ledger = replica.core.ledger
        commands = {one.slot: one.command for one in replica.past(core.Execute)}
        known = [slot for slot in sorted(ledger.chosen) if slot <= ledger.executed]
        return [self.entry(commands.get(slot, core.Noop())) for slot in known]


def sent(site: sessions.Site, kind: type[Any], ballot: int, slot: int = 0) -> list[Any]:
    """What a site has sent in a ballot, and about a slot where it is about one.

    That something is chosen does not say in which ballot: its sender leads in one only.
    """
    return [
        one
        for one in site.sent(kind)
        if (kind is core.Chosen or one.ballot.round == ballot) and getattr(one, "slot", 0) == slot
    ]


adapter = sessions.InProcess(MultiPaxosSession)

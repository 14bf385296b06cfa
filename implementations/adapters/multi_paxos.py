"""Replays `multi-paxos` on `implementations.multi_paxos`.

Acceptors of the spec are replicas that vote, its replicas are replicas that do not, and the leader
of a ballot, whom the spec does not name, is one more, which leads in that ballot only.

A replica of the spec sees by itself that a majority has voted. The code's is told by the leader,
whom the acceptors tell: these messages all arrive in the step `execute`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.multi_paxos import spec
from ...traces.adapter import StepRefused
from .. import multi_paxos as core
from .. import sessions

LEADERS = tuple(f"leader{ballot}" for ballot in range(4))
UNSPECIFIED = (
    core.Refused,
    core.Chosen,
    core.Heartbeat,
    core.Behind,
    core.Snapshot,
    core.Forward,
)


class MultiPaxosSession(sessions.CoreSession[sessions.GrowingNetwork]):
    """Voters, learners, and a leader for every ballot."""

    vocabulary = sessions.Vocabulary(
        spec=spec.MultiPaxos,
        network=sessions.GrowingNetwork,
        sites=("acceptors", "replicas"),
        others=LEADERS,
        send=core.Send,
        received=core.Received,
        persist=core.persist,
        refusal=core.ProtocolError,
        wire=dict.fromkeys(UNSPECIFIED),
        number=lambda ballot: -1 if ballot is None else ballot.round,
        name=lambda value: value.operation if isinstance(value, core.Command) else value,
        actions={
            "phase_1a": lambda self, given: self.feed(
                LEADERS[given["ballot"]], core.TakeOver(given["ballot"])
            ),
            "phase_1b": lambda self, given: self.arrive(given["prepare"], given["acceptor"].name),
            "lead": lambda self, given: self.lead(given["ballot"], given["quorum"]),
            "propose": lambda self, given: self.propose(given["ballot"], given["command"].name),
            "phase_2b": lambda self, given: self.arrive(given["accept"], given["acceptor"].name),
            "execute": lambda self, given: self.learn(given["replica"].name, given["accept"]),
        },
    )

    def create(self, name: str) -> core.Replica:
        """A replica, which votes if it is one of the acceptors."""
        acceptors = self.translation.names("acceptors")
        return core.Replica(name, self.members, self.options, acceptors=acceptors)

    @property
    def members(self) -> tuple[str, ...]:
        """All replicas."""
        return (*LEADERS, *self.names)

    @property
    def options(self) -> core.Options:
        """The variant that all replicas run."""
        return core.Options(flaws=frozenset(map(core.Flaw, self.flaws)))

    def arrive(self, image: Any, to: str) -> None:
        """What was ever sent arrives at a site; refused where it was not."""
        envelope = self.network.receive({"message": image})
        self.feed(to, core.Received(envelope.sender, envelope.message))

    def sent_in(self, ballot: int, kind: type) -> list[Any]:
        """The messages of a kind in a ballot, by sender."""
        messages: Any = self.network.contents(kind)
        return sorted((m for m in messages if m.ballot == ballot), key=lambda m: m.sender.name)

    def lead(self, ballot: int, quorum: frozenset[Any]) -> None:
        """A quorum's promises of a ballot arrive at its leader, which leads with the last."""
        leader = self.sites[LEADERS[ballot]].core
        if leader.role is not core.Role.PREPARING:
            raise StepRefused(f"{leader.name} waits for no promises")
        for promise in self.sent_in(ballot, spec.Promise):
            if promise.sender in quorum:
                self.arrive(promise, leader.name)
        if leader.leadership is None or not leader.leadership.leads:
            raise StepRefused(f"{leader.name} waits for more promises")

    def propose(self, ballot: int, command: str) -> None:
        """A client asks a leader, which gives the command a slot, if the spec has one left."""
        leading = self.sites[LEADERS[ballot]].core.leadership
        if leading is None or leading.next_slot > self.parameters["slots"]:
            raise StepRefused(f"no slot is left in ballot {ballot}")
        # Two requests are two commands, though they say the same: a client for each.
        client = f"client of {ballot}, {leading.next_slot}"
        self.feed(LEADERS[ballot], core.Submit(core.Command(client, 1, command)))

    def learn(self, name: str, accept: spec.Accept) -> None:
        """The leader is told of the votes, and tells the replica what is chosen."""
        leader = self.sites[LEADERS[accept.ballot]]
        for vote in self.sent_in(accept.ballot, spec.Accepted):
            if vote.slot == accept.slot:
                self.arrive(vote, leader.name)
        chosen = [one for one in leader.sent(core.Chosen) if one.slot == accept.slot]
        if not chosen:
            raise StepRefused(f"{leader.name} does not know what is chosen in {accept.slot}")
        self.feed(name, core.Received(leader.name, chosen[0]))

    def state(self) -> Mapping[str, Any]:
        """The spec's variables."""
        leaders = [self.sites[name].core.leadership for name in LEADERS]
        return {
            **self.each_field(lambda site: site.core.ledger, max_bal=None, votes={}),
            "leading": {one.ballot.round for one in leaders if one and one.leads},
            "prepares": self.network.contents(spec.Prepare),
            "promises": self.network.contents(spec.Promise),
            "accepts": self.network.contents(spec.Accept),
            "accepted": self.network.contents(spec.Accepted),
            "last_slot": self.each(lambda site: site.core.ledger.executed, of="replicas"),
            "executed": self.each(executed, of="replicas"),
        }


def executed(replica: sessions.Site) -> list[core.Command | None]:
    """What a replica had its application execute, and the no-ops between."""
    ledger = replica.core.ledger
    commands = {one.slot: one.command for one in replica.past(core.Execute)}
    return [commands.get(slot) for slot in sorted(ledger.chosen) if slot <= ledger.executed]


adapter = sessions.InProcess(MultiPaxosSession)

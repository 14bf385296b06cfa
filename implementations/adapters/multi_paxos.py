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
from ..storage import Log

LEADERS = tuple(f"leader{ballot}" for ballot in range(4))
UNSPECIFIED = (core.Refused, core.Chosen, core.Heartbeat, core.Behind, core.Snapshot, core.Forward)


class MultiPaxosSession(sessions.CoreSession[sessions.GrowingNetwork]):
    """Voters, learners, and a leader for every ballot."""

    vocabulary = sessions.Vocabulary.of(
        core,
        spec=spec.MultiPaxos,
        network=sessions.GrowingNetwork,
        sites=("acceptors", "replicas"),
        others=LEADERS,
        wire=dict.fromkeys(UNSPECIFIED),
        number=lambda ballot: -1 if ballot is None else ballot.round,
        name=lambda value: value.operation if isinstance(value, core.Command) else value,
        actions={
            "phase_1a": lambda self, given: self.feed(
                LEADERS[given["ballot"]], core.TakeOver(given["ballot"])
            ),
            "phase_1b": lambda self, given: self.arrive(given["acceptor"].name, given["prepare"]),
            "lead": lambda self, given: self.lead(given["ballot"], given["quorum"]),
            "propose": lambda self, given: self.propose(given["ballot"], given["command"].name),
            "phase_2b": lambda self, given: self.arrive(given["acceptor"].name, given["accept"]),
            "execute": lambda self, given: self.learn(given["replica"].name, given["accept"]),
        },
        # Whoever begins to lead waits for the time of the first heartbeat.
        demands={"lead": core.SetTimer},
    )

    def recover(self, name: str, log: Log, *, disk_lost: bool = False) -> Any:
        """A replica from its log. It votes if it is one of the acceptors."""
        members, acceptors = (*LEADERS, *self.names), self.translation.names("acceptors")
        options = core.Options(flaws=frozenset(map(core.Flaw, self.flaws)))
        return core.Replica.recover(
            name, members, core.load(log), options, acceptors=acceptors, disk_lost=disk_lost
        )

    def lead(self, ballot: int, quorum: frozenset[Any]) -> None:
        """A quorum's promises of a ballot arrive at its leader, which leads with the last."""
        promises = self.network.sent(spec.Promise, ballot=ballot)
        self.arrive(LEADERS[ballot], *(one for one in promises if one.sender in quorum))

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
        leader = LEADERS[accept.ballot]
        votes = self.network.sent(spec.Accepted, ballot=accept.ballot, slot=accept.slot)
        self.arrive(leader, *votes)
        self.pass_on(leader, name, core.Chosen, slot=accept.slot)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables."""
        leaders = [self.sites[name].core.leadership for name in LEADERS]
        return {
            **self.each_field(lambda site: site.core.ledger, max_bal=None, votes={}),
            "leading": {one.ballot.round for one in leaders if one and one.leads},
            **self.in_flight("prepares", "promises", "accepts", "accepted"),
            "last_slot": self.each(lambda site: site.core.ledger.executed, of="replicas"),
            "executed": self.each(executed, of="replicas"),
        }


def executed(replica: sessions.Site) -> list[core.Command | None]:
    """What a replica had its application execute, and the no-ops between."""
    ledger = replica.core.ledger
    commands = {one.slot: one.command for one in replica.past(core.Execute)}
    return [commands.get(slot) for slot in sorted(ledger.chosen) if slot <= ledger.executed]


adapter = sessions.InProcess(MultiPaxosSession)

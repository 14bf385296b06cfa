"""Replays `paxos-system` on `implementations.paxos`, one instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.paxos_system import spec
from ...traces.adapter import StepRefused
from .. import paxos as core
from .. import sessions
from ..storage import Log

T = "t"


class PaxosSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    """Proposers, acceptors and learners, and the network between them.

    A number of the spec is the round of a ballot. The spec gives a number to one proposer only, so
    the order of ballots is that of rounds.
    """

    vocabulary = sessions.Vocabulary.of(
        core,
        spec=spec.PaxosSystem,
        sites=("proposers", "acceptors", "learners"),
        timers=sessions.TimerWords(core.SetTimer, core.CancelTimer, core.TimedOut),
        number=lambda ballot: -1 if ballot is None else ballot.round,
        actions={
            "propose": lambda self, given: self.propose(**given),
            # The step names the proposer: with a flaw, several have the number of the promise.
            "receive_promise": lambda self, given: self.receive(given, given["proposer"].name),
        },
    )

    def recover(self, name: str, log: Log) -> tuple[Any, tuple[core.Effect, ...]]:
        """The core of a site from its log: without refusals, and proposers that keep a number."""
        again, flaws = self.parameters["promises_again"], frozenset(map(core.Flaw, self.flaws))
        options = core.Options(False, again, None, flaws)
        acceptors, learners = map(self.translation.names, ("acceptors", "learners"))
        if name in learners:
            return core.Learner(name, acceptors, options), ()
        if name in acceptors:
            return core.Acceptor.recover(name, learners, core.load(log), options), ()
        return core.Proposer.recover(name, acceptors, core.load(log), options), ()

    def propose(self, proposer: Any, ballot: int, value: Any) -> None:
        """A client asks; refused where the spec's number would be two ballots of the code."""
        self.feed(proposer.name, core.Propose(T, value.name, ballot))
        if len({used for _, used in self.used() if used.round == ballot}) > 1:
            raise StepRefused(f"another proposer has used {ballot} in a ballot of its own")

    def used(self) -> list[tuple[str, core.Ballot]]:
        """Who has noted which ballots as used, in order."""
        records = [(name, one.record) for name, one in self.past(core.Persist)]
        return [(name, one.ballot) for name, one in records if isinstance(one, core.BallotRecord)]

    def reaches(self, sender: str, to: str) -> bool:
        """All but learners, where the spec leaves out that they are told."""
        told = bool(self.parameters["tells_learners"])
        return told or to not in self.translation.names("learners")

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. What a log has is shown by a restart."""
        # Code that counts acceptors has no count of promises.
        counted = {"counted": 0} if "promises_counted_twice" in self.flaws else {}
        return {
            **self.each_field(self.proposer, tried=None, phase=None, proposal=None),
            **self.each_field(self.proposer, latest=None, promised_by=(), **counted),
            "proposer_up": self.each(lambda site: site.up, of="proposers"),
            **self.each_field(
                lambda site: site.core.instance(T), max_bal=None, vote=None, heard={}
            ),
            "owner": {ballot.round: name for name, ballot in self.used()},
            "requested": {event.value for _, event in self.past(core.Propose)},
            "votes": self.each(lambda site: site.sent(core.Accepted), of="acceptors"),
            "decided": self.each(lambda site: site.core.instance(T).learned, of="learners"),
        }

    def proposer(self, site: sessions.Site) -> Any:
        """What a proposer knows, or will know once it is up again."""
        return (site.running or self.recover(site.name, site.log)[0]).instance(T)

    def violates(self, name: str) -> bool | None:
        """Where nobody tells learners: could they learn two values, of each by its votes only?"""
        if name != "learners-agree" or self.parameters["tells_learners"]:
            return None
        told = [(one.name, vote) for one in self.sites.values() for vote in one.sent(core.Accepted)]
        told.sort(key=lambda one: one[1].ballot)
        learner, learned = self.translation.names("learners")[0], set()
        for value in self.translation.names("values"):
            heard = (core.Received(sender, vote) for sender, vote in told if vote.value == value)
            learned.update(self.imagine(learner, heard).instance(T).learned)
        return len(learned) > 1


adapter = sessions.InProcess(PaxosSession)

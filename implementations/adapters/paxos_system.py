"""Replays `paxos-system` on `implementations.paxos`, one instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.paxos_system import spec
from ...traces.adapter import StepRefused
from ...traces.trace import Setting
from .. import paxos as core
from .. import sessions
from ..storage import Log

T = "t"
COUNTS = core.Flaw.PROMISES_COUNTED_TWICE.value


class PaxosSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    """Proposers, acceptors and learners, and the network between them.

    A number of the spec is the round of a ballot. The spec gives a number to one proposer only, so
    the order of ballots is that of rounds.
    """

    vocabulary = sessions.Vocabulary(
        spec=spec.PaxosSystem,
        sites=("proposers", "acceptors", "learners"),
        send=core.Send,
        received=core.Received,
        persist=core.persist,
        refusal=core.ProtocolError,
        timers=sessions.TimerWords(core.SetTimer, core.CancelTimer, core.TimedOut),
        number=lambda ballot: -1 if ballot is None else ballot.round,
        actions={
            "propose": lambda self, given: self.feed(
                given["proposer"].name, core.Propose(T, given["value"].name, given["ballot"])
            ),
        },
    )

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        self.ballots: dict[int, core.Ballot] = {}
        self.owner: dict[int, str] = {}
        super().__init__(parameters, flaws)

    @property
    def options(self) -> core.Options:
        """No refusals, which the spec leaves out; and a proposer that never changes its number."""
        flaws = frozenset(map(core.Flaw, self.flaws))
        return core.Options(False, bool(self.parameters["promises_again"]), None, flaws)

    def create(self, name: str) -> Any:
        """A fresh core: a log without records."""
        return self.recover(name, None)[0]

    def recover(self, name: str, log: Log | None) -> tuple[Any, tuple[core.Effect, ...]]:
        """The core of a site from its log. Learners do not crash."""
        records = core.load(log) if log else ()
        acceptors = self.translation.names("acceptors")
        if name in acceptors:
            told = self.translation.names("learners")
            return core.Acceptor.recover(name, told, records, self.options), ()
        if name in self.translation.names("learners"):
            return core.Learner(name, acceptors, self.options), ()
        return core.Proposer.recover(name, acceptors, records, self.options), ()

    def observe(self, site: sessions.Site) -> None:
        """Whose a number is; refused where the spec's would be two ballots of the code."""
        for record in (one.record for one in self.caused if isinstance(one, core.Persist)):
            if isinstance(record, core.BallotRecord):
                number, ballot = record.ballot.round, record.ballot
                if self.ballots.setdefault(number, ballot) != ballot:
                    raise StepRefused(f"{ballot} is another number than {self.ballots[number]}")
                self.owner[number] = site.name

    def receive(self, given: sessions.Given) -> None:
        """A promise goes to the proposer that the step names: with a flaw, numbers are shared."""
        envelope = self.network.receive(given)
        to = given["proposer"].name if "proposer" in given else envelope.to
        self.feed(to, core.Received(envelope.sender, envelope.message))

    def image(self, sender: str, to: str, message: core.Message) -> Any:
        """As the spec writes it, which may leave out that learners are told."""
        if isinstance(message, core.Accepted) and not self.parameters["tells_learners"]:
            return None
        return super().image(sender, to, message)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. What an acceptor's log has is shown by a restart."""
        requests = [site.past(core.Propose) for site in self.sites.values()]
        return {
            **self.each_field(self.proposer, tried=None, phase=None, proposal=None, latest=None),
            **self.each_field(self.proposer, promised_by=()),
            # Code that counts acceptors has no count of promises.
            **(self.each_field(self.proposer, counted=0) if COUNTS in self.flaws else {}),
            "proposer_up": self.each(lambda site: site.up, of="proposers"),
            **self.each_field(
                lambda site: site.core.instance(T), max_bal=None, vote=None, heard={}
            ),
            "owner": self.owner,
            "requested": {one.value for asked in requests for one in asked},
            "votes": self.each(votes, of="acceptors"),
            "decided": self.each(lambda site: site.core.instance(T).learned, of="learners"),
        }

    def proposer(self, site: sessions.Site) -> core.ProposerInstance:
        """What a proposer knows, or will know once it is up again."""
        core_up = site.running or self.recover(site.name, site.log)[0]
        known: core.ProposerInstance = core_up.instance(T)
        return known

    def violates(self, name: str) -> bool | None:
        """Where nobody tells learners, agreement among them is about what they could learn."""
        if name != "learners-agree" or self.parameters["tells_learners"]:
            return None
        told = [(site.name, vote) for site in self.sites.values() for vote in votes(site)]
        values = {vote.value for _, vote in told}
        return sum(self.could_learn(value, told) for value in values) > 1

    def could_learn(self, value: str, told: list[tuple[str, core.Vote]]) -> bool:
        """Whether a learner learns the value if it hears of the votes for it, and of no others."""
        learner = self.create(self.translation.names("learners")[0])
        for sender, vote in sorted(told, key=lambda one: one[1].ballot):
            if vote.value == value:
                accepted = core.Accepted(T, vote.ballot, vote.value)
                learner.handle(core.Received(sender, accepted))
        return value in learner.instance(T).learned


def votes(acceptor: sessions.Site) -> set[core.Vote]:
    """All votes that an acceptor ever told of."""
    return {core.Vote(one.ballot, one.value) for one in acceptor.sent(core.Accepted)}


adapter = sessions.InProcess(PaxosSession)

"""Replays `three-phase-commit-quorum` on `implementations.three_phase_commit.quorum`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.three_phase_commit_quorum import spec
from .. import sessions
from ..storage import Log
from ..three_phase_commit import AskVote, CommitError, Decide, Vote, VoteCast
from ..three_phase_commit import quorum as core
from ..three_phase_commit import quorum_messages as wire

T = "t"
VOTES = {True: spec.Vote.YES, False: spec.Vote.NO}


class QuorumSession(sessions.SidedSession[sessions.FifoNetwork]):
    """Some sites, and channels between them that lose what a partition separates."""

    vocabulary = sessions.Vocabulary(
        spec=spec.QuorumThreePhaseCommit,
        network=sessions.FifoNetwork,
        send=wire.QuorumSend,
        received=wire.QuorumReceived,
        persist=wire.persist,
        refusal=CommitError,
        wire={
            Vote: lambda sender, to, vote: spec.VoteReply(VOTES[vote.yes]),
            wire.Inquire: spec.Inquiry,
            wire.Number: spec.Numbered,
            Decide: spec.DecisionNotice,
        },
        actions={
            "begin": lambda self, given: self.feed(
                given["site"].name, wire.QuorumBegin(T, self.names)
            ),
            "elect": lambda self, given: self.elect(given["leader"].name),
        },
        answers={AskVote: lambda _, given: VoteCast(T, given["vote"] is spec.Vote.YES)},
    )

    def create(self, name: str) -> core.QuorumSite:
        """A site."""
        return core.QuorumSite(name, flaws=self.flaws)

    def recover(self, name: str, log: Log) -> tuple[Any, tuple[wire.QuorumEffect, ...]]:
        """The site from its log."""
        return core.QuorumSite.recover(name, wire.load(log), flaws=self.flaws)

    def elect(self, name: str) -> None:
        """The membership service tells who is connected to a leader."""
        self.feed(name, wire.Elected(T, self.view(name)))

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. What a role does not have is as in the beginning."""
        return {
            **self.each_field(last_record, state=None, last_elected=1, last_attempt=0),
            "role": self.each(role_name),
            **self.each_field(role, leader=None, awaited=(), members=(), highest=0),
            **self.each_field(role, reports={}, target=None, accepted=()),
            "vote": self.each(vote),
        }


def last_record(site: sessions.Site) -> wire.QuorumEntered:
    """The last record in the log of a site, or what it means to have none."""
    begin = wire.QuorumEntered(T, (), wire.QuorumState.INITIAL, 1, 0)
    return (begin, *wire.load(site.log))[-1]


def role(site: sessions.Site) -> core.QuorumRole:
    """What a site that is up and undecided is about; any other follows nobody."""
    known = site.running and site.running.state(T)
    undecided = known and known.state not in core.DECIDED
    return known.role if undecided else core.Follower(None)


def role_name(site: sessions.Site) -> str:
    """What the spec calls it."""
    name = type(role(site)).__name__.lower()
    return "following" if name == "follower" else name


def vote(site: sessions.Site) -> spec.Vote | None:
    """The vote that was cast; who begins a transaction votes yes."""
    if site.past(wire.QuorumBegin):
        return spec.Vote.YES
    return next((VOTES[cast.yes] for cast in site.past(VoteCast)), None)


adapter = sessions.InProcess(QuorumSession)

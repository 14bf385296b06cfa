"""Replays `raft-prevote` on `implementations.raft`: what `raft` is, and PreVote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...language import Node
from ...models.raft import spec as raft
from ...models.raft_prevote import spec
from .. import raft as core
from .. import sessions
from .raft import RaftSession


def request(sender: Node, to: Node, message: core.RequestVote) -> Any:
    """A request for a vote, or for a pre-vote: two messages of the spec."""
    asked = raft.RequestVote(
        sender, to, message.term, message.last_log_index, message.last_log_term
    )
    return spec.PreVote(asked) if message.pre_vote else asked


def answer(sender: Node, to: Node, message: core.RequestVoteReply) -> Any:
    """Its answer, of either kind."""
    kind = spec.PreVoteReply if message.pre_vote else raft.RequestVoteReply
    return kind(sender, to, message.term, message.vote_granted)


class PreVoteSession(RaftSession):
    """Servers that ask before they begin a term; who asks is a follower to the spec."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftPreVote,
        wire={core.RequestVote: request, core.RequestVoteReply: answer},
    )

    def options(self) -> core.Options:
        """The variant that all servers run."""
        return replace(super().options(), pre_vote=self.parameters["pre_vote"])

    def is_gone(self, name: str) -> bool:
        """Whether a server is down for good: then nothing is in flight to it."""
        for_good = self.parameters["pre_vote"] and self.parameters["crash_stop"]
        return bool(for_good) and not self.sites[name].up

    def reaches(self, sender: str, to: str) -> bool:
        """Whether what is sent is in flight at all."""
        return not self.is_gone(to)

    def crash(self, name: str) -> None:
        """A server stops, and with it what is on its way to it, if that is for good."""
        super().crash(name)
        self.network.lose_where(lambda one: self.is_gone(one.to))

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and three more."""
        seen = super().state()
        asks = self.each(lambda site: site.up and site.core.role is core.Role.PRE_CANDIDATE)
        roles, votes = dict(seen["role"]), dict(seen["votes"])
        for node in asks:
            if asks[node]:
                roles[node], votes[node] = raft.Role.FOLLOWER, ()
        heeds = self.parameters["pre_vote"]
        return {
            **seen,
            "role": roles,
            "votes": votes,
            "pre_votes": {n: seen["votes"][n] if asks[n] else () for n in asks},
            "hears_leader": self.each(lambda site: heeds and site.up and site.core.hears_leader),
            **self.in_flight("network", "polls"),
        }


adapter = sessions.InProcess(PreVoteSession)

"""Replays `raft-full` on `implementations.raft`: all options together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...models.raft_full import spec
from ...models.raft_reads.spec import Reads
from .. import raft as core
from .. import sessions
from .raft import RaftSession
from .raft_membership import MembershipSession
from .raft_prevote import PreVoteSession
from .raft_reads import ReadsSession
from .raft_sessions import ClientSession
from .raft_snapshots import SnapshotSession

LAYERS = (MembershipSession, SnapshotSession, ReadsSession, PreVoteSession, ClientSession)


class FullSession(MembershipSession, SnapshotSession, ReadsSession, PreVoteSession, ClientSession):
    """Servers with all options; each layer projects its own variables."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftFull,
        clock=ReadsSession.vocabulary.clock,
        wire=PreVoteSession.vocabulary.wire,
        demands=ReadsSession.vocabulary.demands,
        actions={
            name: action for layer in LAYERS for name, action in layer.vocabulary.actions.items()
        },
    )

    def send(self, sender: str, to: str, message: Any) -> None:
        """The spec lets no answer to a snapshot confirm a read, so none is asked for."""
        if isinstance(message, core.InstallSnapshot):
            message = replace(message, round=0)
        super().send(sender, to, message)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. Where there is time, `promised` says whether there is a leader."""
        shown = super().state()
        if self.parameters["reads"] is not Reads.LEASE:
            return shown
        return {**shown, "hears_leader": self.each(lambda site: False)}


adapter = sessions.InProcess(FullSession)

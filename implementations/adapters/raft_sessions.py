"""Replays `raft-sessions` on `implementations.raft`: what `raft` is, and a state machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...models.raft_sessions import spec
from .. import raft as core
from .. import sessions
from .raft import RaftSession


class ClientSession(RaftSession):
    """Servers that execute what is committed; a value of the spec is a client with one command."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftSessions,
        actions={
            **RaftSession.vocabulary.actions,
            "client_request": sessions.at_first(
                lambda value: core.ClientRequest(value.name.encode(), value.name)
            ),
        },
    )

    def options(self) -> core.Options:
        """The variant that all servers run."""
        return replace(super().options(), deduplicate=self.parameters["max_executions"] > 0)

    def carry_out_one(self, site: sessions.Site, effect: Any) -> None:
        """The state machine executes a command; it refuses no retry."""
        if isinstance(effect, core.Apply):
            executed, client = site.memory.get("machine", {}), effect.command.client
            site.memory["machine"] = {**executed, client: executed.get(client, 0) + 1}
        super().carry_out_one(site, effect)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and how often each command was executed."""
        most = self.parameters["max_executions"]
        values = self.translation.names("values")

        def times(site: sessions.Site) -> dict[str, int]:
            executed = site.memory.get("machine", {})
            return {value: min(executed.get(value, 0), most) for value in values}

        return {**super().state(), "executed": self.each(times)}


adapter = sessions.InProcess(ClientSession)

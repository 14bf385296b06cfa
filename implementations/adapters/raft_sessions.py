"""Replays `raft-sessions` on `implementations.raft`: what `raft` is, and a state machine."""

from __future__ import annotations

from collections import Counter
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
            self.executed.setdefault(site.name, Counter())[effect.command.client] += 1
        super().carry_out_one(site, effect)

    def crash(self, name: str) -> None:
        """A server forgets its state machine."""
        super().crash(name)
        self.executed.pop(name, None)

    def __init__(self, *given: Any) -> None:
        """Nothing is executed yet."""
        self.executed: dict[str, Counter[str | None]] = {}
        super().__init__(*given)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and how often each command was executed."""
        most = self.parameters["max_executions"]
        values = self.translation.names("values")

        def times(site: sessions.Site) -> dict[str, int]:
            counted = self.executed.get(site.name, Counter())
            return {value: min(counted[value], most) for value in values}

        return {**super().state(), "executed": self.each(times)}


adapter = sessions.InProcess(ClientSession)

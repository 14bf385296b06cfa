"""Replays `raft-membership` on `implementations.raft`: what `raft` is, and changes of members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from ...language.labels import Label
from ...models.raft.spec import Entry
from ...models.raft_membership import spec
from ...traces.adapter import IGNORE, Named, StepRefused
from ...traces.trace import Setting
from .. import raft as core
from .. import sessions
from ..storage import Log, MemoryLog
from .raft import RaftSession

KINDS = (core.Membership.NONE, core.Membership.SINGLE, core.Membership.JOINT)

Change: TypeAlias = core.AddServer | core.RemoveServer | core.Reconfigure
Content: TypeAlias = tuple[frozenset[str], ...] | None
"""What a value stands for: the sets of which a majority each is needed; None for the command."""


def content(payload: core.Command | core.Configuration) -> Content:
    """What an entry holds; of a configuration, the outgoing servers come first."""
    if isinstance(payload, core.Command):
        return None
    return tuple(frozenset(one) for one in (payload.outgoing, payload.voters) if one)


class MembershipSession(RaftSession):
    """Servers whose configuration changes; the steps say which value stands for which."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftMembership,
        actions={
            **RaftSession.vocabulary.actions,
            "client_request": lambda self, given: self.command(**given),
            "add_server": lambda self, given: self.add(**given),
            "remove_server": lambda self, given: self.change(
                given["server"], core.RemoveServer(given["peer"].name), given["value"]
            ),
            "reconfigure": lambda self, given: self.change(
                given["server"],
                core.Reconfigure(tuple(one.name for one in given["members"])),
                given["joint"],
                given["new"],
            ),
            "apply_committed": core.ApplyCommitted(),
        },
    )

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        """Who the first members are is not known yet: see `apply`."""
        self.members: tuple[str, ...] = ()
        self.values: dict[Content, Any] = {}
        super().__init__(parameters, flaws)
        self.elected = defaultdict(set, self.elected)  # beyond the spec's last term, too
        self.changes = self.parameters["majorities"] > 0
        self.late = self.parameters["max_applied"] > 0

    def options(self) -> core.Options:
        """The variant that all servers run; no empty entries, as the spec has none."""
        kind, late = KINDS[self.parameters["majorities"]], self.parameters["max_applied"] > 0
        return replace(
            super().options(),
            membership=kind,
            no_op=False,
            configuration_at_apply=late,
            lazy_apply=late,
        )

    def recover(self, name: str, log: Log) -> tuple[core.Raft, tuple[core.Effect, ...]]:
        """A server from its log, and from the first configuration."""
        voters = self.members or self.names
        return core.Raft.recover(name, voters, core.Journal(log).load(), self.options())

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take a step. The first one tells who is in the first configuration."""
        if self.changes and not self.members:
            self.members = tuple(one.name for one in before["first"][0])
            for name in self.names:
                self.restart(name)
        super().apply(label, before, after)

    def command(self, server: Any, value: Any) -> None:
        """A client asks for the command that a value stands for."""
        self.feed(server.name, core.ClientRequest(value.name.encode()))
        if self.changes:
            self.name(None, value)

    def change(self, server: Any, event: Change, *values: Any) -> None:
        """A leader appends a configuration, and knows what follows it."""
        after = len(self.sites[server.name].core.log)
        self.feed(server.name, event)
        appended = self.sites[server.name].core.log[after].payload
        for one, value in zip((appended, appended.left()), values, strict=False):
            self.name(content(one), value)

    def add(self, server: Any, peer: Any, value: Any) -> None:
        """A leader adds a server; if that was a member before, it comes back with an empty log."""
        again = peer.name in self.sites[server.name].core.configuration.retired
        self.change(server, core.AddServer(peer.name), value)
        if again:
            site = self.sites[peer.name]
            site.log = MemoryLog()
            site.timers.clear()
            self.restart(peer.name)

    def name(self, meaning: Content, value: Any) -> None:
        """A value stands for one thing, and one thing has one value."""
        if self.values.setdefault(meaning, value) != value:
            raise StepRefused(f"{self.values[meaning]} stands for that, not {value}")
        if sum(one == value for one in self.values.values()) > 1:
            raise StepRefused(f"{value} stands for something else")

    def entries(self, entries: Iterable[Any]) -> tuple[Any, ...]:
        """Entries as the spec writes them: a configuration, too, is a value."""
        if not self.changes:
            return super().entries(entries)
        return tuple(Entry(one.term, self.values[content(one.payload)]) for one in entries)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and configurations."""
        nodes = self.translation.nodes
        table = {nodes[n]: () for n in self.translation.names("values")}
        told = {value: meaning for meaning, value in self.values.items() if meaning is not None}
        return {
            **super().state(),
            "configurations": table | told,
            "command": self.values.get(None),
            "first": [self.members] * self.changes if self.members else IGNORE,
            "applied": self.each(
                lambda site: site.core.last_applied if self.late and site.up else 0
            ),
        }


adapter = sessions.InProcess(MembershipSession)

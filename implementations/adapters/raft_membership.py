"""Replays `raft-membership` on `implementations.raft`: what `raft` is, and changes of members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...language.labels import Label
from ...models.raft.spec import Entry
from ...models.raft_membership import spec
from ...traces.adapter import IGNORE, Named
from .. import raft as core
from .. import sessions
from .raft import RaftSession

KINDS = dict(zip(spec.Membership, core.Membership, strict=True))


def content(payload: core.Command | core.Configuration) -> tuple[frozenset[str], ...]:
    """The sets of which a majority each is needed, outgoing servers first; of a command, none."""
    if isinstance(payload, core.Command):
        return ()
    return tuple(frozenset(one) for one in (payload.outgoing, payload.voters) if one)


class MembershipSession(RaftSession):
    """Servers whose configuration changes; the steps say which value stands for which."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftMembership,
        actions={
            **RaftSession.vocabulary.actions,
            "add_server": lambda self, given: self.add(**given),
            "remove_server": sessions.at_first(lambda peer, _: core.RemoveServer(peer.name)),
            "reconfigure": sessions.at_first(
                lambda members, *_: core.Reconfigure(tuple(one.name for one in members))
            ),
            "apply_committed": core.ApplyCommitted(),
        },
    )

    @property
    def changes(self) -> bool:
        """Whether there are changes of members at all."""
        return self.parameters["membership"] is not spec.Membership.NONE

    def options(self) -> core.Options:
        """The variant that all servers run; no empty entries, as the spec has none."""
        kind, late = KINDS[self.parameters["membership"]], self.parameters["max_applied"] > 0
        waits = {"configuration_at_apply": late, "lazy_apply": late}
        return replace(super().options(), membership=kind, no_op=False, **waits)

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take a step. The first one tells who is in the first configuration."""
        if self.changes and not self.members:
            self.members = tuple(one.name for one in before["first"][0])
            for name in self.names:
                self.restart(name)
        super().apply(label, before, after)

    def step(self, given: sessions.Given) -> None:
        """Take a step; its values stand for the entry that it appends, and what is to follow."""
        ends = {name: len(site.core.log) for name, site in self.sites.items()}
        super().step(given)
        values = [v for v in given.values() if self.changes and v in self.parameters["values"]]
        leader = self.concerned(given) if values else self.names[0]
        for entry in self.sites[leader].core.log[ends[leader] :][: len(values)]:
            appended = content(entry.payload)
            for value, meaning in zip(values, (appended, appended[-1:]), strict=False):
                self.meanings.note(value, meaning)

    def add(self, server: Any, peer: Any, value: Any) -> None:
        """A leader adds a server; if that was a member before, it comes back with an empty log."""
        again = peer.name in self.sites[server.name].core.configuration.retired
        self.feed(server.name, core.AddServer(peer.name))
        if again:
            self.wipe(peer.name)

    def entries(self, entries: Iterable[Any]) -> tuple[Any, ...]:
        """Entries as the spec writes them: a configuration, too, is a value."""
        if not self.changes:
            return super().entries(entries)
        return tuple(Entry(e.term, self.meanings.value[content(e.payload)]) for e in entries)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and configurations."""
        late = self.parameters["max_applied"] > 0
        return {
            **super().state(),
            "configurations": dict.fromkeys(self.parameters["values"], ()) | self.meanings.of,
            "command": self.meanings.value.get(()),
            "first": [self.members] * self.changes if self.members else IGNORE,
            "applied": self.each(lambda site: site.core.last_applied if late and site.up else 0),
        }


adapter = sessions.InProcess(MembershipSession)

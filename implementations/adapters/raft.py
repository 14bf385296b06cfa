"""Replays `raft` on `implementations.raft`: Figure 2, and of the options CheckQuorum only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...models.raft import spec
from ...traces.adapter import IGNORE
from ...traces.trace import Setting
from .. import raft as core
from .. import sessions
from ..storage import Log


class RaftSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    """Servers, and the network between them. A leader sends entries in steps of their own only."""

    members: tuple[str, ...] = ()
    """The first configuration, where it is not all servers."""
    vocabulary = sessions.Vocabulary(
        spec=spec.Raft,
        sites=("servers",),
        send=core.Send,
        received=core.Received,
        persist=lambda effects, log: core.Journal(log).write(effects),
        refusal=core.ProtocolError,
        timers=sessions.TimerWords(core.SetTimer, core.CancelTimer, core.TimedOut),
        actions={
            "time_out": lambda self, given: self.run_out(given["server"].name, core.Timer.ELECTION),
            "step_down": lambda self, given: self.hear_nobody(given["server"].name),
            "client_request": sessions.at_first(lambda v: core.ClientRequest(v.name.encode())),
            "send_entries": sessions.at_first(lambda peer: core.Replicate(peer.name)),
            "send_heartbeat": sessions.at_first(lambda peer: core.Heartbeat(peer.name)),
        },
    )

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        """The first start is like every other, from a log: an empty one."""
        super().__init__(parameters, flaws)
        self.elected: Any = {term: set() for term in range(self.parameters["max_term"] + 1)}
        for name in self.names:
            self.restart(name)

    def recover(self, name: str, log: Log) -> tuple[core.Raft, tuple[core.Effect, ...]]:
        """A server from its log; whatever happens to it, its clock goes on."""
        records, members = core.Journal(log).load(), self.members or self.names
        return core.Raft.recover(
            name, members, records, self.options(), now=self.clocks.shows(name)
        )

    def options(self) -> core.Options:
        """The variant that all servers run."""
        flaws = frozenset(map(core.Flaw, self.flaws))
        batch, checks = self.parameters["batch"], self.parameters["check_quorum"]
        return core.Options(eager=False, max_batch=batch, check_quorum=checks, flaws=flaws)

    def hear_nobody(self, leader: str) -> None:
        """A leader hears nobody for a whole time-out, which begins when an earlier one ends."""
        self.run_out(leader, core.Timer.QUORUM)
        if self.sites[leader].core.role is core.Role.LEADER:
            self.run_out(leader, core.Timer.QUORUM)

    def observe(self, site: sessions.Site) -> None:
        """Who led in which term."""
        if site.core.role is core.Role.LEADER:
            self.elected.setdefault(site.core.current_term, set()).add(site.name)

    def image(self, sender: str, to: str, message: core.Message) -> Any:
        """A message with entries as the spec writes them."""
        if isinstance(message, core.AppendEntries):
            message = replace(message, entries=self.entries(message.entries))
        return super().image(sender, to, message)

    def entries(self, entries: Iterable[Any]) -> tuple[Any, ...]:
        """Entries as the spec writes them: a command is the name of a value."""
        nodes: Any = self.translation.nodes
        return tuple(spec.Entry(one.term, nodes[one.payload.data.decode()]) for one in entries)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables. What a server that is down has kept, its restart shows."""
        running = self.each_field(lambda on: on.running, role="follower", commit_index=0, votes=())
        return running | {
            **self.each_field(lambda site: site.core, current_term=0, voted_for=None),
            "log": self.each(lambda site: self.entries(site.core.log)),
            "repeated_votes": {n: len(v) - len(set(v)) for n, v in running["votes"].items()},
            "next_index": self.each(lambda site: self.of_others(site, "next_index", 1)),
            "match_index": self.each(lambda site: self.of_others(site, "match_index", 0)),
            "elected": self.elected,
        }

    def of_others(self, site: sessions.Site, name: str, initially: int) -> dict[str, Any]:
        """What a leader knows of the others; what the spec has of itself, nobody reads."""
        known = dict.fromkeys(self.names, initially) | getattr(site.running, name, {})
        return known | {site.name: IGNORE}


adapter = sessions.InProcess(RaftSession)

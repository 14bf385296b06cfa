"""Replays `raft-reads` on `implementations.raft`: what `raft` is, and reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...models.raft_reads import spec
from ...traces.adapter import IGNORE, any_of
from .. import raft as core
from .. import sessions
from .raft import RaftSession


class ReadsSession(RaftSession):
    """Servers and their clocks, and what clients know. Of a lease, only what it allows shows."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftReads,
        clock=core.Clock,
        actions={
            **RaftSession.vocabulary.actions,
            **dict.fromkeys(("read", "read_under_lease"), lambda self, given: self.read(**given)),
            "call": RaftSession.vocabulary.actions["send_heartbeat"],
            "tick": lambda self, given: self.tick(given["slow"]),
        },
        demands={"read_under_lease": core.ReadReady},
    )

    asked = known = 0
    answer: Any = None

    def options(self) -> core.Options:
        """The variant that all servers run; a client's entry serves as the first of a term."""
        kind = core.Reads(self.parameters["reads"].value)
        counted = ("election_timeout", "clock_drift") if kind is core.Reads.LEASE else ()
        times = {name: self.parameters[name] for name in counted}
        return replace(super().options(), reads=kind, no_op=False, **times)

    def read(self, server: Any) -> None:
        """A client asks a server; what it asks again has the number that it had before."""
        self.asked += self.parameters["reads"] is spec.Reads.READ_INDEX
        number = 1 if core.Flaw.READINDEX_ACK_REUSED.value in self.flaws else self.asked
        confirmed_by: Any = IGNORE  # it does not show
        self.sites[server.name].memory["read"] = spec.Waiting(number, confirmed_by, self.known)
        self.feed(server.name, core.ReadRequest(1))

    def observe(self, site: sessions.Site) -> None:
        """Clients know what a leader has applied for them, which nobody else applies before it."""
        super().observe(site)
        self.known = max(self.known, site.core.last_applied)

    def carry_out_one(self, site: sessions.Site, effect: Any) -> None:
        """A leader answers a read from what it has applied, or gives it up."""
        super().carry_out_one(site, effect)
        if isinstance(effect, core.ReadReady | core.ReadFailed):
            read = site.memory.pop("read")
            if isinstance(effect, core.ReadReady):
                self.answer = spec.Answer(read.known, site.core.last_applied)

    def image(self, sender: str, to: str, message: core.Message) -> Any:
        """AppendEntries and its reply with their number: that of the read, or of the time."""
        image = super().image(sender, to, message)
        match message, self.parameters["reads"]:
            case core.AppendEntries(), spec.Reads.LEASE:
                until = self.clocks.shows(sender) + self.parameters["election_timeout"]
                return spec.Call(image, until)
            case core.AppendEntries(), spec.Reads.READ_INDEX:
                read = self.sites[sender].memory.get("read")
                return spec.Call(image, read.number if read else 0)
            case core.AppendEntriesReply(), spec.Reads.LEASE | spec.Reads.READ_INDEX:
                number = self.given["message"].number if message.round else 0
                return spec.Confirmation(image, number)
        return image

    def promise(self, site: sessions.Site) -> Any:
        """Until when a server elects nobody: it only says whether that is still to come."""
        leased = self.parameters["reads"] is spec.Reads.LEASE
        if not (leased and site.up and site.core.hears_leader):
            return 0
        now = self.clocks.shows(site.name)
        return any_of(*range(now + 1, now + self.parameters["election_timeout"] + 1))

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and these."""
        return {
            **super().state(),
            **self.in_flight("network", "exchanges"),
            "waiting": self.each(lambda site: site.memory.get("read")),
            "promised": self.each(self.promise),
            "asked": self.asked,
            "known": 0 if self.parameters["reads"] is spec.Reads.NONE else self.known,
            "answer": self.answer,
        }


adapter = sessions.InProcess(ReadsSession)

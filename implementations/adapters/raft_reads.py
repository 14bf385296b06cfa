"""Replays `raft-reads` on `implementations.raft`: what `raft` is, and reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

from ...models.raft import spec as raft
from ...models.raft_reads import spec
from ...traces.adapter import IGNORE, any_of
from ...traces.trace import Setting
from .. import raft as core
from .. import sessions
from ..storage import Log
from .raft import RaftSession

READ = core.ReadRequest(1)  # what a client asks again has the number that it had before


@dataclass(frozen=True)
class Asked:
    """A read that waits at a server, as the spec writes it; who has confirmed it is not shown."""

    number: int
    known: int
    confirmed_by: ClassVar[Any] = IGNORE


class ReadsSession(RaftSession):
    """Servers and their clocks, and what clients know. Of a lease, only what it allows shows."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftReads,
        actions={
            **RaftSession.vocabulary.actions,
            "read": lambda self, given: self.read(given["server"].name),
            "read_under_lease": lambda self, given: self.read(given["server"].name),
            "call": RaftSession.vocabulary.actions["send_heartbeat"],
            "tick": lambda self, given: self.tick(given["slow"]),
        },
        demands={"read_under_lease": core.ReadReady},
    )

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        """Nobody has asked, and no clock has ticked."""
        self.now = self.asked = self.known = 0
        self.missed: dict[str, int] = {}
        self.reads: dict[str, Asked] = {}
        self.applied: dict[str, int] = {}
        self.answer: Any = None
        super().__init__(parameters, flaws)

    def options(self) -> core.Options:
        """The variant that all servers run; a client's entry serves as the first of a term."""
        given = self.parameters
        options = replace(super().options(), reads=core.Reads(given["reads"].value), no_op=False)
        if given["reads"] is not spec.Reads.LEASE:
            return options
        times = {name: given[name] for name in ("election_timeout", "clock_drift")}
        return replace(options, **times)

    def recover(self, name: str, log: Log) -> tuple[core.Raft, tuple[core.Effect, ...]]:
        """A server from its log; its clock went on."""
        records = core.Journal(log).load()
        return core.Raft.recover(name, self.names, records, self.options(), now=self.clock(name))

    def clock(self, name: str) -> int:
        """What a server's clock shows."""
        return self.now - self.missed.get(name, 0)

    def tick(self, slow: Any) -> None:
        """A tick, for all clocks but a slow one."""
        self.now += 1
        if slow is not None:
            self.missed[slow.name] = self.missed.get(slow.name, 0) + 1
        for name in self.names:
            if self.sites[name].up:
                self.feed(name, core.Clock(self.clock(name)))

    def read(self, name: str) -> None:
        """A client asks a server."""
        if self.parameters["reads"] is spec.Reads.READ_INDEX:
            self.asked += 1
        number = 1 if core.Flaw.READINDEX_ACK_REUSED.value in self.flaws else self.asked
        self.reads[name] = Asked(number, self.known)
        self.feed(name, READ)

    def crash(self, name: str) -> None:
        """A server forgets who asked it."""
        super().crash(name)
        self.reads.pop(name, None)

    def carry_out_one(self, site: sessions.Site, effect: Any) -> None:
        """Clients know what a leader has applied for them, and what they have read."""
        super().carry_out_one(site, effect)
        match effect:
            case core.Apply(index):
                self.applied[site.name] = index
                if site.core.role is core.Role.LEADER:
                    self.known = max(self.known, index)
            case core.ReadReady():
                returned = self.applied.get(site.name, 0)
                self.answer = spec.Answer(self.reads.pop(site.name).known, returned)
                self.known = max(self.known, returned)
            case core.ReadFailed():
                del self.reads[site.name]

    def image(self, sender: str, to: str, message: core.Message) -> Any:
        """AppendEntries and its reply with their number: that of the read, or of the time."""
        image = super().image(sender, to, message)
        if self.parameters["reads"] is spec.Reads.NONE:
            return image
        if isinstance(message, core.AppendEntries):
            waits = self.reads.get(sender)
            number = waits.number if waits else 0
            if self.parameters["reads"] is spec.Reads.LEASE:
                number = self.clock(sender) + self.parameters["election_timeout"]
            return spec.Call(image, number)
        if isinstance(message, core.AppendEntriesReply):
            asked: Any = dict(self.label.parameters)["message"]
            return spec.Confirmation(image, asked.number if message.round else 0)
        return image

    def promise(self, site: sessions.Site) -> Any:
        """Until when a server elects nobody: it only says whether that is still to come."""
        if not site.up or not site.core.hears_leader:
            return 0
        now = self.clock(site.name)
        return any_of(*range(now + 1, now + self.parameters["election_timeout"] + 1))

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and these."""
        leased = self.parameters["reads"] is spec.Reads.LEASE
        return {
            **super().state(),
            "waiting": {name: self.reads.get(name) for name in self.names},
            "promised": self.each(lambda site: self.promise(site) if leased else 0),
            "now": self.now,
            "missed": {name: self.missed.get(name, 0) for name in self.names},
            "asked": self.asked,
            "known": self.known,
            "answer": self.answer,
            "network": self.network.contents(*get_args(raft.Message)),
            "exchanges": self.network.contents(*get_args(spec.Exchange)),
        }


adapter = sessions.InProcess(ReadsSession)

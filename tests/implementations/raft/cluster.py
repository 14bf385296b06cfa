"""Servers driven by hand: each step of a scenario is one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from quorate.implementations.raft import (
    AppendEntries,
    AppendEntriesReply,
    ClientRequest,
    Clock,
    Command,
    Effect,
    Entry,
    Event,
    Heartbeat,
    InstallSnapshot,
    InstallSnapshotReply,
    Journal,
    Message,
    Options,
    Raft,
    Received,
    Replicate,
    RequestVote,
    RequestVoteReply,
    Role,
    Send,
    TimedOut,
    Timer,
)
from quorate.implementations.raft.log import RaftLog
from quorate.implementations.storage import MemoryLog

ASKS = RequestVote
VOTES = RequestVoteReply
APPENDS = AppendEntries
ACKS = AppendEntriesReply
INSTALLS = InstallSnapshot
INSTALLED = InstallSnapshotReply


def command(data: str) -> Command:
    return Command(data.encode())


def entry(term: int, data: str) -> Entry:
    return Entry(term, command(data))


def sends(effects: Iterable[Effect]) -> list[tuple[str, Message]]:
    return [(effect.to, effect.message) for effect in effects if isinstance(effect, Send)]


def of_kind(effects: Iterable[Effect], kind: type) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def image(core: Raft) -> str:
    """All that a core knows, to see that nothing changed."""
    server = core._server
    found = {}
    for field in fields(server):
        value = getattr(server, field.name)
        if isinstance(value, RaftLog):
            value = (value.base_index, value.base_term, value.entries, value.configurations)
        found[field.name] = value
    return repr(found)


def follower(
    *entries: Entry, term: int = 0, voters: str = "abc", options: Options | None = None
) -> Raft:
    """Server `a` in a term, with a log that a leader `b` of that term gave it."""
    core = Raft("a", voters, options)
    if term:
        core.handle(Received("b", AppendEntries(term, 0, 0, entries, 0)))
    return core


def candidate(*entries: Entry, term: int = 1, voters: str = "abc", **options: Any) -> Raft:
    """Server `a`, asking for votes in `term`; its log is from earlier terms."""
    core = Raft("a", voters, Options(**options))
    if term > 1:
        core.handle(Received("b", AppendEntries(term - 1, 0, 0, entries, 0)))
    core.handle(TimedOut(Timer.ELECTION))
    return core


def leader(*entries: Entry, term: int = 1, voters: str = "abc", **options: Any) -> Raft:
    """Server `a`, elected in `term` by everybody else."""
    core = candidate(*entries, term=term, voters=voters, **options)
    for voter in sorted(set(voters) - {"a"}):
        core.handle(Received(voter, RequestVoteReply(term, True)))
    assert core.role is Role.LEADER or options.get("flaws")
    return core


class Cluster:
    """Servers `1` to `n`, and the messages between them, which wait to be delivered."""

    def __init__(self, count: int, *, voters: int | None = None, **options: Any) -> None:
        self.options = Options(**{"eager": False, **options})
        self.names = [str(number + 1) for number in range(count)]
        self.logs = {name: MemoryLog() for name in self.names}
        self.cores: dict[str, Raft] = {}
        first = tuple(self.names[:voters])
        self.voters = {name: first if name in first else () for name in self.names}
        self.led: dict[int, set[str]] = {}
        """Who has led in each term."""
        self.flying: list[tuple[str, str, Message]] = []
        self.effects: list[Effect] = []
        """Of the last step, sends and records left out."""
        for name in self.names:
            self.restart(name)

    def __getitem__(self, number: int) -> Raft:
        return self.cores[str(number)]

    def restart(self, name: str | int, *, wipe: bool = False) -> None:
        """Lose what was not forced, and begin again."""
        name = str(name)
        if wipe:
            self.logs[name] = MemoryLog()
        self.logs[name].crash()
        records = Journal(self.logs[name]).load()
        self.cores[name], _ = Raft.recover(name, self.voters[name], records, self.options)

    def step(self, server: str | int, event: Event) -> list[Effect]:
        """Pass an event; what is sent flies."""
        name = str(server)
        rest = Journal(self.logs[name]).write(self.cores[name].handle(event))
        self.flying += [(name, *sent) for sent in sends(rest)]
        core = self.cores[name]
        if core.role is Role.LEADER:
            self.led.setdefault(core.current_term, set()).add(name)
        self.effects = [effect for effect in rest if not isinstance(effect, Send)]
        return self.effects

    def time_out(self, server: int, timer: Timer = Timer.ELECTION) -> None:
        self.step(server, TimedOut(timer))

    def request(self, server: int, data: str) -> None:
        self.step(server, ClientRequest(data.encode()))

    def clock(self, server: int, now: int) -> None:
        self.step(server, Clock(now))

    def replicate(self, server: int, to: int) -> None:
        self.step(server, Replicate(str(to)))

    def heartbeat(self, server: int, to: int) -> None:
        self.step(server, Heartbeat(str(to)))

    def find(self, kind: type, sender: int, to: int) -> tuple[str, str, Message]:
        """The oldest such message that flies."""
        for item in self.flying:
            if item[:2] == (str(sender), str(to)) and isinstance(item[2], kind):
                return item
        raise AssertionError(f"no {kind.__name__} flies from {sender} to {to}: {self.flying}")

    def take(self, kind: type, sender: int, to: int) -> Message:
        """Take a message out of the network, to deliver it later or never."""
        item = self.find(kind, sender, to)
        self.flying.remove(item)
        return item[2]

    def deliver(self, kind: type, sender: int, to: int, *, keep: bool = False) -> None:
        """Deliver the oldest such message; `keep`: a copy of it."""
        item = self.find(kind, sender, to)
        if not keep:
            self.flying.remove(item)
        self.step(to, Received(str(sender), item[2]))

    def late(self, message: Message, sender: int, to: int) -> None:
        """Deliver a message that was taken out before."""
        self.step(to, Received(str(sender), message))

    def elect(self, server: int, *voters: int) -> None:
        """A time-out, and the votes of these."""
        self.time_out(server)
        for voter in voters:
            self.vote(server, voter)

    def vote(self, server: int, voter: int) -> None:
        self.deliver(ASKS, server, voter)
        self.deliver(VOTES, voter, server)

    def copy(self, server: int, to: int, *, entries: bool = True) -> None:
        """Send what is missing (or a heartbeat), and bring the answer back."""
        if entries:
            self.replicate(server, to)
        else:
            self.heartbeat(server, to)
        self.deliver(APPENDS, server, to)
        self.deliver(ACKS, to, server)

    def forget(self) -> None:
        """Lose all that flies."""
        self.flying.clear()

    def data(self, server: int) -> list[str]:
        """The commands in a server's log."""
        payloads = [one.payload for one in self[server].log]
        return [payload.data.decode() for payload in payloads if isinstance(payload, Command)]

"""Replicas on a network that loses what a test says, and nothing else; delivery in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quorate.implementations.multi_paxos import (
    Command,
    Effect,
    Event,
    Execute,
    Message,
    Options,
    Persist,
    Received,
    Record,
    Replica,
    Send,
    Submit,
    TakeOver,
)

Packet = tuple[str, str, Message]


def command(number: int, client: str = "c") -> Command:
    return Command(client, number, f"{client}{number}")


def sent(effects: Sequence[Effect]) -> list[tuple[str, Message]]:
    return [(effect.to, effect.message) for effect in effects if isinstance(effect, Send)]


class Cluster:
    """Replicas by name, what they sent and what is not delivered yet, and what they executed."""

    def __init__(
        self,
        members: str,
        options: Options | None = None,
        *,
        acceptors: str | None = None,
    ) -> None:
        self.members = members.split()
        self.acceptors = None if acceptors is None else acceptors.split()
        self.options = options
        self.flying: list[Packet] = []
        self.executed: dict[str, list[tuple[int, Command]]] = {m: [] for m in self.members}
        self.effects: dict[str, list[Effect]] = {m: [] for m in self.members}
        self.records: dict[str, list[Record]] = {m: [] for m in self.members}
        self.cores: dict[str, Replica] = {}
        for name in self.members:
            self.start(name)

    def start(self, name: str, *, disk_lost: bool = False) -> Replica:
        """Start or restart a replica; what it had executed, its application has forgotten."""
        self.executed[name] = []
        if disk_lost:
            self.records[name] = []
        self.cores[name], effects = Replica.recover(
            name,
            self.members,
            self.records[name],
            self.options,
            acceptors=self.acceptors,
            disk_lost=disk_lost,
        )
        self._carry_out(name, effects)
        return self.cores[name]

    def feed(self, name: str, event: Event) -> tuple[Effect, ...]:
        effects = self.cores[name].handle(event)
        self._carry_out(name, effects)
        return effects

    def submit(self, name: str, one: Command) -> tuple[Effect, ...]:
        return self.feed(name, Submit(one))

    def _carry_out(self, name: str, effects: tuple[Effect, ...]) -> None:
        self.effects[name] += effects
        self.flying += [(name, to, message) for to, message in sent(effects)]
        for effect in effects:
            if isinstance(effect, Execute):
                self.executed[name].append((effect.slot, effect.command))
            elif isinstance(effect, Persist):
                self.records[name].append(effect.record)

    def deliver(self, keep: Callable[[str, str, Message], bool] = lambda *_: True) -> None:
        """Deliver what flies until nothing does; what `keep` denies is lost."""
        while self.flying:
            packet = self.flying.pop(0)
            if keep(*packet):
                sender, to, message = packet
                self.feed(to, Received(sender, message))

    def elect(self, name: str, keep: Callable[[str, str, Message], bool] = lambda *_: True) -> None:
        self.feed(name, TakeOver())
        self.deliver(keep)


def among(*names: str) -> Callable[[str, str, Message], bool]:
    """Only what these replicas send each other arrives."""
    return lambda sender, to, _: sender in names and to in names

"""A seeded simulation: replicas with logs in memory, clients, a bad network, crashes, bad disks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from quorate.implementations.multi_paxos import (
    Ballot,
    Checkpoint,
    Command,
    Discard,
    Effect,
    Event,
    Execute,
    Message,
    Options,
    Persist,
    Received,
    Repeated,
    Replica,
    Restore,
    Send,
    SetTimer,
    Submit,
    TimedOut,
    Unavailable,
    Value,
    VoteRecord,
    load,
    persist,
)
from quorate.implementations.storage import MemoryLog


class CountingLog(MemoryLog):
    """A log that knows how many operations a crash may lose."""

    pending = 0

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        self.pending += 1
        super().append(key, entry, forced=forced)

    def discard(self, key: str) -> None:
        self.pending += 1
        super().discard(key)

    def force(self) -> None:
        self.pending = 0
        super().force()

    def crash(self, *, kept: int = 0) -> None:
        self.pending = 0
        super().crash(kept=kept)


@dataclass
class Process:
    """A replica, its log, and its application: the operations executed, in order."""

    name: str
    core: Replica | None = None
    log: CountingLog = field(default_factory=CountingLog)
    done: list[str] = field(default_factory=list)
    disk_lost: bool = False


@dataclass
class Faults:
    crash: float = 0.02
    crash_between_effects: float = 0.01
    drop: float = 0.1
    duplicate: float = 0.2
    time_out: float = 0.1
    submit: float = 0.3
    checkpoint: float = 0.05
    disk_loss: int = 0
    """How many disks are lost at most: a minority."""


class World:
    """Replicas `r1`.., clients `c1`.. with a command under way each, and all between them."""

    def __init__(
        self, seed: int, options: Options, replicas: int, faults: Faults, commands: int = 4
    ) -> None:
        self.random = Random(seed)
        self.options = options
        self.faults = faults
        self.names = tuple(f"r{i + 1}" for i in range(replicas))
        self.processes = {name: Process(name) for name in self.names}
        self.network: list[tuple[str, str, Message]] = []
        self.to_do = {
            f"c{i + 1}": [self.command(i + 1, n + 1) for n in range(commands)] for i in (0, 1)
        }
        self.submitted: set[str] = set()
        self.votes: dict[tuple[int, Ballot, Value], set[str]] = {}
        self.executed: dict[int, Command] = {}
        """What was executed in each slot, by whoever was first."""
        self.disks_lost = 0
        self.calm = False
        self.events: list[str] = []
        for name in self.names:
            self.start(name)

    def command(self, client: int, number: int) -> Command:
        return Command(f"c{client}", number, f"c{client} does {number}")

    # what may happen

    def step(self) -> bool:
        """One random step; False if nothing can happen."""
        choices: list[Callable[[], None]] = [
            partial(self.deliver, i) for i in range(len(self.network))
        ]
        for process in self.processes.values():
            choices += self.choices(process)
        if self.random.random() < self.faults.crash:
            choices = [partial(self.crash, self.random.choice(list(self.processes.values())))]
        if not choices:
            return False
        self.random.choice(choices)()
        return True

    def choices(self, process: Process) -> list[Callable[[], None]]:
        core = process.core
        if core is None:
            return [partial(self.start, process.name)]
        found: list[Callable[[], None]] = []
        if core.timer is not None and self.random.random() < self.faults.time_out:
            found.append(partial(self.feed, process.name, TimedOut(core.timer)))
        if self.random.random() < self.faults.submit:
            due = [commands[0] for commands in self.to_do.values() if commands]
            found += [partial(self.submit, process.name, command) for command in due]
        new = core.ledger.executed > core.ledger.discarded
        if new and self.random.random() < self.faults.checkpoint:
            found.append(partial(self.checkpoint, process))
        return found

    def submit(self, name: str, command: Command) -> None:
        self.submitted.add(command.operation)
        self.feed(name, Submit(command))

    def checkpoint(self, process: Process) -> None:
        assert process.core is not None
        slot = process.core.ledger.executed
        self.feed(process.name, Checkpoint(slot, json.dumps(process.done)))

    def deliver(self, index: int) -> None:
        sender, to, message = self.network[index]
        roll = self.random.random()
        if roll >= self.faults.duplicate:
            del self.network[index]
            if roll > 1 - self.faults.drop:
                return
        if self.processes[to].core is not None:
            self.feed(to, Received(sender, message))

    def crash(self, process: Process) -> None:
        self.events.append(f"{process.name} crashes")
        process.core = None
        process.done = []
        process.log.crash(kept=self.random.randint(0, process.log.pending))
        if self.disks_lost < self.faults.disk_loss and self.random.random() < 0.3:
            self.disks_lost += 1
            process.log, process.disk_lost = CountingLog(), True

    def start(self, name: str) -> None:
        process = self.processes[name]
        self.events.append(f"{name} starts" + " without its disk" * process.disk_lost)
        process.core, effects = Replica.recover(
            name, self.names, load(process.log), self.options, disk_lost=process.disk_lost
        )
        self.carry_out(process, effects)

    # effects

    def feed(self, name: str, event: Event) -> None:
        process = self.processes[name]
        assert process.core is not None
        self.events.append(f"{name} {event}")
        self.carry_out(process, process.core.handle(event))

    def carry_out(self, process: Process, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if self.random.random() < self.faults.crash_between_effects:
                self.crash(process)
                return
            self.carry_out_one(process, effect)

    def carry_out_one(self, process: Process, effect: Effect) -> None:
        match effect:
            case Send(to, message):
                self.network.append((process.name, to, message))
            case Persist(record):
                persist([effect], process.log)
                process.disk_lost = False
                if isinstance(record, VoteRecord):
                    key = (record.slot, record.ballot, record.value)
                    self.votes.setdefault(key, set()).add(process.name)
            case Discard():
                persist([effect], process.log)
            case Execute(slot, command):
                assert self.executed.setdefault(slot, command) == command, self.events
                process.done.append(command.operation)
                self.answered(command)
            case Repeated(command):
                assert command.operation in process.done, self.events
                self.answered(command)
            case Restore(_, state):
                process.done = json.loads(state)
            case SetTimer() | Unavailable():
                pass

    def answered(self, command: Command) -> None:
        if self.to_do[command.client][:1] == [command]:
            self.to_do[command.client].pop(0)

    # the end

    def calm_down(self) -> None:
        """No more faults; time-outs outlast deliveries, and elections are rarer than heartbeats."""
        self.calm = True
        self.faults = Faults(0, 0, 0, 0, 0, 0, 0)
        for name, process in self.processes.items():
            if process.core is None:
                self.start(name)
        for _ in range(400):
            while self.step():
                pass
            if self.done():
                return
            leaders = [p for p in self.up() if p.leadership is not None and p.leadership.leads]
            timed = [p for p in self.up() if p.timer is not None]
            if not timed:
                return
            due = leaders or [self.random.choice(timed)]
            for core in due:
                if core.timer is not None:
                    self.feed(core.name, TimedOut(core.timer))
            for commands in self.to_do.values():
                if commands:
                    self.submit(self.random.choice(self.names), commands[0])

    def up(self) -> list[Replica]:
        return [p.core for p in self.processes.values() if p.core is not None]

    def done(self) -> bool:
        everything = max(self.executed, default=0)
        return not any(self.to_do.values()) and all(
            core.ledger.executed >= everything for core in self.up()
        )

    def check(self) -> None:
        """Agreement in each slot, validity, one order of execution, and each command once."""
        chosen: dict[int, Value] = {}
        for (slot, _, value), voters in self.votes.items():
            if 2 * len(voters) > len(self.names):
                assert chosen.setdefault(slot, value) == value, (slot, self.events)
        for slot, command in self.executed.items():
            assert chosen.get(slot) == command, (slot, command, self.events)
            assert command.operation in self.submitted, (command, self.events)
        logs = sorted((process.done for process in self.processes.values()), key=len)
        for log in logs:
            assert log == logs[-1][: len(log)], (logs, self.events)
            assert len(set(log)) == len(log), (log, self.events)

    def check_progress(self) -> None:
        """Once faults stop, every command is executed, everywhere."""
        assert self.done(), ({c.name: c.ledger for c in self.up()}, self.to_do, self.events)
        logs = [process.done for process in self.processes.values()]
        assert all(log == logs[0] for log in logs), (logs, self.events)
        assert self.submitted <= set(logs[0]), (logs[0], self.events)


def run(seed: int, options: Options, faults: Faults, *, replicas: int, steps: int = 300) -> World:
    world = World(seed, options, replicas, faults)
    for _ in range(steps):
        world.step()
    world.check()
    world.calm_down()
    world.check()
    return world

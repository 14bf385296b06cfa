"""A seeded simulation: nodes with in-memory logs, a bad network, crashes between effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from quorate.implementations.paxos import (
    Abandon,
    Acceptor,
    AcceptorRecord,
    Ask,
    Ballot,
    CancelTimer,
    Effect,
    Learned,
    Learner,
    Message,
    Options,
    Persist,
    Phase,
    Propose,
    Proposer,
    Received,
    Send,
    SetTimer,
    TimedOut,
    load,
    persist,
)
from quorate.implementations.storage import MemoryLog

Core = Proposer | Acceptor | Learner


@dataclass
class Process:
    name: str
    core: Core | None
    log: MemoryLog = field(default_factory=MemoryLog)
    timers: set[str] = field(default_factory=set)
    wants: dict[str, int] = field(default_factory=dict)
    """In which instances the application wants something chosen, and how often it began anew."""


@dataclass
class Faults:
    crash: float = 0.03
    crash_between_effects: float = 0.03
    drop: float = 0.1
    duplicate: float = 0.2
    time_out: float = 0.1


class World:
    """Acceptors `a1`.., two proposers, two learners, and everything between them."""

    def __init__(self, seed: int, options: Options, acceptors: int, faults: Faults) -> None:
        self.random = Random(seed)
        self.options = options
        self.faults = faults
        self.acceptors = tuple(f"a{i + 1}" for i in range(acceptors))
        self.learners = ("l1", "l2")
        self.proposers = ("p1", "p2")
        names = (*self.acceptors, *self.learners, *self.proposers)
        self.processes = {name: Process(name, self.made(name)) for name in names}
        self.network: list[tuple[str, str, Message]] = []
        self.votes: dict[tuple[str, Ballot, str], set[str]] = {}
        self.proposed: dict[str, set[str]] = {}
        self.learned: dict[str, set[str]] = {}
        self.events: list[str] = []

    def made(self, name: str, log: MemoryLog | None = None) -> Core:
        records = load(log) if log is not None else ()
        if name in self.acceptors:
            # l1 is the distinguished learner; l2 and the proposers hear from it, or ask.
            return Acceptor.recover(name, ("l1",), records, self.options)
        if name in self.proposers:
            return Proposer.recover(name, self.acceptors, records, self.options)
        inform = ("l2", *self.proposers) if name == "l1" else ()
        others = {"l1": ("l2", "p1"), "l2": ("l1", "p1")}[name]
        return Learner(name, self.acceptors, self.options, inform=inform, ask=others)

    # what may happen

    def begin(self, instance: str) -> None:
        self.proposed[instance], self.learned[instance] = set(), set()
        for name in self.proposers:
            self.processes[name].wants[instance] = 0
            if self.processes[name].core is not None:
                self.propose(self.processes[name], instance)

    def propose(self, process: Process, instance: str) -> None:
        process.wants[instance] += 1
        value = f"{process.wants[instance]}. of {process.name}"
        self.proposed[instance].add(value)
        self.feed(process.name, Propose(instance, value))

    def step(self) -> bool:
        """One random step; False if nothing can happen."""
        choices: list[Callable[[], None]] = [
            partial(self.deliver, i) for i in range(len(self.network))
        ]
        slow = self.faults.time_out == 1 and self.network
        for process in self.processes.values():
            if process.core is None:
                choices.append(partial(self.restart, process.name))
            elif slow:
                continue
            elif self.random.random() < self.faults.time_out:
                timers = sorted(process.timers)
                choices += [partial(self.time_out, process, timer) for timer in timers]
        if self.random.random() < self.faults.crash:
            process = self.random.choice([*self.processes.values()])
            choices = [partial(self.crash, process)]
        if not choices:
            return False
        self.random.choice(choices)()
        return True

    def deliver(self, index: int) -> None:
        sender, to, message = self.network[index]
        roll = self.random.random()
        if roll >= self.faults.duplicate:
            del self.network[index]
            if roll > 1 - self.faults.drop:
                return
        if self.processes[to].core is not None:
            self.feed(to, Received(sender, message))

    def time_out(self, process: Process, timer: str) -> None:
        process.timers.discard(timer)
        self.feed(process.name, TimedOut(timer))

    def crash(self, process: Process) -> None:
        self.events.append(f"{process.name} crashes")
        process.core, process.timers = None, set()
        pending = len(process.log.entries()) - len(process.log.durable())
        process.log.crash(kept=self.random.randint(0, pending))

    def restart(self, name: str) -> None:
        process = self.processes[name]
        self.events.append(f"{name} restarts")
        process.core = self.made(name, process.log)
        for instance in process.wants:
            self.propose(process, instance)
            if process.core is None:
                return

    # effects

    def feed(self, name: str, event: Propose | Abandon | Ask | Received | TimedOut) -> None:
        process = self.processes[name]
        assert process.core is not None
        self.events.append(f"{name} {event}")
        effects: tuple[Effect, ...] = process.core.handle(event)  # type: ignore[arg-type]
        for effect in effects:
            if self.random.random() < self.faults.crash_between_effects:
                self.crash(process)
                return
            self.carry_out(process, effect)

    def carry_out(self, process: Process, effect: Effect) -> None:
        match effect:
            case Send(to, message):
                self.network.append((process.name, to, message))
            case Persist(record):
                persist([effect], process.log)
                if isinstance(record, AcceptorRecord) and record.vote is not None:
                    # Only now: a vote that a crash forestalls is none.
                    key = (record.instance, record.vote.ballot, record.vote.value)
                    self.votes.setdefault(key, set()).add(process.name)
            case SetTimer(instance):
                process.timers.add(instance)
            case CancelTimer(instance):
                process.timers.discard(instance)
            case Learned(instance, value):
                self.learned[instance].add(value)

    # the end

    def repair(self) -> None:
        """No more faults, p2 leaves p1 alone (section 2.4), and time-outs outlast deliveries."""
        self.faults = Faults(0, 0, 0, 0, 1)
        self.processes["p2"].wants.clear()
        for process in self.processes.values():
            if process.core is None:
                self.restart(process.name)
        other = self.processes["p2"].core
        assert isinstance(other, Proposer)
        for instance in self.proposed:
            state = other.instances.get(instance)
            if state is not None and state.phase not in (Phase.IDLE, Phase.DONE):
                self.feed("p2", Abandon(instance))
            for name in self.learners:
                self.feed(name, Ask(instance))
        for _ in range(2000):
            if not self.step():
                return

    def check(self) -> None:
        """Agreement among choices, validity, and that only what is chosen is learned."""
        for instance, proposed in self.proposed.items():
            chosen = {
                value
                for (where, _, value), voters in self.votes.items()
                if where == instance and 2 * len(voters) > len(self.acceptors)
            }
            learned = self.learned[instance]
            assert len(chosen) <= 1, (chosen, self.events)
            assert chosen <= proposed, (chosen, self.events)
            assert learned <= chosen, (learned, self.events)

    def check_learned(self) -> None:
        """Progress: once faults stop, everybody who asks learns, and every proposer stops."""
        for name in self.learners:
            core = self.processes[name].core
            assert isinstance(core, Learner)
            for instance in self.proposed:
                assert core.instances[instance].learned, (name, instance, self.events)
        core = self.processes["p1"].core
        assert isinstance(core, Proposer)
        for state in core.instances.values():
            assert state.phase in (Phase.DONE, Phase.IDLE), (state, self.events)


def run(
    seed: int, options: Options, faults: Faults, *, acceptors: int, instances: int = 2
) -> World:
    world = World(seed, options, acceptors, faults)
    for number in range(instances):
        world.begin(f"i{number}")
        for _ in range(world.random.randint(0, 60)):
            world.step()
    for _ in range(150):
        world.step()
    world.check()
    world.repair()
    world.check()
    return world

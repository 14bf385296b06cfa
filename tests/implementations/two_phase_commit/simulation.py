"""A seeded simulation: processes with in-memory logs, a bad network, crashes between effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from quorate.implementations.storage import MemoryLog
from quorate.implementations.two_phase_commit import (
    CancelTimer,
    CastVote,
    Coordinator,
    Decide,
    Decided,
    Decision,
    DecisionNotice,
    DecisionReady,
    Effect,
    Ended,
    Enlist,
    Flaw,
    Message,
    Options,
    Participant,
    Persist,
    Proceed,
    ProceedWhenSent,
    Received,
    Request,
    Send,
    SetTimer,
    Termination,
    TimedOut,
    Vote,
    VoteRequested,
    encode,
    load,
)
from quorate.implementations.two_phase_commit.coordinator import CoordinatorPhase
from quorate.implementations.two_phase_commit.participant import ParticipantPhase

COORDINATOR = "c"


@dataclass
class Process:
    name: str
    core: Coordinator | Participant | None = None
    log: MemoryLog = field(default_factory=MemoryLog)
    timers: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    ready: set[str] = field(default_factory=set)
    proceeds: set[str] = field(default_factory=set)
    working: set[str] = field(default_factory=set)
    """What the application itself finds unfinished after a crash."""


@dataclass
class Faults:
    crash: float = 0.02
    crash_between_effects: float = 0.05
    drop: float = 0.1
    duplicate: float = 0.2
    time_out: float = 0.2
    no: float = 0.2
    restart: bool = True
    application_remembers: bool = True

    @classmethod
    def none(cls) -> Faults:
        return cls(0, 0, 0, 0, 0, 0)


class World:
    """A coordinator `c`, participants `p1`.., and everything that can go wrong between them."""

    def __init__(self, seed: int, options: Options, participants: int, faults: Faults) -> None:
        self.random = Random(seed)
        self.options = options
        self.faults = faults
        self.names = [f"p{i + 1}" for i in range(participants)]
        self.processes = {name: Process(name, Participant(name, options)) for name in self.names}
        self.processes[COORDINATOR] = Process(COORDINATOR, Coordinator(options))
        self.network: list[tuple[str, str, Message]] = []
        self.outcomes: dict[str, set[tuple[str, Decision]]] = {}
        self.votes: dict[str, dict[str, list[Vote]]] = {}
        self.ended: list[str] = []
        self.events: list[str] = []

    # what may happen

    def begin(self, transaction: str) -> None:
        self.votes[transaction] = {name: [] for name in self.names}
        self.outcomes[transaction] = set()
        for name in self.names:
            process = self.processes[name]
            if process.core is not None and self.random.random() < 0.8:
                process.working.add(transaction)
                self.feed(name, Enlist(transaction, COORDINATOR))
        if self.processes[COORDINATOR].core is not None:
            self.feed(COORDINATOR, Request(transaction, tuple(self.names)))

    def step(self) -> bool:
        """One random step; False if nothing can happen."""
        choices: list[Callable[[], None]] = [
            partial(self.deliver, i) for i in range(len(self.network))
        ]
        for process in self.processes.values():
            choices += self._choices(process)
        if self.random.random() < self.faults.crash:
            up = [p for p in self.processes.values() if p.core is not None]
            if up:
                choices = [lambda: self.crash(self.random.choice(up))]
        if not choices:
            return False
        self.random.choice(choices)()
        return True

    def _choices(self, process: Process) -> list[Callable[[], None]]:
        name = process.name
        if process.core is None:
            return [lambda: self.restart(name)] if self.faults.restart else []
        found: list[Callable[[], None]] = []
        found += [partial(self.vote, process, t) for t in sorted(process.asked)]
        found += [partial(self.decide, process, t) for t in sorted(process.ready)]
        found += [partial(self.proceed, process, t) for t in sorted(process.proceeds)]
        if self.random.random() < self.faults.time_out:
            due = [t for t in sorted(process.timers) if self.may_time_out(process, t)]
            found += [partial(self.time_out, process, t) for t in due]
        return found

    def deliver(self, index: int) -> None:
        sender, to, message = self.network[index]
        roll = self.random.random()
        if roll >= self.faults.duplicate:
            del self.network[index]
            if roll > 1 - self.faults.drop:
                return
        if self.processes[to].core is not None:
            self.feed(to, Received(sender, message))

    def vote(self, process: Process, transaction: str) -> None:
        process.asked.discard(transaction)
        vote = Vote.NO if self.random.random() < self.faults.no else Vote.YES
        self.votes[transaction][process.name].append(vote)
        self.feed(process.name, CastVote(transaction, vote))

    def decide(self, process: Process, transaction: str) -> None:
        process.ready.discard(transaction)
        self.feed(process.name, Decide(transaction))

    def proceed(self, process: Process, transaction: str) -> None:
        process.proceeds.discard(transaction)
        self.feed(process.name, Proceed(transaction))

    def time_out(self, process: Process, transaction: str) -> None:
        process.timers.discard(transaction)
        self.feed(process.name, TimedOut(transaction))

    def crash(self, process: Process) -> None:
        self.events.append(f"{process.name} crashes")
        process.core = None
        process.timers, process.asked = set(), set()
        process.ready, process.proceeds = set(), set()
        pending = len(process.log.entries()) - len(process.log.durable())
        process.log.crash(kept=self.random.randint(0, pending))
        if self.options.termination is Termination.FORWARDING:
            # a synchronous network: what arrives while a process is down is gone
            self.network = [item for item in self.network if item[1] != process.name]

    def restart(self, name: str) -> None:
        process = self.processes[name]
        self.events.append(f"{name} restarts")
        records = load(process.log)
        effects: tuple[Effect, ...]
        if name == COORDINATOR:
            process.core, effects = Coordinator.recover(records, self.options)
        else:
            unfinished = [(t, COORDINATOR) for t in sorted(process.working)]
            if not self.faults.application_remembers:
                unfinished = []
            process.core, effects = Participant.recover(
                name, records, self.options, unfinished=unfinished
            )
        self.carry_out(process, effects)

    # effects

    def feed(self, name: str, event: object) -> None:
        process = self.processes[name]
        assert process.core is not None
        self.events.append(f"{name} {event}")
        effects: tuple[Effect, ...] = process.core.handle(event)  # type: ignore[arg-type]
        self.carry_out(process, effects)

    def carry_out(self, process: Process, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if self.random.random() < self.faults.crash_between_effects:
                self.crash(process)
                return
            self.carry_out_one(process, effect)

    def carry_out_one(self, process: Process, effect: Effect) -> None:
        match effect:
            case Send(to, message):
                lost = (
                    self.options.termination is Termination.FORWARDING
                    and self.processes[to].core is None
                )
                if not lost:
                    self.network.append((process.name, to, message))
            case Persist(record, forced):
                process.log.append(record.transaction, encode(record), forced=forced)
            case SetTimer(transaction):
                process.timers.add(transaction)
            case CancelTimer(transaction):
                process.timers.discard(transaction)
            case VoteRequested(transaction):
                process.asked.add(transaction)
                process.working.add(transaction)
            case DecisionReady(transaction):
                process.ready.add(transaction)
            case ProceedWhenSent(transaction):
                process.proceeds.add(transaction)
            case Decided(transaction, decision):
                process.working.discard(transaction)
                process.asked.discard(transaction)
                self.outcomes[transaction].add((process.name, decision))
            case Ended(transaction):
                self.ended.append(transaction)

    def may_time_out(self, process: Process, transaction: str) -> bool:
        """FORWARDING assumes time-outs longer than all forwarding takes: then nothing is left."""
        if self.options.termination is not Termination.FORWARDING:
            return True
        if not isinstance(process.core, Participant):
            return True
        if process.core.transactions[transaction].phase is not ParticipantPhase.UNCERTAIN:
            return True
        return not any(
            isinstance(message, DecisionNotice) and message.transaction == transaction
            for _, _, message in self.network
        ) and not any(self._may_still_tell(other, transaction) for other in self.processes.values())

    def _may_still_tell(self, process: Process, transaction: str) -> bool:
        if isinstance(process.core, Coordinator):
            state = process.core.transactions.get(transaction)
            telling = (CoordinatorPhase.COLLECTING, CoordinatorPhase.FORWARDING)
            return state is not None and state.phase in telling
        return process.core is not None and transaction in process.proceeds

    # the end

    def repair(self) -> None:
        """No more faults: everybody restarts, messages arrive, time-outs fire, until quiet."""
        self.faults = Faults(0, 0, 0, 0, 1, 0, True, self.faults.application_remembers)
        for process in self.processes.values():
            if process.core is None:
                self.restart(process.name)
        for _ in range(4000):
            if self.done() or not self.step():
                return

    def done(self) -> bool:
        return not self.network and all(
            not p.timers and not p.asked and not p.ready and not p.proceeds
            for p in self.processes.values()
        )

    def check(self) -> None:
        """AC1, AC2 and AC3, numbered as in BHG chapter 7."""
        for transaction, outcomes in self.outcomes.items():
            decisions = {decision for _, decision in outcomes}
            assert len(decisions) <= 1, (transaction, outcomes, self.events)
            if Decision.COMMIT in decisions:
                for votes in self.votes[transaction].values():
                    assert votes == [Vote.YES], (transaction, self.votes, self.events)

    def check_decided(self) -> None:
        """AC5: everybody who took part has decided, and the coordinator has forgotten."""
        coordinator = self.processes[COORDINATOR].core
        assert isinstance(coordinator, Coordinator)
        assert not coordinator.transactions, self.events
        for name in self.names:
            core = self.processes[name].core
            assert isinstance(core, Participant)
            for state in core.transactions.values():
                assert state.phase is ParticipantPhase.DECIDED, (name, state, self.events)


def run(
    seed: int, options: Options, faults: Faults, *, participants: int, transactions: int = 3
) -> World:
    world = World(seed, options, participants, faults)
    for number in range(transactions):
        world.begin(f"t{number}")
        for _ in range(world.random.randint(0, 30)):
            world.step()
    for _ in range(100):
        world.step()
    world.check()
    world.repair()
    world.check()
    return world


def flawed(flaw: Flaw, **options: object) -> Options:
    return Options(flaws=frozenset({flaw}), **options)  # type: ignore[arg-type]

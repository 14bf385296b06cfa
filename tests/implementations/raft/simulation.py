"""A seeded simulation: servers with in-memory logs, a bad network, crashes between effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from quorate.implementations.raft import (
    AddServer,
    AlreadyApplied,
    Apply,
    ApplyCommitted,
    CancelTimer,
    ClientRequest,
    Clock,
    Compact,
    Configuration,
    Effect,
    Event,
    Flaw,
    Journal,
    LocalError,
    Membership,
    Message,
    Options,
    Persist,
    Raft,
    ReadFailed,
    ReadReady,
    ReadRequest,
    Reads,
    Received,
    Reconfigure,
    RemoveServer,
    Restore,
    Role,
    Send,
    SetTimer,
    TimedOut,
    Timer,
    TransferLeadership,
)
from quorate.implementations.storage import MemoryLog
from quorate.tests.implementations.raft.watch import Watch

ELECTION = 100
HEARTBEAT = 20


@dataclass
class Faults:
    """Chances, each for one step."""

    crash: float = 0.004
    crash_between_effects: float = 0.002
    drop: float = 0.1
    duplicate: float = 0.1
    partition: float = 0.004
    heal: float = 0.02


NONE = Faults(0, 0, 0, 0, 0, 1)


@dataclass
class Host:
    """A server with what surrounds it: disk, timers, state machine, clock."""

    name: str
    voters: tuple[str, ...]
    rate: float
    core: Raft | None = None
    log: MemoryLog = field(default_factory=MemoryLog)
    journal: Journal | None = None
    timers: dict[Timer, int] = field(default_factory=dict)
    machine: list[bytes] = field(default_factory=list)
    down_until: int = 0


@dataclass
class Read:
    host: str
    at_least: int
    """How many commands had been answered when it came."""


class World:
    """Hosts, a network with delays, clients, and what has been seen: for the four properties."""

    def __init__(
        self, seed: int, options: Options, servers: int, faults: Faults, *, spare: int = 0
    ) -> None:
        self.random = Random(seed)
        self.options = options
        self.faults = faults
        self.names = [f"s{number + 1}" for number in range(servers + spare)]
        self.now = 0
        voters = tuple(self.names[:servers])
        self.hosts = {
            name: Host(name, voters if name in voters else (), self.random.uniform(0.95, 1.0))
            for name in self.names
        }
        self.network: list[tuple[int, str, str, Message]] = []
        self.cut: set[frozenset[str]] = set()
        self.events: list[str] = []
        # history
        self.watch = Watch()
        self.answered: list[bytes] = []
        self.reads: dict[int, Read] = {}
        self.read_count = 0
        self.next_command = 0
        self.seen: set[str] = set()
        self.fed: set[str] = set()
        for host in self.hosts.values():
            self.start(host)

    # steps

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """A tick: faults, time-outs, arrivals, and sometimes a client."""
        self.now += self.random.randint(1, 5)
        self._faults()
        for host in self.hosts.values():
            if host.core is None:
                if self.now >= host.down_until:
                    self.start(host)
                continue
            self._time_outs(host)
        due = [item for item in self.network if item[0] <= self.now]
        for item in due:
            if item in self.network:
                self.network.remove(item)
                self._deliver(item)
        if self.random.random() < 0.2:
            self._client()
        self.check()

    def chaos(self, steps: int) -> None:
        """Anything in any order, as if no clock existed: not for leases."""
        for _ in range(steps):
            roll = self.random.random()
            up = [host for host in self.hosts.values() if host.core is not None]
            host = self.random.choice(list(self.hosts.values()))
            if host.core is None:
                self.start(host)
            elif roll < 0.7 and self.network:
                self._deliver(self._any_message())
            elif roll < 0.8 and host.timers:
                timer = self.random.choice(sorted(host.timers, key=lambda one: one.value))
                del host.timers[timer]
                self.feed(host, TimedOut(timer))
            elif roll < 0.98:
                self._client()
            elif up:
                self.crash(self.random.choice(up))
            self.check()

    def _any_message(self) -> tuple[int, str, str, Message]:
        while len(self.network) > 30:
            del self.network[self.random.randrange(len(self.network))]
        item = self.random.choice(self.network)
        if self.random.random() > self.faults.duplicate:
            self.network.remove(item)
        return item

    def _faults(self) -> None:
        chance = self.random.random
        if chance() < self.faults.heal:
            self.cut.clear()
        if chance() < self.faults.partition:
            side = {name for name in self.names if chance() < 0.5}
            self.cut = {frozenset((a, b)) for a in side for b in self.names if b not in side}
        if chance() < self.faults.crash:
            self.crash(self.hosts[self.random.choice(self.names)])

    def _time_outs(self, host: Host) -> None:
        for timer, at in sorted(host.timers.items(), key=lambda item: item[0].value):
            if at <= self.now and host.core is not None and host.timers.get(timer) == at:
                del host.timers[timer]
                self.feed(host, TimedOut(timer))

    def _deliver(self, item: tuple[int, str, str, Message]) -> None:
        _, sender, to, message = item
        host = self.hosts[to]
        if host.core is None or frozenset((sender, to)) in self.cut:
            return
        self.feed(host, Received(sender, message))

    def _client(self) -> None:
        leaders = [h for h in self.hosts.values() if h.core and h.core.role is Role.LEADER]
        if not leaders:
            return
        host = self.random.choice(leaders)
        roll = 0 if self.faults is NONE else self.random.random()
        try:
            if roll < 0.5:
                self.request(host)
            elif roll < 0.7 and self.options.reads is not Reads.NONE:
                self.read_count += 1
                self.reads[self.read_count] = Read(host.name, len(self.answered))
                self.feed(host, ReadRequest(self.read_count))
            elif roll < 0.8:
                self.compact(self.random.choice(list(self.hosts.values())))
            elif roll < 0.9:
                self._change_members(host)
            elif roll < 0.92 and self.options.eager:
                self.feed(host, TransferLeadership(self.random.choice(self.names)))
            elif self.options.lazy_apply and host.core:
                self.feed(host, ApplyCommitted())
        except LocalError:
            pass

    def request(self, host: Host) -> None:
        number = self.next_command
        if self.options.deduplicate and self.random.random() < 0.3 and number > 0:
            number -= 1  # the client has no answer yet, or lost it
        else:
            self.next_command += 1
        self.feed(host, ClientRequest(str(number).encode(), "client", number))

    def compact(self, host: Host) -> None:
        if host.core is not None:
            data = b"\n".join(host.machine)
            self.feed(host, Compact(host.core.last_applied, data))

    def _change_members(self, host: Host) -> None:
        assert host.core is not None
        members = host.core.configuration.members
        name = self.random.choice(self.names)
        if self.options.membership is Membership.SINGLE:
            if name not in members:
                self.feed(host, AddServer(name))
            elif len(members) > 2:
                self.feed(host, RemoveServer(name))
        elif self.options.membership is Membership.JOINT:
            fresh = [n for n in self.names if n not in host.core.configuration.retired]
            size = self.random.randint(min(3, len(fresh)), len(fresh))
            self.feed(host, Reconfigure(tuple(self.random.sample(fresh, size))))

    def start(self, host: Host) -> None:
        host.journal = Journal(host.log)
        host.machine = []
        host.timers = {}
        self.watch.restart(host.name)
        host.core, effects = Raft.recover(
            host.name, host.voters, host.journal.load(), self.options, now=self.clock(host)
        )
        self.carry_out(host, effects)

    def crash(self, host: Host) -> None:
        if host.core is None:
            return
        self.events.append(f"{host.name} crashes")
        self.seen.add("crash")
        host.core = None
        host.timers = {}
        host.log.crash(kept=self.random.randint(0, host.log.unforced()))
        host.down_until = self.now + self.random.randint(10, 300)

    def clock(self, host: Host) -> int:
        return int(self.now * host.rate)

    # effects

    def feed(self, host: Host, event: Event) -> None:
        assert host.core is not None
        self.events.append(f"{self.now} {host.name} {event}")
        self.fed.add(host.name)
        host.core.handle(Clock(self.clock(host)))
        self.carry_out(host, host.core.handle(event))

    def carry_out(self, host: Host, effects: Iterable[Effect]) -> None:
        assert host.journal is not None
        for effect in effects:
            if self.random.random() < self.faults.crash_between_effects:
                self.crash(host)
                return
            if isinstance(effect, Persist):
                host.journal.write((effect,))
            else:
                self.carry_out_one(host, effect)

    def carry_out_one(self, host: Host, effect: Effect) -> None:
        match effect:
            case Send(to, message):
                self._send(host.name, to, message)
            case SetTimer(timer):
                host.timers[timer] = self.now + self._duration(timer)
            case CancelTimer(timer):
                host.timers.pop(timer, None)
            case Apply(index, command):
                self.watch.apply(index, command.data)
                host.machine.append(command.data)
                if command.data not in self.answered:
                    self.answered.append(command.data)
                self.seen.add("apply")
            case AlreadyApplied():
                self.seen.add("repetition")
            case Restore(snapshot):
                host.machine = snapshot.data.split(b"\n") if snapshot.data else []
                self.seen.add("restore")
            case ReadReady(number):
                read = self.reads.pop(number)
                missing = set(self.answered[: read.at_least]) - set(host.machine)
                assert not missing, f"stale read at {host.name}: {missing}"
                self.seen.add("read")
            case ReadFailed(number):
                self.reads.pop(number, None)

    def _send(self, sender: str, to: str, message: Message) -> None:
        if self.random.random() < self.faults.drop:
            return
        copies = 2 if self.random.random() < self.faults.duplicate else 1
        for _ in range(copies):
            slow = self.faults.drop > 0 and self.random.random() < 0.1
            # Mostly there and back between two heartbeats: answers then hide what was lost.
            delay = self.random.randint(1, 200 if slow else 7)
            self.network.append((self.now + delay, sender, to, message))
        self.seen.add(type(message).__name__)

    def _duration(self, timer: Timer) -> int:
        """Real time: an election takes at least ELECTION ticks of the slowest clock."""
        if timer is Timer.HEARTBEAT:
            return HEARTBEAT
        if timer is Timer.ELECTION:
            return self.random.randint(ELECTION + 10, 2 * ELECTION + 20)
        return ELECTION

    # properties

    def check(self) -> None:
        """Figure 3, on what changed in this step and on what was seen before."""
        for name in sorted(self.fed):
            host = self.hosts[name]
            core = host.core
            if core is None:
                continue
            self.watch.check(core)
            if self.options.deduplicate:
                assert len(set(host.machine)) == len(host.machine), "applied twice"
            if core.log and isinstance(core.log[-1].payload, Configuration):
                self.seen.add("configuration")
        self.fed.clear()

    def quiet(self) -> None:
        """No more faults: a leader is elected, and its followers apply what it commits."""
        self.faults = NONE
        self.cut.clear()
        for host in self.hosts.values():
            if host.core is None:
                self.start(host)
        fresh = self.next_command
        for _ in range(3000):
            self.step()
            if self._is_settled(fresh):
                return
        raise AssertionError("no leader, or no commit, in a quiet network")

    def _is_settled(self, fresh: int) -> bool:
        cores = [host.core for host in self.hosts.values() if host.core is not None]
        leaders = [core for core in cores if core.role is Role.LEADER]
        if len(leaders) != 1:
            return False
        members = leaders[0].configuration.members
        new = {str(number).encode() for number in range(fresh, self.next_command)}
        return all(new & set(self.hosts[name].machine) for name in members)


def flawed(flaw: Flaw, **options: object) -> Options:
    return Options(flaws=frozenset({flaw}), **options)  # type: ignore[arg-type]

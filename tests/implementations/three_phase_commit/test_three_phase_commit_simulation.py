"""Random runs in memory: sites crash and recover at any step, messages are slow and come twice.

The network never partitions and a time-out only strikes where every awaited site has failed, which
is what three-phase commit assumes (BHG 1987, section 7.5).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from quorate.implementations.storage import MemoryLog
from quorate.implementations.three_phase_commit import (
    AskVote,
    Begin,
    CancelTimer,
    Coordinator,
    Decision,
    Effect,
    Event,
    GiveUp,
    Message,
    Notify,
    Participant,
    Polling,
    Preparing,
    Received,
    Recovering,
    RemoteError,
    Send,
    SetTimer,
    TimedOut,
    VoteCast,
    load,
    persist,
)

COORDINATOR = "C"


@dataclass
class Cluster:
    """One coordinator, some participants, and a network that loses nothing between live sites."""

    seed: int
    size: int
    flaws: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    network: list[tuple[str, str, Message]] = field(default_factory=list)
    up: set[str] = field(default_factory=set)
    ever_down: set[str] = field(default_factory=set)
    timers: set[tuple[str, str]] = field(default_factory=set)
    votes: dict[tuple[str, str], bool] = field(default_factory=dict)
    decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.names = tuple(f"P{k + 1}" for k in range(self.size))
        self.logs = {site: MemoryLog() for site in (COORDINATOR, *self.names)}
        self.up = set(self.logs)
        self.coordinator = Coordinator(COORDINATOR, flaws=self.flaws)
        self.participants = {site: Participant(site, flaws=self.flaws) for site in self.names}

    def core(self, site: str) -> Coordinator | Participant:
        return self.coordinator if site == COORDINATOR else self.participants[site]

    def give(self, site: str, event: Event) -> None:
        self.events.append(f"{site} {event}")
        self.carry_out(site, self.core(site).handle(event))

    def carry_out(self, site: str, effects: tuple[Effect, ...]) -> None:
        for effect in persist(effects, self.logs[site]):
            match effect:
                case Send(to, message):
                    if to in self.up:
                        self.network.append((site, to, message))
                case AskVote(name):
                    vote = self.random.random() < 0.85
                    self.votes[site, name] = vote
                    self.give(site, VoteCast(name, vote))
                case Notify(name, decision):
                    known = self.decisions.setdefault((site, name), decision)
                    assert known is decision, "AC2: a decision was reversed"
                case SetTimer(name):
                    self.timers.add((site, name))
                case CancelTimer(name):
                    self.timers.remove((site, name))

    def crash(self, site: str) -> None:
        self.events.append(f"{site} crashes")
        self.up.discard(site)
        self.ever_down.add(site)
        spared = self.random.random()  # what it had sent may be lost on its way out
        self.network = [
            item
            for item in self.network
            if item[1] != site and (item[0] != site or self.random.random() < spared)
        ]
        self.timers = {timer for timer in self.timers if timer[0] != site}
        self.logs[site].crash()

    def restart(self, site: str) -> None:
        self.events.append(f"{site} restarts")
        self.up.add(site)
        records = load(self.logs[site])
        if site == COORDINATOR:
            self.coordinator, effects = Coordinator.recover(site, records, flaws=self.flaws)
        else:
            self.participants[site], effects = Participant.recover(site, records, flaws=self.flaws)
        self.carry_out(site, effects)

    def awaited(self, site: str, name: str) -> frozenset[str]:
        if site == COORDINATOR:
            known = self.coordinator.state(name)
            assert known is not None
            return frozenset() if known.recovering else known.awaited
        role = self.participants[site].state(name).role  # type: ignore[union-attr]
        if isinstance(role, Polling | Preparing):
            return role.awaited
        return frozenset() if isinstance(role, Recovering) else frozenset({role.leader})

    def steps(self, faults: bool, crashes_left: int) -> list[tuple[str, object]]:
        steps: list[tuple[str, object]] = [("deliver", k) for k in range(len(self.network))]
        for site, name in sorted(self.timers):
            if self.awaited(site, name) <= self.ever_down:
                steps.append(("time out", (site, name)))
        if faults:
            steps += [("duplicate", k) for k in range(len(self.network))]
            steps += [("restart", site) for site in sorted(set(self.logs) - self.up)]
            if crashes_left:
                steps += [("crash", site) for site in sorted(self.up)]
        return steps

    def take(self, step: tuple[str, object]) -> None:
        match step:
            case ("deliver", int(k)):
                sender, to, message = self.network.pop(k)
                self.give(to, Received(sender, message))
            case ("duplicate", int(k)):
                sender, to, message = self.network[k]
                self.give(to, Received(sender, message))
            case ("time out", (str(site), str(name))):
                self.timers.remove((site, name))
                self.give(site, TimedOut(name))
            case ("crash", str(site)):
                self.crash(site)
            case ("restart", str(site)):
                self.restart(site)

    def run(self, transactions: int, crashes: int) -> None:
        """Faults for a while, then none, until nothing more happens at the survivors."""
        names = [f"t{k}" for k in range(transactions)]
        for name in names:
            self.give(COORDINATOR, Begin(name, self.names))
        for _ in range(150 * transactions):
            steps = self.steps(faults=True, crashes_left=crashes - len(self.ever_down))
            if not steps:
                break
            step = self.random.choice(steps)
            if step[0] in {"crash", "duplicate"} and self.random.random() < 0.85:
                continue
            self.take(step)
        self.calm(names)
        self.judge(names)

    def calm(self, names: list[str]) -> None:
        for _ in range(3000):
            steps = [step for step in self.steps(False, 0) if not self.asks_again(step)]
            if not steps:
                break
            self.take(self.random.choice(steps))
        else:
            pytest.fail("no end")
        for site in sorted(self.up - {COORDINATOR}):
            for name in names:
                unheard = self.participants[site].state(name) is None
                if unheard and COORDINATOR in self.ever_down:
                    self.give(site, GiveUp(name))

    def asks_again(self, step: tuple[str, object]) -> bool:
        return step[0] == "time out" and not self.awaited(*step[1])  # type: ignore[misc]

    def judge(self, names: list[str]) -> None:
        for name in names:
            made = {d for (_, n), d in self.decisions.items() if n == name}
            assert len(made) <= 1, f"AC1 on {name}: {self.decisions}"
            if Decision.COMMIT in made:
                votes = [self.votes.get((site, name)) for site in self.names]
                assert votes == [True] * self.size, f"AC3 on {name}: {votes}"
            for site in sorted(set(self.logs) - self.ever_down):
                known = self.core(site).state(name)
                if known is None:
                    continue
                assert (site, name) in self.decisions, f"{site} is blocked on {name}: {known}"
        if not self.ever_down:
            for name in names:
                if all(self.votes.get((site, name)) for site in self.names):
                    assert self.decisions[COORDINATOR, name] is Decision.COMMIT, "AC4"


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("crashes", [0, 1, 2, 3])
def test_crashes_neither_break_agreement_nor_block_the_survivors(size: int, crashes: int) -> None:
    for seed in range(120):
        cluster = Cluster(seed, size)
        try:
            cluster.run(transactions=1 + seed % 3, crashes=crashes)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}\n" + "\n".join(cluster.events)) from error


@pytest.mark.parametrize(
    "flaw",
    ["backup_skips_phase1", "uncertain_means_commit", "recover_p_commits", "recover_aborts"],
)
def test_each_flaw_breaks_agreement_in_some_run(flaw: str) -> None:
    for seed in range(6000):
        try:
            Cluster(seed, 2, flaws=(flaw,)).run(transactions=1, crashes=3)
        except (AssertionError, RemoteError) as error:
            text = str(error)
            break
    else:
        pytest.fail(f"6000 runs with {flaw} went well")
    assert "AC" in text or "decided" in text


def test_the_same_seed_gives_the_same_events() -> None:
    logs = []
    for _ in range(2):
        cluster = Cluster(7, 3)
        cluster.run(transactions=2, crashes=2)
        logs.append(cluster.events)
    assert logs[0] == logs[1]

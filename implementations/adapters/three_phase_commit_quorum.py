"""Replays `three-phase-commit-quorum` on `implementations.three_phase_commit.quorum`.

One transaction. The session is the environment: the channels between sites, the partition, the
membership service, the logs; it votes for the resource managers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...language import Node
from ...language.ir.nodes import Kind
from ...language.ir.types import Sort
from ...language.labels import Label
from ...language.values import FrozenMap, Value
from ...models.three_phase_commit_quorum import spec
from ...traces.adapter import Control, Named, StepRefused
from ...traces.trace import Setting
from ..storage import MemoryLog
from ..three_phase_commit import CommitError, Decision
from ..three_phase_commit import quorum as core
from ..three_phase_commit import quorum_messages as wire
from ..three_phase_commit.messages import AskVote, Decide, Vote, VoteCast, VoteRequest

T = "t"


class QuorumSession:
    """Some sites, and channels between them that lose what a partition separates."""

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        size = int(parameters["sites"])
        sort = Sort("sites", size, ordered=False)
        self.nodes = {node.name: node for node in (Node(sort, i) for i in range(size))}
        self.flaws = flaws
        self.cores = {name: core.QuorumSite(name, flaws=flaws) for name in self.nodes}
        self.logs = {name: MemoryLog() for name in self.nodes}
        self.channels: dict[tuple[str, str], list[Value]] = {
            (a, b): [] for a in self.nodes for b in self.nodes
        }
        self.up = set(self.nodes)
        self.far_side: set[str] = set()
        self.changed: set[str] = set()
        self.crashes = self.regroupings = 0
        self.votes: dict[str, spec.Vote] = {}
        self.asked = False

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take the step of the label."""
        try:
            self.step(label, dict(label.parameters))
        except CommitError as error:
            raise StepRefused(str(error)) from error

    def step(self, label: Label, given: Mapping[str, Value]) -> None:
        """Hand the step to the core that takes it, or to the environment."""
        node = given.get("site", given.get("leader", given.get("node")))
        name = "" if node is None else node.name
        match label.kind:
            case Kind.REQUEST:
                self.votes[name] = spec.Vote.YES  # who begins a transaction votes yes
                self.feed(name, wire.QuorumBegin(T, tuple(self.nodes)))
            case Kind.TIMEOUT:
                self.elect(name)
            case Kind.DELIVER:
                self.deliver(given["sender"].name, given["to"].name, given.get("vote"))
            case Kind.DROP:
                self.channels[given["sender"].name, given["to"].name].pop(0)
            case Kind.PARTITION:
                self.regroupings += 1
                self.far_side ^= {name}
                self.disturb()
            case Kind.CRASH:
                self.crashes += 1
                self.up.remove(name)
                self.logs[name].crash()
                self.disturb()
            case Kind.RESTART:
                self.up.add(name)
                self.disturb()
                records = wire.load(self.logs[name])
                self.cores[name], effects = core.QuorumSite.recover(name, records, flaws=self.flaws)
                self.carry_out(name, effects)
            case _:
                raise StepRefused(f"there is no {label.kind.value} here")

    def elect(self, name: str) -> None:
        """The membership service: a new view begins with empty channels."""
        members = frozenset(other for other in self.nodes if self.connected(name, other))
        self.changed -= members
        for pair, channel in self.channels.items():
            if members.issuperset(pair):
                channel.clear()
        self.feed(name, wire.Elected(T, members))

    def deliver(self, sender: str, to: str, vote: spec.Vote | None) -> None:
        """Deliver the oldest message of a channel; with a vote request, vote as the step says."""
        content = arriving(self.channels[sender, to].pop(0), tuple(self.nodes))
        self.asked = False
        self.feed(to, wire.QuorumReceived(sender, content))
        if self.asked and vote is not None:
            self.votes[to] = vote
            self.feed(to, VoteCast(T, vote is spec.Vote.YES))

    def feed(self, name: str, event: wire.QuorumEvent) -> None:
        """Pass an event to a core and carry out its effects."""
        if name not in self.up:
            raise StepRefused(f"{name} is down")
        self.carry_out(name, self.cores[name].handle(event))

    def carry_out(self, name: str, effects: tuple[wire.QuorumEffect, ...]) -> None:
        """Do what a core asks for."""
        for effect in wire.persist(effects, self.logs[name]):
            match effect:
                case wire.QuorumSend(to, message):
                    if self.connected(name, to):
                        self.channels[name, to].append(leaving(message))
                case AskVote():
                    self.asked = True

    def connected(self, one: str, other: str) -> bool:
        """Whether two sites are up and on one side."""
        return {one, other} <= self.up and (one in self.far_side) == (other in self.far_side)

    def disturb(self) -> None:
        """Who is connected has changed: what is between the separated is lost."""
        self.changed = set(self.nodes)
        for (one, other), channel in self.channels.items():
            if not self.connected(one, other):
                channel.clear()

    def project(self) -> Named:
        """The state in the spec's variables."""
        logged = {name: wire.load(self.logs[name]) for name in self.nodes}
        last = {name: records[-1] for name, records in logged.items() if records}
        views = {name: self.view(name) for name in self.nodes}
        return {
            "channels": self.map(lambda a: self.map(lambda b: tuple(self.channels[a, b]))),
            "up": self.map(lambda name: name in self.up),
            "crashes": self.crashes,
            "state": self.map(lambda n: spec.State(last[n].state.value if n in last else "q")),
            "last_elected": self.map(lambda n: last[n].last_elected if n in last else 1),
            "last_attempt": self.map(lambda n: last[n].last_attempt if n in last else 0),
            "role": self.map(lambda name: views[name]["role"]),
            "leader": self.map(lambda name: self.nodes.get(views[name]["leader"])),
            "awaited": self.map(lambda name: self.set(views[name]["awaited"])),
            "members": self.map(lambda name: self.set(views[name]["members"])),
            "highest": self.map(lambda name: views[name]["highest"]),
            "reports": self.map(lambda n: self.map(lambda other: views[n]["reports"].get(other))),
            "target": self.map(lambda name: views[name]["target"]),
            "accepted": self.map(lambda name: self.set(views[name]["accepted"])),
            "far_side": self.set(self.far_side),
            "changed": self.map(lambda name: name in self.changed),
            "regroupings": self.regroupings,
            "vote": self.map(self.votes.get),
        }

    def view(self, name: str) -> dict[str, Value]:
        """What an undecided site is about; nothing, where it has decided or is down."""
        found: dict[str, Value] = {
            "role": spec.Role.FOLLOWING,
            "leader": None,
            "awaited": (),
            "members": (),
            "highest": 0,
            "reports": {},
            "target": None,
            "accepted": (),
        }
        known = self.cores[name].state(T) if name in self.up else None
        if known is None or known.state in core.DECIDED:
            return found
        match known.role:
            case core.Follower(leader):
                found |= {"leader": leader}
            case core.Counting(awaited):
                found |= {"role": spec.Role.COUNTING, "awaited": awaited}
            case core.Numbering(members, awaited, highest):
                found |= {"role": spec.Role.NUMBERING, "awaited": awaited}
                found |= {"members": members, "highest": highest}
            case core.Collecting(awaited, reports):
                told = {other: leaving(report) for other, report in reports.items()}
                found |= {"role": spec.Role.COLLECTING, "awaited": awaited, "reports": told}
            case core.Attempting(target, accepted):
                goal = spec.State(target.value)
                found |= {"role": spec.Role.ATTEMPTING, "target": goal, "accepted": accepted}
        return found

    def map(self, value: Callable[[str], Value]) -> FrozenMap[Node, Value]:
        """A value for every site."""
        return FrozenMap({node: value(name) for name, node in self.nodes.items()})

    def set(self, names: Value) -> frozenset[Node]:
        """Sites as nodes."""
        return frozenset(self.nodes[name] for name in names)

    def close(self) -> None:
        """Nothing is held."""


def leaving(message: wire.QuorumMessage) -> Value:
    """A message as the spec writes it."""
    match message:
        case VoteRequest():
            return spec.VoteRequest()
        case Vote(_, yes):
            return spec.VoteReply(spec.Vote.YES if yes else spec.Vote.NO)
        case wire.Inquire():
            return spec.Inquiry()
        case wire.Counter(_, number):
            return spec.Counter(number)
        case wire.Number(_, number):
            return spec.Numbered(number)
        case wire.Report(_, state, attempt):
            return spec.Report(spec.State(state.value), attempt)
        case wire.Attempt(_, number, target):
            return spec.Attempt(number, spec.State(target.value))
        case wire.Accept(_, number):
            return spec.Accept(number)
        case Decide(_, decision):
            return spec.DecisionNotice(spec.Decision(decision.value))


def arriving(message: Value, sites: tuple[str, ...]) -> wire.QuorumMessage:
    """A message of the spec as the core's."""
    match message:
        case spec.VoteRequest():
            return VoteRequest(T, sites)
        case spec.VoteReply(vote):
            return Vote(T, vote is spec.Vote.YES)
        case spec.Inquiry():
            return wire.Inquire(T)
        case spec.Counter(number):
            return wire.Counter(T, number)
        case spec.Numbered(number):
            return wire.Number(T, number)
        case spec.Report(state, attempt):
            return wire.Report(T, wire.QuorumState(state.value), attempt)
        case spec.Attempt(number, target):
            return wire.Attempt(T, number, wire.QuorumState(target.value))
        case spec.Accept(number):
            return wire.Accept(T, number)
        case spec.DecisionNotice(decision):
            return Decide(T, Decision(decision.value))
    raise TypeError(f"not a message of the spec: {message!r}")


class QuorumAdapter:
    """Starts sessions; see `traces.adapter.Adapter`."""

    control = Control.IN_PROCESS

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> QuorumSession:
        """Fresh sites with the parameters and flaws of a trace."""
        return QuorumSession(parameters, flaws)


adapter = QuorumAdapter()

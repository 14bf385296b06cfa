"""Replays `three-phase-commit-system` on `implementations.three_phase_commit`.

One transaction. The session is the environment: it holds the messages in flight, as the spec
writes them, the logs and the cuts; it hands deliveries, time-outs, crashes and restarts to the
cores, and votes for the resource managers.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...language import Node
from ...language.ir.nodes import Kind
from ...language.ir.types import Sort
from ...language.labels import Label
from ...language.values import FrozenMap, Value
from ...models.three_phase_commit_system import spec
from ...traces.adapter import Control, Named, StepRefused
from ...traces.trace import Setting
from .. import three_phase_commit as core
from ..storage import MemoryLog

T = "t"
C = "coordinator"


class ThreePhaseCommitSession:
    """One coordinator, its participants, and the network between them."""

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        size = int(parameters["participants"])
        sort = Sort("participants", size, ordered=True)
        self.nodes = {node.name: node for node in (Node(sort, i) for i in range(size))}
        self.duplicating = bool(parameters.get("duplicating", False))
        self.flaws = flaws
        self.logs = {name: MemoryLog() for name in (C, *self.nodes)}
        self.coordinator = core.Coordinator(C, flaws=flaws)
        self.participants = {name: core.Participant(name, flaws=flaws) for name in self.nodes}
        self.down: set[str] = set()
        self.failed: list[str] = []
        self.network: set[Value] = set()
        self.isolated: set[Node] = set()
        self.network_has_failed = False
        self.votes: dict[str, spec.Vote] = {}
        self.asked = False

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take the step of the label."""
        try:
            self.step(label, dict(label.parameters))
        except core.CommitError as error:
            raise StepRefused(str(error)) from error

    def step(self, label: Label, given: Mapping[str, Value]) -> None:
        """Hand the step to the core that takes it, or to the environment."""
        node = given.get("participant", given.get("backup", given.get("node")))
        name = C if node is None else node.name
        match label.kind:
            case Kind.REQUEST:
                self.feed(C, core.Begin(T, tuple(self.nodes)))
            case Kind.TIMEOUT if label.action == "give_up":
                self.feed(name, core.GiveUp(T))
            case Kind.TIMEOUT:
                self.feed(name, core.TimedOut(T))
            case Kind.DELIVER:
                self.deliver(given["message"], given.get("vote"))
            case Kind.DROP:
                self.network.remove(given["message"])
                self.network_has_failed = True
            case Kind.PARTITION:
                self.isolated.add(given["node"])
                self.network_has_failed = True
            case Kind.HEAL:
                self.isolated.remove(given["node"])
            case Kind.CRASH:
                self.down.add(name)
                self.failed.append(name)
                self.logs[name].crash()
                self.network = {m for m in self.network if not spec.addressed(m, node)}
            case Kind.RESTART:
                self.restart(name)
            case _:
                raise StepRefused(f"there is no {label.kind.value} here")

    def deliver(self, message: Value, vote: spec.Vote | None) -> None:
        """Deliver a message of the network; with a vote request, vote as the step says."""
        if not self.duplicating:
            self.network.remove(message)
        self.asked = False
        to, sender, content = arriving(message, tuple(self.nodes))
        self.feed(to, core.Received(sender, content))
        if self.asked:
            self.feed(to, core.VoteCast(T, vote is spec.Vote.YES))

    def restart(self, name: str) -> None:
        """A new core from the log."""
        self.down.remove(name)
        records = core.load(self.logs[name])
        if name == C:
            self.coordinator, effects = core.Coordinator.recover(C, records, flaws=self.flaws)
        else:
            self.participants[name], effects = core.Participant.recover(
                name, records, flaws=self.flaws
            )
        self.carry_out(name, effects)

    def feed(self, name: str, event: core.Event) -> None:
        """Pass an event to a core and carry out its effects."""
        if name in self.down:
            raise StepRefused(f"{name} is down")
        target = self.coordinator if name == C else self.participants[name]
        self.carry_out(name, target.handle(event))

    def carry_out(self, name: str, effects: tuple[core.Effect, ...]) -> None:
        """Do what a core asks for; its timers are the spec's to fire."""
        for effect in core.persist(effects, self.logs[name]):
            match effect:
                case core.Send(to, message):
                    if isinstance(message, core.Vote):
                        vote = spec.Vote.YES if message.yes else spec.Vote.NO
                        self.votes.setdefault(name, vote)
                    cut = {self.site(name), self.site(to)} & self.isolated
                    if not cut and to not in self.down:
                        self.network.add(self.leaving(name, to, message))
                case core.AskVote():
                    self.asked = True

    def leaving(self, name: str, receiver: str, message: core.Message) -> Value:
        """A message as the spec writes it."""
        sender, to = self.site(name), self.site(receiver)
        match message:
            case core.VoteRequest():
                return spec.VoteRequest(to)
            case core.Vote(_, yes):
                return spec.VoteReply(sender, spec.Vote.YES if yes else spec.Vote.NO)
            case core.PreCommit():
                return spec.PreCommit(sender, to)
            case core.Acknowledge():
                return spec.Acknowledgement(sender, to)
            case core.Decide(_, decision):
                return spec.DecisionNotice(to, spec.Decision(decision.value))
            case core.StateRequest():
                return spec.StateRequest(sender, to)
            case core.StateReport(_, state):
                return spec.StateReport(sender, to, spec.State(state.value))
            case core.TakeOver():
                return spec.TakeOver(sender, to)
            case core.DecisionRequest():
                return spec.DecisionRequest(sender, to)

    def project(self) -> Named:
        """The state in the spec's variables."""
        known = None if C in self.down else self.coordinator.state(T)
        missing = known.awaited if known and not known.recovering else ()
        views = {node: self.view(name) for name, node in self.nodes.items()}
        return {
            "network": frozenset(self.network),
            "up": FrozenMap({node: name not in self.down for name, node in self.nodes.items()}),
            "crashes": len(self.failed),
            "isolated": frozenset(self.isolated),
            "coordinator": self.durable(C),
            "coordinator_up": C not in self.down,
            "missing": frozenset(self.nodes[name] for name in missing),
            "state": FrozenMap({node: self.durable(name) for name, node in self.nodes.items()}),
            "role": FrozenMap({node: view[0] for node, view in views.items()}),
            "leader": FrozenMap({node: view[1] for node, view in views.items()}),
            "awaited": FrozenMap({node: view[2] for node, view in views.items()}),
            "reports": FrozenMap({node: view[3] for node, view in views.items()}),
            "vote": FrozenMap({node: self.votes.get(name) for name, node in self.nodes.items()}),
            "failed_sites": frozenset(self.nodes[name] for name in self.failed if name != C),
            "coordinator_has_failed": C in self.failed,
            "network_has_failed": self.network_has_failed,
        }

    def durable(self, name: str) -> spec.State:
        """The state in the log, which a core that is up must agree with."""
        records = core.load(self.logs[name])
        logged = records[-1].state if records else core.State.INITIAL
        if name not in self.down:
            target = self.coordinator if name == C else self.participants[name]
            known = target.state(T)
            held = known.state if known else core.State.INITIAL
            if held is not logged:
                raise StepRefused(f"{name} holds {held.value}, its log {logged.value}")
        return spec.State(logged.value)

    def view(self, name: str) -> tuple[spec.Role, Value, Value, Value]:
        """Role, leader, awaited and reports of a participant, in the spec's values."""
        role, leader, awaited = spec.Role.FOLLOWING, None, frozenset[str]()
        reports: Mapping[str, core.State] = {}
        known = None if name in self.down else self.participants[name].state(T)
        if known is not None and known.state in (core.State.UNCERTAIN, core.State.PREPARED):
            match known.role:
                case core.Following(followed):
                    leader = self.nodes.get(followed)
                case core.Polling(awaited, reports):
                    role = spec.Role.POLLING
                case core.Preparing(awaited):
                    role = spec.Role.PREPARING
                case core.Recovering():
                    role = spec.Role.RECOVERING
        told = {
            node: spec.State(reports[other].value) if other in reports else None
            for other, node in self.nodes.items()
        }
        return role, leader, frozenset(self.nodes[name] for name in awaited), FrozenMap(told)

    def site(self, name: str) -> Value:
        """A site as the spec writes it: None is the coordinator."""
        return self.nodes.get(name)

    def close(self) -> None:
        """Nothing is held."""


def arriving(message: Value, participants: tuple[str, ...]) -> tuple[str, str, core.Message]:
    """A message of the spec as (receiver, sender, content).

    A notice of a decision does not say who sent it, as that does not matter.
    """
    match message:
        case spec.VoteRequest(to):
            return to.name, C, core.VoteRequest(T, participants)
        case spec.VoteReply(sender, vote):
            return C, sender.name, core.Vote(T, vote is spec.Vote.YES)
        case spec.PreCommit(sender, to):
            return to.name, _name(sender), core.PreCommit(T)
        case spec.Acknowledgement(sender, to):
            return _name(to), sender.name, core.Acknowledge(T)
        case spec.DecisionNotice(to, decision):
            somebody = participants[0] if to is None else C
            return _name(to), somebody, core.Decide(T, core.Decision(decision.value))
        case spec.StateRequest(sender, to):
            return to.name, sender.name, core.StateRequest(T)
        case spec.StateReport(sender, to, state):
            return to.name, sender.name, core.StateReport(T, core.State(state.value))
        case spec.TakeOver(sender, to):
            return to.name, sender.name, core.TakeOver(T)
        case spec.DecisionRequest(sender, to):
            return _name(to), _name(sender), core.DecisionRequest(T)
    raise TypeError(f"not a message of the spec: {message!r}")


def _name(site: Node | None) -> str:
    return C if site is None else site.name


class ThreePhaseCommitAdapter:
    """Starts sessions; see `traces.adapter.Adapter`."""

    control = Control.IN_PROCESS

    def start(
        self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]
    ) -> ThreePhaseCommitSession:
        """A fresh system with the parameters and flaws of a trace."""
        return ThreePhaseCommitSession(parameters, flaws)


adapter = ThreePhaseCommitAdapter()

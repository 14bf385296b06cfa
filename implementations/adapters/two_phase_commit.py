"""Replays `two-phase-commit-system` on `implementations.two_phase_commit`.

One transaction. The session is the environment: it holds the messages in flight, as the spec
writes them, and the logs; it hands deliveries, time-outs, crashes and restarts to the cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...language import Node
from ...language.ir.nodes import Kind
from ...language.ir.types import Sort
from ...language.labels import Label
from ...language.values import FrozenMap, Value
from ...models.two_phase_commit_system import spec
from ...traces.adapter import Control, Named, StepRefused
from ...traces.trace import Setting
from ..storage import MemoryLog
from ..two_phase_commit import (
    Acknowledgement,
    CastVote,
    Coordinator,
    CoordinatorEvent,
    Decide,
    Decided,
    Decision,
    DecisionNotice,
    DecisionRecord,
    DecisionRequest,
    Effect,
    Enlist,
    Flaw,
    Message,
    Options,
    Participant,
    ParticipantEvent,
    Persist,
    Presumption,
    ProtocolError,
    Received,
    Request,
    Send,
    StartRecord,
    Termination,
    TimedOut,
    Uncertain,
    Vote,
    VoteReply,
    VoteRequest,
    VoteRequested,
    YesRecord,
    decode,
    encode,
    load,
)
from ..two_phase_commit.participant import ParticipantPhase

T = "t"
C = "coordinator"


class TwoPhaseCommitSession:
    """One coordinator, its participants, and the network between them."""

    def __init__(self, parameters: Mapping[str, Setting], options: Options) -> None:
        size = int(parameters["participants"])
        sort = Sort("participants", size, ordered=False)
        self.nodes = {node.name: node for node in (Node(sort, i) for i in range(size))}
        self.options = options
        self.duplicating = bool(parameters.get("duplicating", False))
        self.coordinator: Coordinator | None = Coordinator(options)
        self.participants: dict[str, Participant | None] = {}
        self.logs = {name: MemoryLog() for name in (C, *self.nodes)}
        self.network: set[Value] = set()
        self.isolated: set[Node] = set()
        self.votes: dict[str, spec.Vote] = {}
        self.decided: dict[str, set[spec.Decision]] = {name: set() for name in (C, *self.nodes)}
        self.crashes = 0
        self.requested = False
        self.asked = False
        for name in self.nodes:
            self.participants[name] = Participant(name, options)
            self.feed(name, Enlist(T, C))

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take the step of the label."""
        try:
            self.step(label, dict(label.parameters))
        except ProtocolError as error:
            raise StepRefused(str(error)) from error

    def step(self, label: Label, given: Mapping[str, Value]) -> None:
        """Hand the step to the core that takes it, or to the environment."""
        node = given.get("participant", given.get("node"))
        name = C if node is None else node.name
        match label.kind:
            case Kind.REQUEST:
                self.requested = True
                self.feed(C, Request(T, tuple(self.nodes)))
            case Kind.INTERNAL:
                self.feed(C, Decide(T))
            case Kind.TIMEOUT:
                self.feed(name, TimedOut(T))
            case Kind.DELIVER:
                self.deliver(label.action, given["message"])
            case Kind.DROP:
                self.network.remove(given["message"])
            case Kind.PARTITION:
                self.isolated.add(given["node"])
            case Kind.HEAL:
                self.isolated.remove(given["node"])
            case Kind.CRASH:
                self.crash(name)
            case Kind.RESTART:
                self.restart(name)
            case _:
                raise StepRefused(f"there is no {label.kind.value} here")

    def deliver(self, action: str, message: Value) -> None:
        """Deliver a message of the network; with a vote request, answer for the application."""
        if not self.duplicating:
            self.network.remove(message)
        if isinstance(message, spec.VoteRequest):
            to, sender = message.to.name, C
            content: Message = VoteRequest(T, tuple(self.nodes))
        else:
            to, sender, content = arriving(message)
        self.asked = False
        self.feed(to, Received(sender, content))
        if self.asked != (action in CAST):
            asks = "asks" if self.asked else "does not ask"
            raise StepRefused(f"{to} {asks} the application for a vote")
        if self.asked:
            self.feed(to, CastVote(T, CAST[action]))

    def crash(self, name: str) -> None:
        """Drop the core; what its log has not forced is lost."""
        self.crashes += 1
        self.logs[name].crash()
        if name == C:
            self.coordinator = None
        else:
            self.participants[name] = None

    def restart(self, name: str) -> None:
        """A new core from the log."""
        records = load(self.logs[name])
        if name == C:
            self.coordinator, effects = Coordinator.recover(records, self.options)
        else:
            self.participants[name], effects = Participant.recover(
                name, records, self.options, unfinished=[(T, C)]
            )
        self.carry_out(name, effects)

    def feed(self, name: str, event: CoordinatorEvent | ParticipantEvent) -> None:
        """Pass an event to a core and carry out its effects."""
        core = self.coordinator if name == C else self.participants[name]
        if core is None:
            raise StepRefused(f"{name} is down")
        self.carry_out(name, core.handle(event))  # type: ignore[arg-type]

    def carry_out(self, name: str, effects: tuple[Effect, ...]) -> None:
        """Do what a core asks for; its timers are the spec's to fire."""
        for effect in effects:
            match effect:
                case Send(to, message):
                    self.send(name, to, message)
                case Persist(record, forced):
                    self.logs[name].append(T, encode(record), forced=forced)
                case VoteRequested():
                    self.asked = True
                case Decided(_, decision):
                    self.decided[name].add(spec.Decision(decision.value))
        core = self.participants.get(name)
        vote = core.transactions[T].vote if core and T in core.transactions else None
        if vote is not None:
            self.votes.setdefault(name, spec.Vote(vote.value))

    def send(self, sender: str, to: str, message: Message) -> None:
        """Put a message into the network."""
        self.network.add(self.leaving(sender, to, message))

    def leaving(self, sender: str, to: str, message: Message) -> Value:
        """A message as the spec writes it."""
        match message:
            case VoteRequest():
                return spec.VoteRequest(self.nodes[to])
            case VoteReply(vote=vote):
                return spec.VoteReply(self.nodes[sender], spec.Vote(vote.value))
            case DecisionNotice(decision=decision):
                return spec.DecisionNotice(self.nodes[to], spec.Decision(decision.value))
            case Acknowledgement():
                return spec.Acknowledgement(self.nodes[sender])
            case DecisionRequest() if to == C:
                return spec.Inquiry(self.nodes[sender])
            case DecisionRequest():
                return spec.PeerInquiry(self.nodes[sender], self.nodes[to])
            case Uncertain():
                return spec.Uncertain(self.nodes[to])

    def project(self) -> Named:
        """The state in the spec's variables."""
        own = self.coordinator.transactions.get(T) if self.coordinator else None
        return {
            "network": frozenset(self.network),
            "isolated": frozenset(self.isolated),
            "crashes": self.crashes,
            "up": self.map(lambda name: self.participants[name] is not None),
            "coordinator_up": self.coordinator is not None,
            "coordinator": self.coordinator_state(),
            "coordinator_log": spec.CoordinatorLog(self.last_record(C)),
            "yes_votes": self.set(own.yes if own else ()),
            "no_votes": self.set(own.no if own else ()),
            "acknowledged": self.set(own.acknowledged if own else ()),
            "log": self.map(lambda name: spec.Log(self.last_record(name))),
            "state": self.map(self.participant_state),
            "vote": self.map(self.votes.get),
            "decisions": self.map(lambda name: frozenset(self.decided[name])),
            "coordinator_decisions": frozenset(self.decided[C]),
        }

    def set(self, names: Iterable[str]) -> frozenset[Node]:
        """Participants as nodes."""
        return frozenset(self.nodes[name] for name in names)

    def map(self, value: Callable[[str], Value]) -> FrozenMap[Node, Value]:
        """A value for every participant."""
        return FrozenMap({node: value(name) for name, node in self.nodes.items()})

    def coordinator_state(self) -> spec.CoordinatorState:
        """What the coordinator knows; a crashed one is back where it began."""
        if self.coordinator is None or not self.requested:
            return spec.CoordinatorState.IDLE
        own = self.coordinator.transactions.get(T)
        if own is None:
            return spec.CoordinatorState.FORGOTTEN
        if own.decision is None:
            return spec.CoordinatorState.COLLECTING
        return DECIDED[own.decision]

    def participant_state(self, name: str) -> spec.State:
        """What a participant knows; a crashed one is back where it began."""
        core = self.participants[name]
        if core is None:
            return spec.State.WORKING
        return STATES[core.transactions[T].phase, core.transactions[T].decision]

    def last_record(self, name: str) -> str:
        """The last forced record, as the spec's logs call it."""
        last = "none"
        for _, entry in self.logs[name].durable():
            match decode(entry):
                case StartRecord():
                    last = "start"
                case YesRecord():
                    last = "yes"
                case DecisionRecord(decision=decision):
                    last = decision.value
        return last

    def close(self) -> None:
        """Nothing is held."""


CAST = {"vote_yes": Vote.YES, "vote_no": Vote.NO}

DECIDED = {
    Decision.COMMIT: spec.CoordinatorState.COMMITTED,
    Decision.ABORT: spec.CoordinatorState.ABORTED,
}

STATES = {
    (ParticipantPhase.WORKING, None): spec.State.WORKING,
    (ParticipantPhase.UNCERTAIN, None): spec.State.UNCERTAIN,
    (ParticipantPhase.DECIDED, Decision.COMMIT): spec.State.COMMITTED,
    (ParticipantPhase.DECIDED, Decision.ABORT): spec.State.ABORTED,
}


def arriving(message: Value) -> tuple[str, str, Message]:
    """A message of the spec as (receiver, sender, content).

    Where the spec does not say who sent it, it does not matter: the coordinator.
    """
    match message:
        case spec.VoteReply(sender, vote):
            return C, sender.name, VoteReply(T, Vote(vote.value))
        case spec.DecisionNotice(to, decision):
            return to.name, C, DecisionNotice(T, Decision(decision.value))
        case spec.Acknowledgement(sender):
            return C, sender.name, Acknowledgement(T)
        case spec.Inquiry(sender):
            return C, sender.name, DecisionRequest(T)
        case spec.PeerInquiry(sender, to):
            return to.name, sender.name, DecisionRequest(T)
        case spec.Uncertain(to):
            return to.name, C, Uncertain(T)
    raise TypeError(f"not a message of the spec: {message!r}")


def options_of(
    parameters: Mapping[str, Setting],
    flaws: tuple[str, ...],
    *,
    termination: Termination = Termination.COOPERATIVE,
) -> Options:
    """The variant that the parameters and flaws of a trace name."""
    presumption = str(parameters.get("presumption", "nothing"))
    return Options(
        presumption=Presumption[presumption.upper()],
        termination=termination,
        flaws=frozenset(Flaw(flaw) for flaw in flaws),
    )


class TwoPhaseCommitAdapter:
    """Starts sessions; see `traces.adapter.Adapter`."""

    control = Control.IN_PROCESS

    def start(
        self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]
    ) -> TwoPhaseCommitSession:
        """A fresh system with the parameters and flaws of a trace."""
        return TwoPhaseCommitSession(parameters, options_of(parameters, flaws))


adapter = TwoPhaseCommitAdapter()

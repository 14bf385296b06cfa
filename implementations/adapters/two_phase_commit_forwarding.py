"""Replays `two-phase-commit-forwarding` on `implementations.two_phase_commit`."""

from __future__ import annotations

from collections.abc import Mapping

from ...language.ir.nodes import Kind
from ...language.labels import Label
from ...language.values import Value
from ...models.two_phase_commit_forwarding import spec
from ...models.two_phase_commit_system.spec import Decision as SpecDecision
from ...traces.adapter import Control, Named
from ...traces.trace import Setting
from ..two_phase_commit import (
    Acknowledgement,
    CoordinatorTransaction,
    Decision,
    DecisionNotice,
    Effect,
    Message,
    Options,
    ParticipantTransaction,
    Proceed,
    Received,
    Termination,
)
from .two_phase_commit import C, T, TwoPhaseCommitSession, options_of


class ForwardingSession(TwoPhaseCommitSession):
    """Processes that crash stay down; the spec shows them as they were when they crashed."""

    def __init__(self, parameters: Mapping[str, Setting], options: Options) -> None:
        self.known: dict[str, ParticipantTransaction] = {}
        self.known_to_coordinator: CoordinatorTransaction | None = None
        super().__init__(parameters, options)

    def step(self, label: Label, given: Mapping[str, Value]) -> None:
        """Proceeding and forwards here, all else as in the other variants."""
        message = given.get("message")
        if label.kind is Kind.INTERNAL and label.action != "decide":
            self.feed(given["participant"].name if given else C, Proceed(T))
        elif label.kind is Kind.DELIVER and isinstance(message, spec.Forward):
            self.network.remove(message)
            notice = DecisionNotice(T, Decision(message.decision.value))
            self.feed(message.to.name, Received(message.sender.name, notice))
        else:
            super().step(label, given)

    def send(self, sender: str, to: str, message: Message) -> None:
        """Forwards name their sender; acknowledgements are left out of the spec."""
        match message:
            case Acknowledgement():
                return
            case DecisionNotice(decision=decision) if sender != C:
                known = SpecDecision(decision.value)
                self.network.add(spec.Forward(self.nodes[sender], self.nodes[to], known))
            case _:
                super().send(sender, to, message)

    def carry_out(self, name: str, effects: tuple[Effect, ...]) -> None:
        """Remember what the process knows, for when it is down."""
        super().carry_out(name, effects)
        core = self.participants.get(name)
        if core is not None:
            self.known[name] = core.transactions[T]
        elif name == C and self.coordinator is not None:
            # Without anybody to await, a decided transaction is forgotten at once.
            own = self.coordinator.transactions.get(T)
            self.known_to_coordinator = own or self.known_to_coordinator

    def project(self) -> Named:
        """The state in the spec's variables."""
        own = self.known_to_coordinator
        return {
            "network": frozenset(self.network),
            "crashes": self.crashes,
            "coordinator": self.coordinator_phase(),
            "coordinator_up": self.coordinator is not None,
            "yes_votes": self.set(own.yes if own else ()),
            "no_votes": self.set(own.no if own else ()),
            "coordinator_decision": SpecDecision(own.decision.value)
            if own and own.decision
            else None,
            "phase": self.map(lambda name: spec.Phase(self.known[name].phase.value)),
            "up": self.map(lambda name: self.participants[name] is not None),
            "vote": self.map(self.votes.get),
            "decision": self.map(self.decision_known),
            "owing": self.set(name for name, own in self.known.items() if own.owes_forwarding),
        }

    def coordinator_phase(self) -> spec.CoordinatorPhase:
        """Where the coordinator stands."""
        if self.known_to_coordinator is None:
            return spec.CoordinatorPhase.IDLE
        if self.decided[C]:
            return spec.CoordinatorPhase.DECIDED
        return spec.CoordinatorPhase(self.known_to_coordinator.phase.value)

    def decision_known(self, name: str) -> SpecDecision | None:
        """The decision that a participant knows, taken or not."""
        decision = self.known[name].decision
        return SpecDecision(decision.value) if decision else None


class ForwardingAdapter:
    """Starts sessions; see `traces.adapter.Adapter`."""

    control = Control.IN_PROCESS

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> ForwardingSession:
        """A fresh system with the parameters and flaws of a trace."""
        options = options_of(parameters, flaws, termination=Termination.FORWARDING)
        return ForwardingSession(parameters, options)


adapter = ForwardingAdapter()

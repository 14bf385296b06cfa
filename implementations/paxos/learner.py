"""The learner: finds out what is chosen, and tells those who rely on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import assert_never

from .effects import CancelTimer, Effect, Learned, Send, SetTimer, Wait
from .errors import LocalError, RemoteError
from .events import Ask, LearnerEvent, Received, TimedOut
from .messages import Accept, Accepted, Chosen, Inquiry, Prepare, Promise, Refused, Vote, is_above
from .options import Flaw, Options


@dataclass(frozen=True)
class LearnerInstance:
    """What a learner knows of an instance. It is volatile: acceptors can be asked again.

    Invariant: `asking` implies that nothing is learned, and that the timer runs.
    """

    heard: Mapping[str, Vote] = field(default_factory=dict)
    """The latest vote heard of, by acceptor."""
    learned: tuple[str, ...] = ()
    """What is chosen. Two values only if a process of the system is flawed."""
    asking: bool = False


_Step = tuple[LearnerInstance, tuple[Effect, ...]]
_NEW = LearnerInstance()


class Learner:
    """A learner's core. `handle` either does the whole step or raises and does nothing.

    `inform` are those that it tells what it learns: other learners, if it is a distinguished one
    (section 2.3), and proposers, which then stop. `ask` are those that it asks besides the
    acceptors: what these tell may not be enough (2.3), and others may have learned.
    """

    def __init__(
        self,
        name: str,
        acceptors: Iterable[str],
        options: Options | None = None,
        *,
        inform: Iterable[str] = (),
        ask: Iterable[str] = (),
    ) -> None:
        self._name = name
        self._acceptors = tuple(acceptors)
        self._options = options or Options()
        self._inform = tuple(inform)
        self._asked = (*self._acceptors, *ask)
        self._instances: dict[str, LearnerInstance] = {}

    @property
    def name(self) -> str:
        """The name that acceptors send to."""
        return self._name

    @property
    def instances(self) -> Mapping[str, LearnerInstance]:
        """The instances that it has heard of."""
        return MappingProxyType(self._instances)

    def instance(self, name: str) -> LearnerInstance:
        """What it knows of an instance: nothing yet, perhaps."""
        return self._instances.get(name, _NEW)

    def handle(self, event: LearnerEvent) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        name = event.instance
        before = self.instance(name)
        after, effects = self._step(name, before, event)
        if after != before:
            self._instances[name] = after
        return effects

    def _step(self, name: str, state: LearnerInstance, event: LearnerEvent) -> _Step:
        match event:
            case Ask():
                if state.learned:
                    return state, (Learned(name, state.learned[0]),)
                return replace(state, asking=True), self._inquiries(name)
            case TimedOut():
                if not state.asking:
                    raise LocalError(f"no timer is set for {name!r}")
                return state, self._inquiries(name)
            case Received():
                return self._receive(name, state, event)
            case _:
                assert_never(event)

    def _inquiries(self, name: str) -> tuple[Effect, ...]:
        sends = tuple(Send(other, Inquiry(name)) for other in self._asked)
        return (*sends, SetTimer(name, Wait.ANSWERS))

    def _receive(self, name: str, state: LearnerInstance, event: Received) -> _Step:
        match event.message:
            case Accepted(_, ballot, value):
                return self._hear(name, state, event.sender, Vote(ballot, value))
            case Chosen(_, value):
                return self._learn(name, state, value)
            case Inquiry():
                known = tuple(Send(event.sender, Chosen(name, value)) for value in state.learned)
                return state, known
            case Prepare() | Promise() | Accept() | Refused():
                kind = type(event.message).__name__
                raise RemoteError(f"{event.sender!r} sends {kind} to a learner")
            case _:
                assert_never(event.message)

    def _hear(self, name: str, state: LearnerInstance, sender: str, vote: Vote) -> _Step:
        """Section 2.3: a value is chosen once a majority has accepted it, in one ballot."""
        if sender not in self._acceptors:
            raise RemoteError(f"{sender!r} is no acceptor, and votes on {name!r}")
        if not self._options.shares_ballots:
            for other in state.heard.values():
                if other.ballot == vote.ballot and other.value != vote.value:
                    raise RemoteError(f"two values are accepted in {vote.ballot} of {name!r}")
        behind = self._tell_proposer(name, state, vote)
        last = state.heard.get(sender)
        if last is not None and not is_above(vote.ballot, last.ballot):
            return state, behind
        after = replace(state, heard={**state.heard, sender: vote})
        agreeing = [one for one in after.heard.values() if self._agree(one, vote)]
        if self._options.is_majority(len(agreeing), len(self._acceptors)):
            after, effects = self._learn(name, after, vote.value)
            return after, (*behind, *effects)
        return after, behind

    def _tell_proposer(self, name: str, state: LearnerInstance, vote: Vote) -> tuple[Effect, ...]:
        """Whoever still gets votes for what is learned long since has not heard of it."""
        proposer = vote.ballot.proposer
        if not state.learned or proposer not in self._inform:
            return ()
        return (Send(proposer, Chosen(name, state.learned[0])),)

    def _agree(self, one: Vote, other: Vote) -> bool:
        if Flaw.LEARNER_CROSSES_BALLOTS in self._options.flaws:
            return one.value == other.value
        return one == other

    def _learn(self, name: str, state: LearnerInstance, value: str) -> _Step:
        if value in state.learned:
            return state, ()
        after = replace(state, learned=(*state.learned, value), asking=False)
        stop = (CancelTimer(name),) if state.asking else ()
        news = tuple(Send(other, Chosen(name, value)) for other in self._inform)
        return after, (*stop, Learned(name, value), *news)

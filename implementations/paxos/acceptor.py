"""The acceptor: promises, votes, and keeps its promises and its last vote for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import assert_never

from .effects import Effect, Persist, Send
from .errors import LocalError, RemoteError
from .events import AcceptorEvent, Received
from .messages import (
    Accept,
    Accepted,
    Ballot,
    Chosen,
    Inquiry,
    Prepare,
    Promise,
    Refused,
    Vote,
    is_above,
)
from .options import Flaw, Options
from .records import AcceptorRecord, BallotRecord, Record


@dataclass(frozen=True)
class AcceptorInstance:
    """What an acceptor remembers of an instance, all of it durable (section 2.2).

    Invariant: there is no vote above `max_bal`.
    """

    max_bal: Ballot | None = None
    """The highest number of a request that it has answered; it takes part in none below."""
    vote: Vote | None = None
    """Its latest vote: maxVBal and maxVal."""


_Step = tuple[AcceptorInstance, tuple[Effect, ...]]
_NEW = AcceptorInstance()


class Acceptor:
    """An acceptor's core. `handle` either does the whole step or raises and does nothing.

    It tells `learners` of its votes: all learners, or some distinguished ones (section 2.3).
    """

    def __init__(self, name: str, learners: Iterable[str], options: Options | None = None) -> None:
        self._name = name
        self._learners = tuple(learners)
        self._options = options or Options()
        self._instances: dict[str, AcceptorInstance] = {}

    @classmethod
    def recover(
        cls,
        name: str,
        learners: Iterable[str],
        records: Iterable[Record],
        options: Options | None = None,
    ) -> Acceptor:
        """The core after a crash, from the records of its log. It has nothing to do first.

        Raises LocalError on a proposer's log.
        """
        core = cls(name, learners, options)
        for record in records:
            match record:
                case AcceptorRecord(instance, max_bal, vote):
                    core._instances[instance] = core._remembered(max_bal, vote)
                case BallotRecord(instance):
                    raise LocalError(f"the log of {instance!r} is a proposer's")
                case _:
                    assert_never(record)
        return core

    def _remembered(self, max_bal: Ballot | None, vote: Vote | None) -> AcceptorInstance:
        flaws = self._options.flaws
        if Flaw.FORGET_PROMISE in flaws or Flaw.DISK_LOSS in flaws:
            max_bal = None
        if Flaw.FORGET_ACCEPTED in flaws or Flaw.DISK_LOSS in flaws:
            vote = None
        return AcceptorInstance(max_bal, vote)

    @property
    def name(self) -> str:
        """The name that its messages come from."""
        return self._name

    @property
    def instances(self) -> Mapping[str, AcceptorInstance]:
        """The instances in which it has promised or voted."""
        return MappingProxyType(self._instances)

    def instance(self, name: str) -> AcceptorInstance:
        """What it knows of an instance: nothing yet, perhaps."""
        return self._instances.get(name, _NEW)

    def handle(self, event: AcceptorEvent) -> tuple[Effect, ...]:
        """Take a step. Raises RemoteError, with nothing changed."""
        name = event.instance
        before = self.instance(name)
        after, effects = self._receive(before, event)
        if after == before:
            return effects
        self._instances[name] = after
        # Stable storage first: who gets the answer relies on it (section 2.5).
        return (Persist(AcceptorRecord(name, after.max_bal, after.vote), forced=True), *effects)

    def _receive(self, state: AcceptorInstance, event: Received) -> _Step:
        match event.message:
            case Prepare():
                return self._prepare(state, event.sender, event.message)
            case Accept():
                return self._accept(state, event.sender, event.message)
            case Inquiry(instance):
                if state.vote is None:
                    return state, ()
                vote = state.vote
                return state, (Send(event.sender, Accepted(instance, vote.ballot, vote.value)),)
            case Promise() | Accepted() | Refused() | Chosen():
                kind = type(event.message).__name__
                raise RemoteError(f"{event.sender!r} sends {kind} to an acceptor")
            case _:
                assert_never(event.message)

    def _prepare(self, state: AcceptorInstance, sender: str, message: Prepare) -> _Step:
        """Section 2.2, phase 1 (b)."""
        self._expect_owner(sender, message.ballot)
        again = self._options.promises_again and message.ballot == state.max_bal
        if not again and not is_above(message.ballot, state.max_bal):
            return state, self._refusal(state, sender, message)
        promise = Send(sender, Promise(message.instance, message.ballot, state.vote))
        if Flaw.PROMISE_NOT_RECORDED in self._options.flaws:
            return state, (promise,)
        return replace(state, max_bal=message.ballot), (promise,)

    def _accept(self, state: AcceptorInstance, sender: str, message: Accept) -> _Step:
        """Section 2.2, phase 2 (b)."""
        self._expect_owner(sender, message.ballot)
        vote = Vote(message.ballot, message.value)
        if not self._may_vote(state, message.ballot):
            return state, self._refusal(state, sender, message)
        last = state.vote
        parted = last is not None and last.ballot == vote.ballot and last != vote
        if parted and not self._options.shares_ballots:
            raise RemoteError(f"{sender!r} proposes two values in {vote.ballot}")
        if Flaw.ACCEPT_KEEPS_MAXBAL not in self._options.flaws:
            state = replace(state, max_bal=vote.ballot)
        if last is None or Flaw.REPORT_FIRST_ACCEPTED not in self._options.flaws:
            state = replace(state, vote=vote)
        told = Accepted(message.instance, vote.ballot, vote.value)
        return state, tuple(Send(learner, told) for learner in self._learners)

    def _may_vote(self, state: AcceptorInstance, ballot: Ballot) -> bool:
        if Flaw.ACCEPT_GT in self._options.flaws:
            return is_above(ballot, state.max_bal)
        if Flaw.ACCEPT_WITHOUT_CHECK in self._options.flaws:
            return True
        return state.max_bal is None or ballot >= state.max_bal

    def _refusal(
        self, state: AcceptorInstance, sender: str, request: Prepare | Accept
    ) -> tuple[Effect, ...]:
        """Tell a proposer of a promise above its number; nothing about one equal to it."""
        max_bal = state.max_bal
        if not self._options.refusals or max_bal is None or max_bal <= request.ballot:
            return ()
        return (Send(sender, Refused(request.instance, request.ballot, max_bal)),)

    def _expect_owner(self, sender: str, ballot: Ballot) -> None:
        if ballot.proposer != sender and Flaw.BALLOT_REUSE not in self._options.flaws:
            raise RemoteError(f"{sender!r} uses {ballot}, a number of {ballot.proposer!r}")

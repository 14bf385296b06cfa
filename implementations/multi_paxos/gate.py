"""What can never happen: checked before a replica changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from ..paxos.errors import LocalError, RemoteError
from ..paxos.messages import Ballot, is_above
from .events import Checkpoint, Event, Received, Submit, TakeOver, TimedOut, Timer
from .ledger import Ledger
from .messages import (
    Accept,
    Accepted,
    Behind,
    Chosen,
    Command,
    Forward,
    Heartbeat,
    Prepare,
    Promise,
    Refused,
    Snapshot,
    Value,
)


@dataclass(frozen=True)
class Gate:
    """The checks of the replica `name`. They raise, or find nothing and return.

    `trusts_numbers` is false in a replica that lost its disk: it cannot tell an answer to a ballot
    that it has forgotten from one to a ballot that never was.
    """

    name: str
    members: frozenset[str]
    acceptors: frozenset[str]
    trusts_numbers: bool = True

    def check(self, event: Event, ledger: Ledger, timer: Timer | None) -> None:
        """Raises LocalError or RemoteError if the event cannot happen in this state."""
        match event:
            case Submit(command):
                if command.sequence < 1:
                    raise LocalError(f"sequences start at 1: {command}")
            case TimedOut(which):
                if which is not timer:
                    raise LocalError(f"the {which.value} timer is not set")
            case TakeOver(number):
                _check_take_over(number, ledger)
            case Checkpoint(slot):
                if not ledger.discarded < slot <= ledger.executed:
                    raise LocalError(
                        f"checkpoint at slot {slot}: above {ledger.discarded}, the last one, "
                        f"and at most {ledger.executed}, the last slot executed"
                    )
            case Received():
                self._check_message(event, ledger)
            case _:
                assert_never(event)

    def _check_message(self, event: Received, ledger: Ledger) -> None:
        sender = event.sender
        if sender not in self.members or sender == self.name:
            raise RemoteError(f"{sender!r} is not another member")
        match event.message:
            case Prepare(ballot, first):
                _check_slots(sender, (first,))
                _check_owner(sender, ballot)
            case Accept(ballot, slot, value):
                _check_slots(sender, (slot,))
                _check_owner(sender, ballot)
                vote = ledger.votes.get(slot)
                if vote is not None and vote.ballot == ballot and vote.value != value:
                    raise RemoteError(f"{sender!r} proposes two values for slot {slot} in {ballot}")
            case Heartbeat(ballot):
                _check_owner(sender, ballot)
            case Promise(ballot, votes):
                _check_slots(sender, (slot for slot, _ in votes))
                self._check_answer(sender, ballot, ledger)
            case Accepted(ballot):
                self._check_answer(sender, ballot, ledger)
            case Refused(ballot, max_bal):
                self._check_answer(sender, ballot, ledger)
                if max_bal <= ballot:
                    raise RemoteError(f"{sender!r} refuses {ballot} for {max_bal}, not above it")
            case Chosen(slot, value):
                _check_slots(sender, (slot,))
                _check_choice(sender, slot, value, ledger)
            case Forward(command):
                if command.sequence < 1:
                    raise RemoteError(f"{sender!r} forwards {command}: sequences start at 1")
            case Snapshot(slot):
                _check_slots(sender, (slot,))
            case Behind():
                pass
            case _:
                assert_never(event.message)

    def _check_answer(self, sender: str, ballot: Ballot, ledger: Ledger) -> None:
        if sender not in self.acceptors:
            raise RemoteError(f"{sender!r} is no acceptor, and answers {ballot}")
        if ballot.proposer != self.name:
            raise RemoteError(f"{sender!r} answers {ballot}, a number of {ballot.proposer!r}")
        if self.trusts_numbers and is_above(ballot, ledger.max_bal):
            raise RemoteError(f"{sender!r} answers {ballot}, which was never used")


def _check_take_over(number: int | None, ledger: Ledger) -> None:
    if not ledger.voting:
        raise LocalError("this replica lost its disk, and the numbers that it has used")
    seen = -1 if ledger.max_bal is None else ledger.max_bal.round
    if number is not None and number <= seen:
        raise LocalError(f"round {number} is not above {seen}, which was seen")


def _check_owner(sender: str, ballot: Ballot) -> None:
    if ballot.proposer != sender:
        raise RemoteError(f"{sender!r} uses {ballot}, a number of {ballot.proposer!r}")


def _check_slots(sender: str, slots: Iterable[int]) -> None:
    if any(slot < 1 for slot in slots):
        raise RemoteError(f"{sender!r} names a slot below 1")


def _check_choice(sender: str, slot: int, value: Value, ledger: Ledger) -> None:
    known = ledger.chosen.get(slot)
    if known is not None and known != value:
        raise RemoteError(f"{sender!r} says {value} is chosen in slot {slot}, others say {known}")
    if isinstance(value, Command) and value.sequence < 1:
        raise RemoteError(f"{sender!r} says {value} is chosen: sequences start at 1")

"""What a replica holds, apart from leading: its promise, its votes, and the log of the chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from ..paxos.messages import Ballot, is_above
from .effects import Discard, Effect, Execute, Persist, Repeated, Restore
from .messages import Command, Snapshot, Value, Vote
from .records import (
    CheckpointRecord,
    ChosenRecord,
    PromiseRecord,
    Record,
    VoteRecord,
    VotingRecord,
)

T = TypeVar("T")


@dataclass
class Ledger:
    """A replica as acceptor, learner and executor. Only `Replica` changes it.

    Invariants: 1. No vote is above `max_bal`. 2. `votes` and `chosen` are of slots above the
    checkpoint. 3. All slots up to `prefix` are chosen, the next one is not, as far as this replica
    knows. 4. `executed` is `prefix` (but with the flaw `multi_gap_skip`).
    """

    max_bal: Ballot | None = None
    votes: dict[int, Vote] = field(default_factory=dict)
    chosen: dict[int, Value] = field(default_factory=dict)
    prefix: int = 0
    executed: int = 0
    sessions: dict[str, int] = field(default_factory=dict)
    """The last sequence executed, by client."""
    checkpoint: Snapshot | None = None
    voting: bool = True
    """False once a disk was lost, and the promises with it: it may neither vote nor lead."""
    horizon: int | None = None
    """For the flaw `mark_nonvoting_rejoin`: the last slot that was begun when it first heard from a
    leader after the loss."""
    heard: Ballot | None = None
    """For the same flaw: the ballot of the leader that it has heard from last."""
    skips_gaps: bool = False
    """Only with the flaw `multi_gap_skip`."""

    @property
    def discarded(self) -> int:
        """The slot up to which the checkpoint stands for the log."""
        return 0 if self.checkpoint is None else self.checkpoint.slot

    def promise(self, ballot: Ballot) -> tuple[Effect, ...]:
        """Take part in nothing below a ballot that is not below the last one promised."""
        if ballot == self.max_bal:
            return ()
        self.max_bal = ballot
        return (Persist(PromiseRecord(ballot), forced=True),)

    def vote(self, slot: int, vote: Vote) -> tuple[Effect, ...]:
        """Accept a value; promises its ballot, which is not below the last one promised."""
        if self.votes.get(slot) == vote and self.max_bal == vote.ballot:
            return ()
        self.max_bal = vote.ballot
        self.votes[slot] = vote
        return (Persist(VoteRecord(slot, vote.ballot, vote.value), forced=True),)

    def choose(self, slot: int, value: Value) -> tuple[Effect, ...]:
        """Note what is chosen, and execute what that allows. Old news changes nothing."""
        if slot <= self.discarded or slot in self.chosen:
            return ()
        self.chosen[slot] = value
        # Lazy: a majority has it in its votes.
        record = Persist(ChosenRecord(slot, value), forced=False)
        return (record, *self._advance())

    def votes_from(self, first: int) -> tuple[tuple[int, Vote], ...]:
        """The votes in slots from `first` on, in order."""
        return tuple((slot, self.votes[slot]) for slot in sorted(self.votes) if slot >= first)

    def is_executed(self, command: Command) -> bool:
        """Whether this command, or a later one of its client, is executed."""
        return command.sequence <= self.sessions.get(command.client, 0)

    def truncate(self, slot: int, state: str) -> tuple[Effect, ...]:
        """Let the application's state after an executed slot stand for the log up to there."""
        sessions = dict(self.checkpoint.sessions) if self.checkpoint is not None else {}
        for other in sorted(self.chosen):
            if other <= slot:
                _note(sessions, self.chosen[other])
        return self._discard(Snapshot(slot, state, tuple(sorted(sessions.items()))))

    def install(self, snapshot: Snapshot) -> tuple[Effect, ...]:
        """Take over the state of a replica that is ahead, slot above `prefix`."""
        self.prefix = self.executed = snapshot.slot
        self.sessions = dict(snapshot.sessions)
        stored = self._discard(snapshot)
        return (*stored, Restore(snapshot.slot, snapshot.state), *self._advance())

    def _discard(self, snapshot: Snapshot) -> tuple[Effect, ...]:
        slots = sorted(s for s in {*self.votes, *self.chosen} if s <= snapshot.slot)
        keys = ["promise", *(f"slot {slot}" for slot in slots)]
        if self.checkpoint is not None:
            keys.append(f"checkpoint {self.checkpoint.slot}")
        for slot in slots:
            self.votes.pop(slot, None)
            self.chosen.pop(slot, None)
        self.checkpoint = snapshot
        record = CheckpointRecord(snapshot.slot, snapshot.state, snapshot.sessions, self.max_bal)
        return (Persist(record, forced=True), Discard(tuple(keys)))

    def _advance(self) -> tuple[Effect, ...]:
        """Execute in the order of slots, each once all before it are chosen (section 3)."""
        while self.prefix + 1 in self.chosen:
            self.prefix += 1
        if self.skips_gaps:
            due = sorted(slot for slot in self.chosen if slot > self.executed)
        else:
            due = list(range(self.executed + 1, self.prefix + 1))
        effects: list[Effect] = []
        for slot in due:
            self.executed = slot
            value = self.chosen[slot]
            if isinstance(value, Command):
                again = self.is_executed(value)
                effects.append(Repeated(value) if again else Execute(slot, value))
            _note(self.sessions, value)
        return tuple(effects)

    def recover(self, records: Iterable[Record]) -> tuple[Effect, ...]:
        """Become what the records of a log say; what the application is to do first."""
        for record in records:
            match record:
                case PromiseRecord(ballot):
                    self._raise(ballot)
                case VoteRecord(slot, ballot, value):
                    self._raise(ballot)
                    self.votes[slot] = Vote(ballot, value)
                case ChosenRecord(slot, value):
                    self.chosen[slot] = value
                case CheckpointRecord(slot, state, sessions, max_bal):
                    if max_bal is not None:
                        self._raise(max_bal)
                    self.checkpoint = Snapshot(slot, state, sessions)
                case VotingRecord(voting):
                    self.voting = voting
                case _:
                    assert_never(record)
        # A discard may have been lost with the crash: the checkpoint goes before what it left.
        self.votes = _above(self.discarded, self.votes)
        self.chosen = _above(self.discarded, self.chosen)
        if self.checkpoint is None:
            return self._advance()
        self.prefix = self.executed = self.discarded
        self.sessions = dict(self.checkpoint.sessions)
        return (Restore(self.checkpoint.slot, self.checkpoint.state), *self._advance())

    def _raise(self, ballot: Ballot) -> None:
        if is_above(ballot, self.max_bal):
            self.max_bal = ballot


def _note(sessions: dict[str, int], value: Value) -> None:
    if isinstance(value, Command):
        sessions[value.client] = max(value.sequence, sessions.get(value.client, 0))


def _above(slot: int, by_slot: Mapping[int, T]) -> dict[int, T]:
    return {other: one for other, one in by_slot.items() if other > slot}

"""What a candidate gathers and a leader follows up; all of it is lost in a crash."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ..paxos.messages import Ballot
from .ledger import Ledger
from .messages import Noop, Promise, Value, Vote
from .options import Flaw


@dataclass
class Leadership:
    """One ballot of a replica, from its prepare requests to the next leader.

    Invariants: 1. Until it leads there are no proposals. 2. `proposals` are the slots in which it
    has asked for votes and knows of no choice; `acks` has the same slots. 3. Every slot from
    `next_slot` on is free.
    """

    ballot: Ballot
    first: int
    """Its prepare requests are for all slots from here on."""
    promised_by: set[str] = field(default_factory=set)
    reported: dict[int, Vote] = field(default_factory=dict)
    """By slot: of the votes that the promises report, the one of the highest ballot."""
    checkpoint: int = 0
    """The highest slot that somebody's checkpoint covers: chosen, and not reported."""
    leads: bool = False
    proposals: dict[int, Value] = field(default_factory=dict)
    acks: dict[int, set[str]] = field(default_factory=dict)
    next_slot: int = 1

    def count(self, sender: str, promise: Promise) -> None:
        """Take in a promise; one that is there already changes nothing."""
        self.promised_by.add(sender)
        for slot, vote in promise.votes:
            known = self.reported.get(slot)
            if known is None or vote.ballot > known.ballot:
                self.reported[slot] = vote
        self.checkpoint = max(self.checkpoint, promise.checkpoint)

    def inherited(self, ledger: Ledger, flaws: AbstractSet[Flaw]) -> dict[int, Value]:
        """What to propose before anything new, by slot, in order; sets `next_slot` behind it.

        Section 3: the leader proposes what the promises report, and no-ops in the gaps below.
        """
        floor = max(ledger.prefix, self.checkpoint)
        top = max(floor, max(self.reported, default=0), max(ledger.chosen, default=0))
        self.next_slot = top + 1
        found: dict[int, Value] = {}
        for slot in range(floor + 1, top + 1):
            if slot in ledger.chosen:
                continue
            vote = self.reported.get(slot)
            if Flaw.MULTI_REPROPOSE_HIGHEST_ONLY in flaws and slot < max(self.reported, default=0):
                vote = None
            if vote is not None:
                found[slot] = vote.value
            elif Flaw.MULTI_GAP_NEVER_FILLED not in flaws:
                found[slot] = Noop()
        return found

    def chosen_ahead(self, ledger: Ledger) -> Iterator[Value]:
        """What is chosen and waits for earlier slots."""
        for slot in range(ledger.executed + 1, self.next_slot):
            if slot in ledger.chosen:
                yield ledger.chosen[slot]

    def settle(self, slot: int) -> None:
        """Follow a slot up no more: it is chosen."""
        self.proposals.pop(slot, None)
        self.acks.pop(slot, None)
        self.next_slot = max(self.next_slot, slot + 1)

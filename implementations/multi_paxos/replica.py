"""The replica: votes, may lead, learns what is chosen in every slot, and executes it in order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import assert_never

from ..paxos.errors import LocalError
from ..paxos.messages import Ballot, is_above
from .effects import Effect, Persist, Repeated, Send, SetTimer, Unavailable
from .events import Checkpoint, Event, Received, Submit, TakeOver, TimedOut, Timer
from .gate import Gate
from .leadership import Leadership
from .ledger import Ledger
from .messages import (
    Accept,
    Accepted,
    Behind,
    Chosen,
    Command,
    Forward,
    Heartbeat,
    Message,
    Prepare,
    Promise,
    Refused,
    Snapshot,
    Value,
    Vote,
)
from .options import Flaw, Options
from .records import Record, VotingRecord


class Role(Enum):
    """What a replica does apart from voting and executing."""

    FOLLOWING = "following"
    PREPARING = "preparing"  # a candidate: waits for promises
    LEADING = "leading"


class Replica:
    """A replica's core. `handle` either does the whole step or raises and does nothing.

    It has one timer: the one that its last `SetTimer` names.
    """

    def __init__(
        self,
        name: str,
        members: Iterable[str],
        options: Options | None = None,
        *,
        acceptors: Iterable[str] | None = None,
    ) -> None:
        """`members` are all replicas, `acceptors` those that vote: all, unless given."""
        self._name = name
        self._members = tuple(members)
        self._acceptors = self._members if acceptors is None else tuple(acceptors)
        known = set(self._members)
        if name not in known or len(known) < len(self._members):
            raise LocalError(f"members must be distinct and include {name!r}: {self._members!r}")
        if not self._acceptors or len(set(self._acceptors)) < len(self._acceptors):
            raise LocalError(f"acceptors must be distinct, at least one: {self._acceptors!r}")
        if not set(self._acceptors) <= known:
            raise LocalError(f"acceptors must be members: {self._acceptors!r}")
        self._options = options or Options()
        self._others = tuple(member for member in self._members if member != name)
        self._gate = Gate(name, frozenset(known), frozenset(self._acceptors))
        skips = Flaw.MULTI_GAP_SKIP in self._options.flaws
        self._ledger = Ledger(skips_gaps=skips)
        self._leadership: Leadership | None = None
        self._leader: str | None = None
        self._above: Ballot | None = None  # the highest ballot heard of
        self._waiting: list[Command] = []
        self._timer: Timer | None = None

    @classmethod
    def recover(
        cls,
        name: str,
        members: Iterable[str],
        records: Iterable[Record] = (),
        options: Options | None = None,
        *,
        acceptors: Iterable[str] | None = None,
        disk_lost: bool = False,
    ) -> tuple[Replica, tuple[Effect, ...]]:
        """The core after a start, from the records of its log; and what is to be done first.

        `disk_lost` says that there was a log, and is no more. The replica then never votes again
        under its name, for it cannot know its promises; it learns and executes as before.
        """
        core = cls(name, members, options, acceptors=acceptors)
        effects = core._ledger.recover(records)
        if disk_lost:
            core._ledger.voting = False
            effects = (*effects, Persist(VotingRecord(voting=False), forced=True))
        if not core._ledger.voting:
            gate = core._gate
            core._gate = Gate(gate.name, gate.members, gate.acceptors, trusts_numbers=False)
        return core, (*effects, *core._wait_for_leader())

    @property
    def name(self) -> str:
        """The name in its ballots."""
        return self._name

    @property
    def role(self) -> Role:
        """What it does apart from voting and executing."""
        if self._leadership is None:
            return Role.FOLLOWING
        return Role.LEADING if self._leadership.leads else Role.PREPARING

    @property
    def ledger(self) -> Ledger:
        """What it holds: to read, not to change."""
        return self._ledger

    @property
    def leadership(self) -> Leadership | None:
        """Its ballot, while it is a candidate or the leader: to read, not to change."""
        return self._leadership

    @property
    def leader(self) -> str | None:
        """Whom it takes for the leader."""
        return self._leader

    @property
    def waiting(self) -> tuple[Command, ...]:
        """Commands that have no slot yet."""
        return tuple(self._waiting)

    @property
    def timer(self) -> Timer | None:
        """The timer that runs."""
        return self._timer

    def handle(self, event: Event) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        self._gate.check(event, self._ledger, self._timer)
        match event:
            case Submit(command):
                return self._submit(command, None)
            case Received(sender, message):
                return self._receive(sender, message)
            case TimedOut():
                return self._time_out()
            case TakeOver(number):
                return self._campaign(number)
            case Checkpoint(slot, state):
                return self._ledger.truncate(slot, state)
            case _:
                assert_never(event)

    def _receive(self, sender: str, message: Message) -> tuple[Effect, ...]:
        match message:
            case Prepare():
                return self._prepare(sender, message)
            case Promise():
                return self._promised(sender, message)
            case Accept():
                return self._accept(sender, message)
            case Accepted(ballot, slot):
                return self._accepted(sender, ballot, slot)
            case Refused(ballot, max_bal):
                return self._refused(ballot, max_bal)
            case Chosen(slot, value):
                return self._learn(slot, value)
            case Heartbeat():
                return self._heartbeat(sender, message)
            case Behind(prefix):
                return self._help(sender, prefix)
            case Snapshot():
                return self._install(message)
            case Forward(command):
                return self._submit(command, sender)
            case _:
                assert_never(message)

    # Clients

    def _submit(self, command: Command, sender: str | None) -> tuple[Effect, ...]:
        """Only the leader gives out slots; a command that is under way gets no second one."""
        if self._ledger.is_executed(command):
            return (Repeated(command),)
        if self._leadership is None:
            if sender is not None:
                return ()  # passed on once already: the client asks again
            if self._leader is None:
                return (Unavailable(command),)
            return (Send(self._leader, Forward(command)),)
        under_way = (
            *self._waiting,
            *self._leadership.proposals.values(),
            *self._leadership.chosen_ahead(self._ledger),
        )
        if command not in under_way:
            self._waiting.append(command)
        return self._propose_waiting()

    def _propose_waiting(self) -> tuple[Effect, ...]:
        """Section 3: a leader may be ahead by some slots, not more."""
        leading = self._leadership
        if leading is None or not leading.leads:
            return ()
        effects: list[Effect] = []
        while self._waiting and leading.next_slot <= self._ledger.prefix + self._options.window:
            slot = leading.next_slot
            leading.next_slot += 1
            effects += self._propose(leading, slot, self._waiting.pop(0))
        return tuple(effects)

    # Phase 1, once for all slots

    def _campaign(self, number: int | None = None) -> tuple[Effect, ...]:
        """A candidate promises its own ballot first, so a crash does not free the number."""
        if number is None:
            known = [b.round for b in (self._ledger.max_bal, self._above) if b is not None]
            number = max(known, default=-1) + 1
        ballot = Ballot(number, self._name)
        self._leader = None
        leadership = self._leadership = Leadership(ballot, self._ledger.prefix + 1)
        effects = list(self._ledger.promise(ballot))
        if self._votes:
            own = self._ledger.votes_from(leadership.first)
            leadership.count(self._name, Promise(ballot, own, self._ledger.discarded))
        effects += self._to_acceptors(Prepare(ballot, leadership.first))
        effects.append(self._set_timer(Timer.ELECTION))
        return (*effects, *self._lead_with_majority(leadership))

    def _prepare(self, sender: str, message: Prepare) -> tuple[Effect, ...]:
        if not self._votes:
            return ()
        if self._has_promised_above(message.ballot):
            return self._refusal(sender, message.ballot)
        effects = (*self._step_down(message.ballot), *self._ledger.promise(message.ballot))
        votes = self._ledger.votes_from(message.first)
        promise = Promise(message.ballot, votes, self._ledger.discarded)
        # The candidate gets its time, before this replica becomes one itself.
        return (*effects, Send(sender, promise), *self._wait_for_leader())

    def _promised(self, sender: str, promise: Promise) -> tuple[Effect, ...]:
        leadership = self._leadership
        if leadership is None or leadership.leads or promise.ballot != leadership.ballot:
            return ()
        leadership.count(sender, promise)
        return self._lead_with_majority(leadership)

    def _lead_with_majority(self, leadership: Leadership) -> tuple[Effect, ...]:
        if not self._is_majority(leadership.promised_by):
            return ()
        leadership.leads = True
        self._leader = self._name
        effects: list[Effect] = []
        inherited = leadership.inherited(self._ledger, self._options.flaws)
        for slot, value in inherited.items():
            effects += self._propose(leadership, slot, value)
        effects += self._propose_waiting()
        return (*effects, *self._show_up(leadership))

    # Phase 2, slot by slot

    def _propose(self, leading: Leadership, slot: int, value: Value) -> tuple[Effect, ...]:
        leading.proposals[slot] = value
        leading.acks[slot] = set()
        effects: list[Effect] = []
        if self._votes:
            # Its own vote counts, so it is stored as that of any other.
            effects += self._ledger.vote(slot, Vote(leading.ballot, value))
            leading.acks[slot].add(self._name)
        effects += self._to_acceptors(Accept(leading.ballot, slot, value))
        return (*effects, *self._choose_with_majority(leading, slot))

    def _accept(self, sender: str, message: Accept) -> tuple[Effect, ...]:
        if self._has_promised_above(message.ballot):
            return self._refusal(sender, message.ballot)
        effects = self._follow(sender, message.ballot)
        if self._ledger.checkpoint is not None and message.slot <= self._ledger.discarded:
            return (*effects, Send(sender, self._ledger.checkpoint))
        if not self._votes:
            return effects
        vote = self._ledger.vote(message.slot, Vote(message.ballot, message.value))
        return (*effects, *vote, Send(sender, Accepted(message.ballot, message.slot)))

    def _accepted(self, sender: str, ballot: Ballot, slot: int) -> tuple[Effect, ...]:
        leading = self._leadership
        if leading is None or leading.ballot != ballot or slot not in leading.proposals:
            return ()
        leading.acks[slot].add(sender)
        return self._choose_with_majority(leading, slot)

    def _choose_with_majority(self, leading: Leadership, slot: int) -> tuple[Effect, ...]:
        if not self._is_majority(leading.acks[slot]):
            return ()
        value = leading.proposals[slot]
        news = tuple(Send(other, Chosen(slot, value)) for other in self._others)
        return (*news, *self._learn(slot, value))

    def _learn(self, slot: int, value: Value) -> tuple[Effect, ...]:
        effects = self._ledger.choose(slot, value)
        if self._leadership is not None:
            self._leadership.settle(slot)
        return (*effects, *self._rejoin(), *self._propose_waiting())

    # Leaders come and go

    def _time_out(self) -> tuple[Effect, ...]:
        self._timer = None
        leadership = self._leadership
        if leadership is None:
            return self._campaign()
        again = Flaw.LOSSY_PHASE1_NO_RETRY not in self._options.flaws
        if leadership.leads:
            effects = self._missing_votes(leadership) if again else ()
            return (*effects, *self._show_up(leadership))
        if not again:
            return ()
        request = Prepare(leadership.ballot, leadership.first)
        missing = self._to_acceptors(request, leadership.promised_by)
        return (*missing, self._set_timer(Timer.ELECTION))

    def _missing_votes(self, leading: Leadership) -> tuple[Effect, ...]:
        effects: list[Effect] = []
        for slot, value in leading.proposals.items():
            request = Accept(leading.ballot, slot, value)
            effects += self._to_acceptors(request, leading.acks[slot])
        return tuple(effects)

    def _show_up(self, leading: Leadership) -> tuple[Effect, ...]:
        prefix = self._ledger.prefix
        say: list[Message] = [Heartbeat(leading.ballot, prefix, leading.next_slot - 1)]
        if leading.checkpoint > prefix:
            say.append(Behind(prefix))  # what others have discarded, it can only be given
        sends = tuple(Send(other, message) for message in say for other in self._others)
        return (*sends, self._set_timer(Timer.HEARTBEAT))

    def _heartbeat(self, sender: str, message: Heartbeat) -> tuple[Effect, ...]:
        if self._has_promised_above(message.ballot):
            return self._refusal(sender, message.ballot)
        effects = self._follow(sender, message.ballot)
        if not self._ledger.voting:
            self._ledger.heard = message.ballot
            if self._ledger.horizon is None:
                self._ledger.horizon = max(message.prefix, message.last)
        if message.prefix > self._ledger.prefix:
            return (*effects, Send(sender, Behind(self._ledger.prefix)))
        return effects

    def _follow(self, leader: str, ballot: Ballot) -> tuple[Effect, ...]:
        effects = self._step_down(ballot)
        self._leader = leader
        return (*effects, *self._wait_for_leader())

    def _step_down(self, ballot: Ballot) -> tuple[Effect, ...]:
        """Give way to a higher ballot; what waits here would wait in vain."""
        if is_above(ballot, self._above):
            self._above = ballot
        if self._leadership is None or ballot <= self._leadership.ballot:
            return ()
        self._leadership = None
        self._leader = None
        dropped = tuple(Unavailable(command) for command in self._waiting)
        self._waiting.clear()
        return dropped

    def _refused(self, ballot: Ballot, max_bal: Ballot) -> tuple[Effect, ...]:
        if self._leadership is None or ballot != self._leadership.ballot:
            if is_above(max_bal, self._above):
                self._above = max_bal
            return ()
        return (*self._step_down(max_bal), *self._wait_for_leader())

    def _refusal(self, sender: str, ballot: Ballot) -> tuple[Effect, ...]:
        assert self._ledger.max_bal is not None
        return (Send(sender, Refused(ballot, self._ledger.max_bal)),)

    # Catching up

    def _help(self, sender: str, prefix: int) -> tuple[Effect, ...]:
        """What is chosen above a prefix, some at a time; from the checkpoint on if it is below."""
        effects: list[Effect] = []
        if prefix < self._ledger.discarded and self._ledger.checkpoint is not None:
            prefix = self._ledger.discarded
            effects.append(Send(sender, self._ledger.checkpoint))
        last = min(self._ledger.prefix, prefix + self._options.batch)
        chosen = self._ledger.chosen
        effects += [Send(sender, Chosen(n, chosen[n])) for n in range(prefix + 1, last + 1)]
        return tuple(effects)

    def _install(self, snapshot: Snapshot) -> tuple[Effect, ...]:
        if snapshot.slot <= self._ledger.prefix:
            return ()
        effects = self._ledger.install(snapshot)
        if self._leadership is not None:
            for slot in [s for s in self._leadership.proposals if s <= snapshot.slot]:
                self._leadership.settle(slot)
            self._leadership.settle(snapshot.slot)
        return (*effects, *self._propose_waiting())

    def _rejoin(self) -> tuple[Effect, ...]:
        """A replica without its disk stays out: an old promise of its may still be counted on."""
        ledger = self._ledger
        if ledger.voting or Flaw.MARK_NONVOTING_REJOIN not in self._options.flaws:
            return ()
        if ledger.horizon is None or ledger.heard is None or ledger.prefix <= ledger.horizon:
            return ()
        # Chandra, Griesemer, Redstone, "Paxos Made Live" (2007), section 5.1: it has seen a slot
        # through that began after the loss, so it votes again, as if it had voted for the chosen.
        effects: list[Effect] = []
        for slot in range(ledger.discarded + 1, ledger.prefix + 1):
            effects += ledger.vote(slot, Vote(ledger.heard, ledger.chosen[slot]))
        ledger.voting = True
        effects.append(Persist(VotingRecord(voting=True), forced=True))
        return (*effects, *self._wait_for_leader())

    # What the steps are made of

    @property
    def _votes(self) -> bool:
        return self._ledger.voting and self._name in self._acceptors

    def _has_promised_above(self, ballot: Ballot) -> bool:
        return self._ledger.max_bal is not None and self._ledger.max_bal > ballot

    def _is_majority(self, acceptors: set[str]) -> bool:
        return 2 * len(acceptors) > len(self._acceptors)

    def _to_acceptors(self, message: Message, done: Iterable[str] = ()) -> tuple[Effect, ...]:
        spared = {self._name, *done}
        return tuple(Send(one, message) for one in self._acceptors if one not in spared)

    def _wait_for_leader(self) -> tuple[Effect, ...]:
        return (self._set_timer(Timer.ELECTION),) if self._ledger.voting else ()

    def _set_timer(self, timer: Timer) -> Effect:
        self._timer = timer
        return SetTimer(timer)

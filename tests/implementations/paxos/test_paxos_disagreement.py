"""Scripts in which a flaw makes two values chosen, and the correct cores, as far as they go, one.

A script is a list of steps; messages stay in flight for ever, and a step whose message was never
sent, or that a core refuses, is passed over. A ballot is written `2q`: round 2 of proposer q.

    1a 2q w     q proposes w in round 2          to 2q a1    a1's promise reaches q
    1b a1 2q    the prepare request reaches a1   2b a1 2q    the accept request reaches a1
    hear a1 2q  a1's vote reaches the learner    crash a1    a1 or q crashes and restarts
"""

from __future__ import annotations

import pytest

from quorate.implementations.paxos import (
    Accept,
    Accepted,
    Acceptor,
    Effect,
    Flaw,
    Learned,
    Learner,
    Message,
    Options,
    Persist,
    Prepare,
    Promise,
    Propose,
    Proposer,
    ProtocolError,
    Received,
    Record,
    Send,
)

X = "x"
SCRIPTS: dict[Flaw, str] = {
    Flaw.FORGET_PROMISE: """
        1a 1p v; 1a 2q w; 1b a1 1p; 1b a1 2q; crash a1; 1b a2 1p; to 1p a1; to 1p a2
        2b a1 1p; 2b a2 1p; 1b a3 2q; to 2q a1; to 2q a3; 2b a1 2q; 2b a2 2q""",
    Flaw.FORGET_ACCEPTED: """
        1a 1p v; 1a 2q w; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p; 2b a2 1p; crash a2
        1b a2 2q; 1b a3 2q; to 2q a2; to 2q a3; 2b a2 2q; 2b a3 2q""",
    Flaw.IGNORE_REPORTED: """
        1a 1p v; 1a 2q w; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p; 2b a2 1p
        1b a2 2q; 1b a3 2q; to 2q a2; to 2q a3; 2b a2 2q; 2b a3 2q""",
    Flaw.ADOPT_LOWEST: """
        1a 1p v; 1b a1 1p; 1b a3 1p; to 1p a1; to 1p a3; 2b a3 1p
        1a 2q w; 1b a1 2q; 1b a2 2q; to 2q a1; to 2q a2; 2b a1 2q; 2b a2 2q
        1a 3r u; 1b a1 3r; 1b a3 3r; to 3r a3; to 3r a1; 2b a2 3r; 2b a3 3r""",
    Flaw.PROMISE_NOT_RECORDED: """
        1a 1p v; 1a 2q w; 1b a1 1p; 1b a2 1p; 1b a2 2q; 1b a3 2q
        to 1p a1; to 1p a2; to 2q a2; to 2q a3; 2b a1 1p; 2b a2 1p; 2b a2 2q; 2b a3 2q""",
    Flaw.ACCEPT_KEEPS_MAXBAL: """
        1a 1p v; 1a 2q w; 1a 3r u; 1b a1 1p; 1b a1 2q; 1b a1 3r; 1b a2 1p; to 1p a1; to 1p a2
        1b a2 2q; to 2q a1; to 2q a2; 2b a2 2q; 2b a3 2q; 2b a3 1p
        1b a3 3r; to 3r a1; to 3r a3; 2b a1 3r; 2b a2 3r""",
    Flaw.BALLOT_REUSE: """
        1a 1p v; 1a 1q w; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 1b a2 1q; 1b a3 1q
        to 1q a2; to 1q a3; 2b a1 1p; 2b a2 1p; 2b a2 1q; 2b a3 1q""",
    Flaw.FORGET_BALLOT: """
        1a 1p v; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p; crash p; 1a 1p w
        1b a2 1p; 1b a3 1p; 2b a2 1p; to 1p a2; to 1p a3; 2b a2 1p; 2b a3 1p""",
    Flaw.PROMISES_COUNTED_TWICE: """
        1a 1p v; 1a 2q w; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p; 2b a2 1p
        1b a3 2q; to 2q a3; to 2q a3; 2b a2 2q; 2b a3 2q""",
    Flaw.PROMISE_OF_OTHER_BALLOT: """
        1a 1p v; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p; 2b a2 1p
        1a 2p w; to 1p a1; to 1p a2; 2b a1 2p; 2b a2 2p""",
    Flaw.LEARNER_CROSSES_BALLOTS: """
        1a 1p v; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a2 1p
        1a 2q w; 1b a1 2q; 1b a3 2q; to 2q a1; to 2q a3; 2b a2 2q
        1a 3r v; 1b a1 3r; 1b a3 3r; to 3r a1; to 3r a3
        1a 4s u; 1b a1 4s; 1b a2 4s; to 4s a1; to 4s a2; 2b a1 4s; 2b a3 3r
        hear a2 1p; hear a3 3r; hear a2 2q; hear a1 4s""",
    Flaw.REPORT_FIRST_ACCEPTED: """
        1a 1p v; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p
        1a 2q w; 1b a2 2q; 1b a3 2q; to 2q a2; to 2q a3; 2b a1 2q; 2b a2 2q
        1a 3r u; 1b a1 3r; 1b a3 3r; to 3r a1; to 3r a3; 2b a1 3r; 2b a3 3r""",
    Flaw.QUORUM_HALF: """
        1a 1p v; 1b a1 1p; 1b a2 1p; to 1p a1; to 1p a2; 2b a1 1p; 2b a2 1p
        1a 2q w; 1b a3 2q; 1b a4 2q; to 2q a3; to 2q a4; 2b a3 2q; 2b a4 2q""",
}
SCRIPTS[Flaw.DISK_LOSS] = SCRIPTS[Flaw.FORGET_ACCEPTED]
SCRIPTS[Flaw.ADOPT_ANY] = SCRIPTS[Flaw.ADOPT_LOWEST]
SCRIPTS[Flaw.ACCEPT_WITHOUT_CHECK] = SCRIPTS[Flaw.PROMISE_NOT_RECORDED]
PROGRESS_ONLY = {Flaw.ACCEPT_GT, Flaw.LOSSY_PHASE1_NO_RETRY}


class Stage:
    """Cores by name, every message ever sent, and every vote ever cast."""

    def __init__(self, options: Options, acceptors: int) -> None:
        self.options = options
        self.acceptors = [f"a{i + 1}" for i in range(acceptors)]
        self.records: dict[str, list[Record]] = {}
        self.cores: dict[str, Acceptor | Proposer] = {}
        self.learner = Learner("l", self.acceptors, options)
        self.learned: set[str] = set()
        self.messages: dict[tuple[str, str, str], Message] = {}
        self.votes: dict[tuple[object, str], set[str]] = {}
        for name in (*self.acceptors, *"pqrs"):
            self.start(name)

    def start(self, name: str) -> None:
        records = self.records.setdefault(name, [])
        if name in self.acceptors:
            self.cores[name] = Acceptor.recover(name, ("l",), records, self.options)
        else:
            self.cores[name] = Proposer.recover(name, self.acceptors, records, self.options)

    def step(self, words: list[str]) -> None:
        match words:
            case ["1a", ballot, value]:
                self.feed(ballot[1:], ballot, Propose(X, value, int(ballot[0])))
            case ["1b", acceptor, ballot]:
                self.arrive("Prepare", ballot[1:], acceptor, ballot)
            case ["to", ballot, acceptor]:
                self.arrive("Promise", acceptor, ballot[1:], ballot)
            case ["2b", acceptor, ballot]:
                self.arrive("Accept", ballot[1:], acceptor, ballot)
            case ["hear", acceptor, ballot]:
                vote = self.messages.get((f"Accepted {ballot}", acceptor, "l"))
                if vote is not None:
                    for effect in self.learner.handle(Received(acceptor, vote)):
                        if isinstance(effect, Learned):
                            self.learned.add(effect.value)
            case ["crash", name]:
                self.start(name)
            case _:
                raise ValueError(words)

    def arrive(self, kind: str, sender: str, to: str, ballot: str) -> None:
        message = self.messages.get((f"{kind} {ballot}", sender, to))
        if message is not None:
            self.feed(to, ballot, Received(sender, message))

    def feed(self, name: str, ballot: str, event: Propose | Received) -> None:
        try:
            effects: tuple[Effect, ...] = self.cores[name].handle(event)  # type: ignore[arg-type]
        except ProtocolError:
            return
        for effect in effects:
            if isinstance(effect, Persist):
                self.records[name].append(effect.record)
            elif isinstance(effect, Send):
                self.send(name, effect.to, effect.message)

    def send(self, sender: str, to: str, message: Message) -> None:
        assert isinstance(message, Prepare | Promise | Accept | Accepted)
        # A shared number names no proposer: the one that sends, or is sent to, does.
        owner = message.ballot.proposer or (to if isinstance(message, Promise) else sender)
        kind = f"{type(message).__name__} {message.ballot.round}{owner}"
        self.messages[kind, sender, to] = message
        if isinstance(message, Accepted):
            self.votes.setdefault((message.ballot, message.value), set()).add(sender)

    def chosen(self) -> set[str]:
        """What a quorum has voted for, by what passes for one here; and what is learned."""
        count = len(self.acceptors)
        voted = {
            value
            for (_, value), voters in self.votes.items()
            if self.options.is_majority(len(voters), count)
        }
        return voted | self.learned


def play(script: str, flaws: set[Flaw], acceptors: int) -> set[str]:
    stage = Stage(Options(refusals=False, flaws=frozenset(flaws)), acceptors)
    for step in script.replace("\n", ";").split(";"):
        if step.strip():
            stage.step(step.split())
    return stage.chosen()


@pytest.mark.parametrize("flaw", SCRIPTS, ids=lambda flaw: flaw.value)
def test_a_flaw_breaks_agreement(flaw: Flaw) -> None:
    acceptors = 4 if flaw is Flaw.QUORUM_HALF else 3
    assert len(play(SCRIPTS[flaw], {flaw}, acceptors)) == 2
    assert len(play(SCRIPTS[flaw], set(), acceptors)) <= 1


def test_all_flaws_that_break_agreement_have_a_script() -> None:
    assert set(SCRIPTS) == set(Flaw) - PROGRESS_ONLY

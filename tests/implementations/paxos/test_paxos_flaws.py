"""Every flaw of single-decree Paxos: where the flawed core parts from the correct one.

Each test takes the same steps twice and compares; the last one sees that no flaw was left out.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quorate.implementations.paxos import (
    Accept,
    Accepted,
    Acceptor,
    AcceptorInstance,
    Ballot,
    Chosen,
    Effect,
    Flaw,
    Learned,
    Learner,
    Options,
    Persist,
    Prepare,
    Promise,
    Propose,
    Proposer,
    Received,
    Record,
    Send,
    TimedOut,
    Vote,
)

X = "x"
A = ("a1", "a2", "a3")
V1, V2 = Vote(Ballot(1, "p"), "v"), Vote(Ballot(2, "p"), "w")
B1, B2, B3 = (Ballot(number, "p") for number in (1, 2, 3))
SHOWN: dict[Flaw, Callable[[Options], object]] = {}


def shows(*flaws: Flaw) -> Callable[[Callable[[Options], object]], Callable[[Options], object]]:
    def register(story: Callable[[Options], object]) -> Callable[[Options], object]:
        SHOWN.update(dict.fromkeys(flaws, story))
        return story

    return register


def sent(effects: tuple[Effect, ...]) -> list[object]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def acceptor(options: Options, *messages: Prepare | Accept) -> tuple[Acceptor, list[object]]:
    """An acceptor that got these messages, and its answer to the last one."""
    core = Acceptor("a1", ("l",), options)
    last: tuple[Effect, ...] = ()
    for message in messages:
        last = core.handle(Received(message.ballot.proposer or "p", message))
    return core, sent(last)


def restarted(options: Options) -> AcceptorInstance:
    """What an acceptor remembers after a promise of 1, a vote there, and a promise of 2."""
    core, records = Acceptor("a1", ("l",), options), list[Record]()
    for message in (Prepare(X, B1), Accept(X, B1, "v"), Prepare(X, B2)):
        effects = core.handle(Received("p", message))
        records += [effect.record for effect in effects if isinstance(effect, Persist)]
    recovered = Acceptor.recover("a1", ("l",), records, options)
    return recovered.instances[X]


def proposed(options: Options, *reports: Vote | None, acceptors: int = 5) -> object:
    """The value that a proposer asks votes for, in ballot 3, after these promises."""
    names = [f"a{i}" for i in range(acceptors)]
    core = Proposer("p", names, options)
    core.handle(Propose(X, "mine", 3))
    for name, report in zip(names, reports, strict=False):
        core.handle(Received(name, Promise(X, B3, report)))
    return core.instances[X].value


@shows(Flaw.FORGET_PROMISE)
def p01(options: Options) -> object:
    return restarted(options)


@shows(Flaw.FORGET_ACCEPTED)
def p02(options: Options) -> object:
    return restarted(options)


@shows(Flaw.DISK_LOSS)
def p03(options: Options) -> object:
    return restarted(options)


@shows(Flaw.IGNORE_REPORTED)
def p04(options: Options) -> object:
    return proposed(options, V1, None, None)


@shows(Flaw.ADOPT_LOWEST, Flaw.ADOPT_ANY)
def p05(options: Options) -> object:
    return proposed(options, V1, V2, None)


@shows(Flaw.ACCEPT_WITHOUT_CHECK)
def p06(options: Options) -> object:
    core, told = acceptor(options, Prepare(X, B2), Accept(X, B1, "v"))
    return core.instances[X], told


@shows(Flaw.PROMISE_NOT_RECORDED)
def p07(options: Options) -> object:
    core, _ = acceptor(options, Prepare(X, B2), Accept(X, B1, "v"))
    return core.instances[X].vote


@shows(Flaw.ACCEPT_GT)
def p08(options: Options) -> object:
    core, _ = acceptor(options, Prepare(X, B1), Accept(X, B1, "v"))
    return core.instances[X].vote


@shows(Flaw.ACCEPT_KEEPS_MAXBAL)
def p09(options: Options) -> object:
    core, _ = acceptor(options, Prepare(X, B1), Accept(X, B2, "w"), Accept(X, B1, "v"))
    return core.instances[X].vote


@shows(Flaw.BALLOT_REUSE)
def p10(options: Options) -> object:
    """Two proposers: are their numbers different?"""
    tried = set()
    for name in ("p", "q"):
        core = Proposer(name, A, options)
        core.handle(Propose(X, name))
        tried.add(core.instances[X].tried)
    return len(tried)


@shows(Flaw.FORGET_BALLOT)
def p10_after_restart(options: Options) -> object:
    core = Proposer("p", A, options)
    first, *_ = core.handle(Propose(X, "v"))
    assert isinstance(first, Persist)
    again = Proposer.recover("p", A, [first.record], options)
    again.handle(Propose(X, "w"))
    return again.instances[X].tried == core.instances[X].tried


@shows(Flaw.PROMISES_COUNTED_TWICE)
def p11(options: Options) -> object:
    core = Proposer("p", A, options)
    core.handle(Propose(X, "mine", 3))
    for _ in range(2):
        core.handle(Received("a1", Promise(X, B3, None)))
    return core.instances[X].phase


@shows(Flaw.PROMISE_OF_OTHER_BALLOT)
def p12(options: Options) -> object:
    core = Proposer("p", A, options)
    core.handle(Propose(X, "mine", 1))
    core.handle(Propose(X, "mine", 3))
    for name in ("a1", "a2"):
        core.handle(Received(name, Promise(X, B1, None)))
    return core.instances[X].phase


@shows(Flaw.LEARNER_CROSSES_BALLOTS)
def p13(options: Options) -> object:
    core = Learner("l", A, options)
    core.handle(Received("a1", Accepted(X, B1, "v")))
    return core.handle(Received("a2", Accepted(X, B2, "v")))


@shows(Flaw.REPORT_FIRST_ACCEPTED)
def p14(options: Options) -> object:
    return acceptor(options, Accept(X, B1, "v"), Accept(X, B2, "w"), Prepare(X, B3))[1]


@shows(Flaw.QUORUM_HALF)
def p15(options: Options) -> object:
    return proposed(options, None, None, acceptors=4)


@shows(Flaw.LOSSY_PHASE1_NO_RETRY)
def p20(options: Options) -> object:
    core = Proposer("p", A, options)
    core.handle(Propose(X, "mine", 3))
    return sent(core.handle(TimedOut(X)))


EXPECTED: dict[Flaw, tuple[object, object]] = {
    Flaw.FORGET_PROMISE: (AcceptorInstance(B2, V1), AcceptorInstance(None, V1)),
    Flaw.FORGET_ACCEPTED: (AcceptorInstance(B2, V1), AcceptorInstance(B2, None)),
    Flaw.DISK_LOSS: (AcceptorInstance(B2, V1), AcceptorInstance(None, None)),
    Flaw.IGNORE_REPORTED: ("v", "mine"),
    Flaw.ADOPT_LOWEST: ("w", "v"),
    Flaw.ADOPT_ANY: ("w", "v"),
    Flaw.PROMISE_NOT_RECORDED: (None, V1),
    Flaw.ACCEPT_GT: (V1, None),
    Flaw.ACCEPT_KEEPS_MAXBAL: (V2, V1),
    Flaw.BALLOT_REUSE: (2, 1),
    Flaw.FORGET_BALLOT: (False, True),
    Flaw.LEARNER_CROSSES_BALLOTS: ((), (Learned(X, "v"),)),
    Flaw.REPORT_FIRST_ACCEPTED: ([Promise(X, B3, V2)], [Promise(X, B3, V1)]),
    Flaw.QUORUM_HALF: (None, "mine"),
    Flaw.LOSSY_PHASE1_NO_RETRY: ([Prepare(X, B3)] * 3, []),
}


@pytest.mark.parametrize("flaw", Flaw)
def test_the_flawed_core_parts_from_the_correct_one(flaw: Flaw) -> None:
    story = SHOWN[flaw]
    correct, flawed = story(Options()), story(Options(flaws=frozenset({flaw})))
    assert correct != flawed
    if flaw in EXPECTED:
        assert (correct, flawed) == EXPECTED[flaw]


@pytest.mark.parametrize("flaw", [f for f in Flaw if f is not Flaw.BALLOT_REUSE])
def test_a_flaw_shows_in_no_other_flaw_s_story(flaw: Flaw) -> None:
    """One switch, one guard: what is meant for other flaws runs as ever, but where they overlap.

    Not for `ballot_reuse`, whose numbers name no proposer: those in the stories do.
    """
    overlapping = {
        frozenset({Flaw.FORGET_PROMISE, Flaw.FORGET_ACCEPTED, Flaw.DISK_LOSS}),
        frozenset({Flaw.ADOPT_LOWEST, Flaw.ADOPT_ANY, Flaw.IGNORE_REPORTED}),
        frozenset({Flaw.PROMISE_NOT_RECORDED, Flaw.ACCEPT_WITHOUT_CHECK}),
        frozenset({Flaw.ACCEPT_WITHOUT_CHECK, Flaw.ACCEPT_KEEPS_MAXBAL}),
        # what a restart finds depends on what was recorded before it
        frozenset({Flaw.PROMISE_NOT_RECORDED, Flaw.FORGET_PROMISE, Flaw.FORGET_ACCEPTED}),
        frozenset({Flaw.PROMISE_NOT_RECORDED, Flaw.DISK_LOSS}),
        # and two votes in a row on how the first was recorded
        frozenset({Flaw.ACCEPT_GT, Flaw.FORGET_PROMISE, Flaw.FORGET_ACCEPTED, Flaw.DISK_LOSS}),
        frozenset({Flaw.REPORT_FIRST_ACCEPTED, Flaw.ACCEPT_KEEPS_MAXBAL}),
    }
    near = {flaw}.union(*(group for group in overlapping if flaw in group))
    for other in set(Flaw) - near:
        story = SHOWN[other]
        assert story(Options()) == story(Options(flaws=frozenset({flaw}))), other


def test_flaws_are_named_as_in_specs_and_traces() -> None:
    assert {flaw.value for flaw in Flaw} == {flaw.name.lower() for flaw in Flaw}


def test_a_proposer_that_knows_the_value_stops_proposing() -> None:
    core = Proposer("p", A)
    core.handle(Propose(X, "mine", 3))
    core.handle(Received("l", Chosen(X, "v")))
    assert core.handle(Propose(X, "other")) == (Learned(X, "v"),)

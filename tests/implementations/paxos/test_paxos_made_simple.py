"""A test for each sentence of "Paxos Made Simple" (Lamport 2001), sections 2.2 and 2.3.

The sentences are told in our words; what sections 2.4 and 2.5 add is at the end.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from quorate.implementations.paxos import (
    Abandon,
    Accept,
    Accepted,
    Acceptor,
    AcceptorInstance,
    AcceptorRecord,
    Ask,
    Ballot,
    BallotRecord,
    CancelTimer,
    Chosen,
    Effect,
    Inquiry,
    Learned,
    Learner,
    Message,
    Options,
    Persist,
    Phase,
    Prepare,
    Promise,
    Propose,
    Proposer,
    Received,
    Refused,
    Send,
    SetTimer,
    TimedOut,
    Vote,
    Wait,
)

A = ("a1", "a2", "a3")
X = "x"
AS_WRITTEN = Options(refusals=False, promises_again=False)


def b(number: int, proposer: str = "p") -> Ballot:
    return Ballot(number, proposer)


def acceptor(options: Options | None = None) -> Acceptor:
    return Acceptor("a1", ("l1", "l2"), options)


def prepare(core: Acceptor, number: int, proposer: str = "p") -> list[Message]:
    return sent(core.handle(Received(proposer, Prepare(X, b(number, proposer)))))


def accept(core: Acceptor, number: int, value: str, proposer: str = "p") -> list[Message]:
    return sent(core.handle(Received(proposer, Accept(X, b(number, proposer), value))))


def promise(core: Proposer, sender: str, number: int, vote: Vote | None = None) -> list[Message]:
    return sent(core.handle(Received(sender, Promise(X, b(number), vote))))


def accepted(core: Learner, sender: str, number: int, value: str) -> tuple[Effect, ...]:
    return core.handle(Received(sender, Accepted(X, b(number), value)))


def sent(effects: tuple[Effect, ...]) -> list[Message]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def receivers(effects: tuple[Effect, ...]) -> list[str]:
    return [effect.to for effect in effects if isinstance(effect, Send)]


def preparing(number: int = 1, options: Options | None = None) -> Proposer:
    core = Proposer("p", A, options)
    core.handle(Propose(X, "mine", number))
    return core


# 2.2, how a value is chosen


def test_p1_an_acceptor_accepts_the_first_proposal_that_it_receives() -> None:
    """Section 2.2, P1."""
    core = acceptor()
    assert accept(core, 0, "v") == [Accepted(X, b(0), "v")] * 2
    assert core.instances[X].vote == Vote(b(0), "v")


def test_different_proposals_have_different_numbers() -> None:
    """Section 2.2: proposals are numbered, no number is used for two of them."""
    cores = [Proposer(name, A) for name in ("p", "q")]
    used: list[Ballot] = []
    for core in cores * 3:
        for effect in core.handle(Propose(X, "v")):
            if isinstance(effect, Persist):
                assert isinstance(effect.record, BallotRecord)
                used.append(effect.record.ballot)
    assert len(set(used)) == len(used) == 6


def test_p1a_a_proposal_is_accepted_unless_a_higher_prepare_request_was_answered() -> None:
    """Section 2.2, P1a, in both directions."""
    core = acceptor()
    prepare(core, 2)
    assert accept(core, 1, "v") == [Refused(X, b(1), b(2))]
    assert core.instances[X].vote is None
    assert accept(core, 2, "v") == [Accepted(X, b(2), "v")] * 2
    assert accept(core, 3, "w") == [Accepted(X, b(3), "w")] * 2


def test_p1a_holds_between_numbers_of_one_round_too() -> None:
    core = acceptor()
    prepare(core, 2, "q")
    assert accept(core, 2, "v", "p") == [Refused(X, b(2), b(2, "q"))]


def test_an_answer_promises_never_to_accept_below() -> None:
    """Section 2.2: the prepare request asks for (a) a promise; it holds for acceptances too."""
    core = acceptor()
    accept(core, 3, "v")
    assert accept(core, 2, "w") == [Refused(X, b(2), b(3))]
    assert core.instances[X] == AcceptorInstance(b(3), Vote(b(3), "v"))


def test_an_answer_reports_the_highest_proposal_accepted_below() -> None:
    """Section 2.2: and for (b) the proposal with the highest number that it has accepted."""
    core = acceptor()
    assert prepare(core, 1) == [Promise(X, b(1), None)]
    accept(core, 1, "v")
    accept(core, 2, "w")
    assert prepare(core, 3) == [Promise(X, b(3), Vote(b(2), "w"))]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_proposal_is_issued_after_answers_from_a_majority(count: int) -> None:
    """Section 2.2: if the proposer has the requested answers from a majority, it can issue one."""
    names = [f"a{i}" for i in range(count)]
    core = Proposer("p", names)
    core.handle(Propose(X, "mine", 1))
    needed = count // 2 + 1
    for name in names[: needed - 1]:
        assert promise(core, name, 1) == []
        assert promise(core, name, 1) == []  # a copy is no second acceptor
    requests = core.handle(Received(names[needed - 1], Promise(X, b(1), None)))
    assert sent(requests) == [Accept(X, b(1), "mine")] * count
    assert requests[-1] == SetTimer(X, Wait.CHOICE)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_its_value_is_that_of_the_highest_proposal_reported(order: tuple[int, ...]) -> None:
    """Section 2.2, P2c (b): whatever the order of the answers."""
    names = [f"a{i}" for i in range(5)]
    reports = [Vote(b(1), "low"), Vote(b(3), "high"), None]
    core = Proposer("p", names)
    core.handle(Propose(X, "mine", 4))
    last = [promise(core, names[i], 4, reports[i]) for i in order][-1]
    assert last == [Accept(X, b(4), "high")] * 5


def test_its_value_is_any_if_nothing_is_reported() -> None:
    """Section 2.2, P2c (a)."""
    core = preparing()
    promise(core, "a1", 1)
    assert promise(core, "a3", 1) == [Accept(X, b(1), "mine")] * 3


def test_accept_requests_need_not_go_to_those_who_answered() -> None:
    """Section 2.2: to some set of acceptors. Here to all, and a3, which never answered, votes."""
    core = preparing()
    promise(core, "a1", 1)
    effects = core.handle(Received("a2", Promise(X, b(1), None)))
    assert receivers(effects) == ["a1", "a2", "a3"]
    assert accept(acceptor(), 1, "mine") == [Accepted(X, b(1), "mine")] * 2


def test_requests_may_be_ignored() -> None:
    """Section 2.2: an acceptor can ignore any request: nothing hangs on one minority."""
    core = preparing()
    promise(core, "a1", 1)
    assert promise(core, "a2", 1) != []
    learner = Learner("l1", A)
    accepted(learner, "a1", 1, "mine")
    assert accepted(learner, "a2", 1, "mine") == (Learned(X, "mine"),)


def test_a_prepare_request_below_a_promise_is_ignored() -> None:
    """Section 2.2: there is no reason to answer it, the proposal will not be accepted."""
    core = acceptor(AS_WRITTEN)
    prepare(core, 2)
    assert core.handle(Received("p", Prepare(X, b(1)))) == ()
    assert core.instances[X].max_bal == b(2)


def test_a_prepare_request_for_an_accepted_proposal_is_ignored() -> None:
    """Section 2.2: we can also have it ignore a prepare request for what it has accepted."""
    core = acceptor(AS_WRITTEN)
    accept(core, 2, "v")
    assert core.handle(Received("p", Prepare(X, b(2)))) == ()


def test_only_two_things_are_remembered_in_spite_of_failures() -> None:
    """Section 2.2: the highest number answered, and the highest proposal accepted."""
    core = acceptor()
    records = []
    for event in (
        Received("p", Prepare(X, b(1))),
        Received("p", Accept(X, b(1), "v")),
        Received("q", Prepare(X, b(2, "q"))),
    ):
        first, *_ = core.handle(event)
        assert isinstance(first, Persist)
        assert first.forced
        records.append(first.record)
    assert records[-1] == AcceptorRecord(X, b(2, "q"), Vote(b(1), "v"))
    again = Acceptor.recover("a1", ("l1", "l2"), records)
    assert again.instances == core.instances


def test_a_proposal_can_be_abandoned_and_forgotten() -> None:
    """Section 2.2: as long as no other proposal gets its number."""
    core = preparing(number=4)
    assert core.handle(Abandon(X)) == (CancelTimer(X),)
    state = core.instances[X]
    assert (state.phase, state.tried, state.wanted) == (Phase.IDLE, b(4), None)
    assert sent(core.handle(Propose(X, "other"))) == [Prepare(X, b(5))] * 3


def test_phase_1a_a_proposer_sends_a_prepare_request_with_its_number() -> None:
    """Section 2.2, phase 1 (a)."""
    effects = Proposer("p", A).handle(Propose(X, "v", 3))
    assert effects == (
        Persist(BallotRecord(X, b(3)), forced=True),
        *(Send(name, Prepare(X, b(3))) for name in A),
        SetTimer(X, Wait.PROMISES),
    )


def test_phase_1b_an_acceptor_promises_a_number_above_all_that_it_answered() -> None:
    """Section 2.2, phase 1 (b)."""
    core = acceptor(AS_WRITTEN)
    assert prepare(core, 1) == [Promise(X, b(1), None)]
    assert prepare(core, 1) == []
    assert prepare(core, 0) == []
    assert prepare(core, 2) == [Promise(X, b(2), None)]


def test_a_promise_is_repeated_if_the_options_say_so() -> None:
    """Not in the paper: a lost promise would cost a ballot."""
    core = acceptor()
    first = prepare(core, 1)
    effects = core.handle(Received("p", Prepare(X, b(1))))
    assert sent(effects) == first
    assert not any(isinstance(effect, Persist) for effect in effects)


def test_phase_2a_only_answers_to_this_number_count() -> None:
    """Section 2.2, phase 2 (a): a response to its prepare requests numbered n."""
    core = preparing(number=1)
    core.handle(Propose(X, "mine", 2))
    promise(core, "a1", 1)
    promise(core, "a2", 1, Vote(b(0), "old"))
    assert core.instances[X].promised_by == frozenset()
    assert core.instances[X].latest is None
    promise(core, "a1", 2)
    assert promise(core, "a2", 2) == [Accept(X, b(2), "mine")] * 3


def test_phase_2b_an_acceptor_accepts_unless_it_has_answered_a_higher_number() -> None:
    """Section 2.2, phase 2 (b)."""
    core = acceptor(AS_WRITTEN)
    prepare(core, 2)
    assert core.handle(Received("p", Accept(X, b(1), "v"))) == ()
    assert accept(core, 2, "v") == [Accepted(X, b(2), "v")] * 2


def test_a_proposer_can_make_several_proposals() -> None:
    """Section 2.2: following the algorithm for each; it can abandon one in the middle."""
    core = preparing(number=1)
    promise(core, "a1", 1)
    promise(core, "a2", 1)
    assert core.instances[X].phase is Phase.PROPOSING
    assert sent(core.handle(Propose(X, "other"))) == [Prepare(X, b(2))] * 3
    promise(core, "a1", 2, Vote(b(1), "mine"))
    assert promise(core, "a2", 2) == [Accept(X, b(2), "mine")] * 3


def test_answers_may_arrive_long_after_a_proposal_was_abandoned() -> None:
    """Section 2.2: correctness is maintained."""
    core = preparing(number=1)
    core.handle(Abandon(X))
    before = core.instances[X]
    for name in A:
        assert promise(core, name, 1) == []
    assert core.handle(Received("a1", Refused(X, b(1), b(5, "q")))) == ()
    assert core.instances[X] == before


def test_a_proposer_is_told_of_a_higher_number_and_abandons_its_own() -> None:
    """Section 2.2: an acceptor that ignores a request for a higher number should tell."""
    answers = acceptor()
    prepare(answers, 2, "q")
    assert prepare(answers, 1) == [Refused(X, b(1), b(2, "q"))]
    assert accept(answers, 1, "v") == [Refused(X, b(1), b(2, "q"))]
    core = preparing(number=1)
    effects = core.handle(Received("a1", Refused(X, b(1), b(2, "q"))))
    assert effects == (SetTimer(X, Wait.BACK_OFF),)
    assert promise(core, "a1", 1) == []
    assert promise(core, "a2", 1) == []
    assert core.instances[X].phase is Phase.BACKING_OFF
    assert sent(core.handle(TimedOut(X))) == [Prepare(X, b(3))] * 3


def test_being_told_does_not_matter_for_safety() -> None:
    """Section 2.2: it is an optimization; without it the acceptor's state is the same."""
    states = []
    for options in (Options(), Options(refusals=False)):
        core = acceptor(options)
        prepare(core, 2, "q")
        prepare(core, 1)
        accept(core, 1, "v")
        states.append(dict(core.instances))
    assert states[0] == states[1]


# 2.3, learning a chosen value


def test_a_learner_learns_when_a_majority_has_accepted() -> None:
    """Section 2.3: it must find out that a majority of acceptors has accepted a proposal."""
    core = Learner("l1", A)
    assert accepted(core, "a1", 1, "v") == ()
    assert accepted(core, "a1", 1, "v") == ()
    assert accepted(core, "a2", 2, "v") == ()  # the same value in two proposals is not one
    assert accepted(core, "a1", 2, "v") == (Learned(X, "v"),)
    assert accepted(core, "a3", 2, "v") == ()


def test_each_acceptor_tells_all_learners() -> None:
    """Section 2.3: whenever it accepts a proposal, it sends it to all learners."""
    effects = acceptor().handle(Received("p", Accept(X, b(1), "v")))
    assert [e for e in effects if isinstance(e, Send)] == [
        Send(learner, Accepted(X, b(1), "v")) for learner in ("l1", "l2")
    ]


def test_a_distinguished_learner_informs_the_others() -> None:
    """Section 2.3: so that there are as many messages as acceptors and learners together."""
    first, other = Learner("l1", A, inform=("l2", "p")), Learner("l2", A)
    accepted(first, "a1", 1, "v")
    effects = accepted(first, "a2", 1, "v")
    assert effects == (Learned(X, "v"), Send("l2", Chosen(X, "v")), Send("p", Chosen(X, "v")))
    assert other.handle(Received("l1", Chosen(X, "v"))) == (Learned(X, "v"),)
    assert other.handle(Received("l1", Chosen(X, "v"))) == ()


def test_there_may_be_several_distinguished_learners() -> None:
    """Section 2.3: each can inform all others; more of them are more reliable."""
    other = Learner("l3", A)
    assert other.handle(Received("l2", Chosen(X, "v"))) == (Learned(X, "v"),)
    assert other.handle(Received("l1", Chosen(X, "v"))) == ()


def test_a_learner_can_ask_the_acceptors() -> None:
    """Section 2.3: messages are lost, so a value may be chosen and no learner knows."""
    cores = {name: Acceptor(name, ("l1",)) for name in A}
    for name in ("a1", "a2"):
        accept(cores[name], 1, "v")
    learner = Learner("l1", A)
    effects = learner.handle(Ask(X))
    assert receivers(effects) == list(A)
    assert effects[-1] == SetTimer(X, Wait.ANSWERS)
    assert receivers(learner.handle(TimedOut(X))) == list(A)
    answers = {n: sent(core.handle(Received("l1", Inquiry(X)))) for n, core in cores.items()}
    assert answers["a3"] == []
    learner.handle(Received("a1", answers["a1"][0]))
    assert learner.handle(Received("a2", answers["a2"][0])) == (CancelTimer(X), Learned(X, "v"))
    assert learner.handle(Ask(X)) == (Learned(X, "v"),)


def test_a_proposal_finds_out_what_the_acceptors_that_are_up_do_not_tell() -> None:
    """Section 2.3: a1 is down, a2 and a3 disagree; then a proposer issues a proposal.

    The learner learns what that proposal chooses, which is what was chosen if anything was.
    """
    cores = {name: Acceptor(name, ("l1",)) for name in A}
    accept(cores["a2"], 1, "v")
    learner, proposer = Learner("l1", A), Proposer("p", A)
    for name in ("a2", "a3"):
        for message in sent(cores[name].handle(Received("l1", Inquiry(X)))):
            assert not [
                e for e in learner.handle(Received(name, message)) if isinstance(e, Learned)
            ]
    proposer.handle(Propose(X, "mine", 2))
    learned: list[Effect] = []
    for name in ("a2", "a3"):
        (answer,) = prepare(cores[name], 2)
        proposer.handle(Received(name, answer))
    for name in ("a2", "a3"):
        for message in accept(cores[name], 2, proposer.instances[X].value or ""):
            learned += learner.handle(Received(name, message))
    assert learned == [Learned(X, "v")]


def test_a_learner_answers_others() -> None:
    core = Learner("l1", A)
    assert core.handle(Received("l2", Inquiry(X))) == ()
    core.handle(Received("l0", Chosen(X, "v")))
    assert core.handle(Received("l2", Inquiry(X))) == (Send("l2", Chosen(X, "v")),)


# 2.4 and 2.5


def test_silence_is_answered_with_the_same_ballot_and_then_with_a_higher_one() -> None:
    """Section 2.4: the proposer tries again, with a number that is high enough at last."""
    core = preparing(options=Options(resends=1))
    promise(core, "a1", 1)
    effects = core.handle(TimedOut(X))
    assert receivers(effects) == ["a2", "a3"]
    assert sent(effects) == [Prepare(X, b(1))] * 2
    assert sent(core.handle(TimedOut(X))) == [Prepare(X, b(2))] * 3
    promise(core, "a1", 2)
    promise(core, "a2", 2)
    assert sent(core.handle(TimedOut(X))) == [Accept(X, b(2), "mine")] * 3
    assert sent(core.handle(TimedOut(X))) == [Prepare(X, b(3))] * 3


def test_two_proposers_can_keep_each_other_from_progress() -> None:
    """Section 2.4: each prepares above the other before the other's votes are cast."""
    cores = {name: Acceptor(name, ("l1",)) for name in A}
    proposers = {name: Proposer(name, A) for name in ("p", "q")}

    def prepared(name: str, effects: tuple[Effect, ...]) -> list[Message]:
        proposer, requests = proposers[name], []
        for effect in effects:
            if isinstance(effect, Send):
                for answer in sent(cores[effect.to].handle(Received(name, effect.message))):
                    requests += sent(proposer.handle(Received(effect.to, answer)))
        return requests[:1]

    stale = {name: prepared(name, proposers[name].handle(Propose(X, name))) for name in "pq"}
    for _ in range(5):
        for name in ("p", "q"):
            (request,) = stale[name]
            (refusal,) = sent(cores["a1"].handle(Received(name, request)))
            assert isinstance(refusal, Refused)
            proposers[name].handle(Received("a1", refusal))
            stale[name] = prepared(name, proposers[name].handle(TimedOut(X)))
    assert all(core.instances[X].vote is None for core in cores.values())


def test_records_go_before_the_messages_that_rely_on_them() -> None:
    """Section 2.5: an acceptor records its response in stable storage before sending it."""
    core = acceptor()
    for event in (Received("p", Prepare(X, b(1))), Received("p", Accept(X, b(1), "v"))):
        first, *rest = core.handle(event)
        assert isinstance(first, Persist)
        assert first.forced
        assert all(isinstance(effect, Send) for effect in rest)


def test_a_proposer_goes_above_every_number_it_has_used_before_a_crash() -> None:
    """Section 2.5: it remembers the highest number in stable storage."""
    first = preparing(number=7).instances[X].tried
    assert first is not None
    core = Proposer.recover("p", A, [BallotRecord(X, b(3)), BallotRecord(X, first)])
    assert core.instances[X].phase is Phase.IDLE
    assert sent(core.handle(Propose(X, "v"))) == [Prepare(X, b(8))] * 3


def test_a_learner_tells_a_proposer_that_goes_on_after_the_choice() -> None:
    """Section 2.3 again: the first news may have been lost, or come before a crash."""
    core = Learner("l1", A, inform=("p",))
    accepted(core, "a1", 1, "v")
    accepted(core, "a2", 1, "v")
    assert accepted(core, "a1", 2, "v") == (Send("p", Chosen(X, "v")),)
    assert accepted(core, "a1", 2, "v") == (Send("p", Chosen(X, "v")),)


def test_a_learner_asks_others_that_may_have_learned() -> None:
    """Section 2.3: a failure of an acceptor can make it impossible to know from the rest."""
    core = Learner("l2", A, ask=("p",))
    assert receivers(core.handle(Ask(X))) == [*A, "p"]
    proposer = preparing()
    assert proposer.handle(Received("l2", Inquiry(X))) == ()
    proposer.handle(Received("l1", Chosen(X, "v")))
    assert proposer.handle(Received("l2", Inquiry(X))) == (Send("l2", Chosen(X, "v")),)


def test_an_older_vote_that_comes_late_does_not_replace_a_newer_one() -> None:
    core = Learner("l1", A)
    accepted(core, "a1", 2, "w")
    accepted(core, "a1", 1, "v")
    assert core.instances[X].heard == {"a1": Vote(b(2), "w")}
    assert accepted(core, "a2", 1, "v") == ()


def test_a_second_value_is_reported_too() -> None:
    """No correct system has one; whoever watches should see it."""
    core = Learner("l1", A)
    core.handle(Received("l2", Chosen(X, "v")))
    assert core.handle(Received("l2", Chosen(X, "w"))) == (Learned(X, "w"),)
    assert core.instances[X].learned == ("v", "w")

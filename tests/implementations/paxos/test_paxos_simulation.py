"""Agreement and progress under loss, copies, reordering and crashes; and that the test can fail."""

from __future__ import annotations

import pytest

from quorate.implementations.paxos import Flaw, Options, ProtocolError
from quorate.tests.implementations.paxos.paxos_simulation import Faults, World, run

SEEDS = range(60)


@pytest.mark.parametrize("acceptors", [1, 2, 3, 5])
def test_agreement_and_progress(acceptors: int) -> None:
    for seed in SEEDS:
        run(seed, Options(), Faults(), acceptors=acceptors).check_learned()


@pytest.mark.parametrize(
    "options",
    [Options(refusals=False), Options(promises_again=False), Options(resends=0)],
    ids=["no refusals", "no promise twice", "no resends"],
)
def test_agreement_and_progress_in_every_variant(options: Options) -> None:
    for seed in SEEDS:
        run(seed, options, Faults(), acceptors=3).check_learned()


def test_a_fault_free_run_chooses_and_informs() -> None:
    for seed in SEEDS:
        run(seed, Options(), Faults(0, 0, 0, 0, 0.02), acceptors=3).check_learned()


def test_both_proposers_win_sometimes() -> None:
    seen = set()
    for seed in SEEDS:
        seen |= run(seed, Options(), Faults(), acceptors=3, instances=1).learned["i0"]
    assert {value[-2:] for value in seen} == {"p1", "p2"}


def test_same_seed_same_events() -> None:
    first, second = (run(7, Options(), Faults(), acceptors=3) for _ in range(2))
    assert first.events == second.events


CAUGHT = [
    Flaw.FORGET_PROMISE,
    Flaw.FORGET_ACCEPTED,
    Flaw.DISK_LOSS,
    Flaw.IGNORE_REPORTED,
    Flaw.ACCEPT_WITHOUT_CHECK,
    Flaw.PROMISE_NOT_RECORDED,
    Flaw.ACCEPT_GT,
    Flaw.BALLOT_REUSE,
    Flaw.FORGET_BALLOT,
    Flaw.PROMISES_COUNTED_TWICE,
    Flaw.PROMISE_OF_OTHER_BALLOT,
    Flaw.LEARNER_CROSSES_BALLOTS,
    Flaw.QUORUM_HALF,
    Flaw.LOSSY_PHASE1_NO_RETRY,
]


@pytest.mark.parametrize("flaw", CAUGHT, ids=lambda flaw: flaw.value)
def test_the_simulation_finds_flaws(flaw: Flaw) -> None:
    """The others need three ballots in one order that chance hardly ever takes."""
    options = Options(flaws=frozenset({flaw}), resends=0 if flaw is Flaw.ACCEPT_GT else 1)
    for seed in range(400):
        try:
            world: World = run(seed, options, Faults(duplicate=0.4), acceptors=4)
            world.check_learned()
        except (AssertionError, ProtocolError):
            return
    pytest.fail("400 runs, and nobody noticed")

"""Agreement under crashes, loss and duplication, in every variant; and that the test can fail."""

from __future__ import annotations

import pytest

from quorate.implementations.two_phase_commit import (
    Decision,
    Flaw,
    Options,
    Presumption,
    ProtocolError,
    Termination,
    Vote,
)
from quorate.tests.implementations.two_phase_commit.simulation import Faults, flawed, run

SEEDS = range(100)


@pytest.mark.parametrize("presumption", Presumption)
@pytest.mark.parametrize("participants", [1, 2, 3])
def test_agreement_and_termination(presumption: Presumption, participants: int) -> None:
    for seed in SEEDS:
        world = run(seed, Options(presumption), Faults(), participants=participants)
        world.check_decided()


@pytest.mark.parametrize("presumption", Presumption)
def test_agreement_when_the_application_forgets_what_it_was_doing(
    presumption: Presumption,
) -> None:
    faults = Faults(application_remembers=False, crash=0.05, duplicate=0.5)
    for seed in SEEDS:
        run(seed, Options(presumption), faults, participants=2).check_decided()


@pytest.mark.parametrize("presumption", Presumption)
@pytest.mark.parametrize("restart", [False, True])
def test_agreement_of_the_forwarding_variant(presumption: Presumption, restart: bool) -> None:
    faults = Faults(drop=0, restart=restart, crash=0.05)
    for seed in SEEDS:
        run(
            seed,
            Options(presumption, Termination.FORWARDING),
            faults,
            participants=3,
            transactions=2,
        )


@pytest.mark.parametrize("presumption", Presumption)
@pytest.mark.parametrize("termination", Termination)
def test_all_yes_and_no_failure_is_commit(
    presumption: Presumption, termination: Termination
) -> None:
    """AC4 of BHG: no failures and all Yes => Commit."""
    for seed in range(30):
        world = run(seed, Options(presumption, termination), Faults.none(), participants=3)
        for transaction, outcomes in world.outcomes.items():
            assert {votes[0] for votes in world.votes[transaction].values()} == {Vote.YES}
            decided = {name for name, decision in outcomes if decision is Decision.COMMIT}
            assert decided == {*world.names, "c"}


def test_both_outcomes_occur() -> None:
    seen = set()
    for seed in range(30):
        world = run(seed, Options(), Faults(), participants=2)
        seen |= {decision for outcomes in world.outcomes.values() for _, decision in outcomes}
    assert seen == set(Decision)


def test_same_seed_same_events() -> None:
    first = run(7, Options(), Faults(), participants=3)
    second = run(7, Options(), Faults(), participants=3)
    assert first.events == second.events


FLAWED = [
    flawed(Flaw.ABORT_AFTER_YES),
    flawed(Flaw.HEURISTIC_COMMIT),
    flawed(Flaw.PEER_READY_MEANS_ABORT),
    flawed(Flaw.RECOVER_READY_ABORTS),
    flawed(Flaw.DECISION_NOT_FORCED),
    flawed(Flaw.YES_NOT_FORCED),
    flawed(Flaw.MISSING_VOTE),
    flawed(Flaw.PRESUMED_ABORT_FORGETS_COMMIT, presumption=Presumption.ABORT),
    flawed(Flaw.PRESUMED_COMMIT_NO_COLLECTING_RECORD, presumption=Presumption.COMMIT),
    flawed(Flaw.DELIVER_BEFORE_FORWARD, termination=Termination.FORWARDING),
]


@pytest.mark.parametrize("options", FLAWED, ids=lambda options: next(iter(options.flaws)).value)
def test_the_simulation_finds_every_flaw(options: Options) -> None:
    forwarding = options.termination is Termination.FORWARDING
    faults = Faults(drop=0 if forwarding else 0.1, crash=0.05, restart=not forwarding)
    for seed in range(400):
        try:
            run(seed, options, faults, participants=2)
        except (AssertionError, ProtocolError):
            return
    pytest.fail("400 runs, and nobody noticed")

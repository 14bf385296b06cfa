"""Bounded model checking says what the explorer says, and nothing that is not so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Annotated

import pytest
import z3

from quorate.benchmarks.agreement import Agreed, compare, instance_of, lengths, main
from quorate.checkers.confirmation import Confirmation
from quorate.checkers.errors import InternalDisagreement
from quorate.checkers.result import PropertyVerdict, Query, Verdict
from quorate.checkers.symbolic import bmc
from quorate.checkers.symbolic.bmc import search
from quorate.checkers.symbolic.queries import Answer, Clock, OutOfTime, Solver
from quorate.cli.manifest import InstanceEntry
from quorate.cli.registry import Model, find
from quorate.cli.status import Status
from quorate.language import (
    Instance,
    Spec,
    action,
    between,
    constraint,
    instantiate,
    invariant,
    require,
)
from quorate.language.failures import UsageError
from quorate.tests.generated.specs import random_spec

SPECS = 40
"""Generated specs; 200 were held against the explorer while this was written."""

FLAWED = ("two-phase-commit-backup", "ring-leader-election", "distributed-lock")
DEPTH = 7
"""Deep enough for most of these flaws; `quorate.benchmarks.agreement` looks at all instances."""

WHOLE = (
    ("consensus", "values-2"),
    ("transaction-commit", "rms-3"),
    ("two-phase-commit", "rms-3"),
    ("ring-leader-election", "processes-2"),
)


class Near(Spec):
    """Counts, and is followed up to 3."""

    at: Annotated[int, between(0, 9)] = 0

    @action
    def up(self) -> None:
        """One more."""
        require(self.at < 9)
        self.at += 1

    @constraint
    def near(self) -> bool:
        """Up to 3."""
        return self.at <= 3

    @invariant
    def up_to_four(self) -> bool:
        """4 is outside the constraint, and the last state that is looked at."""
        return self.at <= 4

    @invariant
    def up_to_three(self) -> bool:
        """Broken by 4."""
        return self.at <= 3


def flawed() -> Iterator[tuple[Model, InstanceEntry]]:
    for name in FLAWED:
        model = find(name)
        yield from ((model, e) for e in model.instances if e.fast and e.flaws)


def agreed(model: Model, entry: InstanceEntry, depth: int | None = None) -> Agreed:
    instance, properties = instance_of(model, entry)
    return compare(instance, properties, max_depth=depth)


def two_phase_commit(instance: str = "rms-3") -> Instance:
    model = find("two-phase-commit")
    return instance_of(model, model.instance(instance))[0]


@pytest.mark.parametrize(("model", "entry"), list(flawed()), ids=lambda one: one.name)
def test_flaws_are_found_at_the_same_length(model: Model, entry: InstanceEntry) -> None:
    found = agreed(model, entry, DEPTH).bounded
    if entry.length is not None and entry.length <= DEPTH and entry.violates in found.properties:
        assert (str(entry.violates), entry.length) in lengths(found)


@pytest.mark.parametrize(("name", "instance"), WHOLE)
def test_where_no_run_goes_on_all_is_covered(name: str, instance: str) -> None:
    model = find(name)
    found = agreed(model, model.instance(instance))
    assert found.bounded.verdict is found.explored.verdict is Verdict.HOLDS
    assert found.bounded.depth >= found.explored.depth


@pytest.mark.parametrize("seed", range(SPECS))
def test_generated_specs(seed: int) -> None:
    compare(Instance.from_ir(random_spec(seed)), None, max_depth=5)


def test_states_outside_the_constraint_are_checked_and_not_expanded() -> None:
    instance = instantiate(Near)
    found = compare(instance, ["up_to_four"]).bounded
    assert (found.verdict, found.depth) == (Verdict.HOLDS, 5)
    assert lengths(compare(instance, ["up_to_three"]).bounded) == {("up_to_three", 5)}


def test_a_limit_of_depth_is_inconclusive() -> None:
    found = search(two_phase_commit(), max_depth=3)
    assert (found.verdict, found.depth) == (Verdict.INCONCLUSIVE, 3)
    assert found.reason == ("the limit of depth 3 was reached: no counterexample of up to 3 states")
    assert found.properties["AC1"] is PropertyVerdict.INCONCLUSIVE
    assert {query.answer for query in found.queries} == {"sat", "unsat"}


def test_a_limit_of_time_is_inconclusive() -> None:
    found = search(two_phase_commit("rms-5"), time_limit=0.3)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.startswith("the limit of 0.3 seconds was reached")
    assert found.seconds < 5


def test_a_refinement_is_not_for_this_engine() -> None:
    with pytest.raises(UsageError, match="cannot check transaction_commit, of the kind refinement"):
        search(two_phase_commit(), named=["transaction_commit"], max_depth=1)
    found = search(two_phase_commit(), max_depth=1)
    assert found.not_checked[0] == "what one run cannot show: transaction_commit"


def test_what_the_reference_does_not_confirm_is_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    model = find("distributed-lock")
    instance, _ = instance_of(model, model.instance("keeps-lock"))
    monkeypatch.setattr(Confirmation, "holds", lambda *_: True)
    with pytest.raises(InternalDisagreement, match=r"bmc says that .* is False in a state"):
        search(instance, max_depth=5)


def test_engines_that_disagree_are_an_internal_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--max-depth", "3", "consensus"]) is Status.HOLDS
    monkeypatch.setattr(bmc._Search, "_look", lambda *_: None)  # finds nothing
    assert main(["--max-depth", "3", "consensus"]) is Status.INTERNAL
    assert "DISAGREEMENT" in capsys.readouterr().out


def hard() -> z3.BoolRef:
    """Something that takes the solver long: factors of a product of two primes."""
    x, y = z3.BitVecs("x y", 64)
    product = z3.BitVecVal(1000000007 * 998244353, 64)
    return z3.And(z3.ULT(1, x), z3.ULT(x, y), z3.ULT(y, 1 << 32), x * y == product)


def test_a_query_ends_with_the_time() -> None:
    log: list[Query] = []
    solver = Solver(Clock(0.5), log)
    solver.add(hard())
    with pytest.raises(OutOfTime):
        solver.ask("factors")
    assert [(query.purpose, query.answer) for query in log] == [("factors", "unknown")]
    assert 0.1 < log[0].seconds < 5


def test_a_query_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[Query] = []
    solver = Solver(Clock(None), log)
    solver.add(hard())
    join, begun = threading.Thread.join, time.monotonic()

    def interrupted(self: threading.Thread, timeout: float | None = None) -> None:
        monkeypatch.undo()
        join(self, 0.3)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        solver.ask("factors")
    assert time.monotonic() - begun < 5
    assert log[0].answer == "unknown"


def test_what_was_assumed_does_not_last() -> None:
    log: list[Query] = []
    solver = Solver(Clock(None), log)
    a, b = z3.Bools("a b")
    solver.add(z3.Implies(a, b))
    assert solver.ask("both", a, z3.Not(b)) is Answer.UNSAT
    assert solver.ask("neither", z3.Not(b)) is Answer.SAT

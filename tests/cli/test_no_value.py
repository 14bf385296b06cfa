"""Specs that can say nothing: a property without a value in some state, no state to start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import write

COUNTER = '''
from __future__ import annotations

from typing import Annotated

from quorate.language import (
    Spec, action, always_possible, between, constraint, invariant, require, start, step_property,
    witness,
)


class Counter(Spec):
    """Counts to two."""

    n: Annotated[int, between(0, 3)] = 0

    @action
    def up(self) -> None:
        require(self.n < 2)
        self.n += 1


class Always(Counter):
    @invariant
    def fits(self) -> bool:
        return 1 // (2 - self.n) >= 0


class ReachedBefore(Counter):
    @witness
    def fits(self) -> bool:
        return 1 // (2 - self.n) >= 0


class NeverReached(Counter):
    @witness
    def fits(self) -> bool:
        return 1 // (2 - self.n) > 7


class Possible(Counter):
    @always_possible()
    def fits(self) -> bool:
        return 1 // (2 - self.n) > 7


class PossibleElsewhere(Counter):
    @always_possible()
    def fits(self) -> bool:
        return 1 // (2 - self.n) >= 0


class OnStep(Counter):
    @step_property
    def fits(self, after: OnStep) -> bool:
        return 1 // (2 - after.n) >= 0


class Bounded(Counter):
    @constraint
    def small(self) -> bool:
        return 1 // (2 - self.n) >= 0


class Nowhere(Counter):
    @start
    def begin(self) -> None:
        require(self.n == 1)

    @invariant
    def fits(self) -> bool:
        return False
'''

PROPERTIES = [
    "Always",
    "ReachedBefore",
    "NeverReached",
    "Possible",
    "PossibleElsewhere",
    "OnStep",
    "Bounded",
]


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    return write(tmp_path, "counter.py", COUNTER)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_without_a_value_is_named_with_a_trace_that_shows_it(
    quorate: Quorate, counter: Path, name: str, workers: str
) -> None:
    ran = quorate("check", f"{counter}:{name}", "--trace-dir", "kept", "--workers", workers)
    which = "the constraint" if name == "Bounded" else "fits"
    reason = f"{which} cannot be evaluated: division by zero"
    assert ran.status == 2
    assert f"error: {reason}" in ran.out
    assert "3 states; a property or the constraint cannot be evaluated in the last state" in ran.out
    again = quorate("replay", "kept", "--json", "-")
    (told,) = again.json["traces"]
    assert (again.status, told["outcome"], told["reason"]) == (0, "reproduced", reason)


def test_a_trace_that_ends_where_all_properties_have_values_is_not_reproduced(
    quorate: Quorate, counter: Path
) -> None:
    quorate("check", f"{counter}:Always", "--trace-dir", "kept")
    (path,) = Path("kept").iterdir()
    shorter = json.loads(path.read_text())
    del shorter["states"][-1]
    path.write_text(json.dumps(shorter))
    ran = quorate("replay", "kept", "--json", "-")
    (told,) = ran.json["traces"]
    assert (ran.status, told["outcome"]) == (1, "not_reproduced")
    assert told["reason"] == "every property has a value in the last state"


def test_nothing_holds_where_there_is_no_initial_state(quorate: Quorate, counter: Path) -> None:
    ran = quorate("check", f"{counter}:Nowhere")
    assert (ran.status, ran.out) == (2, "")
    assert "Nowhere has no initial state: @start requires what never holds" in ran.err

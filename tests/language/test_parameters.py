"""Parameters: what bounds may say with them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import pytest

from quorate.language import (
    Spec,
    SpecErrors,
    action,
    between,
    instantiate,
    parameter,
)
from quorate.language.ir.types import IntType


class Phases(Enum):
    """The values are ints."""

    ONE = 1
    TWO = 2


class Counted(Spec):
    """An enumeration with int values in a bound."""

    phases: Phases = parameter(Phases.ONE)
    done: Annotated[int, between(0, "2 * phases.value + 1")] = 0

    @action
    def go_on(self) -> None:
        self.done += 1


class Speed(Enum):
    """The values are no ints."""

    SLOW = "slow"


class Uncounted(Spec):
    """An enumeration without int values in a bound."""

    speed: Speed = parameter(Speed.SLOW)
    done: Annotated[int, between(0, "speed.value")] = 0

    @action
    def go_on(self) -> None:
        self.done += 1


@pytest.mark.parametrize(("phases", "high"), [(Phases.ONE, 3), (Phases.TWO, 5)])
def test_a_bound_may_name_the_value_of_an_enumeration(phases: Phases, high: int) -> None:
    instance = instantiate(Counted, {"phases": phases})
    assert instance.ir.variables[0].type == IntType(0, high)
    assert Counted(phases=phases).done == 0


def test_but_only_if_that_is_an_int() -> None:
    with pytest.raises(SpecErrors, match=r"speed\.value"):
        instantiate(Uncounted)

"""Parameters: what bounds may say with them, and what they have to satisfy."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import pytest

from quorate.language import (
    Map,
    Node,
    Nodes,
    Spec,
    SpecErrors,
    UsageError,
    action,
    assume,
    between,
    each,
    flaw,
    instantiate,
    parameter,
    require,
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


class Reads(Enum):
    NONE = "none"
    LEASE = "lease"


class Leased(Spec):
    """Assumptions over an enumeration, ints, a node set and a flaw."""

    servers: Nodes
    reads: Reads = parameter(Reads.NONE)
    timeout: int = parameter(0)
    checked: bool = parameter(True)
    alone: bool = flaw("one server is enough")
    up: Map[Node, Annotated[int, between(1, "timeout + 1")]] = each(1)

    @assume
    def leases_last(self) -> bool:
        """Leases need a timeout above 0.

        They run out at once otherwise.
        """
        return self.reads is Reads.NONE or self.lasts()

    @assume
    def servers_suffice(self) -> bool:
        """There are two servers at least,
        and the timeout is not negative.
        """
        return (len(self.servers) > 1 or self.alone) and self.timeout >= 0

    def lasts(self) -> bool:
        return self.timeout > 0

    @action
    def stay(self, server: Node) -> None:
        require(self.up[server] < self.timeout)


class Checked(Leased):
    """A layer adds an assumption, and says more in another."""

    @assume
    def leases_last(self) -> bool:
        """Leases need a timeout above 1."""
        return super().leases_last() and (self.reads is Reads.NONE or self.timeout > 1)

    @assume
    def checks(self) -> bool:
        """It checks."""
        return self.checked


TWO = "There are two servers at least, and the timeout is not negative."


@pytest.mark.parametrize(
    ("spec", "given", "complaint"),
    [
        (
            Leased,
            {"servers": 2, "reads": Reads.LEASE},
            "Leased cannot have reads = lease, timeout = 0: Leases need a timeout above 0.",
        ),
        (
            Leased,
            {"servers": 1},
            f"Leased cannot have servers = 1, alone = false: {TWO}",
        ),
        (
            Leased,
            {"servers": 2, "timeout": -1},
            f"Leased cannot have servers = 2, timeout = -1: {TWO}",
        ),
        (
            Checked,
            {"servers": 2, "reads": Reads.LEASE, "timeout": 1},
            "Checked cannot have reads = lease, timeout = 1: Leases need a timeout above 1.",
        ),
        (
            Checked,
            {"servers": 2, "checked": False},
            "Checked cannot have checked = false: It checks.",
        ),
    ],
)
def test_what_is_assumed_is_said_of_the_parameters_that_break_it(
    spec: type[Leased], given: dict[str, Any], complaint: str
) -> None:
    """Also where a bound is empty for the same reason, and of a spec that is stepped by hand."""
    for make in (lambda: instantiate(spec, given), lambda: spec(**given)):
        with pytest.raises(UsageError) as caught:
            make()
        assert str(caught.value) == complaint


def test_an_instance_says_what_its_parameters_satisfy() -> None:
    instance = instantiate(Checked, {"servers": 1}, ("alone",))
    assert [(one.name, one.text) for one in instance.assumptions] == [
        ("leases_last", "Leases need a timeout above 1."),
        ("servers_suffice", TWO),
        ("checks", "It checks."),
    ]
    assert all(one.function(Checked(servers=1, alone=True)) for one in instance.assumptions)
    assert instance.ir == instantiate(Checked, {"servers": 1}, ("alone",)).ir


class Impure(Spec):
    """It reads the state."""

    count: Annotated[int, between(0, 1)] = 0

    @assume
    def starts_at_zero(self) -> bool:
        """The count is 0."""
        return self.count == 0


class SometimesImpure(Impure):
    """It would read the state with other parameters, and through a helper."""

    fast: bool = parameter(True)

    @assume
    def starts_at_zero(self) -> bool:
        """The count is 0, if slow."""
        return self.fast or self.is_zero()

    def is_zero(self) -> bool:
        return self.count == 0


class Silent(Spec):
    """It does not say what is allowed."""

    fast: bool = parameter(True)

    @assume
    def is_fast(self) -> bool:
        return self.fast


class Vague(Spec):
    """It is no condition."""

    size: int = parameter(1)

    @assume
    def has_size(self) -> bool:
        """There is a size."""
        return self.size  # type: ignore[return-value]


class Partial(Spec):
    """It has no value for some parameters."""

    size: int = parameter(0)

    @assume
    def divides(self) -> bool:
        """The size divides 12."""
        return 12 % self.size == 0


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (Impure, "it reads the variable 'count'"),
        (SometimesImpure, "an assumption cannot read the variable 'count'"),
        (Silent, "is_fast() has no docstring"),
        (Vague, "has_size() must return a bool, not 1"),
        (Partial, "divides(): integer modulo by zero"),
    ],
)
def test_an_assumption_is_a_condition_on_parameters(spec: type[Spec], complaint: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        instantiate(spec)
    assert complaint in str(caught.value)
    assert "test_parameters.py:" in str(caught.value)

"""What no engine can hold is refused as an error of the spec, at the line that has to change."""

from __future__ import annotations

from typing import Annotated

import pytest

from quorate.checkers.explorer import explore
from quorate.language import (
    Nodes,
    Set,
    Spec,
    SpecErrors,
    action,
    at_most,
    between,
    empty,
    instantiate,
    invariant,
    record,
    require,
)

Number = Annotated[int, between(0, 999)]


@record
class Reading:
    a: Number
    b: Number
    c: Number


class Unbounded(Spec):
    """A set over a billion possible elements."""

    nodes: Nodes
    seen: Set[Reading] = empty()

    @action
    def see(self, a: Number) -> None:
        self.seen.add(Reading(a, 0, 0))


class Bounded(Spec):
    """The same with room for two of them; one is taken away by a step that runs over the set."""

    nodes: Nodes
    seen: Annotated[Set[Reading], at_most(2)] = empty()

    @action
    def see(self, a: Annotated[int, between(0, 9)]) -> None:
        require(len(self.seen) < 2)
        self.seen.add(Reading(a, 0, 0))

    @action
    def forget(self, reading: Reading) -> None:
        require(reading in self.seen)
        self.seen.remove(reading)


class Unguarded(Spec):
    """A step tries a billion values."""

    nodes: Nodes
    flag: bool = False

    @action
    def see(self, reading: Reading) -> None:
        require(reading.a == reading.b)
        self.flag = True


class Still(Spec):
    """No step at all."""

    nodes: Nodes
    flag: bool = False

    @invariant
    def off(self) -> bool:
        return not self.flag


@pytest.mark.parametrize("spec", [Unbounded, Unguarded])
def test_too_large_is_an_error_of_the_spec(spec: type[Spec]) -> None:
    with pytest.raises(SpecErrors) as caught:
        explore(instantiate(spec, {"nodes": 1}))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code.value == "Q502"
    assert "1,000,000,000" in diagnostic.message


def test_the_line_that_has_to_change_is_named() -> None:
    with pytest.raises(SpecErrors) as caught:
        explore(instantiate(Unbounded, {"nodes": 1}))
    assert "seen: Set[Reading] = empty()" in str(caught.value)


def test_with_a_bound_it_is_explored() -> None:
    result = explore(instantiate(Bounded, {"nodes": 1}))
    # No reading, one of ten, two of ten.
    assert result.distinct_states == 1 + 10 + 45


def test_a_spec_without_steps_has_its_initial_state() -> None:
    result = explore(instantiate(Still, {"nodes": 1}))
    assert (result.distinct_states, result.generated_states, result.coverage) == (1, 1, {})

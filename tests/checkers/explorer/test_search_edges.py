"""Searches at the edges of what the engine's data structures can hold."""

from __future__ import annotations

import importlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Annotated, Any

import pytest

from quorate.checkers.explorer import explore
from quorate.checkers.result import PropertyVerdict, Verdict
from quorate.language import (
    Map,
    Node,
    Nodes,
    OrderedNodes,
    Spec,
    action,
    always_possible,
    between,
    each,
    instantiate,
    invariant,
    require,
)

workers_module = importlib.import_module("quorate.checkers.explorer.workers")


class Lamps(Spec):
    """All are on, and are put out one after the other: the last state is all zeros."""

    lamps: OrderedNodes
    on: Map[Node, bool] = each(True)

    @action
    def put_out(self, lamp: Node) -> None:
        """A lamp goes out, the first that is on."""
        require(self.on[lamp])
        require(all(not self.on[other] for other in self.lamps if other < lamp))
        self.on[lamp] = False

    @invariant
    def light(self) -> bool:
        """One is on at least."""
        return any(self.on[lamp] for lamp in self.lamps)


class Idle(Spec):
    """Most steps change nothing, and there are more of them than a state usually has successors."""

    count: Annotated[int, between(0, 5)] = 0

    @action
    def idle(self, way: Annotated[int, between(1, 3000)]) -> None:
        """Nothing happens, in one of many ways."""
        require(way > 0)

    @action
    def up(self) -> None:
        """Count one."""
        require(self.count < 5)
        self.count += 1

    @invariant
    def below_four(self) -> bool:
        """Four is not reached."""
        return self.count < 4

    @always_possible()
    def five(self) -> bool:
        """Five can be reached."""
        return self.count == 5


class Overflow(Spec):
    """Interchangeable nodes, of which each can leave its bound."""

    peers: Nodes
    count: Map[Node, Annotated[int, between(0, 2)]] = each(0)

    @action
    def up(self, peer: Node) -> None:
        """Count one, with no regard to the bound."""
        self.count[peer] += 1


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("lamps", [30, 64])
def test_the_state_of_zeros_is_found_like_any_other(lamps: int, workers: int) -> None:
    result = explore(instantiate(Lamps, {"lamps": lamps}), workers=workers)
    assert result.verdict is Verdict.VIOLATED
    assert (result.distinct_states, result.depth) == (lamps + 1, lamps + 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_steps_that_change_nothing_need_no_room(workers: int) -> None:
    spec = instantiate(Idle, {})
    result = explore(spec, properties=["below_four"], workers=workers)
    (violation,) = result.violations
    assert violation.trace is not None
    assert [label.action for label in violation.trace.labels] == ["up"] * 4
    result = explore(spec, properties=["five"], workers=workers)
    assert result.properties == {"five": PropertyVerdict.HOLDS}


@pytest.mark.parametrize("symmetry", [False, True])
def test_a_value_outside_its_bound_does_not_look_like_a_lack_of_symmetry(symmetry: bool) -> None:
    result = explore(instantiate(Overflow, {"peers": 3}), symmetry=symmetry)
    assert result.verdict is Verdict.ERROR
    (violation,) = result.violations
    assert violation.trace is not None
    assert len(violation.trace) == 3


def test_nobody_waits_for_a_worker_that_could_not_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Pool(ThreadPoolExecutor):
        """One that takes three tasks: after the third, one worker waits for another."""

        left = 4

        def submit(self, *call: Any, **options: Any) -> Future[Any]:
            self.left -= 1
            if self.left == 0:
                raise RuntimeError("can't start new thread")
            return super().submit(*call, **options)

    monkeypatch.setattr(workers_module, "_threads", Pool)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        explore(instantiate(Lamps, {"lamps": 30}), workers=3)

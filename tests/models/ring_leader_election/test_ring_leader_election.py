"""The ring: its counts by a formula, its steps by hand, and a wrong ring for each property."""

from __future__ import annotations

import itertools
import math

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.language import action, instantiate, require
from quorate.language.failures import Disabled
from quorate.models.ring_leader_election.spec import Message, Process, RingLeaderElection
from quorate.tests.reference_search import reference_search

MODEL = registry.find("ring-leader-election")
COUNTED = [entry for entry in MODEL.instances if entry.distinct is not None]


def states_by_formula(size: int) -> int:
    """The states of a ring, from how far each number can get.

    A number that can be with k processes has been with the first 0, 1, ... or k of them. The
    highest can be with all, and once it is back it may have won or not. One state is before the
    numbers are given.
    """
    total = 1
    for numbers in itertools.permutations(range(size)):
        reach = []
        for place in range(size):
            behind = [numbers[(place + hop) % size] for hop in range(1, size + 1)]
            reach.append(next(k for k, n in enumerate(behind, 1) if n >= numbers[place]))
        ways = [k + 1 for k in reach]
        ways[numbers.index(size - 1)] += 1
        total += math.prod(ways)
    return total


@pytest.mark.parametrize("entry", COUNTED, ids=lambda entry: entry.name)
def test_the_formula_agrees(entry: InstanceEntry) -> None:
    size = entry.parameters["processes"]
    assert size == entry.parameters["numbers"]
    assert isinstance(size, int)
    assert states_by_formula(size) == entry.distinct


@pytest.mark.parametrize("entry", COUNTED[:2], ids=lambda entry: entry.name)
def test_the_reference_search_agrees(entry: InstanceEntry) -> None:
    instance = check.build(MODEL, entry.parameters, ())
    found = reference_search(instance.evaluator(), instance.ir.properties)
    counts = (found.distinct, found.generated, found.depth)
    assert counts == (entry.distinct, entry.generated, entry.depth)
    assert set(found.reached) >= set(entry.witnesses)
    assert not found.violated


@pytest.mark.parametrize("name", ["E01-duplicate-ids", "E02-no-comparison"])
def test_the_reference_search_finds_the_flaw_as_soon(name: str) -> None:
    entry = MODEL.instance(name)
    clean = next(one for one in COUNTED if one.parameters == entry.parameters)
    assert clean.properties is None
    instance = check.build(MODEL, entry.parameters, entry.flaws)
    found = reference_search(instance.evaluator(), instance.ir.properties)
    assert found.violated["UniqueLeader"] == entry.length


def ring(*numbers: int) -> tuple[RingLeaderElection, list[Process]]:
    """A ring of processes with these numbers."""
    spec = RingLeaderElection(processes=len(numbers), numbers=max(numbers) + 1)
    processes = list(spec.processes)
    spec.number_processes(dict(zip(processes, numbers, strict=True)))
    return spec, processes


def test_the_highest_number_comes_back() -> None:
    spec, (a, b, c) = ring(4, 7, 5)
    spec.start_election(b, c)
    spec.pass_on(Message(7, c), a)
    spec.pass_on(Message(7, a), b)
    spec.win(Message(7, b))
    assert spec.leaders == {b}


def test_a_lower_number_goes_no_further_and_an_own_one_is_not_passed_on() -> None:
    spec, (a, b, c) = ring(4, 7, 5)
    spec.start_election(a, b)
    for refused in (spec.pass_on, lambda message, _: spec.win(message)):
        with pytest.raises(Disabled):
            refused(Message(4, b), c)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_each_process_has_one_next_and_the_last_has_the_first(size: int) -> None:
    spec = RingLeaderElection(processes=size, numbers=size)
    order = list(spec.processes)
    pairs = [(p, q) for p in order for q in order if spec.is_next(p, q)]
    assert pairs == [(p, order[(place + 1) % size]) for place, p in enumerate(order)]


class Hasty(RingLeaderElection):
    """Processes begin before they are numbered."""

    @action
    def start_election(self, process: Process, successor: Process) -> None:
        """Send what is there."""
        require(self.is_next(process, successor))
        self.messages.add(Message(self.number[process], successor))


class Alone(RingLeaderElection):
    """Only one process may begin, whatever its number."""

    @action
    def start_election(self, process: Process, successor: Process) -> None:
        """Send if nobody has."""
        require(len(self.messages) == 0)
        super().start_election(process, successor)


WRONG: list[tuple[type[RingLeaderElection], tuple[str, ...], set[str]]] = [
    (Hasty, (), {"numbered-first"}),
    (Alone, (), {"can-elect"}),
    (RingLeaderElection, ("duplicate_ids",), {"UniqueLeader", "NumbersDiffer"}),
    (
        RingLeaderElection,
        ("no_comparison",),
        {"UniqueLeader", "LeaderIsHighest", "highest-comes-back", "passed-are-lower"},
    ),
]


@pytest.mark.parametrize(("wrong", "flaws", "broken"), WRONG)
def test_a_wrong_ring_breaks_the_property(
    wrong: type[RingLeaderElection], flaws: tuple[str, ...], broken: set[str]
) -> None:
    parameters = {"processes": 3, "numbers": 3, **dict.fromkeys(flaws, True)}
    instance = instantiate(wrong, parameters, properties=MODEL.outside)
    for name in sorted(broken):
        result = explore(instance, properties=[name])
        assert [violation.property for violation in result.violations] == [name]


def test_every_property_is_broken_by_something() -> None:
    stated = {name for name, info in MODEL.properties.items() if info.kind != "sometimes"}
    assert stated == {name for _, _, names in WRONG for name in names}

"""The Paxos cores and their specs, in both directions, on every edge of small state graphs.

From the spec: the cores take each of its steps, with the same result. From the cores: a step that
the spec does not allow is refused, changes nothing, or is another step of the spec.
"""

from __future__ import annotations

import pytest

from quorate.cli import check, registry, replay
from quorate.cli.corpus import CORPUS
from quorate.language.labels import Label
from quorate.language.values import State
from quorate.traces import Coverage, Outcome, Setting, check_adapter, cover
from quorate.traces.continuation import goes_on
from quorate.traces.replay import follow

SYSTEM, MULTI = registry.find("paxos-system"), registry.find("multi-paxos")
PAIRS = {SYSTEM.name: (SYSTEM, "paxos"), MULTI.name: (MULTI, "multi-paxos")}


def covered(
    name: str, parameters: dict[str, Setting], flaws: tuple[str, ...] = (), *, beyond: bool
) -> Coverage:
    """The cores with some flaws, on the graph of the correct spec."""
    model, implementation = PAIRS[name]
    instance = check.build(model, parameters, ())
    return cover(
        model.adapter(implementation),
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        beyond=beyond,
    )


def system(proposers: int, acceptors: int, values: int, ballots: int) -> dict[str, Setting]:
    nodes = {"proposers": proposers, "acceptors": acceptors, "learners": 1, "values": values}
    return {**nodes, "ballots": ballots, "max_crashes": 0}


CRASH: dict[str, Setting] = {"max_crashes": 1, "proposers_crash": True}

# States and edges are those of the explorer, without symmetry; it counts an initial state more.
SMALL: list[tuple[dict[str, Setting], bool, tuple[int, int]]] = [
    ({**system(1, 1, 1, 1), **CRASH, "lossy": True, "promises_again": True}, False, (217, 931)),
    ({**system(1, 1, 1, 2), **CRASH, "duplicating": True}, True, (173, 826)),
    ({**system(2, 1, 1, 2), "duplicating": True}, True, (117, 618)),
    ({**system(2, 2, 2, 1), "duplicating": True}, True, (69, 372)),
]


@pytest.mark.parametrize(("parameters", "beyond", "size"), SMALL)
def test_the_cores_do_what_the_system_spec_allows_and_nothing_else(
    parameters: dict[str, Setting], beyond: bool, size: tuple[int, int]
) -> None:
    found = covered("paxos-system", parameters, beyond=beyond)
    assert not found.apart
    assert not found.beyond
    assert (found.reached, found.driven) == (found.states, found.edges) == size
    assert (found.attempts > 0) == beyond


def log(acceptors: int, ballots: int, slots: int) -> dict[str, Setting]:
    nodes = {"acceptors": acceptors, "replicas": 1, "commands": 1}
    return {**nodes, "ballots": ballots, "slots": slots}


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        (log(3, ballots=1, slots=2), (509, 1572)),  # the manifest's `one-ballot`
        (log(2, ballots=2, slots=2), (886, 2157)),  # votes to propose again, gaps to fill
        # Majorities that report different things; unasked, random runs have them.
        pytest.param(log(3, ballots=2, slots=1), (3057, 8356), marks=pytest.mark.slow),
    ],
)
def test_replicas_take_every_step(parameters: dict[str, Setting], size: tuple[int, int]) -> None:
    found = covered("multi-paxos", parameters, beyond=False)
    assert found.complete
    assert (found.states, found.driven) == size


def test_replicas_do_what_the_spec_allows_and_repeat_promises() -> None:
    found = covered("multi-paxos", log(1, ballots=2, slots=2), beyond=True)
    assert not found.apart
    assert (found.driven, found.states) == (315, 156)
    # A candidate that misses a promise asks again, and is answered again; the spec has no second
    # request. Its leader leads by then, and needs no promise, or is not the one that is promised.
    assert found.beyond
    assert all(repeats_a_promise(edge.label, edge.source) for edge in found.beyond)


def repeats_a_promise(label: Label, state: State) -> bool:
    given = dict(label.parameters)
    max_bal = state[0]
    return label.action == "phase_1b" and max_bal[given["acceptor"]] == given["prepare"].ballot


def test_an_acceptor_that_does_not_check_parts_from_the_graph() -> None:
    parameters = {**system(1, 1, 1, 2), "duplicating": True}
    found = covered("paxos-system", parameters, ("accept_without_check",), beyond=False)
    assert 0 < found.driven < found.edges
    assert {edge.label.action for edge in found.apart} == {"receive_accept"}
    assert any("max_bal[acceptor1]" in why for why in found.apart.values())
    assert not found.complete


def test_a_replica_that_skips_gaps_goes_beyond_the_graph() -> None:
    parameters = log(1, ballots=1, slots=2)
    assert covered("multi-paxos", parameters, beyond=False).complete
    found = covered("multi-paxos", parameters, ("multi_gap_skip",), beyond=True)
    assert any("changes last_slot[replica1], executed" in why for why in found.beyond.values())


BAD: dict[str, Setting] = {
    **system(2, 3, 2, 3),
    "learners": 2,
    "proposers_crash": True,
    "lossy": True,
    "duplicating": True,
    "promises_again": True,
}
LOG: dict[str, Setting] = {**log(3, ballots=2, slots=2), "replicas": 2, "commands": 2}
RUNS: list[tuple[str, dict[str, Setting], tuple[str, ...]]] = [
    (SYSTEM.name, {**BAD, "max_crashes": 2}, ()),
    *((SYSTEM.name, {**BAD, "max_crashes": 1}, (flaw,)) for flaw in SYSTEM.flaws),
    (MULTI.name, LOG, ()),
    *((MULTI.name, LOG, (flaw,)) for flaw in MULTI.flaws),
]


@pytest.mark.parametrize(("name", "parameters", "flaws"), RUNS)
def test_random_runs_agree_flaw_by_flaw(
    name: str, parameters: dict[str, Setting], flaws: tuple[str, ...]
) -> None:
    model, implementation = PAIRS[name]
    instance = check.build(model, parameters, flaws)
    found = check_adapter(
        model.adapter(implementation),
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        walks=4,
        steps=25,
    )
    assert found is None, found


STUCK = [
    ("paxos-system/P08-accept-gt", "receive_accept"),
    ("paxos-system/P20-lossy-phase1-no-retry", "time_out"),
]


@pytest.mark.parametrize(("name", "action"), STUCK)
def test_where_a_flaw_stops_all_progress_correct_code_goes_on(name: str, action: str) -> None:
    loaded = replay.load(CORPUS / f"{name}.itf.json")
    trace, implementation = loaded.trace, PAIRS[loaded.model.name][1]
    assert replay.run(loaded, implementation).outcome is Outcome.REPRODUCED
    result = replay.run(loaded, f"{implementation}{replay.CORRECT}")
    assert result.outcome is Outcome.NOT_REPRODUCED
    assert f"{action}(" in result.reason

    assert goes_on(trace, loaded.instance.evaluator(), loaded.instance.ir) is None
    correct = check.build(loaded.model, trace.meta.parameters, ())
    longer = goes_on(trace, correct.evaluator(), correct.ir)
    assert longer is not None
    adapter = loaded.model.adapter(implementation)
    flawed = follow(longer, adapter, ir=correct.ir, flaws=trace.meta.flaws)
    assert flawed.step > len(trace.labels)
    assert flawed.label is not None
    assert flawed.label.action == action

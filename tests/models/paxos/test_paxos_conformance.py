"""The Paxos cores and their specs, in both directions, on every edge of small state graphs.

From the spec: the cores take each of its steps, with the same result. From the cores: a step that
the spec does not allow is refused, changes nothing, or is another step of the spec.
"""

from __future__ import annotations

import pytest

from quorate.cli import check, registry, replay
from quorate.cli.corpus import CORPUS
from quorate.language.labels import Label, Trap
from quorate.language.values import State
from quorate.traces import Coverage, Outcome, Setting, check_adapter, cover
from quorate.traces.compare import state_differences
from quorate.traces.continuation import goes_on
from quorate.traces.replay import follow
from quorate.traces.show import step_text

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


def test_replicas_take_every_step_of_a_ballot() -> None:
    parameters: dict[str, Setting] = {
        "acceptors": 3,
        "replicas": 1,
        "commands": 1,
        "ballots": 1,
        "slots": 2,
    }
    found = covered("multi-paxos", parameters, beyond=False)
    assert found.complete
    assert (found.driven, found.states) == (1589, 505)


def test_replicas_do_what_the_spec_allows_and_repeat_promises() -> None:
    parameters: dict[str, Setting] = {
        "acceptors": 1,
        "replicas": 1,
        "commands": 1,
        "ballots": 2,
        "slots": 2,
    }
    found = covered("multi-paxos", parameters, beyond=True)
    assert not found.apart
    assert (found.driven, found.states) == (318, 155)
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
    nodes = {"acceptors": 1, "replicas": 1, "commands": 1}
    parameters: dict[str, Setting] = {**nodes, "ballots": 1, "slots": 2}
    assert covered("multi-paxos", parameters, beyond=False).complete
    found = covered("multi-paxos", parameters, ("gap_skip",), beyond=True)
    assert any("changes next_slot[replica1], executed" in why for why in found.beyond.values())


def test_a_leader_goes_by_one_majority_where_the_spec_may_use_several() -> None:
    instance = check.build(MULTI, LOG, ())
    semantics = instance.evaluator()
    (state,) = semantics.initial_states()
    session = MULTI.adapter("multi-paxos").start(LOG, ())
    vote = "phase_2b(acceptor{}, Accept(ballot=0, slot={}, entry=Entry(command=command1)))"
    for step in (
        "phase_1a(0)",
        *(f"phase_1b(acceptor{n}, Prepare(ballot=0))" for n in (1, 2)),
        *(f"propose(0, {slot}, {{acceptor1, acceptor2}}, command1)" for slot in (0, 1)),
        *(vote.format(*one) for one in ((1, 1), (2, 0))),
        "phase_1a(1)",
        *(f"phase_1b(acceptor{n}, Prepare(ballot=1))" for n in (1, 2, 3)),
        "repropose(1, 1, {acceptor1, acceptor3})",
        "repropose(1, 0, {acceptor2, acceptor3})",
    ):
        assert not isinstance(state, Trap)
        taken = next(one for one in semantics.successors(state) if step_text(one.label) == step)
        session.apply(taken.label, {}, {})
        state = taken.target
    assert not isinstance(state, Trap)
    names = tuple(variable.name for variable in instance.ir.variables)
    (found,) = state_differences(dict(zip(names, state, strict=True)), session.project())
    # By {acceptor1, acceptor3} slot 0 is a gap, which the leader has filled.
    assert found.right == ("Accept(ballot=1, slot=0, entry=Entry(command=None))",)


BAD: dict[str, Setting] = {
    **system(2, 3, 2, 3),
    "learners": 2,
    "proposers_crash": True,
    "lossy": True,
    "duplicating": True,
    "promises_again": True,
}
LOG: dict[str, Setting] = {
    "acceptors": 3,
    "replicas": 2,
    "commands": 2,
    "ballots": 2,
    "slots": 2,
}
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
    ("paxos-system/P20-no-retry", "time_out"),
    ("multi-paxos/P19-gap-never-filled", "fill_gap"),
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

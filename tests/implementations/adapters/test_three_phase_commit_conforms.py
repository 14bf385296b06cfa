"""The core takes every step of the spec and is in the spec's state after it; not only on traces."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from quorate.implementations.adapters.three_phase_commit import adapter
from quorate.implementations.adapters.three_phase_commit_quorum import adapter as quorum_adapter
from quorate.language import Instance, instantiate
from quorate.language.labels import Trap
from quorate.language.values import State
from quorate.models.three_phase_commit_quorum.spec import QuorumThreePhaseCommit
from quorate.models.three_phase_commit_system.spec import ThreePhaseCommitSystem
from quorate.traces.adapter import Adapter

FLAWS = (
    "backup_skips_phase1",
    "uncertain_means_commit",
    "recover_p_commits",
    "recover_aborts",
    "mixed_means_abort",
)


def compare(instance: Instance, session: Any, state: State, path: list[str]) -> None:
    names = [variable.name for variable in instance.ir.variables]
    assert session.project() == dict(zip(names, state, strict=True)), "\n".join(path)


@pytest.mark.parametrize(
    ("instance", "adapter", "size"),
    [
        (
            instantiate(ThreePhaseCommitSystem, {"participants": 1, "max_crashes": 2}),
            adapter,
            (436, 1135),
        ),
        (
            instantiate(
                QuorumThreePhaseCommit,
                {"sites": 2, "max_regroupings": 1, "max_crashes": 0, "capacity": 4},
            ),
            quorum_adapter,
            (128, 166),
        ),
    ],
)
def test_every_step_of_a_small_instance_is_taken_by_the_core(
    instance: Instance, adapter: Adapter, size: tuple[int, int]
) -> None:
    semantics = instance.evaluator()
    (initial,) = semantics.initial_states()
    assert not isinstance(initial, Trap)
    frontier: list[tuple[State, Any, list[str]]] = [
        (initial, adapter.start(instance.parameters, ()), [])
    ]
    seen = {initial}
    steps = 0
    while frontier:
        state, session, path = frontier.pop()
        for transition in semantics.successors(state):
            assert not isinstance(transition.target, Trap)
            steps += 1
            copied = copy.deepcopy(session)
            taken = [*path, str(transition.label)]
            copied.apply(transition.label, {}, {})
            compare(instance, copied, transition.target, taken)
            if transition.target not in seen:
                seen.add(transition.target)
                frontier.append((transition.target, copied, taken))
    assert (len(seen), steps) == size


@pytest.mark.parametrize(
    ("participants", "failing", "flaws"),
    [
        (2, {}, ()),
        (2, {"partitions": True}, ()),
        (2, {"lossy": True, "duplicating": True}, ()),
        *((2, {}, (flaw,)) for flaw in FLAWS),
        (3, {}, ()),
        (3, {"partitions": True, "duplicating": True}, FLAWS),
    ],
)
def test_random_runs_of_larger_instances_agree(
    participants: int, failing: dict[str, bool], flaws: tuple[str, ...]
) -> None:
    parameters = {"participants": participants, "max_crashes": 4, **failing}
    walk(instantiate(ThreePhaseCommitSystem, parameters, flaws), adapter, flaws)


@pytest.mark.parametrize("flaws", [(), ("quorum3pc_lost_quorum_blocks",)])
def test_random_runs_of_quorum_commit_agree(flaws: tuple[str, ...]) -> None:
    parameters = {"sites": 3, "max_regroupings": 4, "max_crashes": 2, "capacity": 4}
    walk(instantiate(QuorumThreePhaseCommit, parameters, flaws), quorum_adapter, flaws)


def walk(instance: Instance, adapter: Adapter, flaws: tuple[str, ...]) -> None:
    """Random runs of the spec, with the core beside it."""
    randomness = random.Random(3)
    semantics = instance.evaluator()
    for _ in range(3):
        session = adapter.start(instance.parameters, flaws)
        (state,) = semantics.initial_states()
        path: list[str] = []
        for _ in range(60):
            assert not isinstance(state, Trap)
            compare(instance, session, state, path)
            transitions = semantics.successors(state)
            if not transitions:
                break
            transition = randomness.choice(transitions)
            path.append(str(transition.label))
            session.apply(transition.label, {}, {})
            state = transition.target

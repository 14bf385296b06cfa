"""The core takes every step of the spec and is in the spec's state after it; not only on traces."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from quorate.implementations.adapters.three_phase_commit import adapter
from quorate.language import Instance, instantiate
from quorate.language.labels import Trap
from quorate.language.values import State
from quorate.models.three_phase_commit_system.spec import ThreePhaseCommitSystem

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


def test_every_step_of_a_small_instance_is_taken_by_the_core() -> None:
    instance = instantiate(ThreePhaseCommitSystem, {"participants": 1, "max_crashes": 2})
    semantics = instance.evaluator()
    (initial,) = semantics.initial_states()
    assert not isinstance(initial, Trap)
    frontier: list[tuple[State, Any, list[str]]] = [
        (initial, adapter.start({"participants": 1}, ()), [])
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
    assert (len(seen), steps) == (436, 1135)


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
    randomness = random.Random(participants)
    parameters = {"participants": participants, "max_crashes": 4, **failing}
    instance = instantiate(ThreePhaseCommitSystem, parameters, flaws)
    semantics = instance.evaluator()
    for _ in range(3):
        session = adapter.start(parameters, flaws)
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

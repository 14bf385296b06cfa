"""Acceptors that lose their disks: the spec and the replicas, as they are and with the flaw."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.traces import Setting, check_adapter, cover

MODEL = registry.find("multi-paxos-disk-loss")
FLAW = "mark_nonvoting_rejoin"
SMALL: dict[str, Setting] = {
    "acceptors": 2,
    "replicas": 1,
    "commands": 1,
    "ballots": 2,
    "slots": 1,
    "max_losses": 1,
}


@pytest.mark.parametrize(
    ("flaws", "parameters", "size"),
    [
        ((), SMALL, (381, 709)),
        ((FLAW,), {**SMALL, "acceptors": 3, "ballots": 1}, (282, 598)),
    ],
)
def test_replicas_that_lose_disks_take_every_step(
    flaws: tuple[str, ...], parameters: dict[str, Setting], size: tuple[int, int]
) -> None:
    instance = check.build(MODEL, parameters, flaws)
    adapter = MODEL.adapter("multi-paxos")
    found = cover(adapter, instance.evaluator(), ir=instance.ir, parameters=parameters, flaws=flaws)
    assert not found.apart
    assert found.complete
    assert (found.states, found.driven) == size


@pytest.mark.parametrize("flaws", [(), (FLAW,)])
def test_random_runs_agree(flaws: tuple[str, ...]) -> None:
    parameters = {**SMALL, "acceptors": 3, "commands": 2, "slots": 2, "max_losses": 2}
    instance = check.build(MODEL, parameters, flaws)
    found = check_adapter(
        MODEL.adapter("multi-paxos"),
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        walks=8,
        steps=30,
    )
    assert found is None, found

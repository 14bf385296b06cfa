"""The explorer on Paxos and on Raft, each at three sizes, against two-phase commit in one run.

    python -m quorate.benchmarks.consensus [--rounds N]

Runs take turns, so that what else the machine does falls on all alike; the best of each counts.
The figures do not depend on the machine as much as the ratio of the last column: states per second
of one worker, over those of one worker on two-phase commit with nine resource managers.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..checkers.result import CheckResult
from ..language import Instance, Spec, instantiate
from ..models.paxos.spec import Paxos
from ..models.raft_core.spec import RaftCore, Variant
from ..models.two_phase_commit.spec import TwoPhaseCommit
from .measure import Known, explored, prepare

WORKERS = (1, 2)
STANDARD = "two-phase-commit rms=9"


@dataclass
class Case:
    """An instance, what its search has to come to, and the best search so far by workers."""

    name: str
    instance: Instance
    known: Known
    best: dict[int, CheckResult] = field(default_factory=dict)

    def run(self, workers: int) -> None:
        """Search once more."""
        result = explored(self.instance, self.known, [], workers)
        before = self.best.get(workers)
        if before is None or result.seconds < before.seconds:
            self.best[workers] = result

    def rate(self, workers: int) -> float:
        """Distinct states per second of the best search."""
        return self.known.distinct / self.best[workers].seconds


def cases() -> list[Case]:
    """All that is measured. Known figures: TLC's for raft-core, an independent search's for
    two-phase commit; Paxos is beyond both, its figures are those of other layouts and workers.
    """
    raft: dict[str, Any] = {"servers": 3, "values": 1, "max_term": 2}
    raft |= {"max_messages": 1, "max_copies": 1}
    return [
        _case(STANDARD, TwoPhaseCommit, {"rms": 9}, Known(10_340_352, 123_558_402, 29)),
        _paxos(1, 3, Known(68_921, 497_494, 25)),
        _paxos(2, 3, Known(185_369, 1_361_380, 25)),
        _paxos(2, 4, Known(8_220_065, 70_696_917, 33)),
        _raft("proto", raft | {"max_log": 0}, Known(61_805, 528_679, 40)),
        _raft("proto", raft | {"max_log": 1}, Known(341_387, 2_690_854, 48)),
        _raft("full", raft | {"max_log": 0}, Known(617_361, 7_680_091, 39)),
    ]


def _paxos(values: int, ballots: int, known: Known) -> Case:
    parameters = {"acceptors": 3, "values": values, "ballots": ballots}
    return _case(
        f"paxos, 3 acceptors, values={values}, ballots={ballots}", Paxos, parameters, known
    )


def _raft(variant: str, parameters: Mapping[str, Any], known: Known) -> Case:
    name = f"raft-core {variant}, 3 servers, max_log={parameters['max_log']}"
    return _case(name, RaftCore, {**parameters, "variant": Variant(variant)}, known)


def _case(name: str, spec: type[Spec], parameters: Mapping[str, Any], known: Known) -> Case:
    return Case(name, instantiate(spec, parameters), known)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    measured = cases()
    for case in measured:
        prepare(case.instance, [])
    for _ in range(rounds):
        for case in measured:
            for workers in WORKERS:
                case.run(workers)
    show(measured)


def show(measured: Sequence[Case]) -> None:
    """Print the table."""
    standard = next(case for case in measured if case.name == STANDARD)
    print(f"{'':40}{'distinct':>12}{'generated':>13}{'M states/s':>12}{'M steps/s':>11}", end="")
    print(f"{'bytes':>7}{'two':>6}{'ratio':>7}")
    for case in measured:
        one = case.best[1]
        steps = case.known.generated / one.seconds
        print(f"{case.name:40}{case.known.distinct:>12,}{case.known.generated:>13,}", end="")
        print(f"{case.rate(1) / 1e6:>12.2f}{steps / 1e6:>11.1f}", end="")
        print(f"{one.engine_bytes / case.known.distinct:>7.0f}", end="")
        print(f"{case.rate(2) / case.rate(1):>6.2f}{case.rate(1) / standard.rate(1):>7.2f}")
    print("\ntwo: speed of two workers over one. ratio: states per second over the first line's.")


if __name__ == "__main__":
    main()

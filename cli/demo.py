"""What `make demo` shows: protocols that hold, a flaw that is found, and its replay on the code.

`python -m quorate.cli.demo [DIR]` writes the trace to DIR, out/demo if none is named.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ..checkers.explorer.machine import load_kernels
from . import replay
from .check import Report, run
from .engines import Limits
from .expectations import surprises
from .present import present
from .registry import Model, find
from .settings import settle
from .status import Status, outcome, quit_with

HOLD = (
    "two-phase-commit",
    "three-phase-commit-system",
    "paxos",
    "multi-paxos",
    "raft",
    "raft-membership",
)
"""Models to check as they are, that is their first instances."""
FLAWED = ("raft", "R04-vote-not-recorded")
"""A model and its instance with a flaw: a short counterexample that an implementation has too."""


def demo(folder: Path) -> Status:
    """Run the demonstration; VIOLATED if anything is not as its manifest says."""
    load_kernels(wide=False)  # compiled on first use, which is nobody's fault below
    _say(f"{len(HOLD)} protocols, every reachable state of an instance of each:\n")
    started = time.perf_counter()
    unexpected = sum(not _holds(find(name), folder) for name in HOLD)
    _say(f"\n{time.perf_counter() - started:.1f} s, {unexpected} not as expected\n")
    return max(Status.VIOLATED if unexpected else Status.HOLDS, _flaw(*FLAWED, folder))


def _holds(model: Model, folder: Path) -> bool:
    """Check a model as it is and say so in a line; whether it is as expected."""
    report = _checked(model, None, folder)
    result, instance = report.result, report.settings.entry
    unexpected = surprises(instance, result) if instance else []
    name = instance.name if instance else ""
    figures = f"{result.distinct_states or 0:>7,} states {result.seconds:6.2f} s"
    _say(f"  {model.name:<26} {name:<18} {figures}  {result.verdict.value}")
    for surprise in unexpected:
        _say(f"      NOT AS EXPECTED: {surprise}")
    return not unexpected


def _flaw(name: str, instance: str, folder: Path) -> Status:
    """Find a flaw, replay what was found on the code with the flaw, and on the code without."""
    model = find(name)
    flaws = model.instance(instance).flaws
    _say(f"{name} with a flaw switched on, {', '.join(model.flaws[flaw] for flaw in flaws)}:\n")
    report = _checked(model, instance, folder)
    present(report, sys.stdout)
    entry = report.settings.entry
    if entry is None or entry.implementation is None or surprises(entry, report.result):
        return Status.VIOLATED
    (path,) = report.saved.values()
    _say("\nThe counterexample on the spec, then on the code with the same flaw:\n")
    flawed = replay.replay_all([path], against=entry.implementation, json=None)
    _say("\nand on the code as it should be, which takes another step:\n")
    correct = replay.replay_all(
        [path], against=f"{entry.implementation}{replay.CORRECT}", json=None
    )
    _where(report, path, entry.implementation)
    as_it_should = flawed is Status.HOLDS and correct is Status.VIOLATED
    return Status.HOLDS if as_it_should else Status.VIOLATED


def _checked(model: Model, instance: str | None, folder: Path) -> Report:
    settings = settle(model, instance=instance)
    return run(model, settings, limits=Limits(), trace_dir=folder, quiet=True)


def _where(report: Report, path: Path, implementation: str) -> None:
    program = os.path.relpath(Path(sys.executable).parent / "quorate")
    model = report.model
    _say("\nBy hand")
    _say(f"  {program} list                 # all models; `list {model.name}` shows one")
    _say(f"  {program} check {model.name}")
    _say(f"  {program}{report.command.removeprefix('quorate')} --trace-dir {path.parent}")
    _say(f"  {program} replay {path} --against {implementation}")
    if model.manifest is not None:
        folder = os.path.relpath(model.manifest.path.parent)
        _say(f"The spec is {folder}/spec.py, {folder}/README.md says what it is after.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    quit_with(outcome(lambda: demo(Path(*sys.argv[1:2] or ("out/demo",)))))

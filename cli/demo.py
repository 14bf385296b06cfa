"""What `make demo` shows: the fast instances, one counterexample, its replay on the code.

`python -m quorate.cli.demo DIR` writes the traces to DIR.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from ..checkers.explorer.machine import load_kernels
from ..traces.trace import Outcome
from . import replay
from .check import Limits, Report, run
from .expectations import surprises
from .manifest import InstanceEntry
from .present import present
from .registry import Model, from_manifest, manifests
from .settings import settle
from .status import Status, outcome, quit_with


def demo(folder: Path) -> Status:
    """Run the demonstration; VIOLATED if anything is not as its manifest says."""
    started = time.perf_counter()
    _say(f"Checking the fast instances of every model (traces go to {folder}/)\n")
    instances = list(fast_instances())
    width = max((len(entry.name) for _, entry in instances), default=0)
    checked = []
    for one in _checked(instances, folder):
        checked.append(one)
        _say("\n".join([f"  {one.model:<28} {one.instance:<{width}} {one.line}", *one.surprises]))
    seconds = time.perf_counter() - started
    unexpected = sum(bool(one.surprises) for one in checked)
    _say(f"\n{len(checked)} instances in {seconds:.1f} s, {unexpected} not as expected\n")
    status = Status.VIOLATED if unexpected else Status.HOLDS
    # The shortest flawed run is the one to learn from, if it has some steps to show.
    flawed = [one for one in checked if one.length >= _WORTH_SHOWING]
    if not flawed:
        return status
    least = min(flawed, key=lambda one: one.length)
    shown = _report(least.model, least.instance, folder)
    _say("One of the counterexamples:\n")
    present(shown, sys.stdout)
    path, name = next(iter(shown.saved.values())), _implementation(shown.settings.entry)
    _say(f"\nReplaying it: first on the spec, then on the implementation {name!r} with the flaw,")
    _say("then on the implementation as it should be\n")
    status = max(status, replay.replay_all([path], against=name, json=None))
    replay.replay_all([path], against=f"{name}{replay.CORRECT}", json=None)
    _files(folder, shown)
    return status


def fast_instances() -> Iterator[tuple[Model, InstanceEntry]]:
    """The instances of the suite's manifests that take moments."""
    for manifest in manifests().values():
        model = from_manifest(manifest)
        for entry in manifest.instances:
            if entry.fast:
                yield model, entry


_WORTH_SHOWING = 5  # states


@dataclass(frozen=True)
class _Checked:
    """What came of an instance. `length`: states of the counterexample of a flaw that can be
    replayed on an implementation, else 0.
    """

    model: str
    instance: str
    line: str
    surprises: tuple[str, ...]
    length: int


def _checked(instances: Sequence[tuple[Model, InstanceEntry]], folder: Path) -> Iterator[_Checked]:
    """Check instances, as many at once as there are cores; results in the order of instances."""
    # The kernels are made once, before several processes would each make them.
    for wide in (False, True):
        load_kernels(wide)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_check, m.name, entry.name, folder) for m, entry in instances]
        try:
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _report(model: str, instance: str, folder: Path) -> Report:
    found = from_manifest(manifests()[model])
    settings = settle(found, instance=instance)
    return run(found, settings, limits=Limits(), trace_dir=folder, quiet=True)


def _check(model: str, instance: str, folder: Path) -> _Checked:
    report = _report(model, instance, folder)
    entry, result = report.settings.entry, report.result
    assert entry is not None
    found = surprises(entry, result)
    mark = "NOT AS EXPECTED" if found else "as expected"
    what = "" if entry.violates is None else f" {entry.violates}"
    line = f"{result.distinct_states:>9,} states {result.seconds:6.2f} s  {mark}: "
    lengths = [len(v.trace) for v in result.violations if v.trace is not None]
    replayed = report.saved and _implementation(entry)
    return _Checked(
        model,
        instance,
        f"{line}{result.verdict.value}{what}",
        tuple(f"      {surprise}" for surprise in found),
        min(lengths) if replayed else 0,
    )


def _implementation(entry: InstanceEntry | None) -> str | None:
    """The implementation on which a flaw that an instance switches on is to be reproduced."""
    if entry is None or not entry.flaws or entry.replay != Outcome.REPRODUCED.value:
        return None
    return entry.implementation


def _files(folder: Path, shown: Report) -> None:
    _say("\nWhere things are")
    _say(f"  traces            {folder}/*.itf.json")
    if shown.model.manifest is not None:
        _say(f"  the spec          {os.path.relpath(shown.model.manifest.path.parent)}")
    _say(f"  the same by hand  .venv/bin/{shown.command}")
    _say("  what else there is: .venv/bin/quorate list")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    quit_with(outcome(lambda: demo(Path(sys.argv[1]))))

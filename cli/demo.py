"""What `make demo` shows: the fast instances, one counterexample, its replay on the code.

`python -m quorate.cli.demo DIR` writes the traces to DIR.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

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
    reports, unexpected = [], 0
    instances = list(fast_instances())
    width = max((len(entry.name) for _, entry in instances), default=0)
    for model, entry in instances:
        settings = settle(model, instance=entry.name)
        report = run(model, settings, limits=Limits(), trace_dir=folder, quiet=False)
        reports.append(report)
        unexpected += _line(report, entry, width)
    seconds = time.perf_counter() - started
    _say(f"\n{len(reports)} instances in {seconds:.1f} s, {unexpected} not as expected\n")
    status = Status.VIOLATED if unexpected else Status.HOLDS
    # The shortest flawed run is the one to learn from.
    flawed = [r for r in reports if r.saved and r.settings.flaws and _implementation(r)]
    shown = min(flawed, key=_length, default=None)
    if shown is None:
        return status
    _say("One of the counterexamples:\n")
    present(shown, sys.stdout)
    path, name = next(iter(shown.saved.values())), _implementation(shown)
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


def _line(report: Report, entry: InstanceEntry, width: int) -> bool:
    """Print a line about an instance; whether it is not as expected."""
    result = report.result
    what = entry.violates or "holds"
    found = surprises(entry, result)
    mark = "NOT AS EXPECTED" if found else "as expected"
    _say(
        f"  {report.model.name:<28} {entry.name:<{width}} {result.distinct_states:>9,} states "
        f"{result.seconds:6.2f} s  {mark}: {result.verdict.value}"
        + ("" if what == "holds" else f" {what}")
    )
    for surprise in found:
        _say(f"      {surprise}")
    return bool(found)


def _length(report: Report) -> int:
    """The states of a report's shortest counterexample."""
    return min(len(v.trace) for v in report.result.violations if v.trace is not None)


def _implementation(report: Report) -> str | None:
    """The implementation on which a flaw that an instance switches on is to be reproduced."""
    entry = report.settings.entry
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

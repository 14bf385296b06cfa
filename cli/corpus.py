"""The corpus: every counterexample that the manifests expect, kept as a file and replayed for ever.

`python -m quorate.cli.corpus [MODEL...]` records it anew under `traces/corpus/`, all of it or some
models: a trace for each instance that is expected to be violated, named `MODEL/INSTANCE.itf.json`.
Traces of instances that are no longer there are removed. Instances that are not fast are recorded
too.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..language.failures import UsageError
from ..traces import itf
from ..traces.trace import Outcome, Trace
from .check import run
from .engines import Limits
from .expectations import surprises
from .manifest import InstanceEntry
from .registry import Model, from_manifest, manifests
from .settings import settle
from .status import Status, outcome, quit_with

CORPUS = Path(__file__).resolve().parent.parent / "traces" / "corpus"


def expected_traces() -> Iterator[tuple[Model, InstanceEntry, Path]]:
    """The instances whose counterexamples are kept, with the file of each."""
    for manifest in manifests().values():
        model = from_manifest(manifest)
        for entry in manifest.instances:
            if entry.expected != "holds":
                yield model, entry, Path(manifest.name) / f"{entry.name}.itf.json"


def record(folder: Path, models: Sequence[str] = ()) -> Status:
    """Record the counterexamples of some models, or of all; VIOLATED where one is not as its
    manifest says.
    """
    status = Status.HOLDS
    wanted = set()
    chosen = set(models or manifests())
    if unknown := chosen - set(manifests()):
        raise UsageError(f"no model {min(unknown)!r}; there are {', '.join(sorted(manifests()))}")
    for model, entry, name in expected_traces():
        if model.name not in chosen:
            continue
        wanted.add(folder / name)
        settings = settle(model, instance=entry.name)
        scratch = folder / ".recording"
        report = run(model, settings, limits=Limits(), trace_dir=scratch, quiet=True)
        problems = surprises(entry, report.result)
        found = [v.trace for v in report.result.violations if v.property == entry.violates]
        for path in report.saved.values():
            path.unlink(missing_ok=True)
        scratch.rmdir()
        if problems or not found or found[0] is None:
            status = Status.VIOLATED
            _say(f"{name}: not recorded: {'; '.join(problems) or 'no counterexample'}")
            continue
        kept = _kept(found[0], entry, report.result.distinct_states)
        itf.write(kept, folder / name, report.instance.ir, report.instance.universe)
        _say(f"{name}: {entry.violates} in {len(found[0])} states")
    for path in sorted(folder.rglob("*.itf.json")):
        if path not in wanted and path.parent.name in chosen:
            path.unlink()
            _say(f"{path.relative_to(folder)}: removed, no instance expects it")
    return status


def _kept(trace: Trace, entry: InstanceEntry, explored: int | None) -> Trace:
    """The trace with what it took, and what a replay on the implementation must come to."""
    outcome = trace.meta.outcome if entry.replay is None else Outcome(entry.replay)
    meta = dataclasses.replace(trace.meta, outcome=outcome, explored=explored)
    return dataclasses.replace(trace, meta=meta)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    quit_with(outcome(lambda: record(CORPUS, sys.argv[1:])))

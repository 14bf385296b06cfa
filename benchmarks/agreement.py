"""Bounded model checking held against breadth-first search: same verdicts, same shortest lengths.

    python -m quorate.benchmarks.agreement [--seconds N] [--max-depth N] [--all] [MODEL...]

A line for each fast instance of the suite's manifests (`--all`: of every instance). The solver has
so many seconds for each; what it has covered by then is compared. Where the two disagree, that is
an internal error, and the exit status is 4.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..checkers.errors import InternalDisagreement, UsageError
from ..checkers.explorer import explore
from ..checkers.result import CheckResult, Verdict
from ..checkers.symbolic.bmc import search
from ..cli.check import build
from ..cli.manifest import InstanceEntry
from ..cli.registry import Model, from_manifest, manifests
from ..cli.settings import settle
from ..cli.status import Status, outcome, quit_with
from ..language import Instance


@dataclass(frozen=True)
class Agreed:
    """What both engines say of an instance, as far as the solver got."""

    bounded: CheckResult
    explored: CheckResult

    def __str__(self) -> str:
        found, seconds = self.bounded, self.bounded.seconds
        what = ", ".join(f"{name} in {length}" for name, length in sorted(lengths(found)))
        if found.verdict is Verdict.INCONCLUSIVE:
            what = f"nothing up to {found.depth} states"
        times = f"{seconds:7.2f} s, explorer {self.explored.seconds:.2f} s"
        return f"{found.verdict.value:<12} {what or f'depth {found.depth}':<44} {times}"


def lengths(result: CheckResult) -> set[tuple[str, int]]:
    """The violated properties with the length of their shortest counterexamples, 0 without one."""
    return {(v.property, len(v.trace) if v.trace else 0) for v in result.violations}


def compare(
    instance: Instance,
    properties: Sequence[str] | None,
    *,
    max_depth: int | None = None,
    seconds: float | None = None,
) -> Agreed:
    """Ask both. Raises InternalDisagreement; UsageError where the solver cannot be asked."""
    bounded = search(instance, properties=properties, max_depth=max_depth, time_limit=seconds)
    names = list(bounded.properties)
    depth = bounded.depth if bounded.verdict is Verdict.INCONCLUSIVE else None
    if depth == 0:
        return Agreed(bounded, bounded)
    explored = explore(instance, properties=names, symmetry=False, max_depth=depth)
    if not _same(bounded, explored):
        raise InternalDisagreement(
            f"{instance.name} {dict(instance.parameters)} {instance.flaws}: bmc says "
            f"{bounded.verdict.value} {sorted(lengths(bounded))} {dict(bounded.witnesses)}, "
            f"the explorer {explored.verdict.value} {sorted(lengths(explored))} "
            f"{dict(explored.witnesses)} (up to {depth or explored.depth} states)"
        )
    return Agreed(bounded, explored)


def _same(bounded: CheckResult, explored: CheckResult) -> bool:
    """Whether two results agree as far as both go."""
    ours, theirs = lengths(bounded), lengths(explored)
    if bounded.verdict is Verdict.ERROR:
        # The explorer leaves a state where a step fails: it may not see what else is wrong.
        bounds = {found for found in ours if found[0] == "bounds"}
        return explored.verdict is Verdict.ERROR and bounds <= theirs <= ours
    if bounded.verdict is Verdict.INCONCLUSIVE:
        # Up to this depth; the explorer may know already that there are no more states.
        far = {n: at for n, at in bounded.witnesses.items() if at <= bounded.depth}
        return all(at == 0 for _, at in theirs) and far == explored.witnesses
    if bounded.violations and bounded.reason:  # the time was over before the level was
        return ours <= theirs
    same = bounded.verdict is explored.verdict and ours == theirs
    return same and bounded.witnesses == explored.witnesses


def instances(models: Sequence[str], every: bool = False) -> Iterator[tuple[Model, InstanceEntry]]:
    """The fast instances of some models (none named: all), or every one."""
    for name in models or manifests():
        model = from_manifest(manifests()[name])
        for entry in model.instances:
            if every or entry.fast:
                yield model, entry


def instance_of(model: Model, entry: InstanceEntry) -> tuple[Instance, Sequence[str] | None]:
    """An instance of a manifest, and the properties that are checked in it."""
    settings = settle(model, instance=entry.name)
    return build(model, settings.parameters, settings.flaws), settings.properties


def main(words: Sequence[str]) -> Status:
    """Print the table; INTERNAL where the engines disagree about an instance."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--max-depth", type=int)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    options = parser.parse_args(words)
    if unknown := set(options.models) - set(manifests()):
        raise UsageError(f"no model {min(unknown)!r}; there are {', '.join(sorted(manifests()))}")
    status = Status.HOLDS
    for model, entry in instances(options.models, options.all):
        try:
            told = str(
                compare(
                    *instance_of(model, entry),
                    max_depth=options.max_depth,
                    seconds=options.seconds,
                )
            )
        except UsageError as error:
            told = f"not asked: {error}"
        except InternalDisagreement as error:
            told, status = f"DISAGREEMENT: {error}", Status.INTERNAL
        print(f"{model.name + '/' + entry.name:<56} {told}", flush=True)
    return status


if __name__ == "__main__":
    quit_with(outcome(lambda: main(sys.argv[1:])))

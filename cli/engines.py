"""The engines of `quorate check`: which there are, what each can be told, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..language.failures import UsageError
from ..language.ir.nodes import PropertyKind
from .manifest import DEADLOCK
from .registry import Model
from .settings import Settings
from .suggest import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..checkers.result import CheckResult
    from ..language.instance import Instance
    from ..traces.trace import Setting

EXPLORE = "explore"
ENGINES = (EXPLORE, "simulate", "stateful", "bmc", "induction", "prove")


@dataclass(frozen=True)
class Limits:
    """The budget of a check; None is no limit. `k` is that of k-induction."""

    workers: int = 1
    max_states: int | None = None
    max_depth: int | None = None
    time_limit: float | None = None
    k: int | None = None


_OPTIONS = {
    EXPLORE: ("--workers", "--symmetry", "--max-states", "--max-depth", "--time-limit"),
    "bmc": ("--max-depth", "--time-limit"),
    "induction": ("--k", "--time-limit"),
    "prove": ("--time-limit",),
}
"""What each engine that is there can be told, beside what is to be checked."""


def require_options(engine: str, settings: Settings, limits: Limits) -> None:
    """Raise UsageError unless the engine is there, and has the options that were given."""
    if engine not in ENGINES:
        raise unknown("engine", engine, list(_OPTIONS))
    if engine not in _OPTIONS:
        there = ", ".join(_OPTIONS)
        raise UsageError(
            f"the engine {engine!r} is not available in this version (it has: {there})"
        )
    symmetry = settings.given.symmetry
    given = {
        "--workers": limits.workers > 1,
        "--symmetry": symmetry is not None,
        "--max-states": limits.max_states is not None,
        "--max-depth": limits.max_depth is not None,
        "--time-limit": limits.time_limit is not None,
        "--k": limits.k is not None,
    }
    for option, is_given in given.items():
        if is_given and option not in _OPTIONS[engine]:
            shown = "--no-symmetry" if option == "--symmetry" and not symmetry else option
            there = ", ".join(_OPTIONS[engine])
            raise UsageError(f"--engine {engine} has no {shown}; it has: {there}")
    if engine != EXPLORE and DEADLOCK in settings.given.properties:
        raise UsageError(f"--engine {engine} does not look for deadlocks: --engine {EXPLORE} does")


def answer(
    engine: str,
    model: Model,
    instance: Instance,
    settings: Settings,
    limits: Limits,
    *,
    quiet: bool,
) -> CheckResult:
    """Ask an engine. Raises UsageError, SpecErrors."""
    match engine:
        case "bmc":
            return _bounded(instance, settings, limits, quiet=quiet)
        case "induction":
            return _inductive(model, instance, settings, limits, quiet=quiet)
        case "prove":
            return _proved(model, instance, settings, limits, quiet=quiet)
        case _:
            return _explored(instance, settings, limits, quiet=quiet)


def _explored(
    instance: Instance, settings: Settings, limits: Limits, *, quiet: bool
) -> CheckResult:
    from ..checkers.explorer import explore
    from .progress import Progress

    with Progress(quiet=quiet) as progress:
        return explore(
            instance,
            properties=settings.properties,
            symmetry=settings.symmetry,
            workers=limits.workers,
            max_states=limits.max_states,
            max_depth=limits.max_depth,
            time_limit=limits.time_limit,
            deadlock=settings.deadlock,
            progress=progress.show,
        )


def _bounded(instance: Instance, settings: Settings, limits: Limits, *, quiet: bool) -> CheckResult:
    from ..checkers.symbolic.bmc import search
    from .progress import Progress

    with Progress(quiet=quiet) as progress:
        return search(
            instance,
            properties=settings.properties,
            named=settings.given.properties,
            max_depth=limits.max_depth,
            time_limit=limits.time_limit,
            progress=progress.say,
        )


def _inductive(
    model: Model, instance: Instance, settings: Settings, limits: Limits, *, quiet: bool
) -> CheckResult:
    from ..checkers.symbolic.induction import prove
    from .progress import Progress

    with Progress(quiet=quiet) as progress:
        return prove(
            instance,
            properties=settings.given.properties or model.inductive or settings.properties,
            named=settings.given.properties,
            k=limits.k or 1,
            time_limit=limits.time_limit,
            progress=progress.say,
        )


def _proved(
    model: Model, instance: Instance, settings: Settings, limits: Limits, *, quiet: bool
) -> CheckResult:
    """For any number: instances of other sizes show what depends on sizes."""
    from ..checkers.symbolic.prove.engine import prove
    from .check import build
    from .progress import Progress

    def resized(sizes: Mapping[str, Setting]) -> Instance:
        return build(model, {**settings.parameters, **sizes}, settings.flaws)

    invariants = [p.name for p in instance.ir.properties if p.kind is PropertyKind.ALWAYS]
    with Progress(quiet=quiet) as progress:
        return prove(
            instance,
            resized,
            properties=settings.given.properties or model.inductive or invariants,
            time_limit=limits.time_limit,
            progress=progress.say,
        )

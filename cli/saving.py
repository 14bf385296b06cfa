"""Counterexamples as files: what they are called, and what happens where they cannot be written."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..language.failures import UsageError
from ..traces.trace import Setting
from .engines import EXPLORE
from .manifest import InstanceEntry
from .outputs import require_writable
from .registry import Model
from .settings import Settings, full

if TYPE_CHECKING:
    from ..checkers.result import CheckResult
    from ..language.instance import Instance

DEFAULT_TRACE_DIR = Path("quorate-traces")
SUFFIX = ".itf.json"
MOST_BYTES = 200
"""Of a file's name. File systems take 255, of which the file that is being written needs some."""


def save(
    instance: Instance, result: CheckResult, names: Mapping[str, str], folder: Path
) -> tuple[dict[str, Path], str]:
    """Write the counterexamples; where they are, by property, and why some are not.

    One that cannot be written does not keep the others from it, and leaves no empty folder.
    """
    from ..traces import itf

    found = (*result.unproved, *result.violations)
    traces = {v.property: v.trace for v in found if v.trace is not None}
    if not traces:
        return {}, ""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    saved: dict[str, Path] = {}
    problems: dict[str, None] = {}
    try:
        require_writable(folder, f"--trace-dir {folder}", create=True)
        folder.mkdir(parents=True, exist_ok=True)
        for name, trace in traces.items():
            path = folder / names[name]
            try:
                itf.write(trace, path, instance.ir, instance.universe)
                saved[name] = path
            except (OSError, UsageError) as error:
                problems[str(error)] = None
    except (OSError, UsageError) as error:
        problems[str(error)] = None
    if not saved:
        with contextlib.suppress(OSError):
            for place in made:
                place.rmdir()
    return saved, "; ".join(problems)


def file_name(
    model: Model,
    settings: Settings,
    parameters: Mapping[str, Setting],
    property_name: str,
    engine: str = EXPLORE,
) -> str:
    """The same check writes the same files: model, instance, what differs from it, property.

    The instance is the one whose parameters and flaws those are, whichever way they were given;
    else the one that they were given on top of. Without instances, the defaults are what others
    differ from. Symmetry is in the name where it is not what the instance says, and so is an engine
    that is not the explorer. A name that would be too long is cut, and ends in a digest of it.
    """
    file, _, name = model.name.rpartition(":")
    parts = [Path(file).stem, name] if file else [model.name]
    entry = same = _same(model, settings, parameters)
    if entry is None:
        entry = settings.entry or (model.instances[0] if model.instances else None)
    if entry is not None:
        parts.append(entry.name)
    usual = full(model, entry.parameters if entry is not None else {})
    parts += [f"{n}-{str(v).lower()}" for n, v in parameters.items() if v != usual[n]]
    parts += [flaw for flaw in settings.flaws if entry is None or flaw not in entry.flaws]
    if bool(settings.symmetry) is not bool(same is not None and same.symmetry):
        parts.append("symmetry" if settings.symmetry else "no-symmetry")
    if engine != EXPLORE:
        parts.append(engine)
    parts.append(property_name)
    return _short(".".join(re.sub(r"[^\w=-]+", "-", part) for part in parts))


def _same(
    model: Model, settings: Settings, parameters: Mapping[str, Setting]
) -> InstanceEntry | None:
    """The instance that has these parameters and flaws: the one that was named, before others."""
    entries = list(model.instances)
    if settings.entry is not None:
        entries.insert(0, settings.entry)
    for entry in entries:
        if set(entry.flaws) == set(settings.flaws):
            its = full(model, entry.parameters)
            if all(value == its[name] for name, value in parameters.items()):
                return entry
    return None


def _short(name: str) -> str:
    """The name of a file, of `MOST_BYTES` at most; names that differ still do when they are cut."""
    text = name.encode()
    if len(text) + len(SUFFIX) > MOST_BYTES:
        digest = "." + hashlib.sha256(text).hexdigest()[:10]
        room = MOST_BYTES - len(SUFFIX) - len(digest)
        name = text[:room].decode(errors="ignore") + digest
    return name + SUFFIX

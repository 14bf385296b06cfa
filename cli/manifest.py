"""`manifest.toml`: the instances of a model, with what is expected of each.

One file beside a spec, for the models of the suite and for a user's own alike. Reading it imports
nothing: targets (the spec, properties, adapters) stay text until somebody needs them.
"""

from __future__ import annotations

import dataclasses
import functools
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..language.failures import UsageError
from ..traces.trace import Outcome, Setting
from .suggest import unknown

T = typing.TypeVar("T")

EXPECTED = ("holds", "violated", "error")
DEADLOCK = "deadlock"
"""The name under which the absence of deadlocks is asked for among the properties."""


class ManifestError(UsageError):
    """A manifest that cannot be used; the message says which file, which entry and why."""


@dataclass(frozen=True)
class PropertyEntry:
    """A property that lives outside the spec: `target` is `module:function`."""

    name: str
    target: str


@dataclass(frozen=True)
class ImplementationEntry:
    """An implementation that traces of the model can be replayed on; `adapter` is `module:name`."""

    name: str
    adapter: str


@dataclass(frozen=True)
class OutOfReachEntry:
    """A known flaw that belongs to the model, and that no instance of it shows.

    `name` is that of a catalogue, `about` what the flaw is, `source` where it is from; `reason`
    says why it is not found here, and `tried` what was done to find it: bounds, states, time.
    None of them is empty.
    """

    name: str
    about: str
    source: str
    reason: str
    tried: str

    def validate(self) -> None:
        """Raise ManifestError unless the invariant holds."""
        for field in dataclasses.fields(self):
            if not getattr(self, field.name).strip():
                raise ManifestError(f"{field.name!r} says nothing")


@dataclass(frozen=True)
class InstanceEntry:
    """A bounded instance and what a check of it must say.

    `properties` are those to check, None for all. `violates` names the broken property and
    `length` the states of its shortest counterexample. `distinct`, `generated` and `depth` are
    counts from `provenance`, with or without `symmetry`. `witnesses` must be reached. `replay` is
    the outcome of replaying the counterexample on `implementation`. `control` says why nothing
    breaks where a reader would expect it: with a flaw on, or without a rule of the paper.

    1. `expected` is one of `EXPECTED`; other than `holds`, `violates` is given.
    2. `length` is given only with `violates`, `replay` only with `implementation`.
    3. Counts have a `provenance`.
    4. `control` is given only where the instance is expected to hold.
    """

    name: str
    parameters: Mapping[str, Setting]
    flaws: tuple[str, ...] = ()
    properties: tuple[str, ...] | None = None
    expected: str = "holds"
    violates: str | None = None
    length: int | None = None
    distinct: int | None = None
    generated: int | None = None
    depth: int | None = None
    provenance: str = ""
    symmetry: bool | None = None
    fast: bool = True
    witnesses: tuple[str, ...] = ()
    implementation: str | None = None
    replay: str | None = None
    control: str = ""

    def validate(self) -> None:
        """Raise ManifestError unless the invariants hold."""
        if self.expected not in EXPECTED:
            allowed = ", ".join(EXPECTED)
            raise ManifestError(f"expected = {self.expected!r} (allowed: {allowed})")
        if (self.expected == "holds") != (self.violates is None):
            raise ManifestError("`violates` goes with an expected verdict other than 'holds'")
        if self.length is not None and self.violates is None:
            raise ManifestError("`length` is that of a counterexample, and none is expected")
        if self.replay is not None and self.implementation is None:
            raise ManifestError("`replay` needs an `implementation`")
        if self.replay is not None and self.replay not in {o.value for o in Outcome}:
            allowed = ", ".join(o.value for o in Outcome)
            raise ManifestError(f"replay = {self.replay!r} (allowed: {allowed})")
        counts = (self.distinct, self.generated, self.depth)
        if any(count is not None for count in counts) and not self.provenance:
            raise ManifestError("counts need a `provenance`: who measured them")
        if self.control and self.expected != "holds":
            raise ManifestError("a `control` is expected to hold")


@dataclass(frozen=True)
class Manifest:
    """A manifest that has been checked as far as text can be.

    Names of properties, instances and implementations are unique in their family, and an instance
    names only implementations that are listed. `flaws` is the table `[flaws]`: a flaw that the spec
    declares -> its source, as the section of a paper that it goes against and reports of it.
    `asked_for` names properties that are checked only when somebody asks for them, by their name or
    in an instance: what holds with some parameters only. `inductive` names invariants that every
    step keeps, if all of them hold before it: what `--engine induction` proves. The first instance
    is what a check without options checks, and has no flaws.
    """

    path: Path
    name: str
    spec: str
    title: str
    source: str
    asked_for: tuple[str, ...]
    inductive: tuple[str, ...]
    properties: tuple[PropertyEntry, ...]
    instances: tuple[InstanceEntry, ...]
    implementations: tuple[ImplementationEntry, ...]
    flaws: Mapping[str, str] = dataclasses.field(default_factory=dict)
    out_of_reach: tuple[OutOfReachEntry, ...] = ()

    def instance(self, name: str) -> InstanceEntry:
        """The instance of that name; UsageError where there is none."""
        for entry in self.instances:
            if entry.name == name:
                return entry
        raise unknown(f"instance of {self.name}", name, [entry.name for entry in self.instances])


def describes_a_model(path: Path) -> bool:
    """Whether a file of this name is about a model: other tools have a `manifest.toml` too.

    Raises ManifestError for a file that is not TOML.
    """
    return "model" in _table(path, _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from None


def _table(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from None


def load(path: Path) -> Manifest:
    """Read and check a manifest. Raises ManifestError."""
    return _manifest(path, _text(path))


@functools.lru_cache(maxsize=128)
def _manifest(path: Path, text: str) -> Manifest:
    """The manifest of a text; kept, because every trace that is replayed asks for all of them."""
    table = _table(path, text)
    families = ("properties", "instances", "implementations", "out_of_reach")
    _known(table, ("model", "flaws", *families), f"{path}")
    model = table.get("model")
    if not isinstance(model, dict):
        raise ManifestError(f"{path}: no [model] table")
    about = _entry(model, _ModelEntry, f"{path}: [model]")
    manifest = Manifest(
        path=path,
        **dataclasses.asdict(about),
        properties=_entries(table, "properties", PropertyEntry, path),
        instances=_entries(table, "instances", InstanceEntry, path),
        implementations=_entries(table, "implementations", ImplementationEntry, path),
        flaws=_sources(table, path),
        out_of_reach=_entries(table, "out_of_reach", OutOfReachEntry, path),
    )
    _targets(manifest)
    if manifest.instances and manifest.instances[0].flaws:
        where = f"{path}: [[instances]] {manifest.instances[0].name!r}"
        raise ManifestError(f"{where}: the first is what is checked by itself: it has no flaws")
    return manifest


@dataclass(frozen=True)
class _ModelEntry:
    name: str
    spec: str
    title: str
    source: str = ""
    asked_for: tuple[str, ...] = ()
    inductive: tuple[str, ...] = ()


def _targets(manifest: Manifest) -> None:
    targets = [("[model] spec", manifest.spec)]
    targets += [(f"property {e.name!r}", e.target) for e in manifest.properties]
    targets += [(f"implementation {e.name!r}", e.adapter) for e in manifest.implementations]
    for what, target in targets:
        module, colon, name = target.partition(":")
        if not (module and colon and name.isidentifier()):
            raise ManifestError(f"{manifest.path}: {what}: {target!r} is not `module:name`")
    known = {entry.name for entry in manifest.implementations}
    for instance in manifest.instances:
        if instance.implementation is not None and instance.implementation not in known:
            where = f"{manifest.path}: instance {instance.name!r}"
            error = unknown("implementation", instance.implementation, sorted(known))
            raise ManifestError(f"{where}: {error}")


def _sources(table: Mapping[str, Any], path: Path) -> dict[str, str]:
    rows = table.get("flaws", {})
    if not isinstance(rows, dict):
        raise ManifestError(f'{path}: write the flaws as one table [flaws], with FLAW = "source"')
    for name, source in rows.items():
        if not isinstance(source, str) or not source.strip():
            raise ManifestError(f"{path}: [flaws]: {name!r} must be its source, not {source!r}")
    return rows


def _entries(table: Mapping[str, Any], family: str, kind: type[T], path: Path) -> tuple[T, ...]:
    rows = table.get(family, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ManifestError(f"{path}: write each of the {family} as [[{family}]]")
    found: dict[str, T] = {}
    for number, row in enumerate(rows, 1):
        where = f"{path}: [[{family}]] {row.get('name', f'number {number}')!r}"
        entry = _entry(row, kind, where)
        if row["name"] in found:
            raise ManifestError(f"{where}: the name is taken")
        found[row["name"]] = entry
    return tuple(found.values())


_hints = functools.lru_cache(typing.get_type_hints)


def _entry(row: Mapping[str, Any], kind: type, where: str) -> Any:
    hints = _hints(kind)
    _known(row, hints, where)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.name in row:
            values[field.name] = _value(row[field.name], hints[field.name], field.name, where)
        elif field.default is dataclasses.MISSING:
            raise ManifestError(f"{where}: {field.name!r} is missing")
    entry = kind(**values)
    if isinstance(entry, InstanceEntry | OutOfReachEntry):
        try:
            entry.validate()
        except ManifestError as error:
            raise ManifestError(f"{where}: {error}") from None
    return entry


def _known(row: Mapping[str, Any], allowed: typing.Iterable[str], where: str) -> None:
    names = list(allowed)
    for key in row:
        if key not in names:
            raise ManifestError(f"{where}: {unknown('key', key, names)}")


def _value(value: Any, hint: Any, name: str, where: str) -> Any:
    """The value of a key, if it is of the kind that the field's annotation asks for."""
    if isinstance(hint, types.UnionType):
        hint = next(a for a in typing.get_args(hint) if a is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        wanted = "a list of strings"
    elif hint is str or hint is bool:
        if isinstance(value, hint):
            return value
        wanted = "a string" if hint is str else "true or false"
    elif hint is int:
        if type(value) is int and value >= 0:
            return value
        wanted = "a number, 0 or more"
    else:
        settings = value.values() if isinstance(value, dict) else [None]
        if all(isinstance(setting, bool | int | str) for setting in settings):
            return value
        wanted = "a table of parameters: numbers, true or false, names"
    raise ManifestError(f"{where}: {name!r} must be {wanted}, not {value!r}")

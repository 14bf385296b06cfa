"""The models there are, and what belongs to each: instances, properties, flaws, implementations.

The suite's own models are the folders `models/*` with a manifest. A user's spec is as good: it is
named by file or module, and a `manifest.toml` beside it gives it instances and implementations.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import FunctionType
from typing import Any

from ..language.annotations import node_class_of
from ..language.declarations import ParameterDeclaration, mark_of
from ..language.diagnostics import SpecErrors
from ..language.failures import UsageError
from ..language.ir.nodes import PropertyKind
from ..language.shape import flaws_of, parameter_attributes
from ..language.spec import Spec
from ..traces.adapter import Adapter
from . import loading
from .loading import SUITE
from .manifest import (
    DEADLOCK,
    InstanceEntry,
    Manifest,
    ManifestError,
    describes_a_model,
    load,
)
from .suggest import unknown

MANIFEST = "manifest.toml"
_WITNESSES = (PropertyKind.SOMETIMES.value, PropertyKind.SOMETIMES_STEP.value)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a spec as the command line sees it.

    `kind` is `nodes` (given by size), `int`, `bool`, or the names that an enumeration allows.
    """

    name: str
    kind: str | tuple[str, ...]
    type: Any
    default: Any
    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True)
class PropertyInfo:
    """A property: its kind (`always`, `sometimes`, ..., `refinement`) and what it says."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Model:
    """A spec and what is known of it. `name` is as the user wrote it."""

    name: str
    spec: type[Spec]
    manifest: Manifest | None
    outside: Mapping[str, Callable[..., Any]]
    """Properties that live outside the spec class, by name."""

    @functools.cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters, flaws left out."""
        flaws = flaws_of(self.spec)
        found = parameter_attributes(self.spec)
        return {a.name: _parameter(a) for a in found if a.name not in flaws}

    @functools.cached_property
    def flaws(self) -> dict[str, str]:
        """The flaws, each with what it does wrong."""
        return flaws_of(self.spec)

    @functools.cached_property
    def properties(self) -> dict[str, PropertyInfo]:
        """Every property that a check may be asked for, `deadlock` left out."""
        found = {}
        for owner in reversed(self.spec.__mro__):
            for name, function in vars(owner).items():
                info = _property(name, function)
                if info is not None:
                    found[name] = info
        for name, function in self.outside.items():
            info = _property(name, function)
            if info is None:
                raise ManifestError(f"{name}: {function!r} is not decorated as a property")
            found[name] = info
        return found

    @property
    def usual(self) -> tuple[str, ...] | None:
        """The properties that are checked where nobody, nor an instance, names any; None: all.

        With other parameters or flaws than an instance's, witnesses are left out of them too.
        """
        if self.manifest is None:
            return None
        return tuple(name for name in self.properties if name not in self.manifest.asked_for)

    @property
    def inductive(self) -> tuple[str, ...]:
        """The invariants that the manifest says are inductive together; none without one."""
        return self.manifest.inductive if self.manifest else ()

    def is_witness(self, name: str) -> bool:
        """Whether a property says that something can be reached."""
        found = self.properties.get(name)
        return found is not None and found.kind in _WITNESSES

    @property
    def instances(self) -> tuple[InstanceEntry, ...]:
        """The instances of the manifest; none without one."""
        return self.manifest.instances if self.manifest else ()

    def instance(self, name: str) -> InstanceEntry:
        """The instance of that name; UsageError where there is none."""
        if self.manifest is None:
            raise UsageError(f"{self.name} has no instances: there is no {MANIFEST} beside it")
        return self.manifest.instance(name)

    def adapter(self, name: str) -> Adapter:
        """The adapter for an implementation: a name of the manifest, or `module:name`."""
        entries = (
            {e.name: e.adapter for e in self.manifest.implementations} if self.manifest else {}
        )
        if self.manifest is not None and name in entries:
            place, attribute = loading.split(entries[name])
            place = _beside(self.manifest, place, "quorate.implementations.adapters.")
        elif ":" in name:
            place, attribute = loading.split(name)
        else:
            hint = "or `path/to/adapter.py:name`, `package.module:name`"
            raise unknown(f"implementation of {self.name}", name, entries, hint)
        adapter = loading.member(loading.load_module(place), attribute, "adapter")
        try:
            made = adapter() if isinstance(adapter, type | FunctionType) else adapter
        except Exception as error:  # noqa: BLE001 - the user's code raises anything
            raise UsageError(f"{name}: {type(error).__name__}: {error}") from None
        if not callable(getattr(made, "start", None)) or not hasattr(made, "control"):
            raise UsageError(f"{name}: an adapter has `control` and `start(parameters, flaws)`")
        return typing.cast(Adapter, made)


def manifests(folder: Path = SUITE / "models") -> dict[str, Manifest]:
    """The suite's own models by name, in order. Raises ManifestError."""
    found: dict[str, Manifest] = {}
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        manifest = load(path)
        if manifest.name in found:
            raise ManifestError(f"{path}: {found[manifest.name].path} has the same name")
        found[manifest.name] = manifest
    return found


def find(text: str) -> Model:
    """The model that a user means: a registered name, `file.py:Class` or `package.module:Class`.

    Raises UsageError where there is none, SpecErrors where the file is not Python.
    """
    if ":" in text:
        return _from_code(text)
    known = manifests()
    if text not in known:
        if text.endswith(".py") and Path(text).is_file():
            names = loading.members(loading.load_module(text), Spec)
            there = ", ".join(f"{text}:{name}" for name in names) or "there is none in it"
            raise UsageError(f"{text}: which spec of it? write `{text}:Class`\n  specs: {there}")
        hint = "a spec of your own: `path/to/file.py:Class` or `package.module:Class`"
        raise unknown("model", text, known, hint)
    return from_manifest(known[text])


def from_manifest(manifest: Manifest) -> Model:
    """The model that a manifest describes, under its registered name."""
    place, name = loading.split(manifest.spec)
    place = _beside(manifest, place, "quorate.models.")
    spec = _spec_class(loading.load_module(place), name)
    return _described(manifest.name, spec, manifest)


def owners(model: Model, has: Callable[[Model], bool]) -> list[str]:
    """The registered models for which `has` is true, but `model`; names like its own come first.

    For hints: a model that cannot be loaded is passed over.
    """
    found = []
    for manifest in manifests().values():
        with contextlib.suppress(UsageError, SpecErrors):
            other = from_manifest(manifest)
            if other.spec is not model.spec and has(other):
                found.append(other.name)
    alike = difflib.get_close_matches(model.name, found, n=len(found) or 1, cutoff=0.5)
    return [*alike, *(name for name in found if name not in alike)]


def _described(name: str, spec: type[Spec], manifest: Manifest) -> Model:
    """The model that a spec and its manifest make, if all that is named there exists."""
    _known_flaws(manifest, spec)
    model = Model(name, spec, manifest, _outside(manifest))
    for key, names in (("asked_for", manifest.asked_for), ("inductive", manifest.inductive)):
        for named in names:
            if named not in model.properties:
                error = unknown(f"property of {name}", named, model.properties)
                raise ManifestError(f"{manifest.path}: [model] {key}: {error}")
    for named in manifest.inductive:
        kind = model.properties[named].kind
        if kind != "always":
            raise ManifestError(
                f"{manifest.path}: [model] inductive: {named} is of the kind {kind}, no invariant"
            )
    return model


def _from_code(text: str) -> Model:
    place, name = loading.split(text)
    module = loading.load_module(place)
    spec = _spec_class(module, name)
    beside = Path(module.__file__ or ".").parent / MANIFEST
    if beside.is_file() and describes_a_model(beside):
        manifest = load(beside)
        _, own_name = loading.split(manifest.spec)
        if own_name == name:
            return _described(text, spec, manifest)
    # Without a manifest, the property functions that the spec's module defines or imports.
    outside = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, FunctionType) and _property(key, value) is not None
    }
    return Model(text, spec, None, outside)


def _spec_class(module: Any, name: str) -> type[Spec]:
    found = loading.member(module, name, "spec", Spec)
    if not (isinstance(found, type) and issubclass(found, Spec)) or found is Spec:
        raise UsageError(f"{name} in {module.__file__} is not a spec: a class that extends Spec")
    return found


def _known_flaws(manifest: Manifest, spec: type[Spec]) -> None:
    declared = flaws_of(spec)
    for name in manifest.flaws:
        if name not in declared:
            error = unknown(f"flaw of {spec.__name__}", name, declared)
            raise ManifestError(f"{manifest.path}: [flaws]: {error}")


def _outside(manifest: Manifest) -> dict[str, Callable[..., Any]]:
    found = {}
    for entry in manifest.properties:
        place, name = loading.split(entry.target)
        module = loading.load_module(_beside(manifest, place, "quorate.invariants."))
        found[entry.name] = loading.member(module, name, "property")
    return found


def _beside(manifest: Manifest, place: str, prefix: str) -> str:
    """A module named in a manifest: below `prefix` for our own, else a file beside the manifest."""
    if _is_ours(manifest.path):
        return prefix + place
    file = manifest.path.parent / f"{place.replace('.', '/')}.py"
    return str(file) if file.is_file() else place


def _is_ours(path: Path) -> bool:
    return path.resolve().is_relative_to(SUITE / "models")


def _parameter(attribute: Any) -> Parameter:
    kind: str | tuple[str, ...]
    annotation = attribute.annotation
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if node_class_of(attribute.annotation) is not None:
        kind = "nodes"
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        kind = tuple(member.name.lower() for member in annotation)
    else:
        kind = "bool" if annotation is bool else "int"
    if not isinstance(attribute.value, ParameterDeclaration):
        return Parameter(attribute.name, kind, annotation, None)
    value = attribute.value
    return Parameter(attribute.name, kind, annotation, value.default, value.at_least, value.at_most)


def _property(name: str, function: Any) -> PropertyInfo | None:
    mark = mark_of(function)
    if mark is None or mark.role not in ("property", "refinement"):
        return None
    kind = mark.kind.value if isinstance(mark.kind, PropertyKind) else "refinement"
    text = " ".join((function.__doc__ or "").split("\n\n")[0].split())
    return PropertyInfo(name, kind, text.removeprefix(f"{name}: "))


__all__ = ["DEADLOCK", "Model", "Parameter", "PropertyInfo", "find", "from_manifest", "manifests"]

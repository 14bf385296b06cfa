"""From `--instance`, `--set`, `--flaw` and `--property` to what is to be checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..language.failures import UsageError
from ..traces.trace import Setting
from .manifest import DEADLOCK, InstanceEntry
from .registry import Model, Parameter, owners
from .suggest import brief, has_it, unknown


@dataclass(frozen=True)
class Given:
    """What was asked for by itself: by `--set`, `--flaw`, `--property` and `--symmetry`."""

    parameters: Mapping[str, Setting]
    flaws: tuple[str, ...]
    properties: tuple[str, ...]
    symmetry: bool | None = None

    @property
    def changes(self) -> bool:
        """Whether another system is meant than that of an instance."""
        return bool(self.parameters or self.flaws)


@dataclass(frozen=True)
class Settings:
    """What a check is about. `properties` is None for all that the model has.

    `parameters` holds only what was given, by `--set` or by an instance: node sets by size,
    enumerations by the name of the member. `entry` is the instance that was named, or that stands
    for none being named, and `given` is what was added to it.
    """

    parameters: Mapping[str, Setting]
    flaws: tuple[str, ...]
    properties: tuple[str, ...] | None
    deadlock: bool
    symmetry: bool | None
    entry: InstanceEntry | None
    given: Given

    @property
    def unchanged(self) -> bool:
        """Whether an instance is checked as its manifest has it, but perhaps for the symmetry."""
        return self.entry is not None and not (self.given.changes or self.given.properties)


def settle(
    model: Model,
    *,
    instance: str | None = None,
    set_: Iterable[str] = (),
    flaws: Iterable[str] = (),
    properties: Iterable[str] = (),
    symmetry: bool | None = None,
) -> Settings:
    """Bring the options together: an instance first, then what was given by itself.

    1. No instance, `--set` nor `--flaw` is the first instance of the manifest.
    2. `--set` or `--flaw` without an instance: the parameters that are not given are those of the
       first instance, and nothing else of it counts. What is checked is `Model.usual`.
    3. Instances have their parameters, flaws, properties and symmetry; what is given goes before.
    4. A witness is a claim about an instance, which other parameters or flaws may well make false.
       So with `--set` or `--flaw`, those of the manifest are left out unless `--property` names
       them, or the instance is there to miss them, or there is nothing else to check.

    Without a manifest all properties are checked. Raises UsageError.
    """
    given = Given(_assignments(model, set_), _once(flaws), _once(properties), symmetry)
    first = model.instances[0] if model.instances else None
    entry = model.instance(instance) if instance is not None else None
    if instance is None and not given.changes:
        entry = first
    base = entry or first
    parameters = {n: _given(model, n, v) for n, v in base.parameters.items()} if base else {}
    chosen = _once([*(entry.flaws if entry else ()), *given.flaws])
    for flaw in chosen:
        _require_flaw(model, flaw)
    names = given.properties or _claimed(model, entry, given)
    for name in names or ():
        if name not in model.properties and name != DEADLOCK:
            raise unknown(f"property of {model.name}", name, [*model.properties, DEADLOCK])
    return Settings(
        parameters=parameters | dict(given.parameters),
        flaws=chosen,
        properties=None if names is None else tuple(n for n in names if n != DEADLOCK),
        deadlock=DEADLOCK in (names or ()),
        symmetry=symmetry if symmetry is not None or entry is None else entry.symmetry,
        entry=entry,
        given=given,
    )


def _require_flaw(model: Model, name: str) -> None:
    if name not in model.flaws:
        hint = has_it(owners(model, lambda other: name in other.flaws))
        raise unknown(f"flaw of {model.name}", name, model.flaws, hint)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _claimed(model: Model, entry: InstanceEntry | None, given: Given) -> tuple[str, ...] | None:
    """The properties to check where none is named; None: all."""
    names = model.usual if entry is None or entry.properties is None else entry.properties
    if names is None or not (given.changes and model.instances):
        return names
    missed = None if entry is None else entry.violates
    lasting = tuple(name for name in names if name == missed or not model.is_witness(name))
    return lasting or names


def values(model: Model, parameters: Mapping[str, Setting]) -> dict[str, Any]:
    """Parameters as the language takes them: enumerations as members. Raises UsageError."""
    found: dict[str, Any] = {}
    for name, setting in parameters.items():
        parameter = _parameter(model, name)
        found[name] = _given(model, name, setting)
        if isinstance(parameter.kind, tuple):
            found[name] = next(m for m in parameter.type if m.name == found[name])
    return found


def stored(parameters: Mapping[str, Any]) -> dict[str, Setting]:
    """Parameters of an instance as they are shown and saved: enumerations by member."""
    return {n: v.name if isinstance(v, Enum) else v for n, v in parameters.items()}


def full(model: Model, parameters: Mapping[str, Setting]) -> dict[str, Setting]:
    """All parameters as they are saved: those given, and else the defaults. Raises UsageError."""
    usual = stored({name: p.default for name, p in model.parameters.items()})
    return usual | {name: _given(model, name, value) for name, value in parameters.items()}


def _assignments(model: Model, texts: Iterable[str]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for text in texts:
        name, value = _assignment(model, text)
        if found.setdefault(name, value) != value:
            raise UsageError(f"--set {name} is given twice, as {found[name]} and as {value}")
    return found


def _assignment(model: Model, text: str) -> tuple[str, Setting]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise UsageError(f"--set {brief(text)}: write NAME=VALUE")
    parameter = _parameter(model, name)
    return name, _setting(parameter, value.strip())


def _parameter(model: Model, name: str) -> Parameter:
    if name in model.parameters:
        return model.parameters[name]
    if name in model.flaws:
        raise UsageError(f"{name!r} is a flaw, not a parameter: --flaw {name}")
    hint = has_it(owners(model, lambda other: name in other.parameters))
    raise unknown(f"parameter of {model.name}", name, model.parameters, hint)


def _setting(parameter: Parameter, text: str) -> Setting:
    """A value as typed on a command line."""
    if parameter.kind == "bool":
        truth = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in truth:
            raise UsageError(f"{parameter.name}={brief(text)}: allowed are true and false")
        return truth[text.lower()]
    if isinstance(parameter.kind, tuple):
        return _member(parameter, text)
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):  # int() would also take 1_000 and other digits
        return int(text)
    what = "a size (a node set is given by its size)" if parameter.kind == "nodes" else "an int"
    raise UsageError(f"{parameter.name}={brief(text)}: {parameter.name} is {what}")


def _given(model: Model, name: str, value: Setting) -> Setting:
    """A value from a manifest or a trace: typed already, if the type is the right one."""
    parameter = _parameter(model, name)
    if isinstance(parameter.kind, tuple):
        return _member(parameter, str(value))
    if isinstance(value, bool) != (parameter.kind == "bool") or isinstance(value, str):
        return _setting(parameter, str(value).lower())
    return value


def _member(parameter: Parameter, text: str) -> str:
    for member in parameter.type:
        if text.lower() in (member.name.lower(), str(member.value).lower()):
            return str(member.name)
    raise unknown(f"value of {parameter.name}", text, parameter.kind)

"""Assumptions: what the parameters of an instance have to satisfy, as TLA+'s ASSUME says it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from .collections import Nodes
from .failures import UsageError

if TYPE_CHECKING:
    from .spec import Spec


@dataclasses.dataclass(frozen=True)
class Assumption:
    """A condition on parameters: a method of the spec class that reads nothing else.

    `text` says what is allowed. `function` takes a spec, whose parameters (flaws included) are all
    that it has; every instance satisfies it.
    """

    name: str
    text: str
    owner: type
    function: Callable[[Any], bool]


class AssumptionError(Exception):
    """A method that is no assumption: it says nothing, or has no truth value."""

    def __init__(self, found: Assumption, message: str) -> None:
        super().__init__(message)
        self.found = found


def sentence(function: Callable[..., Any]) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def require_assumptions(
    spec: type[Spec],
    assumptions: Iterable[Assumption],
    parameters: Mapping[str, Any],
    variables: Iterable[str],
) -> None:
    """Raise UsageError, with the parameters that it read, for the first one that is False.

    Raises AssumptionError for one that is not over parameters alone.
    """
    read: dict[str, None] = {}
    known = _parameters_only(spec, parameters, variables, read)
    for one in assumptions:
        if not one.text:
            raise AssumptionError(one, f"{one.name}() has no docstring: it is what users are told")
        read.clear()
        try:
            held = one.function(known)
        except Exception as error:  # noqa: BLE001 - whatever the author's code raises
            raise AssumptionError(one, f"{one.name}(): {error or type(error).__name__}") from None
        if type(held) is not bool:
            raise AssumptionError(one, f"{one.name}() must return a bool, not {held!r}")
        if not held:
            given = ", ".join(f"{name} = {_shown(parameters[name])}" for name in read)
            raise UsageError(f"{spec.__name__} cannot have {given or 'any parameters'}: {one.text}")


def _parameters_only(
    spec: type[Spec],
    parameters: Mapping[str, Any],
    variables: Iterable[str],
    read: dict[str, None],
) -> Any:
    """An object with the methods and parameters of a spec, but no state; notes what is read."""

    def parameter(name: str) -> property:
        def get(_: object) -> Any:
            read[name] = None
            return parameters[name]

        return property(get)

    def variable(name: str) -> property:
        def get(_: object) -> Any:
            raise TypeError(f"it reads the variable {name!r}, and may read parameters only")

        return property(get)

    body = {name: variable(name) for name in variables}
    body |= {name: parameter(name) for name in parameters}
    return object.__new__(type(spec.__name__, (spec,), body))


def _shown(value: Any) -> str:
    """A parameter as it is given."""
    match value:
        case Nodes():
            return str(len(value))
        case Enum():
            return value.name.lower()
        case bool():
            return str(value).lower()
    return str(value)

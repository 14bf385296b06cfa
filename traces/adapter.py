"""What an implementation gives so that traces can be replayed on it.

An adapter needs `control` and `start`; its session needs `apply`, `project` and `close`. The other
protocols here are optional: a session that has the method is asked, one that has not is not.

A session lives in one thread of its own from `start` to `close`, so it may keep thread-bound
things such as SQLite connections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from ..language.labels import Label
from ..language.values import Value
from .trace import Setting

Named = Mapping[str, Value]
"""A state as variable -> value."""


class Control(Enum):
    """How much of the implementation an adapter steers: what a verdict of a replay is worth.

    IN_PROCESS: every event, one at a time. PROCESS_NETWORK: processes and the messages between
    them. CLIENT_ONLY: requests of clients; all else happens by itself.
    """

    IN_PROCESS = "in_process"
    PROCESS_NETWORK = "process_network"
    CLIENT_ONLY = "client_only"


class StepRefused(Exception):
    """Raised by `apply`: the implementation does not take this step here. The text says why."""


class NondeterministicStep(Exception):
    """Raised by `apply`: what the implementation does here is not under the adapter's control."""


class _Ignore:
    """The type of `IGNORE`."""

    def __repr__(self) -> str:
        return "IGNORE"


IGNORE = _Ignore()
"""Stands for a value that the adapter cannot see: a variable, a map's value or a record's field."""


@dataclass(frozen=True)
class AnyOf:
    """Stands for a value that the adapter knows only to be one of these."""

    values: tuple[Value, ...]


def any_of(*values: Value) -> AnyOf:
    """The sentinel for a value known only to be one of `values`."""
    if not values:
        raise ValueError("any_of needs at least one value")
    return AnyOf(values)


class Session(Protocol):
    """One run of the implementation."""

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Make the implementation take the step that leads the spec from `before` to `after`.

        `after` is there for what the label leaves open (which of several messages), not to be
        copied into the implementation. Raises StepRefused, NondeterministicStep.
        """

    def project(self) -> Named:
        """The implementation's state in the spec's variables and values.

        A variable that is left out counts as IGNORE. Sentinels may stand for a whole variable, a
        value in a map or a field of a record.
        """

    def close(self) -> None:
        """Free what the session holds. Called once, whatever happened before."""


@runtime_checkable
class Begins(Protocol):
    """A session that must be told in which of several initial states the trace begins."""

    def begin(self, initial: Named) -> None:
        """Called once, before the first `project`. Raises StepRefused."""


@runtime_checkable
class ReportsEffects(Protocol):
    """A session that sees effects which `project` does not show."""

    def effects(self) -> Iterable[str]:
        """Names of effects of the last step that the spec's step does not account for."""


@runtime_checkable
class JudgesProperty(Protocol):
    """A session that can tell by itself whether the implementation violates a property."""

    def violates(self, name: str) -> bool | None:
        """Whether the property is violated now; None if the session cannot tell."""


class Adapter(Protocol):
    """The only code that knows both a spec and an implementation."""

    @property
    def control(self) -> Control:
        """How much of the implementation the adapter steers."""

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> Session:
        """A fresh implementation with the parameters and flaws of a trace, in its initial state."""

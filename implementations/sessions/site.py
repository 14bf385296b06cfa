"""One site of a session: a core that crashes, and what survives it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from copy import copy, deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from ..storage import Log, MemoryLog

T = TypeVar("T")


@dataclass(frozen=True)
class TimerWords:
    """How cores ask for timers: the effects that start and stop one, and the event of its end.

    `ran_out` gets the key of the timer, which tells it from others of the same site: what `key`
    says of either effect, or else the first field of the effect.
    """

    start: type
    stop: type
    ran_out: Callable[[Any], Any]
    key: Callable[[Any], Hashable] | None = None

    def key_of(self, effect: Any) -> Hashable:
        """Which timer an effect is about."""
        if self.key is not None:
            return self.key(effect)
        first: Hashable = getattr(effect, fields(effect)[0].name)
        return first


def has(message: Any, values: Mapping[str, Any]) -> bool:
    """Whether the fields of a message have these values."""
    return all(getattr(message, name) == value for name, value in values.items())


@dataclass
class Site:
    """A core with its log and its timers.

    Invariants: 1. A site that is down has no timers and no memory. 2. `history` has every event
    that the core took and every effect it asked for, `outbox` every message it sent, oldest first,
    crashes and restarts notwithstanding; so is `first` kept. 3. Events, effects and messages do not
    change: copies share them, and what is in `memory` and in `first`.
    """

    name: str
    core: Any
    """While the site is down: the core as it was when it crashed."""
    up: bool = True
    log: MemoryLog = field(default_factory=MemoryLog)
    timers: set[Hashable] = field(default_factory=set)
    memory: dict[str, Any] = field(default_factory=dict)
    """What an application has there in memory, by names that the adapter gives it."""
    first: dict[str, Any] = field(default_factory=dict)
    """History that no effect tells, by names that the adapter gives it: see `note`."""
    crashes: int = 0
    history: list[Any] = field(default_factory=list)
    outbox: list[Any] = field(default_factory=list)

    def __deepcopy__(self, memo: dict[int, Any]) -> Site:
        """A site that goes its own way from here, with the same past."""
        for one in (*self.history, *self.outbox):
            memo[id(one)] = one
        copied = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("core", "log"):
            copied[name] = deepcopy(copied[name], memo)
        for name in ("timers", "memory", "first", "history", "outbox"):
            copied[name] = copy(copied[name])
        return Site(**copied)

    @property
    def running(self) -> Any:
        """The core, or None while the site is down: what is volatile is gone."""
        return self.core if self.up else None

    def note(self, **seen: Any) -> None:
        """Keep what is seen for the first time; None is not seen yet."""
        for name, value in seen.items():
            if value is not None:
                self.first.setdefault(name, value)

    def surviving(self, load: Callable[[Log], Iterable[T]]) -> tuple[T, ...]:
        """The records that a restart would load if the site crashed now, oldest first."""
        log = deepcopy(self.log)
        log.crash()
        return tuple(load(log))

    def past(self, kind: type[T]) -> tuple[T, ...]:
        """All events or effects of a class that the site ever had, oldest first."""
        return tuple(one for one in self.history if isinstance(one, kind))

    def sent(self, kind: type[T], **fields: Any) -> tuple[T, ...]:
        """All messages of a class, with these fields, that the site ever sent, oldest first."""
        return tuple(one for one in self.outbox if isinstance(one, kind) and has(one, fields))


def ever(kind: type[Any], name: str) -> Callable[[Site], set[Any]]:
    """A function of sites: all values that a field of the events or effects of a class ever had."""
    return lambda site: {getattr(one, name) for one in site.past(kind)}

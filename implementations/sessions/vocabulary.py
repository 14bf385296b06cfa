"""The words of an adapter: what a session must be told of a spec and of the cores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias

from ...language import Spec
from ..storage import Log
from .networks import Given, Network, UnorderedNetwork
from .site import TimerWords
from .wire import Wire, itself

Action: TypeAlias = Callable[[Any, Given], object] | object
"""What a step of the spec is to a session: the event that the site concerned takes, or a function,
called with the session and the step's parameters."""


def at_first(event: Callable[..., Any]) -> Action:
    """A step that is one event, at the node that is its first parameter, made of the others."""
    return lambda self, given: self.feed(self.concerned(given), event(*list(given.values())[1:]))


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a session must know of a spec, and of what the cores say."""

    spec: type[Spec]
    """The spec whose steps are taken; `project` is by its types."""
    network: type[Network] = UnorderedNetwork
    """Messages in flight, as the spec keeps them."""
    sites: tuple[str, ...] = ()
    """The node sets whose nodes run a core, where not all do (values may be nodes too)."""
    others: tuple[str, ...] = ()
    """Sites that are no nodes of the spec. The first takes the steps that name no node."""
    begin: Any = None
    """An event that every node takes before the first step, where the spec has no step for it."""
    send: type
    """The class of effects that send a `message` `to` a site."""
    received: Callable[[str, Any], Any]
    """The event that a message came, made of sender and message."""
    persist: Callable[[tuple[Any, ...], Log], tuple[Any, ...]]
    """Writes the records among some effects to a log, durably where they ask for it; the others."""
    refusal: type[Exception]
    """What cores raise at an event that cannot be."""
    timers: TimerWords | None = None
    """None where the spec's time-outs are not the ends of timers that cores set."""
    clock: Callable[[int], Any] | None = None
    """The event that a site's clock shows so many ticks; None where nobody has a clock."""
    wire: Mapping[type, Wire] = field(default_factory=dict)
    """How the spec writes messages, by class; those that it calls the same need no entry."""
    number: Callable[[Any], int] = int
    """What the spec writes as an integer and the cores do not: a ballot, or that there is none."""
    name: Callable[[Any], Any] = itself
    """The name of the node that the spec writes for what is none in the cores: a command, say."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    """The spec's own steps, by name; they go before the environment's."""
    answers: Mapping[type, Callable[[Any, Given], Any]] = field(default_factory=dict)
    """How the application answers an effect at once: the event, of session and step's parameters.

    None refuses a step that has no answer: the core asks where it should not.
    """
    demands: Mapping[str, type] = field(default_factory=dict)
    """An effect that a step must bring about, by the step's name; without it, it is refused."""

    @classmethod
    def of(cls, cores: ModuleType, **words: Any) -> Vocabulary:
        """That of a package with the usual names: Send, Received, persist, and ProtocolError.

        `words` are the other fields, and those for which the package has another name.
        """
        usual = {"send": cores.Send, "received": cores.Received, "persist": cores.persist}
        return cls(**{"refusal": cores.ProtocolError, **usual, **words})

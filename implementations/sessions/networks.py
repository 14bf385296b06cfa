"""Messages in flight, as the networks of `models.environment` keep them: a set, a bag, channels.

A spec's message says less than the real one (it has no addresses where they do not matter, no
transaction where there is one only). So what is in flight is both: the real message, which is what
a core receives, and its image in the spec, by which steps name it and states are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from ...language.values import FrozenBag, Value
from ...traces.adapter import StepRefused
from .site import has

T = TypeVar("T")

Given = Mapping[str, Value]
"""The parameters of a step, or of a spec."""


@dataclass(frozen=True)
class Envelope:
    """A message between two sites, and how the spec writes it."""

    sender: str
    to: str
    message: Any
    image: Value

    def __deepcopy__(self, memo: object) -> Envelope:
        """Itself: what is on its way does not change."""
        return self


class Network(Protocol):
    """What a session asks of a network.

    The parameters of a step say which message it is about: `message` in a set or a bag, `sender`
    and `to` in channels. All raise StepRefused where there is no such message.
    """

    @classmethod
    def of(cls, parameters: Given) -> Self:
        """An empty network, for a spec with these parameters."""

    def send(self, envelope: Envelope) -> None:
        """Put a message into the network."""

    def receive(self, given: Given) -> Envelope:
        """The message that arrives; in flight no more, unless this network duplicates."""

    def lose(self, given: Given) -> None:
        """Take a message out that never arrives."""

    def duplicate(self, given: Given) -> None:
        """Make another copy of a message."""

    def lose_where(self, lost: Callable[[Envelope], bool]) -> None:
        """Take all messages out for which `lost` is true."""

    def variables(self, names: Iterable[str]) -> Mapping[str, Value]:
        """The variables of the network's namesake in `models.environment`, for these nodes."""


class UnorderedNetwork:
    """A set: sending what is in flight already, as the spec writes it, changes nothing.

    `duplicating`: what has arrived stays in flight.
    """

    def __init__(self, *, duplicating: bool = False) -> None:
        self._duplicating = duplicating
        self._flying: dict[Value, Envelope] = {}

    def __deepcopy__(self, memo: object) -> Self:
        """A network that goes its own way from here."""
        copied = type(self)(duplicating=self._duplicating)
        copied._flying = dict(self._flying)
        return copied

    @classmethod
    def of(cls, parameters: Given) -> Self:
        """An empty one; it duplicates if a parameter of that name is true."""
        return cls(duplicating=parameters.get("duplicating", False))

    def send(self, envelope: Envelope) -> None:
        """See `Network`. Of two with one image, the first is what arrives."""
        self._flying.setdefault(envelope.image, envelope)

    def receive(self, given: Given) -> Envelope:
        """See `Network`."""
        envelope = _named(self._flying, given)
        if not self._duplicating:
            del self._flying[envelope.image]
        return envelope

    def lose(self, given: Given) -> None:
        """See `Network`."""
        del self._flying[_named(self._flying, given).image]

    def duplicate(self, given: Given) -> None:
        """Refused: a set has no copies."""
        raise StepRefused(f"no second copy of {given['message']} fits into a set")

    def lose_where(self, lost: Callable[[Envelope], bool]) -> None:
        """See `Network`."""
        self._flying = {image: one for image, one in self._flying.items() if not lost(one)}

    def variables(self, names: Iterable[str]) -> Mapping[str, Value]:
        """See `Network`."""
        return {"network": self.contents()}

    def contents(self, *kinds: type) -> frozenset[Value]:
        """The set in the spec; with `kinds`, only its messages of these classes."""
        return frozenset(one for one in self._flying if not kinds or isinstance(one, kinds))


class GrowingNetwork(UnorderedNetwork):
    """All messages that were ever sent, as in specs in which none goes away."""

    @classmethod
    def of(cls, parameters: Given) -> Self:
        """An empty one."""
        return cls(duplicating=True)

    def sent(self, kind: type[T], **fields: Value) -> tuple[T, ...]:
        """The spec's messages of a class with these fields, in the order of their first sending."""
        return tuple(one for one in self._flying if isinstance(one, kind) and has(one, fields))


class CountingNetwork:
    """A bag: each copy is received, lost and doubled on its own; of one image, the oldest first."""

    def __init__(self) -> None:
        self._flying: dict[Value, list[Envelope]] = {}

    @classmethod
    def of(cls, parameters: Given) -> Self:
        """An empty one."""
        return cls()

    def send(self, envelope: Envelope) -> None:
        """See `Network`."""
        self._flying.setdefault(envelope.image, []).append(envelope)

    def receive(self, given: Given) -> Envelope:
        """See `Network`."""
        copies = _named(self._flying, given)
        oldest = copies.pop(0)
        if not copies:
            del self._flying[oldest.image]
        return oldest

    def lose(self, given: Given) -> None:
        """See `Network`."""
        self.receive(given)

    def duplicate(self, given: Given) -> None:
        """See `Network`."""
        copies = _named(self._flying, given)
        copies.append(copies[0])

    def lose_where(self, lost: Callable[[Envelope], bool]) -> None:
        """See `Network`."""
        kept = {i: [one for one in copies if not lost(one)] for i, copies in self._flying.items()}
        self._flying = {image: copies for image, copies in kept.items() if copies}

    def variables(self, names: Iterable[str]) -> Mapping[str, Value]:
        """See `Network`."""
        return {"network": self.contents()}

    def contents(self, *kinds: type) -> FrozenBag[Value]:
        """The bag in the spec; with `kinds`, only its messages of these classes."""
        counted = {image: len(copies) for image, copies in self._flying.items()}
        return FrozenBag({i: n for i, n in counted.items() if not kinds or isinstance(i, kinds)})


class FifoNetwork:
    """A channel for every ordered pair of sites; nothing overtakes."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, str], list[Envelope]] = {}

    @classmethod
    def of(cls, parameters: Given) -> Self:
        """Empty channels."""
        return cls()

    def send(self, envelope: Envelope) -> None:
        """See `Network`."""
        self._channels.setdefault((envelope.sender, envelope.to), []).append(envelope)

    def receive(self, given: Given) -> Envelope:
        """See `Network`. Refused too where `given` names a message that is not the oldest."""
        channel = self._channel(given)
        if "message" in given and channel[0].image != given["message"]:
            raise StepRefused(f"{channel[0].image} is before {given['message']} in the channel")
        return channel.pop(0)

    def lose(self, given: Given) -> None:
        """Take the oldest message of a channel out."""
        self._channel(given).pop(0)

    def duplicate(self, given: Given) -> None:
        """Put another copy of the oldest message of a channel behind it."""
        channel = self._channel(given)
        channel.insert(0, channel[0])

    def lose_where(self, lost: Callable[[Envelope], bool]) -> None:
        """See `Network`."""
        for channel in self._channels.values():
            channel[:] = [envelope for envelope in channel if not lost(envelope)]

    def variables(self, names: Iterable[str]) -> Mapping[str, Value]:
        """See `Network`."""
        every = tuple(names)
        return {"channels": {a: {b: self.channel(a, b) for b in every} for a in every}}

    def channel(self, sender: str, to: str) -> tuple[Value, ...]:
        """A channel in the spec, the oldest message first."""
        return tuple(envelope.image for envelope in self._channels.get((sender, to), ()))

    def _channel(self, given: Given) -> list[Envelope]:
        sender, to = given["sender"].name, given["to"].name
        channel = self._channels.get((sender, to))
        if not channel:
            raise StepRefused(f"nothing is on its way from {sender} to {to}")
        return channel


def _named(flying: Mapping[Value, T], given: Given) -> T:
    """What is in flight under the image that the step names."""
    if given["message"] not in flying:
        raise StepRefused(f"{given['message']} is not in flight")
    return flying[given["message"]]

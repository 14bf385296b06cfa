"""A spec, cores and a session that do one of everything: for tests of what all sessions share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from quorate.implementations import sessions
from quorate.implementations.storage import Log
from quorate.language import (
    Map,
    Node,
    Nodes,
    Set,
    crash,
    deliver,
    durable,
    each,
    empty,
    parameter,
    record,
    request,
    require,
    timeout,
    volatile,
)
from quorate.language import action as internal
from quorate.models.environment import CrashRestart, Partitions, Timers, UnorderedNetwork

# The spec: a letter goes from the office to a node, which keeps it, and may be reminded to answer.


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@record
class Letter:
    to: Node
    colour: Colour


@record
class Answer:
    sender: Node


class Post(UnorderedNetwork[Letter | Answer], CrashRestart, Partitions, Timers):
    houses: Nodes
    speed: Colour = parameter(Colour.RED)

    kept: Map[Node, Colour | None] = durable(each(None))
    answered: Set[Node] = empty()
    read: Map[Node, bool] = volatile(each(False))

    @request
    def post(self, house: Node, colour: Colour) -> None:
        require(self.kept[house] is None)
        self.send(Letter(house, colour))

    @deliver
    def keep(self, message: Letter) -> None:
        self.receive(message)
        require(self.up[message.to] and self.connected(message.to))
        require(self.kept[message.to] is None)
        self.kept[message.to] = message.colour
        self.set_timer(message.to)

    @internal
    def look(self, house: Node) -> None:
        require(self.up[house] and not self.read[house])
        self.read[house] = True

    @timeout
    def answer(self, house: Node) -> None:
        require(self.up[house])
        self.expire(house)
        self.send(Answer(house))

    @deliver
    def hear(self, message: Answer) -> None:
        self.receive(message)
        self.answered.add(message.sender)

    def recover(self, node: Node) -> None:
        if self.kept[node] is not None:
            self.set_timer(node)

    @crash
    def crash_node(self, node: Node) -> None:
        super().crash_node(node)
        self.cancel_timer(node)


# The code.


class Paper(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Parcel:
    colour: Paper


@dataclass(frozen=True)
class Answered:
    pass


@dataclass(frozen=True)
class Junk:
    pass


@dataclass(frozen=True)
class Dispatch:
    to: str
    colour: Paper


@dataclass(frozen=True)
class Look:
    pass


@dataclass(frozen=True)
class Received:
    sender: str
    message: Parcel | Answered


@dataclass(frozen=True)
class TimedOut:
    timer: str


@dataclass(frozen=True)
class Send:
    to: str
    message: Parcel | Answered | Junk


@dataclass(frozen=True)
class Write:
    colour: Paper
    forced: bool = True


@dataclass(frozen=True)
class Start:
    timer: str


@dataclass(frozen=True)
class Stop:
    timer: str


@dataclass(frozen=True)
class Ask:
    pass


class Impossible(Exception):
    pass


@dataclass
class Office:
    answered: set[str] = field(default_factory=set)

    def handle(self, event: Any) -> tuple[Any, ...]:
        match event:
            case Dispatch(to, colour):
                return (Send(to, Parcel(colour)),)
            case Received(sender, Answered()):
                self.answered.add(sender)
        return ()


@dataclass
class House:
    forces: bool = True
    kept: Paper | None = None
    read: bool = False

    def handle(self, event: Any) -> tuple[Any, ...]:
        match event:
            case Received(_, Parcel(colour)):
                if self.kept is not None:
                    raise Impossible("one letter a house")
                self.kept = colour
                return (Write(colour, self.forces), Start("answer"), Send("office", Junk()))
            case TimedOut():
                return (Send("office", Answered()),)
            case Look():
                self.read = True
                return (Ask(),)
        return ()


def persist(effects: tuple[Any, ...], log: Log) -> tuple[Any, ...]:
    writes = [effect for effect in effects if isinstance(effect, Write)]
    for write in writes:
        log.append("kept", write.colour.value.encode(), forced=False)
    if any(write.forced for write in writes):
        log.force()
    return tuple(effect for effect in effects if not isinstance(effect, Write))


class PostSession(sessions.CoreSession[sessions.UnorderedNetwork]):
    vocabulary = sessions.Vocabulary(
        spec=Post,
        others=("office",),
        send=Send,
        received=Received,
        persist=persist,
        refusal=Impossible,
        timers=sessions.TimerWords(Start, Stop, TimedOut),
        wire={
            Parcel: lambda _, to, parcel: Letter(to, Colour(parcel.colour.value)),
            Answered: Answer,
            Junk: None,
        },
        actions={
            "post": lambda self, given: self.feed(
                "office", Dispatch(given["house"].name, Paper(given["colour"].value))
            ),
            "look": Look(),
        },
    )
    forces = True

    def create(self, name: str) -> Office | House:
        return Office() if name == "office" else House(self.forces)

    def recover(self, name: str, log: Log) -> tuple[House, tuple[Any, ...]]:
        kept = [Paper(entry.decode()) for _, entry in log.entries()]
        core = House(self.forces, kept[-1] if kept else None)
        return core, (Start("answer"),) if kept else ()

    def state(self) -> Mapping[str, Any]:
        logs = {name: self.sites[name].log.durable() for name in self.names}
        return {
            "kept": {name: log[-1][1].decode() for name, log in logs.items() if log},
            "answered": self.sites["office"].core.answered,
            "read": self.each(lambda site: site.up and site.core.read),
        }

"""The session: sites, a network, and the steps that every environment has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from ...language import Node
from ...language.ir.nodes import Kind
from ...language.labels import Label
from ...language.values import Value
from ...traces.adapter import Control, Named, StepRefused
from ...traces.trace import Setting
from ..storage import Log, MemoryLog
from .clocks import Clocks
from .meanings import Meanings
from .networks import Envelope, Given, Network, UnorderedNetwork
from .site import Site
from .vocabulary import Vocabulary
from .wire import Translation

N = TypeVar("N", bound=Network)
T = TypeVar("T")


class CoreSession(ABC, Generic[N]):
    """One run of an implementation whose cores have `handle(event) -> effects`.

    An adapter derives from it, gives the vocabulary, and writes `state`, and of `create` and
    `recover` at least one.
    A step that is not in the table of actions is one of the environment: a delivery, a loss, a
    copy, a time-out, a crash, a restart, a cut-off or its end. It concerns the first node among
    its parameters. Override the method for what the spec does otherwise.
    """

    vocabulary: ClassVar[Vocabulary]

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        """A site for each node, under its name, and for each of the others; all are up."""
        words = self.vocabulary
        self.translation = Translation.of(words.spec, parameters, words.number, words.name)
        self.parameters = self.translation.shape.parameters
        """Those of the spec, its defaults included: enumerations as members, node sets as such."""
        self.flaws = flaws
        self.names = self.translation.names(*self.vocabulary.sites)
        self.network: N = cast(N, self.vocabulary.network.of(self.parameters))
        self.isolated: set[str] = set()
        self.clocks = Clocks()
        self.meanings = Meanings()
        """What values stand for, where it is the steps that say so."""
        self.taken: Counter[Kind] = Counter()
        """How many steps of each kind were taken."""
        self.label = Label("", Kind.INTERNAL)
        """The step that is being taken."""
        self.caused: list[Any] = []
        """What all cores have asked for in this step so far."""
        self.chronicle: list[tuple[str, Any]] = []
        """The histories of all sites in one: the site's name, and what it took or asked for."""
        every = (*self.vocabulary.others, *self.names)
        self.sites = {name: Site(name, self.create(name)) for name in every}
        if words.begin is not None:
            for name in self.names:
                self.feed(name, words.begin)

    def __deepcopy__(self, memo: dict[int, Any]) -> CoreSession[N]:
        """A session that goes its own way from here; what does not change is shared."""
        copied = copy(self)
        copied.chronicle = copy(self.chronicle)
        for name, value in vars(self).items():
            if name not in ("translation", "parameters", "label", "chronicle"):
                setattr(copied, name, deepcopy(value, memo))
        return copied

    def create(self, name: str) -> Any:
        """A fresh core for a site: unless the adapter says otherwise, that of an empty log."""
        return self.recover(name, MemoryLog())[0]

    def recover(self, name: str, log: Log) -> tuple[Any, tuple[Any, ...]]:
        """The core of a site after a crash, from its log, and the effects of its recovery.

        For specs with restarts; without it a step that restarts a site is refused.
        """
        raise StepRefused(f"{name} cannot be restarted: this adapter has no recovery")

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """The state in the spec's variables, but in the cores' own values.

        Where the spec's types are not those of the cores, values are translated by name, value and
        field: see `Translation.value`. What is left out, or IGNORE, cannot be seen; but see
        `environment`.
        """

    def environment(self) -> Mapping[str, Any]:
        """The variables of `models.environment`: `project` shows those that the spec has.

        What `state` says of one of them goes before it, if it means something else in a spec.
        """
        over = self.translation.names_in
        return {
            **self.network.variables(over("channels")),
            "isolated": self.isolated,
            "up": {name: self.sites[name].up for name in over("up")},
            "crashes": self.taken[Kind.CRASH],
            **(self.time() if self.vocabulary.clock else {}),
            "timers": {name for name in over("timers") if self.sites[name].timers},
            **{f"{name}_up": self.sites[name].up for name in self.vocabulary.others},
        }

    def time(self) -> Mapping[str, Any]:
        """The time, and how far clocks are behind it, as `now` and `missed`: see `tick`."""
        return {"now": self.clocks.now, "missed": self.each(lambda s: self.clocks.missed[s.name])}

    def project(self) -> Named:
        """The state in the spec's variables and values."""
        known = self.translation.shape.variables
        around = {name: one for name, one in self.environment().items() if name in known}
        shown = {**around, **self.state()}
        return {name: self.translation.variable(name, one) for name, one in shown.items()}

    def close(self) -> None:
        """Nothing is held."""

    # Steps

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take the step of the label; what a core refuses is a refused step."""
        self.label = label
        self.caused.clear()
        try:
            self.step(self.given)
        except self.vocabulary.refusal as error:
            raise StepRefused(str(error)) from error
        demanded = self.vocabulary.demands.get(label.action)
        if demanded and not any(isinstance(effect, demanded) for effect in self.caused):
            raise StepRefused(f"nobody asks for {demanded.__name__}")
        self.taken[label.kind] += 1

    @property
    def given(self) -> Given:
        """The parameters of the step that is being taken."""
        return dict(self.label.parameters)

    def step(self, given: Given) -> None:
        """Take the step of `self.label`: from the table, or as the environment does."""
        action = self.vocabulary.actions.get(self.label.action)
        if callable(action):
            action(self, given)
            return
        if action is not None:
            self.feed(self.concerned(given), action)
            return
        match self.label.kind:
            case Kind.DELIVER:
                self.receive(given)
            case Kind.DROP:
                self.network.lose(given)
            case Kind.DUPLICATE:
                self.network.duplicate(given)
            case Kind.TIMEOUT:
                self.run_out(self.concerned(given))
            case Kind.CRASH:
                self.crash(self.concerned(given))
            case Kind.RESTART:
                self.restart(self.concerned(given))
            case Kind.PARTITION:
                self.cut_off(self.concerned(given))
            case Kind.HEAL:
                self.isolated.remove(self.concerned(given))
            case Kind.INTERNAL | Kind.REQUEST:
                raise LookupError(f"the adapter has no action {self.label.action!r}")

    def concerned(self, given: Given) -> str:
        """The site that takes a step: the first that is named among its parameters."""
        named = (value.name for value in given.values() if isinstance(value, Node))
        return next((n for n in named if n in self.sites), *self.vocabulary.others[:1])

    def receive(self, given: Given, to: str = "") -> None:
        """A message arrives; at `to`, where the step says who receives it, and the image does not.

        A message of the spec may be for whoever reads it.
        """
        envelope = self.network.receive(given)
        event = self.vocabulary.received(envelope.sender, envelope.message)
        self.feed(to or envelope.to, event)

    def arrive(self, to: str, *images: Value) -> None:
        """Messages, as the spec writes them, arrive at a site, one after another."""
        for image in images:
            self.receive({"message": image}, to)

    def pass_on(self, sender: str, to: str, kind: type, **fields: Any) -> None:
        """The last message of a class with these fields that a site ever sent arrives at another.

        For messages that the spec leaves out. Refused where there is none.
        """
        sent: tuple[Any, ...] = self.sites[sender].sent(kind, **fields)
        if not sent:
            raise StepRefused(f"{sender} has sent no {kind.__name__} with {fields}")
        self.feed(to, self.vocabulary.received(sender, sent[-1]))

    def run_out(self, name: str, key: Hashable = None) -> None:
        """A timer of a site ends. Without `key`, its only one. Refused if none is running."""
        site, timers = self.sites[name], self.vocabulary.timers
        if timers is None:
            raise LookupError(f"the adapter has no action {self.label.action!r}, and no timers")
        if key is None:
            if len(site.timers) > 1:
                raise LookupError(f"{name} has several timers: {site.timers}")
            key = next(iter(site.timers), None)
        if key not in site.timers:
            raise StepRefused(f"no timer is running at {name}" + (f": {key}" if key else ""))
        site.timers.remove(key)
        self.feed(name, timers.ran_out(key))

    def cut_off(self, name: str) -> None:
        """A site is on its own."""
        self.isolated.add(name)

    def crash(self, name: str) -> None:
        """A site loses its core, its timers, and what its log had not forced."""
        site = self.sites[name]
        site.up = False
        site.crashes += 1
        site.timers.clear()
        site.memory.clear()
        site.log.crash()

    def restart(self, name: str) -> None:
        """A site gets a new core from its log."""
        site = self.sites[name]
        site.up = True
        site.core, effects = self.recover(name, site.log)
        self.carry_out(site, effects)

    def wipe(self, name: str) -> None:
        """A site starts again as if it had never run: its log, too, is gone."""
        site = self.sites[name]
        site.log = MemoryLog()
        site.timers.clear()
        site.memory.clear()
        self.restart(name)

    def tick(self, slow: Node | None = None) -> None:
        """Time goes on for all clocks but a slow one, and the cores that are up are told."""
        shown = self.vocabulary.clock
        if shown is None:
            raise LookupError(f"the adapter has no action {self.label.action!r}, and no clocks")
        self.clocks.tick(*(() if slow is None else (slow.name,)))
        for name in self.names:
            if self.sites[name].up:
                self.feed(name, shown(self.clocks.shows(name)))

    # What cores ask for

    def feed(self, name: str, event: Any) -> None:
        """Pass an event to the core of a site and carry out its effects."""
        site = self.sites[name]
        if not site.up:
            raise StepRefused(f"{name} is down")
        effects: tuple[Any, ...] = site.core.handle(event)
        site.history.append(event)
        self.chronicle.append((name, event))
        self.carry_out(site, effects)

    def carry_out(self, site: Site, effects: tuple[Any, ...]) -> None:
        """Do what a core asks for, each effect completely before the next; then answer it."""
        site.history.extend(effects)
        self.chronicle.extend((site.name, effect) for effect in effects)
        self.caused.extend(effects)
        for effect in effects:
            for one in self.vocabulary.persist((effect,), site.log):
                self.carry_out_one(site, one)
        self.observe(site)
        for effect in effects:
            if answer := self.vocabulary.answers.get(type(effect)):
                event = answer(self, self.given)
                if event is None:
                    raise StepRefused(f"{site.name} asks, and this step has no answer: {effect}")
                self.feed(site.name, event)

    def carry_out_one(self, site: Site, effect: Any) -> None:
        """Send a message, start or stop a timer; nothing for other effects but to remember them."""
        if isinstance(effect, self.vocabulary.send):
            sent = cast(Any, effect)
            site.outbox.append(sent.message)
            self.send(site.name, sent.to, sent.message)
        elif (timers := self.vocabulary.timers) is not None:
            if isinstance(effect, timers.start):
                site.timers.add(timers.key_of(effect))
            elif isinstance(effect, timers.stop):
                site.timers.discard(timers.key_of(effect))

    def observe(self, site: Site) -> None:
        """Called after each step of a core: the place to note history that no effect tells."""

    def send(self, sender: str, to: str, message: Any) -> None:
        """Put a message into the network, unless the spec leaves it out or it cannot get there."""
        image = self.image(sender, to, message)
        if image is not None and self.reaches(sender, to):
            self.network.send(Envelope(sender, to, message, image))

    def reaches(self, sender: str, to: str) -> bool:
        """Whether what is sent is in flight at all; lost at once otherwise. Here it always is."""
        return True

    def image(self, sender: str, to: str, message: Any) -> Value:
        """A message as the spec writes it, None where the spec leaves it out."""
        return self.translation.message(self.vocabulary.wire, sender, to, message)

    def past(self, kind: type[T]) -> Iterator[tuple[str, T]]:
        """All events or effects of a class that sites ever had, with their names, oldest first."""
        return ((name, one) for name, one in self.chronicle if isinstance(one, kind))

    def in_flight(self, *variables: str) -> dict[str, frozenset[Value]]:
        """Variables of the spec that are sets of messages: of what is in flight, each its own."""
        network, kinds = cast(UnorderedNetwork, self.network), self.translation.records_in
        return {name: network.contents(*kinds(name)) for name in variables}

    def imagine(self, name: str, events: Iterable[Any]) -> Any:
        """A fresh core of a site after some events, outside the run: to ask what it would know."""
        core = self.create(name)
        for event in events:
            core.handle(event)
        return core

    def each(self, value: Callable[[Site], Any], *, of: str = "") -> dict[Node, Any]:
        """A map: a value for every node that is a site; `of`, for those of one node set."""
        names = self.translation.names(of) if of else self.names
        return {self.translation.nodes[name]: value(self.sites[name]) for name in names}

    def each_and(self, other: str, **values: Callable[[Site], Any]) -> dict[str, Any]:
        """Maps as variables, and the value of a site that is no node as `OTHER_VARIABLE`."""
        alone = {f"{other}_{name}": value(self.sites[other]) for name, value in values.items()}
        return {name: self.each(value) for name, value in values.items()} | alone

    def each_field(self, value: Callable[[Site], Any], **defaults: Any) -> dict[str, Any]:
        """Variables that are maps of the fields of an object; the default where it has no such.

        `value` is called for the nodes that the variable is about; for all if it is no map.
        """

        def field_of(name: str) -> dict[Node, Any]:
            names = self.translation.names_in(name) or self.names
            sites, nodes = [self.sites[one] for one in names], self.translation.nodes
            return {nodes[s.name]: getattr(value(s), name, defaults[name]) for s in sites}

        return {name: field_of(name) for name in defaults}


@dataclass(frozen=True)
class InProcess:
    """An adapter that starts such sessions, from the parameters and flaws of a trace."""

    session: Callable[[Mapping[str, Setting], tuple[str, ...]], CoreSession[Any]]
    control: ClassVar[Control] = Control.IN_PROCESS

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> CoreSession[Any]:
        """A fresh system."""
        return self.session(parameters, flaws)

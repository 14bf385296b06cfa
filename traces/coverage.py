"""Every step of a small instance, taken by the implementation: conformance in both directions.

Random walks (`conformance`) serve instances of any size; here the whole state graph of a spec is
walked with the implementation in every state. Sessions must be copyable by `copy.deepcopy`.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..language.ir.nodes import Kind, SpecIR
from ..language.labels import Label, Trap
from ..language.semantics import Semantics
from ..language.values import State
from .adapter import Adapter, Named, Session, StepRefused
from .compare import state_differences
from .show import step_text
from .trace import Setting

_BY_ENVIRONMENT = (
    Kind.CRASH,
    Kind.RESTART,
    Kind.DROP,
    Kind.DUPLICATE,
    Kind.PARTITION,
    Kind.HEAL,
)


@runtime_checkable
class HidesState(Protocol):
    """A session that knows more than `project` shows: one state of the spec is several of it."""

    def hidden(self) -> Hashable:
        """What its next steps depend on, apart from the state that it shows."""


@dataclass(frozen=True)
class Edge:
    """A step of the spec from a state to another."""

    source: State
    label: Label
    target: State


@dataclass(frozen=True)
class Coverage:
    """What came of it.

    `states` and `edges` are those of the spec's graph, `reached` and `driven` those of them in
    which the implementation was and which it took with the same result. `apart` says why it did
    not take the others, by edge; edges out of states that it was never in are not among them.
    `attempts` is how often it was made to take a step that the spec does not allow there (of steps
    that are not the environment's); `beyond` are those by which it then left the spec's graph,
    neither refusing, nor staying, nor taking another step of the spec: to the spec, each is an edge
    from the state to itself.
    """

    states: int
    edges: int
    reached: int
    driven: int
    apart: Mapping[Edge, str]
    attempts: int = 0
    beyond: Mapping[Edge, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the implementation does all that the spec allows, and nothing else."""
        return self.driven == self.edges and not self.beyond


def cover(
    adapter: Adapter,
    semantics: Semantics,
    *,
    ir: SpecIR,
    parameters: Mapping[str, Setting] | None = None,
    flaws: tuple[str, ...] = (),
    beyond: bool = False,
) -> Coverage:
    """Drive an implementation along every edge of a spec's state graph; with `beyond`, also off it.

    A state in which the implementation can be in several ways (`HidesState`) is left in each of
    them, and an edge counts as driven if one of them takes it. The constraint bounds the graph.
    """
    graph = _graph(semantics)
    walk = _Walk(graph, tuple(variable.name for variable in ir.variables), beyond)
    for state in graph:
        walk.expected.update(graph[state])
    for initial in semantics.initial_states():
        if not isinstance(initial, Trap):
            walk.arrive(initial, adapter.start(dict(parameters or {}), flaws))
    while walk.waiting:
        walk.leave(*walk.waiting.pop(0))
    return walk.result()


def _graph(semantics: Semantics) -> dict[State, list[Edge]]:
    """The edges out of every reachable state."""
    found: dict[State, list[Edge]] = {}
    waiting = [one for one in semantics.initial_states() if not isinstance(one, Trap)]
    while waiting:
        state = waiting.pop()
        if state in found:
            continue
        steps = semantics.successors(state) if semantics.allowed(state) else ()
        edges = [Edge(state, s.label, s.target) for s in steps if not isinstance(s.target, Trap)]
        found[state] = list(dict.fromkeys(edges))
        waiting += [edge.target for edge in edges]
    return found


class _Walk:
    """An implementation on its way through a graph."""

    def __init__(
        self, graph: Mapping[State, list[Edge]], names: tuple[str, ...], beyond: bool
    ) -> None:
        self.graph = graph
        self.names = names
        self.expected: set[Edge] = set()
        self.waiting: list[tuple[State, Session]] = []
        self.seen: set[tuple[State, Hashable]] = set()
        self.driven: set[Edge] = set()
        self.apart: dict[Edge, str] = {}
        every = dict.fromkeys(edge.label for edges in graph.values() for edge in edges)
        self.others = [one for one in every if beyond and one.kind not in _BY_ENVIRONMENT]
        self.attempts = 0
        self.beyond: dict[Edge, str] = {}

    def named(self, state: State) -> Named:
        return dict(zip(self.names, state, strict=True))

    def arrive(self, state: State, session: Session) -> None:
        """The session is in the state: go on from here, unless one like it has been here."""
        hidden = session.hidden() if isinstance(session, HidesState) else None
        if (state, hidden) not in self.seen:
            self.seen.add((state, hidden))
            self.waiting.append((state, session))

    def leave(self, state: State, session: Session) -> None:
        """Take every step out of the state, each on a copy."""
        for edge in self.graph[state]:
            copied = copy.deepcopy(session)
            reason = self.take(edge, copied)
            if reason:
                self.apart.setdefault(edge, reason)
            else:
                self.driven.add(edge)
                self.arrive(edge.target, copied)
        allowed = {edge.label for edge in self.graph[state]}
        for label in self.others:
            if label not in allowed:
                self.attempt(label, state, copy.deepcopy(session))
        session.close()

    def take(self, edge: Edge, session: Session) -> str:
        """Why the session does not take the step as the spec does; empty if it does."""
        after = self.named(edge.target)
        try:
            session.apply(edge.label, self.named(edge.source), after)
        except StepRefused as refused:
            return f"{step_text(edge.label)}: {refused}"
        found = state_differences(after, session.project())
        fields = ", ".join(one.field for one in found)
        return f"{step_text(edge.label)}: the states differ in {fields}" if found else ""

    def attempt(self, label: Label, state: State, session: Session) -> None:
        """Make the session take a step that the spec does not allow."""
        self.attempts += 1
        before = self.named(state)
        try:
            session.apply(label, before, before)
        except StepRefused:
            return
        shown = session.project()
        allowed = (state, *(edge.target for edge in self.graph[state]))
        if all(state_differences(self.named(one), shown) for one in allowed):
            fields = ", ".join(one.field for one in state_differences(before, shown))
            self.beyond[Edge(state, label, state)] = f"{step_text(label)}: it changes {fields}"

    def result(self) -> Coverage:
        return Coverage(
            states=len(self.graph),
            edges=len(self.expected),
            reached=len({state for state, _ in self.seen}),
            driven=len(self.driven),
            apart={edge: why for edge, why in self.apart.items() if edge not in self.driven},
            attempts=self.attempts,
            beyond=self.beyond,
        )

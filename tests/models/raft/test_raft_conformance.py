"""The Raft implementation and the spec, step by step, in both directions; and with each flaw.

From the spec: every edge of a state graph is driven on the implementation. From the implementation:
what the spec does not allow, the implementation refuses, unless it leads out of the spec's bounds.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft import adapter
from quorate.language import Instance
from quorate.language.ir.nodes import Kind
from quorate.language.labels import Label, Trap
from quorate.language.values import State
from quorate.traces import Setting, check_adapter
from quorate.traces.adapter import Named, StepRefused
from quorate.traces.compare import state_differences

MODEL = registry.find("raft")
BY_SERVERS = (Kind.TIMEOUT, Kind.REQUEST, Kind.INTERNAL, Kind.DELIVER)

# 2 servers with every fault, and 3 with an election in which one may follow or stand as well.
FAULTS: dict[str, Setting] = {
    "servers": 2,
    "values": 1,
    "max_term": 1,
    "max_log": 1,
    "max_messages": 2,
    "max_crashes": 1,
    "lossy": True,
    "check_quorum": True,
}
TERMS: dict[str, Setting] = {
    "servers": 3,
    "values": 1,
    "max_term": 2,
    "max_log": 1,
    "max_messages": 2,
    "max_crashes": 0,
    "heartbeats": False,
}
# Two leaders of one term, each without a vote: they hear from each other.
RIVALS: dict[str, Setting] = {
    "servers": 2,
    "values": 1,
    "max_term": 1,
    "max_log": 1,
    "max_messages": 2,
    "max_crashes": 0,
    "heartbeats": False,
}


class Graph:
    """A state graph of the spec, walked with the implementation in every state."""

    def __init__(self, parameters: dict[str, Setting], flaws: tuple[str, ...] = ()) -> None:
        self.instance: Instance = check.build(MODEL, parameters, flaws)
        self.semantics = self.instance.evaluator()
        self.names = [variable.name for variable in self.instance.ir.variables]
        self.parameters = self.instance.parameters
        self.flaws = flaws
        self.states = self.edges = 0
        self.labels: set[Label] = set()
        """Steps that the spec has anywhere."""

    def named(self, state: State) -> Named:
        return dict(zip(self.names, state, strict=True))

    def agree(self, state: State, session: Any, path: tuple[Label, ...]) -> None:
        found = state_differences(self.named(state), session.project())
        assert not found, (found, path)

    def walk(self) -> Iterator[tuple[State, Any, set[Label]]]:
        """Drive every edge; yields each state once, with a session in it and what is enabled."""
        (initial,) = self.semantics.initial_states()
        assert not isinstance(initial, Trap)
        begun = adapter.start(dict(self.parameters), self.flaws)
        self.agree(initial, begun, ())
        waiting: list[tuple[State, Any, tuple[Label, ...]]] = [(initial, begun, ())]
        seen = {initial}
        while waiting:
            state, session, path = waiting.pop()
            enabled = self.semantics.successors(state)
            for transition in enabled:
                assert not isinstance(transition.target, Trap)
                after, way = twin(session), (*path, transition.label)
                after.apply(transition.label, {}, {})
                self.agree(transition.target, after, way)
                self.edges += 1
                if transition.target not in seen:
                    seen.add(transition.target)
                    waiting.append((transition.target, after, way))
            self.states += 1
            self.labels |= {transition.label for transition in enabled}
            yield state, session, {transition.label for transition in enabled}

    def is_beyond(self, shown: Named) -> bool:
        """Whether a state has left the bounds of the spec."""
        bound = self.parameters
        return bool(
            max(shown["current_term"].values()) > bound["max_term"]
            or max(map(len, shown["log"].values())) > bound["max_log"]
            or len(shown["network"]) > bound["max_messages"]
        )


def twin(session: Any) -> Any:
    """A copy that goes on by itself; this adapter asks nothing of the past."""
    for site in session.sites.values():
        site.history.clear()
        site.outbox.clear()
    session.caused.clear()
    return copy.deepcopy(session)


def can_be_tried(label: Label, shown: Named) -> bool:
    """Whether it is for the servers to refuse a step: what is not in flight cannot arrive."""
    message = dict(label.parameters).get("message")
    return label.kind in BY_SERVERS and (message is None or message in shown["network"])


@pytest.mark.parametrize(
    ("parameters", "flaws", "size"),
    [
        # States are those of the explorer; it counts an initial state more than there are edges.
        ({**TERMS, "max_log": 0}, (), (82, 117)),
        ({**TERMS, "max_term": 1}, (), (604, 1200)),
        pytest.param(TERMS, (), (3010, 6204), marks=pytest.mark.slow),
        (RIVALS, ("majority_half",), (142, 312)),
    ],
    ids=["terms", "entry", "terms-and-entry", "rivals"],
)
def test_every_edge_of_the_graph_is_driven(
    parameters: dict[str, Setting], flaws: tuple[str, ...], size: tuple[int, int]
) -> None:
    graph = Graph(parameters, flaws)
    for _ in graph.walk():
        pass
    assert (graph.states, graph.edges) == size


def test_every_edge_is_driven_and_no_other_is_possible() -> None:
    """3008 edges with crashes, losses and step-downs; and all that is no edge is tried too."""
    graph = Graph(FAULTS)
    walked = list(graph.walk())
    assert (graph.states, graph.edges) == (726, 3008)
    refused: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    for state, session, enabled in walked:
        shown = session.project()
        spare = twin(session)
        for label in graph.labels - enabled:
            if not can_be_tried(label, shown):
                continue
            try:
                spare.apply(label, {}, {})
            except StepRefused:
                refused[label.action] += 1
                if label.kind is not Kind.DELIVER:
                    graph.agree(state, spare, (label,))  # nothing has changed
                    continue
            else:
                assert graph.is_beyond(spare.project()), (label, graph.named(state))
                beyond[label.action] += 1
            spare = twin(session)
    assert set(beyond) == {"time_out", "client_request", "send_entries", "send_heartbeat"}
    assert set(refused) == {label.action for label in graph.labels if label.kind in BY_SERVERS}


BAD: dict[str, Setting] = {
    "servers": 3,
    "values": 1,
    "max_term": 2,
    "max_log": 2,
    "max_messages": 5,
    "max_crashes": 1,
    "heartbeats": True,
}
WORSE: dict[str, Setting] = {
    "servers": 4,
    "values": 2,
    "max_term": 3,
    "max_log": 3,
    "batch": 2,
    "max_messages": 9,
    "max_crashes": 2,
    "lossy": True,
    "duplicating": True,
    "check_quorum": True,
}


def follows(parameters: dict[str, Setting], flaws: tuple[str, ...], walks: int) -> None:
    """Random runs of the spec, on the implementation."""
    instance = check.build(MODEL, parameters, flaws)
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=parameters,
        flaws=flaws,
        walks=walks,
        steps=40,
    )
    assert found is None, found[1].lines()


@pytest.mark.parametrize("parameters", [BAD, WORSE], ids=["bad", "worse"])
def test_the_implementation_follows_the_spec(parameters: dict[str, Setting]) -> None:
    follows(parameters, (), 6)


@pytest.mark.parametrize("flaw", MODEL.flaws)
def test_the_flawed_implementation_follows_the_flawed_spec(flaw: str) -> None:
    follows(BAD, (flaw,), 2)

"""Client sessions: the option off is Raft; on, a command that comes again is executed once."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.cli import check, registry
from quorate.implementations.adapters.raft_sessions import adapter
from quorate.language import Node
from quorate.language.failures import Disabled
from quorate.models.raft_sessions.spec import RaftSessions
from quorate.traces import Setting, check_adapter
from quorate.traces.coverage import cover

MODEL = registry.find("raft-sessions")


def alone(**given: Any) -> tuple[RaftSessions, Node, Any]:
    """A server that leads by itself, and a client's command."""
    bounds = {"max_term": 3, "max_log": 3, "max_messages": 1, "max_executions": 3, **given}
    spec = RaftSessions(servers=1, values=1, **bounds)
    (server,) = spec.servers
    spec.time_out(server)
    return spec, server, next(iter(spec.values))


def test_a_command_that_was_executed_is_answered_from_the_session() -> None:
    spec, server, value = alone()
    spec.client_request(server, value)
    assert spec.executed[server][value] == 1
    with pytest.raises(Disabled):
        spec.client_request(server, value)
    assert len(spec.log[server]) == 1


def test_a_command_that_is_twice_in_the_log_is_executed_once() -> None:
    spec, server, value = alone()
    spec.client_request(server, value)
    spec.log[server].append(spec.log[server][0])
    assert not spec.committed_twice()
    spec.commit_index[server] = 2
    spec.execute(server, 1, 2)
    assert spec.executed[server][value] == 1
    assert spec.committed_twice()


def test_a_crash_loses_the_state_machine_and_the_log_brings_it_back() -> None:
    spec, server, value = alone()
    spec.client_request(server, value)
    spec.crash_node(server)
    assert spec.executed[server][value] == 0
    spec.restart_node(server)
    spec.time_out(server)
    spec.client_request(server, value)
    assert (spec.commit_index[server], spec.executed[server][value]) == (2, 1)


def test_the_flaw_executes_again() -> None:
    spec, server, value = alone(no_client_dedup=True)
    spec.client_request(server, value)
    spec.client_request(server, value)
    assert spec.executed[server][value] == 2
    assert not spec.executed_once()


def test_off_it_is_raft() -> None:
    base = {entry.name: entry for entry in registry.find("raft").instances}
    off = [e for e in MODEL.instances if "max_executions" not in e.parameters]
    assert len(off) == 2
    for entry in off:
        same = base[entry.name]
        assert entry.parameters == same.parameters
        figures = (same.distinct, same.generated, same.depth)
        assert (entry.distinct, entry.generated, entry.depth) == figures


@pytest.mark.parametrize(
    ("flaws", "edges"), [((), 171), (("no_client_dedup",), 431)], ids=["correct", "R29"]
)
def test_every_edge_of_the_graph_is_driven(flaws: tuple[str, ...], edges: int) -> None:
    entry = next(entry for entry in MODEL.instances if entry.name == "one-log")
    instance = check.build(MODEL, entry.parameters, flaws)
    found = cover(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=instance.parameters,
        flaws=flaws,
    )
    assert (found.edges, found.driven, dict(found.apart)) == (edges, edges, {})


MORE: dict[str, Setting] = {
    "servers": 3,
    "values": 2,
    "max_executions": 3,
    "max_term": 2,
    "max_log": 3,
    "batch": 2,
    "max_messages": 6,
    "max_crashes": 2,
}


@pytest.mark.parametrize("flaws", [(), ("no_client_dedup",)], ids=["correct", "R29"])
def test_the_implementation_follows_the_spec(flaws: tuple[str, ...]) -> None:
    instance = check.build(MODEL, MORE, flaws)
    found = check_adapter(
        adapter,
        instance.evaluator(),
        ir=instance.ir,
        parameters=MORE,
        flaws=flaws,
        walks=3,
        steps=60,
    )
    assert found is None, found[1].lines()

"""The lock service: counts by a search by hand, its steps, and a wrong one for each property."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import check, registry
from quorate.cli.manifest import InstanceEntry
from quorate.language import deliver, instantiate, request, require
from quorate.language.failures import Disabled
from quorate.models.lock_service.spec import Client, Lease, LockService, Release, Write
from quorate.tests.reference_search import reference_search

MODEL = registry.find("lock-service")
CLEAN = [entry for entry in MODEL.instances if not entry.flaws]
FLAWED = [entry for entry in MODEL.instances if entry.expected == "violated"]


class State(NamedTuple):
    """The service as a client of numbers sees it: tokens are given in a row, each to one client."""

    holder: int  # the token that is leased; 0 for none
    given: tuple[tuple[int, int], ...]  # the tokens that were given, each with its client
    believed: tuple[int, ...]
    written: frozenset[int]
    released: frozenset[int]
    accepted: frozenset[int]
    last: int


def steps(state: State, clients: int, tokens: int) -> Iterator[State]:
    """The states after one step, once for each way to take it."""
    newest = max((token for token, _ in state.given), default=0)
    for client in range(clients):
        for token in range(newest + 1, tokens + 1):
            if not state.holder:
                yield state._replace(holder=token, given=(*state.given, (token, client)))
        if mine := state.believed[client]:
            yield state._replace(written=state.written | {mine})
            forgets = tuple(0 if c == client else t for c, t in enumerate(state.believed))
            yield state._replace(released=state.released | {mine}, believed=forgets)
    for token, client in state.given:
        learns = tuple(token if c == client else t for c, t in enumerate(state.believed))
        yield state._replace(believed=learns)
    if state.holder:
        yield state._replace(holder=0)
    if state.holder in state.released:
        yield state._replace(holder=0)
    for token in state.written:
        if token >= state.last:
            yield state._replace(accepted=state.accepted | {token}, last=token)
    yield state._replace(holder=0)  # a restart


def test_a_search_by_hand_agrees() -> None:
    """With three tokens it agrees too, in six seconds."""
    entry = MODEL.instance("clients-2")
    clients, tokens = entry.parameters["clients"], entry.parameters["max_token"]
    assert isinstance(clients, int)
    assert isinstance(tokens, int)
    none: frozenset[int] = frozenset()
    level = {State(0, (), (0,) * clients, none, none, none, 0)}
    seen, generated, depth = set(level), 1, 0
    while level:
        depth += 1
        following = [after for state in level for after in steps(state, clients, tokens)]
        generated += len(following)
        level = set(following) - seen
        seen |= level
    assert (len(seen), generated, depth) == (entry.distinct, entry.generated, entry.depth)


@pytest.mark.parametrize("entry", FLAWED, ids=lambda entry: entry.name)
def test_a_flaw_is_found_where_the_service_is_clean_without_it(entry: InstanceEntry) -> None:
    assert any(one.parameters == entry.parameters and not one.properties for one in CLEAN)


def test_the_reference_search_finds_a_flaw_as_soon() -> None:
    entry = MODEL.instance("K02-token-given-twice")
    instance = check.build(MODEL, entry.parameters, entry.flaws)
    wanted = [p for p in instance.ir.properties if p.name == entry.violates]
    found = reference_search(instance.evaluator(), wanted, max_states=40)
    assert found.violated == {entry.violates: entry.length}


def test_the_storage_refuses_an_old_token_and_the_service_an_old_release() -> None:
    spec = LockService(clients=2, max_token=2)
    a, b = spec.clients
    spec.grant(a, 1)
    spec.receive_lease(Lease(1, a))
    spec.write(a)
    with pytest.raises(Disabled):
        spec.grant(b, 2)
    spec.expire(Lease(1, a))
    spec.grant(b, 2)
    spec.receive_lease(Lease(2, b))
    spec.write(b)
    spec.accept_write(Write(2, b))
    with pytest.raises(Disabled):
        spec.accept_write(Write(1, a))
    spec.release(a)
    with pytest.raises(Disabled):
        spec.receive_release(Release(1, a))
    assert (spec.accepted, spec.last, spec.locked) == ({Write(2, b)}, 2, True)


class Presuming(LockService):
    """Clients that are given the lock take all to be."""

    @deliver
    def receive_lease(self, lease: Lease) -> None:
        """Tell everybody."""
        require(lease in self.messages)
        for client in self.clients:
            self.believed[client] = lease.token


class Forging(LockService):
    """Clients show the token of their choice: the newest."""

    @request
    def write(self, client: Client) -> None:
        """Write without a lock."""
        require(self.newest > 0)
        self.messages.add(Write(self.newest, client))


class Inventing(LockService):
    """The storage writes what nobody has sent."""

    @deliver
    def accept_write(self, message: Write) -> None:
        """Write for all."""
        require(message in self.messages)
        for client in self.clients:
            self.accepted.add(Write(message.token, client))
        self.last = message.token


BROKEN: list[tuple[type[LockService], str, set[str]]] = [
    (Presuming, "", {"leases-were-granted"}),
    (Forging, "", {"writers-had-leases", "OneWriterPerToken"}),
    (Inventing, "", {"accepted-were-sent"}),
    (LockService, "no_fencing", {"Fencing", "TokensRise"}),
    (LockService, "token_not_persisted", {"TokensAreGivenOnce", "given-tokens-are-known"}),
    (LockService, "unlock_by_name", {"OneLease", "leases-lock"}),
]


@pytest.mark.parametrize(("wrong", "flaw", "broken"), BROKEN)
def test_a_wrong_service_breaks_the_property(
    wrong: type[LockService], flaw: str, broken: set[str]
) -> None:
    flaws = (flaw,) if flaw else ()
    parameters = {"clients": 2, "max_token": 3}
    instance = instantiate(wrong, parameters, flaws, properties=MODEL.outside)
    for name in sorted(broken):
        result = explore(instance, properties=[name])
        assert [violation.property for violation in result.violations] == [name]


def test_every_property_is_broken_by_something() -> None:
    stated = {name for name, info in MODEL.properties.items() if info.kind != "sometimes"}
    assert stated == set().union(*(names for *_, names in BROKEN))

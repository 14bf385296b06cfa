"""The networks: what is in flight, arrives, is lost, is doubled; and what is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import pytest

from quorate.implementations.sessions import (
    CountingNetwork,
    Envelope,
    FifoNetwork,
    GrowingNetwork,
    Network,
    UnorderedNetwork,
)
from quorate.language import Node
from quorate.language.ir.types import Sort
from quorate.language.values import FrozenBag
from quorate.traces import StepRefused

SITES = Sort("sites", 2)
A, B = (Node(SITES, index) for index in range(2))
FROM_A = {"sender": A, "to": B}


def envelope(image: str | int, message: str = "", sender: Node = A, to: Node = B) -> Envelope:
    return Envelope(sender.name, to.name, message, image)


def test_a_set_keeps_one_of_each_image_and_the_first() -> None:
    network = UnorderedNetwork()
    network.send(envelope("x", "first"))
    network.send(envelope("x", "second"))
    network.send(envelope("y"))
    assert network.contents() == {"x", "y"}
    assert network.receive({"message": "x"}).message == "first"
    assert network.contents() == {"y"}
    with pytest.raises(StepRefused, match="x is not in flight"):
        network.receive({"message": "x"})
    with pytest.raises(StepRefused, match="into a set"):
        network.duplicate({"message": "y"})
    network.lose({"message": "y"})
    assert network.contents() == frozenset()
    with pytest.raises(StepRefused, match="y is not in flight"):
        network.lose({"message": "y"})


def test_a_duplicating_set_keeps_what_arrives_and_not_what_is_lost() -> None:
    network = UnorderedNetwork.of({"duplicating": True})
    network.send(envelope("x"))
    for _ in range(2):
        assert network.receive({"message": "x"}).image == "x"
    network.lose({"message": "x"})
    assert network.contents() == frozenset()


def test_what_only_grows_shows_messages_by_their_fields_as_they_were_sent() -> None:
    network = GrowingNetwork.of({})
    for image in (complex(2, 1), complex(1, 1), complex(3, 0), complex(2, 1)):
        network.send(Envelope("a", "b", None, cast(Any, image)))
    assert network.sent(complex) == (2 + 1j, 1 + 1j, 3 + 0j)
    assert network.sent(complex, imag=1.0) == (2 + 1j, 1 + 1j)
    assert network.sent(complex, imag=1.0, real=2.0) == (2 + 1j,)
    assert network.sent(str) == ()
    assert deepcopy(network).sent(complex) == network.sent(complex)


def test_what_only_grows_keeps_what_arrives_without_being_told_to() -> None:
    network = GrowingNetwork.of({})
    network.send(envelope("x", "first"))
    network.send(envelope("x", "second"))
    for one in (network, deepcopy(network)):
        assert one.receive({"message": "x"}).message == "first"
        assert one.contents() == {"x"}


def test_a_bag_counts_copies() -> None:
    network = CountingNetwork.of({})
    for message in ("first", "second"):
        network.send(envelope("x", message))
    network.duplicate({"message": "x"})
    assert network.contents() == FrozenBag({"x": 3})
    assert [network.receive({"message": "x"}).message for _ in range(2)] == ["first", "second"]
    network.lose({"message": "x"})
    assert network.contents() == FrozenBag()
    for step in (network.receive, network.lose, network.duplicate):
        with pytest.raises(StepRefused, match="x is not in flight"):
            step({"message": "x"})


def test_of_a_set_or_a_bag_the_messages_of_some_classes() -> None:
    for network in (UnorderedNetwork(), CountingNetwork()):
        network.send(envelope("x"))
        network.send(envelope(3))
        assert set(network.contents(str)) == {"x"}
        assert set(network.contents()) == {"x", 3}


def test_in_a_channel_nothing_overtakes() -> None:
    network = FifoNetwork.of({})
    for image in "xyz":
        network.send(envelope(image))
    network.send(envelope("w", sender=B, to=A))
    with pytest.raises(StepRefused, match="x is before y"):
        network.receive({**FROM_A, "message": "y"})
    assert network.receive({**FROM_A, "message": "x"}).image == "x"
    network.duplicate(FROM_A)
    assert network.channel("site1", "site2") == ("y", "y", "z")
    network.lose(FROM_A)
    assert [network.receive(FROM_A).image for _ in range(2)] == ["y", "z"]
    assert network.channel("site2", "site1") == ("w",)
    for step in (network.receive, network.lose, network.duplicate):
        with pytest.raises(StepRefused, match="from site1 to site2"):
            step(FROM_A)


@pytest.mark.parametrize("network", [UnorderedNetwork(), CountingNetwork(), FifoNetwork()])
def test_all_that_is_on_its_way_to_somebody_can_be_lost(network: Network) -> None:
    network.send(envelope("x"))
    network.send(envelope("y", sender=B, to=A))
    network.lose_where(lambda one: one.to == "site2")
    with pytest.raises(StepRefused):
        network.receive({**FROM_A, "message": "x"})
    assert network.receive({"sender": B, "to": A, "message": "y"}).image == "y"


def test_networks_are_the_variables_of_their_namesakes() -> None:
    unordered, counting, fifo = UnorderedNetwork(), CountingNetwork(), FifoNetwork()
    for network in (unordered, counting, fifo):
        network.send(envelope("x"))
    names = ("site1", "site2")
    assert unordered.variables(names) == {"network": {"x"}}
    assert counting.variables(names) == {"network": {"x": 1}}
    assert fifo.variables(names) == {
        "channels": {"site1": {"site1": (), "site2": ("x",)}, "site2": {"site1": (), "site2": ()}}
    }

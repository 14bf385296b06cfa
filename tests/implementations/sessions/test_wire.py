"""Values of an implementation as those of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import pytest

from quorate.implementations.sessions import Translation, Wire
from quorate.language import (
    Bag,
    Map,
    Node,
    Nodes,
    OrderedNodes,
    Seq,
    Set,
    Spec,
    at_most,
    between,
    each,
    empty,
    record,
)
from quorate.language.values import FrozenBag, FrozenMap
from quorate.traces import IGNORE, any_of


class Judge(Node):
    """A second kind of node."""


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@record
class Stamp:
    colour: Colour
    owner: Node | None


@record
class Card:
    sender: Node | None
    to: Node
    number: Annotated[int, between(0, 3)]


class Types(Spec):
    sites: Nodes
    judges: OrderedNodes[Judge]

    colour: Colour = Colour.RED
    owner: Node | None = None
    judge: Judge | None = None
    some: Set[Node] = empty()
    stamps: Annotated[Seq[Stamp], at_most(2)] = empty()
    pile: Annotated[Bag[Colour], at_most(2, copies=2)] = empty()
    told: Map[Node, Map[Judge, Stamp | None]] = each(each(None))
    count: Map[Node, Annotated[int, between(0, 3)]] = each(0)
    days: Map[Annotated[int, between(1, 2)], Colour | None] = each(None)
    network: Annotated[Set[Stamp | Card], at_most(2)] = empty()


class Paint(Enum):
    ROSSO = "red"
    BLU = "blue"


@dataclass(frozen=True)
class Seal:
    colour: Paint
    owner: str | None
    serial: int = 0


@dataclass(frozen=True)
class RealCard:
    number: int


RealCard.__name__ = "Card"  # the code's own, of the same name as the spec's

TRANSLATION = Translation.of(Types, {"sites": 2, "judges": 2})
S1, S2, J1, J2 = TRANSLATION.nodes.values()


def test_nodes_go_by_name_and_are_ordered_where_the_spec_says_so() -> None:
    assert list(TRANSLATION.nodes) == ["site1", "site2", "judge1", "judge2"]
    assert isinstance(J1, Judge)
    assert J1 < J2
    with pytest.raises(TypeError, match="interchangeable"):
        S1 < S2  # noqa: B015 - the comparison itself raises


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("colour", Paint.BLU, Colour.BLUE),
        ("colour", "blue", Colour.BLUE),
        ("colour", Colour.BLUE, Colour.BLUE),
        ("owner", "site2", S2),
        ("owner", S2, S2),
        ("owner", None, None),
        ("owner", "somebody else", None),
        ("judge", "judge1", J1),
        ("some", ["site1", "site2"], frozenset({S1, S2})),
        ("stamps", [Seal(Paint.ROSSO, "site1", 7)], (Stamp(Colour.RED, S1),)),
        ("pile", {Paint.BLU: 2}, FrozenBag({Colour.BLUE: 2})),
        ("count", {"site1": 1, "site2": 0}, FrozenMap({S1: 1, S2: 0})),
        (
            "told",
            {"site1": {"judge2": Seal(Paint.BLU, None)}, "site2": {}},
            FrozenMap({S1: {J1: None, J2: Stamp(Colour.BLUE, None)}, S2: {J1: None, J2: None}}),
        ),
        ("count", (("site1", 1), ("site2", 0)), FrozenMap({S1: 1, S2: 0})),
        ("days", {2: "red"}, FrozenMap({1: None, 2: Colour.RED})),
        ("days", ((1, "red"),), FrozenMap({1: Colour.RED, 2: None})),
        ("network", {Stamp(Colour.RED, None)}, frozenset({Stamp(Colour.RED, None)})),
        ("owner", IGNORE, IGNORE),
        ("owner", any_of("site1", None), any_of(S1, None)),
        ("unheard of", "as it is", "as it is"),
    ],
)
def test_values_by_the_type_of_the_variable(name: str, value: Any, wanted: Any) -> None:
    assert TRANSLATION.variable(name, value) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "green"),
        ("some", ["site3"]),
        ("stamps", [Paint.BLU]),
        ("network", {Seal(Paint.BLU, None)}),
    ],
)
def test_what_fits_no_type_of_the_spec_raises(name: str, value: Any) -> None:
    with pytest.raises((KeyError, ValueError, AttributeError)):
        TRANSLATION.variable(name, value)


def test_the_nodes_of_a_set_and_those_that_a_variable_is_about() -> None:
    assert TRANSLATION.names() == ("site1", "site2", "judge1", "judge2")
    assert TRANSLATION.names("judges") == ("judge1", "judge2")
    assert TRANSLATION.names_in("told") == TRANSLATION.names_in("some") == ("site1", "site2")
    assert TRANSLATION.names_in("colour") == TRANSLATION.names_in("unheard of") == ()
    with pytest.raises(KeyError):
        TRANSLATION.names("seats")


def test_a_message_is_the_record_of_its_name_between_its_ends() -> None:
    assert TRANSLATION.message({}, "site1", "site2", RealCard(2)) == Card(S1, S2, 2)
    assert TRANSLATION.message({}, "office", "site2", RealCard(2)) == Card(None, S2, 2)


def test_a_message_that_the_spec_calls_otherwise_or_leaves_out() -> None:
    seal = Seal(Paint.BLU, "site1")
    stamp = Stamp(Colour.BLUE, S1)
    assert TRANSLATION.message({Seal: Stamp}, "site1", "site2", seal) == stamp
    ends = TRANSLATION.message({Seal: lambda *args: args}, "office", "site2", seal)
    assert ends == (None, S2, seal)
    assert TRANSLATION.message({Seal: None}, "site1", "site2", seal) is None
    with pytest.raises(LookupError, match="no record Seal"):
        TRANSLATION.message({}, "site1", "site2", seal)


@record
class Parcel:
    to: Node
    number: Annotated[int, between(0, 3)]


class Posted(Spec):
    sites: Nodes
    network: Annotated[Set[Card | Parcel], at_most(2)] = empty()


def test_of_several_records_the_first_whose_ends_are_nodes() -> None:
    posted = Translation.of(Posted, {"sites": 2})
    first, second = posted.nodes.values()
    wires: dict[type, Wire] = {RealCard: (Card, Parcel)}
    assert posted.message(wires, "site1", "site2", RealCard(2)) == Card(first, second, 2)
    assert posted.message(wires, "office", "site2", RealCard(2)) == Parcel(second, 2)
    with pytest.raises(LookupError, match="no wire for it"):
        posted.message(wires, "site1", "office", RealCard(2))


def test_what_is_no_integer_in_a_core_becomes_one() -> None:
    rounds = {None: 0, "first": 1}
    translation = Translation.of(Types, {"sites": 1, "judges": 1}, rounds.__getitem__)
    (site,) = translation.shape.universe.nodes["sites"]
    assert translation.variable("count", {site.name: "first"}) == FrozenMap({site: 1})
    assert translation.variable("count", {site.name: None}) == FrozenMap({site: 0})
    assert translation.variable("count", {site.name: 3}) == FrozenMap({site: 3})
    with pytest.raises(KeyError):
        translation.variable("count", {site.name: "second"})


def test_what_has_the_name_of_a_node_in_a_core_becomes_the_node() -> None:
    def name(value: object) -> object:
        return f"site{value.number}" if isinstance(value, RealCard) else value

    translation = Translation.of(Types, {"sites": 2, "judges": 1}, name=name)
    first, second, _ = translation.nodes.values()
    assert translation.variable("owner", RealCard(2)) == second
    assert translation.variable("owner", RealCard(3)) is None
    assert translation.variable("some", {RealCard(1), "site2"}) == {first, second}

"""A network with two sides; what is kept of sites; what is shown of those that are no nodes."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Annotated, Any

from quorate.implementations import sessions
from quorate.implementations.sessions import InProcess
from quorate.implementations.storage import Log
from quorate.language import Map, Node, Set, between, each, empty, partition
from quorate.language.ir.nodes import Kind
from quorate.language.labels import Label
from quorate.tests.implementations.sessions.post import (
    Answer,
    Answered,
    Colour,
    Letter,
    Look,
    Paper,
    Post,
    PostSession,
    Received,
    Send,
    Write,
)


class Halves(Post):
    far_side: Set[Node] = empty()
    changed: Map[Node, bool] = each(False)
    regroupings: Annotated[int, between(0, 9)] = 0
    office_up: bool = True
    office_seen: Set[Node] = empty()
    seen: Map[Node, Set[Node]] = each(empty())

    @partition
    def regroup(self, house: Node) -> None:
        pass


class HalvesSession(sessions.SidedSession[sessions.UnorderedNetwork], PostSession):
    vocabulary = replace(PostSession.vocabulary, spec=Halves)


def started() -> tuple[HalvesSession, Any, Any]:
    session = HalvesSession({"houses": 2}, ())
    first, second = session.translation.nodes.values()
    return session, first, second


def take(session: Any, action: str, kind: Kind, **given: Any) -> None:
    session.apply(Label(action, kind, tuple(given.items())), {}, {})


def sides(session: HalvesSession) -> tuple[Any, Any, Any]:
    shown = session.project()
    return shown["far_side"], {n for n, new in shown["changed"].items() if new}, shown["network"]


def answer(session: HalvesSession, sender: str, to: str) -> None:
    """A house sends what the spec writes as an answer of its own."""
    session.carry_out(session.sites[sender], (Send(to, Answered()),))


def test_a_site_goes_over_and_what_is_between_the_sides_is_lost() -> None:
    session, first, second = started()
    assert sides(session) == (set(), set(), set())
    answer(session, "house1", "house2")
    answer(session, "house2", "office")
    take(session, "regroup", Kind.PARTITION, house=first)
    assert sides(session) == ({first}, {first, second}, {Answer(second)})
    assert session.project()["regroupings"] == 1
    answer(session, "house1", "office")
    assert sides(session)[2] == {Answer(second)}  # never in flight
    take(session, "regroup", Kind.PARTITION, house=first)
    assert sides(session)[0] == set()
    answer(session, "house1", "office")
    assert sides(session)[2] == {Answer(first), Answer(second)}


def test_a_view_tells_one_side_and_empties_what_is_between_its_members() -> None:
    session, first, second = started()
    answer(session, "house2", "house2")
    take(session, "regroup", Kind.PARTITION, house=first)
    assert session.view("house2") == {"house2"}
    assert sides(session) == ({first}, {first}, set())
    answer(session, "house2", "office")
    assert session.view("house1") == {"house1"}
    assert sides(session) == ({first}, set(), {Answer(second)})


def test_a_crash_and_a_restart_are_noticed() -> None:
    session, first, second = started()
    answer(session, "house1", "house2")
    take(session, "crash_node", Kind.CRASH, node=second)
    assert sides(session) == (set(), {first, second}, set())
    assert session.view("house1") == {"house1"}
    take(session, "restart_node", Kind.RESTART, node=second)
    assert sides(session)[1] == {first, second}
    assert session.view("house1") == {"house1", "house2"}


def test_sides_are_each_copys_own() -> None:
    session, first, _ = started()
    twin = copy.deepcopy(session)
    take(twin, "regroup", Kind.PARTITION, house=first)
    assert (session.far_side, session.changed, twin.far_side) == (set(), set(), {"house1"})


def test_what_a_site_has_that_is_no_node() -> None:
    session, first, second = started()
    assert session.project()["office_up"] is True
    take(session, "close", Kind.CRASH)
    assert session.project()["office_up"] is False
    session.feed("house2", Look())
    looked = session.each_and("office", looks=lambda site: len(site.past(Look)))
    assert looked == {"looks": {first: 0, second: 1}, "office_looks": 0}


def test_every_value_that_a_field_ever_had() -> None:
    session, *_ = started()
    senders = sessions.ever(Received, "sender")
    assert senders(session.sites["office"]) == set()
    for sender in ("house1", "house2", "house1"):
        session.feed("office", Received(sender, Answered()))
    assert senders(session.sites["office"]) == {"house1", "house2"}


def test_what_is_first_seen_stays() -> None:
    session, first, _ = started()
    site = session.sites["house1"]
    site.note(colour=None, number=1)
    assert site.first == {"number": 1}
    site.note(colour=Paper.RED, number=2)
    take(session, "crash_node", Kind.CRASH, node=first)
    twin = copy.deepcopy(session)
    twin.sites["house1"].note(more=3)
    assert site.first == {"colour": Paper.RED, "number": 1}


def test_records_that_survive_are_those_that_were_forced() -> None:
    def load(log: Log) -> list[str]:
        return [entry.decode() for _, entry in log.entries()]

    session, first, _ = started()
    site = session.sites["house1"]
    session.carry_out(site, (Write(Paper.RED), Write(Paper.BLUE, forced=False)))
    assert site.surviving(load) == ("red",)
    assert load(site.log) == ["red", "blue"]  # asking loses nothing
    take(session, "crash_node", Kind.CRASH, node=first)
    assert site.surviving(load) == ("red",)


class EarlyRisers(PostSession):
    vocabulary = replace(PostSession.vocabulary, begin=Look())


def test_what_every_node_takes_before_the_first_step() -> None:
    session = InProcess(EarlyRisers).start({"houses": 2}, ())
    assert [len(session.sites[name].past(Look)) for name in session.names] == [1, 1]
    assert not session.sites["office"].past(Look)
    assert list(session.past(Look)) == [("house1", Look()), ("house2", Look())]
    assert not InProcess(PostSession).start({"houses": 1}, ()).sites["house1"].past(Look)


def test_letters_still_come_on_ones_own_side() -> None:
    session, first, _ = started()
    take(session, "post", Kind.REQUEST, house=first, colour=Colour.RED)
    take(session, "keep", Kind.DELIVER, message=Letter(first, Colour.RED))
    assert session.sites["house1"].core.kept is Paper.RED
    take(session, "regroup", Kind.PARTITION, house=first)
    take(session, "look", Kind.INTERNAL, house=first)

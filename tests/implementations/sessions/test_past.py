"""What all sites did, what they sent, and what that lets a step of the spec hand over."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

import pytest

from quorate.implementations.sessions import CoreSession, Vocabulary
from quorate.implementations.storage import Log
from quorate.language import Node
from quorate.language.ir.nodes import Kind
from quorate.language.labels import Label
from quorate.tests.implementations.sessions.post import (
    Answer,
    Answered,
    Colour,
    Dispatch,
    House,
    Impossible,
    Junk,
    Letter,
    Look,
    Paper,
    Parcel,
    Post,
    PostSession,
    Received,
    Send,
    Write,
    persist,
)
from quorate.traces import StepRefused


def posted() -> tuple[PostSession, Node, Node]:
    """Letters to both houses are on their way: a red one, and then a blue one."""
    session = PostSession({"houses": 2}, ())
    first, second = session.translation.nodes.values()
    for house, colour in ((first, Colour.RED), (second, Colour.BLUE)):
        given = (("house", house), ("colour", colour))
        session.apply(Label("post", Kind.REQUEST, given), {}, {})
    return session, first, second


def test_the_past_of_all_sites_is_in_order() -> None:
    session, first, second = posted()
    session.receive({"message": Letter(second, Colour.BLUE)})
    session.receive({"message": Letter(first, Colour.RED)})
    assert [(name, one.colour) for name, one in session.past(Write)] == [
        ("house2", Paper.BLUE),
        ("house1", Paper.RED),
    ]
    assert [name for name, _ in session.past(Dispatch)] == ["office", "office"]


def test_the_past_is_not_shared_with_a_copy() -> None:
    session, *_ = posted()
    twin = copy.deepcopy(session)
    twin.feed("house1", Look())
    assert [name for name, _ in twin.past(Look)] == ["house1"]
    assert not list(session.past(Look))
    assert list(session.past(Dispatch)) == list(twin.past(Dispatch))


def test_what_a_core_refuses_is_not_in_the_past() -> None:
    session, first, _ = posted()
    session.receive({"message": Letter(first, Colour.RED)})
    with pytest.raises(Impossible):
        session.feed("house1", Received("office", Parcel(Paper.BLUE)))
    assert len(list(session.past(Received))) == 1


def test_a_step_may_say_who_receives_a_message() -> None:
    session, first, _ = posted()
    session.receive({"message": Letter(first, Colour.RED)}, "house2")
    assert session.sites["house2"].core.kept is Paper.RED
    assert session.sites["house1"].core.kept is None


def test_several_messages_arrive_in_one_step() -> None:
    session, first, second = posted()
    letters = Letter(second, Colour.BLUE), Letter(first, Colour.RED)
    session.arrive("office", *letters)
    received = [event.message for _, event in session.past(Received)]
    assert received == [Parcel(Paper.BLUE), Parcel(Paper.RED)]
    with pytest.raises(StepRefused, match="not in flight"):
        session.arrive("office", letters[0])


def test_what_the_spec_leaves_out_is_passed_on() -> None:
    session, *_ = posted()
    session.pass_on("office", "house1", Parcel, colour=Paper.BLUE)
    assert session.sites["house1"].core.kept is Paper.BLUE
    session.pass_on("office", "house2", Parcel)
    assert session.sites["house2"].core.kept is Paper.BLUE  # the last that was sent
    with pytest.raises(StepRefused, match="has sent no Parcel"):
        session.pass_on("house1", "house2", Parcel)
    with pytest.raises(StepRefused, match="house2 has sent no Answered"):
        session.pass_on("house2", "office", Answered)
    assert session.sites["house1"].sent(Junk) == (Junk(),)


def test_messages_of_a_site_by_their_fields() -> None:
    office = posted()[0].sites["office"]
    assert office.sent(Parcel) == (Parcel(Paper.RED), Parcel(Paper.BLUE))
    assert office.sent(Parcel, colour=Paper.BLUE) == (Parcel(Paper.BLUE),)


def test_variables_that_are_sets_of_messages_show_what_is_in_flight() -> None:
    session, first, second = posted()
    letters = frozenset({Letter(first, Colour.RED), Letter(second, Colour.BLUE)})
    assert session.in_flight("network") == {"network": letters}
    assert set(session.translation.records_in("network")) == {Letter, Answer}
    with pytest.raises(TypeError, match="kept is no set of records"):
        session.in_flight("kept")


def test_what_a_site_would_know_is_asked_outside_the_run() -> None:
    session, *_ = posted()
    core = session.imagine("house1", [Received("office", Parcel(Paper.BLUE)), Look()])
    assert (core.kept, core.read) == (Paper.BLUE, True)
    assert session.sites["house1"].core == House()
    assert not session.sites["house1"].history


class Reopens(PostSession):
    """Has no `create` of its own."""

    create = CoreSession.create

    def recover(self, name: str, log: Log) -> tuple[House, tuple[Any, ...]]:
        core, effects = super().recover(name, log)
        core.read = not log.entries()
        return core, effects


def test_a_fresh_core_is_that_of_an_empty_log() -> None:
    session = Reopens({"houses": 1}, ())
    assert session.sites["house1"].core == House(read=True)
    assert not session.chronicle  # to begin is no step


def test_the_words_of_a_package_are_found_by_their_names() -> None:
    cores = ModuleType("cores")
    usual: dict[str, Any] = {"Send": Send, "Received": Received, "persist": persist}
    vars(cores).update(usual | {"ProtocolError": Impossible})
    words = Vocabulary.of(cores, spec=Post, others=("office",), refusal=KeyError)
    assert (words.send, words.received, words.persist) == (Send, Received, persist)
    assert (words.spec, words.others, words.timers) == (Post, ("office",), None)
    assert words.refusal is KeyError  # what is said goes before what is found

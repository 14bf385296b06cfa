"""What sessions keep beside the cores: clocks, what values stand for, and what is in memory."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import pytest

from quorate.implementations.sessions import Clocks, Meanings, at_first
from quorate.language import Node
from quorate.language.ir.nodes import Kind
from quorate.language.labels import Label
from quorate.tests.implementations.sessions.post import (
    Colour,
    Dispatch,
    House,
    Letter,
    Paper,
    PostSession,
)
from quorate.traces import StepRefused


@dataclass(frozen=True)
class Shows:
    """A clock shows so many ticks."""

    ticks: int


class TimedSession(PostSession):
    vocabulary = replace(
        PostSession.vocabulary,
        clock=Shows,
        actions={"tick": lambda self, given: self.tick(given["slow"])},
    )


def started(session: type[PostSession] = TimedSession) -> tuple[Any, Node, Node]:
    made = session({"houses": 2}, ())
    first, second = made.translation.nodes.values()
    return made, first, second


def take(session: Any, action: str, kind: Kind = Kind.INTERNAL, **given: Any) -> None:
    session.apply(Label(action, kind, tuple(given.items())), {}, {})


def test_a_slow_clock_misses_a_tick_and_never_gets_it_back() -> None:
    clocks = Clocks()
    clocks.tick()
    clocks.tick("a")
    clocks.tick("a", "b")
    assert [clocks.shows(name) for name in "abc"] == [1, 2, 3]
    assert (clocks.now, clocks.missed["a"], clocks.missed["c"]) == (3, 2, 0)


def test_cores_are_told_what_their_own_clock_shows() -> None:
    session, first, second = started()
    take(session, "tick", slow=None)
    take(session, "tick", slow=second)
    assert session.sites["house1"].past(Shows) == (Shows(1), Shows(2))
    assert session.sites["house2"].past(Shows) == (Shows(1), Shows(1))
    assert session.time() == {"now": 2, "missed": {first: 0, second: 1}}


def test_the_clock_of_a_site_that_is_down_goes_on_and_nobody_is_told() -> None:
    session, first, _ = started()
    take(session, "crash_node", Kind.CRASH, node=first)
    take(session, "tick", slow=None)
    assert session.sites["house1"].past(Shows) == ()
    assert session.clocks.shows("house1") == 1


def test_time_shows_only_where_there_are_clocks() -> None:
    assert {"now", "missed"} <= set(started()[0].environment())
    untimed, _, _ = started(PostSession)
    assert not {"now", "missed"} & set(untimed.environment())
    with pytest.raises(LookupError, match="no clocks"):
        untimed.tick()


def test_a_value_stands_for_one_thing_and_one_thing_has_one_value() -> None:
    meanings = Meanings()
    meanings.note("v1", ("a", "b"))
    meanings.note("v1", ("a", "b"))
    with pytest.raises(StepRefused, match="v1 stands for that, not v2"):
        meanings.note("v2", ("a", "b"))
    with pytest.raises(StepRefused, match="v1 stands for something else"):
        meanings.note("v1", None)
    meanings.note("v2", ())
    assert meanings.of == {"v1": ("a", "b"), "v2": ()}
    assert meanings.value == {("a", "b"): "v1", (): "v2"}


def test_what_is_refused_leaves_the_meanings_as_they_were() -> None:
    meanings = Meanings()
    meanings.note("v1", 1)
    with pytest.raises(StepRefused):
        meanings.note("v1", 2)
    assert meanings.value == {1: "v1"}


def test_memory_is_gone_with_a_crash_and_each_copy_has_its_own() -> None:
    session, first, _ = started()
    memory = session.sites["house1"].memory
    memory["guest"] = "Ann"
    twin = copy.deepcopy(session)
    take(session, "crash_node", Kind.CRASH, node=first)
    assert not memory
    assert twin.sites["house1"].memory == {"guest": "Ann"}


def test_a_site_that_is_wiped_begins_anew() -> None:
    session, first, _ = started(PostSession)
    take(session, "post", Kind.REQUEST, house=first, colour=Colour.RED)
    take(session, "keep", Kind.DELIVER, message=Letter(first, Colour.RED))
    site = session.sites["house1"]
    site.memory["guest"] = "Ann"
    assert site.log.durable()
    assert site.timers
    session.wipe("house1")
    assert site.core == House()
    assert (site.log.entries(), site.timers, site.memory) == ((), set(), {})


class AtFirst(PostSession):
    vocabulary = replace(
        PostSession.vocabulary, actions={"paint": at_first(lambda colour: Dispatch("x", colour))}
    )


def test_a_step_that_is_one_event_is_made_of_all_but_the_first_parameter() -> None:
    session, _, second = started(AtFirst)
    take(session, "paint", house=second, colour=Paper.BLUE)
    assert session.sites["house2"].history == [Dispatch("x", Paper.BLUE)]
    assert session.sites["house1"].history == []

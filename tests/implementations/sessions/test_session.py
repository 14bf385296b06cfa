"""The steps that all sessions take, on a system of two houses and a post office."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from quorate.implementations.sessions import CoreSession, InProcess
from quorate.language import Map, Node, Nodes, each, instantiate
from quorate.language.ir.nodes import Kind
from quorate.language.labels import Label
from quorate.language.values import FrozenMap
from quorate.tests.implementations.sessions.post import (
    Answer,
    Ask,
    Colour,
    Dispatch,
    House,
    Impossible,
    Junk,
    Letter,
    Look,
    Paper,
    Post,
    PostSession,
    Received,
    Start,
    Stop,
    TimedOut,
    Write,
)
from quorate.traces import Control, StepRefused, check_adapter


class Tint(Node):
    """A node that runs nothing."""


HARSH = {
    "houses": 2,
    "max_crashes": 3,
    "lossy": True,
    "duplicating": False,
    "partitions": True,
}


def started(**parameters: Any) -> tuple[PostSession, Node, Node]:
    session = PostSession({"houses": 2, **parameters}, ())
    first, second = session.translation.nodes.values()
    return session, first, second


def take(session: PostSession, action: str, kind: Kind, **given: Any) -> None:
    session.apply(Label(action, kind, tuple(given.items())), {}, {})


def kept(session: PostSession, house: Node) -> None:
    """A red letter is posted and arrives."""
    take(session, "post", Kind.REQUEST, house=house, colour=Colour.RED)
    take(session, "keep", Kind.DELIVER, message=Letter(house, Colour.RED))


def follows(session: type[PostSession]) -> bool:
    instance = instantiate(Post, HARSH)
    adapter = InProcess(session)
    return check_adapter(adapter, instance.evaluator(), ir=instance.ir, parameters=HARSH) is None


def test_random_walks_of_the_spec_agree() -> None:
    assert follows(PostSession)
    assert InProcess(PostSession).control is Control.IN_PROCESS


class Forgets(PostSession):
    forces = False


class KeepsTimers(PostSession):
    def crash(self, name: str) -> None:
        timers = set(self.sites[name].timers)
        super().crash(name)
        self.sites[name].timers |= timers


class LosesNothing(PostSession):
    def restart(self, name: str) -> None:
        read = self.sites[name].core.read
        super().restart(name)
        self.sites[name].core.read = read


@pytest.mark.parametrize("session", [Forgets, KeepsTimers, LosesNothing])
def test_sessions_that_do_it_otherwise_are_told(session: type[PostSession]) -> None:
    assert not follows(session)


def test_a_session_begins_as_the_spec_does() -> None:
    session, first, second = started()
    assert session.project() == {
        "network": frozenset(),
        "isolated": frozenset(),
        "up": {first: True, second: True},
        "crashes": 0,
        "timers": frozenset(),
        "kept": {first: None, second: None},
        "answered": frozenset(),
        "read": {first: False, second: False},
    }
    assert session.parameters["speed"] is Colour.RED  # the spec's default


def test_parameters_that_are_enumerations_go_by_member_name() -> None:
    assert started(speed="BLUE")[0].parameters["speed"] is Colour.BLUE
    assert started(speed=Colour.BLUE)[0].parameters["speed"] is Colour.BLUE


def test_a_message_is_what_the_core_sent_and_its_image_what_the_spec_writes() -> None:
    session, first, second = started()
    take(session, "post", Kind.REQUEST, house=first, colour=Colour.RED)
    assert session.project()["network"] == {Letter(first, Colour.RED)}
    take(session, "keep", Kind.DELIVER, message=Letter(first, Colour.RED))
    (received,) = session.sites["house1"].past(Received)
    assert received.sender == "office"
    # What the house sent in turn, the spec leaves out.
    assert session.project()["network"] == frozenset()
    assert session.project()["kept"] == FrozenMap({first: Colour.RED, second: None})


def test_a_message_that_is_not_in_flight_is_refused() -> None:
    session, first, _ = started()
    with pytest.raises(StepRefused, match="not in flight"):
        take(session, "hear", Kind.DELIVER, message=Answer(first))


def test_what_a_core_refuses_is_a_refused_step() -> None:
    session, first, _ = started()
    kept(session, first)
    with pytest.raises(StepRefused, match="one letter a house"):
        kept(session, first)
    assert len(session.sites["house1"].past(Received)) == 1


def test_a_time_out_ends_the_timer_that_the_core_set() -> None:
    session, first, second = started()
    kept(session, first)
    assert session.project()["timers"] == {first}
    take(session, "answer", Kind.TIMEOUT, house=first)
    assert session.project()["timers"] == frozenset()
    assert session.project()["network"] == {Answer(first)}
    for house in (first, second):
        with pytest.raises(StepRefused, match="no timer is running"):
            take(session, "answer", Kind.TIMEOUT, house=house)


def test_of_several_timers_the_adapter_says_which() -> None:
    session, first, _ = started()
    kept(session, first)
    session.carry_out(session.sites["house1"], (Start("another"), Start("third"), Stop("third")))
    with pytest.raises(LookupError, match="several timers"):
        take(session, "answer", Kind.TIMEOUT, house=first)
    session.run_out("house1", "answer")
    assert session.sites["house1"].timers == {"another"}


def test_a_crash_loses_the_core_the_timers_and_what_was_not_forced() -> None:
    session, first, _ = started()
    kept(session, first)
    site = session.sites["house1"]
    # Forcing the first does not force the second, though `persist` forces once for all it is given.
    session.carry_out(site, (Write(Paper.RED), Write(Paper.BLUE, forced=False)))
    take(session, "look", Kind.INTERNAL, house=first)
    take(session, "crash_node", Kind.CRASH, node=first)
    assert (site.up, site.running, site.timers, site.crashes) == (False, None, set(), 1)
    assert site.core.read  # how it was, for specs that show it
    with pytest.raises(StepRefused, match="house1 is down"):
        take(session, "look", Kind.INTERNAL, house=first)
    take(session, "restart_node", Kind.RESTART, node=first)
    assert site.running == House(kept=Paper.RED)
    assert site.timers == {"answer"}
    assert site.past(Look) == (Look(),)  # the past outlives crashes
    assert site.sent(Junk) == (Junk(),)  # whether the spec shows it or not
    assert session.project()["crashes"] == 1


def test_a_restart_is_refused_where_the_adapter_has_no_recovery() -> None:
    class WithoutRecovery(PostSession):
        recover = CoreSession.recover

    session = WithoutRecovery({"houses": 2}, ())
    first, _ = session.translation.nodes.values()
    take(session, "crash_node", Kind.CRASH, node=first)
    with pytest.raises(StepRefused, match="cannot be restarted"):
        take(session, "restart_node", Kind.RESTART, node=first)


def test_a_step_that_names_no_node_is_one_of_the_first_other_site() -> None:
    session, *_ = started()
    take(session, "close", Kind.CRASH)
    assert not session.sites["office"].up


class Town(Post):
    colours: Nodes[Tint]
    seen: Map[Node, Tint | None] = each(None)


class TownSession(PostSession):
    vocabulary = replace(
        PostSession.vocabulary,
        spec=Town,
        sites=("houses",),
        actions={**PostSession.vocabulary.actions, "paint": Look()},
    )

    def state(self) -> dict[str, Any]:
        return {**super().state(), "seen": self.each(lambda _: "colour2")}


def test_nodes_that_are_no_sites_are_values() -> None:
    session = TownSession({"houses": 2, "colours": 2}, ())
    first, second, _, tint = session.translation.nodes.values()
    assert list(session.sites) == ["office", "house1", "house2"]
    take(session, "paint", Kind.INTERNAL, colour=tint, house=second)
    assert session.sites["house2"].past(Look)
    shown = session.project()
    assert shown["up"] == {first: True, second: True}
    assert shown["seen"] == {first: tint, second: tint}
    assert session.each(lambda site: site.up, of="houses") == {first: True, second: True}


def test_cutting_off_and_coming_back() -> None:
    session, first, _ = started()
    take(session, "isolate", Kind.PARTITION, node=first)
    assert session.project()["isolated"] == {first}
    take(session, "reconnect", Kind.HEAL, node=first)
    assert session.project()["isolated"] == frozenset()
    assert session.taken[Kind.PARTITION] == session.taken[Kind.HEAL] == 1


def test_what_does_not_reach_its_receiver_is_never_in_flight() -> None:
    class Cut(PostSession):
        def reaches(self, sender: str, to: str) -> bool:
            return to != "house1"

    session = Cut({"houses": 2}, ())
    first, second = session.translation.nodes.values()
    for house in (first, second):
        take(session, "post", Kind.REQUEST, house=house, colour=Colour.RED)
    assert session.project()["network"] == {Letter(second, Colour.RED)}


def test_an_unknown_step_is_a_fault_of_the_adapter() -> None:
    session, first, _ = started()
    with pytest.raises(LookupError, match="no action 'paint'"):
        take(session, "paint", Kind.INTERNAL, house=first)
    untimed = Untimed({"houses": 1}, ())
    with pytest.raises(LookupError, match="no timers"):
        take(untimed, "answer", Kind.TIMEOUT, house=first)


class Untimed(PostSession):
    vocabulary = replace(PostSession.vocabulary, timers=None)


class Demanding(PostSession):
    vocabulary = replace(
        PostSession.vocabulary,
        demands={"look": Ask, "post": Ask},
        answers={Ask: lambda self, given: given.get("reply") and TimedOut("reply")},
    )


def test_an_effect_that_a_step_demands_must_come_and_be_answered() -> None:
    session = Demanding({"houses": 1}, ())
    (house,) = session.translation.nodes.values()
    take(session, "look", Kind.INTERNAL, house=house, reply=True)
    assert session.sites["house1"].history[:3] == [Look(), Ask(), TimedOut("reply")]
    with pytest.raises(StepRefused, match="nobody asks for Ask"):
        take(session, "post", Kind.REQUEST, house=house, colour=Colour.RED)
    with pytest.raises(StepRefused, match="no answer"):
        take(session, "look", Kind.INTERNAL, house=house)


def test_a_copy_goes_its_own_way() -> None:
    session, first, _ = started()
    kept(session, first)
    twin = copy.deepcopy(session)
    take(twin, "crash_node", Kind.CRASH, node=first)
    assert session.sites["house1"].up
    take(session, "look", Kind.INTERNAL, house=first)
    assert not twin.sites["house1"].past(Look)


def test_fields_become_maps_with_defaults() -> None:
    session, first, second = started()
    session.sites["house1"].core.kept = Paper.RED
    found = session.each_field(lambda site: site.core, kept=None, missing=3)
    assert found == {
        "kept": {first: Paper.RED, second: None},
        "missing": {first: 3, second: 3},
    }


def test_an_event_fed_outside_a_step_is_refused_by_the_core_itself() -> None:
    session, first, _ = started()
    session.feed("office", Dispatch(first.name, Paper.RED))
    kept(session, first)
    with pytest.raises(Impossible):
        session.feed("house1", session.sites["house1"].past(Received)[0])

"""ITF: what is written is read back, by us and by itf-py; damage is told in one message."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import itf_py
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from quorate.language.ir.nodes import Const, Kind, SpecIR, TrapKind, Variable
from quorate.language.ir.types import (
    BOOL,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SetType,
    UnionType,
)
from quorate.language.labels import Label, Trap
from quorate.language.values import FrozenMap, Universe, types_of
from quorate.tests.traces.support import (
    TYPES,
    UNIVERSE,
    VOTE,
    disagreement,
    run,
    universe_of,
    values,
)
from quorate.traces import Outcome, Trace, TraceError, TraceMeta, TrapStep, itf
from quorate.traces.document import Document, parse_document, read_document
from quorate.traces.generic import as_trace
from quorate.traces.itf_values import ValueCodec


def written(trace: Trace) -> dict[str, Any]:
    """The JSON of a trace of VOTE, as a file would hold it."""
    document: dict[str, Any] = json.loads(itf.render_json(itf.encode(trace, VOTE, UNIVERSE)))
    return document


def parsed(document: object) -> Document:
    return parse_document(json.dumps(document), "t.itf.json")


# -- round trips -----------------------------------------------------------------------------------


def test_a_trace_comes_back_from_a_file(tmp_path: Path) -> None:
    trace = replace(disagreement(), meta=replace(disagreement().meta, outcome=Outcome.STEP_REFUSED))
    path = tmp_path / "new" / "vote.itf.json"
    itf.write(trace, path, VOTE, UNIVERSE)
    document = read_document(path)
    assert document.header == trace.meta
    assert itf.decode(document, VOTE, UNIVERSE) == trace
    assert [file.name for file in path.parent.iterdir()] == ["vote.itf.json"]


def test_a_trap_and_a_loop_come_back() -> None:
    trap = TrapStep(
        Label("decide", Kind.TIMEOUT, (), (True,)), Trap(TrapKind.BOUND, "round", "m", 7)
    )
    meta = TraceMeta("vote", property="bounds", property_kind="bounds", trap=trap)
    trace = replace(run(["prepare", "prepare"], meta), loop=1)
    assert itf.decode(parsed(written(trace)), VOTE, UNIVERSE) == trace


def test_the_states_explored_come_back_and_may_be_missing() -> None:
    plain = disagreement()
    trace = replace(plain, meta=replace(plain.meta, explored=1234))
    document = written(trace)
    assert document["#meta"]["explored"] == 1234
    assert itf.decode(parsed(document), VOTE, UNIVERSE) == trace
    assert "explored" not in written(plain)["#meta"]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_value_of_every_type_comes_back(data: st.DataObject) -> None:
    kind = data.draw(TYPES)
    universe = universe_of(kind)
    value = data.draw(values(kind, universe))
    codec = ValueCodec(universe)
    item = json.loads(json.dumps(codec.encode(value, kind)))
    back = codec.decode(item, kind, "x")
    assert back == value
    assert type(back) is type(value)
    described = json.loads(json.dumps(codec.describe(value)))
    assert codec.recognise(described, "x") == value


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_itf_py_reads_what_we_write_and_we_read_what_it_writes(data: st.DataObject) -> None:
    kind = data.draw(TYPES)
    # itf-py makes tuples of records, so different variants can be equal: sets of them collapse.
    assume(not any(isinstance(one, UnionType) for one in types_of(kind)))
    universe = universe_of(kind)
    value = data.draw(values(kind, universe))
    spec = SpecIR("Any", (), (Variable("x", kind, Const(BOOL, False)),), ())
    trace = Trace(("x",), ((value,),), (), TraceMeta("any"))
    document = json.loads(itf.render_json(itf.encode(trace, spec, universe)))
    theirs = itf_py.trace_from_json(document)
    assert theirs.meta["format"] == "quorate"
    again = json.loads(json.dumps(itf_py.trace_to_json(theirs)))
    assert itf.decode(parsed(again), spec, universe) == trace


def test_itf_py_reads_unions() -> None:
    theirs = itf_py.trace_from_json(written(disagreement()))
    assert theirs.vars == ["phase", "messages", "votes", "round"]
    last = theirs.states[-1].values
    assert last["round"] == 2
    assert last["phase"] == {"rm1": "COMMITTED", "rm2": "ABORTED"}
    kinds = sorted((type(one).__name__, *one) for one in last["messages"])
    assert kinds == [("Decision", False, 1), ("Decision", True, 0), ("Prepared", "rm1")]
    back = json.loads(json.dumps(itf_py.trace_to_json(theirs)))
    assert itf.decode(parsed(back), VOTE, UNIVERSE) == disagreement()


def test_a_file_of_itf_py_without_its_spec_is_shown() -> None:
    theirs = itf_py.Trace({}, [], ["x"], [itf_py.State({}, {"x": frozenset({(1, "a")})})], None)
    document = parsed(itf_py.trace_to_json(theirs))
    assert as_trace(document).states == ((frozenset({(1, "a")}),),)


@pytest.mark.parametrize("empty", [{}, [], {"#tup": []}, None])
def test_a_variant_without_payload_is_read_in_every_form(empty: object) -> None:
    ack, nack = RecordType("Ack", ()), RecordType("Nack", ())
    kind = UnionType((ack, nack))
    universe = universe_of(kind)
    codec = ValueCodec(universe)
    assert codec.decode({"tag": "Ack", "value": empty}, kind, "x") == universe.records["Ack"]()
    option = OptionType(BOOL)
    assert codec.decode({"tag": "None", "value": empty}, option, "x") is None


def test_plain_numbers_are_read_and_never_written() -> None:
    document = written(disagreement())
    assert document["states"][-1]["round"] == {"#bigint": "2"}
    document["states"][-1]["round"] = 2
    assert itf.decode(parsed(document), VOTE, UNIVERSE) == disagreement()


def test_sets_and_maps_are_written_sorted() -> None:
    kind = MapType(IntType(0, 1), SetType(IntType(0, 20)))
    value = FrozenMap([(1, frozenset({10, 9, 2})), (0, frozenset())])
    numbers = [{"#bigint": "2"}, {"#bigint": "9"}, {"#bigint": "10"}]
    assert ValueCodec(universe_of(kind)).encode(value, kind) == {
        "#map": [[{"#bigint": "0"}, {"#set": []}], [{"#bigint": "1"}, {"#set": numbers}]]
    }


def test_everything_of_ours_is_under_meta() -> None:
    document = written(disagreement())
    assert set(document) == {"#meta", "vars", "states"}
    assert set(document["states"][0]) == {"#meta", *document["vars"]}
    assert document["states"][3]["#meta"] == {
        "index": 3,
        "action": "decide",
        "kind": "timeout",
        "parameters": {},
        "choices": [True],
    }
    assert document["#meta"]["varTypes"] == {
        "phase": "(Str -> Str)",
        "messages": "Set(Decision({ commit: Bool, round: Int }) | Prepared({ rm: Str }))",
        "votes": "(Str -> Nothing(Seq(Int)) | Some(Seq(Bool)))",
        "round": "Int",
    }


# -- writing that fails ----------------------------------------------------------------------------


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("mine")
    with pytest.raises(TraceError, match="cannot write the trace"):
        itf.write(disagreement(), blocked / "t.itf.json", VOTE, UNIVERSE)
    folder = tmp_path / "folder"
    (folder / "t.itf.json").mkdir(parents=True)
    with pytest.raises(TraceError, match="cannot write the trace"):
        itf.write(disagreement(), folder / "t.itf.json", VOTE, UNIVERSE)
    assert [one.name for one in folder.iterdir()] == ["t.itf.json"]
    assert blocked.read_text() == "mine"


def test_the_old_file_stays_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.itf.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TraceError, match="No space left"):
        itf.write(disagreement(), path, VOTE, UNIVERSE)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_trace_that_breaks_its_invariants_is_not_written(tmp_path: Path) -> None:
    trace = disagreement()
    no_setting: Any = {"rms": None}
    for broken in (
        replace(trace, labels=trace.labels[1:]),
        replace(trace, states=()),
        replace(trace, states=(*trace.states[:-1], (1, 2))),
        replace(trace, variables=("phase", "phase", "votes", "round")),
        replace(trace, loop=7),
        replace(trace, meta=replace(trace.meta, property_kind="never")),
        replace(trace, meta=replace(trace.meta, property="")),
        replace(trace, meta=replace(trace.meta, parameters=no_setting)),
    ):
        with pytest.raises(TraceError):
            itf.write(broken, tmp_path / "t.itf.json", VOTE, UNIVERSE)
    assert list(tmp_path.iterdir()) == []


# -- reading what is damaged -----------------------------------------------------------------------


def change(document: Any, place: list[Any], value: object) -> Any:
    """The document with one item replaced; without it where the value is `...`."""
    *outer, last = place
    holder = document
    for key in outer:
        holder = holder[key]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return document


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["vars"], ..., "'vars' is missing"),
        (["states"], [], "states: expected an array of at least one state"),
        (["vars"], ["phase", "phase"], "vars: expected distinct names"),
        (["states", 2, "round"], ..., "state 2: no value for round"),
        (["states", 2, "extra"], 1, "state 2: 'extra' not among the variables"),
        (["states", 1], 7, "state 1: expected an object, found 7"),
        (["loop"], 99, "loop: expected the index of a state, 0 to 6"),
        (["#meta"], [], "#meta: expected an object"),
        (["#meta", "version"], 2, "version: expected 1"),
        (["#meta", "outcome"], "fine", "outcome: expected one of reproduced"),
        (["#meta", "propertyKind"], "odd", "propertyKind: expected one of always"),
        (["#meta", "model"], ..., "model: expected the name of a model"),
        (["#meta", "parameters"], {"rms": [1]}, "parameters, rms: expected an integer"),
        (["#meta", "explored"], -1, "explored: expected a number of states, found -1"),
        (["#meta", "explored"], True, "explored: expected a number of states"),
        (["#meta", "property"], "", "a trace names a property and its kind"),
        (["states", 2, "#meta"], 3, "state 2, #meta: expected an object"),
        (["states", 2, "#meta", "index"], 4, "state 2, #meta, index: expected 2"),
        (["states", 2, "#meta", "action"], "explode", "has no action 'explode'; it has: prepare"),
        (["states", 2, "#meta", "kind"], "crash", "kind: expected 'deliver', the kind of receive"),
        (["states", 1, "#meta", "parameters"], {}, "parameters of prepare: expected rm"),
        (["states", 3, "#meta", "choices"], [[[7.5]]], "choices: expected a value, found 7.5"),
        (["states", 1, "round"], {"#bigint": "9"}, "state 1, round: expected an integer from 0"),
        (["states", 1, "round"], "1", "round: expected an integer such as"),
        (["states", 1, "round"], True, "round: expected an integer such as"),
        (["states", 1, "phase", "#map", 0, 1], "LOST", "phase[rm1]: expected one of WORKING"),
        (["states", 1, "phase", "#map", 0, 0], "rm9", "phase, key: expected one of rm1, rm2"),
        (["states", 1, "phase", "#map", 0, 0], "rm2", "phase: rm2 occurs twice"),
        (["states", 1, "phase", "#map", 1], ..., "a value for each of 2 keys, found 1"),
        (["states", 1, "messages", "#set", 0, "tag"], "No", "tag: expected one of Decision"),
        (["states", 1, "messages", "#set", 0, "value", "rm"], ..., "expected the fields rm"),
        (["states", 1, "votes", "#map", 0, 1], None, 'votes[rm1]: expected {"tag"'),
    ],
)
def test_damage_is_told_with_its_place(place: list[Any], value: object, message: str) -> None:
    document = change(written(disagreement()), place, value)
    with pytest.raises(TraceError) as caught:
        itf.decode(parsed(document), VOTE, UNIVERSE)
    text = str(caught.value)
    assert message in text
    assert text.startswith("t.itf.json")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON, or cut off"),
        ("[]", "expected an ITF trace, which is an object"),
        ('{"vars": [], "vars": []}', "the key 'vars' occurs twice"),
        ('{"vars": ["x"], "states": [{"x": NaN}]}', "NaN is not JSON"),
        ("[" * 100_000, "not a trace"),
        ('{"a": ' + "9" * 5000 + "}", "not a trace"),
    ],
)
def test_text_that_is_no_trace(text: str, message: str) -> None:
    with pytest.raises(TraceError, match=r"t\.itf\.json") as caught:
        parse_document(text, "t.itf.json")
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "b.itf.json"
    binary.write_bytes(b"\x89PNG\xff")
    for path, message in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "directory"),
        (binary, "not UTF-8 text"),
    ]:
        with pytest.raises(TraceError, match=message):
            read_document(path)


def test_a_trace_of_another_spec_is_refused() -> None:
    fewer = replace(VOTE, variables=VOTE.variables[:-1])
    with pytest.raises(TraceError, match=r"not those of Vote \(unknown: round\)"):
        itf.decode(parsed(written(disagreement())), fewer, Universe.of(fewer))


QUINT = {
    "#meta": {"format": "ITF", "description": "Created by Quint on Fri", "source": "bank.qnt"},
    "vars": ["balance", "mbt::actionTaken", "mbt::nondetPicks"],
    "states": [
        {
            "#meta": {"index": 0},
            "balance": {"#map": [["alice", {"#bigint": "0"}]]},
            "mbt::actionTaken": "init",
            "mbt::nondetPicks": {"amount": {"tag": "None", "value": {"#tup": []}}},
        },
        {
            "balance": {"#map": [["alice", 5]]},
            "mbt::actionTaken": "deposit",
            "mbt::nondetPicks": {"amount": {"tag": "Some", "value": {"#bigint": "5"}}},
        },
    ],
}


def test_a_trace_of_quint_is_shown_but_not_replayed() -> None:
    document = parsed(QUINT)
    with pytest.raises(TraceError, match="written by Quint, not by Quorate"):
        itf.decode(document, VOTE, UNIVERSE)
    trace = as_trace(document)
    assert trace.variables == ("balance",)
    assert [str(label) for label in trace.labels] == ["deposit(5)"]
    assert trace.states[1] == ({"alice": 5},)


def test_our_own_trace_is_shown_without_its_spec() -> None:
    trace = as_trace(parsed(written(disagreement())))
    assert [label.action for label in trace.labels] == [one.action for one in disagreement().labels]
    assert trace.states[-1][0] == {"rm1": "COMMITTED", "rm2": "ABORTED"}


# -- fuzz: only TraceError comes out ---------------------------------------------------------------


def use(text: str) -> None:
    """Do all that is done with a file."""
    document = parse_document(text, "t.itf.json")
    as_trace(document)
    itf.decode(document, VOTE, UNIVERSE)


TEXT = itf.render_json(itf.encode(disagreement(), VOTE, UNIVERSE))


@given(st.integers(0, len(TEXT) - 3))
def test_every_truncation_is_refused(length: int) -> None:
    with pytest.raises(TraceError):
        use(TEXT[:length])


def places(item: Any) -> list[list[Any]]:
    """Every place in a document, as a path."""
    if isinstance(item, dict):
        inner = list(item.items())
    elif isinstance(item, list):
        inner = list(enumerate(item))
    else:
        return []
    return [[k] for k, _ in inner] + [[k, *rest] for k, v in inner for rest in places(v)]


PLACES = places(json.loads(TEXT))
ODD: st.SearchStrategy[object] = st.sampled_from(
    [
        *(..., None, True, -1, 0, 1, 2.5, "", "rm1", "\ud800", [], [[]], {}),
        *({"#set": 1}, {"#map": [1]}, {"#bigint": "x"}, {"#bigint": 5}, {"#tup": {}}),
        *({"tag": "Some", "value": 0}, {"tag": 1}, {"#unserializable": "?"}),
        *({"record": [], "fields": {}}, {"enum": {}, "member": []}),
    ]
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
@settings(max_examples=400)
def test_a_file_edited_anyhow_is_read_or_refused(edits: list[tuple[list[Any], object]]) -> None:
    document = json.loads(TEXT)
    for place, value in edits:
        try:
            # A copy: an edit inside what an earlier one put in would change the value for ever.
            change(document, place, copy.deepcopy(value))
        except (KeyError, IndexError, TypeError):
            continue
    with contextlib.suppress(TraceError):
        use(json.dumps(document))


def test_a_variant_with_the_one_field_value_is_read_with_and_without_its_object() -> None:
    inner = RecordType("Inner", (("value", IntType(0, 9)),))
    outer = RecordType("Outer", (("value", inner),))
    kind = UnionType((outer, RecordType("Zero", ())))
    universe = universe_of(kind)
    codec = ValueCodec(universe)
    value = universe.records["Outer"](universe.records["Inner"](3))
    for item in ({"value": {"value": 3}}, {"value": 3}, 3):
        assert codec.decode({"tag": "Outer", "value": item}, kind, "x") == value


def test_a_value_nested_too_deeply_is_told() -> None:
    text = '{"vars": ["x"], "states": [{"x": ' + "[" * 700 + "]" * 700 + "}]}"
    with pytest.raises(TraceError, match=r"t\.itf\.json"):
        as_trace(parse_document(text, "t.itf.json"))

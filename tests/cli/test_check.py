"""`quorate check` on specs of a user's own: verdicts, statuses, JSON, saved traces, messages."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from quorate.cli import registry
from quorate.cli.check import build, command_line
from quorate.cli.engines import Limits
from quorate.cli.registry import Model
from quorate.cli.settings import Settings, settle, stored
from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import LOCK, MANIFEST, write
from quorate.traces.trace import Setting

KEYS = {
    *("model", "parameters", "flaws", "engine", "verdict", "distinct_states"),
    *("generated_states", "depth", "seconds", "states_per_second", "peak_memory_bytes"),
    *("properties", "violations", "coverage", "not_checked"),
}
COUNTER = """
from typing import Annotated
from quorate.language import (
    Map, Node, Nodes, Spec, action, between, each, parameter, require, witness
)

class Counter(Spec):
    most: int = parameter(3)
    value: Annotated[int, between(0, 5)] = 0

    @action
    def up(self) -> None:
        if self.value < self.most:
            self.value += 1

    @witness
    def full(self) -> bool:
        return self.value == 4

class Stuck(Counter):
    @action
    def up(self) -> None:
        self.value += 1

class Many(Spec):
    nodes: Nodes
    values: Map[Node, Annotated[int, between(0, 9)]] = each(0)

    @action
    def up(self, node: Node) -> None:
        require(self.values[node] < 9)
        self.values[node] += 1
"""


def test_a_spec_that_holds(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--set", "clients=3", "--no-symmetry", "--json", "-")
    assert (ran.status, ran.err) == (0, "")
    found = ran.json
    assert found.keys() >= KEYS
    assert (found["model"], found["engine"], found["verdict"]) == (lock, "explore", "holds")
    assert found["parameters"] == {"clients": 3, "limit": 3, "mode": "FAIR", "reentrant": False}
    assert (found["distinct_states"], found["generated_states"], found["depth"]) == (4, 7, 2)
    assert found["properties"] == {"exclusive": "holds", "held": "reached"}
    assert found["coverage"] == {"take": 3, "release": 3}
    assert (found["flaws"], found["violations"]) == ([], [])
    assert list(Path().iterdir()) == []


def test_symmetry_counts_classes(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--set", "clients=3", "--symmetry", "--json", "-")
    assert (ran.status, ran.json["distinct_states"]) == (0, 2)


def test_a_violation_is_shown_saved_and_replayed(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--trace-dir", "traces/deep")
    assert (ran.status, ran.err) == (1, "")
    assert "violated: exclusive" in ran.out
    assert "in 3 states  Never two holders." in ran.out
    assert "\x1b" not in ran.out
    (path,) = Path("traces/deep").iterdir()
    name = "lock.Lock.steal.exclusive.itf.json"
    assert path.name == name
    meta = json.loads(path.read_text())["#meta"]
    assert meta["model"] == lock
    assert f"quorate replay {path}" in ran.out
    assert quorate("replay", path).status == 0


def test_the_commands_shown_can_be_pasted(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--trace-dir", "my traces")
    (shown,) = [line for line in ran.out.splitlines() if line.startswith("replay:")]
    program, *words = shlex.split(shown.partition(":")[2])
    assert program == "quorate"
    assert quorate(*words).status == 0


def test_the_command_shown_does_the_same_again(quorate: Quorate, lock: str) -> None:
    words = ["--set", "clients=3", "--set", "mode=greedy", "--flaw", "steal", "--no-symmetry"]
    first = quorate("check", lock, *words, "--property", "exclusive", "--json", "-").json
    program, *again = first["command"].split()
    assert program == "quorate"
    second = quorate(*again, "--json", "-").json
    for key in ("seconds", "states_per_second", "peak_memory_bytes", "engine_bytes"):
        first.pop(key)
        second.pop(key)
    assert first == second
    assert (first["verdict"], first["parameters"]["mode"]) == ("violated", "GREEDY")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--symmetry",
        "--property held",
        "--property deadlock --no-symmetry",
        "--set clients=2",
        "--set clients=4 --property held",
        "--flaw steal",
        "--flaw steal --symmetry",
        "--instance three --flaw steal",
        "--instance three --set clients=2 --property held --property deadlock",
        "--instance stolen",
        "--instance stolen --set clients=3 --symmetry",
    ],
)
def test_the_command_shown_does_the_same_as_its_manifest_has_it(
    lock: str, tmp_path: Path, words: str
) -> None:
    # The first instance has symmetry, and the parameters that are those of the spec by default.
    text = MANIFEST.replace("symmetry = false", "symmetry = true").replace("= 3", "= 2")
    write(tmp_path, "manifest.toml", text)
    model = registry.find(lock)
    first = settled(model, words.split())
    shown = command_line(model, first, parameters_of(model, first), Limits())
    again = settled(model, shlex.split(shown)[3:])
    assert parameters_of(model, again) == parameters_of(model, first)
    for name in ("flaws", "properties", "deadlock", "entry", "unchanged"):
        assert getattr(again, name) == getattr(first, name), name
    assert bool(again.symmetry) is bool(first.symmetry)


def test_the_command_shown_names_the_parameters_of_the_first_instance(
    lock: str, tmp_path: Path
) -> None:
    # So that it does the same again where the instances have changed places.
    write(tmp_path, "manifest.toml", MANIFEST)
    model = registry.find(lock)
    stolen = settle(model, flaws=["steal"])
    shown = command_line(model, stolen, parameters_of(model, stolen), Limits())
    assert shown == f"quorate check {lock} --set clients=3 --flaw steal"


def settled(model: Model, words: list[str]) -> Settings:
    """What the options of a command line come to."""
    options = dict[str, list[str]]()
    symmetry = None
    while words:
        option, *words = words
        if option.endswith("symmetry"):
            symmetry = option == "--symmetry"
        else:
            options.setdefault(option, []).append(words.pop(0))
    return settle(
        model,
        instance=next(iter(options.get("--instance", [])), None),
        set_=options.get("--set", ()),
        flaws=options.get("--flaw", ()),
        properties=options.get("--property", ()),
        symmetry=symmetry,
    )


def parameters_of(model: Model, settings: Settings) -> dict[str, Setting]:
    """All parameters, as the report has them."""
    return stored(build(model, settings.parameters, settings.flaws).parameters)


def test_nothing_asked_for_is_the_first_instance(
    quorate: Quorate, lock: str, tmp_path: Path
) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    ran = quorate("check", lock)
    assert ran.status == 0
    assert "(instance three)" in ran.out
    ran = quorate("check", lock, "--json", "-")
    assert (ran.json["instance"], ran.json["distinct_states"]) == ("three", 4)
    assert ran.json["properties"] == {"exclusive": "holds", "held": "reached"}
    ran = quorate("check", lock, "--set", "limit=1", "--json", "-")
    assert (ran.status, ran.json["instance"]) == (0, None)
    assert "properties not asked for: held" in ran.json["not_checked"]
    wrong = MANIFEST.replace("distinct = 4", "distinct = 5")
    write(tmp_path, "manifest.toml", wrong)
    assert "not as the manifest says: distinct states: expected 5" in quorate("check", lock).out


def test_traces_are_saved_where_nothing_was_said(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--json", "found.json")
    assert ran.status == 1
    (violation,) = json.loads(Path("found.json").read_text())["violations"]
    assert (violation["property"], violation["length"]) == ("exclusive", 3)
    assert Path(violation["trace"]).is_file()
    assert Path(violation["trace"]).parent == Path("quorate-traces")


def test_only_the_properties_asked_for(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--property", "held", "--json", "-")
    assert (ran.status, ran.json["properties"]) == (0, {"held": "reached"})
    assert "properties not asked for: exclusive" in ran.json["not_checked"]


def test_an_instance_of_a_manifest(quorate: Quorate, lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    ran = quorate("check", lock, "--instance", "stolen")
    assert ran.status == 1
    assert "as the manifest expects" in ran.out
    assert f"check again: quorate check {lock} --instance stolen\n" in ran.out
    assert Path("quorate-traces/lock.Lock.stolen.exclusive.itf.json").is_file()
    ran = quorate("check", lock, "--instance", "stolen", "--set", "clients=3")
    assert ran.status == 1
    assert "as the manifest expects" not in ran.out
    ran = quorate("check", lock, "--instance", "three", "--json", "-")
    assert (ran.status, ran.json["instance"], ran.json["distinct_states"]) == (0, "three", 4)


def test_an_instance_that_is_not_as_its_manifest_says(
    quorate: Quorate, lock: str, tmp_path: Path
) -> None:
    wrong = MANIFEST.replace("length = 3", "length = 9")
    assert wrong != MANIFEST
    write(tmp_path, "manifest.toml", wrong)
    ran = quorate("check", lock, "--instance", "stolen")
    assert ran.status == 1
    assert "as the manifest expects" not in ran.out
    assert "not as the manifest says: exclusive: expected 9 states, got 3" in ran.out
    ran = quorate("check", lock, "--instance", "stolen", "--max-states", "2")
    assert (ran.status, "not as the manifest says" in ran.out) == (3, False)


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--max-states", 2, "states"),
        ("--max-depth", 2, "depth"),
        ("--time-limit", 0.05, "second"),
    ],
)
def test_a_limit_is_inconclusive(
    quorate: Quorate, tmp_path: Path, option: str, value: object, reason: str
) -> None:
    path = write(tmp_path, "counter.py", COUNTER)
    words = ("check", f"{path}:Many", option, value, "--set", "nodes=8")
    ran = quorate(*words, "--json", "-")
    assert (ran.status, ran.json["verdict"]) == (3, "inconclusive")
    assert reason in ran.json["reason"]
    assert ran.json["distinct_states"] >= 1
    assert f"inconclusive: {ran.json['reason']}" in quorate(*words).out


def test_a_witness_out_of_reach_is_a_violation(quorate: Quorate, tmp_path: Path) -> None:
    path = write(tmp_path, "counter.py", COUNTER)
    ran = quorate("check", f"{path}:Counter", "--json", "-")
    assert (ran.status, ran.json["properties"]) == (1, {"full": "unreached"})


def test_a_value_out_of_its_bound(quorate: Quorate, tmp_path: Path) -> None:
    path = write(tmp_path, "counter.py", COUNTER)
    ran = quorate("check", f"{path}:Stuck", "--json", "-")
    assert (ran.status, ran.json["verdict"]) == (2, "error")
    (violation,) = ran.json["violations"]
    assert "value" in violation["message"]
    assert quorate("replay", violation["trace"]).status == 0


def test_deadlock_is_asked_for_like_a_property(quorate: Quorate, tmp_path: Path) -> None:
    text = COUNTER.replace("if self.value < self.most:\n            ", "").replace("5)", "9)")
    text = text.replace("self.value += 1", "require(self.value < self.most); self.value += 1", 1)
    path = write(tmp_path, "counter.py", text)
    words = ("check", f"{path}:Counter", "--set", "most=5", "--json", "-")
    assert quorate(*words).status == 0
    ran = quorate(*words, "--property", "deadlock")
    assert ran.status == 1
    assert [(v["kind"], v["length"]) for v in ran.json["violations"]] == [("deadlock", 6)]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--set", "clients=0"], "clients"),
        (["--set", "clients=6"], "clients = 6 is out of range"),
        (["--set", "limit=99"], "limit = 99 is out of range"),
        (["--set", "client=2"], "did you mean 'clients'?"),
        (["--flaw", "stael"], "did you mean 'steal'?"),
        (["--property", "exclusve"], "did you mean 'exclusive'?"),
        (["--instance", "one"], "no instances"),
        (["--engine", "explorer"], "did you mean 'explore'?"),
        (["--engine", "simulate"], "not available in this version"),
        (["--workers", "0"], "--workers"),
        (["--time-limit", "-1"], "--time-limit"),
        (["--trace-dir", "/dev/null/x"], "is not a folder"),
        (["--json", "no/where.json"], "does not exist"),
    ],
)
def test_wrong_usage(quorate: Quorate, lock: str, words: list[str], complaint: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", *words)
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err
    assert "Traceback" not in ran.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("option", ["--trace-dir", "--json"])
def test_places_are_tried_before_the_search(quorate: Quorate, lock: str, option: str) -> None:
    ran = quorate("check", lock, option, "/dev/null/x")  # it holds: nothing would be saved
    assert (ran.status, ran.out) == (2, "")


def test_a_spec_outside_the_language(quorate: Quorate, tmp_path: Path) -> None:
    text = LOCK.replace("self.holds[client] = True", "while True:\n            pass")
    path = write(tmp_path, "bad.py", text)
    ran = quorate("check", f"{path}:Lock", "--json", "-")
    assert (ran.status, ran.out) == (2, "")
    line = text.splitlines().index("        while True:") + 1
    assert re.search(rf"error\[Q201\].*\n.*{re.escape(str(path))}:{line}:9", ran.err)
    assert "Traceback" not in ran.err


def test_a_limit_that_has_passed_already(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--time-limit", "0.000001", "--json", "-")
    assert (ran.status, ran.json["verdict"], ran.json["depth"]) == (3, "inconclusive", 1)


def test_traces_with_and_without_symmetry_are_two_files(quorate: Quorate, lock: str) -> None:
    for words in (["--symmetry"], ["--no-symmetry"], []):
        assert quorate("check", lock, "--flaw", "steal", "--trace-dir", "all", *words).status == 1
    names = {path.name for path in Path("all").iterdir()}
    assert names == {
        "lock.Lock.steal.exclusive.itf.json",
        "lock.Lock.steal.symmetry.exclusive.itf.json",
    }


def test_the_symmetry_of_an_instance_is_in_its_name(
    quorate: Quorate, lock: str, tmp_path: Path
) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    for words in (["--symmetry"], ["--no-symmetry"]):
        assert quorate("check", lock, "--instance", "stolen", *words).status == 1
    names = {path.name for path in Path("quorate-traces").iterdir()}
    assert names == {
        "lock.Lock.stolen.exclusive.itf.json",
        "lock.Lock.stolen.symmetry.exclusive.itf.json",
    }


def test_specs_of_one_name_in_two_files_keep_their_traces_apart(
    quorate: Quorate, lock: str, tmp_path: Path
) -> None:
    other = write(tmp_path, "other.py", Path(lock.rpartition(":")[0]).read_text())
    for model in (lock, f"{other}:Lock"):
        assert quorate("check", model, "--flaw", "steal", "--trace-dir", "all").status == 1
    names = {path.name for path in Path("all").iterdir()}
    assert names == {"lock.Lock.steal.exclusive.itf.json", "other.Lock.steal.exclusive.itf.json"}


def test_what_is_only_asked_for_is_checked_when_it_is_asked_for(
    quorate: Quorate, lock: str, tmp_path: Path
) -> None:
    asked_for = MANIFEST.replace('title = "A lock"', 'title = "A lock"\nasked_for = ["held"]')
    write(tmp_path, "manifest.toml", asked_for)
    plain = quorate("check", lock, "--json", str(tmp_path / "plain.json"))
    assert plain.status == 0
    named = quorate("check", lock, "--property", "held", "--json", str(tmp_path / "named.json"))
    assert named.status == 0
    checked = [json.loads((tmp_path / f"{n}.json").read_text()) for n in ("plain", "named")]
    assert [list(found["properties"]) for found in checked] == [["exclusive"], ["held"]]
    assert any("held" in note for note in checked[0]["not_checked"])
    write(tmp_path, "manifest.toml", asked_for.replace("held", "hold"))
    refused = quorate("check", lock)
    assert refused.status == 2
    assert "did you mean 'held'?" in refused.err

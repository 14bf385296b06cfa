"""Where counterexamples are saved: names that stay short, and folders that cannot be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quorate.cli import registry
from quorate.cli.saving import MOST_BYTES, file_name
from quorate.cli.settings import full, settle
from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import MANIFEST, write
from quorate.traces import TraceError, itf


def named(model: registry.Model, property_name: str = "exclusive", **options: Any) -> str:
    """The name of the file of a check."""
    settings = settle(model, **options)
    return file_name(model, settings, full(model, settings.parameters), property_name)


@pytest.mark.parametrize(
    ("options", "middle"),
    [
        ({}, "three"),
        ({"properties": ["held"]}, "three"),
        ({"instance": "three", "set_": ["clients=3", "limit=3"]}, "three"),
        ({"set_": ["clients=2", "mode=greedy"], "flaws": ["steal"]}, "stolen"),
        ({"instance": "stolen", "properties": ["exclusive"]}, "stolen"),
        ({"instance": "stolen", "flaws": ["steal"]}, "stolen"),
        ({"instance": "stolen", "set_": ["limit=1"]}, "stolen.limit-1"),
        ({"instance": "three", "flaws": ["steal"]}, "three.steal"),
        ({"flaws": ["steal"]}, "three.steal"),
        ({"set_": ["clients=4", "reentrant=yes"]}, "three.clients-4.reentrant-true"),
        ({"symmetry": True}, "three.symmetry"),
        ({"instance": "three", "flaws": ["steal"], "symmetry": True}, "three.steal.symmetry"),
    ],
)
def test_a_file_is_called_after_the_instance_and_what_differs_from_it(
    lock: str, tmp_path: Path, options: dict[str, Any], middle: str
) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    name = named(registry.find(lock), **options)
    assert name == f"lock.Lock.{middle}.exclusive.itf.json"


def test_without_instances_a_file_is_called_after_what_is_no_default(lock: str) -> None:
    model = registry.find(lock)
    assert named(model) == "lock.Lock.exclusive.itf.json"
    name = named(model, set_=["clients=2", "limit=4"], flaws=["steal"])
    assert name == "lock.Lock.limit-4.steal.exclusive.itf.json"


def test_an_instance_with_many_parameters_is_called_by_its_name() -> None:
    model = registry.find("raft-full")
    name = named(model, "electable", instance="all-options", properties=["electable"])
    assert name == "raft-full.all-options.electable.itf.json"


def test_a_name_that_would_be_too_long_is_cut_and_stays_apart(lock: str) -> None:
    model = registry.find(lock)
    longest = {named(model, "é" * 150 + last) for last in ("a", "b", "a")}
    assert len(longest) == 2
    for name in longest:
        assert len(name.encode()) <= 200
        assert name.startswith("lock.Lock.é")
        assert name.endswith(".itf.json")
    fits = MOST_BYTES - len("lock.Lock..itf.json")
    assert named(model, "x" * fits) == f"lock.Lock.{'x' * fits}.itf.json"
    assert named(model, "x" * (fits + 1)) != f"lock.Lock.{'x' * (fits + 1)}.itf.json"


@pytest.fixture
def unwritable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces cannot be written."""

    def refuse(trace: object, path: Path, *_: object) -> None:
        raise TraceError(f"cannot write the trace {path}: no room")

    monkeypatch.setattr(itf, "write", refuse)


@pytest.mark.usefixtures("unwritable")
def test_what_was_found_is_told_where_it_cannot_be_saved(quorate: Quorate, lock: str) -> None:
    words = ["--flaw", "steal", "--trace-dir", "deep/kept"]
    ran = quorate("check", lock, *words, "--json", "found.json")
    assert ran.status == 2
    assert "violated: exclusive" in ran.out
    assert ran.err.startswith("error: counterexamples are not saved: cannot write the trace deep/")
    found = json.loads(Path("found.json").read_text())
    assert found["verdict"] == "violated"
    (violation,) = found["violations"]
    assert (violation["length"], violation["trace"]) == (3, None)
    assert [path.name for path in Path().iterdir()] == ["found.json"]
    assert quorate("check", lock, *words, "--json", "-").json["verdict"] == "violated"


@pytest.mark.usefixtures("unwritable")
def test_where_no_folder_was_named_it_is_a_warning(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal")
    assert ran.status == 1
    assert ran.err.startswith("warning: counterexamples are not saved: cannot write the trace ")
    assert list(Path().iterdir()) == []


def test_a_folder_that_was_there_is_left(quorate: Quorate, lock: str, unwritable: None) -> None:
    Path("kept").mkdir()
    assert quorate("check", lock, "--flaw", "steal", "--trace-dir", "kept").status == 2
    assert Path("kept").is_dir()

"""Manifests: what a good one says, and what is said about a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.cli.manifest import ManifestError, load
from quorate.cli.registry import manifests

MODEL = """
[model]
name = "mutex"
spec = "mutex:Mutex"
title = "Mutual exclusion"
"""

FULL = (
    MODEL
    + """
source = "Lamport 1974"

[[properties]]
name = "ME1"
target = "mutual_exclusion:me1"

[[instances]]
name = "two"
parameters = { processes = 2, fair = true, order = "fifo" }
symmetry = true
distinct = 12
provenance = "TLC"

[[instances]]
name = "two-broken"
parameters = { processes = 2 }
flaws = ["no_wait"]
expected = "violated"
violates = "ME1"
length = 5
implementation = "mutex"
replay = "reproduced"

[[implementations]]
name = "mutex"
adapter = "mutex_adapter:adapter"

[[instances]]
name = "one-broken"
parameters = { processes = 1 }
flaws = ["no_wait"]
control = "alone, it waits for nobody"

[[out_of_reach]]
name = "X1"
about = "numbers overflow"
source = "Lamport 1974, remarks"
reason = "numbers have no bound here"
tried = "two processes, numbers up to 9: 1,000 states"

[flaws]
no_wait = "Lamport 1974, step 2"
"""
)


def manifest(folder: Path, text: str) -> Path:
    """A manifest in a folder."""
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_manifest_is_read(tmp_path: Path) -> None:
    found = load(manifest(tmp_path, FULL))
    assert (found.name, found.spec, found.source) == ("mutex", "mutex:Mutex", "Lamport 1974")
    two, broken, control = found.instances
    assert two.parameters == {"processes": 2, "fair": True, "order": "fifo"}
    assert two.properties is None
    assert (two.symmetry, two.distinct, two.fast) == (True, 12, True)
    assert (broken.flaws, broken.violates, broken.length) == (("no_wait",), "ME1", 5)
    assert found.instance("two-broken") is broken
    assert (control.expected, control.control) == ("holds", "alone, it waits for nobody")
    assert found.flaws == {"no_wait": "Lamport 1974, step 2"}
    (unfound,) = found.out_of_reach
    assert (unfound.name, unfound.reason) == ("X1", "numbers have no bound here")
    bare = load(manifest(tmp_path, MODEL))
    assert (bare.flaws, bare.out_of_reach) == ({}, ())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[model", "not TOML"),
        ("", "no [model] table"),
        ("model = 3", "no [model] table"),
        (MODEL.replace("title", "titel"), "did you mean 'title'?"),
        (MODEL.replace("mutex:Mutex", "mutex.Mutex"), "is not `module:name`"),
        ('[model]\nname = "m"\ntitle = "t"', "'spec' is missing"),
        ("models = 1\n" + MODEL, "unknown key 'models'"),
        (MODEL + '[instances]\nname = "a"', "write each of the instances as [[instances]]"),
        (MODEL + "[[instances]]\nparameters = {}", "'name' is missing"),
        (MODEL + '[[instances]]\nname = "a"', "'parameters' is missing"),
        (MODEL + 2 * '[[instances]]\nname = "a"\nparameters = {}\n', "the name is taken"),
        (FULL.replace('"violated"', '"broken"'), "(allowed: holds, violated, error)"),
        (FULL.replace('expected = "violated"', ""), "`violates` goes with"),
        (FULL.replace('violates = "ME1"', ""), "`violates` goes with"),
        (FULL.replace("distinct = 12", "distinct = true"), "'distinct' must be a number"),
        (FULL.replace('provenance = "TLC"', ""), "counts need a `provenance`"),
        (FULL.replace('["no_wait"]', '"no_wait"'), "'flaws' must be a list of strings"),
        (FULL.replace("symmetry = true", "symmetry = 1"), "'symmetry' must be true or false"),
        (FULL.replace('"fifo"', "[1]"), "'parameters' must be a table"),
        (FULL.replace('= "reproduced"', '= "works"'), "replay = 'works' (allowed: reproduced,"),
        (FULL.replace('implementation = "mutex"', ""), "`replay` needs an `implementation`"),
        (FULL.replace('on = "mutex"', 'on = "mutx"'), "unknown implementation 'mutx'"),
        (MODEL + '[[flaws]]\nname = "no_wait"', "write the flaws as one table [flaws]"),
        (FULL.replace("symmetry = true", 'flaws = ["no_wait"]'), "'two': the first is what"),
        (FULL.replace('"Lamport 1974, step 2"', "1974"), "'no_wait' must be its source, not 1974"),
        (FULL.replace('"Lamport 1974, step 2"', '" "'), "'no_wait' must be its source, not ' '"),
        (FULL.replace("length = 5", 'control = "?"'), "a `control` is expected to hold"),
        (
            FULL.replace('"numbers have no bound here"', '" "'),
            "[[out_of_reach]] 'X1': 'reason' says",
        ),
        (FULL.replace("tried =", "tired ="), "did you mean 'tried'?"),
        (MODEL + '[[out_of_reach]]\nname = "X1"', "'about' is missing"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = manifest(tmp_path, text)
    with pytest.raises(ManifestError) as refused:
        load(path)
    assert complaint in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        load(tmp_path / "manifest.toml")


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        manifest(tmp_path / name, MODEL)
    with pytest.raises(ManifestError, match="has the same name"):
        manifests(tmp_path)

"""`quorate list MODEL`: one model, registered or of a user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.cli import registry
from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import MANIFEST, write

IMPLEMENTATION = '\n[[implementations]]\nname = "real"\nadapter = "lock_adapter:Adapter"\n'


def test_a_spec_of_ones_own(quorate: Quorate, lock: str, tmp_path: Path) -> None:
    ran = quorate("list", lock)
    assert (ran.status, ran.err) == (0, "")
    rows = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    assert rows[0] == [lock]
    assert ["clients=2", "how many nodes, at most 5"] in [r[1].split(maxsplit=1) for r in rows[1:]]
    assert ["limit=3", "a whole number, at least 1, at most 9"] in rows
    assert ["mode=fair", "fair or greedy"] in rows
    assert ["reentrant=false", "true or false"] in rows
    assert "exclusive  always: Never two holders." in ran.out
    assert "steal  a client takes the lock while another holds it" in ran.out
    assert not {"instances", "implementations", "source"} & {row[0] for row in rows}

    write(tmp_path, "manifest.toml", MANIFEST + IMPLEMENTATION)
    ran = quorate("list", lock)
    assert ran.out.splitlines()[0] == f"{lock}  A lock"
    assert "three   clients=3 --no-symmetry: holds" in ran.out
    assert "stolen  clients=2 mode=greedy +steal: violates exclusive in 3 states" in ran.out
    # It is named, not loaded: there is no such module.
    assert ["implementations", "real"] in [line.split() for line in ran.out.splitlines()]


def test_a_registered_model_is_what_the_whole_list_says_of_it(quorate: Quorate) -> None:
    (one,) = quorate("list", "two-phase-commit", "--json", "-").json["models"]
    every = {model["name"]: model for model in quorate("list", "--json", "-").json["models"]}
    assert one == every["two-phase-commit"]
    assert list(every) == list(registry.manifests())
    assert [p["name"] for p in one["parameters"]] == ["rms"]
    assert one["instances"][0]["distinct"] == 288


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("two-phase-comit",), "did you mean 'two-phase-commit'"),
        (("",), "unknown model ''"),
        (("{here}/lock.py:Lok",), "did you mean 'Lock'?"),
        (("{here}/lock.py",), "which spec of it?"),
        (("{here}/nothing.py:Lock",), "does not exist"),
        (("{here}/bad.py:Bad",), "bad.py:2"),
        (("{here}/lock.py:Lock", "more"), "unexpected extra argument"),
        (("--json", "{here}", "{here}/lock.py:Lock"), "{here}"),
        (("--flaw", "steal"), "No such option"),
    ],
)
def test_what_cannot_be_listed(
    quorate: Quorate, lock: str, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    write(tmp_path, "bad.py", "class Bad:\n    def f(self:\n")
    ran = quorate("list", *(word.format(here=tmp_path) for word in words))
    assert (ran.status, ran.out) == (2, "")
    assert complaint.format(here=tmp_path) in ran.err


def test_a_manifest_that_is_wrong_is_said(quorate: Quorate, lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", MANIFEST.replace("= 3 }", "= 3"))
    ran = quorate("list", lock)
    assert (ran.status, ran.out) == (2, "")
    assert "manifest.toml: not TOML" in ran.err

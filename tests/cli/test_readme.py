"""The README's spec and what the check prints of it; commands in READMEs name what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from quorate.cli import registry
from quorate.cli.check import build
from quorate.cli.settings import settle
from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import write

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def commands() -> list[str]:
    """The lines of the models' READMEs that are commands about them."""
    lines = [
        line.partition("  #")[0].strip()
        for path in [README, *sorted(ROOT.glob("models/*/README.md"))]
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"(    |\$ )quorate ", line) and ".py" not in line
    ]
    return sorted({line.removeprefix("$ ") for line in lines})


@pytest.mark.parametrize("command", commands())
def test_a_command_names_what_is_there(command: str) -> None:
    _, what, *words = shlex.split(command)
    symmetry = [words.pop(words.index(w)) for w in ("--symmetry", "--no-symmetry") if w in words]
    assert len(symmetry) <= 1
    given: dict[str, list[str]] = {}
    named, options = words[0], words[1:]
    for option, value in zip(options[::2], options[1::2], strict=True):
        given.setdefault(option, []).append(value)
    if what == "replay":
        folder = ROOT / named
        model = registry.find(folder.name if folder.is_dir() else folder.name.partition(".")[0])
        assert given.keys() == {"--against"}
        assert model.adapter(given["--against"][0].removesuffix("/correct"))
        assert folder.is_dir() or named.startswith("quorate-traces/")
        return
    model = registry.find(named)
    assert given.keys() <= {"--instance", "--set", "--flaw", "--property"}
    settings = settle(
        model,
        instance=given.get("--instance", [None])[0],
        set_=given.get("--set", ()),
        flaws=given.get("--flaw", ()),
        properties=given.get("--property", ()),
    )
    if "--set" in given:  # instances are built where the manifests are tested
        assert build(model, settings.parameters, settings.flaws)


def block(mark: str, words: str = ".*?") -> tuple[str, str]:
    """What stands behind a mark in the README, and the fenced text below it."""
    pattern = rf"<!-- {mark}: ({words}) -->\n```\w*\n(.*?)```"
    found = re.search(pattern, README.read_text(), re.DOTALL)
    assert found is not None
    return found[1], found[2]


def without_measurements(text: str) -> str:
    """The output less what differs from run to run and from machine to machine."""
    return re.sub(r"[\d.]+ s \([\d,]+/s\), \d+ MiB", "...", text)


def test_the_spec_and_its_counterexample(quorate: Quorate) -> None:
    name, spec = block("spec")
    write(Path(), name, spec)
    words, output = block("output")
    assert quorate("check", *(word for word in words.split() if word)).status == 1
    assert without_measurements(quorate("check", *words.split()).out) == without_measurements(
        output
    )
    holds = quorate("check", *words.replace("--flaw impatient", "").split())
    assert holds.status == 0
    assert len([line for line in spec.splitlines() if line.strip()]) <= 30


def test_the_adapter_and_the_manifest(quorate: Quorate) -> None:
    name, spec = block("spec")
    write(Path(), name, spec)
    for name in ("lock_server.py", "my_adapter.py"):
        write(Path(), *block("file", name))
    assert quorate("check", *block("output")[0].split()).status == 1
    words, output = block("output of replay")
    ran = quorate("replay", *words.split())
    assert (ran.status, ran.out) == (1, output)
    flawed = quorate("replay", *words.removesuffix("/correct").split())
    assert (flawed.status, flawed.err) == (0, "")
    assert "reproduced on my_adapter.py:Adapter" in flawed.out

    write(Path(), *block("file", "manifest.toml"))
    ran = quorate("check", "lease.py:Lease", "--instance", "impatient")
    assert "violated: exclusive, as the manifest expects" in ran.out
    assert quorate("check", "lease.py:Lease").status == 0
    (trace,) = Path("quorate-traces").glob("lease.Lease.impatient.*.itf.json")
    assert quorate("replay", trace, "--against", "lock-server").status == 0

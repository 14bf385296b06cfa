"""The README's spec and what it says the check prints."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import write

README = Path(__file__).parents[2] / "README.md"


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

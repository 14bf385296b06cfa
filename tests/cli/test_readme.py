"""The README's spec and what it says the check prints."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import write

README = Path(__file__).parents[2] / "README.md"


def block(mark: str) -> tuple[str, str]:
    """What stands behind a mark in the README, and the fenced text below it."""
    found = re.search(rf"<!-- {mark}: (.*?) -->\n```\w*\n(.*?)```", README.read_text(), re.DOTALL)
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
    assert len([line for line in spec.splitlines() if line.strip()]) <= 40

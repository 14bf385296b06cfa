"""Every counterexample the suite knows, replayed: on the spec, on the code with the flaw, without.

`parting.txt` says of each trace where the correct implementation leaves it and which fields then
differ. A line there changes when a spec, an adapter or an implementation does: look before
recording it anew with `--update`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.cli.corpus import CORPUS, expected_traces
from quorate.cli.manifest import InstanceEntry
from quorate.cli.replay import CORRECT, load, run
from quorate.traces.trace import Outcome

PARTING = Path(__file__).parent / "parting.txt"
EXPECTED = {str(name): entry for _, entry, name in expected_traces()}
ON_CODE = {name: entry for name, entry in EXPECTED.items() if entry.implementation is not None}


def test_the_corpus_is_what_the_manifests_expect() -> None:
    """`python -m quorate.cli.corpus` records it."""
    kept = {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*.itf.json")}
    assert kept == set(EXPECTED)
    assert len(kept) > 10


@pytest.mark.parametrize("name", EXPECTED)
def test_trace_is_a_counterexample_of_its_spec(name: str) -> None:
    loaded = load(CORPUS / name)
    entry = EXPECTED[name]
    assert loaded.trace.meta.property == entry.violates
    assert loaded.trace.meta.flaws == entry.flaws
    assert len(loaded.trace) == entry.length
    assert run(loaded, None).outcome is Outcome.REPRODUCED


@pytest.mark.parametrize("name", ON_CODE)
def test_trace_is_reproduced_on_the_code(name: str) -> None:
    entry = ON_CODE[name]
    result = run(load(CORPUS / name), entry.implementation)
    assert result.outcome.value == entry.replay
    assert result.as_expected


def parting(name: str, entry: InstanceEntry) -> str:
    """Where the correct implementation leaves a trace, in a line."""
    result = run(load(CORPUS / name), f"{entry.implementation}{CORRECT}")
    fields = ", ".join(sorted({difference.field for difference in result.differences}))
    step = "" if result.label is None else f" {result.step} {result.label.action}"
    return f"{name}: {result.outcome.value}{step}" + (f": {fields}" if fields else "")


def test_the_correct_code_leaves_every_flawed_trace(request: pytest.FixtureRequest) -> None:
    lines = []
    for name, entry in sorted(ON_CODE.items()):
        line = parting(name, entry)
        # What a correct protocol cannot do is reproduced on correct code; a flaw never is.
        assert (": reproduced" in line) == (not entry.flaws), line
        lines.append(line)
    text = "\n".join(lines) + "\n"
    if request.config.getoption("--update"):
        PARTING.write_text(text, encoding="utf-8")
    assert text == PARTING.read_text(encoding="utf-8")

"""Every counterexample the suite knows, replayed: on the spec, on the code with the flaw, without.

`parting.txt` says of each trace where the correct implementation leaves it and which fields then
differ. A line there changes when a spec, an adapter or an implementation does: look before
recording it anew with `--update`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.cli.corpus import CORPUS, expected_traces
from quorate.cli.replay import CORRECT, Loaded, load, run
from quorate.traces.trace import Outcome

PARTING = Path(__file__).parent / "parting.txt"
EXPECTED = {str(name): entry for _, entry, name in expected_traces()}
ON_CODE = {name: entry for name, entry in EXPECTED.items() if entry.implementation is not None}


def test_the_corpus_is_what_the_manifests_expect() -> None:
    """`python -m quorate.cli.corpus` records it."""
    kept = {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*.itf.json")}
    assert kept == set(EXPECTED)
    assert len(kept) > 10


def parting(loaded: Loaded, name: str) -> str:
    """Where the correct implementation leaves a trace, in a line."""
    result = run(loaded, f"{ON_CODE[name].implementation}{CORRECT}")
    fields = ", ".join(sorted({difference.field for difference in result.differences}))
    step = "" if result.label is None else f" {result.step} {result.label.action}"
    return f"{name}: {result.outcome.value}{step}" + (f": {fields}" if fields else "")


def recorded() -> list[str]:
    """The lines of `parting.txt`."""
    return PARTING.read_text(encoding="utf-8").splitlines()


# One test for all replays of a trace: to translate its spec takes longer than to replay it.
@pytest.mark.parametrize("name", EXPECTED)
def test_a_trace_is_a_counterexample_of_its_spec_and_what_the_manifest_says_on_the_code(
    name: str, request: pytest.FixtureRequest
) -> None:
    loaded = load(CORPUS / name)
    entry = EXPECTED[name]
    assert loaded.trace.meta.property == entry.violates
    assert loaded.trace.meta.flaws == entry.flaws
    assert len(loaded.trace) == entry.length
    result = run(loaded, entry.implementation)
    if name not in ON_CODE:
        assert result.outcome is Outcome.REPRODUCED, result.lines()
        return
    assert result.on == "implementation", result.lines()  # its turn comes after the spec's
    assert result.outcome.value == entry.replay
    assert result.as_expected
    line = parting(loaded, name)
    # What a correct protocol cannot do is reproduced on correct code; a flaw never is.
    assert (": reproduced" in line) == (not entry.flaws), line
    if not request.config.getoption("--update"):
        assert line in recorded()


def test_each_trace_that_is_replayed_on_code_has_its_line(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        lines = [parting(load(CORPUS / name), name) for name in sorted(ON_CODE)]
        PARTING.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [line.partition(":")[0] for line in recorded()] == sorted(ON_CODE)

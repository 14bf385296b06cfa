"""`docs/flaws.md` is what `python -m quorate.cli.flaw_table` would write now.

Nothing is replayed here: `test_corpus.py` replays everything, and holds the manifests' outcomes and
`parting.txt` against what comes of it. The table is made from those two.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from quorate.cli import corpus, flaw_table
from quorate.cli.check import run
from quorate.cli.engines import Limits
from quorate.cli.flaw_table import (
    TABLE,
    Replayed,
    clean_instances,
    corpus_file,
    flawed_instances,
    render,
    replayed,
    source_of,
)
from quorate.cli.manifest import InstanceEntry, Manifest, load
from quorate.cli.registry import Model, from_manifest, manifests
from quorate.cli.settings import settle
from quorate.cli.status import Status
from quorate.traces.document import read_document
from quorate.traces.trace import Outcome

PARTING = Path(__file__).parent / "parting.txt"
MANIFESTS = list(manifests().values())
MODELS = [from_manifest(manifest) for manifest in MANIFESTS]
AGAIN = "run `python -m quorate.cli.flaw_table` after the corpus and parting.txt are renewed"


def told(entry: InstanceEntry, name: Path) -> Replayed:
    """What the manifest and `parting.txt` say of a replay."""
    line = rf"^{re.escape(name.as_posix())}: (\w+)(?: (\d+) (\w+))?(?::.*)?$"
    found = re.search(line, PARTING.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"parting.txt has no line for {name}"
    correct, step, action = found.groups()
    return Replayed(entry.replay or "", Outcome(correct), int(step or 0), action or "")


def table(described: Iterable[Manifest]) -> str:
    """What the command would write if these were the manifests."""
    return render(described, told)


@functools.cache
def as_it_is() -> str:
    """What the command would write."""
    return table(MANIFESTS)


def test_the_table_is_what_the_command_would_write() -> None:
    assert TABLE.read_text(encoding="utf-8") == as_it_is(), AGAIN


def test_every_flaw_has_a_row() -> None:
    text = TABLE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if "`quorate check " in line]
    flawed, clean = list(flawed_instances(MODELS)), list(clean_instances(MODELS))
    assert len(flawed) > 60
    assert len(rows) == len(flawed) + len(clean)
    for model, entry in (*flawed, *clean):
        command = f"`quorate check {model.name} --instance {entry.name}`"
        (row,) = (row for row in rows if command in row)
        assert all(f"`{flaw}`" in row for flaw in entry.flaws)


@pytest.mark.parametrize(("letter", "last"), [("P", 21), ("R", 48)])
def test_every_entry_of_the_catalogue_is_found_or_named_with_a_reason(
    letter: str, last: int
) -> None:
    """Paxos and Raft: the catalogue numbers its flaws P01 to P21 and R01 to R48."""
    known = {one for _, entry, found in every_flaw() if entry.expected != "holds" for one in found}
    missing = {o.name.split()[0] for m in MANIFESTS for o in m.out_of_reach}
    assert not known & missing
    assert {f"{letter}{n:02}" for n in range(1, last + 1)} <= known | missing
    rows = TABLE.read_text(encoding="utf-8").splitlines()
    for name in missing:
        assert sum(row.startswith(f"| {name} ") for row in rows) == 1


def every_flaw() -> Iterator[tuple[Model, InstanceEntry, list[str]]]:
    """The instances with flaws, and how the texts of these begin: their names in the catalogue."""
    for model in MODELS:
        for entry in model.instances:
            yield model, entry, [model.flaws[flaw].split(":")[0] for flaw in entry.flaws]


def test_every_flaw_has_a_source() -> None:
    nameless = {
        f"{model.name}: {flaw}"
        for model in MODELS
        for flaw in model.flaws
        if not source_of(model, flaw, MODELS)
    }
    assert not nameless, "name their sources in the table [flaws] of the manifest"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("length = 12", "length = 13"),
        ('violates = "agreement"', 'violates = "same_prefix"'),
        ("Paxos Made Simple 3: a new leader fills gaps", "Another paper: it fills gaps"),
        ('replay = "reproduced"', 'replay = "not_reproduced"'),
        ('flaws = ["multi_gap_never_filled"]', 'flaws = ["multi_gap_skip"]'),
        ('control = "a gap stops progress', 'control = "it stops progress'),
        ('source = "Sutra', 'source = "P. Sutra'),
        ('expected = "violated"\nviolates = "can_execute"\nlength = 12\n', ""),
    ],
)
def test_a_change_to_a_manifest_changes_the_table(tmp_path: Path, old: str, new: str) -> None:
    number, manifest = next((n, m) for n, m in enumerate(MANIFESTS) if m.name == "multi-paxos")
    text = manifest.path.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "manifest.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    changed = dataclasses.replace(load(path), path=manifest.path)
    described = [*MANIFESTS[:number], changed, *MANIFESTS[number + 1 :]]
    assert table(described) != as_it_is()


def test_the_states_that_a_recording_notes_are_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = next(m for m in MODELS if m.name == "two-phase-commit-system")
    entry = model.instance("C02-abort-after-yes")
    only = [(model, entry, corpus_file(model, entry))]
    monkeypatch.setattr(corpus, "expected_traces", lambda: iter(only))
    monkeypatch.setattr(flaw_table, "CORPUS", tmp_path)
    assert corpus.record(tmp_path) is Status.HOLDS
    header = read_document(tmp_path / only[0][2]).required_header()
    limits = Limits()
    report = run(
        model, settle(model, instance=entry.name), limits=limits, trace_dir=tmp_path, quiet=True
    )
    assert entry.length is not None
    assert header.explored is not None
    assert header.explored == report.result.distinct_states
    assert header.explored > 10
    assert model.manifest is not None
    manifest = dataclasses.replace(model.manifest, instances=(entry,))
    assert f"| {entry.length - 1} | {header.explored} | reproduced |" in table([manifest])


def test_a_replay_says_what_the_table_is_tested_against() -> None:
    """One of each kind: another state, a refusal, a property that holds."""
    kinds = {"P17-multi-gap-skip", "C08-missing-vote", "P13-learners-disagree"}
    found: set[tuple[str, Outcome]] = set()
    for model, entry in flawed_instances(MODELS):
        if entry.name in kinds - {one for one, _ in found}:
            result = replayed(entry, corpus_file(model, entry))
            assert result == told(entry, corpus_file(model, entry))
            found.add((entry.name, result.correct))
    assert {outcome for _, outcome in found} == {
        Outcome.STATE_MISMATCH,
        Outcome.STEP_REFUSED,
        Outcome.NOT_REPRODUCED,
    }

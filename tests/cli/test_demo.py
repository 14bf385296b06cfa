"""What `make demo` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.cli import demo, registry
from quorate.cli.status import Status


def test_the_models_shown_are_there() -> None:
    known = registry.manifests()
    assert set(demo.HOLD) <= set(known)
    name, instance = demo.FLAWED
    entry = known[name].instance(instance)
    assert entry.flaws
    assert (entry.fast, entry.replay, entry.implementation) == (True, "reproduced", name)


def test_a_flaw_is_found_and_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "HOLD", ("two-phase-commit",))
    assert demo.demo(tmp_path) is Status.HOLDS
    shown = capsys.readouterr().out
    (trace,) = tmp_path.glob("*.itf.json")
    assert "two-phase-commit           rms-3                  288 states" in shown
    assert "0 not as expected" in shown
    assert "violated: ElectionSafety, as the manifest expects" in shown
    assert "reproduced on raft at step 6" in shown
    assert "state mismatch on raft/correct at step 2" in shown
    assert f"replay {trace} --against raft" in shown


def test_what_is_not_as_its_manifest_says_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "HOLD", ("two-phase-commit",))
    monkeypatch.setattr(demo, "surprises", lambda *_: ["two moons"])
    assert demo.demo(tmp_path) is Status.VIOLATED
    shown = capsys.readouterr().out
    assert "NOT AS EXPECTED: two moons" in shown
    assert "1 not as expected" in shown

"""A saved trace as a Mermaid diagram."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.cli.diagram import main
from quorate.language.failures import UsageError
from quorate.tests.cli.conftest import Quorate


def test_a_saved_counterexample_is_drawn(
    quorate: Quorate, lock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--json", "-")
    (violation,) = ran.json["violations"]
    assert main([violation["trace"]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sequenceDiagram"
    assert "    participant p0 as client1" in lines
    assert any(line.strip().startswith("Note over p") and "2. take" in line for line in lines)


def test_a_trace_of_another_tool_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.itf.json"
    path.write_text(json.dumps({"vars": ["x"], "states": [{"x": 1}, {"x": 2}]}))
    assert main([str(path)]) == 0
    assert "Note over p0: 1. step()" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["no-such-file"], ["a", "b"]])
def test_what_is_not_a_trace_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(UsageError):
        main(words)

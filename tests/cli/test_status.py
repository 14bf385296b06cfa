"""Exit statuses and the messages that come with them; files that results go to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.checkers.errors import InternalDisagreement, SpecProblem
from quorate.cli.outputs import JsonOutput, require_writable
from quorate.cli.status import Status, outcome
from quorate.language.diagnostics import Code, Diagnostic, SpecErrors
from quorate.language.failures import UsageError

PROGRAM = Path(sys.executable).parent / "quorate"


def fail(error: BaseException) -> Status:
    """What a failing command ends with."""

    def command() -> Status:
        raise error

    return outcome(command)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UsageError("no such thing"), 2, "error: no such thing\n"),
        (SpecProblem("no symmetry"), 2, "error: no symmetry\n"),
        (SpecErrors([Diagnostic(Code.NAME, "who?", None)]), 2, "error[Q301]: who?\n"),
        (KeyboardInterrupt(), 3, "interrupted: inconclusive\n"),
    ],
)
def test_failures_that_are_not_ours(
    error: BaseException, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(error) == status
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("error", [InternalDisagreement("two answers"), KeyError("x")])
def test_our_own_failures(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fail(error) == 4
    quiet = capsys.readouterr().err
    assert f"internal error: {type(error).__name__}" in quiet
    assert "QUORATE_DEBUG=1" in quiet
    assert "Traceback" not in quiet
    monkeypatch.setenv("QUORATE_DEBUG", "1")
    assert fail(error) == 4
    assert "Traceback" in capsys.readouterr().err


def test_json_in_a_file_is_complete_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    output = JsonOutput(str(path))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TypeError):
        output.write({"cannot be written": object()})
    assert list(tmp_path.iterdir()) == []
    output.write({"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert list(tmp_path.iterdir()) == [path]


def test_json_that_cannot_be_put_in_place_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="No space left"):
        JsonOutput(str(tmp_path / "out.json")).write({"a": 1})
    assert list(tmp_path.iterdir()) == []


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_device_is_written_to_not_replaced() -> None:
    JsonOutput("/dev/null").write({"a": 1})
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("target", ["no/where.json", "file/x.json", "."])
def test_a_place_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--json"):
        JsonOutput(target)


def test_a_folder_is_made_only_when_it_is_needed(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b", "--trace-dir", create=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        require_writable(tmp_path / "file" / "b", "--trace-dir", create=True)


@pytest.mark.parametrize(
    "words", [["list"], ["--help"], ["check", "--help"], ["check", "no-such-model"]]
)
def test_light_commands_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom quorate.cli.main import main\n"
        f"sys.argv = ['quorate', *{words!r}]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numba', 'llvmlite', 'numpy', 'rich'} & set(sys.modules)\n"
        "sys.stderr.write(f'heavy: {sorted(heavy)}')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.endswith("heavy: []")


def test_the_program_reports_usage_errors_without_a_traceback() -> None:
    for words in (["chek"], ["check"], ["check", "x", "--workers", "0"], ["check", "--sett", "a"]):
        ran = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "Error: " in ran.stderr
        assert "Traceback" not in ran.stderr


def run_unread(*words: object) -> tuple[int, bytes]:
    """The exit status and stderr of the program when nobody reads its stdout."""
    command = [str(PROGRAM), *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        ran.stdout.close()
        return ran.wait(), ran.stderr.read()


def test_nobody_reads_the_output() -> None:
    assert run_unread("list") == (0, b"")


def test_the_answer_does_not_depend_on_who_reads_it(lock: str, tmp_path: Path) -> None:
    saved = tmp_path / "out.json"
    check = ["check", lock, "--set", "clients=3", "--trace-dir", tmp_path]
    assert run_unread(*check, "--json", saved) == (0, b"")
    assert json.loads(saved.read_text())["verdict"] == "holds"
    assert run_unread(*check, "--flaw", "steal") == (1, b"")
    assert run_unread(*check, "--flaw", "steal", "--json", "-") == (1, b"")
    (trace,) = tmp_path.glob("*.itf.json")
    assert run_unread("replay", trace) == (0, b"")
    text = trace.read_text()
    other = tmp_path / "other.itf.json"
    other.write_text(text.replace('"outcome": "reproduced"', '"outcome": "not_reproduced"'))
    assert run_unread("replay", trace, other) == (1, b"")

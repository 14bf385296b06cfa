"""What is typed wrongly, printed by others, or meets a full disk: one message, the right status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import LOCK, write

PROGRAM = Path(sys.executable).parent / "quorate"


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A shell command with the program as `$Q`, for what only a whole process shows."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, "Q": str(PROGRAM)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--workers", "0"), "'0' is not a whole number from 1 to 64"),
        (("--workers", "65"), "'65' is not a whole number from 1 to 64"),
        (("--workers", "1.5"), "'1.5' is not a whole number from 1 to 64"),
        (("--max-states", "0"), "'0' is not a whole number from 1"),
        (("--max-depth", "1_0"), "'1_0' is not a whole number from 1"),
        (("--max-depth", "9" * 500), "...9999999999' is not a whole number"),
        (("--time-limit", "nan"), "'nan' is not a number of seconds above 0"),
        (("--time-limit", "0"), "'0' is not a number of seconds above 0"),
        (("--time-limit", "inf"), "'inf' is not a number of seconds above 0"),
        (("--trace-dir", ""), "'' names no file or folder"),
        (("--json", ""), "'' names no file or folder"),
    ],
)
def test_option_values_are_named_with_what_is_allowed(
    quorate: Quorate, lock: str, words: tuple[str, ...], complaint: str
) -> None:
    ran = quorate("check", lock, *words)
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err
    assert words[0] in ran.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("limit=3", "limit=4"), "--set limit is given twice, as 3 and as 4"),
        (("limit=1_0",), "limit=1_0: limit is an int"),
        (("limit=\uff13",), "limit=\uff13: limit is an int"),
        (("limit=" + "9" * 5000,), "...9999999999: limit is an int"),
        (("x" * 5000 + "=1",), "unknown parameter"),
    ],
)
def test_a_parameter_that_is_set_wrongly(
    quorate: Quorate, lock: str, words: tuple[str, ...], complaint: str
) -> None:
    ran = quorate("check", lock, *(word for text in words for word in ("--set", text)))
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err
    assert len(ran.err) < 1000


def test_parameters_that_a_spec_assumes_not_to_be_given(quorate: Quorate, tmp_path: Path) -> None:
    fair = (
        "\n    @assume\n    def fair_is_short(self) -> bool:\n"
        '        """A fair lock needs a limit below 3."""\n'
        "        return self.mode is Mode.GREEDY or self.limit < 3\n"
    )
    text = LOCK.replace("witness\n)", "witness, assume\n)").replace(
        "    @action", fair + "\n    @action", 1
    )
    write(tmp_path, "lock.py", text)
    ran = quorate("check", f"{tmp_path}/lock.py:Lock")
    assert (ran.status, ran.out) == (2, "")
    assert "Lock cannot have mode = fair, limit = 3: A fair lock needs a limit below 3." in ran.err
    assert quorate("check", f"{tmp_path}/lock.py:Lock", "--set", "limit=2").status == 0


def test_a_parameter_that_is_set_twice_alike(quorate: Quorate, lock: str) -> None:
    assert quorate("check", lock, "--set", "limit=3", "--set", "limit=3").status == 0


@pytest.mark.parametrize("model", [".:Lock", "..up:Lock", "a-b:Lock"])
def test_what_is_neither_a_file_nor_a_module(quorate: Quorate, model: str) -> None:
    ran = quorate("check", model)
    assert ran.status == 2
    assert "neither a Python file (*.py) nor `package.module`" in ran.err


def test_a_file_without_a_class_is_told_which_there_are(quorate: Quorate, lock: str) -> None:
    file = lock.removesuffix(":Lock")
    ran = quorate("check", file)
    assert (ran.status, ran.out) == (2, "")
    assert f"write `{file}:Class`" in ran.err
    assert f"specs: {file}:Lock, {file}:Other" in ran.err


def test_a_file_that_raises_what_is_no_exception(quorate: Quorate, tmp_path: Path) -> None:
    write(tmp_path, "odd.py", "class Odd(BaseException): ...\nraise Odd('own')\n")
    ran = quorate("check", f"{tmp_path}/odd.py:Lock")
    assert ran.status == 2
    assert "cannot be imported: Odd: own" in ran.err


def test_what_a_spec_prints_stays_off_stdout(tmp_path: Path) -> None:
    write(tmp_path, "lock.py", LOCK + "\nimport os\nprint('loud')\nos.system('echo louder')\n")
    ran = run("$Q check lock.py:Lock --json -", tmp_path)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["verdict"] == "holds"
    assert ran.stderr.splitlines() == ["louder", "loud"] or ran.stderr.splitlines() == [
        "loud",
        "louder",
    ]


def test_what_an_adapter_prints_stays_off_stdout(quorate: Quorate, lock: str) -> None:
    assert quorate("check", lock, "--flaw", "steal", "--trace-dir", "kept").status == 1
    Path("loud.py").write_text(
        "class Adapter:\n    control = None\n"
        "    def start(self, parameters, flaws):\n"
        "        print('loud')\n        raise ValueError('no')\n"
    )
    ran = quorate("replay", "kept", "--against", "loud.py:Adapter", "--json", "-")
    assert ran.json["traces"][0]["outcome"] == "adapter_error"
    assert "loud" in ran.err


def test_a_wrong_implementation_is_said_once(quorate: Quorate, lock: str) -> None:
    quorate("check", lock, "--flaw", "steal", "--trace-dir", "kept")
    (trace,) = Path("kept").iterdir()
    (Path("kept") / "again.itf.json").write_bytes(trace.read_bytes())
    ran = quorate("replay", "kept", "--against", "nobody")
    assert ran.status == 2
    assert ran.err.count("unknown implementation") == 1


def test_a_trace_that_has_a_property_as_another_kind(quorate: Quorate, lock: str) -> None:
    quorate("check", lock, "--flaw", "steal", "--trace-dir", "kept")
    (trace,) = Path("kept").iterdir()
    edited = json.loads(trace.read_text())
    edited["#meta"]["propertyKind"] = "step"
    trace.write_text(json.dumps(edited))
    ran = quorate("replay", trace)
    assert ran.status == 2
    assert "as 'step'; in Lock it is 'always'" in ran.err


def test_a_device_is_no_trace(quorate: Quorate) -> None:
    ran = quorate("replay", "/dev/zero")
    assert (ran.status, ran.err) == (2, "error: /dev/zero: a device, not a trace\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
@pytest.mark.parametrize("words", ["list", "list --json -", "--version", "check --help"])
def test_a_full_disk_is_no_bug_of_ours(tmp_path: Path, words: str) -> None:
    ran = run(f"$Q {words} >/dev/full", tmp_path)
    assert ran.returncode == 2
    assert ran.stderr == "error: cannot write to stdout: No space left on device\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("$Q list >&-", 0),
        ("$Q check no-such-model 2>&-", 2),
        ("$Q check no-such-model <&- >&- 2>&-", 2),
        ("$Q check lock.py:Lock --flaw steal <&- >&- 2>&-", 1),
        ("$Q check lock.py:Lock --flaw steal --json out.json >&-", 1),
    ],
)
def test_closed_streams_do_not_change_the_status(tmp_path: Path, command: str, status: int) -> None:
    write(tmp_path, "lock.py", LOCK)
    ran = run(command, tmp_path)
    assert ran.returncode == status
    assert "internal error" not in ran.stderr
    assert "Traceback" not in ran.stderr
    if "out.json" in command:
        assert json.loads((tmp_path / "out.json").read_text())["verdict"] == "violated"


def test_a_request_to_end_is_an_interrupt(tmp_path: Path) -> None:
    write(tmp_path, "slow.py", "open('ready', 'w').close()\nimport time\ntime.sleep(60)\n")
    command = [str(PROGRAM), "check", "slow.py:Slow"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as ran:
        deadline = time.monotonic() + 30
        while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        ran.send_signal(signal.SIGTERM)
        _, err = ran.communicate(timeout=30)
    assert (ran.returncode, err) == (3, "interrupted: inconclusive\n")

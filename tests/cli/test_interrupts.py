"""Interrupts, at any time after Python itself has started: exit status 3, and the JSON object."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from quorate.tests.cli.specs import write
from quorate.tests.cli.test_check import COUNTER, KEYS

PROGRAM = Path(sys.executable).parent / "quorate"
SAID = "interrupted: inconclusive\n"

# A module of another name is loaded first, and takes its time.
SLOW_TYPER = """
import sys, time
open({ready!r}, "w").close()
time.sleep(1)
sys.path.remove({folder!r})
del sys.modules["typer"]
import typer
sys.modules["typer"] = typer
"""
SLOW_SPEC = "open('ready', 'w').close()\nimport time\ntime.sleep(60)\n"


def interrupted(
    folder: Path,
    *words: object,
    when: Callable[[], bool] | None = None,
    number: int = signal.SIGINT,
    **environment: str,
) -> tuple[int, str, str]:
    """Status, stdout and stderr of the command, interrupted as soon as a file `ready` is there."""
    when = when or (folder / "ready").exists
    environ: Mapping[str, str] = {**os.environ, **environment}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [str(PROGRAM), *map(str, words)],
        cwd=folder,
        env=environ,
        stdout=pipe,
        stderr=pipe,
        text=True,
    ) as ran:
        deadline = time.monotonic() + 60
        while not when() and ran.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        ran.send_signal(number)
        out, err = ran.communicate(timeout=60)
    return ran.returncode, out, err


def inconclusive(text: str) -> None:
    """The object of a check that came to nothing."""
    found = json.loads(text)
    assert found.keys() >= KEYS
    assert (found["verdict"], found["reason"]) == ("inconclusive", "interrupted")
    assert found["distinct_states"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_modules_load(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "modules"
    folder.mkdir()
    text = SLOW_TYPER.format(ready=str(tmp_path / "ready"), folder=str(folder))
    write(folder, "typer.py", text)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = ["check", "two-phase-commit", "--json", "-"]
    status, out, err = interrupted(tmp_path, *words, number=number, PYTHONPATH=path)
    assert (status, err) == (3, SAID)
    inconclusive(out)
    (tmp_path / "ready").unlink()
    words = ["replay", "some.itf.json", "--json", "-"]
    status, out, err = interrupted(tmp_path, *words, number=number, PYTHONPATH=path)
    assert (status, err) == (3, SAID)
    (trace,) = json.loads(out)["traces"]
    assert trace == {"trace": "some.itf.json", "outcome": "inconclusive", "reason": "interrupted"}


def test_while_the_spec_loads(tmp_path: Path) -> None:
    write(tmp_path, "slow.py", SLOW_SPEC)
    assert interrupted(tmp_path, "check", "slow.py:Slow") == (3, "", SAID)
    (tmp_path / "ready").unlink()
    status, out, err = interrupted(tmp_path, "check", "slow.py:Slow", "--json", "out.json")
    assert (status, out, err) == (3, "", SAID)
    inconclusive((tmp_path / "out.json").read_text())


def test_while_kernels_are_compiled(tmp_path: Path) -> None:
    """They take ten seconds when a version is used first, in a process that has to end, too."""
    write(tmp_path, "counter.py", COUNTER)
    mine = f"QUORATE_CACHE={tmp_path / 'cache'}".encode()

    def compiling() -> bool:
        return len(processes(mine)) > 1

    if not Path("/proc/self/environ").exists():
        pytest.skip("processes are looked for in /proc")
    words = ["check", "counter.py:Counter", "--json", "-"]
    status, out, err = interrupted(
        tmp_path, *words, when=compiling, QUORATE_CACHE=str(tmp_path / "cache")
    )
    assert (status, err) == (3, SAID)
    inconclusive(out)
    assert processes(mine) == []


def processes(setting: bytes) -> list[str]:
    """The processes with a setting in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if setting in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_while_it_searches(tmp_path: Path) -> None:
    ready = f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
    write(tmp_path, "counter.py", COUNTER + ready)
    started = time.monotonic()

    def searching() -> bool:
        if not (tmp_path / "ready").exists():
            nonlocal started
            started = time.monotonic()
        return time.monotonic() - started > 2

    words = ["check", "counter.py:Many", "--set", "nodes=12", "--json", "-"]
    status, out, _ = interrupted(tmp_path, *words, when=searching)
    assert status == 3
    found = json.loads(out)
    assert (found["verdict"], found["reason"]) == ("inconclusive", "interrupted")
    assert found["distinct_states"] > 0


def test_after_the_answer(tmp_path: Path) -> None:
    """Whoever reads the object may end the command: the answer stands."""
    write(tmp_path, "counter.py", COUNTER)
    there = (tmp_path / "out.json").exists
    words = ["check", "counter.py:Counter", "--json", "out.json"]
    status, _, err = interrupted(tmp_path, *words, when=there)
    assert (status, err) == (1, "")

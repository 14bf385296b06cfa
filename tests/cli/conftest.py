"""What tests of the command line share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quorate.cli.commands import app
from quorate.tests.cli.specs import LOCK, write


@pytest.fixture(autouse=True)
def own_imports() -> Iterator[None]:
    """Modules that a test imports from its own folder are forgotten, and so is the folder."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith(("quorate.", "numba", "llvmlite", "numpy")):
            file = getattr(sys.modules[name], "__file__", None)
            if file is None or "site-packages" not in file:
                del sys.modules[name]


@pytest.fixture
def lock(tmp_path: Path) -> str:
    """A spec of the user's own, as MODEL."""
    return f"{write(tmp_path, 'lock.py', LOCK)}:Lock"


@dataclass(frozen=True)
class Ran:
    """A run of the command: exit status, stdout, stderr."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


Quorate = Callable[..., Ran]


@pytest.fixture
def quorate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quorate:
    """The command, run in this process from a folder of the test's own."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def run(*words: object) -> Ran:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run

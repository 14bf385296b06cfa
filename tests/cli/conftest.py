"""What tests of the command line share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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

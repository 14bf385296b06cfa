"""Where results go: tried before the work starts, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..language.failures import UsageError
from .interrupts import answered
from .status import unread


@contextlib.contextmanager
def stdout_is_ours() -> Iterator[None]:
    """While code of the user's runs, what it prints goes to stderr: stdout is for results.

    That holds for programs that it starts, too.
    """
    handle = None
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor: in tests
        if sys.stdout.fileno() == 1:
            sys.stdout.flush()
            handle = os.dup(1)
            os.dup2(sys.stderr.fileno(), 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if handle is not None:
            os.dup2(handle, 1)
            os.close(handle)


class JsonOutput:
    """The target of `--json`: None for none, `-` for stdout, else a file."""

    def __init__(self, target: str | None) -> None:
        self.on_stdout = target == "-"
        self._path = None if target is None or self.on_stdout else Path(target)
        if self._path is not None:
            if self._path.is_dir():
                raise UsageError(f"--json {target}: is a folder")
            require_writable(self._path.parent, f"--json {target}")
            if self._path.exists() and not os.access(self._path, os.W_OK):
                raise UsageError(f"--json {target}: the file is not writable")

    def write(self, document: dict[str, Any]) -> None:
        """Write the one object. Raises UsageError where the place went away meanwhile."""
        text = json.dumps(document, indent=2) + "\n"
        answered()
        if self.on_stdout:
            with unread():
                sys.stdout.write(text)
        elif self._path is not None:
            try:
                _write(self._path, text)
            except OSError as error:
                raise UsageError(f"--json {self._path}: {error.strerror}") from None


def require_writable(folder: Path, what: str, *, create: bool = False) -> None:
    """Raise UsageError unless files can be made in a folder, which may have to be created."""
    there = folder.absolute()
    while create and not there.exists():
        there = there.parent
    if not there.is_dir():
        problem = "is not a folder" if there.exists() else "does not exist"
        raise UsageError(f"{what}: {there} {problem}")
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".quorate-"):
            pass
    except OSError as error:
        raise UsageError(f"{what}: cannot write in {there}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # a pipe or a device
        path.write_text(text, encoding="utf-8")
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".quorate-")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""The folder where compiled code is kept: written whole or not at all, and bounded.

`$QUORATE_CACHE`, or the user's cache folder; never beside the package, which may not be writable.
Any number of processes use it at once. A cache that cannot be read or written is no error: code is
then compiled again.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

LIMIT = 512 << 20
"""Bytes of all entries: beyond them, those that were not used for longest go."""

_ENTRY = re.compile(r"[0-9a-f]{40}\.obj|kernels-(narrow|wide)-[0-9a-f]{24}\.o")
_UNFINISHED = ".new-"
_STALE = 3600.0  # seconds after which an unfinished file has been left behind


def cache_directory() -> Path:
    """`$QUORATE_CACHE`, or the platform's place for caches."""
    given = os.environ.get("QUORATE_CACHE")
    if given:
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "quorate"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quorate"


def read(path: Path) -> bytes | None:
    """The content of an entry, which counts as used now; None where there is none."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return content


def write(path: Path, content: bytes) -> None:
    """Keep an entry, and remove old ones where that makes too many."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException as error:  # an interrupt leaves nothing behind either
        with contextlib.suppress(OSError):
            os.unlink(name)
        if not isinstance(error, OSError):
            raise
        return
    _shrink(path.parent)


def _shrink(folder: Path) -> None:
    """Remove what was not used for longest until the rest is within the limit.

    Only files that are named as entries are counted and removed: the folder may be anybody's.
    """
    entries = sorted(_entries(folder))
    total = sum(size for _, size, _ in entries)
    for _, size, path in entries:
        if total <= LIMIT:
            break
        # Another process may have removed it, or not let us: counted as gone either way.
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size


def _entries(folder: Path) -> Iterator[tuple[float, int, str]]:
    """When each entry was used last, its size, its path. Files left unfinished are removed."""
    try:
        files = list(os.scandir(folder))
    except OSError:
        return
    for file in files:
        with contextlib.suppress(OSError):
            if file.name.startswith(_UNFINISHED):
                if time.time() - file.stat().st_mtime > _STALE:
                    os.unlink(file.path)
            elif _ENTRY.fullmatch(file.name) and file.is_file():
                facts = file.stat()
                yield facts.st_mtime, facts.st_size, file.path

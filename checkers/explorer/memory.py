"""Memory of the search: reservations that cost nothing until they are touched."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import sys

from ..errors import UsageError

_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0x40)
_SMALLEST = 1 << 20


class Region:
    """A run of zeroed memory at a fixed address, committed page by page as it is touched."""

    def __init__(self, size: int, *, large_pages: bool = False) -> None:
        self._map: mmap.mmap | None = None
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE
        size = max(size + -size % mmap.PAGESIZE, _SMALLEST)
        while self._map is None:
            try:
                self._map = mmap.mmap(-1, size, flags=flags)
            except (OSError, ValueError, OverflowError):
                # Address space is limited here: a smaller reservation means an earlier stop.
                size //= 2
                if size < _SMALLEST:
                    raise UsageError("no memory for the search") from None
        self.size = size
        if large_pages and hasattr(mmap, "MADV_HUGEPAGE"):
            # An advice: where it is not taken, small pages are slower, and right.
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_HUGEPAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))


def machine_memory() -> int:
    """Bytes of memory of this machine, or of this process's control group where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(name, encoding="ascii") as file:
                text = file.read().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def peak_memory() -> int:
    """The most memory this process has had resident, in bytes."""
    try:
        # Not getrusage: its figure starts at that of the process this one was started from.
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

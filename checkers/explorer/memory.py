"""Memory of the search: reservations that cost nothing until they are touched."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
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

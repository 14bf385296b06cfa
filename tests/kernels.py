"""Compiles the explorer's kernels for the tests, both at once: `python -m quorate.tests.kernels`.

Without it, each process of a test run that starts with an empty cache compiles them for itself.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from quorate.checkers.explorer.machine import load_kernels
from quorate.tests import conftest  # noqa: F401 - says where the cache is

if __name__ == "__main__":
    with ThreadPoolExecutor() as both:
        list(both.map(load_kernels, (False, True)))

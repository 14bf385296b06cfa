"""Settings that every test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run: a failure in CI is a failure here, and a pass is repeatable.
# Look further, with new examples each time: HYPOTHESIS_PROFILE=explore make test
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# Generated specs are no business of the user's cache. This one survives from run to run, and goes
# with `make clean`.
os.environ.setdefault("QUORATE_CACHE", str(Path(__file__).parent.parent / ".pytest_cache/quorate"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` records golden files anew."""
    parser.addoption("--update", action="store_true", help="record golden files anew")

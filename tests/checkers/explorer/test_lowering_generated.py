"""Compiled code and the IR evaluator agree on generated specs, in every layout."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer.layout import LayoutError
from quorate.tests.checkers.explorer.agreement import Agreement, narrow_layouts
from quorate.tests.generated.specs import random_spec


@pytest.mark.parametrize("start", range(0, 50, 10))
def test_compiled_specs_step_as_the_evaluator_says(start: int) -> None:
    for seed in range(start, start + 10):
        assert Agreement(random_spec(seed)).check() >= 0


@pytest.mark.parametrize(("small", "dense"), [(2, 0), (4, 2), (8, 3), (14, 6), (24, 10)])
def test_wide_and_sparse_layouts_mean_the_same(small: int, dense: int) -> None:
    reached = 0
    with narrow_layouts(small, dense):
        for seed in range(100, 116):
            try:
                reached += Agreement(random_spec(seed)).check(limit=15)
            except LayoutError:
                continue  # A wide type cannot be a key, and its values cannot be counted.
    assert reached > 20


def test_optimised_code_means_the_same() -> None:
    for seed in range(200, 212):
        Agreement(random_spec(seed), optimise=2).check(limit=15)
    with narrow_layouts(10, 4):
        for seed in range(212, 220):
            Agreement(random_spec(seed), optimise=2).check(limit=15)


@pytest.mark.parametrize("small", [64, 6])
def test_symmetry_agrees_with_all_renamings(small: int) -> None:
    compared = 0
    with narrow_layouts(small, 4):
        for seed in range(300, 320):
            try:
                compared += Agreement(random_spec(seed)).check_symmetry()
            except LayoutError:
                continue
    assert compared > 40

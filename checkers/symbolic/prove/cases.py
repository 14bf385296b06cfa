"""A question to Z3 by cases: where one of several things is said to be so, each by itself."""

from __future__ import annotations

from collections.abc import Iterable

import z3


def conjoined(formulas: Iterable[z3.BoolRef]) -> tuple[z3.BoolRef, ...]:
    """Formulas taken apart at every `and`."""
    found: list[z3.BoolRef] = []
    for formula in formulas:
        if z3.is_and(formula):
            found += conjoined(formula.children())
        else:
            found.append(formula)
    return tuple(found)


def cases(formulas: tuple[z3.BoolRef, ...]) -> list[tuple[z3.BoolRef, ...]]:
    """Formulas with one alternative of the smallest choice among them, for each alternative.

    They can be true together if and only if those of some case can. Empty where there is no choice.
    """
    choices = [(len(f.children()), place) for place, f in enumerate(formulas) if z3.is_or(f)]
    if not choices:
        return []
    _, place = min(choices)
    rest = formulas[:place] + formulas[place + 1 :]
    return [conjoined((one,)) + rest for one in formulas[place].children()]

"""Whether a question to Z3 is in a fragment for which it always finds an answer.

Formulas in which sorts can be put in an order, such that whatever depends on universally quantified
variables is of a later sort than they are, have finite models if they have any: the stratified
extension of effectively propositional logic (EPR). A circle of sorts is the obstacle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx
import z3


@dataclass(frozen=True)
class Dependence:
    """Something of a sort that depends on something of another, in words."""

    source: str
    target: str
    words: str


def obstacle(formulas: Iterable[z3.BoolRef]) -> list[Dependence]:
    """A circle of dependences among the sorts of formulas; empty where there is none."""
    graph = networkx.DiGraph()
    for formula in formulas:
        for found in _dependences(formula, True, ()):
            graph.add_edge(found.source, found.target, dependence=found)
    try:
        circle = networkx.find_cycle(graph)
    except networkx.NetworkXNoCycle:
        return []
    return [graph.edges[edge[:2]]["dependence"] for edge in circle]


def _dependences(
    formula: z3.ExprRef, positive: bool, universal: tuple[tuple[str, str], ...]
) -> list[Dependence]:
    """What depends on the universally quantified variables (name, sort) around a formula."""
    if z3.is_quantifier(formula):
        return _of_quantifier(formula, positive, universal)
    if z3.is_not(formula):
        return _dependences(formula.arg(0), not positive, universal)
    if z3.is_implies(formula):
        premise = _dependences(formula.arg(0), not positive, universal)
        return premise + _dependences(formula.arg(1), positive, universal)
    if z3.is_and(formula) or z3.is_or(formula):
        return [d for p in formula.children() for d in _dependences(p, positive, universal)]
    if z3.is_bool(formula) and any(z3.is_bool(part) for part in formula.children()):
        both = [
            _dependences(p, way, universal) for p in formula.children() for way in (True, False)
        ]
        return [dependence for found in both for dependence in found]
    return _of_functions(formula)


def _of_quantifier(
    formula: z3.QuantifierRef, positive: bool, universal: tuple[tuple[str, str], ...]
) -> list[Dependence]:
    variables = [
        (formula.var_name(i).partition("!")[0], formula.var_sort(i).name())
        for i in range(formula.num_vars())
    ]
    if formula.is_forall() is positive:
        return _dependences(formula.body(), positive, (*universal, *variables))
    found = [
        Dependence(source, target, f"for every {outer} ({source}) there is some {inner} ({target})")
        for outer, source in universal
        for inner, target in variables
    ]
    return found + _dependences(formula.body(), positive, universal)


def _of_functions(term: z3.ExprRef) -> list[Dependence]:
    """A function leads from the sorts of its arguments to that of its value."""
    found = []
    for part in term.children():
        found += _of_functions(part)
    is_function = z3.is_app(term) and term.num_args() > 0 and not z3.is_bool(term)
    if is_function and term.sort().kind() == z3.Z3_UNINTERPRETED_SORT:
        target = term.sort().name()
        for part in term.children():
            source = part.sort().name()
            name = term.decl().name()
            words = f"{name} gives for every one of {source} one of {target}"
            if not z3.is_const(part) or z3.is_var(part):
                found.append(Dependence(source, target, words))
    return found

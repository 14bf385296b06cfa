"""A question and its cases have the same answer."""

from __future__ import annotations

import itertools

import z3

from quorate.checkers.symbolic.prove.cases import cases, conjoined

A, B, C, D = z3.Bools("a b c d")


def answer(formulas: tuple[z3.BoolRef, ...]) -> object:
    solver = z3.Solver()
    solver.add(*formulas)
    return solver.check()


def test_a_question_is_possible_if_and_only_if_one_of_its_cases_is() -> None:
    literals = [A, z3.Not(A), B, z3.Not(B), C, z3.Not(D)]
    for one, other, third in itertools.combinations(literals, 3):
        question = conjoined([z3.And(z3.Or(one, other), z3.Not(one)), z3.Or(z3.Not(other), third)])
        parts = [answer(case) for case in cases(question)]
        assert len(parts) == 2
        assert (z3.sat in parts) is (answer(question) == z3.sat)
    impossible = conjoined([z3.Or(A, B), z3.Not(A), z3.Not(B)])
    assert all(answer(case) == z3.unsat for case in cases(impossible))


def test_what_has_no_choice_has_no_cases() -> None:
    assert cases(conjoined([z3.And(A, z3.Not(B)), C])) == []

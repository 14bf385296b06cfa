"""IR text: read back as it was, canonical, and errors with a position."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from quorate.language.ir.nodes import SpecIR
from quorate.language.ir.parser import IRSyntaxError, parse_ir
from quorate.language.ir.printer import print_ir
from quorate.language.ir.sexpr import WIDTH, read, write
from quorate.tests.generated.specs import random_spec, specs
from quorate.tests.two_phase_commit_ir import two_phase_commit

CANONICAL = """\
(spec counter
  (sort peers 2)
  (sort ranks 3 ordered)
  (enum Colour RED GREEN)
  (record Ack)
  (record Ping (who (node peers)) (colour Colour))
  (variable mail (bag (union Ack Ping) 2 4) durable (bag :(bag (union Ack Ping) 2 4)))
  (variable turn (int 0 3) 0)
  (variable leader (option (node ranks)) volatile (none (option (node ranks))))
  (start (choose (first (range 0 3))) (assign self.turn first))
  (action advance timeout ((who (node ranks)))
    (bind next (add self.turn 1))
    (if (eq self.leader (none (option (node ranks))))
      (then (assign self.leader (coerce :(option (node ranks)) who)))
      (else (assign self.turn (coerce :(int 0 3) @turn next)))))
  (constraint (lt self.turn (const 3 (int 0 9))))
  (property rises step (le self.turn after.turn))
  (property "can go on" always_possible (by advance)
    (fold.any ((message self.mail (is Ack message))) #true))
  (refinement clock (spec clock (variable time (int 0 3) 0) (action tick internal ())) self.turn))
"""


@given(specs())
@settings(max_examples=60)
def test_generated_specs_are_read_back_as_they_were(spec: SpecIR) -> None:
    text = print_ir(spec)
    again = parse_ir(text)
    assert again == spec
    assert print_ir(again) == text


@pytest.mark.parametrize("seed", range(40))
def test_specs_of_seeds_are_read_back_as_they_were(seed: int) -> None:
    spec = random_spec(seed)
    assert parse_ir(print_ir(spec)) == spec


def test_equal_specs_have_equal_text() -> None:
    assert print_ir(two_phase_commit(3)) == print_ir(two_phase_commit(3))
    assert print_ir(two_phase_commit(3)) != print_ir(two_phase_commit(4))


def test_layout_and_comments_do_not_matter() -> None:
    loose = CANONICAL.replace("\n", "\n\n  ; a comment (with a parenthesis\n").replace(" (", "\t(")
    assert print_ir(parse_ir(loose)) == print_ir(parse_ir(CANONICAL))


def test_canonical_text_is_a_fixed_point_with_short_lines() -> None:
    text = print_ir(parse_ir(CANONICAL))
    assert text == CANONICAL
    assert max(map(len, print_ir(two_phase_commit(3)).splitlines())) <= WIDTH


def test_names_that_could_be_misread_are_quoted() -> None:
    text = '(spec "a spec" (variable x bool #true))'
    spec = parse_ir(text)
    assert spec.name == "a spec"
    assert parse_ir(print_ir(spec)) == spec


def test_what_is_read_is_written() -> None:
    text = '(a (b c) "d e" :(f g) @"h i")'
    assert write(read(text)) == text


def _spec(*declarations: str) -> str:
    return "\n".join(["(spec s", *declarations, ")"])


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("", 1, 1, "nothing"),
        ("(spec s", 1, 1, "not closed"),
        ("  )", 1, 3, "too many"),
        ("(spec s) (spec t)", 1, 10, "goes on"),
        ('(spec "s)', 1, 7, "quote"),
        ("(sepc s)", 1, 1, "(spec NAME ...)"),
        (_spec("  (variabel x bool #true)"), 2, 3, "variabel"),
        (_spec("(variable x bool)"), 2, 1, "3 to 4 parts"),
        (_spec("(variable x Colour #true)"), 2, 13, "no type is called 'Colour'"),
        (_spec("(variable x (int 0 a) 0)"), 2, 20, "number"),
        (_spec("(variable x bool y)"), 2, 18, "no local is called 'y'"),
        (_spec("(variable x bool (not 3))"), 2, 18, "not does not apply"),
        (_spec("(variable x bool (nor #true))"), 2, 19, "'nor' is not one of"),
        (_spec("(variable x (set bool) (set #true))"), 2, 24, "needs its type"),
        (_spec("(variable x bool #true)", "(variable x bool #true)"), 3, 11, "declared already"),
        (_spec("(action a internal () (assign self.y #true))"), 2, 31, "self.y"),
        (_spec("(action a sometimes ())"), 2, 11, "'sometimes' is not one of"),
        (_spec("(action a internal () (jump))"), 2, 23, "not a statement: 'jump'"),
        (_spec("(enum E A B)", "(variable x E E::C)"), 3, 15, "no member 'C'"),
        (_spec("(property p never #true)"), 2, 13, "'never' is not one of"),
    ],
)
def test_errors_say_where(text: str, line: int, column: int, part: str) -> None:
    with pytest.raises(IRSyntaxError) as caught:
        parse_ir(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert part in str(caught.value)


@pytest.mark.parametrize("seed", range(5))
def test_damaged_text_is_refused_or_read_but_never_crashes(seed: int) -> None:
    text = print_ir(random_spec(seed))
    refused: list[IRSyntaxError] = []
    for cut in range(0, len(text), 97):
        for damaged in (text[:cut], text[:cut] + text[cut + 5 :], text[:cut] + ")" + text[cut:]):
            try:
                parse_ir(damaged)
            except IRSyntaxError as problem:
                refused.append(problem)
    assert refused
    assert all(problem.line >= 1 and problem.column >= 1 for problem in refused)

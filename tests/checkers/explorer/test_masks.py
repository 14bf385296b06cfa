"""Conditions looked up in tables: what is looked up, and that it means the same."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer.lowering.fusion import fused
from quorate.checkers.explorer.lowering.masks import Tables
from quorate.checkers.explorer.lowering.rewriting import conjuncts
from quorate.checkers.explorer.lowering.safety import safe
from quorate.language.ir.nodes import Apply, Comprehension, Expr, Op, SpecIR, Var
from quorate.language.ir.parser import parse_ir
from quorate.tests.checkers.explorer.agreement import Agreement, narrow_layouts
from quorate.tests.generated.selections import HEAD, UNION, random_selections


def _spec(predicate: str) -> SpecIR:
    return parse_ir(f"(spec s {HEAD} (property p always {predicate}))")


def _any(predicate: str) -> tuple[SpecIR, Comprehension]:
    spec = _spec(predicate)
    found = fused(spec).properties[0].predicate
    assert isinstance(found, Comprehension)
    return spec, found


def _masks(predicate: str) -> tuple[list[tuple[tuple[Expr, ...], tuple[int, ...]]], int]:
    """Keys and rows of the masks for the first comprehension, and how many conditions are left."""
    spec, fold = _any(predicate)
    binder = fold.binders[-1]
    conditions = conjuncts(binder.condition) + conjuncts(fold.body)
    found, left = Tables(spec).masks(binder.name, binder.type, conditions)
    return [(mask.keys, mask.rows) for mask in found], len(left)


@pytest.mark.parametrize("start", range(0, 16, 4))
def test_selections_mean_the_same(start: int) -> None:
    reached = 0
    for seed in range(start, start + 4):
        reached += Agreement(random_selections(seed)).check(limit=30)
        with narrow_layouts(12, 6):
            reached += Agreement(random_selections(seed)).check(limit=10)
    assert reached > 100


def test_a_condition_on_the_element_alone_is_one_set() -> None:
    # Ask is the first record of the union, with ballots 0 to 2: bits 0 to 2.
    found, left = _masks("(fold.any ((m self.sent (is Ask m))) (le 1 (field bal (narrow :Ask m))))")
    assert found == [((), (0b110,))]
    assert left == 0


def test_what_an_element_is_compared_with_is_a_key() -> None:
    found, left = _masks(
        "(fold.any ((m self.sent (is Ask m))) (eq (field bal (narrow :Ask m)) self.k))"
    )
    (kind, _), (keys, rows) = found
    assert kind == ()
    assert [key.name for key in keys if isinstance(key, Var)] == ["k"]
    assert rows == (0b001, 0b010, 0b100)
    assert left == 0


def test_keys_are_told_apart() -> None:
    told = "(narrow :Told m)"
    either = f"(or (eq (field bal {told}) self.k) (contains self.some (field who {told})))"
    predicate = f"(fold.any ((m self.sent (is Told m))) {either})"
    (_, (keys, rows)), left = _masks(predicate)
    assert (len(keys), len(rows), left) == (2, 3 * 8, 0)
    spec = parse_ir(
        f"""(spec s {HEAD}
          (action send internal ((who (node nodes)) (bal (int 0 2)))
            (require (lt (size self.sent) 2))
            (add! self.sent (coerce :{UNION} (record :Told who bal (none (option (int 0 1)))))))
          (action other internal ((who (node nodes)) (k (int 0 2)))
            (assign self.k k)
            (add! self.some who))
          (property p sometimes {predicate}))"""
    )
    assert Agreement(spec).check(limit=400) == 400


def test_a_condition_that_may_trap_is_not_looked_up() -> None:
    # Without the question what m is, and with it too late.
    narrow = "(eq (field bal (narrow :Ask m)) self.k)"
    assert _masks(f"(fold.any ((m self.sent)) {narrow})") == ([], 1)
    found, left = _masks(f"(fold.any ((m self.sent {narrow})) (is Ask m))")
    assert (found, left) == ([], 2)


def test_a_set_made_to_be_gone_through_is_not_made() -> None:
    asks = "(fold.set ((m self.sent (is Ask m))) (narrow :Ask m))"
    _, fold = _any(f"(fold.any ((a {asks})) (eq (field bal a) self.k))")
    assert fold.binders[0].source == Var(fold.binders[0].source.type, "sent")
    # Without the question, making the set may trap, which an early end of the loop would hide.
    asks = "(fold.set ((m self.sent)) (narrow :Ask m))"
    _, fold = _any(f"(fold.any ((a {asks})) (eq (field bal a) self.k))")
    assert isinstance(fold.binders[0].source, Comprehension)


@pytest.mark.parametrize(
    ("predicate", "known"),
    [
        ("(fold.any ((m self.sent)) (and (is Ask m) (le 0 (field bal (narrow :Ask m)))))", True),
        ("(fold.any ((m self.sent)) (and (le 0 (field bal (narrow :Ask m))) (is Ask m)))", False),
        ("(fold.any ((m self.sent)) (or (is Ask m) (le 0 (field bal (narrow :Ask m)))))", False),
        (
            "(fold.any ((m self.sent)) (or (not (is Ask m)) (le 0 (field bal (narrow :Ask m)))))",
            True,
        ),
        ("(eq self.k (mod self.k 2))", True),
        ("(eq self.k (mod self.k self.k))", False),
        ("(eq (coerce :(int 0 1) self.k) (const 0 (int 0 1)))", False),
        ("(lt (fold.min ((n self.some)) self.k) 2)", False),
    ],
)
def test_what_cannot_trap_is_told_from_what_can(predicate: str, known: bool) -> None:
    assert safe(_spec(predicate).properties[0].predicate) is known


def test_a_guard_overtakes_only_where_nothing_can_trap() -> None:
    # The second guard is known before the parameter is; the first traps for k = 2.
    def spec(first: str) -> SpecIR:
        return parse_ir(
            f"""(spec s {HEAD}
              (action a internal ((bal (int 0 2)))
                (require {first})
                (require (lt self.k (const 2 (int 2 2))))
                (assign self.n (coerce :(int 0 99) @n (add bal 1))))
              (action up internal ()
                (require (lt self.k (const 2 (int 2 2))))
                (assign self.k (coerce :(int 0 2) @k (add self.k 1)))))"""
        )

    traps = spec("(le bal (coerce :(int 0 1) @x self.k))")
    assert Agreement(traps).check() > 5
    assert Agreement(spec("(le bal self.k)")).check() > 5


def test_negated_alternatives_are_conjuncts() -> None:
    predicate = "(not (or (contains self.sent (coerce :%s (record :Ask self.k))) (eq self.k 1)))"
    parts = conjuncts(_spec(predicate % UNION).properties[0].predicate)
    assert [isinstance(part, Apply) and part.op is Op.NOT for part in parts] == [True, True]

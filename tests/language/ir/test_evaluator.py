"""What each operator, change and statement means: small cases with the expected value beside."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.language.domains import values_of
from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import Kind, TrapKind
from quorate.language.ir.parser import parse_ir
from quorate.language.ir.types import (
    BOOL,
    BagType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Sort,
    Type,
    UnionType,
    cardinality,
)
from quorate.language.ir.verifier import verify
from quorate.language.labels import Label, Trap, Trapped
from quorate.language.values import FrozenBag, FrozenMap, Node, Universe, order_key

DECLARATIONS = """
  (sort peers 3)
  (sort ranks 2 ordered)
  (enum Colour RED GREEN BLUE)
  (record Ack)
  (record Ping (who (node peers)) (round (int 0 3)))
  (record Word (flag bool))
  (record Pair (left (int 0 3)) (right (int 0 3)))
"""
PEERS = [Node(Sort("peers", 3), index) for index in range(3)]
SEQ = "(seq :(seq (int 0 9) 4) 5 6 7)"
BAG = "(bag :(bag (int 0 9) 3) 5 5 6)"
MAP = "(fold.map ((k (domain :(set (int 0 2))))) (mul k 2))"
NUMBERS = "(set :(set (int 0 9)) 1 3 5)"
TOTAL = f"""
  (do ((bind n :(int 0 99) 0)
       (for (x {NUMBERS}) (bind n :(int 0 99) (coerce :(int 0 99) (add n x)))))
    n)"""
PING = "(coerce :(union Ack Ping) (record :Ack))"


def evaluator(*declarations: str) -> Evaluator:
    spec = parse_ir(f"(spec s {DECLARATIONS} {' '.join(declarations)})")
    assert list(map(str, verify(spec))) == []
    return Evaluator(spec)


def value(expr: str, kind: str | None = None) -> Any:
    """The value of an expression that reads no variable, or the trap it raises."""
    kind = kind or "(int -999 999)"
    semantics = evaluator(f"(variable x {kind} {expr})")
    (state,) = semantics.initial_states()
    return state if isinstance(state, Trap) else state[0]


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("(not #true)", False),
        ("(and #true #true)", True),
        ("(and #true #false)", False),
        ("(or #false #true)", True),
        ("(or #false #false)", False),
        ("(eq 2 2)", True),
        ("(eq (set :(set bool) #true) (set :(set bool) #true #true))", True),
        ("(lt 1 1)", False),
        ("(le 1 1)", True),
        ("(lt Colour::RED Colour::BLUE)", True),
        ("(lt Colour::GREEN Colour::RED)", False),
        (f"(is Ack {PING})", True),
        (f"(is Ping {PING})", False),
        ("(is_none (none (option bool)))", True),
        ("(is_none (coerce :(option bool) #false))", False),
        (f"(contains {NUMBERS} 3)", True),
        (f"(contains {NUMBERS} 33)", False),
        (f"(contains {SEQ} 6)", True),
        (f"(contains {BAG} 6)", True),
        (f"(contains {BAG} 7)", False),
        (f"(subset (set :(set (int 0 9)) 1 5) {NUMBERS})", True),
        (f"(subset {NUMBERS} (set :(set (int 0 9)) 1 5))", False),
        (f"(fold.any ((x {NUMBERS})) (eq x 3))", True),
        (f"(fold.any ((x {NUMBERS})) (eq x 4))", False),
        (f"(fold.all ((x {NUMBERS})) (lt x 6))", True),
        (f"(fold.all ((x {NUMBERS})) (lt x 5))", False),
        (f"(fold.all ((x {NUMBERS} (lt x 5))) (lt x 5))", True),
        # Not evaluated: what would trap.
        ("(and #false (eq (floordiv 1 0) 1))", False),
        ("(or #true (eq (floordiv 1 0) 1))", True),
        (f"(fold.any ((x {NUMBERS})) (or (eq x 1) (eq (floordiv 1 0) 1)))", True),
        (f"(fold.all ((x {NUMBERS})) (and (eq x 9) (eq (floordiv 1 0) 1)))", False),
    ],
)
def test_conditions(expr: str, expected: bool) -> None:
    assert value(expr, "bool") is expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("(add 2 3)", 5),
        ("(sub 2 3)", -1),
        ("(mul -2 3)", -6),
        ("(floordiv 7 2)", 3),
        ("(floordiv -7 2)", -4),
        ("(floordiv 7 -2)", -4),
        ("(mod 7 3)", 1),
        ("(mod -7 3)", 2),
        ("(mod 7 -3)", -2),
        ("(neg 4)", -4),
        ("(min 4 2)", 2),
        ("(max 4 2)", 4),
        ("(if #true 1 (floordiv 1 0))", 1),
        ("(if #false (floordiv 1 0) 2)", 2),
        (f"(size {NUMBERS})", 3),
        (f"(size {SEQ})", 3),
        (f"(size {BAG})", 3),
        (f"(count {BAG} 5)", 2),
        (f"(count {BAG} 7)", 0),
        (f"(get {MAP} 2)", 4),
        (f"(at {SEQ} 0)", 5),
        (f"(at {SEQ} -1)", 7),
        (f"(at {SEQ} -3)", 5),
        ("(field right (record :Pair 1 2))", 2),
        (f"(fold.sum ((x {NUMBERS})) x)", 9),
        (f"(fold.sum ((x {BAG})) x)", 11),
        (f"(fold.sum ((x (concat {SEQ} {SEQ}))) x)", 36),
        (f"(fold.sum ((x {NUMBERS}) (y {NUMBERS} (lt y x))) 1)", 3),
        (f"(fold.min ((x {NUMBERS})) (neg x))", -5),
        (f"(fold.max ((x {NUMBERS})) (neg x))", -1),
        ("(fold.max ((x (range 3 3))) x 42)", 42),
        (TOTAL, 9),
        ("(narrow (coerce :(option (int 0 3)) 2))", 2),
    ],
)
def test_numbers(expr: str, expected: int) -> None:
    assert value(expr) == expected
    assert type(value(expr)) is int


@pytest.mark.parametrize(
    ("expr", "kind", "expected"),
    [
        ("(range 1 4)", "(set (int 1 3))", {1, 2, 3}),
        ("(range 4 1)", "(set (int 4 4))", set()),
        (f"(union {NUMBERS} (set :(set (int 0 9)) 2 3))", "(set (int 0 9))", {1, 2, 3, 5}),
        (f"(intersection {NUMBERS} (set :(set (int 0 9)) 2 3))", "(set (int 0 9))", {3}),
        (f"(difference {NUMBERS} (set :(set (int 0 9)) 2 3))", "(set (int 0 9))", {1, 5}),
        ("(domain :(set (node peers)))", "(set (node peers))", set(PEERS)),
        ("(domain :(set (set bool 1)))", "(set (set bool 1))",
         {frozenset(), frozenset({False}), frozenset({True})}),
        (f"(fold.set ((x {NUMBERS})) (mod x 2))", "(set (int 0 1))", {1}),
        (f"(coerce :(set (int 1 5) 3) {NUMBERS})", "(set (int 1 5) 3)", {1, 3, 5}),
        (SEQ, "(seq (int 0 9) 4)", (5, 6, 7)),
        (f"(take {SEQ} 2)", "(seq (int 0 9) 4)", (5, 6)),
        (f"(take {SEQ} 9)", "(seq (int 0 9) 4)", (5, 6, 7)),
        (f"(take {SEQ} -1)", "(seq (int 0 9) 4)", (5, 6)),
        (f"(take {SEQ} -9)", "(seq (int 0 9) 4)", ()),
        (f"(drop {SEQ} 2)", "(seq (int 0 9) 4)", (7,)),
        (f"(drop {SEQ} 9)", "(seq (int 0 9) 4)", ()),
        (f"(drop {SEQ} -1)", "(seq (int 0 9) 4)", (7,)),
        (f"(drop {SEQ} -9)", "(seq (int 0 9) 4)", (5, 6, 7)),
        (f"(concat {SEQ} (take {SEQ} 1))", "(seq (int 0 9) 8)", (5, 6, 7, 5)),
        (BAG, "(bag (int 0 9) 3)", FrozenBag({5: 2, 6: 1})),
        (f"(coerce :(bag (int 5 6) 2 2) {BAG})", "(bag (int 5 6) 2 2)", FrozenBag({5: 2, 6: 1})),
        (MAP, "(map (int 0 2) (int 0 4))", FrozenMap({0: 0, 1: 2, 2: 4})),
        (f"(with {MAP} 1 3)", "(map (int 0 2) (int 0 4))", FrozenMap({0: 0, 1: 3, 2: 4})),
        ("(each :(map bool bool) #true)", "(map bool bool)", FrozenMap({False: True, True: True})),
        (f"(coerce :(map (int 0 2) (option (int 0 4))) {MAP})",
         "(map (int 0 2) (option (int 0 4)))", FrozenMap({0: 0, 1: 2, 2: 4})),
    ],
)  # fmt: skip
def test_collections(expr: str, kind: str, expected: Any) -> None:
    assert value(expr, kind) == expected


@pytest.mark.parametrize(
    ("expr", "kind", "trap"),
    [
        ("(floordiv 1 0)", None, TrapKind.DIVISION),
        ("(mod 1 0)", None, TrapKind.DIVISION),
        (f"(at {SEQ} 3)", None, TrapKind.INDEX),
        (f"(at {SEQ} -4)", None, TrapKind.INDEX),
        ("(fold.min ((x (range 3 3))) x)", None, TrapKind.EMPTY),
        ("(fold.max ((x (range 3 3))) x)", None, TrapKind.EMPTY),
        ("(narrow (none (option (int 0 3))))", None, TrapKind.NARROW),
        (f"(narrow :Ping {PING})", "Ping", TrapKind.NARROW),
        ("(coerce :(int 0 3) (add 2 2))", None, TrapKind.BOUND),
        (f"(coerce :(set (int 0 9) 2) {NUMBERS})", "(set (int 0 9) 2)", TrapKind.BOUND),
        (f"(coerce :(set (int 0 4)) {NUMBERS})", "(set (int 0 4))", TrapKind.BOUND),
        (f"(coerce :(seq (int 0 9) 2) {SEQ})", "(seq (int 0 9) 2)", TrapKind.BOUND),
        (f"(coerce :(bag (int 0 9) 1) {BAG})", "(bag (int 0 9) 1)", TrapKind.BOUND),
        (f"(coerce :(bag (int 0 9) 3 1) {BAG})", "(bag (int 0 9) 3 1)", TrapKind.BOUND),
        ("(coerce :(union Ack Ping) (coerce :(union Ack Ping Word) (record :Word #true)))",
         "(union Ack Ping)", TrapKind.BOUND),
    ],
)  # fmt: skip
def test_traps(expr: str, kind: str | None, trap: TrapKind) -> None:
    found = value(expr, kind)
    assert isinstance(found, Trap)
    assert found.kind is trap


def test_a_trap_names_the_place() -> None:
    trap = value("(coerce :(int 0 3) @round (add 2 2))")
    assert trap == Trap(TrapKind.BOUND, "round", "a value of round leaves its declared bound")


def changed(kind: str, initial: str, statement: str) -> Any:
    """The variable after the only step, or its trap."""
    semantics = evaluator(f"(variable x {kind} {initial})", f"(action a internal () {statement})")
    (state,) = semantics.initial_states()
    assert not isinstance(state, Trap)
    (transition,) = semantics.successors(state)
    return transition.target if isinstance(transition.target, Trap) else transition.target[0]


SET2 = ("(set (int 0 9) 2)", "(set :(set (int 0 9) 2) 1 3)")
BAG2 = ("(bag (int 0 9) 2 2)", "(bag :(bag (int 0 9) 2 2) 5 6)")
SEQ3 = ("(seq (int 0 9) 3)", "(seq :(seq (int 0 9) 3) 5 6)")
FULL = ("(seq (int 0 9) 2)", "(seq :(seq (int 0 9) 2) 5 6)")
NONE = ("(seq (int 0 9) 2)", "(seq :(seq (int 0 9) 2))")
NEST = ("(map bool (seq (int 0 9) 3))", f"(each :(map bool (seq (int 0 9) 3)) {SEQ3[1]})")


@pytest.mark.parametrize(
    ("place", "statement", "expected"),
    [
        (SET2, "(add! self.x 1)", {1, 3}),
        (SET2, "(add! self.x 2)", TrapKind.BOUND),
        (SET2, "(unite! self.x (set :(set (int 0 9)) 1))", {1, 3}),
        (SET2, "(unite! self.x (set :(set (int 0 9)) 1 2))", TrapKind.BOUND),
        (SET2, "(discard! self.x 1)", {3}),
        (SET2, "(discard! self.x 2)", {1, 3}),
        (SET2, "(remove! self.x 1)", {3}),
        (SET2, "(remove! self.x 2)", TrapKind.MISSING),
        (SET2, "(clear! self.x)", frozenset()),
        (BAG2, "(add! self.x 5)", FrozenBag({5: 2, 6: 1})),
        (BAG2, "(add! self.x 5) (add! self.x 5)", TrapKind.BOUND),
        (BAG2, "(add! self.x 7)", TrapKind.BOUND),
        (BAG2, "(discard! self.x 5)", FrozenBag({6: 1})),
        (BAG2, "(discard! self.x 7)", FrozenBag({5: 1, 6: 1})),
        (BAG2, "(remove! self.x 7)", TrapKind.MISSING),
        (BAG2, "(clear! self.x)", FrozenBag()),
        (SEQ3, "(append! self.x 7)", (5, 6, 7)),
        (FULL, "(append! self.x 7)", TrapKind.BOUND),
        (SEQ3, "(pop_first! self.x)", (6,)),
        (SEQ3, "(pop_last! self.x)", (5,)),
        (NONE, "(pop_first! self.x)", TrapKind.MISSING),
        (NONE, "(pop_last! self.x)", TrapKind.MISSING),
        (SEQ3, "(clear! self.x)", ()),
        (SEQ3, "(assign (place self.x (index -1)) 9)", (5, 9)),
        (SEQ3, "(assign (place self.x (index 2)) 9)", TrapKind.INDEX),
        (NEST, "(assign (place self.x (key #true) (index 0)) 9)",
         FrozenMap({False: (5, 6), True: (9, 6)})),
        (NEST, "(append! (place self.x (key #false)) 9)",
         FrozenMap({False: (5, 6, 9), True: (5, 6)})),
        # A loop runs over what its source was before the first round.
        (SEQ3, "(for (y self.x) (pop_first! self.x))", ()),
        (SEQ3, "(if (eq (size self.x) 2) (then (clear! self.x)))", ()),
        (SEQ3, "(if (eq (size self.x) 3) (then (clear! self.x)) (else (pop_last! self.x)))", (5,)),
        (SEQ3, "(bind y 1) (bind z (at self.x y)) (append! self.x z)", (5, 6, 6)),
    ],
)  # fmt: skip
def test_changes(place: tuple[str, str], statement: str, expected: Any) -> None:
    found = changed(*place, statement)
    if isinstance(expected, TrapKind):
        assert isinstance(found, Trap)
        assert (found.kind, found.subject.startswith("x")) == (expected, True)
    else:
        assert found == expected
        assert type(found) in (type(expected), frozenset)


def test_successors_come_in_canonical_order_with_their_labels() -> None:
    semantics = evaluator(
        "(variable x (int 0 9) 0)",
        """(action pair request ((a bool) (b (int 0 1)))
             (require (or a (eq b 1)))
             (choose (c (range 1 3)))
             (require (or (eq c 2) (eq b 1)))
             (assign self.x c))""",
        "(action stay internal ())",
    )
    found = [(t.label.action, *t.label.parameters, t.label.choices, t.target)
             for t in semantics.successors((0,))]  # fmt: skip
    pairs = [(False, 1, 1), (False, 1, 2), (True, 0, 2), (True, 1, 1), (True, 1, 2)]
    expected = [("pair", ("a", a), ("b", b), (c,), (c,)) for a, b, c in pairs]
    assert found == [*expected, ("stay", (), (0,))]
    assert semantics.successors((0,))[0].label.kind is Kind.REQUEST


def test_a_choice_that_traps_leaves_the_others() -> None:
    semantics = evaluator(
        "(variable x (int 0 9) 0)",
        """(action a internal ()
             (choose (c (range 0 3) (not (eq c 1))))
             (assign self.x (floordiv 6 c)))""",
    )
    trapped, normal = semantics.successors((0,))
    assert isinstance(trapped.target, Trap)
    assert trapped.label == Label("a", Kind.INTERNAL, (), (0,))
    assert normal.target == (3,)


def test_choices_in_a_loop_multiply() -> None:
    semantics = evaluator(
        "(variable x (seq bool 2) (seq :(seq bool 2)))",
        """(action a internal ()
             (for (y (range 0 2)) (choose (c (domain :(set bool)))) (append! self.x c)))""",
    )
    targets = [t.target for t in semantics.successors(((),))]
    assert targets == [((a, b),) for a in (False, True) for b in (False, True)]


def test_locals_of_one_choice_are_not_seen_by_the_next() -> None:
    semantics = evaluator(
        "(variable x (int 0 9) 0)",
        """(action a internal ()
             (bind n :(int 0 9) 1)
             (choose (c (range 0 3)))
             (bind n :(int 0 9) (coerce :(int 0 9) (add n 1)))
             (assign self.x n))""",
    )
    assert [t.target for t in semantics.successors((0,))] == [(2,), (2,), (2,)]


def test_a_choice_of_nothing_is_not_enabled() -> None:
    semantics = evaluator(
        "(variable x bool #false)", "(action a internal () (choose (c (range 1 1))))"
    )
    assert semantics.successors((False,)) == []


def test_a_false_guard_hides_a_later_trap() -> None:
    guard, trap = "(require self.x)", "(require (eq (floordiv 1 0) 1))"
    variable = "(variable x bool #false)"
    hidden = evaluator(variable, f"(action a internal () {guard} {trap})")
    assert hidden.successors((False,)) == []
    (transition,) = evaluator(variable, f"(action a internal () {trap} {guard})").successors(
        (False,)
    )
    assert isinstance(transition.target, Trap)


def test_start_gives_the_initial_states() -> None:
    semantics = evaluator(
        "(variable x (int 0 9) 5)",
        "(start (choose (c (range 0 3))) (require (not (eq c 1))) (assign self.x c))",
    )
    assert semantics.initial_states() == [(0,), (2,)]


def test_properties_constraint_and_refinement() -> None:
    semantics = evaluator(
        "(variable x (int 0 9) 5)",
        "(constraint (lt self.x 7))",
        "(property up step (lt self.x after.x))",
        "(property zero always (eq (floordiv 6 self.x) 2))",
        "(refinement half (spec half (variable y (int 0 4) 0)) (floordiv self.x 2))",
    )
    assert [semantics.allowed((x,)) for x in (6, 7)] == [True, False]
    assert semantics.holds("up", (1,), (2,))
    assert not semantics.holds("up", (2,), (2,))
    assert semantics.holds("zero", (3,))
    with pytest.raises(Trapped):
        semantics.holds("zero", (0,))
    assert semantics.abstract("half", (5,)) == (2,)
    with pytest.raises(KeyError):
        semantics.holds("nothing", (3,))


def test_a_parameter_drawn_from_a_set_gives_what_its_whole_domain_gives() -> None:
    body = "(require (contains self.x p)) (discard! self.x p)"
    state = "(variable x (set (int 0 4)) (set :(set (int 0 4)) 3 1))"
    short = evaluator(state, f"(action a internal ((p (int 0 4))) {body})")
    full = evaluator(state, f"(action a internal ((p (int 0 4))) (require #true) {body})")
    (initial,) = short.initial_states()
    assert not isinstance(initial, Trap)
    assert short.successors(initial) == full.successors(initial)
    assert [t.label.parameters for t in short.successors(initial)] == [(("p", 1),), (("p", 3),)]


PING_TYPE = RecordType("Ping", (("flag", BOOL), ("round", IntType(0, 1))))
ACK_TYPE = RecordType("Ack", ())


@pytest.mark.parametrize(
    "kind",
    [
        BOOL,
        IntType(-2, 2),
        OptionType(IntType(0, 2)),
        PING_TYPE,
        UnionType((ACK_TYPE, PING_TYPE)),
        SetType(IntType(0, 3)),
        SetType(IntType(0, 3), 2),
        SetType(SetType(BOOL)),
        SetType(UnionType((ACK_TYPE, PING_TYPE)), 2),
        SeqType(OptionType(BOOL), 2),
        MapType(BOOL, IntType(0, 2)),
        BagType(IntType(0, 2), 2),
        BagType(IntType(0, 2), 2, 2),
    ],
)
def test_all_values_of_a_type_in_canonical_order(kind: Type) -> None:
    records = parse_ir("""
      (spec s (record Ack) (record Ping (flag bool) (round (int 0 1)))
        (variable a (union Ack Ping) (coerce :(union Ack Ping) (record :Ack))))""")
    values = list(values_of(kind, Universe.of(records)))
    assert len(values) == len(set(values)) == cardinality(kind)
    assert values == sorted(values, key=order_key)


def test_sets_are_ordered_as_masks() -> None:
    universe = Universe({}, {}, {})
    found = [sorted(subset) for subset in values_of(SetType(IntType(0, 2)), universe)]
    assert found == [[], [0], [1], [0, 1], [2], [0, 2], [1, 2], [0, 1, 2]]

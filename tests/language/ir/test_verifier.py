"""The verifier: generated specs pass, and each rule is broken once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from quorate.language.ir.nodes import (
    Apply,
    Assign,
    Bind,
    Binder,
    Change,
    Choose,
    Comprehension,
    Const,
    Do,
    Expr,
    Fold,
    For,
    If,
    Key,
    Local,
    Mutate,
    Op,
    Path,
    PropertyKind,
    Require,
    SpecIR,
    Stmt,
    Var,
)
from quorate.language.ir.parser import parse_ir
from quorate.language.ir.types import (
    BOOL,
    EnumType,
    IntType,
    NodeType,
    OptionType,
    RecordType,
    SetType,
    Sort,
    Type,
    UnionType,
)
from quorate.language.ir.verifier import verify
from quorate.tests.generated.specs import random_spec, specs
from quorate.tests.two_phase_commit_ir import two_phase_commit

SMALL = IntType(0, 3)
TRUE = Const(BOOL, True)
BASE = parse_ir("""
(spec base
  (sort peers 2)
  (variable flag bool #false)
  (variable count (int 0 3) 0)
  (variable seen (set (node peers)) (set :(set (node peers))))
  (variable owner (map (node peers) bool) (each :(map (node peers) bool) #false))
  (action act internal ((who (node peers))) (add! self.seen who))
  (property fine always #true))
""")
PEER = NodeType(Sort("peers", 2))
WHO = Local(PEER, "who")
FLAG = Path("flag", (), BOOL)


def three() -> Const:
    return Const(IntType(3, 3), 3)


def messages(spec: SpecIR) -> str:
    return "\n".join(map(str, verify(spec)))


def with_body(*body: Stmt) -> SpecIR:
    (action,) = BASE.actions
    return replace(BASE, actions=(replace(action, body=body),))


def with_expr(expr: Expr) -> SpecIR:
    return with_body(Bind("x", expr.type, expr))


def with_variable_type(kind: Type) -> SpecIR:
    first, *rest = BASE.variables
    return replace(BASE, variables=(replace(first, type=kind), *rest))


def with_property(**changes: object) -> SpecIR:
    (item,) = BASE.properties
    return replace(BASE, properties=(replace(item, **changes),))  # type: ignore[arg-type]


@given(specs())
@settings(max_examples=60)
def test_generated_specs_pass(spec: SpecIR) -> None:
    assert verify(spec) == []


@pytest.mark.parametrize("seed", range(40))
def test_specs_of_seeds_pass(seed: int) -> None:
    assert verify(random_spec(seed)) == []


def test_specs_by_hand_pass() -> None:
    assert verify(BASE) == []
    assert verify(two_phase_commit(3)) == []


DOMAIN = Apply(SetType(PEER), Op.DOMAIN)
EACH_PEER = Binder("peer", PEER, DOMAIN)

BROKEN: dict[str, tuple[SpecIR, str]] = {
    "1: two variables of a name": (
        replace(BASE, variables=(*BASE.variables, BASE.variables[0])),
        "two variables are called 'flag'",
    ),
    "1: two actions of a name": (
        replace(BASE, actions=BASE.actions * 2),
        "two actions are called 'act'",
    ),
    "1: two properties of a name": (
        replace(BASE, properties=BASE.properties * 2),
        "two properties are called 'fine'",
    ),
    "1: two parameters of a name": (
        replace(
            BASE,
            actions=(replace(BASE.actions[0], parameters=BASE.actions[0].parameters * 2),),
        ),
        "two parameters are called 'who'",
    ),
    "1: two sorts of a name": (
        replace(BASE, sorts=(*BASE.sorts, Sort("peers", 5))),
        "two sorts are called 'peers'",
    ),
    "2: two definitions of a record": (
        with_variable_type(RecordType("A", (("x", RecordType("A", ())),))),
        "two types are called 'A'",
    ),
    "2: an unknown sort": (with_variable_type(NodeType(Sort("peers", 9))), "not a sort"),
    "2: an interval upside down": (with_variable_type(IntType(3, 0)), "not an integer interval"),
    "2: an option of an option": (
        with_variable_type(OptionType(OptionType(BOOL))),
        "an option of an option",
    ),
    "2: a union of one": (with_variable_type(UnionType((RecordType("A", ()),))), "at least two"),
    "2: a union out of order": (
        with_variable_type(UnionType((RecordType("B", ()), RecordType("A", ())))),
        "sorted by name",
    ),
    "2: an empty enumeration": (with_variable_type(EnumType("E", ())), "not distinct, or none"),
    "2: a negative capacity": (with_variable_type(SetType(BOOL, -1)), "not negative"),
    "3: a local that is not bound": (
        with_body(Require(Local(BOOL, "x"))),
        "'x' may be read before it is bound",
    ),
    "3: a local bound in one arm": (
        with_body(If(TRUE, (Bind("x", BOOL, TRUE),)), Require(Local(BOOL, "x"))),
        "'x' may be read before it is bound",
    ),
    "3: a local bound in a loop": (
        with_body(For(EACH_PEER, (Bind("x", BOOL, TRUE),)), Require(Local(BOOL, "x"))),
        "'x' may be read before it is bound",
    ),
    "3: a binder read outside": (
        with_body(For(EACH_PEER, ()), Bind("y", PEER, Local(PEER, "peer"))),
        "'peer' may be read before it is bound",
    ),
    "3: a local of another type": (
        with_body(Require(Local(BOOL, "who"))),
        "'who' is of",
    ),
    "3: a variable that is not there": (with_expr(Var(BOOL, "nothing")), "no variable 'nothing'"),
    "3: a variable of another type": (with_expr(Var(SMALL, "flag")), "the variable 'flag' is of"),
    "4: a binder over a parameter": (
        with_body(For(Binder("who", PEER, DOMAIN), ())),
        "'who' is bound already",
    ),
    "4: a parameter assigned": (with_body(Bind("who", PEER, WHO)), "cannot be changed"),
    "4: a loop variable assigned": (
        with_body(For(EACH_PEER, (Bind("peer", PEER, WHO),))),
        "cannot be changed",
    ),
    "4: a local of two types": (
        with_body(Bind("x", BOOL, TRUE), Bind("x", SMALL, three())),
        "'x' is of",
    ),
    "5: an operator of other types": (
        with_expr(Apply(BOOL, Op.AND, (TRUE, three()))),
        "and does not apply",
    ),
    "5: a result type that is too narrow": (
        with_expr(Apply(SMALL, Op.ADD, (three(), three()))),
        "cannot have the type",
    ),
    "5: too many arguments": (with_expr(Apply(BOOL, Op.NOT, (TRUE, TRUE))), "takes 1 arguments"),
    "5: interchangeable nodes compared": (
        with_expr(Apply(BOOL, Op.LT, (WHO, WHO))),
        "lt does not apply",
    ),
    "5: a fold of other types": (
        with_expr(Comprehension(BOOL, Fold.ANY, (EACH_PEER,), three())),
        "any does not apply",
    ),
    "5: a default of a sum": (
        with_expr(Comprehension(IntType(0, 6), Fold.SUM, (EACH_PEER,), three(), three())),
        "sum has no default",
    ),
    "5: a binder of another type": (
        with_expr(Comprehension(BOOL, Fold.ANY, (Binder("p", BOOL, DOMAIN),), TRUE)),
        "not the type of an element",
    ),
    "5: a map over less than a domain": (
        with_expr(
            Comprehension(
                BASE.variable("owner").type,
                Fold.MAP,
                (Binder("p", PEER, Var(SetType(PEER), "seen")),),
                TRUE,
            )
        ),
        "runs over a whole domain",
    ),
    "5: no binders": (with_expr(Comprehension(BOOL, Fold.ANY, (), TRUE)), "needs a binder"),
    "5: a constant outside its type": (with_expr(Const(SMALL, 4)), "is not a constant of"),
    "5: a boolean as a number": (with_expr(Const(SMALL, True)), "is not a constant of"),
    "5: a value that may not fit": (
        with_body(Assign(Path("count", (), SMALL), Const(IntType(0, 9), 1))),
        "a value of",
    ),
    "5: a place of another type": (
        with_body(Assign(Path("flag", (), SMALL), three())),
        "the place is of",
    ),
    "5: a place that is not there": (
        with_body(Assign(Path("flag", (Key(WHO),), BOOL), TRUE)),
        "has no step by",
    ),
    "5: a place in no variable": (
        with_body(Assign(Path("nothing", (), BOOL), TRUE)),
        "no variable 'nothing'",
    ),
    "5: a change of something else": (
        with_body(Mutate(Change.ADD, FLAG, (TRUE,))),
        "add of",
    ),
    "6: a guard in a Do": (
        with_expr(Do(BOOL, (Require(TRUE),), TRUE)),
        "Require in a Do",
    ),
    "6: a choice in a Do": (with_expr(Do(BOOL, (Choose(EACH_PEER),), TRUE)), "Choose in a Do"),
    "6: an effect in an arm of a Do": (
        with_expr(Do(BOOL, (If(TRUE, (Assign(FLAG, TRUE),)),), TRUE)),
        "Assign in a Do",
    ),
    "6: a Do that binds a name of its surroundings": (
        with_body(Bind("x", BOOL, TRUE), Require(Do(BOOL, (Bind("x", BOOL, TRUE),), TRUE))),
        "of its surroundings",
    ),
    "7: an initial value that reads a variable": (
        replace(
            BASE,
            variables=(
                replace(BASE.variables[0], initial=Var(BOOL, "flag")),
                *BASE.variables[1:],
            ),
        ),
        "no variable 'flag' may be read here",
    ),
    "7: the later state in an invariant": (
        with_property(predicate=Var(BOOL, "flag", after=True)),
        "only step properties",
    ),
    "5: a predicate that is not a condition": (with_property(predicate=three()), "is needed"),
    "8: an unknown action in by": (
        with_property(kind=PropertyKind.ALWAYS_POSSIBLE, by=("fly",)),
        "there is no action 'fly'",
    ),
    "8: by without always_possible": (with_property(by=("act",)), "`by` belongs to"),
    "8: always_possible without by": (
        with_property(kind=PropertyKind.ALWAYS_POSSIBLE),
        "`by` belongs to",
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_reported(rule: str) -> None:
    spec, part = BROKEN[rule]
    found = verify(spec)
    assert len(found) == 1, messages(spec)
    assert part in str(found[0])


REFINED = parse_ir("""
(spec concrete
  (sort peers 2)
  (variable done (set (node peers)) (set :(set (node peers))))
  (refinement count
    (spec abstract (sort peers 2) (variable size (int 0 2) 0) (action up internal ()))
    (size self.done)))
""")


def test_refinements() -> None:
    assert verify(REFINED) == []
    (item,) = REFINED.refinements
    other = replace(item, mapping=(TRUE,))
    assert "another type" in messages(replace(REFINED, refinements=(other,)))
    assert "0 values for 1" in messages(replace(REFINED, refinements=(replace(item, mapping=()),)))
    bad = replace(item.abstract, actions=item.abstract.actions * 2)
    message = messages(replace(REFINED, refinements=(replace(item, abstract=bad),)))
    assert "refinement count: spec abstract: two actions" in message
    strange = replace(item.abstract, sorts=(Sort("others", 1),))
    message = messages(replace(REFINED, refinements=(replace(item, abstract=strange),)))
    assert "nodes of its own: 'others'" in message


def test_a_name_bound_on_every_way_may_be_read() -> None:
    arms = If(Var(BOOL, "flag"), (Bind("x", BOOL, TRUE),), (Require(Const(BOOL, False)),))
    assert verify(with_body(arms, Require(Local(BOOL, "x")))) == []
    both = If(Var(BOOL, "flag"), (Bind("x", BOOL, TRUE),), (Bind("x", BOOL, TRUE),))
    assert verify(with_body(both, Require(Local(BOOL, "x")))) == []

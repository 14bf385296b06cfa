"""First-order logic over the sorts of a spec: quantifiers, orders, quorums.

What is not certain is a `Bit`, as in the formulas of one instance; quantifiers over it are kept
small: a variable that is equal to something is replaced by it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import z3

from ....language.ir.types import EnumType
from .. import bits
from ..bits import Bit


@dataclass(frozen=True)
class Axiom:
    """Something assumed of sorts and their relations, in a sentence and as a formula."""

    sentence: str
    formula: z3.BoolRef


@dataclass
class Logic:
    """The sorts and relations of one spec, made when they are first asked for, and their axioms."""

    _sorts: dict[str, z3.SortRef] = field(default_factory=dict)
    orders: dict[str, z3.FuncDeclRef] = field(default_factory=dict)
    _quorums: dict[str, z3.FuncDeclRef] = field(default_factory=dict)
    _numbers: dict[str, dict[int, z3.ExprRef]] = field(default_factory=dict)
    _largest: dict[str, z3.ExprRef] = field(default_factory=dict)
    _variables: int = 0

    def sort(self, name: str) -> z3.SortRef:
        """The sort of a node set, or of an ordered parameter."""
        if name not in self._sorts:
            self._sorts[name] = z3.DeclareSort(name)
        return self._sorts[name]

    def members(self, kind: EnumType) -> list[z3.ExprRef]:
        """The members of an enumeration, as constants of its sort."""
        return _members(kind)

    def variable(self, sort: z3.SortRef, name: str) -> z3.ExprRef:
        """A new variable of a sort, to be bound by a quantifier."""
        self._variables += 1
        return z3.Const(f"{name}!{self._variables}", sort)

    @contextmanager
    def formula(self) -> Iterator[None]:
        """Within it, a formula is made that shares no variable with others.

        Their names begin anew: what says the same of two states is then the same formula, and what
        a step leaves alone needs no solver.
        """
        before, self._variables = self._variables, 0
        try:
            yield
        finally:
            self._variables = before

    # --- Orders ---

    def less(self, sort: str, first: z3.ExprRef, second: z3.ExprRef) -> Bit:
        """Whether the first comes before the second in the order of a sort."""
        if first.eq(second):
            return False
        return self.order(sort)(first, second)

    def order(self, sort: str) -> z3.FuncDeclRef:
        """The order of a sort."""
        if sort not in self.orders:
            kind = self.sort(sort)
            self.orders[sort] = z3.Function(f"{sort}.less", kind, kind, z3.BoolSort())
        return self.orders[sort]

    def number(self, sort: str, low: int, value: int) -> z3.ExprRef:
        """A small number of an ordered parameter, whose least value is `low`."""
        self.order(sort)
        known = self._numbers.setdefault(sort, {})
        for between in range(low, value + 1):
            if between not in known:
                known[between] = z3.Const(f"{sort}.{between}", self.sort(sort))
        return known[value]

    def largest(self, sort: str) -> z3.ExprRef:
        """The largest value of an ordered parameter."""
        self.order(sort)
        if sort not in self._largest:
            self._largest[sort] = z3.Const(f"{sort}.largest", self.sort(sort))
        return self._largest[sort]

    # --- Quorums ---

    def member(self, sort: str, quorum: z3.ExprRef, node: z3.ExprRef) -> z3.BoolRef:
        """Whether a node is in a quorum."""
        if sort not in self._quorums:
            quorums = self.quorums(sort)
            self._quorums[sort] = z3.Function(
                f"{quorums.name()}.member", quorums, self.sort(sort), z3.BoolSort()
            )
        return self._quorums[sort](quorum, node)

    def quorums(self, sort: str) -> z3.SortRef:
        """The sort of the quorums of a node set."""
        return self.sort(f"quorum of {sort}")

    # --- Axioms ---

    def axioms(self) -> list[Axiom]:
        """What is assumed of all that has been used so far."""
        found = []
        for sort, order in self.orders.items():
            found.append(Axiom(f"{sort} are totally ordered", self._total_order(sort, order)))
        for sort, numbers in self._numbers.items():
            if len(numbers) > 0:
                found.append(Axiom(self._least_sentence(sort), self._least(sort)))
        for sort, largest in self._largest.items():
            x = z3.Const(f"{sort}.x!largest", self.sort(sort))
            none_above = z3.ForAll([x], bits.term(bits.negation(self.less(sort, largest, x))))
            found.append(Axiom(f"{sort} has a largest value", none_above))
        for sort, member in self._quorums.items():
            sentence = f"any two quorums of {sort} share a member"
            found.append(Axiom(sentence, self._intersection(sort, member)))
        return found

    def _total_order(self, sort: str, less: z3.FuncDeclRef) -> z3.BoolRef:
        kind = self.sort(sort)
        a, b, c = (z3.Const(f"{sort}.{name}!order", kind) for name in "abc")
        return z3.And(
            z3.ForAll([a], z3.Not(less(a, a))),
            z3.ForAll([a, b, c], z3.Implies(z3.And(less(a, b), less(b, c)), less(a, c))),
            z3.ForAll([a, b], z3.Or(less(a, b), a == b, less(b, a))),
        )

    def _least_sentence(self, sort: str) -> str:
        numbers = sorted(self._numbers[sort])
        shown = ", ".join(map(str, numbers))
        return f"{shown} {'is' if len(numbers) == 1 else 'are'} the least of {sort}, in this order"

    def _least(self, sort: str) -> z3.BoolRef:
        """The numbers follow each other, and nothing comes before the first or between them."""
        kind = self.sort(sort)
        x = z3.Const(f"{sort}.x!least", kind)
        numbers = [constant for _, constant in sorted(self._numbers[sort].items())]
        parts: list[Bit] = []
        for number in numbers:
            below = [bits.either(x == n, False) for n in numbers[: numbers.index(number)]]
            reached = bits.some((*below, x == number, self.less(sort, number, x)))
            parts.append(z3.ForAll([x], bits.term(reached)))
        for first, second in itertools.pairwise(numbers):
            parts.append(self.less(sort, first, second))
        return bits.term(bits.every(parts))

    def _intersection(self, sort: str, member: z3.FuncDeclRef) -> z3.BoolRef:
        quorums = self.quorums(sort)
        first, second = z3.Const("q!first", quorums), z3.Const("q!second", quorums)
        node = z3.Const("n!shared", self.sort(sort))
        shared = z3.Exists([node], z3.And(member(first, node), member(second, node)))
        return z3.ForAll([first, second], shared)


@functools.cache
def _members(kind: EnumType) -> list[z3.ExprRef]:
    """Z3 knows the names of enumerations for good: one of other members needs another name."""
    name = f"{kind.name}#{len(_names)}"
    _names.append(name)
    _, members = z3.EnumSort(name, [f"{name}.{member}" for member in kind.members])
    return list(members)


_names: list[str] = []


def exists(variables: Sequence[z3.ExprRef], body: Bit) -> Bit:
    """Whether the body holds for some values of the variables; every sort has a value."""
    variables, body = _solved(list(variables), body)
    if isinstance(body, bool) or not variables:
        return body
    if z3.is_or(body):
        return bits.some(exists(variables, part) for part in body.children())
    inner, outer = _apart(variables, body)
    used = [v for v in variables if occurs(v, inner)]
    if not used:
        return bits.both(outer, inner)
    return bits.both(outer, z3.Exists(used, bits.term(inner)))


def forall(variables: Sequence[z3.ExprRef], body: Bit) -> Bit:
    """Whether the body holds for all values of the variables."""
    return bits.negation(exists(variables, bits.negation(body)))


def _conjuncts(body: Bit) -> list[Bit]:
    """The conjuncts of a formula, negated disjunctions included."""
    if isinstance(body, bool):
        return [body]
    if z3.is_and(body):
        return [part for child in body.children() for part in _conjuncts(child)]
    if z3.is_not(body) and z3.is_or(body.arg(0)):
        return [p for child in body.arg(0).children() for p in _conjuncts(bits.negation(child))]
    return [body]


def _solved(variables: list[z3.ExprRef], body: Bit) -> tuple[list[z3.ExprRef], Bit]:
    """Variables that a conjunct says what they are, replaced."""
    again = True
    while again and not isinstance(body, bool):
        again = False
        for part in _conjuncts(body):
            if isinstance(part, bool) or not z3.is_eq(part):
                continue
            left, right = part.children()
            for one, other in ((left, right), (right, left)):
                match = next((v for v in variables if v.eq(one)), None)
                if match is not None and not occurs(match, other):
                    variables = [v for v in variables if not v.eq(match)]
                    body = simplified(z3.substitute(body, (match, other)))
                    again = True
                    break
            if again:
                break
    return variables, body


def simplified(body: z3.BoolRef) -> Bit:
    """A formula with certain equalities gone."""
    if z3.is_true(body):
        return True
    if z3.is_false(body):
        return False
    if z3.is_and(body):
        return bits.every(simplified(part) for part in body.children())
    if z3.is_or(body):
        return bits.some(simplified(part) for part in body.children())
    if z3.is_not(body):
        return bits.negation(simplified(body.arg(0)))
    if z3.is_eq(body) and body.arg(0).eq(body.arg(1)):
        return True
    return body


def _apart(variables: Iterable[z3.ExprRef], body: Bit) -> tuple[Bit, Bit]:
    """The conjuncts that have one of the variables, and the others."""
    names = list(variables)
    inner: list[Bit] = []
    outer: list[Bit] = []
    for part in _conjuncts(body):
        bound = not isinstance(part, bool) and any(occurs(v, part) for v in names)
        (inner if bound else outer).append(part)
    return bits.every(inner), bits.every(outer)


def occurs(variable: z3.ExprRef, term: Bit) -> bool:
    """Whether a variable is somewhere in a term."""
    if isinstance(term, bool):
        return False
    seen: set[int] = set()
    todo = [term]
    while todo:
        item = todo.pop()
        if item.get_id() in seen:
            continue
        seen.add(item.get_id())
        if item.eq(variable):
            return True
        todo.extend(item.children())
    return False

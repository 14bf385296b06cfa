"""Functions of a state as relations: what keeps proofs within the decidable fragment.

A map from acceptors to ballots is a function, and every function is a way from one sort to another:
if there is a way back, Z3 may search for ever. A formula about `f(x)` says the same as one about
all `y` with `F(x, y)`, where `F` gives each `x` at most one `y`; for the nodes that a formula names
there is one, too. That `F` has a value everywhere else is left out: then there are more states than
the spec has, and what holds in all of them holds in the spec's. (Padon, Losa, Sagiv and Shoham,
'Paxos Made EPR', OOPSLA 2017, do this by hand.)
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import z3

from .logic import occurs


@dataclass(frozen=True)
class _Promise:
    """That for all variables of which a relation holds, a formula (an existence) holds too."""

    relation: z3.FuncDeclRef
    variables: list[z3.ExprRef]
    formula: z3.BoolRef


@dataclass
class Relational:
    """Rewrites one formula; `facts` collects what is known of the relations.

    `orders` has the order of each sort that has one. A function with ordered values becomes two
    relations: of what is below its value, with and without the value itself.

    `cut` has pairs of sorts: what exists of the second for every value of the first is then said
    only of values that the formula names: again more states than the spec has, in formulas whose
    questions Z3 can answer. (Feldman, Padon, Immerman, Sagiv and Shoham, 'Bounded Quantifier
    Instantiation for Checking Inductive Invariants', TACAS 2017.)
    """

    orders: Mapping[str, z3.FuncDeclRef]
    cut: frozenset[tuple[str, str]] = frozenset()
    facts: list[z3.BoolRef] = field(default_factory=list)
    _functions: dict[str, z3.FuncDeclRef] = field(default_factory=dict)
    _promises: list[_Promise] = field(default_factory=list)
    _known: dict[tuple[str, int], z3.ExprRef] = field(default_factory=dict)
    _named: list[z3.ExprRef] = field(default_factory=list)  # so that no other term gets their id
    _count: int = 0

    def rewritten(
        self, axioms: Sequence[z3.BoolRef], formula: z3.BoolRef
    ) -> tuple[z3.BoolRef, ...]:
        """Formulas without functions, but for those of the nodes that are named in them."""
        found = self._formula(formula, True, ())
        assumed = [self._formula(axiom, True, ()) for axiom in axioms]
        if self.cut:
            self._share(axioms, found)
            self._instantiate(found)
        self._complete(found)
        return (*assumed, *self.facts, found)

    def _complete(self, formula: z3.BoolRef) -> None:
        """Every function has a value for what is named."""
        named = _named([formula, *self.facts])
        for function in list(self._functions.values()):
            sorts = [function.domain(i).name() for i in range(function.arity())]
            for values in itertools.product(*(named.get(sort, []) for sort in sorts)):
                self._value(function(*values))

    # --- Formulas, in negation normal form ---

    def _formula(
        self, formula: z3.ExprRef, positive: bool, bound: tuple[z3.ExprRef, ...]
    ) -> z3.BoolRef:
        if z3.is_quantifier(formula):
            return self._quantified(formula, positive, bound)
        if z3.is_not(formula):
            return self._formula(formula.arg(0), not positive, bound)
        if z3.is_and(formula) or z3.is_or(formula):
            parts = [self._formula(part, positive, bound) for part in formula.children()]
            return z3.And(parts) if z3.is_and(formula) is positive else z3.Or(parts)
        if z3.is_implies(formula):
            premise = self._formula(formula.arg(0), not positive, bound)
            conclusion = self._formula(formula.arg(1), positive, bound)
            return z3.Or(premise, conclusion) if positive else z3.And(premise, conclusion)
        if _is_connective(formula):
            return self._connective(formula, positive, bound)
        return self._literal(formula if positive else z3.Not(formula), bound)

    def _connective(
        self, formula: z3.ExprRef, positive: bool, bound: tuple[z3.ExprRef, ...]
    ) -> z3.BoolRef:
        """If-and-only-if, and if-then-else of formulas: both ways are written out."""
        if z3.is_eq(formula):
            left, right = formula.children()
            one = z3.And(self._formula(left, True, bound), self._formula(right, positive, bound))
            return z3.Or(
                one,
                z3.And(
                    self._formula(left, False, bound), self._formula(right, not positive, bound)
                ),
            )
        condition, then, otherwise = formula.children()
        return z3.Or(
            z3.And(self._formula(condition, True, bound), self._formula(then, positive, bound)),
            z3.And(
                self._formula(condition, False, bound), self._formula(otherwise, positive, bound)
            ),
        )

    def _quantified(
        self, formula: z3.QuantifierRef, positive: bool, bound: tuple[z3.ExprRef, ...]
    ) -> z3.BoolRef:
        variables = [self._variable(formula, i) for i in range(formula.num_vars())]
        body = z3.substitute_vars(formula.body(), *reversed(variables))
        universal = formula.is_forall() is positive
        if not universal and not bound:
            return self._formula(body, positive, bound)  # the variables are constants now
        if not universal:
            exists = z3.Exists(variables, body if positive else z3.Not(body))
            used = [variable for variable in bound if occurs(variable, exists)]
            edges = {(u.sort().name(), v.sort().name()) for u in used for v in variables}
            if edges & self.cut:
                return self._postponed(exists, used)
        inner = self._formula(body, positive, (*bound, *variables))
        return z3.ForAll(variables, inner) if universal else z3.Exists(variables, inner)

    def _variable(self, formula: z3.QuantifierRef, place: int) -> z3.ExprRef:
        self._count += 1
        name = formula.var_name(place).partition("!")[0]
        return z3.Const(f"{name}!{self._count}", formula.var_sort(place))

    # --- Bounded instantiation ---

    def _postponed(self, formula: z3.BoolRef, used: list[z3.ExprRef]) -> z3.BoolRef:
        """What exists for all values of variables, as a relation of these."""
        name = f"some!{len(self._promises)}"
        relation = z3.Function(name, *(v.sort() for v in used), z3.BoolSort())
        self._promises.append(_Promise(relation, used, formula))
        return relation(*used)

    def _share(self, axioms: Sequence[z3.BoolRef], formula: z3.BoolRef) -> None:
        """Give names to what axioms promise of what is named: members that quorums share."""
        named = _named([formula])
        for axiom in axioms:
            if not (z3.is_quantifier(axiom) and axiom.is_forall() and _is_exists(axiom.body())):
                continue
            sorts = [axiom.var_sort(i).name() for i in range(axiom.num_vars())]
            for values in itertools.product(*(named.get(sort, []) for sort in sorts)):
                exists = z3.substitute_vars(axiom.body(), *reversed(values))
                self.facts.append(self._formula(exists, True, ()))

    def _instantiate(self, formula: z3.BoolRef) -> None:
        """Say of what is named that it has what it is promised."""
        named = _named([formula, *self.facts])
        for promise in list(self._promises):
            choices = [named.get(v.sort().name(), []) for v in promise.variables]
            self.facts += [self._instance(promise, one) for one in itertools.product(*choices)]

    def _instance(self, promise: _Promise, values: tuple[z3.ExprRef, ...]) -> z3.BoolRef:
        pairs = list(zip(promise.variables, values, strict=True))
        exists = self._formula(z3.substitute(promise.formula, *pairs), True, ())
        return z3.Or(z3.Not(promise.relation(*values)), exists)

    # --- Literals ---

    def _literal(self, literal: z3.BoolRef, bound: tuple[z3.ExprRef, ...]) -> z3.BoolRef:
        split = _first_choice(literal)
        if split is not None:
            condition, then, otherwise = split.children()
            return self._formula(
                z3.Or(
                    z3.And(condition, z3.substitute(literal, (split, then))),
                    z3.And(z3.Not(condition), z3.substitute(literal, (split, otherwise))),
                ),
                True,
                bound,
            )
        applied = _innermost(literal)
        if applied is None:
            return literal
        if not any(occurs(variable, applied) for variable in bound):
            return self._literal(z3.substitute(literal, (applied, self._value(applied))), bound)
        compared = self._compared(literal, applied)
        if compared is not None:
            return self._formula(compared, True, bound)
        self._count += 1
        value = z3.Const(f"{applied.decl().name()}!{self._count}", applied.sort())
        rest = self._literal(z3.substitute(literal, (applied, value)), (*bound, value))
        return z3.ForAll([value], z3.Or(z3.Not(self._is(applied, value)), rest))

    def _compared(self, literal: z3.BoolRef, applied: z3.ExprRef) -> z3.BoolRef | None:
        """A comparison of an ordered value of a function, in relations alone."""
        positive = not z3.is_not(literal)
        atom = literal if positive else literal.arg(0)
        order = self.orders.get(applied.sort().name())
        if order is None or atom.num_args() != 2:
            return None
        first, second = atom.children()
        if z3.is_eq(atom):
            other = second if first.eq(applied) else first
            found = self._is(applied, other)
        elif not atom.decl().eq(order):
            return None
        elif second.eq(applied):
            found = self._above(applied, first)
        else:
            found = z3.Not(self._at_least(applied, second))
        return found if positive else z3.Not(found)

    def _value(self, applied: z3.ExprRef) -> z3.ExprRef:
        """The value of a function for what a formula names: there is one."""
        key = applied.decl().name(), applied.get_id()
        if key not in self._known:
            value = z3.Const(f"{applied.decl().name()}@{len(self._known)}", applied.sort())
            self._known[key] = value
            self._named.append(applied)
            self.facts.append(self._is(applied, value))
        return self._known[key]

    # --- Relations ---

    def _is(self, applied: z3.ExprRef, value: z3.ExprRef) -> z3.BoolRef:
        """The function has this value."""
        if applied.sort().name() in self.orders:
            return z3.And(self._at_least(applied, value), z3.Not(self._above(applied, value)))
        function = applied.decl()
        relation = self._relation(function, "is")
        if self._is_new(function):
            at, (one, other) = self._columns(function, "one", "other")
            both = z3.And(relation(*at, one), relation(*at, other))
            self.facts.append(z3.ForAll([*at, one, other], z3.Implies(both, one == other)))
        return relation(*applied.children(), value)

    def _above(self, applied: z3.ExprRef, value: z3.ExprRef) -> z3.BoolRef:
        """The function's value comes after this one."""
        return self._ordered(applied.decl())[1](*applied.children(), value)

    def _at_least(self, applied: z3.ExprRef, value: z3.ExprRef) -> z3.BoolRef:
        """The function's value is this one, or comes after it."""
        return self._ordered(applied.decl())[0](*applied.children(), value)

    def _ordered(self, function: z3.FuncDeclRef) -> tuple[z3.FuncDeclRef, z3.FuncDeclRef]:
        """What is below a function's value, with and without the value itself."""
        least, above = self._relation(function, "at least"), self._relation(function, "above")
        if self._is_new(function):
            less = self.orders[function.range().name()]
            at, (x, y) = self._columns(function, "x", "y")
            weaker = z3.Implies(above(*at, x), least(*at, x))
            closed = z3.Implies(z3.And(least(*at, y), less(x, y)), above(*at, x))
            self.facts += [z3.ForAll([*at, x], weaker), z3.ForAll([*at, x, y], closed)]
        return least, above

    def _is_new(self, function: z3.FuncDeclRef) -> bool:
        new = function.name() not in self._functions
        self._functions[function.name()] = function
        return new

    def _columns(
        self, function: z3.FuncDeclRef, *values: str
    ) -> tuple[list[z3.ExprRef], list[z3.ExprRef]]:
        """Variables for what a function is applied to, and for values of it."""
        name = function.name()
        at = [z3.Const(f"{name}.at{i}", function.domain(i)) for i in range(function.arity())]
        return at, [z3.Const(f"{name}.{value}", function.range()) for value in values]

    def _relation(self, function: z3.FuncDeclRef, what: str) -> z3.FuncDeclRef:
        columns = [function.domain(i) for i in range(function.arity())]
        name = f"{function.name()}.{what}"
        return z3.Function(name, *columns, function.range(), z3.BoolSort())


def _named(formulas: list[z3.BoolRef]) -> dict[str, list[z3.ExprRef]]:
    """The constants in formulas, by sort."""
    found: dict[str, dict[int, z3.ExprRef]] = {}
    seen: set[int] = set()
    todo = list(formulas)
    while todo:
        item = todo.pop()
        if item.get_id() in seen:
            continue
        seen.add(item.get_id())
        if z3.is_const(item) and item.sort().kind() == z3.Z3_UNINTERPRETED_SORT:
            found.setdefault(item.sort().name(), {})[item.get_id()] = item
        todo.extend(item.children())
    return {sort: list(constants.values()) for sort, constants in found.items()}


def _is_exists(formula: z3.ExprRef) -> bool:
    return bool(z3.is_quantifier(formula) and formula.is_exists())


def _is_connective(formula: z3.ExprRef) -> bool:
    """Whether it is an equality or a choice of truth values."""
    if z3.is_eq(formula):
        return bool(z3.is_bool(formula.arg(0)))
    return bool(z3.is_app(formula) and formula.decl().kind() == z3.Z3_OP_ITE)


def _first_choice(term: z3.ExprRef) -> z3.ExprRef | None:
    """An if-then-else inside a literal."""
    todo = [term]
    while todo:
        item = todo.pop()
        if z3.is_app(item) and item.decl().kind() == z3.Z3_OP_ITE:
            return item
        todo.extend(item.children())
    return None


def _innermost(term: z3.ExprRef) -> z3.ExprRef | None:
    """A function applied to what has none applied inside."""
    for part in term.children():
        found = _innermost(part)
        if found is not None:
            return found
    is_function = (
        z3.is_app(term)
        and term.num_args() > 0
        and term.decl().kind() == z3.Z3_OP_UNINTERPRETED
        and term.sort().kind() == z3.Z3_UNINTERPRETED_SORT
    )
    return term if is_function else None

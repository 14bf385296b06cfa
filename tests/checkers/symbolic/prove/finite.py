"""Formulas of any size, held to one size: what they say of a state has to be what CPython says.

Sorts are closed (nothing but the nodes of the instance), orders are those of the instance, quorums
its majorities. Then a formula about a known state is true or false, and Z3 says which.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import z3

from quorate.checkers.symbolic import bits
from quorate.checkers.symbolic.bits import Bit
from quorate.checkers.symbolic.prove.lifting import Ordered, lifted
from quorate.checkers.symbolic.prove.theory import Move, Theory, World
from quorate.checkers.symbolic.prove.values import (
    Individual,
    MapOf,
    Meaning,
    Optional,
    Point,
    SetOf,
    Tuple,
    Variants,
)
from quorate.cli.check import build
from quorate.cli.registry import from_manifest, manifests
from quorate.language import Instance
from quorate.language.ir.types import (
    BoolType,
    EnumType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SetType,
    UnionType,
)
from quorate.language.values import State, Value


class Finite:
    """The theory of a model, and one instance of it as a structure."""

    def __init__(self, name: str, sizes: Mapping[str, int]) -> None:
        self.model = from_manifest(manifests()[name])
        self.sizes = dict(sizes)
        self.instance = self.resized({})
        self.theory = Theory(lifted(self.instance, self.resized))
        self.world = self.theory.world()
        self._values: dict[str, list[z3.ExprRef]] = {}

    def resized(self, sizes: Mapping[str, Any]) -> Instance:
        return build(self.model, {**self.sizes, **sizes}, ())

    # --- The structure ---

    def node(self, sort: str, index: int) -> z3.ExprRef:
        return z3.Const(f"{sort}.node{index}", self.theory.logic.sort(sort))

    def structure(self) -> list[z3.BoolRef]:
        """What is true of the sorts of this instance, and of no others."""
        logic, facts = self.theory.logic, []
        for sort in self.instance.ir.sorts:
            nodes = [self.node(sort.name, i) for i in range(sort.size)]
            facts += self._closed(logic.sort(sort.name), nodes)
            if sort.name in logic.orders:
                facts += _chain(logic.orders[sort.name], nodes)
            if any(f"of {sort.name}" in axiom.sentence for axiom in logic.axioms()):
                facts += self._quorums(sort.name, nodes)
        for parameter in self.theory.lifted.ordered:
            extent = self.theory.meanings.extents[parameter]
            end = self.sizes[parameter] + extent.above
            points = [logic.number(parameter, extent.low, n) for n in range(extent.low, end + 1)]
            if extent.above == 0:
                facts.append(logic.largest(parameter) == points[-1])
            facts += self._closed(logic.sort(parameter), points)
            if parameter in logic.orders:
                facts += _chain(logic.orders[parameter], points)
        return facts

    def _closed(self, sort: z3.SortRef, values: list[z3.ExprRef]) -> list[z3.BoolRef]:
        """All values of a sort are among these, and these differ."""
        self._values[sort.name()] = values
        x = z3.Const(f"{sort.name()}.any", sort)
        return [z3.ForAll([x], z3.Or([x == value for value in values])), z3.Distinct(values)]

    def _quorums(self, sort: str, nodes: list[z3.ExprRef]) -> list[z3.BoolRef]:
        logic = self.theory.logic
        least = len(nodes) // 2 + 1
        majorities = [
            group
            for size in range(least, len(nodes) + 1)
            for group in itertools.combinations(nodes, size)
        ]
        quorums = [
            z3.Const(f"{sort}.quorum{i}", logic.quorums(sort)) for i in range(len(majorities))
        ]
        facts = self._closed(logic.quorums(sort), quorums)
        for quorum, group in zip(quorums, majorities, strict=True):
            for node in nodes:
                member = logic.member(sort, quorum, node)
                inside = any(node.eq(one) for one in group)
                facts.append(member if inside else z3.Not(member))
        return facts

    # --- Values ---

    def known(self, value: Value, kind: Any) -> Meaning:
        """A frozen value as what expressions of the theory stand for."""
        logic, meanings = self.theory.logic, self.theory.meanings
        match kind:
            case BoolType():
                return bool(value)
            case NodeType(sort):
                return Individual(sort.name, self.node(sort.name, value.index))
            case EnumType(name, members):
                return Individual(name, logic.members(kind)[members.index(value.name)])
            case Ordered(parameter, low, _):
                return Point(parameter, low, meanings.as_point(parameter, low, value).term)
            case OptionType(inner):
                return Optional(
                    value is not None, None if value is None else self.known(value, inner)
                )
            case RecordType(_, fields):
                return Tuple(tuple(self.known(getattr(value, n), k) for n, k in fields))
            case UnionType(variants):
                place: Any = kind.tag(type(value).__name__)
                record = self.known(value, variants[place])
                assert isinstance(record, Tuple)
                return Variants({place: (True, record)})
            case SetType(element):
                items = [self.known(item, element) for item in value]
                return SetOf(element, lambda x: bits.some(meanings.equal(x, i) for i in items))
            case MapType(key, inner):
                pairs = [(self.known(k, key), self.known(v, inner)) for k, v in value.items()]
                return MapOf(key, inner, lambda k: self._looked_up(pairs, k))
        raise AssertionError(kind)

    def _looked_up(self, pairs: list[tuple[Meaning, Meaning]], key: Meaning) -> Meaning:
        meanings = self.theory.meanings
        found = pairs[0][1]
        for one, value in pairs[1:]:
            found = meanings.chosen(meanings.equal(one, key), value, found)
        return found

    def is_state(self, world: World, state: State) -> Bit:
        """Whether a world is a state."""
        pairs = zip(self.theory.lifted.ir.variables, state, strict=True)
        return bits.every(
            self.theory.meanings.equal(world.variables[v.name], self.known(value, v.type))
            for v, value in pairs
        )

    def parameters_are(self, move: Move, values: Mapping[str, Value]) -> Bit:
        assert move.action is not None
        return bits.every(
            self.theory.meanings.equal(move.parameters[p.name], self.known(values[p.name], p.type))
            for p in move.action.parameters
        )

    # --- Questions ---

    def possible(self, *parts: Bit) -> bool:
        """Whether some structure of this size has all the parts."""
        together = bits.term(bits.every(parts))
        solver = z3.Solver()
        solver.add(*self.structure())
        for fact in (*(axiom.formula for axiom in self.theory.logic.axioms()), together):
            solver.add(self.grounded(fact))
        answer = solver.check()
        assert answer != z3.unknown
        return bool(answer == z3.sat)

    def grounded(self, formula: z3.ExprRef) -> z3.BoolRef:
        """A formula with its quantifiers written out over the values of this size."""
        if z3.is_quantifier(formula):
            ranges = [self.values(formula.var_sort(i)) for i in range(formula.num_vars())]
            parts = [
                self.grounded(z3.substitute_vars(formula.body(), *reversed(chosen)))
                for chosen in itertools.product(*ranges)
            ]
            return z3.And(parts) if formula.is_forall() else z3.Or(parts)
        if z3.is_and(formula) or z3.is_or(formula) or z3.is_not(formula) or z3.is_implies(formula):
            return formula.decl()(*(self.grounded(part) for part in formula.children()))
        if z3.is_bool(formula) and any(z3.is_bool(part) for part in formula.children()):
            return formula.decl()(*(self.grounded(part) for part in formula.children()))
        return formula

    def values(self, sort: z3.SortRef) -> list[z3.ExprRef]:
        """All values of a sort in this instance."""
        if sort.kind() == z3.Z3_DATATYPE_SORT:
            return [sort.constructor(i)() for i in range(sort.num_constructors())]
        return self._values[sort.name()]


def _chain(less: z3.FuncDeclRef, values: list[z3.ExprRef]) -> list[z3.BoolRef]:
    return [less(first, second) for first, second in itertools.pairwise(values)]

"""What a proof consists of: a conjunct holds at the start, follows, or is kept by an action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import z3

from .. import bits
from ..bits import Bit
from ..conjuncts import Conjunct
from .relational import Relational
from .theory import Theory


@dataclass(frozen=True, eq=False)
class Claim:
    """What goes against the proof, if all of it can be true together: `bad`, and the `given`.

    `action` is empty for the start. `bad` is None where it certainly cannot be.
    """

    item: Conjunct
    action: str
    bad: z3.BoolRef | None
    given: tuple[z3.BoolRef, ...]
    axioms: tuple[z3.BoolRef, ...]
    orders: Mapping[str, z3.FuncDeclRef]

    def formulas(
        self, cut: frozenset[tuple[str, str]] = frozenset(), *, few: bool = False
    ) -> tuple[z3.BoolRef, ...]:
        """What is put to Z3; `cut` as in `Relational`.

        With `few`, of the given only what is about nothing else than `bad` is: fewer premises, so
        that what follows from them follows.
        """
        assert self.bad is not None, "nothing is to be asked"
        known = symbols(self.bad)
        given = [one for one in self.given if not few or symbols(one) <= known]
        formula = z3.And(self.bad, *given)
        return Relational(self.orders, cut).rewritten(self.axioms, formula)


def symbols(formula: z3.ExprRef) -> frozenset[str]:
    """The relations and functions that a formula is about."""
    found: set[str] = set()
    seen: set[int] = set()
    todo = [formula]
    while todo:
        item = todo.pop()
        if item.get_id() not in seen:
            seen.add(item.get_id())
            if z3.is_app(item) and item.decl().kind() == z3.Z3_OP_UNINTERPRETED:
                found.add(item.decl().name())
            todo.extend(item.children())
    return frozenset(found)


class Claims:
    """The claims of one proof, whose conjuncts are `items`."""

    def __init__(self, theory: Theory, items: tuple[Conjunct, ...]) -> None:
        self.theory = theory
        self.items = items
        self.before = theory.world()
        self.start = theory.start()
        self.moves = tuple(theory.moves(self.before))
        self._now = [theory.holds(item.expr, self.before) for item in items]

    def _before(self, item: Conjunct) -> Bit:
        """A conjunct of the state before a step."""
        return next(bit for one, bit in zip(self.items, self._now, strict=True) if one is item)

    def following(self, item: Conjunct, used: Sequence[Conjunct]) -> Claim:
        """That a conjunct follows from others."""
        given = [self._before(other) for other in used]
        broken = bits.negation(self._before(item))
        return self._claim(item, "", [broken], [*given, *self.before.fits])

    def initial(self, item: Conjunct) -> Claim:
        """That a conjunct holds at the start."""
        after = self.theory.holds(item.expr, self.start.after)
        bad = bits.negation(after)
        return self._claim(item, "", [self.start.enabled, bad], [])

    def kept(self, item: Conjunct, used: Sequence[Conjunct]) -> Iterator[Claim]:
        """That each action keeps a conjunct, in states in which all that are `used` hold."""
        for move in self.moves:
            after = self.theory.holds(item.expr, move.after)
            if _alike(after, self._before(item)):
                yield self._claim(item, move.name, [False], [])
                continue
            given = [self._before(other) for other in used]
            bad = [move.enabled, bits.negation(after)]
            yield self._claim(item, move.name, bad, [*given, *self.before.fits])

    def _claim(self, item: Conjunct, action: str, bad: list[Bit], given: list[Bit]) -> Claim:
        axioms = tuple(axiom.formula for axiom in self.theory.logic.axioms())
        together = bits.every((*bad, *given))
        found = None if together is False else bits.term(bits.every(bad))
        terms = tuple(bits.term(one) for one in given)
        return Claim(item, action, found, terms, axioms, self.theory.logic.orders)


def _alike(one: Bit, other: Bit) -> bool:
    """Whether two formulas are written the same: then a step has left alone what they are about."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is True or (isinstance(other, bool) and one is other)
    return bool(one.eq(other))

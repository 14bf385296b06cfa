"""What a test teaches one arm of a branch must not be believed in the other."""

from __future__ import annotations

from quorate.language import Nodes, Set, Spec, action, choose, empty, instantiate, record
from quorate.tests.reference_search import reference_search


@record
class First:
    """One of two."""


@record
class Second:
    """The other."""


Either = First | Second


class Branches(Spec):
    """Branches on a union of exactly two records, where one arm leaves one variant."""

    nodes: Nodes
    either: Set[Either] = empty()
    first: bool = False
    second: bool = False
    shown: bool = False

    @action
    def statement(self, message: Either) -> None:
        """A statement."""
        if isinstance(message, First):
            self.first = True
        else:
            self.second = True

    @action
    def expression(self, message: Either) -> None:
        """A conditional expression."""
        other = choose({True, False})
        self.shown = other if isinstance(message, First) else not other

    @action
    def negated(self, message: Either) -> None:
        """The other way round."""
        if not isinstance(message, Second):
            self.either.add(First())
        else:
            self.either.add(Second())


def test_both_arms_of_a_branch_on_a_union_of_two_are_kept() -> None:
    instance = instantiate(Branches, {"nodes": 1})
    by_python = reference_search(instance.reference())
    by_ir = reference_search(instance.evaluator())
    assert by_python.distinct == 4 * 2 * 2 * 2
    assert by_ir.states == by_python.states
    assert by_ir.generated == by_python.generated

"""The protocol of everything that can say what a spec does: one meaning, several engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .labels import Label, Transition, Trap
from .values import State


class Semantics(Protocol):
    """A spec with its parameters fixed, as a transition system over frozen values.

    The reference interpreter (the author's class under CPython) and the IR evaluator both
    implement it, in the same order, so that their answers can be compared with `==`.
    """

    def initial_states(self) -> Sequence[State | Trap]:
        """The initial states, in the order of the choices of `start`; duplicates are kept."""
        ...

    def successors(self, state: State) -> Sequence[Transition]:
        """Every enabled transition out of a state, self-loops and duplicates included.

        Actions in order of definition, bindings of the parameters in canonical order (the first
        parameter outermost), choices in canonical order.
        """
        ...

    def taken(self, state: State, label: Label) -> Sequence[Transition]:
        """Those of the successors that come of the label's action and parameters."""
        ...

    def holds(self, property_name: str, state: State, after: State | None = None) -> bool:
        """The predicate of a property; `after` is the later state, for step properties only.

        Raises `Trapped` where the predicate has no value, KeyError where no property has the name.
        """
        ...

    def demands(self, property_name: str, state: State) -> bool:
        """Whether an always-possible property has to stay in reach from a state: its `when`.

        Raises `Trapped` where that has no value.
        """
        ...

    def allowed(self, state: State) -> bool:
        """The state constraint; True where the spec has none. Raises `Trapped`."""
        ...

    def abstract(self, refinement_name: str, state: State) -> State:
        """The state of the abstract spec that a refinement maps a state to. Raises `Trapped`."""
        ...

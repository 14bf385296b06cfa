"""A dumb breadth-first search over anything with the `Semantics` protocol: the twin of engines.

It counts as TLC does: `generated` is initial states and every enabled transition, duplicates and
self-loops included; `depth` is 1 for initial states; a state outside the constraint is generated
and checked, but neither stored nor expanded. A transition that traps counts as generated.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from quorate.language.ir.nodes import Property, PropertyKind
from quorate.language.labels import Trap, Trapped
from quorate.language.semantics import Semantics
from quorate.language.values import State


@dataclass
class Found:
    """What a search found.

    1. `states` has exactly the stored states, `distinct` of them, in the order they were met.
    2. `complete` is False where `max_states` or a trap ended the search: then absence of a
       violation, witness or deadlock says nothing.
    3. `violated` gives for ALWAYS and STEP properties the length in states of a shortest
       counterexample; `reached` the same for SOMETIMES and SOMETIMES_STEP. Names that are
       missing: none was met.
    4. `edges` are the steps between stored states, without labels, self-loops included.
    """

    generated: int = 0
    depth: int = 0
    complete: bool = True
    states: dict[State, int] = field(default_factory=dict)
    violated: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    deadlocks: list[State] = field(default_factory=list)
    trap: Trap | None = None
    trap_length: int | None = None
    edges: list[tuple[State, State, str]] = field(default_factory=list)

    @property
    def distinct(self) -> int:
        """The number of stored states."""
        return len(self.states)


def reference_search(
    semantics: Semantics, properties: Sequence[Property] = (), max_states: int | None = None
) -> Found:
    """Every state that `semantics` can reach, level by level, and how the properties fare.

    The search does not stop at a violation. It stops at the first trap, also one in a property or
    the constraint, and after the level in which `max_states` are exceeded.
    """
    found = Found()
    level = _initial(semantics, properties, found)
    while level and found.complete:
        found.depth += 1
        following: list[State] = []
        for state in level:
            following += _expand(semantics, properties, state, found)
            if found.trap is not None:
                return found
        if max_states is not None and found.distinct > max_states:
            found.complete = False
        level = following
    return found


def always_possible(
    found: Found, holds: set[State], by: Sequence[str], excused: AbstractSet[State] = frozenset()
) -> bool:
    """Whether from every state found, one in `holds` can be reached by the actions `by` alone;
    it need not from those that are `excused`.
    """
    before: dict[State, list[State]] = {}
    for source, target, action in found.edges:
        if action in by:
            before.setdefault(target, []).append(source)
    able = set(holds)
    waiting = list(holds)
    while waiting:
        for source in before.get(waiting.pop(), ()):
            if source not in able:
                able.add(source)
                waiting.append(source)
    return able >= found.states.keys() - excused


def _initial(semantics: Semantics, properties: Sequence[Property], found: Found) -> list[State]:
    level: list[State] = []
    for state in semantics.initial_states():
        found.generated += 1
        if isinstance(state, Trap):
            _trapped(found, state, 1)
            return []
        if _is_new(semantics, properties, state, 1, found):
            level.append(state)
    return level


def _expand(
    semantics: Semantics, properties: Sequence[Property], state: State, found: Found
) -> list[State]:
    new: list[State] = []
    length = found.depth + 1
    transitions = semantics.successors(state)
    if not transitions:
        found.deadlocks.append(state)
    for transition in transitions:
        target = transition.target
        found.generated += 1
        if isinstance(target, Trap):
            _trapped(found, target, length)
            return new
        if _is_new(semantics, properties, target, length, found):
            new.append(target)
        _check_step(semantics, properties, state, target, length, found)
        if found.trap is not None:
            return new
        if target in found.states:
            found.edges.append((state, target, transition.label.action))
    return new


def _is_new(
    semantics: Semantics, properties: Sequence[Property], state: State, length: int, found: Found
) -> bool:
    """Check a state that is not stored yet, and store it if it is allowed."""
    if state in found.states:
        return False
    try:
        for item in properties:
            if item.kind is PropertyKind.ALWAYS and not semantics.holds(item.name, state):
                found.violated.setdefault(item.name, length)
            if item.kind is PropertyKind.SOMETIMES and semantics.holds(item.name, state):
                found.reached.setdefault(item.name, length)
        if not semantics.allowed(state):
            return False
    except Trapped as trapped:
        _trapped(found, trapped.trap, length)
        return False
    found.states[state] = length
    return True


def _check_step(
    semantics: Semantics,
    properties: Sequence[Property],
    state: State,
    target: State,
    length: int,
    found: Found,
) -> None:
    for item in properties:
        if item.kind.of_steps and item.name not in {**found.violated, **found.reached}:
            wanted = item.kind is PropertyKind.SOMETIMES_STEP
            try:
                if semantics.holds(item.name, state, target) is wanted:
                    (found.reached if wanted else found.violated)[item.name] = length
            except Trapped as trapped:
                _trapped(found, trapped.trap, length)


def _trapped(found: Found, trap: Trap, length: int) -> None:
    found.complete = False
    if found.trap is None:
        found.trap, found.trap_length = trap, length

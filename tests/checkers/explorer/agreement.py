"""Compiled code against the IR evaluator, and the layouts that tests try it with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import permutations, product
from pathlib import Path
from typing import Any, TypeVar

from quorate.checkers.explorer import layout as layouts
from quorate.checkers.explorer.codec import Codec
from quorate.checkers.explorer.control import LEAVE_OUT
from quorate.checkers.explorer.layout import StateLayout
from quorate.checkers.explorer.native import NativeSpec, compile_instance
from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import PropertyKind, SpecIR
from quorate.language.labels import Trap, Trapped
from quorate.language.values import FrozenMap, Node, State, Universe, Value
from quorate.tests.checkers.explorer.native_calls import LIMIT, Calls

T = TypeVar("T")

NOWHERE = Path("/dev/null/nowhere")
"""A cache directory that cannot be: tests compile what they test."""


@contextmanager
def narrow_layouts(small: int, dense: int) -> Iterator[None]:
    """Layouts in which values of more than `small` bits are wide, and sets of more than `dense`
    elements are sparse where their capacity allows.
    """
    before = layouts.SMALL, layouts.DENSE_ANYWAY
    _set_limits(small, dense)
    try:
        yield
    finally:
        _set_limits(*before)


def _set_limits(small: int, dense: int) -> None:
    layouts.SMALL, layouts.DENSE_ANYWAY = small, dense
    layouts.layout_of.cache_clear()
    layouts.enumerable.cache_clear()


def compiled(spec: SpecIR, optimise: int = 0, **options: Any) -> NativeSpec:
    """The spec, compiled anew and quickly."""
    return compile_instance(spec, optimise=optimise, cache_dir=NOWHERE, **options)


class Agreement:
    """Asks compiled code and the evaluator the same questions."""

    def __init__(self, spec: SpecIR, optimise: int = 0) -> None:
        self.spec = spec
        self.universe = Universe.of(spec)
        self.evaluator = Evaluator(spec, self.universe)
        self.native = compiled(spec, optimise, universe=self.universe)
        self.calls = Calls(self.native)
        kind = PropertyKind.SOMETIMES_STEP
        self.seen_in_steps = {item.name for item in spec.properties if item.kind is kind}

    def check(self, limit: int = 25) -> int:
        """Compare everything in the first reachable states; how many there were."""
        wanted = _to_first_trap(self.evaluator.initial_states())
        assert self.calls.initial() == wanted
        seen = dict.fromkeys(s for s in wanted if not isinstance(s, Trap))
        waiting = list(seen)
        for state in waiting:
            for successor in self._check_state(state):
                if successor not in seen and len(seen) < limit:
                    seen[successor] = None
                    waiting.append(successor)
        return len(seen)

    def _check_state(self, state: State) -> list[State]:
        assert self.native.unpack(self.native.pack(state)) == state
        targets = [transition.target for transition in self.evaluator.successors(state)]
        wanted = _to_first_trap(targets)
        assert self.calls.expand(state) == wanted, state
        # Of steps back to the state itself, all or some are left out when asked.
        moves = self.calls.expand(state, limit=LIMIT + LEAVE_OUT)
        assert [t for t in moves if t != state] == [t for t in wanted if t != state], state
        names = self.native.predicate_names
        assert self.calls.bits("predicates", state) == self._bits_of_state(names, state)
        if self.spec.constraint is not None:
            allowed = _or_trap(lambda: int(self.evaluator.allowed(state)))
            assert self.calls.bits("constraint", state) == allowed
        for number in range(len(self.spec.refinements)):
            self._check_abstract(number, state)
        successors = [item for item in wanted if not isinstance(item, Trap)]
        for after in successors:
            steps = self._bits(self.native.step_names, state, after)
            assert self.calls.bits("steps", state, after) == steps
        return successors

    def _bits_of_state(self, names: tuple[str, ...], state: State) -> int | Trap:
        """The properties' bits, and behind them where those with a `when` ask nothing."""
        total = self._bits(names, state)
        for number, name in enumerate(self.native.excuse_names, len(names)):
            asked = _or_trap(partial(self.evaluator.demands, name, state))
            if isinstance(asked, Trap) or isinstance(total, Trap):
                return total if isinstance(total, Trap) else asked
            total |= int(not asked) << number
        return total

    def _bits(self, names: Iterable[str], state: State, after: State | None = None) -> int | Trap:
        total = 0
        for number, name in enumerate(names):
            held = _or_trap(partial(self.evaluator.holds, name, state, after))
            if isinstance(held, Trap):
                return held
            # Compiled code says of a witness over steps where it is not.
            total |= int(held is not (name in self.seen_in_steps)) << number
        return total

    def _check_abstract(self, number: int, state: State) -> None:
        refinement = self.spec.refinements[number]
        variables = refinement.abstract.variables
        layout = StateLayout.of(variables)
        image = _or_trap(lambda: self.evaluator.abstract(refinement.name, state))
        wanted = (
            image
            if isinstance(image, Trap)
            else Codec(variables, layout, self.universe).pack(image)
        )
        assert self.calls.abstract(number, state, layout.words) == wanted

    def check_symmetry(self, limit: int = 8) -> int:
        """Compare `permute`, `signature` and `canonical` with all renamings of some states."""
        if "canonical" not in self.native.addresses:
            return 0
        waiting = [s for s in self.evaluator.initial_states() if not isinstance(s, Trap)]
        seen = set(waiting)
        for state in waiting:
            self._check_orbit(state)
            for transition in self.evaluator.successors(state):
                target = transition.target
                if not isinstance(target, Trap) and target not in seen and len(seen) < limit:
                    seen.add(target)
                    waiting.append(target)
        return len(seen)

    def _check_orbit(self, state: State) -> None:
        calls = self.calls
        sorts = [sort for sort in self.spec.sorts if not sort.ordered]
        form = calls.canonical(state)
        orbit = set()
        for numbers in product(*(permutations(range(sort.size)) for sort in sorts)):
            names = self._renaming(numbers)
            image = calls.permuted(state, [i for group in numbers for i in group])
            assert image == renamed(state, names)
            assert calls.canonical(image) == form, (state, image)
            orbit.add(image)
            for sort, group in enumerate(numbers):
                for node, new in enumerate(group):
                    assert calls.signature(state, sort, node) == calls.signature(image, sort, new)
        assert form in orbit

    def _renaming(self, numbers: tuple[tuple[int, ...], ...]) -> dict[Node, Node]:
        sorts = [sort for sort in self.spec.sorts if not sort.ordered]
        names = {}
        for sort, group in zip(sorts, numbers, strict=True):
            nodes = self.universe.nodes[sort.name]
            names.update({nodes[old]: nodes[new] for old, new in enumerate(group)})
        return names


def renamed(value: Value, names: dict[Node, Node]) -> Value:
    """A value with its nodes renamed: the dumb twin of `permute`."""
    match value:
        case Node():
            return names.get(value, value)
        case frozenset() | tuple():
            return type(value)(renamed(item, names) for item in value)
        case FrozenMap():
            items = value.items()
            return type(value)((renamed(key, names), renamed(item, names)) for key, item in items)
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is None:
        return value
    return type(value)(*(renamed(getattr(value, name), names) for name in fields))


def _to_first_trap(targets: Iterable[State | Trap]) -> list[State | Trap]:
    """Compiled code stops at the first trap."""
    found = []
    for target in targets:
        found.append(target)
        if isinstance(target, Trap):
            break
    return found


def _or_trap(ask: Callable[[], T]) -> T | Trap:
    try:
        return ask()
    except Trapped as trapped:
        return trapped.trap

"""The reference interpreter: a spec's meaning is what CPython does with the author's own class.

Every other engine is tested against this one. Nondeterminism is by re-execution: an action is run
once for each sequence of choices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

from .adopt import freeze
from .declarations import Mark, Run, running
from .domains import is_value, values_of
from .failures import Disabled
from .frozen import NoSuchIndexError
from .ir.nodes import Kind, TrapKind
from .ir.types import Type, cardinality
from .labels import Label, Transition, Trap, Trapped
from .shape import Method, Shape
from .values import State, Value

R = TypeVar("R")

TRIED = 1024
"""Values of an action's parameters, at most, that are all tried, whatever its guards say."""


class Reference:
    """The semantics of a shaped spec class (`semantics.Semantics`).

    `actions` gives the types of each action's parameters; `properties` and `refinements` the
    functions by name. `bindings` gives the values of an action's parameters in a state for which
    it may be enabled: asked only where there are too many to try them all.
    """

    def __init__(
        self,
        shape: Shape,
        actions: Mapping[str, tuple[tuple[str, Type], ...]],
        properties: Mapping[str, Callable[..., Any]],
        refinements: Mapping[str, Callable[..., Any]],
        bindings: Callable[[str, State], Sequence[tuple[Value, ...]]],
    ) -> None:
        self._shape = shape
        self._bindings = bindings
        self._actions = actions
        self._properties = properties
        self._refinements = refinements

    def initial_states(self) -> list[State | Trap]:
        """The initial states: the declared values, after `start` where the spec has one."""

        def begin() -> State:
            live = self._shape.spec(**self._shape.parameters)
            for method in self._with_role("start"):
                method.function(live)
            return live._state()

        return [outcome for _, outcome in self._outcomes(begin)]

    def successors(self, state: State) -> list[Transition]:
        """Every enabled transition, in the order of `semantics.Semantics.successors`."""
        found: list[Transition] = []
        before = self._live(state)
        for method in self._with_role("action"):
            if method.name in self._actions:
                found.extend(self._taken(method, before, self._tried(method.name, state)))
        return found

    def taken(self, state: State, label: Label) -> list[Transition]:
        """Those of the successors that come of the label's action and parameters."""
        parameters = self._actions.get(label.action)
        if parameters is None or [n for n, _ in parameters] != [n for n, _ in label.parameters]:
            return []
        binding = tuple(value for _, value in label.parameters)
        kinds = [kind for _, kind in parameters]
        universe = self._shape.universe
        if not all(is_value(v, k, universe) for v, k in zip(binding, kinds, strict=True)):
            return []
        method = next(m for m in self._with_role("action") if m.name == label.action)
        return list(self._taken(method, self._live(state), [binding]))

    def _taken(
        self, method: Method, before: Any, bindings: Iterable[tuple[Value, ...]]
    ) -> Iterator[Transition]:
        """The steps of an action for some bindings; `before` is a live object in the state."""
        assert isinstance(method.mark.kind, Kind)
        parameters = self._actions[method.name]
        for binding in bindings:

            def step(binding: tuple[Value, ...] = binding) -> State:
                live = before._copied()
                method.function(live, *(self._thawed(value) for value in binding))
                return live._state()  # type: ignore[no-any-return]

            named = tuple((n, v) for (n, _), v in zip(parameters, binding, strict=True))
            for choices, outcome in self._outcomes(step):
                yield Transition(Label(method.name, method.mark.kind, named, choices), outcome)

    def _tried(self, action: str, state: State) -> Iterable[tuple[Value, ...]]:
        kinds = [kind for _, kind in self._actions[action]]
        if math.prod(map(cardinality, kinds)) > TRIED:
            return self._bindings(action, state)
        return product(*(list(values_of(kind, self._shape.universe)) for kind in kinds))

    def _thawed(self, value: Value) -> Any:
        from .collections import Set

        return Set(value) if isinstance(value, frozenset) else value

    def _outcomes(
        self, run: Callable[[], State]
    ) -> Iterator[tuple[tuple[Value, ...], State | Trap]]:
        """Run once for each sequence of choices, in order; disabled runs give nothing."""
        script: list[int] = []
        while True:
            chooser = _Chooser(script)
            try:
                with running(Run(chooser.choose, self._shape.record_place)):
                    outcome: State | Trap = _trapping(run)
            except Trapped as error:
                yield tuple(chooser.chosen), error.trap
            except Disabled:
                pass
            else:
                yield tuple(chooser.chosen), outcome
            if not chooser.advance():
                return
            script = chooser.script

    def holds(self, property_name: str, state: State, after: State | None = None) -> bool:
        """The predicate of a property; `after` for step properties."""
        function = self._properties[property_name]
        states = [state] if after is None else [state, after]
        return bool(self._evaluated(lambda: function(*map(self._live, states))))

    def demands(self, property_name: str, state: State) -> bool:
        """Whether a property has to stay in reach from a state."""
        when = property_mark(self._properties[property_name]).when
        if when is None:
            return True
        return self._evaluated(lambda: bool(getattr(self._live(state), when)()))

    def allowed(self, state: State) -> bool:
        """The state constraint; True where there is none."""
        methods = self._with_role("constraint")
        return self._evaluated(lambda: all(m.function(self._live(state)) for m in methods))

    def abstract(self, refinement_name: str, state: State) -> State:
        """The abstract spec's state that a state is mapped to."""
        function = self._refinements[refinement_name]
        live = self._evaluated(lambda: function(self._live(state)))
        return live._state()  # type: ignore[no-any-return]

    def _evaluated(self, run: Callable[[], R]) -> R:
        def no_choice(options: list[Any]) -> Any:
            raise TypeError("choose() belongs in an action or in start")

        with running(Run(no_choice, self._shape.record_place)):
            return _trapping(run)

    def _live(self, state: State) -> Any:
        return self._shape.spec._from_state(self._shape, state)

    def _with_role(self, role: str) -> list[Method]:
        return [method for method in self._shape.methods if method.mark.role == role]


class _Chooser:
    """Follows a script of choices, then takes first options, and knows the next script."""

    def __init__(self, script: list[int]) -> None:
        self.script = list(script)
        self.sizes: list[int] = []
        self.chosen: list[Value] = []

    def choose(self, options: list[Any]) -> Any:
        position = len(self.sizes)
        if position == len(self.script):
            self.script.append(0)
        self.sizes.append(len(options))
        picked = options[self.script[position]]
        self.chosen.append(freeze(picked))
        return picked

    def advance(self) -> bool:
        """Move to the next script in order; False after the last."""
        del self.script[len(self.sizes) :]
        while self.script:
            self.script[-1] += 1
            if self.script[-1] < self.sizes[len(self.script) - 1]:
                return True
            self.script.pop()
        return False


def _trapping(run: Callable[[], R]) -> R:
    """Run, with CPython's own failures of partial operations turned into traps."""
    try:
        return run()
    except ZeroDivisionError:
        raise Trapped(Trap(TrapKind.DIVISION, "division", "division by zero")) from None
    except NoSuchIndexError as error:
        raise Trapped(Trap(TrapKind.INDEX, error.subject, str(error))) from None
    except ValueError as error:
        if "empty" not in str(error):
            raise
        fold = str(error).partition("(")[0]
        raise Trapped(Trap(TrapKind.EMPTY, fold, f"the {fold}imum of nothing")) from None
    except AttributeError as error:
        if "'NoneType'" not in str(error):
            raise
        raise Trapped(Trap(TrapKind.NARROW, "None", f"None has no value here: {error}")) from None


def property_mark(function: Callable[..., Any]) -> Mark:
    """The mark of a property function; TypeError for any other function."""
    from .declarations import mark_of

    mark = mark_of(function)
    if mark is None or mark.role != "property":
        raise TypeError(f"{getattr(function, '__name__', function)!r} is not a property")
    return mark

"""A spec as formulas: its states, its initial states, its steps, its properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import z3

from ...language.instance import Instance
from ...language.ir.nodes import Action, Expr, SpecIR
from ...language.labels import Label, Trap
from ...language.values import State, Value
from . import bits, compare
from .bits import Bit
from .expressions import Expressions, Frame
from .shapes import Symbolic
from .statements import Body, Choice, Statements
from .types import Types


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A state of unknowns; `fits` says that they are values of the variables' types."""

    variables: Mapping[str, Symbolic]
    fits: Bit


@dataclass(frozen=True, eq=False)
class Step:
    """An action out of a state: for each value of its unknowns at most one way.

    `enabled` is that it has a next state (`target`), an ending in `endings` that it runs into a
    trap; both imply `fits`: that the unknowns (parameters, choices) are values of their types.
    """

    action: Action | None
    parameters: Mapping[str, Symbolic]
    body: Body
    enabled: Bit
    endings: tuple[tuple[Bit, Trap], ...]
    target: Mapping[str, Symbolic]


@dataclass(frozen=True, eq=False)
class Predicate:
    """A predicate of a state or step: where it holds, and where it has no value."""

    holds: Bit
    traps: tuple[tuple[Bit, Trap], ...]


@dataclass
class System:
    """The formulas of one instance."""

    ir: SpecIR
    types: Types
    _names: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, instance: Instance) -> System:
        """The formulas of an instance; raises UsageError where its types are too large."""
        return cls(instance.ir, Types(instance.universe))

    def snapshot(self, name: str) -> Snapshot:
        """A state of unknowns whose names begin with `name`."""
        made = {v.name: self.types.fresh(v.type, f"{name}.{v.name}") for v in self.ir.variables}
        fits = bits.every(fits for _, fits in made.values())
        return Snapshot({name: value for name, (value, _) in made.items()}, fits)

    def known(self, state: State) -> Snapshot:
        """A frozen state."""
        pairs = zip(self.ir.variables, state, strict=True)
        return Snapshot({v.name: self.types.constant(x, v.type) for v, x in pairs}, True)

    def start(self, name: str = "start") -> Step:
        """The initial states, as a step from nowhere."""
        expressions = Expressions(self.types)
        frame = Frame({}, None, {})
        variables = {v.name: expressions.value(v.initial, frame) for v in self.ir.variables}
        troubles = tuple((t.condition, t.trap) for t in expressions.troubles)
        body = Statements(self.types, name).run(self.ir.start, Frame(variables, None, {}))
        made = self._step(None, {}, body, bits.every(bits.negation(c) for c, _ in troubles))
        return replace(made, endings=(*troubles, *made.endings))

    def step(self, action: Action, before: Snapshot, name: str) -> Step:
        """An action out of a state; names of its unknowns begin with `name`."""
        made = {p.name: self.types.fresh(p.type, f"{name}.{p.name}") for p in action.parameters}
        parameters = {name: value for name, (value, _) in made.items()}
        frame = Frame(dict(before.variables), None, dict(parameters))
        body = Statements(self.types, name).run(action.body, frame)
        return self._step(action, parameters, body, bits.every(fits for _, fits in made.values()))

    def _step(
        self, action: Action | None, parameters: Mapping[str, Symbolic], body: Body, fits: Bit
    ) -> Step:
        fine = bits.every((fits, *body.fits))
        endings = tuple((bits.both(fine, e.condition), e.trap) for e in body.endings)
        enabled = bits.both(fine, body.enabled)
        return Step(action, parameters, body, enabled, endings, body.frame.variables)

    def predicate(self, expr: Expr, before: Snapshot, after: Snapshot | None = None) -> Predicate:
        """A predicate of a state, or of a step."""
        expressions = Expressions(self.types)
        later = None if after is None else dict(after.variables)
        holds = expressions.bit(expr, Frame(dict(before.variables), later, {}))
        traps = tuple((trouble.condition, trouble.trap) for trouble in expressions.troubles)
        return Predicate(holds, traps)

    def is_state(self, target: Mapping[str, Symbolic], state: Snapshot) -> Bit:
        """Whether two states are the same."""
        return bits.every(
            compare.equal(target[v.name], state.variables[v.name]) for v in self.ir.variables
        )

    def read_state(self, variables: Mapping[str, Symbolic], model: z3.ModelRef) -> State:
        """The frozen state that formulas have in a model."""
        return tuple(self.types.read(variables[v.name], v.type, model) for v in self.ir.variables)

    def read_label(self, step: Step, model: z3.ModelRef) -> Label:
        """The label of a step of a model."""
        assert step.action is not None, "the start has no label"
        parameters = tuple(
            (p.name, self.types.read(step.parameters[p.name], p.type, model))
            for p in step.action.parameters
        )
        taken = [choice for choice in step.body.choices if holds(choice.made, model)]
        choices = tuple(self._read_choice(choice, model) for choice in taken)
        return Label(step.action.name, step.action.kind, parameters, choices)

    def _read_choice(self, choice: Choice, model: z3.ModelRef) -> Value:
        return self.types.read(choice.element, choice.type, model)


def holds(bit: Bit, model: z3.ModelRef) -> bool:
    """Whether a bit holds in a model."""
    return (
        bit if isinstance(bit, bool) else bool(z3.is_true(model.eval(bit, model_completion=True)))
    )

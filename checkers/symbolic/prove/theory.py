"""A spec without its sizes as a transition system in first-order logic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ....language.ir.nodes import Action, Expr
from .. import bits
from ..bits import Bit
from .expressions import Expressions, Frame
from .lifting import Lifted, Ordered
from .logic import Logic
from .meanings import Meanings
from .statements import Body, LeftOut, Statements
from .values import Meaning


@dataclass(frozen=True, eq=False)
class World:
    """A state: what each variable stands for. `fits`: these are values of their types."""

    variables: Mapping[str, Meaning]
    fits: tuple[Bit, ...] = ()


@dataclass(frozen=True, eq=False)
class Move:
    """An action out of a world, or the start: where `enabled`, it leads to `after`."""

    name: str
    action: Action | None
    parameters: Mapping[str, Meaning]
    enabled: Bit
    after: World
    left_out: tuple[LeftOut, ...]


class Theory:
    """The logic of one spec."""

    def __init__(self, lifted: Lifted) -> None:
        self.lifted = lifted
        self.logic = Logic()
        self.meanings = Meanings(self.logic, extents(lifted.ir))

    def world(self, name: str = "") -> World:
        """A state of which nothing is known."""
        prefix = f"{name}." if name else ""
        variables = {
            v.name: self.meanings.unknown(v.type, f"{prefix}{v.name}")
            for v in self.lifted.ir.variables
        }
        fits = tuple(
            self.meanings.fits(variables[v.name], v.type) for v in self.lifted.ir.variables
        )
        return World(variables, fits)

    def start(self) -> Move:
        """The initial states; raises `Outside`."""
        expressions = Expressions(self.meanings)
        variables = {
            v.name: expressions.fitted(expressions.value(v.initial, Frame({})), v.type)
            for v in self.lifted.ir.variables
        }
        body = Statements(self.meanings, "start").run(self.lifted.ir.start, Frame(variables))
        return self._move("the initial states", None, {}, body, [])

    def moves(self, before: World) -> Iterator[Move]:
        """Every action out of a world; raises `Outside`."""
        for action in self.lifted.ir.actions:
            yield self.move(action, before)

    def move(self, action: Action, before: World) -> Move:
        """An action out of a world; raises `Outside`."""
        parameters: dict[str, Meaning] = {}
        fits: list[Bit] = []
        for parameter in action.parameters:
            name = f"{action.name}.{parameter.name}"
            parameters[parameter.name] = self.meanings.unknown(parameter.type, name)
            fits.append(self.meanings.fits(parameters[parameter.name], parameter.type))
        frame = Frame(dict(before.variables), None, dict(parameters))
        body = Statements(self.meanings, action.name).run(action.body, frame)
        return self._move(action.name, action, parameters, body, fits)

    def _move(
        self,
        name: str,
        action: Action | None,
        parameters: Mapping[str, Meaning],
        body: Body,
        fits: list[Bit],
    ) -> Move:
        enabled = bits.every((*fits, *body.enabled))
        after = World(body.frame.variables)
        return Move(name, action, parameters, enabled, after, tuple(body.left_out))

    def holds(self, predicate: Expr, world: World) -> Bit:
        """A predicate of a state; raises `Outside`."""
        with self.logic.formula():
            return Expressions(self.meanings).bit(predicate, Frame(dict(world.variables)))


def extents(ir: Any) -> dict[str, Ordered]:
    """The values of each ordered parameter: over the types of variables and of parameters."""
    found: dict[str, Ordered] = {}
    declared = [v.type for v in ir.variables]
    declared += [p.type for action in ir.actions for p in action.parameters]
    for kind in declared:
        for one in _ordered(kind):
            known = found.setdefault(one.parameter, one)
            low, above = min(one.low, known.low), max(one.above, known.above)
            found[one.parameter] = Ordered(one.parameter, low, above)
    return found


def _ordered(root: Any) -> Iterator[Ordered]:
    """The ordered types inside a type."""
    if isinstance(root, Ordered):
        yield root
    elif isinstance(root, tuple):
        for item in root:
            yield from _ordered(item)
    elif hasattr(root, "__dataclass_fields__"):
        for name in root.__dataclass_fields__:
            yield from _ordered(getattr(root, name))

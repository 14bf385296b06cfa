"""Labels: which step was taken. One typed object for spec, replay, log and diagram."""

from __future__ import annotations

from dataclasses import dataclass

from .ir.nodes import Kind, TrapKind
from .values import State, Value


@dataclass(frozen=True)
class Label:
    """An action with the values of its parameters and, in order, of its `choose` calls."""

    action: str
    kind: Kind
    parameters: tuple[tuple[str, Value], ...] = ()
    choices: tuple[Value, ...] = ()

    def __str__(self) -> str:
        values = [f"{value!r}" for _, value in self.parameters]
        values += [f"chose {value!r}" for value in self.choices]
        return f"{self.action}({', '.join(values)})"


@dataclass(frozen=True)
class Trap:
    """A step that has no next state, because an expression has no value or leaves its bound.

    `subject` is the variable, field or expression concerned; `message` a sentence for the user.
    """

    kind: TrapKind
    subject: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Transition:
    """A step out of a state: its label, and the next state or the trap it ran into."""

    label: Label
    target: State | Trap


class Trapped(Exception):
    """An expression without a value: an outcome of the spec, and no error of this program."""

    def __init__(self, trap: Trap) -> None:
        super().__init__(trap.message)
        self.trap = trap

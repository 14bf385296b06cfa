"""`Spec`: the base class of every spec, and the live object its methods run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .adopt import adopt, freeze
from .collections import Nodes, copied
from .ir.nodes import Durability
from .ir.types import MapType, NodeType
from .shape import Shape, shape_of
from .values import Node, State


class Spec:
    """A protocol as state variables and atomic actions.

    An instance is one state of one instance of the protocol: `TwoPhaseCommit(rms=3)` is an initial
    state, and calling an action steps it, so a spec can be explored in a debugger as it is.
    Parameters are given by keyword (a node set by its size); state variables may be given too.
    """

    __shape: Shape

    def __init__(self, **values: Any) -> None:
        names = {name for name, value in values.items() if self._is_state(name)}
        shape = shape_of(type(self), {n: v for n, v in values.items() if n not in names})
        object.__setattr__(self, "_Spec__shape", shape)
        for name, value in shape.parameters.items():
            object.__setattr__(self, name, value)
        for name, variable in shape.variables.items():
            setattr(self, name, values.get(name, variable.initial))

    @classmethod
    def _is_state(cls, name: str) -> bool:
        from .shape import attributes_of, parameter_attributes

        parameters = {a.name for a in parameter_attributes(cls)}
        return name not in parameters and name in {a.name for a in attributes_of(cls)}

    @classmethod
    def _from_state(cls, shape: Shape, state: State) -> Any:
        """A live object in a given state."""
        new = cls.__new__(cls)
        object.__setattr__(new, "_Spec__shape", shape)
        for name, value in shape.parameters.items():
            object.__setattr__(new, name, value)
        for name, value in zip(shape.variables, state, strict=True):
            object.__setattr__(new, name, adopt(value, shape.place(name)))
        return new

    def _copied(self) -> Any:
        """Another live object in the same state."""
        new = object.__new__(type(self))
        for name, value in vars(self).items():
            held = copied(value) if name in self.__shape.variables else value
            object.__setattr__(new, name, held)
        return new

    def _state(self) -> State:
        """The state this object is in, frozen."""
        return tuple(freeze(getattr(self, name)) for name in self.__shape.variables)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__shape.variables:
            what = "a parameter" if name in self.__shape.parameters else "not declared"
            raise AttributeError(f"{type(self).__name__}.{name} cannot be set: it is {what}")
        object.__setattr__(self, name, adopt(value, self.__shape.place(name)))

    def lose_volatile(self, node: Node | None = None) -> None:
        """What a crash does: the volatile variables go back to their initial values.

        With a node: its entry in every volatile map whose keys are nodes of its set. Without: the
        volatile variables that are not such maps, which belong to a process that is not a node.
        """
        for name, variable in self.__shape.variables.items():
            if variable.durability is not Durability.VOLATILE:
                continue
            initial = adopt(variable.initial, self.__shape.place(name))
            by_node = isinstance(variable.type, MapType) and isinstance(variable.type.key, NodeType)
            if node is None and not by_node:
                setattr(self, name, initial)
            elif node is not None and by_node and _keyed_by(variable.type, node):
                getattr(self, name)[node] = initial[node]

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__shape.variables)
        return f"{type(self).__name__}({inner})"


def _keyed_by(kind: object, node: Node) -> bool:
    return (
        isinstance(kind, MapType)
        and isinstance(kind.key, NodeType)
        and kind.key.sort.name == node.sort.name
    )


def sizes(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they are given and shown: node sets by their size."""
    return {n: len(v) if isinstance(v, Nodes) else v for n, v in parameters.items()}

"""From an implementation's values to a spec's: by the spec's types, and by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias, assert_never

from ...language import Node, Spec
from ...language.ir.types import (
    BagType,
    BoolType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)
from ...language.shape import Shape, parameter_attributes, shape_of
from ...language.values import FrozenBag, FrozenMap, Value
from ...traces.adapter import IGNORE, AnyOf
from ...traces.trace import Setting

Wire: TypeAlias = Callable[..., Value] | tuple[type, ...] | None
"""How the spec writes the messages of one class.

A record of the spec: its fields `sender` and `to` are the ends of the envelope, all others are the
message's of the same name. Several records: the first whose ends are nodes. A function of sender,
receiver (nodes, or None for a site that is no node of the spec) and message, for what is not that
simple. None: the spec leaves them out.
"""


def itself(value: Any) -> Any:
    """What stands for itself."""
    return value


@dataclass(frozen=True)
class Translation:
    """The types of a spec whose parameters are bound, and what they make of a core's values."""

    shape: Shape
    number: Callable[[Any], int] = int
    """The integer of a spec for what is none in a core."""
    name: Callable[[Any], Any] = itself
    """The name of a spec's node for what is none in a core."""

    @classmethod
    def of(
        cls,
        spec: type[Spec],
        parameters: Mapping[str, Setting | Enum],
        number: Callable[[Any], int] = int,
        name: Callable[[Any], Any] = itself,
    ) -> Translation:
        """For a spec with the parameters of a trace, where enumerations go by member name."""
        given: dict[str, Any] = dict(parameters)
        for one in parameter_attributes(spec):
            if isinstance(given.get(one.name), str):
                given[one.name] = one.annotation[given[one.name].upper()]
        return cls(shape_of(spec, given), number, name)

    def __deepcopy__(self, memo: object) -> Translation:
        """Itself, as nothing in it changes: sessions are copied to go on in several ways."""
        return self

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """All nodes by name, those of a sort in order."""
        every = self.shape.universe.nodes.values()
        return {n.name: n for one in every for n in sorted(one, key=lambda node: node.index)}

    def names(self, *sets: str) -> tuple[str, ...]:
        """The names of the nodes of some node sets, or of all. KeyError where one is unknown."""
        universe = self.shape.universe.nodes
        wanted = {node for name in sets for node in universe[name]}
        return tuple(n for n, node in self.nodes.items() if not sets or node in wanted)

    def names_in(self, variable: str) -> tuple[str, ...]:
        """The names of the nodes that a variable, a set or a map of nodes, is about."""
        shape = self.shape.variables.get(variable)
        match shape and shape.type:
            case SetType(NodeType(sort)) | MapType(NodeType(sort)):
                return self.names(sort.name)
            case _:
                return ()

    def records_in(self, variable: str) -> tuple[type, ...]:
        """The records of which a variable of the spec is a set. TypeError if it is none."""
        shape = self.shape.variables[variable]
        match shape.type:
            case SetType(UnionType(variants)):
                return tuple(self.shape.universe.records[one.name] for one in variants)
            case SetType(RecordType(name)):
                return (self.shape.universe.records[name],)
            case _:
                raise TypeError(f"{variable} is no set of records: {shape.type}")

    def message(self, wires: Mapping[type, Wire], sender: str, to: str, message: Any) -> Value:
        """A message as the spec writes it, None where it leaves it out.

        A class that is not in `wires` is written as the record of the same name. Raises LookupError
        where the spec has none, AttributeError where the message lacks a field of the record.
        """
        name = type(message).__name__
        wire = wires.get(type(message), self.shape.universe.records.get(name, LookupError))
        ends = {"sender": sender, "to": to}
        if isinstance(wire, tuple):
            strange = {name for name, end in ends.items() if end not in self.nodes}
            fitting = (one for one in wire if not strange & one.__annotations__.keys())
            wire = next(fitting, LookupError)
        if wire is None:
            return None
        if wire is LookupError:
            raise LookupError(f"the spec has no record {name}, and the vocabulary no wire for it")
        kind = self.shape.resolver.record_types.get(getattr(wire, "__name__", ""))
        if kind is None or not isinstance(wire, type):
            return wire(self.nodes.get(sender), self.nodes.get(to), message)
        return self._record(kind, lambda name: ends.get(name) or getattr(message, name))

    def variable(self, name: str, value: Any) -> Value:
        """A value as that of a variable; one that the spec does not have is left as it is."""
        shape = self.shape.variables.get(name)
        return value if shape is None else self.value(shape.type, value)

    def value(self, kind: Type, value: Any) -> Value:
        """A value of a core as a type of the spec; a value of that type is its own.

        What is no integer becomes one by `number`; names, and what has one by `name`, become nodes
        (for `Node | None`, what is no node becomes None), members of enumerations those of equal
        value, dataclasses the record field by field, in a union the one of the same name. A map may
        be given as pairs, and may leave out keys (nodes or integers) whose value is None.
        Raises KeyError, ValueError or AttributeError for what does not fit.
        """
        if value is IGNORE:
            return value
        if isinstance(value, AnyOf):
            return AnyOf(tuple(self.value(kind, one) for one in value.values))
        match kind:
            case BoolType():
                return value
            case IntType():
                return value if isinstance(value, int) else self.number(value)
            case EnumType(name):
                member = self.shape.universe.enums[name]
                return member(value.value if isinstance(value, Enum) else value)
            case NodeType():
                return value if isinstance(value, Node) else self.nodes[self.name(value)]
            case OptionType(inner):
                nothing = value is None or self._nobody(inner, value)
                return None if nothing else self.value(inner, value)
            case RecordType(name):
                own = isinstance(value, self.shape.universe.records[name])
                return value if own else self._record(kind, lambda one: getattr(value, one))
            case UnionType(variants):
                called = type(value).__name__
                return self.value({one.name: one for one in variants}[called], value)
            case SetType(element):
                return frozenset(self.value(element, one) for one in value)
            case SeqType(element):
                return tuple(self.value(element, one) for one in value)
            case BagType(element):
                return FrozenBag((self.value(element, one), n) for one, n in value.items())
            case MapType(key, inner):
                return self._map(key, inner, dict(value).items())
            case _:
                assert_never(kind)

    def _record(self, kind: RecordType, field: Callable[[str], Any]) -> Value:
        make = self.shape.universe.records[kind.name]
        return make(**{name: self.value(inner, field(name)) for name, inner in kind.fields})

    def _map(self, key: Type, inner: Type, items: Iterable[tuple[Any, Any]]) -> Value:
        found: dict[Value, Value] = {}
        match key, inner:
            case NodeType(sort), OptionType():
                found = dict.fromkeys(self.shape.universe.nodes[sort.name])
            case IntType(low, high), OptionType():
                found = dict.fromkeys(range(low, high + 1))
        found |= {self.value(key, one): self.value(inner, value) for one, value in items}
        return FrozenMap(found)

    def _nobody(self, kind: Type, value: Any) -> bool:
        named = isinstance(value, Node) or self.name(value) in self.nodes
        return isinstance(kind, NodeType) and not named

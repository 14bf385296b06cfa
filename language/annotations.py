"""Annotations of a spec resolved to IR types."""

from __future__ import annotations

import ast
import copy
import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum, Flag
from typing import Annotated, Any

from .collections import Bag, Map, Nodes, Seq, Set
from .declarations import AtMost, Between, is_record
from .ir.types import (
    ANY_INT,
    BOOL,
    BagType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Sort,
    Type,
    UnionType,
    cardinality,
)
from .values import Node

MAX_KEYS = 2**16
MAX_INT = 2**62
_BAG = "a bag is a variable, or the value of a map"


class AnnotationError(Exception):
    """An annotation that is not a type of the language; `advice` says what to write instead."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class Resolver:
    """Resolves annotations within one instance of one spec class.

    Collects the enumerations and records it meets, by name. A bare `int` is refused unless
    `unbounded` says that a helper's parameter or result is meant.
    """

    def __init__(
        self,
        sorts: Mapping[type[Node], Sort],
        integers: Mapping[str, int],
        variables: Mapping[type, Mapping[Any, Any]],
    ) -> None:
        self.sorts = dict(sorts)
        self.integers = dict(integers)
        self._variables_of = variables
        self.type_variables: Mapping[Any, Any] = {}
        self.enums: dict[str, type[Enum]] = {}
        self.records: dict[str, type] = {}
        self.record_types: dict[str, RecordType] = {}
        self._open: list[type] = []

    def within(self, owner: type | None) -> Resolver:
        """The resolver for the annotations in the body of a class; the tables are shared."""
        new = copy.copy(self)
        new.type_variables = self._variables_of.get(owner, {}) if owner else {}
        return new

    def resolve(self, annotation: Any, *, unbounded: bool = False) -> Type:
        """The IR type of an annotation; AnnotationError where it is none."""
        if isinstance(annotation, typing.TypeVar):
            annotation = self._bound(annotation)
        origin = typing.get_origin(annotation)
        if origin is Annotated:
            return self._bounded(annotation)
        if origin in (typing.Union, types.UnionType):
            return self._union(typing.get_args(annotation), unbounded)
        if origin is Map:
            key, value = typing.get_args(annotation)
            return MapType(self._key(key), self.resolve(value))
        if origin is Set:
            return SetType(self._element(annotation))
        if origin in (Seq, Bag):
            name = origin.__name__
            what = "at_most(3)" if origin is Seq else "at_most(3, copies=2)"
            raise AnnotationError(
                f"a {name} needs a bound", f"write Annotated[{name}[...], {what}]"
            )
        if isinstance(origin or annotation, type) and issubclass(origin or annotation, Nodes):
            return SetType(NodeType(self._sort(_node_class(annotation))))
        if annotation is int and unbounded:
            return ANY_INT
        return self._plain(annotation)

    def _plain(self, annotation: Any) -> Type:
        if annotation is bool:
            return BOOL
        if annotation is int:
            raise AnnotationError("an int needs bounds", "write Annotated[int, between(0, 3)]")
        if isinstance(annotation, type):
            if issubclass(annotation, Enum):
                return self._enum(annotation)
            if issubclass(annotation, Node):
                return NodeType(self._sort(annotation))
            if dataclasses.is_dataclass(annotation):
                return self._record(annotation)
        if any(annotation is bare for bare in (Set, Map, Seq, Bag)):
            raise AnnotationError(
                f"{annotation.__name__} needs the type of its elements", "write Set[Node], say"
            )
        raise AnnotationError(
            f"{_show(annotation)} is not a type of the spec language",
            "use bool, an Enum, Annotated[int, between(...)], Node, Set, Map, Seq, Bag, a @record, "
            "a union of records, or any of these with `| None`",
        )

    def _bound(self, variable: Any) -> Any:
        if variable not in self.type_variables and variable.__bound__ is not None:
            return variable.__bound__
        if variable not in self.type_variables:
            advice = "name it where the class is a base: `class Service(Network[Message], Spec)`"
            raise AnnotationError(f"nothing is given for the type variable {variable}", advice)
        return self.type_variables[variable]

    def _key(self, annotation: Any) -> Type:
        kind = self.resolve(annotation)
        if cardinality(kind) > MAX_KEYS:
            advice = f"at most {MAX_KEYS}: a map has a value for every key"
            raise AnnotationError(f"a map with {cardinality(kind)} keys", advice)
        return kind

    def _element(self, annotation: Any) -> Type:
        kind = self.resolve(typing.get_args(annotation)[0])
        if isinstance(kind, BagType):
            raise AnnotationError("a Bag inside a collection", _BAG)
        return kind

    def _enum(self, annotation: type[Enum]) -> EnumType:
        if issubclass(annotation, Flag):
            advice = "write a Set of an Enum's members"
            raise AnnotationError(f"{annotation.__name__} is a Flag", advice)
        if not len(annotation):
            raise AnnotationError(f"the enumeration {annotation.__name__} has no members")
        known = self.enums.setdefault(annotation.__name__, annotation)
        if known is not annotation:
            raise AnnotationError(f"two enumerations are named {annotation.__name__}")
        return EnumType(annotation.__name__, tuple(member.name for member in annotation))

    def _sort(self, node_class: type[Node]) -> Sort:
        if node_class not in self.sorts:
            names = ", ".join(sorted(known.__name__ for known in self.sorts)) or "none"
            raise AnnotationError(
                f"no node set of the spec has members of class {node_class.__name__} "
                f"(node classes: {names})",
                f"declare one: `name: Nodes[{node_class.__name__}]`",
            )
        return self.sorts[node_class]

    def _record(self, annotation: type) -> RecordType:
        name = annotation.__name__
        if self.records.get(name, annotation) is not annotation:
            raise AnnotationError(f"two records are named {name}")
        if name in self.record_types:
            return self.record_types[name]
        if annotation in self._open:
            raise AnnotationError(f"{name} contains itself", "records have a finite size")
        if not is_record(annotation):
            raise AnnotationError(f"{name} is not a record", f"declare {name} with @record")
        self._open.append(annotation)
        try:
            fields = tuple(
                (field, self._field(name, field, hint)) for field, hint in _hints(annotation)
            )
        finally:
            self._open.pop()
        self.records[name] = annotation
        self.record_types[name] = RecordType(name, fields)
        return self.record_types[name]

    def _field(self, record: str, field: str, hint: Any) -> Type:
        try:
            kind = self.resolve(hint)
            if isinstance(kind, BagType):
                raise AnnotationError("a Bag inside a record", _BAG)
        except AnnotationError as error:
            message = f"record {record}, field {field}: {error.message}"
            raise AnnotationError(message, error.advice) from None
        return kind

    def _union(self, members: tuple[Any, ...], unbounded: bool) -> Type:
        rest = [member for member in members if member not in (None, type(None))]
        single = len(rest) == 1
        inner = self.resolve(rest[0], unbounded=unbounded) if single else self._variants(rest)
        if len(rest) == len(members):
            return inner
        if isinstance(inner, OptionType):
            raise AnnotationError("an option within an option")
        return OptionType(inner)

    def _variants(self, members: list[Any]) -> UnionType:
        variants: dict[str, RecordType] = {}
        for member in members:
            kind = self.resolve(member)
            for variant in kind.variants if isinstance(kind, UnionType) else (kind,):
                if not isinstance(variant, RecordType):
                    raise AnnotationError(
                        f"{_show(member)} in a union of records",
                        "a union joins records (and None); wrap the other type in a record",
                    )
                variants[variant.name] = variant
        return UnionType(tuple(variants[name] for name in sorted(variants)))

    def _bounded(self, annotation: Any) -> Type:
        base, *extras = typing.get_args(annotation)
        if isinstance(base, typing.TypeVar):
            base = self._bound(base)
        ranges = [extra for extra in extras if isinstance(extra, Between)]
        limits = [extra for extra in extras if isinstance(extra, AtMost)]
        if base is int:
            if len(ranges) != 1:
                raise AnnotationError("an int needs one between(...)")
            low, high = self.integer(ranges[0].low), self.integer(ranges[0].high)
            if low > high:
                raise AnnotationError(f"between({low}, {high}) is empty")
            if low < -MAX_INT or high > MAX_INT:
                raise AnnotationError(f"between({low}, {high}) is beyond what engines compute with")
            return IntType(low, high)
        if len(limits) != 1:
            return self.resolve(base)
        return self._limited(base, limits[0])

    def _limited(self, base: Any, limit: AtMost) -> Type:
        count = None if limit.count is None else self.integer(limit.count)
        if count is not None and count < 0:
            raise AnnotationError(f"at_most({count}) leaves no room at all")
        origin = typing.get_origin(base)
        if origin is Set:
            return SetType(self._element(base), count)
        if origin is Seq and count is not None:
            return SeqType(self.resolve(typing.get_args(base)[0]), count)
        if origin is Seq:
            raise AnnotationError("a Seq needs a bound", "write at_most(3)")
        if origin is Bag:
            copies = self.integer(limit.copies)
            if copies < 1 or count == 0:
                raise AnnotationError("a Bag of no elements")
            return BagType(self._element(base), copies, count)
        raise AnnotationError(f"at_most(...) does not apply to {_show(base)}")

    def integer(self, bound: int | str) -> int:
        """The value of a bound: an int, or an expression over `integers` and sizes of node sets."""
        if type(bound) is int:
            return bound
        if not isinstance(bound, str):
            advice = 'write an int, or an expression as text: "ballots - 1"'
            raise AnnotationError(f"the bound {bound!r} is not an int", advice)
        try:
            return self._evaluate(ast.parse(bound.strip(), mode="eval").body, bound)
        except SyntaxError:
            raise AnnotationError(f"the bound {bound!r} is not an expression") from None

    def _evaluate(self, node: ast.expr, text: str) -> int:
        match node:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return value
            case ast.Name() | ast.Attribute() if ast.unparse(node) in self.integers:
                return self.integers[ast.unparse(node)]
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
                for sort in self.sorts.values():
                    if sort.name == name:
                        return sort.size
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._evaluate(operand, text)
            case ast.BinOp(left=left, op=operator, right=right):
                a, b = self._evaluate(left, text), self._evaluate(right, text)
                match operator:
                    case ast.Add():
                        return a + b
                    case ast.Sub():
                        return a - b
                    case ast.Mult():
                        return a * b
                    case ast.FloorDiv() if b != 0:
                        return a // b
        names = ", ".join([*self.integers, *(f"len({s.name})" for s in self.sorts.values())])
        raise AnnotationError(
            f"in the bound {text!r}: {ast.unparse(node)!r} is not an int",
            f"known here: {names or 'nothing'}; operators + - * //",
        )


def _hints(record: type) -> list[tuple[str, Any]]:
    """The fields of a record with their annotations evaluated."""
    try:
        hints = typing.get_type_hints(record, include_extras=True)
    except Exception as error:  # noqa: BLE001 - whatever the annotations raise
        advice = "records are declared at the top of a module, with the types they use"
        message = f"the annotations of {record.__name__} cannot be evaluated: {error}"
        raise AnnotationError(message, advice) from None
    return [(field.name, hints[field.name]) for field in dataclasses.fields(record)]


def _node_class(annotation: Any) -> type[Node]:
    arguments = typing.get_args(annotation)
    return arguments[0] if arguments else Node


def node_class_of(annotation: Any) -> type[Node] | None:
    """The class of the members where an annotation is a node set; else None."""
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, Nodes):
        return _node_class(annotation)
    return None


def _show(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)

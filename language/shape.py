"""The shape of a spec: its parameters bound, its variables typed, its methods sorted by role."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from .adopt import Place
from .annotations import AnnotationError, Resolver, node_class_of
from .assumptions import Assumption, AssumptionError, require_assumptions, sentence
from .collections import Nodes, OrderedNodes
from .declarations import FlawDeclaration, InitialValue, Mark, ParameterDeclaration, mark_of
from .failures import UsageError
from .ir.nodes import Durability
from .ir.types import Sort, Type
from .values import Node, Universe

if TYPE_CHECKING:
    from .spec import Spec

MAX_NODES = 64


class DeclarationError(Exception):
    """A declaration of a spec class is wrong; `owner` and `attribute` say where."""

    def __init__(self, message: str, owner: type, attribute: str | None, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.owner = owner
        self.attribute = attribute
        self.advice = advice


class DeclarationErrors(Exception):
    """All declarations of a spec class that are wrong."""

    def __init__(self, errors: list[DeclarationError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


@dataclasses.dataclass(frozen=True)
class Attribute:
    """An annotated name in the body of a spec class or of one of its bases."""

    name: str
    owner: type
    annotation: Any
    value: Any  # MISSING where the body gives none


MISSING: Any = object()


@dataclasses.dataclass(frozen=True)
class VariableShape:
    """A state variable: its type and the plain value it starts with."""

    name: str
    owner: type
    type: Type
    initial: Any
    durability: Durability


@dataclasses.dataclass(frozen=True)
class Method:
    """A method with a role, where it was defined, and what its decorator said."""

    name: str
    owner: type
    function: Callable[..., Any]
    mark: Mark


@dataclasses.dataclass(frozen=True)
class Shape:
    """A spec class with its parameters bound."""

    spec: type[Spec]
    parameters: Mapping[str, Any]  # node sets as `Nodes`, flaws as bools
    variables: Mapping[str, VariableShape]
    methods: tuple[Method, ...]
    resolver: Resolver
    universe: Universe

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the parameters satisfy."""
        return _assumptions(self.methods)

    def place(self, name: str) -> Place:
        """Where the variable of that name is stored."""
        return Place(self.variables[name].type, name, self.universe)

    def record_place(self, name: str) -> Place | None:
        """The type of a record by the name of its class, where the spec uses it."""
        kind = self.resolver.record_types.get(name)
        return None if kind is None else Place(kind, name, self.universe)


def attributes_of(spec: type[Spec]) -> list[Attribute]:
    """The annotated names of a spec class, those of its bases first."""
    found: dict[str, Attribute] = {}
    for owner in reversed(spec.__mro__):
        if not _is_spec(owner):
            continue
        hints = _own_hints(owner)
        for name in inspect.get_annotations(owner):
            if typing.get_origin(hints[name]) is not typing.ClassVar:
                found[name] = Attribute(name, owner, hints[name], _value_of(spec, name))
    return list(found.values())


def _value_of(spec: type, name: str) -> Any:
    """What a class body, or the nearest one of its bases, gives a name."""
    return next((o.__dict__[name] for o in spec.__mro__ if name in o.__dict__), MISSING)


def _is_spec(owner: type) -> bool:
    from .spec import Spec

    return issubclass(owner, Spec) and owner is not Spec


def _own_hints(owner: type) -> dict[str, Any]:
    module = sys.modules.get(owner.__module__)
    scope = dict(vars(module)) if module else {}
    hints: dict[str, Any] = {}
    for name, annotation in inspect.get_annotations(owner).items():
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, scope, dict(vars(owner)))  # as typing does
            except Exception as error:  # noqa: BLE001 - whatever the annotation raises
                message = f"the annotation of {name} cannot be evaluated: {error}"
                advice = "declare specs, and the types they use, at the top of a module"
                raise DeclarationError(message, owner, name, advice) from None
        hints[name] = annotation
    return hints


def type_variables(spec: type) -> dict[type, dict[Any, Any]]:
    """What type variables stand for in each class of a spec: two mixins may share a variable."""
    bound: dict[type, dict[Any, Any]] = {}
    for owner in spec.__mro__:
        known = bound.get(owner, {})
        for base in owner.__dict__.get("__orig_bases__", ()):
            origin = typing.get_origin(base)
            names = getattr(origin, "__parameters__", ()) if origin else ()
            pairs = zip(names, typing.get_args(base), strict=False)
            inner = {name: known.get(argument, argument) for name, argument in pairs}
            if origin is not None and origin is not typing.Generic:
                bound.setdefault(origin, inner)
    return bound


def parameter_attributes(spec: type[Spec]) -> list[Attribute]:
    """The parameters a spec class declares, flaws included, in order."""
    return [a for a in attributes_of(spec) if _is_parameter(a)]


def _is_parameter(attribute: Attribute) -> bool:
    declared = isinstance(attribute.value, ParameterDeclaration | FlawDeclaration)
    return declared or node_class_of(attribute.annotation) is not None


def flaws_of(spec: type[Spec]) -> dict[str, str]:
    """The flaws a spec class declares, with what each does wrong."""
    return {
        a.name: a.value.text for a in attributes_of(spec) if isinstance(a.value, FlawDeclaration)
    }


def shape_of(spec: type[Spec], given: Mapping[str, Any]) -> Shape:
    """Bind parameters (node sets by size) and type the variables.

    Raises UsageError for a wrong parameter, DeclarationErrors for wrong declarations.
    """
    errors = list(_overridden(spec))
    attributes = attributes_of(spec)
    declared = [a for a in attributes if _is_parameter(a)]
    values = _bind(spec, declared, given)
    sorts, parameters = _node_sets(declared, values)
    methods = tuple(_methods(spec, errors))
    try:
        states = [a.name for a in attributes if not _is_parameter(a)]
        require_assumptions(spec, _assumptions(methods), parameters, states)
    except AssumptionError as error:
        advice = "an assumption is a condition on parameters, and its docstring says what they are"
        errors.append(DeclarationError(str(error), error.found.owner, error.found.name, advice))
    resolver = Resolver(sorts, _integers(parameters), type_variables(spec))
    variables: dict[str, VariableShape] = {}
    for attribute in attributes:
        errors.extend(_clashes(attribute))
        if not _is_parameter(attribute):
            try:
                variables[attribute.name] = _variable(attribute, resolver.within(attribute.owner))
            except DeclarationError as error:
                errors.append(error)
    if errors:
        raise DeclarationErrors(errors)
    nodes = {s.sort.name: tuple(s) for s in parameters.values() if isinstance(s, Nodes)}
    for value in parameters.values():
        if isinstance(value, Enum):
            resolver.resolve(type(value))
    # The universe shares the resolver's tables: helpers' annotations may add to them later.
    universe = Universe(resolver.enums, resolver.records, nodes)
    return Shape(spec, parameters, variables, methods, resolver, universe)


_OWN = (
    "__init__", "__setattr__", "__getattribute__", "__slots__", "lose_volatile",
    "_copied", "_state", "_from_state", "_is_state",
)  # fmt: skip


def _clashes(attribute: Attribute) -> Iterable[DeclarationError]:
    """A name that is a variable cannot be anything else."""
    name = attribute.name
    if name.startswith("_"):
        message = f"the name {name} of a variable starts with an underscore"
        yield DeclarationError(message, attribute.owner, name, f"write {name.lstrip('_')}")
    elif isinstance(attribute.value, types.FunctionType | property | staticmethod | classmethod):
        message = f"{name} is declared as a variable and as a method"
        yield DeclarationError(message, attribute.owner, name, "give one of them another name")


def _overridden(spec: type[Spec]) -> Iterable[DeclarationError]:
    """Methods that make a spec a spec and are not for redefinition."""
    for owner in spec.__mro__:
        for name in _OWN:
            if _is_spec(owner) and name in owner.__dict__:
                message = f"{name} is the language's own"
                advice = "initial values stand in the class body; several are chosen in @start"
                yield DeclarationError(message, owner, name, advice)


def _bind(
    spec: type[Spec], declared: Iterable[Attribute], given: Mapping[str, Any]
) -> dict[str, Any]:
    known = {a.name: a for a in declared}
    for name in given:
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise UsageError(f"{spec.__name__} has no parameter {name!r} (parameters: {allowed})")
    values: dict[str, Any] = {}
    for name, attribute in known.items():
        value = given.get(name, _default(attribute))
        if value is None:
            raise UsageError(f"{spec.__name__} needs a value for its parameter {name!r}")
        values[name] = _checked(attribute, value)
    return values


def _default(attribute: Attribute) -> Any:
    if isinstance(attribute.value, ParameterDeclaration):
        return attribute.value.default
    return False if isinstance(attribute.value, FlawDeclaration) else None


def _checked(attribute: Attribute, value: Any) -> Any:
    name, annotation = attribute.name, attribute.annotation
    if node_class_of(annotation) is not None:
        if isinstance(value, Nodes):
            return value
        if type(value) is not int:
            raise UsageError(f"{name} is a node set, given by its size; got {value!r}")
        return _in_range(attribute, value, 1, MAX_NODES)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if annotation is bool:
        if type(value) is not bool:
            raise UsageError(f"{name} is true or false; got {value!r}")
        return value
    if annotation is int:
        if type(value) is not int:
            raise UsageError(f"{name} is an int; got {value!r}")
        return _in_range(attribute, value, None, None)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        if not isinstance(value, annotation):
            allowed = ", ".join(m.name.lower() for m in annotation)
            raise UsageError(f"{name} is one of {allowed}; got {value!r}")
        return value
    message = f"the parameter {name} is neither a node set, an int, a bool nor an enumeration"
    raise DeclarationError(message, attribute.owner, name)


def _in_range(attribute: Attribute, value: int, low: int | None, high: int | None) -> int:
    if isinstance(attribute.value, ParameterDeclaration):
        low = attribute.value.at_least if attribute.value.at_least is not None else low
        high = attribute.value.at_most if attribute.value.at_most is not None else high
    if (low is not None and value < low) or (high is not None and value > high):
        if low is None or high is None:
            allowed = f"at most {high}" if low is None else f"at least {low}"
        else:
            allowed = f"{low} .. {high}"
        raise UsageError(f"{attribute.name} = {value} is out of range (allowed: {allowed})")
    return value


def _node_sets(
    declared: Iterable[Attribute], values: Mapping[str, Any]
) -> tuple[dict[type[Node], Sort], dict[str, Any]]:
    sorts: dict[type[Node], Sort] = {}
    parameters: dict[str, Any] = {}
    for attribute in declared:
        value = values[attribute.name]
        node_class = node_class_of(attribute.annotation)
        if node_class is None:
            parameters[attribute.name] = value
            continue
        if node_class in sorts:
            message = (
                f"two node sets have members of class {node_class.__name__}: "
                f"{sorts[node_class].name} and {attribute.name}"
            )
            advice = "give each its own class: `class Acceptor(Node): ...`, `Nodes[Acceptor]`"
            raise DeclarationError(message, attribute.owner, attribute.name, advice)
        origin = typing.get_origin(attribute.annotation) or attribute.annotation
        if isinstance(value, Nodes):
            sorts[node_class], parameters[attribute.name] = value.sort, value
            continue
        sort = Sort(attribute.name, value, issubclass(origin, OrderedNodes))
        sorts[node_class] = sort
        parameters[attribute.name] = origin.of(sort, node_class)
    return sorts, parameters


def _integers(parameters: Mapping[str, Any]) -> dict[str, int]:
    """What bounds may name: int parameters, and `mode.value` where an enumeration has ints."""
    found: dict[str, int] = {}
    for name, parameter in parameters.items():
        if type(parameter) is int:
            found[name] = parameter
        elif isinstance(parameter, Enum) and type(parameter.value) is int:
            found[f"{name}.value"] = parameter.value
    return found


def _assumptions(methods: Iterable[Method]) -> tuple[Assumption, ...]:
    return tuple(
        Assumption(one.name, sentence(one.function), one.owner, one.function)
        for one in methods
        if one.mark.role == "assumption"
    )


def _variable(attribute: Attribute, resolver: Resolver) -> VariableShape:
    value, durability = attribute.value, Durability.PLAIN
    if isinstance(value, InitialValue):
        value, durability = value.value, value.durability
    if value is MISSING:
        raise DeclarationError(
            f"the variable {attribute.name} has no initial value",
            attribute.owner,
            attribute.name,
            "write `= 0`, `= each(...)`, `= empty()`; a parameter is `= parameter(...)`",
        )
    try:
        kind = resolver.resolve(attribute.annotation)
    except AnnotationError as error:
        raise DeclarationError(
            error.message, attribute.owner, attribute.name, error.advice
        ) from None
    return VariableShape(attribute.name, attribute.owner, kind, value, durability)


def _methods(spec: type[Spec], errors: list[DeclarationError]) -> Iterable[Method]:
    """Methods with a role, bases first, in order of definition; overriding keeps the place."""
    names: dict[str, None] = {}
    for owner in reversed(spec.__mro__):
        if _is_spec(owner):
            names.update(dict.fromkeys(owner.__dict__))
    for name in names:
        defined = [o for o in spec.__mro__ if _is_spec(o) and name in o.__dict__]
        owner, *bases = defined
        mark = mark_of(owner.__dict__[name])
        for base in bases:
            theirs = mark_of(base.__dict__[name])
            if theirs is not None and (mark is None or mark.role != theirs.role):
                here = "no role" if mark is None else f"the role {mark.role!r}"
                message = f"{name} has the role {theirs.role!r} in {base.__name__}, {here} here"
                advice = f"decorate it as in {base.__name__}, or use another name"
                errors.append(DeclarationError(message, owner, name, advice))
                break
        if mark is not None:
            yield Method(name, owner, owner.__dict__[name], mark)

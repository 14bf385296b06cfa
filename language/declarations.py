"""What a spec is declared with: parameters, flaws, initial values, bounds, kinds of methods.

The functions return what they are given, or a marker typed as `Any`, so that a spec is clean under
a type checker and its methods stay ordinary functions.
"""

from __future__ import annotations

import contextlib
import dataclasses
import types
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeVar, dataclass_transform

from .adopt import Each, Empty, Live, Place, check, freeze
from .collections import Set
from .failures import Disabled, UsageError
from .frozen import FrozenSeq
from .ir.nodes import Durability, Kind, PropertyKind

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class ParameterDeclaration:
    """A parameter of the spec; `default` is None where it must be given."""

    default: Any
    at_least: int | None
    at_most: int | None


@dataclasses.dataclass(frozen=True)
class FlawDeclaration:
    """A named departure from the correct protocol."""

    text: str


@dataclasses.dataclass(frozen=True)
class InitialValue:
    """An initial value together with what a crash leaves of the variable."""

    value: Any
    durability: Durability


@dataclasses.dataclass(frozen=True)
class Between:
    """Bounds of an integer, both included."""

    low: int | str
    high: int | str


@dataclasses.dataclass(frozen=True)
class AtMost:
    """Bounds of a collection."""

    count: int | str | None
    copies: int | str


@dataclasses.dataclass(frozen=True)
class Mark:
    """What a decorator says about a method (or, for a property, a function)."""

    role: str  # "action", "property", "refinement", "constraint", "assumption" or "start"
    kind: Kind | PropertyKind | None = None
    by: tuple[str, ...] | None = None
    repairs: bool = True
    abstract: Any = None
    when: str | None = None


def parameter(
    default: Any = None, *, at_least: int | None = None, at_most: int | None = None
) -> Any:
    """A parameter of the spec: a node set (given by its size), an int, a bool or an enumeration.

    Without a default it must be given. The bounds apply to ints and to sizes of node sets.
    """
    return ParameterDeclaration(default, at_least, at_most)


def flaw(text: str) -> Any:
    """A named flaw: False in the correct protocol. `text` says what is done wrong."""
    return FlawDeclaration(text)


def between(low: int | str, high: int | str) -> Between:
    """Bound an int, both ends included.

    As in `Annotated[int, between(0, "ballots - 1")]`: a string is an expression over the int
    parameters, `len(...)` of the node sets, and `.value` of enumerations whose values are ints.
    """
    return Between(low, high)


def at_most(count: int | str | None = None, *, copies: int | str = 1) -> AtMost:
    """The bounds of a collection: its elements; of a bag the distinct ones, and the copies."""
    return AtMost(count, copies)


def each(value: Any) -> Any:
    """A map with the same value at every key."""
    return Each(value)


def empty() -> Any:
    """The empty set, sequence or bag."""
    return Empty()


def durable(value: T) -> T:
    """Mark a variable as one that survives a crash; `value` is what it starts with."""
    return InitialValue(value, Durability.DURABLE)  # type: ignore[return-value]


def volatile(value: T) -> T:
    """Mark a variable as lost in a crash: `lose_volatile` sets it back to this initial value."""
    return InitialValue(value, Durability.VOLATILE)  # type: ignore[return-value]


def _marker(mark: Mark) -> Callable[[F], F]:
    def decorate(function: F | None = None) -> F:
        if not isinstance(function, types.FunctionType):
            message = "the decorator of a step or property stands alone, right above a `def`"
            raise UsageError(f"{message}: @action, say, without parentheses")
        if mark_of(function) is not None:
            raise UsageError(f"{function.__name__} has two decorators of the language")
        function.__quorate__ = mark  # type: ignore[attr-defined]
        return function

    return decorate


action = _marker(Mark("action", Kind.INTERNAL))
request = _marker(Mark("action", Kind.REQUEST))
deliver = _marker(Mark("action", Kind.DELIVER))
drop = _marker(Mark("action", Kind.DROP))
duplicate = _marker(Mark("action", Kind.DUPLICATE))
timeout = _marker(Mark("action", Kind.TIMEOUT))
crash = _marker(Mark("action", Kind.CRASH))
restart = _marker(Mark("action", Kind.RESTART))
partition = _marker(Mark("action", Kind.PARTITION))
heal = _marker(Mark("action", Kind.HEAL))

invariant = _marker(Mark("property", PropertyKind.ALWAYS))
witness = _marker(Mark("property", PropertyKind.SOMETIMES))
step_property = _marker(Mark("property", PropertyKind.STEP))
step_witness = _marker(Mark("property", PropertyKind.SOMETIMES_STEP))
constraint = _marker(Mark("constraint"))
start = _marker(Mark("start"))
assume = _marker(Mark("assumption"))


def always_possible(
    by: Iterable[str] | None = None, *, repairs: bool = True, when: str | None = None
) -> Callable[[F], F]:
    """From every reachable state, a state satisfying this stays in reach of the actions `by`.

    `when` names a method of the spec: only from states in which it is True.

    `by` names the fault-free actions; None means every action whose kind is not a fault (crash,
    drop, duplicate, partition) and, without `repairs`, not a repair either (restart, heal).
    """
    if callable(by) or isinstance(by, str):
        raise UsageError('write @always_possible(), or @always_possible(by=("deliver", ...))')
    names = None if by is None else tuple(by)
    kind = PropertyKind.ALWAYS_POSSIBLE
    return _marker(Mark("property", kind, names, repairs=repairs, when=when))


def refines(abstract: type) -> Callable[[F], F]:
    """The method maps this spec's state to a state of `abstract`; each step must be one of its."""
    from .spec import Spec

    if not (isinstance(abstract, type) and issubclass(abstract, Spec)):
        raise UsageError("write @refines(AbstractSpec)")
    return _marker(Mark("refinement", abstract=abstract))


def mark_of(function: object) -> Mark | None:
    """What a decorator said about a function, None where none did."""
    mark = getattr(function, "__quorate__", None)
    return mark if isinstance(mark, Mark) else None


class Run:
    """What is going on while the interpreter runs a method: how to choose, which records fit."""

    def __init__(
        self, choose: Callable[[list[Any]], Any], records: Callable[[str], Place | None]
    ) -> None:
        self.choose = choose
        self.records = records


_runs: list[Run] = []


@contextlib.contextmanager
def running(run: Run) -> Iterator[None]:
    """Within it, `require`, `choose` and the bounds of records belong to this run."""
    _runs.append(run)
    try:
        yield
    finally:
        _runs.pop()


def require(condition: bool) -> None:
    """A guard: the action is not enabled unless the condition holds."""
    if not condition:
        raise Disabled


def choose(options: Iterable[T]) -> T:
    """Any element: one successor for each. With no element the action is not enabled.

    Outside a check, when a spec is stepped by hand, the first element is taken.
    """
    choices = list(options if isinstance(options, Live) else Set(options))
    if not choices:
        raise Disabled
    return choices[0] if not _runs else _runs[-1].choose(choices)


def is_quorum(subset: Collection[Any], nodes: Collection[Any]) -> bool:
    """Whether `subset` holds a majority of `nodes`: any two quorums share a node."""
    return 2 * len(subset) > len(nodes)


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass whose fields keep to their bounds; a message, a log entry."""
    for name in ("__post_init__", "__eq__", "__hash__", "__init__", "__new__"):
        if name in cls.__dict__:
            raise UsageError(f"the record {cls.__name__} defines {name}: a record is plain values")
    if any(is_record(base) for base in cls.__mro__):
        message = f"the record {cls.__name__} derives from a record: write its fields out"
        raise UsageError(message)

    def keep_to_bounds(self: Any) -> None:
        for field in dataclasses.fields(self):
            value = freeze(getattr(self, field.name))
            if isinstance(value, FrozenSeq):
                value = FrozenSeq(value)
                value.subject = field.name
            object.__setattr__(self, field.name, value)
        place = _runs[-1].records(type(self).__name__) if _runs else None
        if place is not None:
            check(self, place)

    cls.__post_init__ = keep_to_bounds  # type: ignore[attr-defined]
    cls.__quorate_record__ = True  # type: ignore[attr-defined]
    return dataclasses.dataclass(frozen=True)(cls)


def is_record(cls: type) -> bool:
    """Whether a class was declared with @record."""
    return "__quorate_record__" in cls.__dict__

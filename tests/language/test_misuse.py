"""Decorators and records misused: said where they stand, before any spec is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pytest

from quorate.language import (
    Nodes,
    Set,
    Spec,
    UsageError,
    action,
    always_possible,
    between,
    empty,
    instantiate,
    invariant,
    record,
    refines,
    require,
)
from quorate.language.ir.types import RecordType, SetType
from quorate.language.labels import Trap

M = TypeVar("M")
Small = Annotated[int, between(0, 3)]


@record
class Ping:
    number: Small


@record
class Pong:
    number: Small


class Mail(Spec, Generic[M]):
    mail: Set[M] = empty()


class Notes(Spec, Generic[M]):
    notes: Set[M] = empty()

    @action
    def note(self, item: M) -> None:
        self.notes.add(item)


class Both(Mail[Ping], Notes[Pong], Spec):
    """Two mixins that were written with the same type variable."""

    LIMIT: ClassVar[int] = 2
    nodes: Nodes
    number: Small = 0

    @action
    def step(self) -> None:
        require(self.number < self.LIMIT)
        self.number += 1


class Narrower(Both):
    """A new bound keeps the value; `step` is what it was."""

    number: Annotated[int, between(0, 2)]


def function(self: Any) -> bool:
    return True


def twice() -> None:
    def both(self: Any) -> bool:
        return True

    action(invariant(both))


class Plain:
    """Not a spec."""


MISUSES: list[Callable[[], object]] = [
    lambda: action(),  # type: ignore[call-arg]
    lambda: action("x"),  # type: ignore[type-var]
    lambda: action(property(function)),  # type: ignore[type-var]
    lambda: always_possible(function),  # type: ignore[arg-type]
    lambda: always_possible("deliver"),
    lambda: refines(Plain),
    twice,
    lambda: record(type("Derived", (Ping,), {})),
    lambda: record(type("Hooked", (), {"__post_init__": function})),
    lambda: record(type("Equal", (), {"__eq__": function})),
]


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_refused_at_once(misuse: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        misuse()


def test_each_mixin_has_its_own_type_variables() -> None:
    ir = instantiate(Both, {"nodes": 2}).ir
    elements = {
        variable.name: variable.type.element.name
        for variable in ir.variables
        if isinstance(variable.type, SetType) and isinstance(variable.type.element, RecordType)
    }
    assert elements == {"mail": "Ping", "notes": "Pong"}
    (parameter,) = next(a for a in ir.actions if a.name == "note").parameters
    assert isinstance(parameter.type, RecordType)
    assert parameter.type.name == "Pong"


def test_an_annotation_alone_keeps_the_inherited_value() -> None:
    semantics = instantiate(Narrower, {"nodes": 2}).reference()
    (initial,) = semantics.initial_states()
    assert not isinstance(initial, Trap)
    assert "step" in [step.label.action for step in semantics.successors(initial)]

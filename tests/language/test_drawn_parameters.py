"""Parameters that a guard draws from a collection: their types may have too many values to try."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import pytest

from quorate.language import (
    Bag,
    Set,
    Spec,
    SpecErrors,
    action,
    at_most,
    between,
    deliver,
    empty,
    instantiate,
    record,
    require,
)

Large = Annotated[int, between(0, 2**12)]
M = TypeVar("M")


@record
class Pair:
    first: Large
    second: Large


@record
class Single:
    first: Large


Message = Pair | Single


class Mailbox(Spec, Generic[M]):
    """Messages are received through a helper, as one of a union."""

    messages: Annotated[Set[M], at_most(6)] = empty()
    copies: Annotated[Bag[M], at_most(6, copies=2)] = empty()

    def take(self, message: M) -> None:
        require(message in self.messages)
        self.messages.discard(message)


class Drawn(Mailbox[Message]):
    """Two kinds of messages, each received by a step of its own."""

    last: Large = 0

    @action
    def send(self) -> None:
        require(self.last < 3)
        self.last += 1
        self.messages.add(Pair(self.last, 7))
        self.messages.add(Single(self.last))
        self.copies.add(Single(self.last))

    @deliver
    def receive_pair(self, message: Pair) -> None:
        self.take(message)
        self.last = message.second

    @deliver
    def receive_single(self, message: Single) -> None:
        self.take(message)

    @deliver
    def receive_copy(self, message: Single) -> None:
        require(message in self.copies)
        self.copies.remove(message)

    @deliver
    def receive_any(self, message: Message) -> None:
        require(message in self.messages)
        self.last = message.first


class Undrawn(Mailbox[Message]):
    """A guard that comes too late to draw from."""

    @deliver
    def receive_pair(self, message: Pair) -> None:
        self.messages.clear()
        require(message in self.copies)


def test_the_reference_and_the_ir_draw_the_same_steps() -> None:
    instance = instantiate(Drawn)
    reference, evaluator = instance.reference(), instance.evaluator()
    (state,) = reference.initial_states()
    for _ in range(2):
        assert isinstance(state, tuple)
        steps = reference.successors(state)
        assert steps == evaluator.successors(state)
        state = steps[0].target
    assert isinstance(state, tuple)
    taken = [step.label.action for step in reference.successors(state)]
    assert taken.count("receive_pair") == 2
    assert taken.count("receive_single") == 2
    assert taken.count("receive_copy") == 2
    assert taken.count("receive_any") == 4


def test_what_cannot_be_drawn_is_too_much_to_try() -> None:
    with pytest.raises(SpecErrors, match="values of the parameters"):
        instantiate(Undrawn)

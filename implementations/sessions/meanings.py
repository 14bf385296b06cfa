"""Values of a spec that have no content, and what each of them has come to stand for."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from ...language.values import Value
from ...traces.adapter import StepRefused


@dataclass
class Meanings:
    """What values stand for in the code, as the steps of a run say it.

    Invariant: a value stands for one thing, and one thing has one value.
    """

    of: dict[Value, Hashable] = field(default_factory=dict)
    """What a value stands for."""
    value: dict[Hashable, Value] = field(default_factory=dict)
    """The value that stands for something."""

    def note(self, value: Value, meaning: Hashable) -> None:
        """A value stands for something from here on; refused if it, or that, is taken."""
        if self.value.get(meaning, value) != value:
            raise StepRefused(f"{self.value[meaning]} stands for that, not {value}")
        if self.of.get(value, meaning) != meaning:
            raise StepRefused(f"{value} stands for something else")
        self.of[value], self.value[meaning] = meaning, value

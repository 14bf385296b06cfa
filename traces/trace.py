"""The trace: one run of a spec, in memory.

States and the labels of the steps between them, with what is needed to run it again: which spec,
which parameters and flaws, which property it is about, and what a replay of it should say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ..language.failures import UsageError
from ..language.labels import Label, Trap
from ..language.values import State

Setting = int | bool | str
"""The value of a parameter as it is stored: a node set by its size, an enumeration by member."""

PROPERTY_KINDS = (
    "always",
    "sometimes",
    "step",
    "sometimes_step",
    "always_possible",
    "deadlock",
    "bounds",
    "refinement",
    "inductive",
)
"""What a trace can be about. `sometimes`: it ends in a state, and `sometimes_step`: in a step, that
a witness asked for. `inductive`: its last step breaks an invariant that all states before have; the
first is any state of the types, and need not be reachable."""


_CLAIMS = {
    "always": "{} is violated in the last state",
    "sometimes": "{} holds in the last state",
    "step": "{} is violated by the last step",
    "sometimes_step": "{} holds on the last step",
    "always_possible": "{} is out of reach from the last state",
    "deadlock": "no step is possible in the last state",
    "bounds": "a property or the constraint cannot be evaluated in the last state",
    "refinement": "the last step is no step of {}",
    "inductive": "{} is broken by the last step, out of a state that need not be reachable",
}


class TraceError(UsageError):
    """A trace that cannot be read, written or used; the message says what, where and why."""


class Outcome(Enum):
    """How a replay can end. Each is kept apart, because each asks for another next step."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not_reproduced"
    STATE_MISMATCH = "state_mismatch"
    STEP_REFUSED = "step_refused"
    UNEXPECTED_EFFECT = "unexpected_effect"
    INCONCLUSIVE = "inconclusive"
    ADAPTER_ERROR = "adapter_error"
    DIVERGED_ON_SPEC = "diverged_on_spec"


@dataclass(frozen=True)
class TrapStep:
    """The step after the last state, which has no next state: its label, and why."""

    label: Label
    trap: Trap


@dataclass(frozen=True)
class TraceMeta:
    """Where a trace comes from and what it shows.

    `model` is a registered name or `path.py:Class`; `parameters` and `flaws` make its instance;
    `outcome` is what a replay is expected to say; `command` reproduces the trace; `versions` are
    those of the packages that had a part in it; `explored` is the distinct states of the search
    that found it, where that is known.

    1. `property` and `property_kind` are given both or not at all (a path without a claim).
    2. `property_kind` is one of `PROPERTY_KINDS`.
    3. With `trap`, the kind is `bounds`; of that kind without one, `note` says what has no value.
    """

    model: str
    instance: str = ""
    parameters: Mapping[str, Setting] = dataclasses.field(default_factory=dict)
    flaws: tuple[str, ...] = ()
    property: str = ""
    property_kind: str = ""
    outcome: Outcome = Outcome.REPRODUCED
    engine: str = ""
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    command: str = ""
    note: str = ""
    trap: TrapStep | None = None
    explored: int | None = None

    def validate(self) -> None:
        """Raise TraceError unless the invariants hold."""
        if bool(self.property) != bool(self.property_kind):
            raise TraceError("a trace names a property and its kind, or neither")
        if self.property_kind and self.property_kind not in PROPERTY_KINDS:
            allowed = ", ".join(PROPERTY_KINDS)
            raise TraceError(f"unknown property kind {self.property_kind!r}; allowed: {allowed}")
        if self.trap is not None and self.property_kind != "bounds":
            raise TraceError("a trace that ends in a trap is about 'bounds'")
        for name, value in self.parameters.items():
            if not isinstance(value, int | bool | str):
                raise TraceError(
                    f"parameter {name!r} is {value!r}; a trace stores int, bool and str"
                )


@dataclass(frozen=True)
class Trace:
    """A run: `labels[i]` leads from `states[i]` to `states[i + 1]`. Its length is in states.

    1. There is at least one state.
    2. There is one label fewer than there are states.
    3. Every state has one value for each variable, in their order; names are distinct.
    4. `loop`, where given, is the index of the state that a lasso returns to.
    """

    variables: tuple[str, ...]
    states: tuple[State, ...]
    labels: tuple[Label, ...]
    meta: TraceMeta
    loop: int | None = None

    def __len__(self) -> int:
        return len(self.states)

    @property
    def claim(self) -> str:
        """What the trace shows, as a sentence; empty where it claims nothing."""
        meta = self.meta
        if meta.trap is not None:
            return f"{meta.trap.label.action} fails: {meta.trap.trap.message}"
        return _CLAIMS.get(meta.property_kind, "").format(meta.property)

    def named(self, index: int) -> dict[str, object]:
        """The state at an index, as variable -> value."""
        return dict(zip(self.variables, self.states[index], strict=True))

    def validate(self) -> None:
        """Raise TraceError unless the invariants hold, those of `meta` included."""
        if not self.states:
            raise TraceError("a trace has at least one state")
        if len(self.labels) != len(self.states) - 1:
            raise TraceError(
                f"{len(self.states)} states need {len(self.states) - 1} labels, "
                f"not {len(self.labels)}"
            )
        if len(set(self.variables)) != len(self.variables):
            raise TraceError(f"a variable occurs twice: {', '.join(self.variables)}")
        for index, state in enumerate(self.states):
            if len(state) != len(self.variables):
                raise TraceError(
                    f"state {index} has {len(state)} values for {len(self.variables)} variables"
                )
        if self.loop is not None and not 0 <= self.loop < len(self.states):
            raise TraceError(f"the loop returns to state {self.loop}, which does not exist")
        self.meta.validate()

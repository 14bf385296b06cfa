"""Calls of compiled functions from tests, with plain Python values in and out."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from quorate.checkers.explorer.native import NativeSpec
from quorate.language.labels import Trap
from quorate.language.values import State

LIMIT = 4096
Words = tuple[int, ...]


class Calls:
    """The functions of a compiled spec. Not for threads: the buffers are shared."""

    def __init__(self, native: NativeSpec) -> None:
        self.native = native
        self._state = np.zeros(native.words, np.uint64)
        self._other = np.zeros(native.words, np.uint64)
        self._out = np.zeros((LIMIT, native.words), np.uint64)
        self._trap = np.zeros(1, np.int64)
        self.coverage = np.zeros(max(1, len(native.spec.actions)), np.int64)

    def _call(self, name: str, *arguments: Any) -> int:
        self._trap[0] = 0
        kinds = [
            ctypes.c_int64 if isinstance(argument, int) else ctypes.c_void_p
            for argument in arguments
        ]
        plain = [a if isinstance(a, int) else a.ctypes.data for a in arguments]
        function = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(self.native.addresses[name])
        return int(function(*plain))

    def _trapped(self) -> Trap | None:
        number = int(self._trap[0])
        return self.native.traps[number - 1] if number else None

    def _states(self, count: int) -> list[State | Trap]:
        assert 0 <= count <= LIMIT, count
        found: list[State | Trap] = [self.native.unpack(row) for row in self._out[:count]]
        for row, state in zip(self._out[:count], found, strict=True):
            packed = self.native.pack(state)  # type: ignore[arg-type]
            assert packed == tuple(map(int, row)), "a state is not packed canonically"
        trap = self._trapped()
        return found if trap is None else [*found, trap]

    def initial(self) -> list[State | Trap]:
        """The initial states, up to and with the first trap."""
        return self._states(self._call("initial", self._out, LIMIT, self._trap))

    def expand(self, state: State, *, name: str = "expand", limit: int = LIMIT) -> Any:
        """The successors, up to and with the first trap; None where the buffer may be too small.

        With LEAVE_OUT added to the limit, those that are not the state itself.
        """
        self._state[:] = self.native.pack(state)
        count = self._call(name, self._state, self._out, limit, self.coverage, self._trap)
        return None if count == -1 else self._states(count)

    def bits(self, name: str, state: State, after: State | None = None) -> int | Trap:
        """`predicates`, `steps` or `constraint`; a trap instead, if there is one."""
        self._state[:] = self.native.pack(state)
        states = [self._state]
        if after is not None:
            self._other[:] = self.native.pack(after)
            states.append(self._other)
        result = self._call(name, *states, self._trap)
        return self._trapped() or result

    def abstract(self, number: int, state: State, words: int) -> Words | Trap:
        """The packed abstract state of a refinement."""
        self._state[:] = self.native.pack(state)
        out = np.zeros(words, np.uint64)
        self._call(f"abstract_{number}", self._state, out, self._trap)
        return self._trapped() or tuple(map(int, out))

    def permuted(self, state: State, permutation: Sequence[int]) -> State:
        """The state with its nodes renamed."""
        self._state[:] = self.native.pack(state)
        self._call("permute", self._state, np.array(permutation, np.int64), self._out)
        return self._states(1)[0]  # type: ignore[return-value]

    def signature(self, state: State, sort: int, node: int) -> int:
        """The signature of a node."""
        self._state[:] = self.native.pack(state)
        return self._call("signature", self._state, sort, node)

    def canonical(self, state: State) -> State:
        """The representative of the orbit."""
        self._state[:] = self.native.pack(state)
        self._call("canonical", self._state, self._out)
        return self._states(1)[0]  # type: ignore[return-value]

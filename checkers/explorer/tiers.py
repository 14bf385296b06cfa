"""Two tiers of code: a check starts on code that was made quickly, and goes on with fast code.

Fast code takes a second or more to make, which most checks never earn back. One that is not done
after a while has it made in another process, searching on meanwhile, and takes it over between two
calls of the kernels. Both do the same, so a check comes to the same whenever that happens.
"""

from __future__ import annotations

import time
from dataclasses import replace

from .codegen import FAST
from .compiled import Compiled
from .functions import Functions
from .native import Faster, NativeSpec

PATIENCE = 1.0
"""Seconds on quickly made code before fast code is worth making: about what it takes, so that no
check costs more than twice what it had to.
"""


class Upgrade:
    """Fast code for a check under way. Call it now and then; `close` it in the end."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled  # keeps the code alive that it gave
        specs = (compiled.native, *compiled.abstract)
        self._todo = [spec for spec in specs if spec.level < FAST]
        self._made: dict[int, NativeSpec] = {}
        self._started: float | None = None
        self._under_way: Faster | None = None

    def __call__(self) -> Functions | None:
        """What the search is to call from now on; None: as before."""
        if not self._todo:
            return None
        now = time.perf_counter()
        if self._started is None:
            self._started = now
        if now - self._started < PATIENCE:
            return None
        if self._under_way is None:
            self._under_way = Faster.start(self._todo[0])
        if not self._under_way.done():
            return None
        self._made[id(self._todo.pop(0))] = self._under_way.finish()
        self._under_way = None
        return None if self._todo else self._functions()

    def _functions(self) -> Functions:
        made, before = self._made, self._compiled
        self._compiled = replace(
            before,
            native=made.get(id(before.native), before.native),
            abstract=tuple(made.get(id(spec), spec) for spec in before.abstract),
        )
        return self._compiled.functions()

    def settle(self) -> None:
        """Wait for what was begun: the cache has it for the next check, which then starts fast."""
        if self._under_way is not None:
            self._under_way.finish()
            self._under_way = None

    def close(self) -> None:
        """Give up what is not done."""
        if self._under_way is not None:
            self._under_way.give_up()
        self._todo = []

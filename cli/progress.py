"""How far a search is: one line, overwritten on a terminal; a line now and then in a log."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from ..checkers.explorer.search import Progress as Figures

_PLAIN_EVERY = 10.0  # seconds between lines in a log


class Progress:
    """Shows figures on stderr; `quiet` shows none outside a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._terminal = sys.stderr.isatty()
        self._silent = quiet and not self._terminal
        self._said = time.perf_counter()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._width:
            with contextlib.suppress(OSError):
                sys.stderr.write("\r" + " " * self._width + "\r")
                sys.stderr.flush()

    def show(self, figures: Figures) -> None:
        """Report the figures of a running search."""
        if self._silent:
            return
        with contextlib.suppress(OSError):  # nobody listens: the search goes on
            self._show(figures)

    def say(self, text: str) -> None:
        """Report how far an engine is, in its own words."""
        if not self._silent:
            with contextlib.suppress(OSError):
                self._write(text)

    def _show(self, figures: Figures) -> None:
        self._write(line(figures))

    def _write(self, text: str) -> None:
        if self._terminal:
            text = text[: shutil.get_terminal_size().columns - 1]  # a wrapped line stays behind
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = len(text)
        elif time.perf_counter() - self._said > _PLAIN_EVERY:
            self._said = time.perf_counter()
            sys.stderr.write(text + "\n")


def line(figures: Figures) -> str:
    """The figures as one line."""
    return (
        f"{figures.distinct:,} states, {figures.generated:,} generated, depth {figures.depth}, "
        f"queue {figures.frontier:,}, {figures.rate:,.0f}/s, {size(figures.memory_bytes)}, "
        f"{figures.seconds:.0f} s"
    )


def size(count: int) -> str:
    """A number of bytes for a person."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"

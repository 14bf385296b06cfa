"""Clocks of sites, which may be slow: those of specs that count time in ticks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Clocks:
    """A time that goes on in ticks, and clocks that each may have missed some of them."""

    now: int = 0
    """How many ticks there were."""
    missed: Counter[str] = field(default_factory=Counter)
    """How many of them the clock of a site has missed."""

    def tick(self, *slow: str) -> None:
        """A tick, for all clocks but those of the sites named."""
        self.now += 1
        self.missed.update(slow)

    def shows(self, name: str) -> int:
        """What the clock of a site shows."""
        return self.now - self.missed[name]

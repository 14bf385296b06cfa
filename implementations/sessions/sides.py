"""A network that falls into two sides, and a membership service that says who is on one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ...language.ir.nodes import Kind
from ...traces.trace import Setting
from .networks import Network
from .session import CoreSession

N = TypeVar("N", bound=Network)


class SidedSession(CoreSession[N]):
    """Sites on two sides, for specs in which a step of the kind partition takes one to the other.

    Nothing is sent between the sides, nor to or from a site that is down; what is on its way when
    two sites are separated is lost. Whoever has not been told of the last change is `changed`.
    """

    def __init__(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        """All are on one side, and know it."""
        self.far_side: set[str] = set()
        self.changed: set[str] = set()
        super().__init__(parameters, flaws)

    def environment(self) -> Mapping[str, Any]:
        """The variables of a spec with two sides, too."""
        return {
            **super().environment(),
            "far_side": self.far_side,
            "changed": self.each(lambda site: site.name in self.changed),
            "regroupings": self.taken[Kind.PARTITION],
        }

    def reaches(self, sender: str, to: str) -> bool:
        """Whether two sites are up and on one side."""
        up = self.sites[sender].up and self.sites[to].up
        return up and (sender in self.far_side) == (to in self.far_side)

    def view(self, name: str) -> frozenset[str]:
        """Tell the side of a site who is on it; nothing is then on its way between these."""
        members = frozenset(other for other in self.names if self.reaches(name, other))
        self.changed -= members
        self.network.lose_where(lambda one: {one.sender, one.to} <= members)
        return members

    def cut_off(self, name: str) -> None:
        """A site goes over to the other side."""
        self.far_side ^= {name}
        self.disturb()

    def crash(self, name: str) -> None:
        """The membership service notices, as it does a restart."""
        super().crash(name)
        self.disturb()

    def restart(self, name: str) -> None:
        """See `crash`."""
        super().restart(name)
        self.disturb()

    def disturb(self) -> None:
        """Who is connected has changed: what is between the separated is lost."""
        self.changed = set(self.names)
        self.network.lose_where(lambda one: not self.reaches(one.sender, one.to))

"""Who may vote: a set of servers, or two while one replaces the other (sections 4.1, 4.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .options import Flaw


@dataclass(frozen=True)
class Configuration:
    """The servers that vote. Numbers of sections are those of Ongaro's dissertation.

    Invariants: 1. Names are sorted, without repetition. 2. `outgoing` is empty except in a joint
    configuration, where a decision needs a majority of it and one of `voters`. 3. Nobody is both a
    member and retired.
    """

    voters: tuple[str, ...]
    outgoing: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    """Names of members of old: not to be given again, since what a name promised binds for ever."""

    @classmethod
    def of(cls, voters: Iterable[str]) -> Configuration:
        """A configuration of these servers."""
        return cls(tuple(sorted(set(voters))))

    @property
    def members(self) -> frozenset[str]:
        """Everybody who votes, in whichever majority."""
        return frozenset(self.voters) | frozenset(self.outgoing)

    @property
    def is_joint(self) -> bool:
        """Whether two majorities decide (4.3)."""
        return bool(self.outgoing)

    def has_quorum(self, names: Collection[str], flaws: frozenset[Flaw] = frozenset()) -> bool:
        """Whether these suffice for a decision: a majority, or both majorities if joint."""
        if self.is_joint and Flaw.JOINT_QUORUM_OVER_UNION in flaws:
            return _is_majority(names, tuple(self.members), flaws)
        return _is_majority(names, self.voters, flaws) and (
            not self.is_joint or _is_majority(names, self.outgoing, flaws)
        )

    def entering(self, voters: Iterable[str]) -> Configuration:
        """The joint configuration on the way to these voters: C_old,new (4.3)."""
        return Configuration(tuple(sorted(set(voters))), self.voters, self.retired)

    def left(self) -> Configuration:
        """The configuration after a joint one: C_new (4.3)."""
        gone = set(self.outgoing) - set(self.voters)
        return Configuration(self.voters, (), tuple(sorted(gone | set(self.retired))))

    def adding(self, name: str) -> Configuration:
        """With one server more (4.1)."""
        return Configuration(tuple(sorted({*self.voters, name})), (), self.retired)

    def removing(self, name: str) -> Configuration:
        """With one server less (4.1)."""
        voters = tuple(voter for voter in self.voters if voter != name)
        return Configuration(voters, (), tuple(sorted({*self.retired, name})))


def _is_majority(names: Collection[str], voters: tuple[str, ...], flaws: frozenset[Flaw]) -> bool:
    if Flaw.DUPLICATE_VOTES_COUNTED in flaws:
        count = sum(1 for name in names if name in voters)
    else:
        count = len(set(names) & set(voters))
    if Flaw.MAJORITY_HALF in flaws:
        return 2 * count >= len(voters) > 0
    return 2 * count > len(voters)

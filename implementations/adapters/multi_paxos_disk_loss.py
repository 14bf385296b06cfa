"""Replays `multi-paxos-disk-loss` on `implementations.multi_paxos`.

How far the leaders had got when a disk was lost is what the spec has at once, and the code from the
first heartbeat after it: that of the leader who had got furthest, or of the next to lead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...language.ir.nodes import Kind
from ...models.multi_paxos.spec import Accept
from ...models.multi_paxos_disk_loss import spec
from .. import multi_paxos as core
from .. import sessions
from ..storage import MemoryLog
from .multi_paxos import LEADERS, MultiPaxosSession


class DiskLossSession(MultiPaxosSession):
    """Acceptors that lose their disks."""

    vocabulary = replace(
        MultiPaxosSession.vocabulary,
        spec=spec.MultiPaxosDiskLoss,
        actions={
            **MultiPaxosSession.vocabulary.actions,
            "lose_disk": lambda self, given: self.lose_disk(given["acceptor"].name),
            "rejoin": lambda self, given: self.rejoin(given["acceptor"].name, given["accept"]),
        },
    )

    def lose_disk(self, name: str) -> None:
        """A replica starts again, with an empty log; the first it hears is a heartbeat."""
        site = self.sites[name]
        site.log = MemoryLog()
        site.core, effects = self.recover(name, site.log, disk_lost=True)
        self.carry_out(site, effects)
        leading = [one for one in LEADERS if self.sites[one].core.role is core.Role.LEADING]
        if leading:
            self.hear(name, max(leading, key=self.last_asked))

    def lead(self, ballot: int, quorum: frozenset[Any]) -> None:
        """The leader's first heartbeat is what those hear that have heard from nobody."""
        super().lead(ballot, quorum)
        for name in self.translation.names("acceptors"):
            ledger = self.sites[name].core.ledger
            if not ledger.voting and ledger.horizon is None:
                self.hear(name, LEADERS[ballot])

    def rejoin(self, name: str, accept: Accept) -> None:
        """A leader tells a replica what is chosen, from the end to the beginning."""
        self.hear(name, LEADERS[accept.ballot])
        for slot in range(accept.slot, 0, -1):
            self.learn(name, replace(accept, slot=slot))

    def hear(self, name: str, leader: str) -> None:
        """A leader shows that it is there."""
        self.feed(leader, core.TimedOut(core.Timer.HEARTBEAT))
        heartbeat = self.sites[leader].sent(core.Heartbeat)[-1]
        self.feed(name, core.Received(leader, heartbeat))

    def last_asked(self, leader: str) -> int:
        """The last slot in which a leader has asked for votes."""
        last: int = self.sites[leader].core.leadership.next_slot - 1
        return last

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `multi-paxos` has, and two more."""
        ledgers = self.each(lambda site: site.core.ledger, of="acceptors")
        return {
            **super().state(),
            "losses": self.taken[Kind.CRASH],
            "lost_at": {a: -1 if one.voting else one.horizon or 0 for a, one in ledgers.items()},
        }


adapter = sessions.InProcess(DiskLossSession)

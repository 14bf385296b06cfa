"""Replays `raft-snapshots` on `implementations.raft`: what `raft` is, and snapshots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from ...models.raft import spec as raft
from ...models.raft_snapshots import spec
from ...traces.adapter import StepRefused
from .. import raft as core
from .. import sessions
from .raft import RaftSession


class SnapshotSession(RaftSession):
    """Servers, and the application that takes their snapshots: all it was told, and its state."""

    vocabulary = replace(
        RaftSession.vocabulary,
        spec=spec.RaftSnapshots,
        actions={
            **RaftSession.vocabulary.actions,
            "compact": lambda self, given: self.compact(given["server"].name),
        },
    )

    def compact(self, name: str) -> None:
        """The application saves its state, which has all that was applied."""
        site = self.sites[name]
        if not site.up:
            raise StepRefused(f"{name} is down")
        applied = min(site.core.last_applied, site.core.last_index)
        if applied > self.parameters["max_compacted"]:
            raise StepRefused(f"a snapshot of {applied} entries is beyond the bounds")
        told = [(one.term, one.value.name) for one in self.whole_log(site)[:applied]]
        state = {"told": told, "machine": site.memory.get("machine", {})}
        self.feed(name, core.Compact(applied, json.dumps(state).encode()))

    def carry_out_one(self, site: sessions.Site, effect: Any) -> None:
        """The state machine goes on from a snapshot."""
        super().carry_out_one(site, effect)
        if isinstance(effect, core.Restore):
            site.memory["machine"] = json.loads(effect.snapshot.data)["machine"]

    def whole_log(self, site: sessions.Site) -> tuple[Any, ...]:
        """What the snapshot stands for, and the entries behind it."""
        snapshot = site.core.snapshot
        covered = self.covered(snapshot) if snapshot else ()
        return (*covered, *self.entries(site.core.log))

    def covered(self, snapshot: core.Snapshot) -> tuple[Any, ...]:
        """The entries that a snapshot stands for; the term of the last one is what it says."""
        nodes: Any = self.translation.nodes
        told = json.loads(snapshot.data)["told"]
        applied = [raft.Entry(term, nodes[name]) for term, name in told]
        return (*applied[:-1], replace(applied[-1], term=snapshot.last_term))

    def image(self, sender: str, to: str, message: Any) -> Any:
        """Snapshots as the spec writes them; a reply that is not the last says that nothing is."""
        nodes: Any = self.translation.nodes
        match message:
            case core.InstallSnapshot(term, part):
                data: Any = self.covered(part)
                return spec.InstallSnapshot(nodes[sender], nodes[to], term, data)
            case core.InstallSnapshotReply(term, last_index, _, done):
                known = last_index if done else 0
                return spec.InstallSnapshotReply(nodes[sender], nodes[to], term, known)
            case _:
                return super().image(sender, to, message)

    def state(self) -> Mapping[str, Any]:
        """The spec's variables: what `raft` has, and two more."""
        return {
            **super().state(),
            "log": self.each(self.whole_log),
            "snapshot_index": self.each(lambda site: site.core.last_index - len(site.core.log)),
            "network": self.network.contents(*get_args(raft.Message)),
            "transfers": self.network.contents(*get_args(spec.Transfer)),
        }


adapter = sessions.InProcess(SnapshotSession)

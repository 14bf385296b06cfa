"""The leader's side of InstallSnapshot: section 7, Figure 13."""

from __future__ import annotations

from dataclasses import replace

from .messages import InstallSnapshot, InstallSnapshotReply
from .options import Flaw
from .reads import number_of_round
from .server import Progress, Server


def needs_snapshot(server: Server, progress: Progress) -> bool:
    """Whether the log begins behind what the follower needs next (7)."""
    if server.snapshot is None:
        return False
    if server.has_flaw(Flaw.SNAPSHOT_BOUNDARY_OFF_BY_ONE):
        return progress.next_index < server.snapshot.last_index
    return progress.next_index <= server.snapshot.last_index


def send_snapshot(server: Server, peer: str) -> None:
    """Send the part of the snapshot that the follower waits for."""
    snapshot = server.snapshot
    assert snapshot is not None
    progress = server.progress[peer]
    if progress.offset is None or progress.snapshot_index != snapshot.last_index:
        progress.offset = 0
        progress.snapshot_index = snapshot.last_index
        progress.in_flight = []
    end = len(snapshot.data)
    if server.options.snapshot_chunk is not None:
        end = min(end, progress.offset + server.options.snapshot_chunk)
    part = replace(snapshot, data=snapshot.data[progress.offset : end])
    done = end == len(snapshot.data)
    number = number_of_round(server)
    server.send(peer, InstallSnapshot(server.current_term, part, progress.offset, done, number))


def note_snapshot_reply(server: Server, progress: Progress, reply: InstallSnapshotReply) -> bool:
    """Take in how far a follower is; returns whether it waits for the next part."""
    if reply.done:
        if progress.snapshot_index == reply.last_index:
            progress.offset = None
        progress.probing = False
        progress.match_index = max(progress.match_index, reply.last_index)
        progress.next_index = max(progress.next_index, progress.match_index + 1)
        return False
    if progress.offset is None or reply.last_index != progress.snapshot_index:
        return False
    moved = reply.offset != progress.offset
    progress.offset = reply.offset
    return moved

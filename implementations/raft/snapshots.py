"""Log compaction, and InstallSnapshot at its receiver: section 7, Figure 13."""

from __future__ import annotations

from dataclasses import replace

from .commitment import note_session
from .effects import Restore
from .errors import LocalError
from .following import confirmed_round, follow
from .log import RaftLog
from .messages import Command, InstallSnapshot, InstallSnapshotReply, Snapshot
from .options import Flaw
from .server import Arriving, Server


def compact(server: Server, index: int, data: bytes) -> None:
    """Replace the log up to an applied entry by the application's state after it (7)."""
    log = server.log
    if not log.base_index < index <= server.last_applied:
        raise LocalError(
            f"no snapshot at {index}: {log.base_index + 1} to {server.last_applied} are applied"
        )
    term = log.term_at(index)
    assert term is not None
    snapshot = Snapshot(
        index, term, server.configuration_at(index), _sessions_at(server, index), data
    )
    rest = log.slice(index + 1, log.last_index - index)
    server.checkpoint(snapshot, RaftLog(index, term, rest))
    if server.has_flaw(Flaw.SNAPSHOT_WITHOUT_SESSIONS):
        server.sessions = {}  # they go with the entries that say them
        _note_sessions(server.sessions, server.log, index + 1, server.last_applied)


def _sessions_at(server: Server, index: int) -> tuple[tuple[str, int], ...]:
    """The clients' last commands up to an entry; more may have been applied since."""
    if server.has_flaw(Flaw.SNAPSHOT_WITHOUT_SESSIONS):
        return ()
    sessions = dict(server.snapshot.sessions) if server.snapshot else {}
    _note_sessions(sessions, server.log, server.log.base_index + 1, index)
    return tuple(sorted(sessions.items()))


def _note_sessions(sessions: dict[str, int], log: RaftLog, first: int, last: int) -> None:
    for entry in log.slice(first, last - first + 1):
        if isinstance(entry.payload, Command):
            note_session(sessions, entry.payload)


def on_install_snapshot(server: Server, sender: str, message: InstallSnapshot) -> None:
    """Figure 13, receiver implementation: collect the parts, then install the whole."""
    server.see_term(message.term)
    part = message.part
    if not follow(server, sender, message):
        server.send(sender, _reply(server, message, 0, done=False))
        return
    if _is_known(server, part):
        server.send(sender, _reply(server, message, message.offset, done=True))
        return
    arriving = _collect(server, sender, message)
    if not message.done or message.offset + len(part.data) != len(arriving.data):
        server.send(sender, _reply(server, message, len(arriving.data), done=False))
        return
    server.arriving = None
    snapshot = Snapshot(
        part.last_index, part.last_term, part.configuration, part.sessions, bytes(arriving.data)
    )
    _install(server, snapshot)
    server.send(sender, _reply(server, message, len(arriving.data), done=True))


def _reply(
    server: Server, message: InstallSnapshot, offset: int, *, done: bool
) -> InstallSnapshotReply:
    return InstallSnapshotReply(
        server.current_term, message.part.last_index, offset, done, confirmed_round(server, message)
    )


def _is_known(server: Server, part: Snapshot) -> bool:
    """Whether all that the snapshot covers is committed here: it is an old one, or a repetition.

    With the flaws that install it all the same, one does not take the place of a newer one.
    """
    flawed = {Flaw.SNAPSHOT_IGNORES_COMMIT_CHECK, Flaw.SNAPSHOT_MOVES_COMMIT_BACK}
    if flawed & server.options.flaws:
        return part.last_index < server.log.base_index
    return part.last_index <= server.commit_index


def _collect(server: Server, sender: str, message: InstallSnapshot) -> Arriving:
    """Steps 2 to 4: parts in order; one that does not fit is asked for again."""
    source = (sender, message.term, message.part.last_index)
    arriving = server.arriving
    if arriving is None or arriving.source != source:
        arriving = server.arriving = Arriving(source, bytearray())
    if message.offset == len(arriving.data):
        arriving.data += message.part.data
    return arriving


def _install(server: Server, snapshot: Snapshot) -> None:
    """Steps 5 to 8: keep what follows the snapshot's last entry, or discard the whole log."""
    log = _remaining(server, snapshot)
    server.checkpoint(replace(snapshot, last_term=log.base_term), log)
    if server.has_flaw(Flaw.SNAPSHOT_SETS_TERM):
        server.current_term = snapshot.last_term
        server.unsaved = True
    back = server.has_flaw(Flaw.SNAPSHOT_MOVES_COMMIT_BACK)
    if back or snapshot.last_index > server.commit_index:
        server.commit_index = snapshot.last_index
    if back or snapshot.last_index > server.last_applied:
        server.last_applied = snapshot.last_index
        server.sessions = dict(snapshot.sessions)
        server.effects.append(Restore(snapshot))


def _remaining(server: Server, snapshot: Snapshot) -> RaftLog:
    log, index = server.log, snapshot.last_index
    own_term = log.term_at(index)
    agrees = own_term == snapshot.last_term
    keeps = agrees and not server.has_flaw(Flaw.SNAPSHOT_DROPS_SUFFIX)
    survives = own_term is not None and not agrees and server.has_flaw(Flaw.SNAPSHOT_KEEPS_CONFLICT)
    if keeps or survives:
        rest = log.slice(index + 1, log.last_index - index)
        return RaftLog(index, own_term or 0, rest)
    return RaftLog(index, snapshot.last_term)

"""Messages that cannot come here: what is refused before anything changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .errors import RemoteError
from .following import overwrites_committed
from .messages import (
    AppendEntries,
    AppendEntriesReply,
    Entry,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from .server import Role, Server


def check(server: Server, sender: str, message: Message) -> None:
    """Raise RemoteError if no correct server can have sent this message to this one."""
    if sender == server.name:
        raise RemoteError(f"a message of {sender!r} to itself")
    if not server.options.strict:
        return
    if message.term < 0 or not _is_well_formed(message):
        raise RemoteError(f"{sender!r} sends a message that says nothing possible: {message}")
    match message:
        case AppendEntries() | InstallSnapshot() | TimeoutNow():
            _check_leader(server, sender, message.term)
        case _:
            pass
    if (
        isinstance(message, AppendEntries)
        and message.term >= server.current_term
        and overwrites_committed(server, message)
    ):
        raise RemoteError(f"{sender!r} overwrites committed entries")
    if isinstance(message, AppendEntriesReply | InstallSnapshotReply):
        _check_reply(server, sender, message)


def _check_leader(server: Server, sender: str, term: int) -> None:
    """There is one leader in a term (5.2)."""
    if term != server.current_term:
        return
    if server.leader not in (None, sender):
        raise RemoteError(f"{sender!r} and {server.leader!r} lead in term {term}")


def _check_reply(
    server: Server, sender: str, reply: AppendEntriesReply | InstallSnapshotReply
) -> None:
    if reply.term != server.current_term or server.role is not Role.LEADER:
        return
    known = reply.match_index if isinstance(reply, AppendEntriesReply) else reply.last_index
    if known > server.log.last_index:
        raise RemoteError(f"{sender!r} acknowledges entry {known}, which we do not have")
    if reply.round > server.round:
        raise RemoteError(f"{sender!r} answers round {reply.round}, which has not begun")


def _is_well_formed(message: Message) -> bool:
    match message:
        case RequestVote(term, index, last_term):
            return term > 0 and index >= 0 and 0 <= last_term < term
        case AppendEntries(term, index, previous, entries, commit):
            return (
                term > 0 and index >= 0 and commit >= 0 and _is_ascending(previous, entries, term)
            )
        case AppendEntriesReply(success=success, match_index=match, conflict=conflict):
            return match >= 0 and (conflict is None or (not success and conflict.rejected > 0))
        case InstallSnapshot(term, part, offset):
            return 0 < part.last_term <= term and part.last_index > 0 and offset >= 0
        case InstallSnapshotReply(last_index=index, offset=offset):
            return index > 0 and offset >= 0
        case RequestVoteReply() | TimeoutNow():
            return True


def _is_ascending(previous: int, entries: Sequence[Entry], term: int) -> bool:
    """Whether terms never decrease, and none is later than the leader's."""
    terms = [previous, *(entry.term for entry in entries), term]
    return all(earlier <= later for earlier, later in pairwise(terms))

"""The leader's side of log replication: section 5.3, with pipelining (10.2.2)."""

from __future__ import annotations

from .commitment import advance
from .errors import LocalError
from .events import Timer
from .messages import (
    AppendEntries,
    AppendEntriesReply,
    Conflict,
    Entry,
    InstallSnapshotReply,
    Payload,
    TimeoutNow,
)
from .options import Flaw
from .reads import acknowledge, begin_round, number_of_round
from .server import Progress, Role, Server
from .snapshot_sending import needs_snapshot, note_snapshot_reply, send_snapshot


def append(server: Server, payload: Payload) -> int:
    """Leaders: append an entry to the log; returns its index (5.3)."""
    index = server.log.last_index + 1
    server.store(index, (Entry(server.current_term, payload),))
    server.align_progress()
    advance(server)
    return index


def greet(server: Server) -> None:
    """Upon election: AppendEntries to everybody, with entries or without (5.2)."""
    advance(server)
    if server.options.eager:
        call(server)


def replicate(server: Server) -> None:
    """Send everybody what it lacks, as far as what is in flight allows."""
    for peer in server.peers:
        send_what_is_missing(server, peer)


def send_what_is_missing(server: Server, peer: str) -> None:
    """Send one follower entries until it has all, or enough are in flight."""
    progress = server.progress[peer]
    while _has_more(server, progress) and _may_send(server, progress):
        before = progress.next_index
        send_append(server, peer)
        if progress.next_index == before:
            return  # without pipelining nextIndex moves with the answer


def _has_more(server: Server, progress: Progress) -> bool:
    return server.log.last_index >= progress.next_index


def _may_send(server: Server, progress: Progress) -> bool:
    if progress.offset is not None and needs_snapshot(server, progress):
        return False
    return len(progress.in_flight) < (1 if progress.probing else server.options.max_in_flight)


def send_append(server: Server, peer: str, *, entries: bool = True) -> None:
    """AppendEntries from nextIndex on, or a snapshot if the log does not reach back so far (7)."""
    progress = server.progress[peer]
    if needs_snapshot(server, progress):
        send_snapshot(server, peer)
        return
    previous = progress.next_index - 1
    most = server.options.max_batch if entries else 0
    new = server.log.slice(progress.next_index, most)
    term = server.log.term_at(previous)
    message = AppendEntries(
        server.current_term,
        previous,
        term if term is not None else 0,
        new,
        server.commit_index,
        number_of_round(server),
    )
    if new:
        last = previous + len(new)
        if last not in progress.in_flight:
            progress.in_flight.append(last)
        if _is_pipelined(server, progress):
            progress.next_index = last + 1
    server.send(peer, message)


def _is_pipelined(server: Server, progress: Progress) -> bool:
    """Whether nextIndex runs ahead of the answers."""
    return server.options.max_in_flight > 1 and not progress.probing


def on_heartbeat_time_out(server: Server) -> None:
    """Repeat AppendEntries during idle periods, so that nobody begins an election (5.2)."""
    server.set_timer(Timer.HEARTBEAT)
    for progress in server.progress.values():
        if not progress.answered:
            # Nothing came back: what was sent may be lost, so it is sent again.
            if _is_pipelined(server, progress):
                progress.next_index = progress.match_index + 1
            progress.probing = True
            progress.in_flight = []
        progress.answered = False
    call(server)


def call(server: Server) -> None:
    """Send everybody AppendEntries that asks for confirmation in a new round (5.2, 6.4)."""
    begin_round(server)
    for peer in server.peers:
        progress = server.progress[peer]
        # Entries that may be lost go along; in a pipeline a refusal would tell.
        waits = _is_pipelined(server, progress) and progress.in_flight
        send_append(server, peer, entries=not waits)


def on_request(server: Server, peer: str, *, entries: bool) -> None:
    """The driver wants AppendEntries sent to a server now."""
    progress = server.progress.get(peer)
    if progress is None:
        raise LocalError(f"{peer!r} is not one of the others: {sorted(server.progress)}")
    if entries and not _has_more(server, progress) and not needs_snapshot(server, progress):
        raise LocalError(f"{peer!r} has been sent all entries")
    send_append(server, peer, entries=entries)


def on_append_entries_reply(server: Server, sender: str, reply: AppendEntriesReply) -> None:
    """Leaders: update nextIndex and matchIndex, or go back and retry (5.3)."""
    server.see_term(reply.term)
    stale = reply.term != server.current_term
    if stale and not server.has_flaw(Flaw.STALE_APPEND_REPLY_ACCEPTED):
        return
    progress = server.progress.get(sender)
    if server.role is not Role.LEADER or progress is None:
        return
    _note_answer(server, sender, reply.round)
    if reply.success or server.has_flaw(Flaw.NACK_ADVANCES_MATCH):
        _note_match(server, progress, reply.match_index)
    if reply.success:
        _note_success(server, progress)
        send_timeout_now(server, sender)
    elif _go_back(server, progress, reply.conflict) and server.options.eager:
        send_append(server, sender)
    advance(server)


def on_install_snapshot_reply(server: Server, sender: str, reply: InstallSnapshotReply) -> None:
    """Leaders: send the next part, or go on with the log behind the snapshot (7)."""
    server.see_term(reply.term)
    progress = server.progress.get(sender)
    if reply.term != server.current_term or server.role is not Role.LEADER or progress is None:
        return
    _note_answer(server, sender, reply.round)
    more = note_snapshot_reply(server, progress, reply)
    if more and server.options.eager:
        send_snapshot(server, sender)
    send_timeout_now(server, sender)
    advance(server)


def _note_answer(server: Server, sender: str, confirmed: int) -> None:
    server.active.add(sender)
    server.progress[sender].answered = True
    acknowledge(server, sender, confirmed)


def _note_match(server: Server, progress: Progress, match_index: int) -> None:
    if match_index > progress.match_index or server.has_flaw(Flaw.MATCH_NOT_MONOTONIC):
        progress.match_index = match_index


def _note_success(server: Server, progress: Progress) -> None:
    progress.in_flight = [last for last in progress.in_flight if last > progress.match_index]
    after = progress.match_index + 1
    if _is_pipelined(server, progress):
        progress.next_index = max(progress.next_index, after)
    else:
        progress.next_index = after
    progress.probing = False


def _go_back(server: Server, progress: Progress, conflict: Conflict | None) -> bool:
    """5.3: try an earlier place; a hint skips what cannot agree. Never what is known to agree.

    Returns whether nextIndex moved.
    """
    before = progress.next_index
    lowest = 1 if server.has_flaw(Flaw.NEXT_LE_MATCH) else progress.match_index + 1
    if conflict is not None and not lowest <= conflict.rejected < before:
        return False  # an old refusal, from before more was known
    if _is_pipelined(server, progress):
        progress.next_index = lowest  # what was sent behind the refused one is refused as well
    elif conflict is None:
        progress.next_index = max(before - 1, lowest)
    else:
        agreed = server.log.agreement_before(conflict.index, conflict.term)
        progress.next_index = max(min(agreed, conflict.rejected - 1) + 1, lowest)
    progress.probing = True
    progress.in_flight = []
    return progress.next_index != before


def send_timeout_now(server: Server, peer: str) -> None:
    """3.10: the server that is to lead has the whole log: tell it to begin."""
    progress = server.progress[peer]
    if server.transferee == peer and progress.match_index == server.log.last_index:
        # NOTE(lease-transfer): the election that follows ignores stickiness, so no lease holds
        # from here on; and the message may arrive at any time while this term lasts.
        server.lease_forfeited = True
        server.send(peer, TimeoutNow(server.current_term))

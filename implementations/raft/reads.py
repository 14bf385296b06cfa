"""Reads that are not written to the log: sections 8, and 6.4 and 6.4.1 of the dissertation."""

from __future__ import annotations

from .effects import ReadReady
from .options import Flaw, Reads
from .server import PendingRead, Server


def begin_round(server: Server) -> None:
    """Call for confirmation: what is sent from here on carries a new number."""
    if server.options.reads is Reads.NONE:
        return
    server.round += 1
    if server.options.reads is Reads.LEASE:
        server.round_began[server.round] = server.now


def number_of_round(server: Server) -> int:
    """What AppendEntries carries, for the reply to repeat."""
    if server.has_flaw(Flaw.READINDEX_ACK_REUSED) and server.reads:
        return next(reversed(server.reads))  # the client's number, not a new one of ours
    # What is sent later than the last call is worth a longer lease, so it is a call of its own.
    if server.options.reads is Reads.LEASE and server.round_began.get(server.round) != server.now:
        begin_round(server)
    return server.round


def read(server: Server, number: int) -> None:
    """Take a read in; a number that is waiting already is asked for anew."""
    server.reads.pop(number, None)
    if server.has_flaw(Flaw.LOCAL_READ_AT_LEADER):
        server.effects.append(ReadReady(number))
        return
    server.reads[number] = PendingRead(None, server.round + 1, {server.name})
    _note_indexes(server)


def _note_indexes(server: Server) -> None:
    """6.4, step 1: commitIndex is only known to be up to date with a commit of this term."""
    blind = server.has_flaw(Flaw.READINDEX_WITHOUT_CURRENT_TERM_COMMIT)
    if not server.has_own_term_commit and not blind:
        return
    for waiting in server.reads.values():
        if waiting.index is None:
            waiting.index = server.commit_index


def acknowledge(server: Server, sender: str, confirmed: int) -> None:
    """A follower has answered a call, so it knew no later leader when the call was made (6.4)."""
    for number, waiting in server.reads.items():
        if server.has_flaw(Flaw.READINDEX_ACK_REUSED):
            confirms = confirmed == number
        else:
            confirms = confirmed >= waiting.round
        if confirms:
            waiting.confirmed_by.add(sender)
    progress = server.progress[sender]
    if confirmed > progress.round:
        progress.round = confirmed
        _extend_lease(server)


def _extend_lease(server: Server) -> None:
    """6.4.1: a lease runs from when the call was made that a majority has answered."""
    confirmed = _confirmed_round(server)
    began = server.round_began.get(confirmed)
    if server.options.reads is not Reads.LEASE or began is None:
        return
    if server.has_flaw(Flaw.LEASE_FROM_ACK_TIME):
        began = server.now
    drift = 0 if server.has_flaw(Flaw.LEASE_IGNORES_SKEW) else server.options.clock_drift
    server.lease_end = max(server.lease_end, began + server.options.election_timeout - drift)
    server.round_began = {
        number: time for number, time in server.round_began.items() if number >= confirmed
    }


def _confirmed_round(server: Server) -> int:
    rounds = {peer: progress.round for peer, progress in server.progress.items()}
    rounds[server.name] = server.round
    for number in sorted(set(rounds.values()), reverse=True):
        names = [name for name, last in rounds.items() if last >= number]
        if server.configuration.has_quorum(names, server.options.flaws):
            return number
    return 0


def release(server: Server) -> None:
    """Answer the reads whose leadership is confirmed and whose state is applied (6.4, 3 to 5)."""
    _note_indexes(server)
    for number, waiting in list(server.reads.items()):
        applied = waiting.index is not None and server.last_applied >= waiting.index
        if applied and (_has_lease(server) or _is_confirmed(server, waiting)):
            del server.reads[number]
            server.effects.append(ReadReady(number))


def _has_lease(server: Server) -> bool:
    if server.options.reads is not Reads.LEASE or server.lease_forfeited:
        return False
    return server.now < server.lease_end


def _is_confirmed(server: Server, waiting: PendingRead) -> bool:
    if server.has_flaw(Flaw.READ_BEFORE_QUORUM_ACK):
        return True
    return server.configuration.has_quorum(waiting.confirmed_by, server.options.flaws)

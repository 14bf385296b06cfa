"""Reads that are not written to the log: sections 8, and 6.4 and 6.4.1 of the dissertation."""

from __future__ import annotations

from .effects import ReadReady
from .options import Flaw, Reads
from .server import PendingRead, Progress, Server


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
        _note_promise(server, progress)


def _note_promise(server: Server, progress: Progress) -> None:
    """6.4.1: who answers a call elects nobody for an election time-out from when it was made."""
    late = server.has_flaw(Flaw.LEASE_FROM_ACK_TIME)
    timeout = server.options.election_timeout
    began = server.round_began.get(progress.round)
    if server.options.reads is Reads.LEASE and began is not None:
        drift = 0 if server.has_flaw(Flaw.LEASE_IGNORES_SKEW) else server.options.clock_drift
        until = (server.now if late else began) + timeout - drift
        progress.promised_until = max(progress.promised_until, until)
    server.round_began = {
        number: time
        for number, time in server.round_began.items()
        if late or time + timeout > server.now
    }


def release(server: Server) -> None:
    """Answer the reads whose leadership is confirmed and whose state is applied (6.4, 3 to 5)."""
    _note_indexes(server)
    for number, waiting in list(server.reads.items()):
        applied = waiting.index is not None and server.last_applied >= waiting.index
        if applied and (_has_lease(server) or _is_confirmed(server, waiting)):
            del server.reads[number]
            server.effects.append(ReadReady(number))


def _has_lease(server: Server) -> bool:
    """Whether a majority of the members of now still keeps its promise (6.4.1)."""
    if server.options.reads is not Reads.LEASE or server.lease_forfeited:
        return False
    promised = [n for n, one in server.progress.items() if server.now < one.promised_until]
    return server.configuration.has_quorum([server.name, *promised], server.options.flaws)


def _is_confirmed(server: Server, waiting: PendingRead) -> bool:
    if server.has_flaw(Flaw.READ_BEFORE_QUORUM_ACK):
        return True
    return server.configuration.has_quorum(waiting.confirmed_by, server.options.flaws)

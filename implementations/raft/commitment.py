"""From replicated to committed to applied: sections 5.3 and 5.4.2, and 8 for repetitions."""

from __future__ import annotations

from .effects import AlreadyApplied, Apply
from .messages import Command
from .options import Flaw
from .server import Server


def advance(server: Server) -> None:
    """Leaders: commit what a majority stores, up to an entry of this term (5.3, 5.4.2)."""
    agreed = _agreed(server)
    if agreed <= server.commit_index:
        return
    current = server.current_term
    breaks = server.has_flaw(Flaw.COMMIT_SCAN_BREAKS_ON_OLD_TERM)
    if breaks and server.log.term_at(server.commit_index + 1) != current:
        return  # terms never decrease, so a scan that ends at an old one ends at the first entry
    if server.log.term_at(agreed) == current or server.has_flaw(Flaw.COMMIT_ANY_TERM):
        server.commit_to(agreed)


def _agreed(server: Server) -> int:
    """The last index that is stored by a majority, as far as the leader knows."""
    stored = {peer: progress.match_index for peer, progress in server.progress.items()}
    stored[server.name] = server.log.last_index
    for index in sorted(set(stored.values()), reverse=True):
        names = [name for name, last in stored.items() if last >= index]
        if server.configuration.has_quorum(names, server.options.flaws):
            return min(index, server.log.last_index)
    return 0


def follow_commit(server: Server, leader_commit: int, last_new: int) -> None:
    """AppendEntries, step 5: commit what the leader has, up to the last new entry (5.3)."""
    own = server.has_flaw(Flaw.COMMIT_MIN_OWN_LOG)
    index = min(leader_commit, server.log.last_index if own else last_new)
    if index > server.commit_index or server.has_flaw(Flaw.COMMIT_NOT_MONOTONIC):
        server.commit_to(index)


def apply_all(server: Server) -> None:
    """All servers: apply what is committed, in order (5.3)."""
    while can_apply(server):
        apply_next(server)


def can_apply(server: Server) -> bool:
    """Whether an entry is committed and not applied."""
    return server.last_applied < min(server.commit_index, server.log.last_index)


def apply_next(server: Server) -> None:
    """Apply one entry; what a leader counted as stored here is durable by then."""
    server.flush()
    server.last_applied += 1
    payload = server.log.entry_at(server.last_applied).payload
    if not isinstance(payload, Command):
        return
    if is_repetition(server, payload.client, payload.sequence):
        assert payload.client is not None
        server.effects.append(AlreadyApplied(payload.client, payload.sequence))
        return
    note_session(server.sessions, payload)
    server.effects.append(Apply(server.last_applied, payload))


def is_repetition(server: Server, client: str | None, sequence: int) -> bool:
    """Whether a client's command was applied before (section 8; dissertation 6.3)."""
    if not server.options.deduplicate or server.has_flaw(Flaw.NO_CLIENT_DEDUP):
        return False
    return client is not None and sequence <= server.sessions.get(client, -1)


def note_session(sessions: dict[str, int], command: Command) -> None:
    """Remember a client's last command."""
    if command.client is not None:
        sessions[command.client] = max(command.sequence, sessions.get(command.client, -1))

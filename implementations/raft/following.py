"""The follower's side of log replication: AppendEntries, receiver implementation (Figure 2)."""

from __future__ import annotations

from .commitment import follow_commit
from .events import Timer
from .messages import AppendEntries, AppendEntriesReply, Conflict, InstallSnapshot
from .options import Flaw
from .server import Role, Server


def on_append_entries(server: Server, sender: str, message: AppendEntries) -> None:
    """Steps 1 to 5, and the answer."""
    server.see_term(message.term)
    if not follow(server, sender, message):
        server.send(sender, _refusal(server, message, None))
        return
    if not _has_previous(server, message):
        server.send(sender, _refusal(server, message, _conflict(server, message)))
        return
    _store(server, message)
    last_new = message.prev_log_index + len(message.entries)
    follow_commit(server, message.leader_commit, last_new)
    own = server.has_flaw(Flaw.ACK_OWN_LAST_INDEX)
    match = server.log.last_index if own else last_new
    server.send(sender, AppendEntriesReply(server.current_term, True, match, round=message.round))


def follow(server: Server, sender: str, message: AppendEntries | InstallSnapshot) -> bool:
    """Step 1: whether this comes from the leader of our term. If so, follow it (5.2)."""
    if message.term < server.current_term:
        return server.has_flaw(Flaw.STALE_TERM_APPEND_ACCEPTED)
    forgets = server.role is Role.CANDIDATE and server.has_flaw(Flaw.CANDIDATE_FORGETS_VOTE)
    server.become_follower(sender)
    server.quiet_until = server.now + server.options.election_timeout  # NOTE(promise)
    server.set_timer(Timer.ELECTION)
    if forgets or server.has_flaw(Flaw.FOLLOWER_CLEARS_VOTE_ON_LEADER_DISCOVERY):
        server.vote_for(None)
    return True


def _refusal(
    server: Server, message: AppendEntries, conflict: Conflict | None
) -> AppendEntriesReply:
    # A refusal says nothing of what agrees; the flaw needs something to misread.
    misread = server.has_flaw(Flaw.NACK_ADVANCES_MATCH)
    match = server.log.last_index if misread else 0
    return AppendEntriesReply(
        server.current_term, False, match, conflict, confirmed_round(server, message)
    )


def confirmed_round(server: Server, message: AppendEntries | InstallSnapshot) -> int:
    """The round that an answer confirms: none if it refuses the message as one of an old term.

    The answer says our term, not the message's. Its receiver may lead in our term by the time it
    comes, and must not take it for an answer to the call of the same number in that term.
    """
    return message.round if message.term == server.current_term else 0


def _has_previous(server: Server, message: AppendEntries) -> bool:
    """Step 2: whether our log has the entry before the new ones, of the same term (5.3)."""
    previous = message.prev_log_index
    if message.prev_log_term == 0 and server.has_flaw(Flaw.PREV0_ALWAYS_MATCHES):
        return True
    if previous < server.log.base_index:
        return True  # compacted, so committed: it agrees with every later leader's log
    term = server.log.term_at(previous)
    if server.has_flaw(Flaw.NO_PREVLOG_TERM_CHECK):
        return term is not None
    return term == message.prev_log_term


def _conflict(server: Server, message: AppendEntries) -> Conflict | None:
    """A hint for the leader (5.3, the paragraph on fewer refused AppendEntries)."""
    if not server.options.conflict_hints:
        return None
    rejected = message.prev_log_index
    index = server.log.agreement_before(rejected, message.prev_log_term)
    return Conflict(rejected, index, server.log.term_at(index) or 0)


def _store(server: Server, message: AppendEntries) -> None:
    """Steps 3 and 4: only a conflict removes entries, and only what is missing is written."""
    if server.has_flaw(Flaw.TRUNCATE_UNCONDITIONALLY):
        first = message.prev_log_index + 1
        if message.entries or first <= server.log.last_index:
            server.store(first, message.entries)
        return
    for first, entry in enumerate(message.entries, message.prev_log_index + 1):
        if first <= server.log.base_index:
            continue  # compacted
        if server.log.term_at(first) != entry.term:
            server.store(first, message.entries[first - message.prev_log_index - 1 :])
            return


def overwrites_committed(server: Server, message: AppendEntries) -> bool:
    """Whether these entries contradict committed ones: then no correct leader sent them."""
    for index, entry in enumerate(message.entries, message.prev_log_index + 1):
        if index > server.commit_index:
            return False
        term = server.log.term_at(index)
        if term is not None and term != entry.term:
            return True
    return False

"""Messages between servers: the RPCs of Figures 2 and 13, requests and replies apart.

A message says nothing of its sender: that comes with `Received`. Terms count from 0 (nobody's
term), indexes of the log from 1; 0 is the place before the first entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .configuration import Configuration


@dataclass(frozen=True)
class Command:
    """What a client wants the state machine to do; `client` and `sequence` tell repetitions."""

    data: bytes
    client: str | None = None
    sequence: int = 0


@dataclass(frozen=True)
class NoOp:
    """Nothing: an entry by which a leader commits what its predecessors left (8)."""


Payload: TypeAlias = Command | NoOp | Configuration


@dataclass(frozen=True)
class Entry:
    """An entry of the log: what a leader received in `term` (5.3)."""

    term: int
    payload: Payload


@dataclass(frozen=True)
class RequestVote:
    """Candidate to all: vote for me (5.2).

    `pre_vote`: would you, in that term? Nothing changes by it (9.6). `transfer`: the leader asked
    for this election, so hearing from it is no reason to refuse (3.10, 4.2.3).
    """

    term: int
    last_log_index: int
    last_log_term: int
    pre_vote: bool = False
    transfer: bool = False


@dataclass(frozen=True)
class RequestVoteReply:
    """A vote or a refusal. A granted pre-vote has the term that was asked about."""

    term: int
    vote_granted: bool
    pre_vote: bool = False


@dataclass(frozen=True)
class AppendEntries:
    """Leader to follower: entries behind `prev_log_index`; without any, a heartbeat (5.3).

    `round` counts the leader's calls for confirmation; the reply repeats it (6.4).
    """

    term: int
    prev_log_index: int
    prev_log_term: int
    entries: tuple[Entry, ...]
    leader_commit: int
    round: int = 0


@dataclass(frozen=True)
class Conflict:
    """Why AppendEntries with `prev_log_index` = `rejected` was refused, and what may do (5.3).

    No entry behind `index`, whose term here is `term`, can agree with the leader's up to there.
    """

    rejected: int
    index: int
    term: int


@dataclass(frozen=True)
class AppendEntriesReply:
    """`match_index`: up to where the follower's log is the leader's, if `success`; 0 if not."""

    term: int
    success: bool
    match_index: int
    conflict: Conflict | None = None
    round: int = 0


@dataclass(frozen=True)
class Snapshot:
    """The state machine after the entry at `last_index`, and what the log up to there said.

    `data` is the application's; `sessions` has the last sequence number of each client.
    """

    last_index: int
    last_term: int
    configuration: Configuration
    sessions: tuple[tuple[str, int], ...]
    data: bytes


@dataclass(frozen=True)
class InstallSnapshot:
    """Leader to a follower far behind: a part of a snapshot, from byte `offset` on (Figure 13)."""

    term: int
    part: Snapshot
    offset: int
    done: bool
    round: int = 0


@dataclass(frozen=True)
class InstallSnapshotReply:
    """The follower has `offset` bytes of the snapshot at `last_index`; `done`: it needs no more."""

    term: int
    last_index: int
    offset: int
    done: bool
    round: int = 0


@dataclass(frozen=True)
class TimeoutNow:
    """Leader to the server that is to lead next: begin an election at once (3.10)."""

    term: int


Message: TypeAlias = (
    RequestVote
    | RequestVoteReply
    | AppendEntries
    | AppendEntriesReply
    | InstallSnapshot
    | InstallSnapshotReply
    | TimeoutNow
)

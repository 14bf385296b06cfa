"""Raft as a sans-IO core: events in, effects out, nothing else.

A driver owns one `Raft` a server. It passes what happens to `handle` and carries out the effects in
order, each completely before the next: a forced `Persist` has returned from the device before the
`Send` behind it leaves. After a crash, and at the first start, `Raft.recover` makes the core from
the log. Time and chance come from the driver: it decides when timers run out.

The protocol is that of Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm
(Extended Version)" (2014), Figures 2 and 13. `Options` add, each by itself, what Ongaro's
dissertation, "Consensus: Bridging Theory and Practice" (2014), describes: pre-votes, a leader that
checks its quorum, refusal of needless elections, reads without log entries, changes of members,
transfer of leadership, pipelining. Numbers in parentheses are sections: of the paper for what the
two figures have, of the dissertation for the rest.
"""

from .configuration import Configuration
from .core import Raft
from .effects import (
    Accepted,
    AlreadyApplied,
    Apply,
    CancelTimer,
    Effect,
    Persist,
    ReadFailed,
    ReadReady,
    Restore,
    Send,
    SetTimer,
)
from .errors import DamagedRecordError, LocalError, NotLeaderError, ProtocolError, RemoteError
from .events import (
    AddServer,
    ApplyCommitted,
    ClientRequest,
    Clock,
    Compact,
    Event,
    Heartbeat,
    ReadRequest,
    Received,
    Reconfigure,
    RemoveServer,
    Replicate,
    TimedOut,
    Timer,
    TransferLeadership,
)
from .journal import Journal
from .messages import (
    AppendEntries,
    AppendEntriesReply,
    Command,
    Conflict,
    Entry,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    NoOp,
    RequestVote,
    RequestVoteReply,
    Snapshot,
    TimeoutNow,
)
from .options import Flaw, Membership, Options, Reads
from .records import CheckpointRecord, EntriesRecord, Record, TermRecord, decode, encode
from .server import Role

__all__ = [
    # the core
    "Raft",
    "Role",
    "Configuration",
    "Options",
    "Reads",
    "Membership",
    "Flaw",
    # events
    "Event",
    "TimedOut",
    "Timer",
    "Clock",
    "Received",
    "ClientRequest",
    "ReadRequest",
    "Replicate",
    "Heartbeat",
    "ApplyCommitted",
    "Compact",
    "AddServer",
    "RemoveServer",
    "Reconfigure",
    "TransferLeadership",
    # effects
    "Effect",
    "Send",
    "Persist",
    "SetTimer",
    "CancelTimer",
    "Accepted",
    "Apply",
    "AlreadyApplied",
    "Restore",
    "ReadReady",
    "ReadFailed",
    # messages
    "Message",
    "RequestVote",
    "RequestVoteReply",
    "AppendEntries",
    "AppendEntriesReply",
    "Conflict",
    "InstallSnapshot",
    "InstallSnapshotReply",
    "TimeoutNow",
    "Snapshot",
    "Entry",
    "Command",
    "NoOp",
    # durable records
    "Record",
    "TermRecord",
    "EntriesRecord",
    "CheckpointRecord",
    "Journal",
    "encode",
    "decode",
    # errors
    "ProtocolError",
    "LocalError",
    "NotLeaderError",
    "RemoteError",
    "DamagedRecordError",
]

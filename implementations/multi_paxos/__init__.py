"""Multi-Paxos as a sans-IO core: a replicated log with a leader; events in, effects out.

A driver owns one `Replica` a process, made by `Replica.recover`. It passes what happens to `handle`
and carries out the effects in order, each completely before the next: a forced `Persist` has
returned from the device before the `Send` behind it leaves. The application executes commands as
`Execute` brings them, hands over a `Checkpoint` now and then, and answers clients.

The protocol is that of Lamport, "Paxos Made Simple" (2001), section 3: phase 1 once for all slots,
re-proposals slot by slot, no-ops in gaps. Leaders are found by time-out, replicas that lag ask
whoever is ahead, and a client's command is executed once, however often it is submitted. Which
processes are members does not change.
"""

from ..paxos.errors import DamagedRecordError, LocalError, ProtocolError, RemoteError
from ..paxos.messages import Ballot
from .effects import (
    Discard,
    Effect,
    Execute,
    Persist,
    Repeated,
    Restore,
    Send,
    SetTimer,
    Unavailable,
)
from .events import Checkpoint, Event, Received, Submit, TakeOver, TimedOut, Timer
from .leadership import Leadership
from .ledger import Ledger
from .messages import (
    Accept,
    Accepted,
    Behind,
    Chosen,
    Command,
    Forward,
    Heartbeat,
    Message,
    Noop,
    Prepare,
    Promise,
    Refused,
    Snapshot,
    Value,
    Vote,
)
from .options import Flaw, Options
from .persistence import load, persist
from .records import (
    CheckpointRecord,
    ChosenRecord,
    PromiseRecord,
    Record,
    VoteRecord,
    VotingRecord,
    decode,
    encode,
)
from .replica import Replica, Role

__all__ = [
    # the core
    "Replica",
    "Role",
    "Ledger",
    "Leadership",
    "Options",
    "Flaw",
    # events
    "Event",
    "Submit",
    "Received",
    "TimedOut",
    "Timer",
    "TakeOver",
    "Checkpoint",
    # effects
    "Effect",
    "Send",
    "Persist",
    "Discard",
    "SetTimer",
    "Execute",
    "Repeated",
    "Unavailable",
    "Restore",
    # messages
    "Message",
    "Command",
    "Noop",
    "Value",
    "Ballot",
    "Vote",
    "Prepare",
    "Promise",
    "Accept",
    "Accepted",
    "Refused",
    "Chosen",
    "Heartbeat",
    "Behind",
    "Snapshot",
    "Forward",
    # durable records
    "Record",
    "PromiseRecord",
    "VoteRecord",
    "ChosenRecord",
    "CheckpointRecord",
    "VotingRecord",
    "encode",
    "decode",
    "load",
    "persist",
    # errors
    "ProtocolError",
    "LocalError",
    "RemoteError",
    "DamagedRecordError",
]

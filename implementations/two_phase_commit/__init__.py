"""Two-phase commit as sans-IO cores: events in, effects out, nothing else.

A driver owns one `Coordinator` or `Participant` a process and any number of transactions in
flight. It passes what happens to `handle` and carries out the effects in order, each completely
before the next: a forced `Persist` has returned from the device before the `Send` behind it
leaves. After a crash, `recover` makes the core anew from the log.

The protocol is that of Bernstein, Hadzilacos and Goodman, "Concurrency Control and Recovery in
Database Systems" (1987), section 7.4, with cooperative termination. `Options` choose presumed
abort or presumed commit (Mohan, Lindsay, Obermarck, "Transaction Management in the R* Distributed
Database Management System", 1986), or the non-blocking variant that forwards decisions (Babaoglu,
Toueg, "Non-Blocking Atomic Commitment", 1993).
"""

from .backup import BackupCoordinator
from .coordinator import Coordinator, CoordinatorTransaction
from .effects import (
    CancelTimer,
    Decided,
    DecisionReady,
    Effect,
    Ended,
    Persist,
    ProceedWhenSent,
    Send,
    SetTimer,
    VoteRequested,
    Wait,
)
from .errors import DamagedRecordError, LocalError, ProtocolError, RemoteError
from .events import (
    BackupEvent,
    CastVote,
    CoordinatorEvent,
    Decide,
    Enlist,
    Forget,
    ParticipantEvent,
    Proceed,
    Received,
    Request,
    TakeOver,
    TimedOut,
)
from .messages import (
    Acknowledgement,
    Decision,
    DecisionNotice,
    DecisionRequest,
    Message,
    Uncertain,
    Vote,
    VoteReply,
    VoteRequest,
)
from .options import Flaw, Options, Presumption, Termination
from .participant import Participant, ParticipantTransaction
from .persistence import load, persist
from .records import DecisionRecord, EndRecord, Record, StartRecord, YesRecord, decode, encode

__all__ = [
    # cores
    "Coordinator",
    "CoordinatorTransaction",
    "Participant",
    "ParticipantTransaction",
    "BackupCoordinator",
    "Options",
    "Presumption",
    "Termination",
    "Flaw",
    # events
    "CoordinatorEvent",
    "ParticipantEvent",
    "BackupEvent",
    "Request",
    "Received",
    "Decide",
    "TimedOut",
    "Proceed",
    "Enlist",
    "CastVote",
    "Forget",
    "TakeOver",
    # effects
    "Effect",
    "Send",
    "Persist",
    "SetTimer",
    "CancelTimer",
    "Wait",
    "VoteRequested",
    "DecisionReady",
    "ProceedWhenSent",
    "Decided",
    "Ended",
    # messages
    "Message",
    "VoteRequest",
    "VoteReply",
    "DecisionNotice",
    "Acknowledgement",
    "DecisionRequest",
    "Uncertain",
    "Vote",
    "Decision",
    # durable records
    "Record",
    "StartRecord",
    "YesRecord",
    "DecisionRecord",
    "EndRecord",
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

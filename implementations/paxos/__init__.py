"""Single-decree Paxos as sans-IO cores: events in, effects out, nothing else.

A driver owns a `Proposer`, an `Acceptor` or a `Learner`, or several, a process, with a log each
and any number of instances in flight. It passes what happens to `handle` and carries out the
effects in order, each completely before the next: a forced `Persist` has returned from the device
before the `Send` behind it leaves. After a crash, `recover` makes a core anew from its log; a
learner has no log, it asks the acceptors.

The protocol is that of Lamport, "Paxos Made Simple" (2001), section 2. Progress needs what section
2.4 says: that one proposer at last is left alone by the others for long enough.
"""

from .acceptor import Acceptor, AcceptorInstance
from .effects import CancelTimer, Effect, Learned, Persist, Send, SetTimer, Wait
from .errors import DamagedRecordError, LocalError, ProtocolError, RemoteError
from .events import (
    Abandon,
    AcceptorEvent,
    Ask,
    LearnerEvent,
    Propose,
    ProposerEvent,
    Received,
    TimedOut,
)
from .learner import Learner, LearnerInstance
from .messages import (
    Accept,
    Accepted,
    Ballot,
    Chosen,
    Inquiry,
    Message,
    Prepare,
    Promise,
    Refused,
    Vote,
)
from .options import Flaw, Options
from .persistence import load, persist
from .proposer import Phase, Proposer, ProposerInstance
from .records import AcceptorRecord, BallotRecord, Record, decode, encode

__all__ = [
    # cores
    "Proposer",
    "ProposerInstance",
    "Phase",
    "Acceptor",
    "AcceptorInstance",
    "Learner",
    "LearnerInstance",
    "Options",
    "Flaw",
    # events
    "ProposerEvent",
    "AcceptorEvent",
    "LearnerEvent",
    "Propose",
    "Abandon",
    "Ask",
    "Received",
    "TimedOut",
    # effects
    "Effect",
    "Send",
    "Persist",
    "SetTimer",
    "CancelTimer",
    "Wait",
    "Learned",
    # messages
    "Message",
    "Ballot",
    "Vote",
    "Prepare",
    "Promise",
    "Accept",
    "Accepted",
    "Refused",
    "Inquiry",
    "Chosen",
    # durable records
    "Record",
    "BallotRecord",
    "AcceptorRecord",
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

"""Three-phase commit without input or output of its own: events in, effects out.

Skeen, 'Nonblocking Commit Protocols' (SIGMOD 1981), as in Bernstein, Hadzilacos and Goodman,
'Concurrency Control and Recovery in Database Systems' (1987), section 7.5, with the quorumless
termination protocol: sites crash and recover, and time-outs tell who is down. It does not survive a
network that partitions; `quorum.QuorumSite` (Skeen 1982, Keidar and Dolev 1998) does.
"""

from .coordinator import Coordination, Coordinator
from .messages import (
    FLAWS,
    Acknowledge,
    AskVote,
    Begin,
    CancelTimer,
    CommitError,
    Decide,
    Decision,
    DecisionRequest,
    Effect,
    Entered,
    Event,
    GiveUp,
    LocalError,
    Message,
    Notify,
    Persist,
    PreCommit,
    Received,
    RemoteError,
    Send,
    SetTimer,
    SiteDown,
    State,
    StateReport,
    StateRequest,
    TakeOver,
    TimedOut,
    Vote,
    VoteCast,
    VoteRequest,
)
from .participant import (
    Following,
    Participant,
    Participation,
    Polling,
    Preparing,
    Recovering,
)
from .records import RecordLog, load, persist

__all__ = [
    # the cores, what they know of a transaction, and its states
    "Coordinator",
    "Coordination",
    "Participant",
    "Participation",
    "Following",
    "Polling",
    "Preparing",
    "Recovering",
    "State",
    "Decision",
    "FLAWS",
    # the log
    "Entered",
    "RecordLog",
    "persist",
    "load",
    # events
    "Event",
    "Begin",
    "Received",
    "VoteCast",
    "GiveUp",
    "TimedOut",
    "SiteDown",
    # effects
    "Effect",
    "Persist",
    "Send",
    "AskVote",
    "Notify",
    "SetTimer",
    "CancelTimer",
    # messages
    "Message",
    "VoteRequest",
    "Vote",
    "PreCommit",
    "Acknowledge",
    "Decide",
    "StateRequest",
    "StateReport",
    "TakeOver",
    "DecisionRequest",
    # errors
    "CommitError",
    "LocalError",
    "RemoteError",
]

"""What goes in and out of the cores: messages, events, effects, and the errors.

Sites are named by strings. A transaction has one coordinator and an ordered list of participants;
the order is the line of succession: when the coordinator is gone the first participant that is up
takes over, then the next (BHG 1987, section 7.5: the election protocol's linear order).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a site stands in a transaction (Skeen 1981, figure 3; the letters are the paper's)."""

    INITIAL = "q"  # has not voted, may abort alone
    UNCERTAIN = "w"  # voted yes and knows nothing about the others; the coordinator: collects votes
    PREPARED = "p"  # knows that all voted yes ("committable")
    COMMITTED = "c"
    ABORTED = "a"


class Decision(Enum):
    """The two outcomes of a transaction."""

    COMMIT = "commit"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """Coordinator to participant: vote on a transaction, together with these participants."""

    transaction: str
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vote:
    """Participant to coordinator: its vote, given once."""

    transaction: str
    yes: bool


@dataclass(frozen=True, slots=True)
class PreCommit:
    """Coordinator or backup to participant: all voted yes."""

    transaction: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Answer to PreCommit: I am prepared."""

    transaction: str


@dataclass(frozen=True, slots=True)
class Decide:
    """The decision, from a site that has made it."""

    transaction: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class StateRequest:
    """Backup to participant: I have taken over, where do you stand?"""

    transaction: str


@dataclass(frozen=True, slots=True)
class StateReport:
    """Answer to StateRequest."""

    transaction: str
    state: State


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Participant to the next in line: all before you are down, it is your turn (UR-ELECTED)."""

    transaction: str


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """Does the receiver know the decision? Asked by a recovering site."""

    transaction: str


Message = (
    VoteRequest
    | Vote
    | PreCommit
    | Acknowledge
    | Decide
    | StateRequest
    | StateReport
    | TakeOver
    | DecisionRequest
)


@dataclass(frozen=True, slots=True)
class Begin:
    """The application starts a transaction at its coordinator; `participants` in succession."""

    transaction: str
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A message came in from a site (whose identity the transport vouches for)."""

    sender: str
    message: Message


@dataclass(frozen=True, slots=True)
class VoteCast:
    """The resource manager's answer to AskVote."""

    transaction: str
    yes: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The resource manager aborts a transaction that it has not voted on (BHG 7.5, step 2)."""

    transaction: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The transaction's timer ran out: the sites it still waits for are taken to be down."""

    transaction: str


@dataclass(frozen=True, slots=True)
class SiteDown:
    """The failure detector says that a site is down; counts for what is awaited from it now."""

    site: str


Event = Begin | Received | VoteCast | GiveUp | TimedOut | SiteDown


@dataclass(frozen=True, slots=True)
class Entered:
    """A record for the log: a transaction entered a state at this site.

    1. The last record of a transaction and role is its durable state, never q.
    2. `coordinator` is the site itself exactly in the coordinator's records.
    3. Both `coordinator` and `participants` are empty where a participant aborted a transaction
       before its VoteRequest came.
    """

    transaction: str
    state: State
    coordinator: str = ""
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Persist:
    """Make a record durable before any effect after this one is carried out."""

    record: Entered


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message. What it relies on is persisted before it."""

    to: str
    message: Message


@dataclass(frozen=True, slots=True)
class AskVote:
    """Ask the resource manager to prepare and vote; the answer comes as VoteCast."""

    transaction: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the application the decision. Repeated after a recovery."""

    transaction: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Start the transaction's timer anew, replacing one that runs."""

    transaction: str


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Stop the transaction's timer."""

    transaction: str


Effect = Persist | Send | AskVote | Notify | SetTimer | CancelTimer


class CommitError(Exception):
    """An event that cannot be; the core is as it was before."""


class LocalError(CommitError):
    """The program around the core did something that makes no sense here."""


class RemoteError(CommitError):
    """A peer sent what no correct peer sends here."""


FLAWS = {
    "backup_skips_phase1": "a prepared backup commits without first preparing the uncertain ones",
    "uncertain_means_commit": "the termination rule commits when all sites are uncertain",
    "recover_p_commits": "a recovering participant that was prepared commits alone",
    "recover_aborts": "a recovering participant that was uncertain or prepared aborts alone",
    "mixed_means_abort": "the termination rule aborts where some are prepared, some uncertain",
}
"""Departures from the protocol that can be switched on, to see what they break."""


def check_flaws(flaws: frozenset[str]) -> frozenset[str]:
    """The flaws themselves; LocalError where one has no such name."""
    unknown = sorted(flaws - FLAWS.keys())
    if unknown:
        raise LocalError(f"unknown flaws {unknown}, the known ones are {sorted(FLAWS)}")
    return flaws

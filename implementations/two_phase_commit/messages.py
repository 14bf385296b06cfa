"""Messages between coordinator and participants (BHG 7.4). Each belongs to one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Vote(Enum):
    """A participant's answer to a vote request."""

    YES = "yes"
    NO = "no"


class Decision(Enum):
    """The outcome of a transaction."""

    COMMIT = "commit"
    ABORT = "abort"


@dataclass(frozen=True)
class VoteRequest:
    """Coordinator to participant: VOTE-REQ. Names everyone, so that participants can ask peers."""

    transaction: str
    participants: tuple[str, ...]


@dataclass(frozen=True)
class VoteReply:
    """Participant to coordinator: YES or NO."""

    transaction: str
    vote: Vote


@dataclass(frozen=True)
class DecisionNotice:
    """COMMIT or ABORT: from the coordinator, or from whoever was asked and knows."""

    transaction: str
    decision: Decision


@dataclass(frozen=True)
class Acknowledgement:
    """Participant to coordinator: the decision is in my log, you need not remember it for me."""

    transaction: str


@dataclass(frozen=True)
class DecisionRequest:
    """DECISION-REQ: an uncertain process asks the coordinator or a peer."""

    transaction: str


@dataclass(frozen=True)
class Uncertain:
    """The answer of a peer that voted Yes and does not know the decision either."""

    transaction: str


Message: TypeAlias = (
    VoteRequest | VoteReply | DecisionNotice | Acknowledgement | DecisionRequest | Uncertain
)

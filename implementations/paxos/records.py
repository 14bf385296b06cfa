"""Records of the log: what sections 2.2 and 2.5 want in stable storage; and their durable form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from .errors import DamagedRecordError
from .messages import Ballot, Vote


@dataclass(frozen=True)
class BallotRecord:
    """Proposer: I am about to use this ballot, and will use none at or below it again."""

    instance: str
    ballot: Ballot


@dataclass(frozen=True)
class AcceptorRecord:
    """Acceptor: my whole state in an instance. The last one counts."""

    instance: str
    max_bal: Ballot | None
    vote: Vote | None


Record: TypeAlias = BallotRecord | AcceptorRecord

_KINDS: dict[str, type[BallotRecord | AcceptorRecord]] = {
    "ballot": BallotRecord,
    "acceptor": AcceptorRecord,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(record: Record) -> bytes:
    """The record as canonical JSON in UTF-8."""
    fields = {"record": _NAMES[type(record)], **asdict(record)}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def decode(entry: bytes) -> Record:
    """The record that `encode` made this entry of. Raises DamagedRecordError."""
    try:
        fields: dict[str, Any] = json.loads(entry)
        kind = _KINDS[fields.pop("record")]
        if not isinstance(fields["instance"], str):
            raise TypeError("an instance is not a string")
        if kind is BallotRecord:
            fields["ballot"] = _ballot(fields["ballot"])
        else:
            for name, read in (("max_bal", _ballot), ("vote", _vote)):
                fields[name] = None if fields[name] is None else read(fields[name])
        return kind(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecordError(f"not a record: {entry[:80]!r} ({error})") from error


def _ballot(fields: dict[str, Any]) -> Ballot:
    ballot = Ballot(**fields)
    # bool is an int to Python, and no round.
    if type(ballot.round) is not int or not isinstance(ballot.proposer, str):
        raise TypeError("a ballot is not a round and a name")
    return ballot


def _vote(fields: dict[str, Any]) -> Vote:
    vote = Vote(**fields)
    if not isinstance(vote.value, str):
        raise TypeError("a value is not a string")
    return Vote(_ballot(fields["ballot"]), vote.value)

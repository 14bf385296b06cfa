"""Records of a replica's log, and their durable form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from ..paxos.errors import DamagedRecordError
from ..paxos.messages import Ballot
from .messages import Command, Noop, Value


@dataclass(frozen=True)
class PromiseRecord:
    """I take part in nothing below this ballot. A candidate's own ballot is promised too."""

    ballot: Ballot

    @property
    def key(self) -> str:
        """Where the log keeps it."""
        return "promise"


@dataclass(frozen=True)
class VoteRecord:
    """I have accepted this value in this slot; the ballot is promised with it."""

    slot: int
    ballot: Ballot
    value: Value

    @property
    def key(self) -> str:
        """Where the log keeps it."""
        return f"slot {self.slot}"


@dataclass(frozen=True)
class ChosenRecord:
    """A value is chosen. Losing the record costs a question to the others, nothing else."""

    slot: int
    value: Value

    @property
    def key(self) -> str:
        """Where the log keeps it."""
        return f"slot {self.slot}"


@dataclass(frozen=True)
class CheckpointRecord:
    """The application's state after `slot`, and all else that entries up to there said."""

    slot: int
    state: str
    sessions: tuple[tuple[str, int], ...]
    max_bal: Ballot | None

    @property
    def key(self) -> str:
        """Where the log keeps it."""
        return f"checkpoint {self.slot}"


@dataclass(frozen=True)
class VotingRecord:
    """Whether I vote: not, once a disk was lost, for what was promised is lost too."""

    voting: bool

    @property
    def key(self) -> str:
        """Where the log keeps it."""
        return "voting"


Record: TypeAlias = PromiseRecord | VoteRecord | ChosenRecord | CheckpointRecord | VotingRecord

_KINDS: dict[str, type[Any]] = {
    "promise": PromiseRecord,
    "vote": VoteRecord,
    "chosen": ChosenRecord,
    "checkpoint": CheckpointRecord,
    "voting": VotingRecord,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(record: Record) -> bytes:
    """The record as canonical JSON in UTF-8; a no-op is null."""
    fields = {"record": _NAMES[type(record)], **asdict(record)}
    if isinstance(record, VoteRecord | ChosenRecord) and isinstance(record.value, Noop):
        fields["value"] = None
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def decode(entry: bytes) -> Record:
    """The record that `encode` made this entry of. Raises DamagedRecordError."""
    try:
        fields: dict[str, Any] = json.loads(entry)
        kind = _KINDS[fields.pop("record")]
        record: Record = kind(**{name: _READ[name](value) for name, value in fields.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecordError(f"not a record: {entry[:80]!r} ({error})") from error
    return record


def _number(value: Any) -> int:
    # bool is an int to Python, and no number here.
    if type(value) is not int:
        raise TypeError(f"not a number: {value!r}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"neither true nor false: {value!r}")
    return value


def _ballot(value: Any) -> Ballot:
    ballot = Ballot(**value)
    return Ballot(_number(ballot.round), _text(ballot.proposer))


def _value(value: Any) -> Value:
    if value is None:
        return Noop()
    command = Command(**value)
    return Command(_text(command.client), _number(command.sequence), _text(command.operation))


def _sessions(value: Any) -> tuple[tuple[str, int], ...]:
    return tuple((_text(client), _number(sequence)) for client, sequence in value)


_READ = {
    "slot": _number,
    "ballot": _ballot,
    "value": _value,
    "state": _text,
    "sessions": _sessions,
    "max_bal": lambda value: None if value is None else _ballot(value),
    "voting": _truth,
}

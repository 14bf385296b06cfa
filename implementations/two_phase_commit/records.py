"""Records of the log (the "DT log" of BHG 7.4), and their durable form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from .errors import DamagedRecordError
from .messages import Decision


@dataclass(frozen=True)
class StartRecord:
    """Coordinator: start-2PC; under presumed commit the "collecting" record."""

    transaction: str
    participants: tuple[str, ...]


@dataclass(frozen=True)
class YesRecord:
    """Participant: I am about to vote Yes. Says whom to ask after a crash."""

    transaction: str
    coordinator: str
    participants: tuple[str, ...]


@dataclass(frozen=True)
class DecisionRecord:
    """Commit or abort. At the coordinator it names those who are to be told."""

    transaction: str
    decision: Decision
    participants: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndRecord:
    """Coordinator: everybody has acknowledged."""

    transaction: str


Record: TypeAlias = StartRecord | YesRecord | DecisionRecord | EndRecord

_KINDS: dict[str, type[StartRecord | YesRecord | DecisionRecord | EndRecord]] = {
    "start": StartRecord,
    "yes": YesRecord,
    "decision": DecisionRecord,
    "end": EndRecord,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(record: Record) -> bytes:
    """The record as canonical JSON in UTF-8."""
    fields = {"record": _NAMES[type(record)], **asdict(record)}
    if isinstance(record, DecisionRecord):
        fields["decision"] = record.decision.value
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def decode(entry: bytes) -> Record:
    """The record that `encode` made this entry of. Raises DamagedRecordError."""
    try:
        fields: dict[str, Any] = json.loads(entry)
        kind = _KINDS[fields.pop("record")]
        if "decision" in fields:
            fields["decision"] = Decision(fields["decision"])
        if "participants" in fields:
            fields["participants"] = _names(fields["participants"])
        if not all(isinstance(fields[name], str) for name in fields.keys() & _TEXTS):
            raise TypeError("a name is not a string")
        return kind(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecordError(f"not a record: {entry[:80]!r} ({error})") from error


_TEXTS = {"transaction", "coordinator"}


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError("participants are not a list of strings")
    return tuple(value)

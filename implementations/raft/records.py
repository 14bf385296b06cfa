"""Records of the log on disk, and their durable form.

The newest `TermRecord` holds; an `EntriesRecord` replaces the Raft log from `first` on; a
`CheckpointRecord` replaces everything before it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, TypeAlias

from .configuration import Configuration
from .errors import DamagedRecordError
from .messages import Command, Entry, NoOp, Payload, Snapshot


@dataclass(frozen=True)
class TermRecord:
    """currentTerm and votedFor (Figure 2); and what is committed, if configurations wait for that.

    Figure 2 lets a restart forget commitIndex. A server that acts on a configuration only once it
    is committed must not: it would vote in a configuration that others have left behind.
    """

    term: int
    voted_for: str | None
    commit: int = 0


@dataclass(frozen=True)
class EntriesRecord:
    """Entries of the Raft log from index `first` on; what was there and behind is void (5.3)."""

    first: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class CheckpointRecord:
    """All that is durable: written when a snapshot replaces the beginning of the log (7)."""

    term: int
    voted_for: str | None
    snapshot: Snapshot
    entries: tuple[Entry, ...]
    commit: int = 0


Record: TypeAlias = TermRecord | EntriesRecord | CheckpointRecord


def encode(record: Record) -> bytes:
    """The record as canonical JSON in UTF-8."""
    fields: dict[str, object]
    match record:
        case TermRecord(term, voted_for, commit):
            fields = {"record": "term", "term": term, "voted_for": voted_for, "commit": commit}
        case EntriesRecord(first, entries):
            written = [_entry(entry) for entry in entries]
            fields = {"record": "entries", "first": first, "entries": written}
        case CheckpointRecord(term, voted_for, snapshot, entries, commit):
            fields = {
                "record": "checkpoint",
                "term": term,
                "voted_for": voted_for,
                "commit": commit,
                "snapshot": {
                    "last_index": snapshot.last_index,
                    "last_term": snapshot.last_term,
                    "configuration": _configuration(snapshot.configuration),
                    "sessions": snapshot.sessions,
                    "data": b64encode(snapshot.data).decode(),
                },
                "entries": [_entry(entry) for entry in entries],
            }
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def decode(entry: bytes) -> Record:
    """The record that `encode` made this entry of. Raises DamagedRecordError."""
    try:
        fields: dict[str, Any] = json.loads(entry)
        match fields["record"]:
            case "term":
                return TermRecord(
                    _number(fields["term"]), _name(fields["voted_for"]), _number(fields["commit"])
                )
            case "entries":
                return EntriesRecord(_number(fields["first"]), _entries(fields["entries"]))
            case "checkpoint":
                return CheckpointRecord(
                    _number(fields["term"]),
                    _name(fields["voted_for"]),
                    _read_snapshot(fields["snapshot"]),
                    _entries(fields["entries"]),
                    _number(fields["commit"]),
                )
            case other:
                raise ValueError(f"unknown kind {other!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecordError(f"not a record: {entry[:80]!r} ({error})") from error


def _entry(entry: Entry) -> dict[str, object]:
    match entry.payload:
        case Command(data, client, sequence):
            fields: dict[str, object] = {"data": b64encode(data).decode()}
            if client is not None:
                fields |= {"client": client, "sequence": sequence}
        case NoOp():
            fields = {}
        case Configuration():
            fields = {"configuration": _configuration(entry.payload)}
    return {"term": entry.term, **fields}


def _configuration(configuration: Configuration) -> dict[str, object]:
    return {
        "voters": configuration.voters,
        "outgoing": configuration.outgoing,
        "retired": configuration.retired,
    }


def _entries(written: list[dict[str, Any]]) -> tuple[Entry, ...]:
    return tuple(Entry(_number(fields["term"]), _payload(fields)) for fields in written)


def _payload(fields: dict[str, Any]) -> Payload:
    if "configuration" in fields:
        return _read_configuration(fields["configuration"])
    if "data" not in fields:
        return NoOp()
    data = b64decode(fields["data"], validate=True)
    return Command(data, _name(fields.get("client")), _number(fields.get("sequence", 0)))


def _read_configuration(fields: dict[str, Any]) -> Configuration:
    return Configuration(
        _names(fields["voters"]), _names(fields["outgoing"]), _names(fields["retired"])
    )


def _read_snapshot(fields: dict[str, Any]) -> Snapshot:
    return Snapshot(
        _number(fields["last_index"]),
        _number(fields["last_term"]),
        _read_configuration(fields["configuration"]),
        tuple((_text(client), _number(last)) for client, last in fields["sessions"]),
        b64decode(fields["data"], validate=True),
    )


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a number from 0 on")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return value


def _name(value: object) -> str | None:
    return None if value is None else _text(value)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list of names")
    return tuple(_text(name) for name in value)

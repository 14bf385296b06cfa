"""What a site must not forget, and the interface to where it is kept.

A record says which state a transaction has entered. Every record is forced: `append` returns once
it survives a crash, and the core hands out nothing that relies on it before. Forcing the PreCommit
record too is more than BHG ask for; it lets a coordinator without one abort alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from .messages import LocalError, State


class Log(Protocol):
    """An append-only list of entries under keys (transactions) that survives crashes.

    A coordinator and a participant of one site may share one.
    """

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry; with `forced` it is durable on return."""

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries as (key, entry), oldest first."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A transaction entered a state at this site.

    1. The last record of a transaction and role is its durable state.
    2. `coordinator` is the site itself exactly in the coordinator's records.
    3. Both `coordinator` and `participants` are empty where a participant aborted a transaction
       before its VoteRequest came.
    """

    transaction: str
    state: State
    coordinator: str = ""
    participants: tuple[str, ...] = ()


def force(log: Log, entered: Entered) -> None:
    """Add a record and make it durable. Raises what the log raises."""
    fields = {
        "state": entered.state.value,
        "coordinator": entered.coordinator,
        "participants": list(entered.participants),
    }
    log.append(entered.transaction, json.dumps(fields).encode(), forced=True)


def read(log: Log) -> Iterator[Entered]:
    """The records of a log; LocalError at one that this module did not write."""
    for transaction, entry in log.entries():
        try:
            fields = json.loads(entry)
            coordinator, participants = fields["coordinator"], tuple(fields["participants"])
            state = State(fields["state"])
        except (ValueError, KeyError, TypeError) as error:
            raise LocalError(f"not a record of three-phase commit: {entry!r}") from error
        if not _strings((coordinator, *participants)) or state is State.INITIAL:
            raise LocalError(f"not a record of three-phase commit: {entry!r}")
        yield Entered(transaction, state, coordinator, participants)


def _strings(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)

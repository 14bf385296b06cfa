"""What a site must not forget, and the way between Persist effects and a log.

A record says which state a transaction has entered. Every record is to be durable before the
effects after it are carried out. Forcing the PreCommit record too is more than BHG ask for; it
lets a coordinator without one abort alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from .messages import Effect, Entered, LocalError, Persist, State


class RecordLog(Protocol):
    """The part of a log that is needed here; `quorate.implementations.storage` has logs.

    The coordinator and the participant of one site may share one.
    """

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry under a key (a transaction); durable on return if `forced`."""

    def force(self) -> None:
        """Make every entry appended so far durable."""

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries as (key, entry), oldest first."""


def persist(effects: Iterable[Effect], log: RecordLog) -> tuple[Effect, ...]:
    """Write every record among the effects, forcing at most once; returns the other effects.

    The effects of several events may be given together: one force then serves them all.
    """
    rest: list[Effect] = []
    force = False
    for effect in effects:
        if isinstance(effect, Persist):
            log.append(effect.record.transaction, _encode(effect.record), forced=False)
            force = True
        else:
            rest.append(effect)
    if force:
        log.force()
    return tuple(rest)


def load(log: RecordLog) -> tuple[Entered, ...]:
    """All records of a log, oldest first, for `recover`; LocalError at one that is not ours."""
    return tuple(_decode(key, entry) for key, entry in log.entries())


def _encode(entered: Entered) -> bytes:
    fields = {
        "state": entered.state.value,
        "coordinator": entered.coordinator,
        "participants": list(entered.participants),
    }
    return json.dumps(fields).encode()


def _decode(transaction: str, entry: bytes) -> Entered:
    try:
        fields = json.loads(entry)
        coordinator, participants = fields["coordinator"], tuple(fields["participants"])
        state = State(fields["state"])
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"not a record of three-phase commit: {entry!r}") from error
    strings = all(isinstance(name, str) for name in (coordinator, *participants))
    if not strings or state is State.INITIAL:
        raise LocalError(f"not a record of three-phase commit: {entry!r}")
    return Entered(transaction, state, coordinator, participants)

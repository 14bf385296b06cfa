"""Errors of the core. Whatever raises one of these has changed nothing."""

from __future__ import annotations


class ProtocolError(Exception):
    """An event that cannot happen here; the core is as it was before."""


class LocalError(ProtocolError):
    """Our own driver or application broke a rule: the call is a mistake."""


class NotLeaderError(LocalError):
    """Only the leader does this; `leader` is who that is, as far as this server knows."""

    def __init__(self, leader: str | None) -> None:
        super().__init__(f"not the leader; it is {leader!r}" if leader else "no leader is known")
        self.leader = leader


class RemoteError(ProtocolError):
    """No correct server sends this message here: the sender, or the network, is at fault."""


class DamagedRecordError(ProtocolError):
    """An entry of the log is not a record that this version writes, or cannot follow the others."""

"""Errors of the cores. Whatever raises one of these has changed nothing."""

from __future__ import annotations


class ProtocolError(Exception):
    """An event that cannot happen here; the core is as it was before."""


class LocalError(ProtocolError):
    """Our own driver or application broke a rule: the call is a mistake."""


class RemoteError(ProtocolError):
    """No correct process sends this message here: the sender, or the network, is at fault."""


class DamagedRecordError(ProtocolError):
    """An entry of the log is not a record that this version writes."""

"""Leadership transfer: section 3.10 of the dissertation."""

from __future__ import annotations

from .errors import LocalError
from .events import Timer
from .replication import send_timeout_now
from .server import Server


def begin(server: Server, to: str) -> None:
    """Stop taking requests; once `to` has the whole log, tell it to begin an election."""
    if to == server.name or to not in server.configuration.members:
        raise LocalError(f"{to!r} cannot take over: the others are {list(server.peers)}")
    refuse_while_transferring(server)
    server.transferee = to
    server.set_timer(Timer.TRANSFER)
    send_timeout_now(server, to)


def refuse_while_transferring(server: Server) -> None:
    """3.10, step 1: no new requests, so that the log of the next leader can catch up."""
    if server.transferee is not None:
        raise LocalError(f"leadership is being handed to {server.transferee!r}")

"""Changes of the set of servers: chapter 4 of the dissertation. What is allowed, what follows."""

from __future__ import annotations

from .configuration import Configuration
from .errors import LocalError
from .events import AddServer, Reconfigure, RemoveServer
from .options import Flaw, Membership
from .server import Role, Server


def changed(server: Server, event: AddServer | RemoveServer | Reconfigure) -> Configuration:
    """The configuration that a request leads to. Raises LocalError if it has to wait, or cannot."""
    current = server.configuration
    match event:
        case AddServer(name):
            _require(server, Membership.SINGLE)
            if name in current.members:
                raise LocalError(f"{name!r} is a member already")
            new = current.adding(name)
        case RemoveServer(name):
            _require(server, Membership.SINGLE)
            if name not in current.members:
                raise LocalError(f"{name!r} is not a member")
            if len(current.voters) == 1:
                raise LocalError(f"{name!r} is the only member")
            new = current.removing(name)
        case Reconfigure(voters):
            _require(server, Membership.JOINT)
            if not voters:
                raise LocalError("a configuration has at least one voter")
            new = current.entering(voters)
            if new.voters == current.voters:
                raise LocalError("these are the voters already")
    _refuse_retired(server, new)
    _require_quiet(server)
    return new


def _require(server: Server, wanted: Membership) -> None:
    if server.options.membership is not wanted:
        raise LocalError(f"membership is {server.options.membership.value}, not {wanted.value}")


def _refuse_retired(server: Server, new: Configuration) -> None:
    """A blank server of an old name could vote twice: for itself and for what it forgot."""
    again = sorted(new.members & set(new.retired))
    if again and not server.has_flaw(Flaw.IDENTITY_REUSED_AFTER_WIPE):
        raise LocalError(f"retired names are not used again: {again}")


def _require_quiet(server: Server) -> None:
    """One change at a time (4.1), and of one server none before this term has committed something.

    The second is Ongaro's correction of 10 July 2015 on raft-dev: without it the majorities of two
    leaders' changes, each one step from the last committed configuration, need not meet. Joint
    changes need the old majority anyway (4.3).
    """
    late = server.options.configuration_at_apply
    settled = server.last_applied if late else server.commit_index
    if server.configuration_at(server.log.last_index).is_joint or any(
        index > settled for index, _ in server.log.configurations
    ):
        raise LocalError("a change of members is under way")
    joint = server.options.membership is Membership.JOINT
    free = joint or server.has_flaw(Flaw.CONFIG_BEFORE_OWN_TERM_COMMIT)
    if not server.has_own_term_commit and not free:
        raise LocalError("nothing of this term is committed yet")


def follow_up(server: Server) -> Configuration | None:
    """What a leader appends next: with C_old,new committed, C_new (4.3)."""
    late = server.options.configuration_at_apply
    latest = server.configuration_at(server.log.last_index)
    if server.role is not Role.LEADER or not latest.is_joint:
        return None
    return latest.left() if _is_settled(server, late=late) else None


def has_to_retire(server: Server) -> bool:
    """Whether a leader is no member any more, and that is committed (4.2.2)."""
    if server.role is not Role.LEADER or server.name in server.configuration.members:
        return False
    return _is_settled(server, late=False) or server.has_flaw(Flaw.PREMATURE_RETIREMENT)


def _is_settled(server: Server, *, late: bool) -> bool:
    settled = server.last_applied if late else server.commit_index
    return all(index <= settled for index, _ in server.log.configurations)

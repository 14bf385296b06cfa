"""The core: one server of a Raft cluster, as a function from events to effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from . import checks, commitment, election, membership, reads, replication, snapshots, transfer
from .configuration import Configuration
from .effects import Accepted, AlreadyApplied, Effect, Restore
from .errors import DamagedRecordError, LocalError, NotLeaderError
from .events import (
    AddServer,
    ApplyCommitted,
    ClientRequest,
    Clock,
    Compact,
    Event,
    Heartbeat,
    ReadRequest,
    Received,
    Reconfigure,
    RemoveServer,
    Replicate,
    TimedOut,
    Timer,
    TransferLeadership,
)
from .following import on_append_entries
from .log import RaftLog
from .messages import (
    AppendEntries,
    AppendEntriesReply,
    Command,
    Entry,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    RequestVote,
    RequestVoteReply,
    Snapshot,
    TimeoutNow,
)
from .options import Options, Reads
from .records import CheckpointRecord, EntriesRecord, Record, TermRecord
from .server import Role, Server


class Raft:
    """One server's core. `handle` either does the whole step or raises and does nothing."""

    def __init__(self, name: str, voters: Iterable[str], options: Options | None = None) -> None:
        """A server that has never run, a follower in term 0.

        `voters`: the first configuration, the same at every server that is in it; empty for one
        that joins later. The election timer is for the driver to set: `recover` asks for it.
        """
        self._server = Server(name, options or Options(), Configuration.of(voters))

    @classmethod
    def recover(
        cls,
        name: str,
        voters: Iterable[str],
        records: Iterable[Record],
        options: Options | None = None,
        *,
        now: int = 0,
    ) -> tuple[Raft, tuple[Effect, ...]]:
        """The core after a start, the first or another; and what is to be done first.

        `records`: all of its log, oldest first; `now`: what the clock shows. Raises
        DamagedRecordError if they cannot follow one another, or contradict each other.
        """
        core = cls(name, voters, options)
        server = core._server
        server.now = now
        for record in records:
            _replay(server, record)
            if server.options.sticky:
                server.quiet_until = now + server.options.election_timeout  # NOTE(promise)
        if server.log.last_term > server.current_term and server.options.strict:
            raise DamagedRecordError(f"an entry of term {server.log.last_term}, which never began")
        if server.snapshot is not None:
            server.last_applied = server.snapshot.last_index
            server.sessions = dict(server.snapshot.sessions)
            server.effects.append(Restore(server.snapshot))
        server.commit_index = max(server.last_applied, server.commit_index)
        if not server.options.lazy_apply:
            commitment.apply_all(server)
        server.set_timer(Timer.ELECTION)
        return core, core._taken()

    # What it knows

    @property
    def name(self) -> str:
        """The name that messages and configurations use."""
        return self._server.name

    @property
    def current_term(self) -> int:
        """The latest term that this server has seen."""
        return self._server.current_term

    @property
    def voted_for(self) -> str | None:
        """Who has this server's vote in the current term."""
        return self._server.voted_for

    @property
    def log(self) -> tuple[Entry, ...]:
        """The entries behind the snapshot, or behind 0."""
        return self._server.log.entries

    @property
    def last_index(self) -> int:
        """The index of the last entry, in a snapshot or not."""
        return self._server.log.last_index

    @property
    def snapshot(self) -> Snapshot | None:
        """What the beginning of the log was compacted to."""
        return self._server.snapshot

    @property
    def role(self) -> Role:
        """What this server takes itself for."""
        return self._server.role

    @property
    def leader(self) -> str | None:
        """Who leads the current term, as far as this server knows."""
        return self._server.leader

    @property
    def hears_leader(self) -> bool:
        """Whether it has heard from a leader lately, and so elects nobody yet; see 4.2.3."""
        return self._server.hears_leader

    @property
    def commit_index(self) -> int:
        """The last entry known to be committed."""
        return self._server.commit_index

    @property
    def last_applied(self) -> int:
        """The last entry given to the state machine."""
        return self._server.last_applied

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        return self._server.configuration

    @property
    def votes(self) -> tuple[str, ...]:
        """A candidate's votes, in the order in which they came."""
        return self._server.votes

    @property
    def next_index(self) -> Mapping[str, int]:
        """A leader's next entry for each of the others."""
        return {peer: one.next_index for peer, one in self._server.progress.items()}

    @property
    def match_index(self) -> Mapping[str, int]:
        """The last entry that each of the others is known to have, for a leader."""
        return {peer: one.match_index for peer, one in self._server.progress.items()}

    @property
    def sessions(self) -> Mapping[str, int]:
        """The last sequence number applied for each client."""
        return dict(self._server.sessions)

    # Steps

    def handle(self, event: Event) -> tuple[Effect, ...]:
        """Take a step. Raises LocalError or RemoteError, with nothing changed."""
        server = self._server
        match event:
            case Received(sender, message):
                checks.check(server, sender, message)
                self._receive(sender, message)
            case TimedOut(timer):
                self._time_out(timer)
            case Clock(now):
                if now < server.now:
                    raise LocalError(f"the clock went back from {server.now} to {now}")
                server.now = now
            case ApplyCommitted():
                if not server.options.lazy_apply or not commitment.can_apply(server):
                    raise LocalError("nothing waits for being applied")
                commitment.apply_next(server)
            case Compact(index, data):
                snapshots.compact(server, index, data)
            case _:
                self._lead(event)
        self._settle()
        return self._taken()

    def _lead(
        self,
        event: ClientRequest
        | ReadRequest
        | Replicate
        | Heartbeat
        | AddServer
        | RemoveServer
        | Reconfigure
        | TransferLeadership,
    ) -> None:
        """What only a leader does."""
        server = self._server
        if server.role is not Role.LEADER:
            raise NotLeaderError(server.leader)
        match event:
            case ClientRequest():
                self._client_request(event)
            case ReadRequest(number):
                if server.options.reads is Reads.NONE:
                    raise LocalError("reads are off: send a command")
                reads.read(server, number)
                if server.options.eager and number in server.reads:
                    replication.call(server)
                else:
                    reads.begin_round(server)
            case Replicate(to):
                replication.on_request(server, to, entries=True)
            case Heartbeat(to):
                replication.on_request(server, to, entries=False)
            case AddServer() | RemoveServer() | Reconfigure():
                transfer.refuse_while_transferring(server)
                replication.append(server, membership.changed(server, event))
            case TransferLeadership(to):
                transfer.begin(server, to)
            case _:
                assert_never(event)

    def _client_request(self, event: ClientRequest) -> None:
        """5.3: append the command; 8: unless it was executed already."""
        server = self._server
        if event.sequence < 0:
            raise LocalError(f"sequence numbers begin at 0, {event.sequence} does not exist")
        transfer.refuse_while_transferring(server)
        if commitment.is_repetition(server, event.client, event.sequence):
            assert event.client is not None
            server.effects.append(AlreadyApplied(event.client, event.sequence))
            return
        index = replication.append(server, Command(event.data, event.client, event.sequence))
        server.effects.append(Accepted(index, server.current_term))

    def _receive(self, sender: str, message: Message) -> None:
        server = self._server
        match message:
            case RequestVote():
                election.on_request_vote(server, sender, message)
            case RequestVoteReply():
                election.on_request_vote_reply(server, sender, message)
            case AppendEntries():
                on_append_entries(server, sender, message)
            case AppendEntriesReply():
                replication.on_append_entries_reply(server, sender, message)
            case InstallSnapshot():
                snapshots.on_install_snapshot(server, sender, message)
            case InstallSnapshotReply():
                replication.on_install_snapshot_reply(server, sender, message)
            case TimeoutNow():
                election.on_timeout_now(server, message)
            case _:
                assert_never(message)

    def _time_out(self, timer: Timer) -> None:
        server = self._server
        leads = server.role is Role.LEADER
        match timer:
            case Timer.ELECTION if not leads:
                election.time_out(server)
            case Timer.HEARTBEAT if leads:
                replication.on_heartbeat_time_out(server)
            case Timer.QUORUM if leads and server.options.check_quorum:
                election.check_quorum(server)
            case Timer.TRANSFER if leads and server.transferee is not None:
                server.transferee = None
            case _:
                raise LocalError(f"the timer {timer.value} is not set")

    def _settle(self) -> None:
        """Do what follows from what is now committed."""
        server = self._server
        while True:
            if not server.options.lazy_apply:
                commitment.apply_all(server)
            server.align_progress()
            new = membership.follow_up(server)
            if new is None:
                break
            replication.append(server, new)
        if server.role is Role.LEADER and server.options.eager:
            replication.replicate(server)
        if membership.has_to_retire(server):
            server.become_follower(None)
        reads.release(server)
        server.flush()

    def _taken(self) -> tuple[Effect, ...]:
        effects = tuple(self._server.effects)
        self._server.effects.clear()
        return effects


def _replay(server: Server, record: Record) -> None:
    match record:
        case TermRecord(term, voted_for, commit):
            server.current_term = term
            server.voted_for = voted_for
            server.commit_index = commit
        case EntriesRecord(first, entries):
            if not server.log.base_index < first <= server.log.last_index + 1:
                raise DamagedRecordError(
                    f"entries from {first} on cannot follow: the log has"
                    f" {server.log.base_index + 1} to {server.log.last_index}"
                )
            server.log.replace_from(first, entries)
        case CheckpointRecord(term, voted_for, snapshot, entries, commit):
            server.current_term = term
            server.voted_for = voted_for
            server.commit_index = commit
            server.snapshot = snapshot
            server.log = RaftLog(snapshot.last_index, snapshot.last_term, entries)
        case _:
            assert_never(record)

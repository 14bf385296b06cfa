"""What is durable: records, their order, recovery after a crash at each write, kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.implementations.raft import (
    AppendEntries,
    AppendEntriesReply,
    Apply,
    CheckpointRecord,
    ClientRequest,
    Command,
    Compact,
    Configuration,
    DamagedRecordError,
    Effect,
    EntriesRecord,
    Entry,
    Event,
    InstallSnapshot,
    Journal,
    Message,
    NoOp,
    Persist,
    Raft,
    Received,
    Record,
    RequestVote,
    RequestVoteReply,
    Restore,
    Snapshot,
    TermRecord,
    TimedOut,
    Timer,
    decode,
    encode,
)
from quorate.implementations.storage import MemoryLog, SqliteLog
from quorate.tests.implementations.raft.cluster import entry
from quorate.tests.implementations.raft.simulation import Faults, World
from quorate.tests.implementations.raft.test_raft_simulation import VARIANTS

ABC = Configuration.of("abc")
JOINT = ABC.entering("cde")
SNAPSHOT = Snapshot(2, 1, JOINT.left(), (("client", 4),), b"\x00state")
A, B, C = entry(1, "a"), entry(1, "b"), entry(2, "c")
RECORDS: list[Record] = [
    TermRecord(3, None),
    TermRecord(3, "ü", 7),
    EntriesRecord(1, ()),
    EntriesRecord(7, (Entry(1, NoOp()), Entry(2, Command(b"\xff", "client", 3)), Entry(2, JOINT))),
    CheckpointRecord(3, "a", SNAPSHOT, (Entry(2, Command(b"")),)),
]


@pytest.mark.parametrize("record", RECORDS)
def test_records_survive_the_round_trip(record: Record) -> None:
    assert decode(encode(record)) == record


def test_the_durable_form_stays_readable() -> None:
    """Logs outlive versions: these texts must be decoded for ever."""
    texts = [
        b'{"commit":5,"record":"term","term":3,"voted_for":"a"}',
        b'{"entries":[{"data":"Yg==","term":1},{"term":2}],"first":2,"record":"entries"}',
        (
            b'{"commit":2,"entries":[],"record":"checkpoint","snapshot":{"configuration":'
            b'{"outgoing":[],"retired":["x"],"voters":["a"]},"data":"cw==",'
            b'"last_index":2,"last_term":1,"sessions":[["client",4]]},"term":3,"voted_for":null}'
        ),
    ]
    assert [encode(decode(text)) for text in texts] == texts
    assert decode(texts[1]) == EntriesRecord(2, (B, Entry(2, NoOp())))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"record":"maybe"}',
        b'{"commit":0,"record":"term","term":-1,"voted_for":null}',
        b'{"commit":0,"record":"term","term":true,"voted_for":null}',
        b'{"commit":0,"record":"term","term":1,"voted_for":7}',
        b'{"commit":null,"record":"term","term":1,"voted_for":null}',
        b'{"record":"entries","first":1,"entries":[{}]}',
        b'{"record":"entries","first":1,"entries":[{"term":1,"data":"?"}]}',
        b'{"record":"checkpoint","term":1,"voted_for":null,"snapshot":{},"entries":[]}',
    ],
)
def test_a_damaged_entry_is_refused(text: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="not a record"):
        decode(text)


@pytest.mark.parametrize("first", [0, 2, 5])
def test_entries_that_cannot_follow_are_refused(first: int) -> None:
    records: list[Record] = [
        CheckpointRecord(1, None, SNAPSHOT, (C,)),
        EntriesRecord(first, (C,)),
    ]
    with pytest.raises(DamagedRecordError, match="cannot follow"):
        Raft.recover("a", "abc", records)


def test_a_log_of_something_else_is_refused() -> None:
    log = MemoryLog()
    log.append("transaction", b"{}", forced=True)
    with pytest.raises(DamagedRecordError, match="not a generation"):
        Journal(log)


# A server's life, with a record of each kind and for each reason to write one

LIFE: list[Event] = [
    Received("b", AppendEntries(1, 0, 0, (A, B), 1)),
    Received("c", RequestVote(2, 2, 1)),
    Received("c", AppendEntries(2, 1, 1, (C,), 0)),
    TimedOut(Timer.ELECTION),
    Received("b", RequestVoteReply(3, True)),
    ClientRequest(b"x"),
    Received("b", AppendEntriesReply(3, True, 3)),
    Compact(2, b"state"),
    ClientRequest(b"y"),
    Received("c", AppendEntries(4, 2, 2, (), 0)),
    Received("c", InstallSnapshot(4, Snapshot(9, 4, ABC, (), b"more"), 0, True)),
    Received("b", AppendEntries(5, 9, 4, (Entry(5, NoOp()),), 9)),
]

Durable = tuple[int, str | None, int, tuple[Entry, ...], Snapshot | None]


def durable(core: Raft) -> Durable:
    return core.current_term, core.voted_for, core.last_index, core.log, core.snapshot


def recovered(log: MemoryLog | SqliteLog) -> Raft:
    return Raft.recover("a", "abc", Journal(log).load())[0]


def test_recovery_gives_back_what_is_durable_after_every_event() -> None:
    log = MemoryLog()
    core, _ = Raft.recover("a", "abc", ())
    journal = Journal(log)
    for event in LIFE:
        journal.write(core.handle(event))
        log.crash()
        assert durable(recovered(log)) == durable(core), event


def test_every_kind_of_record_is_written() -> None:
    core = Raft("a", "abc")
    kinds = {type(e.record) for event in LIFE for e in core.handle(event) if isinstance(e, Persist)}
    assert kinds == {TermRecord, EntriesRecord, CheckpointRecord}


def test_after_a_crash_at_each_write_the_rest_of_life_goes_on() -> None:
    """What is recovered may be older than the core was, and takes the same messages."""
    writes = [
        (number, part)
        for number, effects in enumerate(_life())
        for part in range(len([e for e in effects if isinstance(e, Persist)]))
    ]
    assert len(writes) == 12
    for crashed, part in writes:
        log = MemoryLog()
        core, journal = Raft("a", "abc"), Journal(log)
        for number, event in enumerate(LIFE[: crashed + 1]):
            records = [e for e in core.handle(event) if isinstance(e, Persist)]
            journal.write(records if number < crashed else records[:part])
        log.crash()
        core = recovered(log)
        before = core.current_term
        for event in LIFE[crashed:]:
            if isinstance(event, Received):
                Journal(log).write(core.handle(event))
        assert core.current_term >= before
        assert durable(recovered(log)) == durable(core)


def _life() -> list[tuple[Effect, ...]]:
    core = Raft("a", "abc")
    return [core.handle(event) for event in LIFE]


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_checkpoint_is_there_whole_or_not_at_all(kept: int) -> None:
    """The crash comes before the checkpoint is forced, with part of it written."""

    class Lazy(MemoryLog):
        def force(self) -> None:
            """Not yet."""

    log = Lazy()
    core, journal = Raft("a", "abc"), Journal(log)
    for event in LIFE[:7]:
        journal.write(core.handle(event))
    MemoryLog.force(log)
    before = durable(core)
    journal.write(core.handle(Compact(2, b"state")))
    assert log.unforced() == 2
    log.crash(kept=kept)
    expected = before if kept == 0 else durable(core)
    assert durable(recovered(log)) == expected
    again = Journal(log)
    again.write((Persist(TermRecord(9, "c"), forced=True),))
    assert recovered(log).voted_for == "c"
    assert recovered(log).log == expected[3]


def test_old_generations_leave_the_log() -> None:
    log = MemoryLog()
    core, journal = Raft("a", "abc"), Journal(log)
    for event in LIFE:
        journal.write(core.handle(event))
    assert {key for key, _ in log.entries()} == {"2"}


def test_recovery_restores_the_state_machine_before_anything_else() -> None:
    core, effects = Raft.recover("a", "abc", [CheckpointRecord(3, "a", SNAPSHOT, (C,))])
    assert effects[0] == Restore(SNAPSHOT)
    assert (core.commit_index, core.last_applied, core.last_index) == (2, 2, 3)
    assert core.sessions == {"client": 4}
    assert core.configuration == SNAPSHOT.configuration


def test_committed_entries_are_applied_again_after_a_crash() -> None:
    core, _ = Raft.recover("a", "abc", [TermRecord(1, None), EntriesRecord(1, (A, B))])
    effects = core.handle(Received("b", AppendEntries(1, 2, 1, (), 2)))
    assert [effect.index for effect in effects if isinstance(effect, Apply)] == [1, 2]


def test_group_commit_forces_once_for_many_events() -> None:
    class Counting(MemoryLog):
        forces = 0

        def force(self) -> None:
            Counting.forces += 1
            super().force()

    log, core = Counting(), Raft("a", "a")
    journal = Journal(log)
    effects = [*core.handle(TimedOut(Timer.ELECTION))]
    for data in (b"x", b"y", b"z"):
        effects += core.handle(ClientRequest(data))
    rest = journal.write(effects)
    assert Counting.forces == 1
    assert not any(isinstance(effect, Persist) for effect in rest)
    assert len([effect for effect in rest if isinstance(effect, Apply)]) == 3


def test_records_that_need_no_force_stay_lazy() -> None:
    log = MemoryLog()
    forced, lazy = (
        Persist(TermRecord(1, "a"), forced=True),
        Persist(TermRecord(2, "b"), forced=False),
    )
    Journal(log).write((lazy, forced, lazy))
    assert len(log.durable()) == 2
    assert len(log.entries()) == 3


class Watched(World):
    """Recovers, at every send, what a crash would leave, and compares it with the message."""

    checked = 0

    def _send(self, sender: str, to: str, message: Message) -> None:
        host = self.hosts[sender]
        crashed = MemoryLog()
        for key, text in host.log.durable():
            crashed.append(key, text, forced=True)
        core, _ = Raft.recover(sender, host.voters, Journal(crashed).load(), self.options)
        if not (isinstance(message, RequestVote) and message.pre_vote):
            promised = isinstance(message, RequestVoteReply) and message.pre_vote
            assert promised or core.current_term >= message.term
        match message:
            case RequestVote(term, index, _, pre_vote=False):
                assert (core.current_term, core.voted_for) == (term, sender)
                assert core.last_index == index
            case RequestVoteReply(term, True, pre_vote=False):
                assert (core.current_term, core.voted_for) == (term, to)
            case AppendEntriesReply(success=True, match_index=match):
                assert core.last_index >= match
            case AppendEntries(prev_log_index=previous, entries=entries):
                assert core.last_index >= previous + len(entries)
            case _:
                pass
        Watched.checked += 1
        super()._send(sender, to, message)


@pytest.mark.parametrize("variant", ["figure 2", "everything"])
def test_no_message_leaves_before_what_it_promises_is_durable(variant: str) -> None:
    for seed in range(2):
        Watched(seed, VARIANTS[variant], 3, Faults()).run(150)
    assert Watched.checked > 100


# On disk


def test_recovery_from_sqlite_after_every_event(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    core = Raft("a", "abc")
    for event in LIFE:
        with SqliteLog(path) as log:
            Journal(log).write(core.handle(event))
        with SqliteLog(path) as log:
            assert durable(recovered(log)) == durable(core), event


VOTES = """
import sys, time
from quorate.implementations.raft import *
from quorate.implementations.storage import SqliteLog
log, core = SqliteLog(sys.argv[1]), Raft("a", "abc")
journal = Journal(log)
journal.write(core.handle(Received("b", AppendEntries(1, 0, 0, (Entry(1, NoOp()),), 0))))
journal.write(core.handle(Received("c", RequestVote(2, 1, 1))))
print("voted", flush=True)
journal.write((Persist(TermRecord(9, None), forced=False),))
time.sleep(600)
"""


def test_a_server_killed_with_sigkill_keeps_its_vote_and_its_log(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", VOTES, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "voted\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    with SqliteLog(path) as log:
        core = recovered(log)
        assert (core.current_term, core.voted_for) == (2, "c")
        assert core.log == (Entry(1, NoOp()),)

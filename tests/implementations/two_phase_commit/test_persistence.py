"""Records on disk: round trip, damage, group commit, and a coordinator killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.implementations.storage import MemoryLog, SqliteLog
from quorate.implementations.two_phase_commit import (
    Coordinator,
    DamagedRecordError,
    Decide,
    Decided,
    Decision,
    DecisionRecord,
    EndRecord,
    Options,
    Persist,
    Presumption,
    Received,
    Record,
    Request,
    Send,
    StartRecord,
    Vote,
    VoteReply,
    YesRecord,
    decode,
    encode,
    load,
    persist,
)

RECORDS: list[Record] = [
    StartRecord("t", ("p1", "p2")),
    YesRecord("t", "c", ("p1", "p2")),
    DecisionRecord("t", Decision.COMMIT, ("p1",)),
    DecisionRecord("ü", Decision.ABORT),
    EndRecord("t"),
]


@pytest.mark.parametrize("record", RECORDS)
def test_records_survive_the_round_trip(record: Record) -> None:
    assert decode(encode(record)) == record


def test_the_durable_form_stays_readable() -> None:
    """Logs outlive versions: this text must be decoded for ever."""
    entry = b'{"decision":"commit","participants":["p1"],"record":"decision","transaction":"t"}'
    assert decode(entry) == DecisionRecord("t", Decision.COMMIT, ("p1",))
    assert encode(decode(entry)) == entry


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"record":"maybe","transaction":"t"}',
        b'{"record":"end"}',
        b'{"record":"end","transaction":7}',
        b'{"record":"end","transaction":"t","more":1}',
        b'{"record":"start","transaction":"t","participants":"p1"}',
        b'{"record":"start","transaction":"t","participants":[1]}',
        b'{"record":"decision","transaction":"t","decision":"perhaps","participants":[]}',
    ],
)
def test_a_damaged_entry_is_refused(entry: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="not a record"):
        decode(entry)


def yes(name: str, transaction: str) -> Received:
    return Received(name, VoteReply(transaction, Vote.YES))


def test_group_commit_forces_once_for_many_decisions() -> None:
    class Counting(MemoryLog):
        forces = 0

        def force(self) -> None:
            Counting.forces += 1
            super().force()

    log, core = Counting(), Coordinator(Options(Presumption.ABORT))
    for transaction in ("t", "u", "v"):
        core.handle(Request(transaction, ("p1",)))
        core.handle(yes("p1", transaction))
    effects = [effect for t in ("t", "u", "v") for effect in core.handle(Decide(t))]
    rest = persist(effects, log)
    assert Counting.forces == 1
    assert [record.transaction for record in load(log)] == ["t", "u", "v"]
    assert rest == tuple(effect for effect in effects if not isinstance(effect, Persist))


def test_records_that_need_no_force_stay_lazy() -> None:
    log = MemoryLog()
    persist([Persist(EndRecord("t"), forced=False)], log)
    assert log.entries()
    assert not log.durable()


COMMITS = """
import sys, time
from quorate.implementations.storage import SqliteLog
from quorate.implementations.two_phase_commit import *
log, core = SqliteLog(sys.argv[1]), Coordinator()
for name in ("decided", "undecided"):
    persist(core.handle(Request(name, ("p1",))), log)
core.handle(Received("p1", VoteReply("decided", Vote.YES)))
persist(core.handle(Decide("decided")), log)
print("decided", flush=True)
time.sleep(600)
"""


def test_a_coordinator_killed_with_sigkill_recovers_what_it_promised(tmp_path: Path) -> None:
    path = tmp_path / "coordinator.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMITS, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "decided\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    with SqliteLog(path) as log:
        core, effects = Coordinator.recover(load(log))
        assert Decided("decided", Decision.COMMIT) in effects
        assert Decided("undecided", Decision.ABORT) in effects
        assert len([effect for effect in effects if isinstance(effect, Send)]) == 2
        assert set(core.transactions) == {"decided", "undecided"}

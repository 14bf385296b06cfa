"""Records on disk: round trip, damage, a crash at each durable write, a replica killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.implementations.multi_paxos import (
    Accept,
    Ballot,
    Checkpoint,
    CheckpointRecord,
    Chosen,
    ChosenRecord,
    Command,
    DamagedRecordError,
    Discard,
    Effect,
    Event,
    Execute,
    Ledger,
    Noop,
    Persist,
    Prepare,
    Promise,
    PromiseRecord,
    Received,
    Record,
    Replica,
    Restore,
    Send,
    SetTimer,
    Snapshot,
    Submit,
    TakeOver,
    Timer,
    Vote,
    VoteRecord,
    VotingRecord,
    decode,
    encode,
    load,
    persist,
)
from quorate.implementations.storage import Log, MemoryLog, SqliteLog

ABC = ("a", "b", "c")
A0, C1 = Ballot(0, "a"), Ballot(1, "c")
ONE, TWO = Command("ü", 1, "add"), Command("ü", 2, "add")
RECORDS: list[Record] = [
    PromiseRecord(A0),
    VoteRecord(3, A0, ONE),
    VoteRecord(3, A0, Noop()),
    ChosenRecord(3, ONE),
    ChosenRecord(3, Noop()),
    CheckpointRecord(3, "state", (("ü", 1),), A0),
    CheckpointRecord(3, "state", (), None),
    VotingRecord(voting=False),
]


@pytest.mark.parametrize("record", RECORDS)
def test_records_survive_the_round_trip(record: Record) -> None:
    assert decode(encode(record)) == record


def test_the_durable_form_stays_readable() -> None:
    """Logs outlive versions: this text must be decoded for ever."""
    entry = (
        b'{"ballot":{"proposer":"a","round":0},"record":"vote","slot":3,'
        b'"value":{"client":"c","operation":"add","sequence":1}}'
    )
    assert decode(entry) == VoteRecord(3, A0, Command("c", 1, "add"))
    assert encode(decode(entry)) == entry


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"record":"maybe"}',
        b'{"record":"promise"}',
        b'{"record":"promise","ballot":null}',
        b'{"record":"promise","ballot":{"round":"1","proposer":"a"}}',
        b'{"record":"promise","ballot":{"round":1,"proposer":"a"},"more":1}',
        b'{"record":"chosen","slot":true,"value":null}',
        b'{"record":"chosen","slot":1,"value":"add"}',
        b'{"record":"chosen","slot":1,"value":{"client":"c","sequence":"1","operation":"add"}}',
        b'{"record":"checkpoint","slot":1,"state":"s","sessions":[["c"]],"max_bal":null}',
        b'{"record":"checkpoint","slot":1,"state":2,"sessions":[],"max_bal":null}',
        b'{"record":"voting","voting":1}',
    ],
)
def test_a_damaged_entry_is_refused(entry: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="not a record"):
        decode(entry)


STEPS: list[Event] = [
    Received("a", Prepare(A0, 1)),
    Received("a", Accept(A0, 1, ONE)),
    Received("a", Accept(A0, 3, TWO)),
    Received("a", Chosen(1, ONE)),
    Checkpoint(1, "after 1"),
    Received("c", Prepare(C1, 2)),
    Received("c", Accept(C1, 3, Noop())),
    Received("c", Accept(Ballot(2, "c"), 4, Noop())),  # without a prepare request before it
    Received("c", Snapshot(2, "after 2", (("ü", 2),))),
    TakeOver(3),
    Received("a", Promise(Ballot(3, "b"), ())),
    Submit(Command("v", 1, "add")),
]


def after(steps: list[Event], log: Log) -> tuple[Replica, tuple[Effect, ...]]:
    """A replica b that took these steps, all but the last on its disk; the last one's effects."""
    core, effects = Replica.recover("b", ABC)
    for step in steps:
        persist(effects, log)
        effects = core.handle(step)
    return core, effects


def as_found(log: MemoryLog | SqliteLog, folder: Path) -> Log:
    """The log as the next process finds it."""
    if isinstance(log, MemoryLog):
        log.crash()
        return log
    for path in folder.glob("b.sqlite*"):
        if path.suffix != ".sqlite-shm":
            (folder / f"copy-{path.name}").write_bytes(path.read_bytes())
    return SqliteLog(folder / "copy-b.sqlite")


def promised(ledger: Ledger) -> object:
    """All of a ledger that others rely on."""
    return ledger.max_bal, ledger.votes, ledger.checkpoint, ledger.voting


@pytest.mark.parametrize("step", range(len(STEPS)))
@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_crash_at_each_write(kind: str, stored: bool, step: int, tmp_path: Path) -> None:
    """Before the write of a step returns, nothing has happened; after it, all but the sends."""
    log = MemoryLog() if kind == "memory" else SqliteLog(tmp_path / "b.sqlite")
    before, _ = after(STEPS[:step], MemoryLog())
    core, effects = after(STEPS[: step + 1], log)
    if stored:
        persist(effects, log)
    else:
        for effect in effects:  # with the log, and never forced
            if isinstance(effect, Persist):
                log.append(effect.record.key, encode(effect.record), forced=False)
    recovered, todo = Replica.recover("b", ABC, load(as_found(log, tmp_path)))
    assert promised(recovered.ledger) == promised((core if stored else before).ledger)
    assert recovered.leadership is None
    assert todo[-1] == SetTimer(Timer.ELECTION)


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_what_depends_on_a_record_leaves_after_it(step: int) -> None:
    """A forced record of a step comes before every message that tells of it."""
    _, effects = after(STEPS[: step + 1], MemoryLog())
    forced = [i for i, e in enumerate(effects) if isinstance(e, Persist) and e.forced]
    telling = [
        i
        for i, e in enumerate(effects)
        if isinstance(e, Send) and type(e.message).__name__ in {"Promise", "Accepted", "Prepare"}
    ]
    assert all(i > j for i in telling for j in forced)


def test_every_prefix_of_what_was_written_is_a_good_log() -> None:
    """The system may write some of what was not forced: also with discards among it."""
    log = MemoryLog()
    core, effects = after(STEPS[:5], log)
    assert any(isinstance(effect, Discard) for effect in effects)
    operations = sum(
        len(effect.keys) if isinstance(effect, Discard) else isinstance(effect, Persist)
        for effect in effects
    )
    lost, _ = after(STEPS[:4], MemoryLog())
    for kept in range(operations + 1):
        log = MemoryLog()
        after(STEPS[:5], log)
        log.force()
        for effect in effects:
            if isinstance(effect, Persist):
                log.append(effect.record.key, encode(effect.record), forced=False)
            elif isinstance(effect, Discard):
                for key in effect.keys:
                    log.discard(key)
        log.crash(kept=kept)
        recovered, _ = Replica.recover("b", ABC, load(log))
        expected = core if kept else lost
        assert promised(recovered.ledger) == promised(expected.ledger)
        assert recovered.ledger.chosen == expected.ledger.chosen


def test_a_replica_executes_again_from_its_checkpoint_on() -> None:
    log = MemoryLog()
    _, effects = after(STEPS[:5], log)
    persist(effects, log)
    core, _ = Replica.recover("b", ABC, load(log))
    persist(core.handle(Received("a", Chosen(2, TWO))), log)
    log.force()
    core, effects = Replica.recover("b", ABC, load(log))
    assert effects == (Restore(1, "after 1"), Execute(2, TWO), SetTimer(Timer.ELECTION))
    assert core.ledger.sessions == {"ü": 2}


def test_losing_what_was_noted_lazily_costs_a_question_only() -> None:
    log = MemoryLog()
    core, effects = Replica.recover("b", ABC)
    persist(core.handle(Received("a", Accept(A0, 1, ONE))), log)
    persist(core.handle(Received("a", Chosen(1, ONE))), log)
    log.crash()
    core, effects = Replica.recover("b", ABC, load(log))
    assert effects == (SetTimer(Timer.ELECTION),)
    assert core.ledger.votes == {1: Vote(A0, ONE)}


def test_a_checkpoint_drops_what_it_stands_for_from_the_log() -> None:
    log = MemoryLog()
    core, effects = after(STEPS[:5], log)
    persist(effects, log)
    log.force()
    kinds = [type(record) for record in load(log)]
    assert sorted(kind.__name__ for kind in kinds) == ["CheckpointRecord", "VoteRecord"]
    assert core.ledger.max_bal == A0


VOTES = """
import sys, time
from quorate.implementations.storage import SqliteLog
from quorate.implementations.multi_paxos import *
log = SqliteLog(sys.argv[1])
core, _ = Replica.recover("b", ("a", "b", "c"))
ballot = Ballot(0, "a")
persist(core.handle(Received("a", Prepare(ballot, 1))), log)
for slot in (1, 2):
    accept = Accept(ballot, slot, Command("c", slot, "add"))
    persist(core.handle(Received("a", accept)), log)
print("voted", flush=True)
time.sleep(600)
"""


def test_a_replica_killed_with_sigkill_keeps_its_votes(tmp_path: Path) -> None:
    path = tmp_path / "replica.sqlite"
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
        core, _ = Replica.recover("b", ABC, load(log))
    assert core.ledger.max_bal == A0
    assert core.ledger.votes == {n: Vote(A0, Command("c", n, "add")) for n in (1, 2)}

"""Records on disk: round trip, damage, a crash at each durable write, an acceptor killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.implementations.paxos import (
    Accept,
    Acceptor,
    AcceptorInstance,
    AcceptorRecord,
    Ballot,
    BallotRecord,
    DamagedRecordError,
    LocalError,
    Persist,
    Prepare,
    Promise,
    Propose,
    Proposer,
    Received,
    Record,
    Send,
    Vote,
    decode,
    encode,
    load,
    persist,
)
from quorate.implementations.storage import Log, MemoryLog, SqliteLog

B1, B2 = Ballot(1, "p"), Ballot(2, "q")
RECORDS: list[Record] = [
    BallotRecord("x", B1),
    AcceptorRecord("x", B1, None),
    AcceptorRecord("ü", B2, Vote(B1, "v")),
    AcceptorRecord("x", None, Vote(B1, "v")),
]


@pytest.mark.parametrize("record", RECORDS)
def test_records_survive_the_round_trip(record: Record) -> None:
    assert decode(encode(record)) == record


def test_the_durable_form_stays_readable() -> None:
    """Logs outlive versions: this text must be decoded for ever."""
    entry = (
        b'{"instance":"x","max_bal":{"proposer":"q","round":2},"record":"acceptor",'
        b'"vote":{"ballot":{"proposer":"p","round":1},"value":"v"}}'
    )
    assert decode(entry) == AcceptorRecord("x", B2, Vote(B1, "v"))
    assert encode(decode(entry)) == entry


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"record":"maybe","instance":"x"}',
        b'{"record":"ballot","instance":"x"}',
        b'{"record":"ballot","instance":7,"ballot":{"round":1,"proposer":"p"}}',
        b'{"record":"ballot","instance":"x","ballot":null}',
        b'{"record":"ballot","instance":"x","ballot":{"round":true,"proposer":"p"}}',
        b'{"record":"ballot","instance":"x","ballot":{"round":1,"proposer":2}}',
        b'{"record":"ballot","instance":"x","ballot":{"round":1}}',
        b'{"record":"ballot","instance":"x","ballot":{"round":1,"proposer":"p"},"more":1}',
        b'{"record":"acceptor","instance":"x","max_bal":null}',
        b'{"record":"acceptor","instance":"x","max_bal":null,"vote":{"value":"v"}}',
        (
            b'{"record":"acceptor","instance":"x","max_bal":null,"vote":'
            b'{"value":1,"ballot":{"round":1,"proposer":"p"}}}'
        ),
    ],
)
def test_a_damaged_entry_is_refused(entry: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="not a record"):
        decode(entry)


def test_a_core_refuses_the_log_of_another() -> None:
    with pytest.raises(LocalError, match="an acceptor's"):
        Proposer.recover("p", ("a",), [AcceptorRecord("x", B1, None)])
    with pytest.raises(LocalError, match="a proposer's"):
        Acceptor.recover("a", (), [BallotRecord("x", B1)])


STEPS = [
    Received("p", Prepare("x", B1)),
    Received("p", Accept("x", B1, "v")),
    Received("q", Prepare("x", B2)),
    Received("q", Accept("x", B2, "w")),
    Received("p", Prepare("y", B1)),
]


@pytest.mark.parametrize("crash", range(len(STEPS)))
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_an_acceptor_crashes_at_each_write(
    kind: str, before: bool, crash: int, tmp_path: Path
) -> None:
    """Before the write returns, nothing of the step has happened; after it, all but the sends."""
    log: MemoryLog | SqliteLog
    log = MemoryLog() if kind == "memory" else SqliteLog(tmp_path / "a.sqlite")
    core = Acceptor("a", ("l",))
    states = [dict(core.instances)]
    for number, step in enumerate(STEPS[: crash + 1]):
        effects = core.handle(step)
        assert isinstance(effects[0], Persist), "stored before any message leaves"
        assert all(isinstance(effect, Send) for effect in effects[1:])
        if number == crash and before:
            # The entry is with the log, but never forced: the crash takes it.
            log.append(effects[0].record.instance, encode(effects[0].record), forced=False)
        else:
            persist(effects, log)
        states.append(dict(core.instances))
    recovered = Acceptor.recover("a", ("l",), load(crashed(log, tmp_path)))
    assert dict(recovered.instances) == states[crash if before else crash + 1]
    after = recovered.handle(STEPS[crash])  # the request comes again, as it may
    assert dict(recovered.instances) == states[crash + 1]
    assert any(isinstance(effect, Send) for effect in after)


def crashed(log: MemoryLog | SqliteLog, folder: Path) -> Log:
    """The log as the next process finds it."""
    if isinstance(log, MemoryLog):
        log.crash()
        return log
    for path in folder.glob("a.sqlite*"):
        if path.suffix != ".sqlite-shm":
            (folder / f"copy-{path.name}").write_bytes(path.read_bytes())
    return SqliteLog(folder / "copy-a.sqlite")


@pytest.mark.parametrize("forced", [True, False])
def test_a_proposer_crashes_at_its_write(forced: bool) -> None:
    log, core = MemoryLog(), Proposer("p", ("a1", "a2"))
    persist(core.handle(Propose("x", "v")), log)
    effects = core.handle(Propose("x", "v"))
    assert isinstance(effects[0], Persist)
    assert effects[0].forced
    log.append("x", encode(effects[0].record), forced=forced)
    log.crash()
    recovered = Proposer.recover("p", ("a1", "a2"), load(log))
    assert recovered.instances["x"].tried == Ballot(1 if forced else 0, "p")
    fresh = recovered.handle(Propose("x", "w"))[0]
    # Not forced: the prepare requests had not left, so the number is still free.
    assert fresh == Persist(BallotRecord("x", Ballot(2 if forced else 1, "p")), forced=True)


def test_group_commit_forces_once_for_many_instances() -> None:
    class Counting(MemoryLog):
        forces = 0

        def force(self) -> None:
            Counting.forces += 1
            super().force()

    log, core = Counting(), Acceptor("a", ("l",))
    effects = [e for x in "xyz" for e in core.handle(Received("p", Prepare(x, B1)))]
    rest = persist(effects, log)
    assert Counting.forces == 1
    assert [record.instance for record in load(log)] == ["x", "y", "z"]
    assert rest == tuple(Send("p", Promise(x, B1, None)) for x in "xyz")


VOTES = """
import sys, time
from quorate.implementations.storage import SqliteLog
from quorate.implementations.paxos import *
log, core = SqliteLog(sys.argv[1]), Acceptor("a", ("l",))
for instance in ("x", "y"):
    persist(core.handle(Received("p", Prepare(instance, Ballot(1, "p")))), log)
persist(core.handle(Received("p", Accept("x", Ballot(1, "p"), "v"))), log)
print("voted", flush=True)
time.sleep(600)
"""


def test_an_acceptor_killed_with_sigkill_keeps_what_it_promised(tmp_path: Path) -> None:
    path = tmp_path / "acceptor.sqlite"
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
        core = Acceptor.recover("a", ("l",), load(log))
        assert dict(core.instances) == {
            "x": AcceptorInstance(B1, Vote(B1, "v")),
            "y": AcceptorInstance(B1, None),
        }

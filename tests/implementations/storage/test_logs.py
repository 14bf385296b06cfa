"""Both logs, one contract: what was forced survives, what was not is lost as a suffix."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate.implementations.storage import Log, MemoryLog, SqliteLog, StorageError


@pytest.fixture(params=["memory", "sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    if request.param == "memory":
        yield MemoryLog()
    else:
        with SqliteLog(tmp_path / "log.sqlite") as opened:
            yield opened


def test_entries_come_back_in_order_whether_forced_or_not(log: Log) -> None:
    log.append("t1", b"yes", forced=True)
    log.append("t2", b"yes", forced=False)
    log.append("t1", b"commit", forced=False)
    assert log.entries() == (("t1", b"yes"), ("t2", b"yes"), ("t1", b"commit"))


def test_discard_drops_every_entry_of_the_key_and_no_other(log: Log) -> None:
    log.append("t1", b"start", forced=False)
    log.append("t2", b"start", forced=False)
    log.append("t1", b"commit", forced=True)
    log.discard("t1")
    assert log.entries() == (("t2", b"start"),)


def test_crash_loses_what_was_not_forced() -> None:
    log = MemoryLog()
    log.append("t", b"a", forced=True)
    log.append("t", b"b", forced=False)
    log.crash()
    assert log.entries() == (("t", b"a"),)


def test_force_makes_all_earlier_entries_durable() -> None:
    log = MemoryLog()
    log.append("t", b"a", forced=False)
    log.append("t", b"b", forced=True)
    assert log.durable() == (("t", b"a"), ("t", b"b"))


def test_crash_may_keep_a_prefix_of_what_was_not_forced() -> None:
    log = MemoryLog()
    log.append("t", b"a", forced=False)
    log.append("u", b"b", forced=False)
    log.crash(kept=1)
    assert log.entries() == (("t", b"a"),)


def test_discard_is_lost_in_a_crash_like_any_other_operation() -> None:
    log = MemoryLog()
    log.append("t", b"a", forced=True)
    log.discard("t")
    log.crash()
    assert log.entries() == (("t", b"a"),)


@pytest.mark.parametrize("kept", [-1, 2])
def test_crash_cannot_keep_what_is_not_there(kept: int) -> None:
    log = MemoryLog()
    log.append("t", b"a", forced=False)
    with pytest.raises(ValueError, match="1 operations are not forced"):
        log.crash(kept=kept)
    assert log.entries() == (("t", b"a"),)


WRITER = """
import sys, time
from quorate.implementations.storage import SqliteLog
log = SqliteLog(sys.argv[1])
log.append("t", b"lazy, then forced", forced=False)
log.append("t", b"forced", forced=True)
log.append("u", b"lazy", forced=False)
log.discard("t")
print("written", flush=True)
time.sleep(600)
"""


def test_sqlite_log_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == "written\n"
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    with SqliteLog(path) as log:
        assert log.entries() == (("t", b"lazy, then forced"), ("t", b"forced"))


def test_sqlite_log_syncs_on_commit(tmp_path: Path) -> None:
    with SqliteLog(tmp_path / "log.sqlite") as log:
        connection = log._connection
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_closing_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SqliteLog(path) as log:
        log.append("t", b"lazy", forced=False)
    log.close()  # a second time: nothing happens
    with SqliteLog(path) as log:
        assert log.entries() == (("t", b"lazy"),)


def test_a_second_process_cannot_open_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SqliteLog(path), pytest.raises(StorageError, match="locked"):
        SqliteLog(path)


def test_a_foreign_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE accounts (id)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a log of ours"):
        SqliteLog(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to have a header " * 50)
    with pytest.raises(StorageError, match="not a database"):
        SqliteLog(path)


def test_a_log_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    SqliteLog(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=7")
    connection.close()
    with pytest.raises(StorageError, match="version 7"):
        SqliteLog(path)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open"):
        SqliteLog(tmp_path / "missing" / "log.sqlite")


def test_using_a_closed_log_is_an_error(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.close()
    with pytest.raises(StorageError, match="closed"):
        log.append("t", b"a", forced=True)

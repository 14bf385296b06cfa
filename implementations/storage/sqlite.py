"""A log in one SQLite file that survives `kill -9` and loss of power."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from .log import StorageError

_APPLICATION_ID = 0x51756F72  # "Quor": tells our files from other SQLite files
_VERSION = 1


class SqliteLog:
    """A `Log` in a SQLite file, for one process at a time.

    An entry that is not forced waits in an open transaction, so a crash loses it. Forcing commits:
    with `synchronous=FULL` the write-ahead log is synced to the device before `commit` returns.
    Every method raises StorageError when SQLite fails.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            self._open()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._failure(error) from error
        except StorageError:
            self._connection.close()
            raise

    def append(self, key: str, entry: bytes, *, forced: bool) -> None:
        """Add an entry; see `Log.append`."""
        self._execute("INSERT INTO log (key, entry) VALUES (?, ?)", (key, entry))
        if forced:
            self.force()

    def force(self) -> None:
        """Commit the open transaction; returns once it is on the device."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """All entries, oldest first, those not yet durable included."""
        try:
            rows = self._connection.execute("SELECT key, entry FROM log ORDER BY position")
            return tuple((str(key), bytes(entry)) for key, entry in rows)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def discard(self, key: str) -> None:
        """Drop all entries of a key."""
        self._execute("DELETE FROM log WHERE key = ?", (key,))

    def close(self) -> None:
        """Force what is pending and release the file. A second call does nothing."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except sqlite3.ProgrammingError:
            return  # closed before
        except sqlite3.Error as error:
            raise self._failure(error) from error
        finally:
            self._connection.close()

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; after an error too, because what is pending was appended before it."""
        self.close()

    def _open(self) -> None:
        run = self._connection.execute
        # Two processes appending to one log would each recover the other's transactions.
        run("PRAGMA locking_mode=EXCLUSIVE")
        found = run("PRAGMA application_id").fetchone()[0]
        empty = run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not empty and found != _APPLICATION_ID:
            raise StorageError(f"{self._path}: this SQLite file is not a log of ours")
        mode = run("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise StorageError(f"{self._path}: no write-ahead log here (journal mode {mode})")
        run("PRAGMA synchronous=FULL")
        run("PRAGMA fullfsync=ON")  # macOS: flush the device's own cache too
        run("BEGIN IMMEDIATE")
        version = run("PRAGMA user_version").fetchone()[0]
        if not empty and version != _VERSION:
            run("ROLLBACK")
            raise StorageError(
                f"{self._path}: log version {version}, this code reads version {_VERSION}"
            )
        run(
            "CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY AUTOINCREMENT,"
            " key TEXT NOT NULL, entry BLOB NOT NULL)"
        )
        run("CREATE INDEX IF NOT EXISTS log_key ON log (key)")
        run(f"PRAGMA application_id={_APPLICATION_ID}")
        run(f"PRAGMA user_version={_VERSION}")
        run("COMMIT")

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> StorageError:
        return StorageError(f"{self._path}: {error}")

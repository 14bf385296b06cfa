"""Durable logs for the protocol cores: in memory for tests and replay, SQLite for use."""

from .log import Log, StorageError
from .memory import MemoryLog
from .sqlite import SqliteLog

__all__ = ["Log", "MemoryLog", "SqliteLog", "StorageError"]

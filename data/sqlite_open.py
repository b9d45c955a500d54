"""SQLite connections that stay open between transactions, each of one file and one process.

Opening one takes a dozen small calls, and at each of them a thread gives the interpreter's lock away: with twenty readers
at once these waits were a sixth of all work and most of the slowest answers (docs/results/pages.md).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

OPEN = 8  # kept at most; more are opened while more are needed at once


def kept(target: sa.Engine | sa.Pool, path: str) -> None:
    """Let no connection outlive its file's name or its process: after a restore or a fork the next one is a new one."""

    def opened(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["of"] = _whose(path)

    def taken(_: DBAPIConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        if entry.info.get("of") != _whose(path):
            raise sa.exc.DisconnectionError(f"{path} is another file now")

    sa.event.listen(target, "connect", opened)
    sa.event.listen(target, "checkout", taken)


class Reader:
    """Plain connections to one file that only read, kept open; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = sa.QueuePool(self._open, pool_size=OPEN, max_overflow=-1)
        kept(self._pool, str(path))

    @contextlib.contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        held = self._pool.connect()
        try:
            yield cast("sqlite3.Connection", held.dbapi_connection)
        finally:
            held.close()

    def _open(self) -> Any:  # noqa: ANN401 (sqlite3.Connection, which SQLAlchemy's own types do not take for one)
        return sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)


def _whose(path: str) -> tuple[int, int, int] | None:
    """The process and the file; an inode is not given to another file while a connection holds it."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return None
    return os.getpid(), found.st_dev, found.st_ino

"""Fact files that are no longer current but that some rollup's cells still reflect: the old side of a difference."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

KEPT_GENERATIONS = 10_000  # a rollup further behind than this is made day by day, so nothing is kept for ever

DDL = """
CREATE TABLE IF NOT EXISTS former (
  path TEXT PRIMARY KEY, store TEXT NOT NULL, name TEXT NOT NULL, day INTEGER NOT NULL, rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, columns TEXT NOT NULL, generation INTEGER NOT NULL,
  gone INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS former_floor (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO former_floor SELECT 1, n FROM generation;
"""
_COLUMNS = "path, store, name, day, rows, bytes, sha256, columns, generation"


def keep(db: sqlite3.Connection, paths: Iterable[str], generation: int) -> None:
    """Note that these current fact files are replaced by a commit of `generation`."""
    statement = (
        f"INSERT OR REPLACE INTO former SELECT {_COLUMNS}, ? FROM files WHERE path = ? AND store = 'facts'"  # noqa: S608 (our own column names)
    )
    db.executemany(statement, [(generation, p) for p in paths])


def files_at(db: sqlite3.Connection, generation: int) -> list[tuple[Any, ...]] | None:
    """Rows of the fact files that were current at a generation; None where some of them may be forgotten."""
    if generation < int(db.execute("SELECT n FROM former_floor").fetchone()[0]):
        return None
    query = (
        f"SELECT {_COLUMNS} FROM files WHERE store = 'facts' AND generation <= ?"  # noqa: S608 (our own column names)
        f" UNION ALL SELECT {_COLUMNS} FROM former WHERE generation <= ? AND gone > ?"
    )
    return list(db.execute(query, (generation, generation, generation)))


def paths(db: sqlite3.Connection) -> set[str]:
    return {str(r[0]) for r in db.execute("SELECT path FROM former")}


def forget(db: sqlite3.Connection) -> None:
    """Drop the files that every rollup's cells have left behind; a sweep may then delete them."""
    now = int(db.execute("SELECT n FROM generation").fetchone()[0])
    (oldest,) = db.execute("SELECT min(CAST(mark AS INTEGER)) FROM refreshes").fetchone()
    past = max(now if oldest is None else int(oldest), now - KEPT_GENERATIONS)
    db.execute("DELETE FROM former WHERE gone <= ?", (past,))
    db.execute("UPDATE former_floor SET n = max(n, ?)", (past,))

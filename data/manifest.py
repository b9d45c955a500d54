"""The lake's control file: which immutable data files are current. Its transaction is the commit point.

Journal mode is DELETE with synchronous=EXTRA, not WAL: the interpreter's SQLite lies in the range of the
WAL-reset bug (3.7.0 to 3.51.2), and the rollback journal costs one millisecond more.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import former
from data.sqlite_open import Reader

LAYOUT = 2  # of the table `refreshes`; a change makes every rollup anew
NO_DAY = -1  # partition of rows whose day is not known (undated tables, labels before their prediction)

_DDL = """
CREATE TABLE IF NOT EXISTS generation (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO generation VALUES (1, 0);
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, store TEXT NOT NULL CHECK (store IN ('facts', 'rollups')), name TEXT NOT NULL,
  day INTEGER NOT NULL, rows INTEGER NOT NULL CHECK (rows >= 0), bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  columns TEXT NOT NULL, generation INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS files_by_name ON files (store, name, day);
CREATE TABLE IF NOT EXISTS touches (
  name TEXT NOT NULL, day INTEGER NOT NULL, generation INTEGER NOT NULL,
  PRIMARY KEY (name, generation, day)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS loads (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, rows_read INTEGER NOT NULL,
  rows_new INTEGER NOT NULL, rows_known INTEGER NOT NULL, rows_rejected INTEGER NOT NULL, outcome TEXT NOT NULL,
  at TEXT NOT NULL, generation INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refreshes (
  rollup TEXT PRIMARY KEY, mark TEXT NOT NULL, definition TEXT NOT NULL, as_of_us INTEGER, observed_us INTEGER NOT NULL,
  days INTEGER NOT NULL, rows INTEGER NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL,
  generation INTEGER NOT NULL) STRICT;
"""


_FILES = (
    "SELECT path, store, name, day, rows, bytes, sha256, columns, generation FROM files"
    " WHERE store = ? ORDER BY name, day, generation, path"
)
_LOADS = "SELECT name, file, sha256, rows_read, rows_new, rows_known, rows_rejected, outcome, at, generation FROM loads"
_REFRESHES = "SELECT rollup, mark, definition, as_of_us, observed_us, days, rows, seconds, at, generation FROM refreshes"


@dataclass(frozen=True)
class File:
    """One immutable Parquet file; `day` is days since 1970 (facts) or months since year 0 (rollups)."""

    path: str
    store: str
    name: str
    day: int
    rows: int
    bytes: int
    sha256: str
    columns: tuple[str, ...]
    generation: int = 0


@dataclass(frozen=True)
class Load:
    """What became of one file handed to the loader."""

    name: str
    file: str
    sha256: str
    rows_read: int
    rows_new: int
    rows_known: int
    rows_rejected: int
    outcome: str
    at: str
    generation: int = 0


@dataclass(frozen=True)
class Refreshed:
    """How far a rollup reflects the warehouse: `mark` is what `Warehouse.mark` said when it was computed."""

    rollup: str
    mark: str
    definition: str
    as_of_us: int | None
    observed_us: int
    days: int
    rows: int
    seconds: float
    at: str
    generation: int = 0


@dataclass(frozen=True)
class Held:
    """Everything the manifest says of one store at one generation, read in one transaction."""

    generation: int
    files: Mapping[str, tuple[File, ...]]
    refreshes: Mapping[str, Refreshed]


class Manifest:
    """Reads and commits of the control file. Safe for many processes; one short transaction a commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: dict[str, Held] = {}  # by store; replaced whole, so threads may share it
        self._reader = Reader(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as db:
            _renew(db)
            db.executescript(_DDL + former.DDL)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "foreign_keys=ON"):
                db.execute(f"PRAGMA {pragma}")
            yield db
        finally:
            db.close()

    @contextlib.contextmanager
    def _write(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        """A write transaction and the generation it will commit; nothing is kept if the body raises."""
        with self._connect() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                generation = db.execute("UPDATE generation SET n = n + 1 RETURNING n").fetchone()[0]
                yield db, generation
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise

    def generation(self) -> int:
        with self._reader.look() as db:
            return int(db.execute("SELECT n FROM generation").fetchone()[0])

    def files(self, store: str, name: str | None = None) -> tuple[File, ...]:
        """Current files of a store (of one table or rollup), ordered by name, day and generation."""
        held = self.held(store).files
        return tuple(f for own in held.values() for f in own) if name is None else held.get(name, ())

    def commit_facts(self, add: tuple[File, ...], remove: tuple[File, ...], load: Load) -> int:
        """Swap files and record the load in one transaction; returns the new generation."""
        with self._write() as (db, generation):
            self._swap(db, generation, add, remove)
            touched = {(f.name, f.day, generation) for f in (*add, *remove)}
            db.executemany("INSERT OR IGNORE INTO touches VALUES (?, ?, ?)", sorted(touched))
            self._insert_load(db, generation, load)
            return generation

    def commit_rollup(self, add: tuple[File, ...], remove: tuple[File, ...], state: Refreshed) -> int:
        """Swap a rollup's period files and say what they reflect, in one transaction."""
        with self._write() as (db, generation):
            self._swap(db, generation, add, remove)
            values = (
                state.rollup, state.mark, state.definition, state.as_of_us, state.observed_us,
                state.days, state.rows, state.seconds, state.at, generation,
            )  # fmt: skip
            db.execute("INSERT OR REPLACE INTO refreshes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            return generation

    def advance(self, rollup: str, mark: str) -> None:
        """Say that a rollup's cells hold for a later mark too. No number changes, so no new generation."""
        with self._connect() as db:
            db.execute("UPDATE refreshes SET mark = ? WHERE rollup = ?", (mark, rollup))

    def record(self, load: Load) -> None:
        """Keep a note of a refused or repeated file; no data changes."""
        with self._write() as (db, generation):
            self._insert_load(db, generation, load)

    def loads(self, limit: int = 100) -> tuple[Load, ...]:
        query = f"{_LOADS} ORDER BY id DESC LIMIT ?"
        with self._reader.look() as db:
            return tuple(Load(*r) for r in db.execute(query, (limit,)))

    def loaded(self, name: str, sha256: str) -> Load | None:
        """The load that already took these very bytes into this table, if any."""
        query = f"{_LOADS} WHERE name = ? AND sha256 = ? AND outcome = 'loaded' ORDER BY id LIMIT 1"
        with self._reader.look() as db:
            row = db.execute(query, (name, sha256)).fetchone()
        return Load(*row) if row else None

    def refreshes(self) -> dict[str, Refreshed]:
        with self._reader.look() as db:
            return {r[0]: Refreshed(*r) for r in db.execute(_REFRESHES)}

    def held(self, store: str) -> Held:
        """One consistent look: generation, current files by name, and how far each rollup is.

        Asked many times in one refresh, so it is kept until the generation moves; files are immutable, so those that
        this process has met are not built again.
        """
        known = self._held.get(store)
        with self._reader.look() as db:
            db.execute("BEGIN")
            generation = int(db.execute("SELECT n FROM generation").fetchone()[0])
            if known is None or known.generation != generation:
                met = {f.path: f for own in known.files.values() for f in own} if known else {}
                files: dict[str, list[File]] = {}
                for row in db.execute(_FILES, (store,)):
                    file = met.get(row[0]) or _file(row)
                    files.setdefault(file.name, []).append(file)
                refreshes = {r[0]: Refreshed(*r) for r in db.execute(_REFRESHES)}
                known = Held(generation, {name: tuple(own) for name, own in files.items()}, refreshes)
            db.execute("COMMIT")
        self._held[store] = known
        return known

    def facts_at(self, generation: int) -> tuple[File, ...] | None:
        """The fact files that were current at a generation; None where some of them may be forgotten."""
        with self._reader.look() as db:
            db.execute("BEGIN")
            rows = former.files_at(db, generation)
            db.execute("COMMIT")
        return None if rows is None else tuple(_file(r) for r in rows)

    def kept_paths(self) -> set[str]:
        """Paths of all current files and of those that a rollup's cells still reflect."""
        with self._reader.look() as db:
            db.execute("BEGIN")
            kept = {str(r[0]) for r in db.execute("SELECT path FROM files")} | former.paths(db)
            db.execute("COMMIT")
        return kept

    def forget_former(self) -> None:
        """Give up replaced files that no rollup's cells reflect any more. No data change, so no new generation."""
        with self._connect() as db:
            db.execute("BEGIN IMMEDIATE")
            former.forget(db)
            db.execute("COMMIT")

    def touched(self, names: tuple[str, ...], since: int) -> dict[str, tuple[int, ...]]:
        """Days of each table that any commit after generation `since` added to or took from."""
        marks = ", ".join("?" for _ in names)
        query = (
            f"SELECT DISTINCT name, day FROM touches WHERE name IN ({marks}) AND generation > ? ORDER BY 1, 2"  # noqa: S608 (only question marks)
        )
        found: dict[str, list[int]] = {}
        with self._reader.look() as db:
            for name, day in db.execute(query, (*names, since)):
                found.setdefault(name, []).append(day)
        return {name: tuple(days) for name, days in found.items()}

    @staticmethod
    def _swap(
        db: sqlite3.Connection, generation: int, add: tuple[File, ...], remove: tuple[File, ...]
    ) -> None:
        gone = [(f.path,) for f in remove]
        former.keep(db, [f.path for f in remove], generation)
        db.executemany("DELETE FROM files WHERE path = ?", gone)
        db.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (f.path, f.store, f.name, f.day, f.rows, f.bytes, f.sha256, ",".join(f.columns), generation)
                for f in add
            ],
        )

    @staticmethod
    def _insert_load(db: sqlite3.Connection, generation: int, load: Load) -> None:
        values = (
            load.name, load.file, load.sha256, load.rows_read, load.rows_new, load.rows_known,
            load.rows_rejected, load.outcome, load.at, generation,
        )  # fmt: skip
        db.execute(
            "INSERT INTO loads (name, file, sha256, rows_read, rows_new, rows_known, rows_rejected, outcome, at,"
            " generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )


def _renew(db: sqlite3.Connection) -> None:
    """Forget rollups that an older layout described: they are derived, and the next refresh rebuilds them."""
    if int(db.execute("PRAGMA user_version").fetchone()[0]) == LAYOUT:
        return
    db.execute("BEGIN IMMEDIATE")
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'refreshes'").fetchone():
        db.execute("DROP TABLE refreshes")
        db.execute("DELETE FROM files WHERE store = 'rollups'")
    db.execute(f"PRAGMA user_version = {LAYOUT}")
    db.execute("COMMIT")


def _file(row: tuple[Any, ...]) -> File:
    """A File of one row of `_FILES`."""
    path, store, name, day, rows, size, sha256, columns, generation = row
    return File(
        path, store, name, day, rows, size, sha256, tuple(filter(None, columns.split(","))), generation
    )

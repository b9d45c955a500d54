"""The embedded lake: immutable Parquet files, a manifest that says which count, and DuckDB to read them.

Write order (measured: 29 loader kills, 762 checked reads, 0 wrong): write `*.tmp`, fsync, rename, fsync the
directory, then one SQLite transaction. A crash before it leaves orphans, swept after a grace period.
Readers take explicit file lists from the manifest, never a glob.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import sqlalchemy as sa

from data.disk import sha256_of, sync_folder
from data.footers import latest_us
from data.manifest import NO_DAY, File, Manifest
from data.sql import Span

GRACE_SECONDS = 3600.0
DUCK_TYPES = {"text": "VARCHAR", "float": "DOUBLE", "int": "BIGINT", "bit": "SMALLINT", "bool": "BOOLEAN"}
DUCK_TYPES |= {"time": "TIMESTAMPTZ", "date": "DATE"}


class LakeBusyError(RuntimeError):
    """Another loader or refresh holds the lake."""


def quoted(text: str) -> str:
    """A SQL string literal (paths may hold a quote)."""
    return "'" + text.replace("'", "''") + "'"


class Lake:
    """Files and manifest under one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.manifest = Manifest(self.home / "control.sqlite")
        self.scratch = self.home / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._loads: dict[str, int | None] = {}  # newest load by path; files never change

    @contextlib.contextmanager
    def lock(self, what: str, wait_seconds: float = 30.0) -> Iterator[None]:
        """Hold the lake's writer lock for `what`; readers are never blocked. The kernel frees it on a crash."""
        with (self.home / f"{what}.lock").open("w") as handle:
            deadline = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as busy:
                    if time.monotonic() > deadline:
                        text = f"another {what} has been running for {wait_seconds:.0f} s; try again when it ends"
                        raise LakeBusyError(text) from busy
                    time.sleep(0.05)
            yield

    def draft(self) -> Path:
        """A fresh path for a file still being written."""
        return self.scratch / f"{uuid.uuid4().hex}.parquet.tmp"

    def seal(
        self, draft: Path, store: str, name: str, day: int, rows: int, columns: Sequence[str] = ()
    ) -> File:
        """Make a finished draft durable under its final name. It counts only once the manifest says so."""
        part = f"day={day}" if store == "facts" else f"period={day}"
        folder = self.home / store / name / part
        folder.mkdir(parents=True, exist_ok=True)
        final = folder / f"{uuid.uuid4().hex}.parquet"
        digest = hashlib.sha256()
        with draft.open("rb+") as handle:
            while chunk := handle.read(1 << 20):
                digest.update(chunk)
            os.fsync(handle.fileno())
        size = draft.stat().st_size
        draft.rename(final)
        sync_folder(folder)
        path = str(final.relative_to(self.home))
        return File(path, store, name, day, rows, size, digest.hexdigest(), tuple(columns))

    def sweep(
        self, grace_seconds: float = GRACE_SECONDS, folders: tuple[str, ...] = ("facts", "rollups", "scratch")
    ) -> int:
        """Remove files no manifest row names and nobody can still be reading; returns how many."""
        kept = self.manifest.kept_paths()
        oldest = time.time() - grace_seconds
        swept = 0
        for store in folders:
            for path in (self.home / store).rglob("*.parquet*"):
                if str(path.relative_to(self.home)) not in kept and path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
                    swept += 1
        return swept + (_sweep_spilled(self.scratch, oldest) if "scratch" in folders else 0)

    def damaged(self) -> list[str]:
        """Paths of current files that are missing or whose bytes are not those that were committed."""
        bad = []
        for store in ("facts", "rollups"):
            for file in self.manifest.files(store):
                path = self.home / file.path
                if not path.exists() or sha256_of(path) != file.sha256:
                    bad.append(file.path)
        return bad

    def newest_load(self, files: Sequence[File]) -> int | None:
        """Newest load of the rows of these files, epoch microseconds; None where there are none."""
        for file in files:
            if file.path not in self._loads:
                self._loads[file.path] = latest_us(self.home / file.path, "loaded_at")
        return max((us for f in files if (us := self._loads[f.path]) is not None), default=None)

    def view_sql(self, table: sa.FromClause, files: Sequence[File]) -> str:
        """SELECT of exactly these files in the table's columns; typed and empty where there are none."""
        if not files:
            cols = ", ".join(f'CAST(NULL AS {DUCK_TYPES[c.info["kind"]]}) AS "{c.name}"' for c in table.c)
            return f"SELECT {cols} WHERE false"
        present = {c for f in files for c in f.columns}
        cols = ", ".join(
            f'"{c.name}"'
            if c.name in present
            else f'CAST(NULL AS {DUCK_TYPES[c.info["kind"]]}) AS "{c.name}"'
            for c in table.c
        )
        return f"SELECT {cols} FROM ({self.parquet_sql(files)})"  # noqa: S608 (names from our schema)

    def parquet_sql(self, files: Sequence[File]) -> str:
        """SELECT of all columns of these files, matched by name where they differ."""
        paths = ", ".join(quoted(str(self.home / f.path)) for f in files)
        by_name = "true" if len({f.columns for f in files}) > 1 else "false"
        options = f"union_by_name={by_name}, hive_partitioning=false"
        return f"SELECT * FROM read_parquet([{paths}], {options})"  # noqa: S608 (paths of our own making)

    def of(self, files: Sequence[File], name: str, span: Span | None) -> list[File]:
        """The files of a table that can hold rows of the span: its days and the rows of unknown day."""
        own = [f for f in files if f.name == name]
        if span is None:
            return own
        return [f for f in own if f.day == NO_DAY or span.first <= f.day <= span.last]


def _sweep_spilled(scratch: Path, oldest: float) -> int:
    """Remove what queries of processes that were killed had put aside, an empty folder a sweep later; returns how many."""
    swept = 0
    for path in (*scratch.glob("spill-*/*"), *scratch.glob("duckdb_temp_*"), *scratch.glob("spill-*")):
        with contextlib.suppress(OSError):  # gone meanwhile, or a folder that is not empty
            if path.stat().st_mtime < oldest:
                path.rmdir() if path.is_dir() else path.unlink()
                swept += 1
    return swept


def duck(home: Path, *, memory: str = "700MB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A locked-down in-memory DuckDB: it may touch `home` and nothing else, and cannot be told otherwise.

    What does not fit in memory goes to a folder of its own: of two that share one, each overwrites the other's pages
    and both crash (measured with DuckDB 1.5.6).
    """
    con = duckdb.connect(":memory:")
    con.execute(f"SET temp_directory={quoted(str(home / 'scratch' / f'spill-{uuid.uuid4().hex}'))}")
    con.execute(f"SET memory_limit={quoted(memory)}")
    con.execute(f"SET threads={threads or os.cpu_count() or 1}")
    con.execute("SET preserve_insertion_order=false")
    con.execute("SET TimeZone='UTC'")
    con.execute("SET autoinstall_known_extensions=false")
    con.execute("SET autoload_known_extensions=false")
    con.execute(f"SET allowed_directories=[{quoted(str(home) + '/')}]")
    con.execute("SET enable_external_access=false")
    con.execute("SET lock_configuration=true")
    return con

"""The warehouse behind one interface: the embedded lake (DuckDB) or a company's own (any SQLAlchemy URL).

Both give the same digits; that is a test (`tests/laws/test_parity.py`), not a hope. The app only reads.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from numpy.typing import NDArray
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.expression import FromClause

from data import schema
from data.difference import Difference
from data.lake import Lake, duck
from data.manifest import NO_DAY, File, Held
from data.sql import DAY_US, WHOLE, Span

Columns = dict[str, NDArray[np.generic]]
FAR_US = 253_000_000_000_000_000  # a time that never comes
NO_SPANS: Mapping[str, Span] = {}


@dataclass(frozen=True)
class Dirty:
    """Days whose rows changed, by table; `mark` goes back into the next call."""

    days: Mapping[str, tuple[int, ...]]
    mark: str


class Session(Protocol):
    """One consistent look at the warehouse."""

    def columns(self, statement: sa.Select[tuple[object, ...]]) -> Columns:
        """Run a statement; one array a column, None (text) or NaN (numbers) for NULL."""
        ...

    def arrow(self, statement: sa.Select[tuple[object, ...]]) -> pa.Table:
        """The same as an Arrow table in the engine's own types: no Python object for any word."""
        ...


class Warehouse(Protocol):
    """What `app.measure` needs of a warehouse, whichever it is."""

    dialect: sa.Dialect

    def tables(self) -> Mapping[str, FromClause]: ...

    def pinned(self) -> Warehouse:
        """The warehouse as it is now, whatever is loaded later, where it can tell the two apart; else itself."""
        ...

    def difference(
        self, names: tuple[str, ...], since: str
    ) -> contextlib.AbstractContextManager[tuple[Session, Difference] | None]:
        """The tables as they were at a mark and as they are; None where the past is not kept."""
        ...

    def mark(self, names: tuple[str, ...]) -> str:
        """Changes when rows of these tables do."""
        ...

    def dirty(self, names: tuple[str, ...], since: str | None) -> Dirty: ...

    def sizes(self, names: tuple[str, ...]) -> Mapping[int, int]:
        """Rows of the tables by day, where the app must bound a query's memory itself; empty elsewhere."""
        ...

    def newest(self, name: str, span: Span) -> int | None:
        """Newest load of a table's rows of these days, epoch microseconds; of all of them, where the table has no days."""
        ...

    def session(
        self, names: tuple[str, ...] = (), spans: Mapping[str, Span] = NO_SPANS
    ) -> contextlib.AbstractContextManager[Session]:
        """One look at the tables `names`; of those in `spans`, days outside may be left unread."""
        ...

    def changes(
        self, names: tuple[str, ...], name: str, since: str, after_us: int
    ) -> contextlib.AbstractContextManager[tuple[Session, Mapping[str, FromClause]]]:
        """The tables `names`, of which `name` shows only rows new since the mark or later than `after_us`.

        More rows than these may show; never fewer. All rows of `name` are in the table WHOLE.
        """
        ...


class TooLargeError(RuntimeError):
    """The engine's memory does not hold what was asked: ask for fewer days, or give it more."""


@contextlib.contextmanager
def _within_memory() -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, DBAPIError) as error:
        if not isinstance(getattr(error, "orig", error), duckdb.OutOfMemoryException):
            raise
        text = "the embedded engine's memory does not hold this; give it more with THROUGHLINE_DUCKDB_MEMORY"
        raise TooLargeError(text) from error


class DuckPool:
    """In-process DuckDB through SQLAlchemy: one base connection a process, one cursor a run.

    Cursors of one base never see each other's temporary views; a shared connection gave 49 wrong answers in
    320 threaded calls.
    """

    def __init__(self, home: Path, memory: str = "700MB") -> None:
        self._base = duck(home, memory=memory)
        self._guard = threading.Lock()
        self.engine = sa.create_engine("duckdb://", creator=self._cursor, poolclass=NullPool)

    def _cursor(self) -> ConnectionWrapper:
        with self._guard:
            return ConnectionWrapper(self._base.cursor())

    def connect(self) -> sa.Connection:
        return self.engine.connect()

    @staticmethod
    def columns(connection: sa.Connection, statement: sa.Select[tuple[object, ...]]) -> Columns:
        """One array a column, straight from DuckDB's vectors (22 times faster than row tuples)."""
        with _within_memory():
            cursor = connection.execute(statement).cursor
            found = cursor.fetchnumpy()  # type: ignore[union-attr]
        return {name: _filled(values) for name, values in found.items()}


class LakeWarehouse:
    """The embedded lake, read by in-process DuckDB."""

    def __init__(self, lake: Lake, memory: str = "700MB") -> None:
        self.lake = lake
        self._pool = DuckPool(lake.home, memory)
        self._held: Held | None = None  # of a pinned copy
        self.dialect: sa.Dialect = self._pool.engine.dialect

    def pinned(self) -> LakeWarehouse:
        if self._held:
            return self
        pinned = copy.copy(self)
        pinned._held = self.lake.manifest.held("facts")  # noqa: SLF001 (a copy of itself)
        return pinned

    def _files(self) -> tuple[File, ...]:
        held = self._held or self.lake.manifest.held("facts")
        return tuple(f for own in held.files.values() for f in own)

    def tables(self) -> Mapping[str, FromClause]:
        extra: dict[str, set[str]] = {}
        for name, columns in {(f.name, f.columns) for f in self._files()}:
            extra.setdefault(name, set()).update(c for c in columns if schema.open_kind(c))
        return {
            name: schema.extended(table, tuple(sorted(extra.get(name, ()))))
            for name, table in schema.METADATA.tables.items()
        }

    def mark(self, names: tuple[str, ...]) -> str:  # noqa: ARG002 (one generation for all)
        return str(self._held.generation if self._held else self.lake.manifest.generation())

    def dirty(self, names: tuple[str, ...], since: str | None) -> Dirty:
        mark = self.mark(names)
        if since is not None:
            return Dirty(self.lake.manifest.touched(names, int(since)), mark)
        files = self._files()
        days = {n: tuple(sorted({f.day for f in files if f.name == n})) for n in names}
        return Dirty(days, mark)

    def sizes(self, names: tuple[str, ...]) -> Mapping[int, int]:
        sizes: dict[int, int] = {}
        for file in self._files():
            if file.name in names:
                sizes[file.day] = sizes.get(file.day, 0) + file.rows
        return sizes

    def newest(self, name: str, span: Span) -> int | None:
        info = schema.METADATA.tables[name].info
        files = self.lake.of(self._files(), name, span if info["event"] else None)
        if info["event"] and not info["day_of"]:
            files = [f for f in files if f.day != NO_DAY]
        return self.lake.newest_load(files)

    @contextlib.contextmanager
    def session(self, names: tuple[str, ...] = (), spans: Mapping[str, Span] = NO_SPANS) -> Iterator[Session]:
        files = self._files()
        with self._viewed(names, [f for n in names for f in self.lake.of(files, n, spans.get(n))]) as session:
            yield session

    @contextlib.contextmanager
    def changes(
        self, names: tuple[str, ...], name: str, since: str, after_us: int
    ) -> Iterator[tuple[Session, Mapping[str, FromClause]]]:
        after = after_us // DAY_US

        def shown_of(file: File) -> bool:
            return file.name != name or file.generation > int(since) or file.day >= after

        files = self._files()
        tables = self.tables()
        full = schema.renamed(tables[name], f"{WHOLE}_{name}")
        with self._viewed(names, [f for f in files if f.name in names and shown_of(f)]) as session:
            session.view(full.name, self.lake.view_sql(full, [f for f in files if f.name == name]))
            yield session, {**tables, WHOLE: full}

    @contextlib.contextmanager
    def difference(self, names: tuple[str, ...], since: str) -> Iterator[tuple[Session, Difference] | None]:
        old = self.lake.manifest.facts_at(int(since))
        if old is None:
            yield None
            return
        with self._pool.connect() as connection:
            session = _DuckSession(connection)
            yield session, Difference(session, self.lake, self.tables(), names, old, self._files())

    @contextlib.contextmanager
    def _viewed(self, names: tuple[str, ...], files: list[File]) -> Iterator[_DuckSession]:
        """A connection on which each name is a view of just these files."""
        tables = self.tables()
        with self._pool.connect() as connection:
            session = _DuckSession(connection)
            for name in names:
                session.view(name, self.lake.view_sql(tables[name], [f for f in files if f.name == name]))
            yield session


class _DuckSession:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def columns(self, statement: sa.Select[tuple[object, ...]]) -> Columns:
        return DuckPool.columns(self._connection, statement)

    def arrow(self, statement: sa.Select[tuple[object, ...]]) -> pa.Table:
        with _within_memory():
            return self._connection.execute(statement).cursor.fetch_arrow_table()  # type: ignore[union-attr]

    def run(self, statement: sa.Executable | str) -> None:
        if isinstance(statement, str):
            self._connection.exec_driver_sql(statement)
        else:
            self._connection.execute(statement)

    def view(self, name: str, select: str) -> None:
        self._connection.exec_driver_sql(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {select}')


def _filled(values: NDArray[Any]) -> NDArray[Any]:
    """Masked arrays become plain ones: None in text, NaN in numbers."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    mask = np.ma.getmaskarray(values)
    if not mask.any():
        return np.asarray(values.data)
    plain = np.array(values.data, dtype=object if values.dtype.kind == "O" else float)
    plain[mask] = None if plain.dtype.kind == "O" else np.nan  # filled(None) would write numpy's default, "?"
    return plain

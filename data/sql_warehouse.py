"""A company's own warehouse behind a SQLAlchemy URL. Read only: the role it connects with needs no more."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.sql.expression import FromClause

from data import schema
from data.dialects import engine_at
from data.engines import NO_SPANS, Columns, Dirty, Session
from data.manifest import NO_DAY
from data.sql import WHOLE, Facts, Instant, Span, day_number, micros

LOOK_BACK = dt.timedelta(days=1)  # transactions that became visible after a later one had set the watermark
LAST_US = 253_000_000_000_000_000  # the last time that a timestamp can say


@dataclass
class _Look:
    """What one pinned copy has asked the warehouse for so far, so that it asks once."""

    tables: Mapping[str, FromClause] | None = None
    newest: dict[str, int | None] = field(default_factory=dict)


class SqlWarehouse:
    """A company's own warehouse behind a SQLAlchemy URL; tables or views in `schema_name`."""

    def __init__(self, url: str, schema_name: str | None = None) -> None:
        self._schema = schema_name
        self._engine = engine_at(url, pool_pre_ping=True, pool_size=4)
        self.dialect: sa.Dialect = self._engine.dialect
        self._look: _Look | None = None  # of a pinned copy

    def tables(self) -> Mapping[str, FromClause]:
        if self._look is None:
            return self._tables()
        if self._look.tables is None:
            self._look.tables = self._tables()
        return self._look.tables

    def _tables(self) -> Mapping[str, FromClause]:
        held = self._held()
        return {
            name: self._as_held(table, held.get(name, [])) for name, table in schema.METADATA.tables.items()
        }

    def _held(self) -> Mapping[str, list[str]]:
        """Columns of each of our tables that the company has, as a table or a view of any kind."""
        inspector, names = sa.inspect(self._engine), list(schema.METADATA.tables)
        if self.dialect.name == "postgresql":
            # In one question; the two lists below hold none of its materialised views.
            found = inspector.get_multi_columns(schema=self._schema, filter_names=names, kind=ObjectKind.ANY)
            return {name: [c["name"] for c in columns] for (_, name), columns in found.items()}
        held = {*inspector.get_table_names(self._schema), *inspector.get_view_names(self._schema)}
        return {n: [c["name"] for c in inspector.get_columns(n, self._schema)] for n in names if n in held}

    def _as_held(self, table: sa.Table, held: list[str]) -> FromClause:
        """The table as the company holds it; columns it does not have are NULL of the right type."""
        extra = tuple(sorted(c for c in held if schema.open_kind(c)))
        full = schema.extended(table, extra).to_metadata(sa.MetaData(), schema=self._schema)  # type: ignore[arg-type]
        if not held:
            return (
                sa.select(*(sa.cast(sa.null(), c.type).label(c.name) for c in full.c))
                .where(sa.false())
                .subquery(table.name)
            )
        missing = [c for c in full.c if c.name not in held]
        if not missing:
            return full
        cols = [c if c.name in held else sa.cast(sa.null(), c.type).label(c.name) for c in full.c]
        return sa.select(*cols).select_from(full).subquery(table.name)

    def pinned(self) -> SqlWarehouse:
        """Itself, which looks up its tables and their newest loads once each, when they are first asked for.

        A watermark that looks back a day makes up for rows that arrive meanwhile.
        """
        if self._look is not None:
            return self
        held = copy.copy(self)
        held._look = _Look()  # noqa: SLF001 (a copy of itself)
        return held

    @contextlib.contextmanager
    def difference(self, names: tuple[str, ...], since: str) -> Iterator[None]:  # noqa: ARG002 (the interface)
        yield None  # what a company's tables held before is gone

    def mark(self, names: tuple[str, ...]) -> str:
        return json.dumps(self._newest(names), sort_keys=True)

    def _newest(self, names: tuple[str, ...]) -> dict[str, int]:
        """Newest load of each table that has rows, epoch microseconds."""
        known = self._look.newest if self._look is not None else {}
        asked = [n for n in names if n not in known]
        if asked:
            tables = self.tables()
            with self.session() as session:
                found = {n: session.columns(_newest(tables[n]))["newest"].astype(float)[0] for n in asked}
            known.update({n: None if np.isnan(us) else int(us) for n, us in found.items()})
        return {n: us for n in names if (us := known[n]) is not None}

    def newest(self, name: str, span: Span) -> int | None:
        info, table = schema.METADATA.tables[name].info, self.tables()[name]
        dated = info["event"] and not info["day_of"]
        days = Facts({}, span=span).within(table.c[info["event"]]) if dated else sa.true()
        with self.session() as session:
            us = session.columns(_newest(table, days))["newest"].astype(float)
        return None if np.isnan(us[0]) else int(us[0])

    def dirty(self, names: tuple[str, ...], since: str | None) -> Dirty:
        seen: dict[str, int] = json.loads(since) if since else {}
        newest = self._newest(names)  # before the days: a row that arrives in between is seen again next time
        tables = self.tables()
        days: dict[str, tuple[int, ...]] = {}
        with self.session() as session:
            for name in newest:
                found = session.columns(_changed_days(tables, name, seen.get(name)))["day"].astype(float)
                days[name] = tuple(sorted(NO_DAY if np.isnan(d) else int(d) for d in found))
        return Dirty({n: d for n, d in days.items() if d}, json.dumps(seen | newest, sort_keys=True))

    def sizes(self, names: tuple[str, ...]) -> Mapping[int, int]:  # noqa: ARG002 (the interface)
        return {}  # a company's own engine bounds its memory itself

    @contextlib.contextmanager
    def session(
        self,
        names: tuple[str, ...] = (),  # noqa: ARG002 (the interface)
        spans: Mapping[str, Span] = NO_SPANS,  # noqa: ARG002
    ) -> Iterator[Session]:
        with self._engine.connect() as connection:
            if self.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield _SqlSession(connection)

    @contextlib.contextmanager
    def changes(
        self, names: tuple[str, ...], name: str, since: str, after_us: int
    ) -> Iterator[tuple[Session, Mapping[str, FromClause]]]:
        tables = dict(self.tables())
        table, event = tables[name], schema.METADATA.tables[name].info["event"]
        tables[WHOLE] = table
        seen = json.loads(since).get(name)
        if seen is not None:
            tests = [_loaded_after(table, seen)]
            if event:
                after = dt.datetime.fromtimestamp(min(after_us, LAST_US) / 1e6, dt.UTC)
                tests.append(table.c[event] > sa.literal(after, Instant()))
            tables[name] = sa.select(table).where(sa.or_(*tests)).subquery(name)
        with self.session(names) as session:
            yield session, tables


class _SqlSession:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def columns(self, statement: sa.Select[tuple[object, ...]]) -> Columns:
        return columns_of(self._connection, statement)

    def arrow(self, statement: sa.Select[tuple[object, ...]]) -> pa.Table:
        return pa.table(columns_of(self._connection, statement))


def columns_of(connection: sa.Connection, statement: sa.Select[Any]) -> Columns:
    """Run a statement; one array a column, None (text) or NaN (numbers) for NULL."""
    result = connection.execute(statement)
    names = list(result.keys())
    rows = result.fetchall()
    texts = {c.name for c in statement.selected_columns if isinstance(c.type, sa.String)}
    return {name: _array([r[i] for r in rows], text=name in texts) for i, name in enumerate(names)}


def _newest(table: FromClause, where: sa.ColumnElement[bool] | None = None) -> sa.Select[tuple[int]]:
    rows = sa.select(micros(table.c.loaded_at).label("us"))
    inner = (rows if where is None else rows.where(where)).subquery()
    return sa.select(sa.func.max(inner.c.us).label("newest"))


def _changed_days(tables: Mapping[str, FromClause], name: str, since: int | None) -> sa.Select[tuple[int]]:
    """Days of the rows loaded since the watermark less the look-back, or of all rows."""
    info = schema.METADATA.tables[name].info
    table = tables[name]
    event = info["event"]
    source: FromClause = table
    if info["day_of"]:
        parent_name, key = info["day_of"]
        parent = tables[parent_name]
        event_column = parent.c[schema.METADATA.tables[parent_name].info["event"]]
        source = table.outerjoin(parent, table.c[key] == parent.c[key])
    elif event:
        event_column = table.c[event]
    else:
        event_column = sa.cast(sa.null(), sa.TIMESTAMP(timezone=True))  # type: ignore[assignment]
    inner = sa.select(micros(event_column).label("us")).select_from(source)
    if since is not None:
        inner = inner.where(_loaded_after(table, since))
    rows = inner.subquery()
    days = sa.select(day_number(rows.c.us).label("day")).subquery()
    return sa.select(days.c.day).distinct()


def _loaded_after(table: FromClause, since_us: int) -> sa.ColumnElement[bool]:
    after = dt.datetime.fromtimestamp(since_us / 1e6, dt.UTC) - LOOK_BACK
    return table.c.loaded_at > sa.literal(after, Instant())


def _array(values: list[object], *, text: bool) -> NDArray[np.generic]:
    """A column of a driver's rows as an array: None in text, NaN for NULL in numbers, whole numbers kept whole."""
    if text:
        return np.array(values, dtype=object)
    if values and all(isinstance(v, int) for v in values):
        return np.array(values, dtype=np.int64)
    return np.array([np.nan if v is None else float(v) for v in values])  # type: ignore[arg-type]

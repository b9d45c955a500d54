"""The portable seam between a metric's SELECT and an engine: time as microseconds, and the facts of one run.

Pure expressions; nothing here opens a connection. Rules of the portable subset: `shared/field/warehouse.md`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler, TypeCompiler
from sqlalchemy.sql.expression import ColumnElement, FromClause
from sqlalchemy.sql.functions import FunctionElement

DAY_US = 86_400_000_000
WHOLE = "whole"  # all rows of a table whose own name shows only the changed ones (`Warehouse.changes`)
EPOCH = dt.date(1970, 1, 1)
_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# The year 2200: later times than any row's, which all engines can still say.
_LATEST_US = 7_258_118_400_000_000
UNDONE = ("reverted_at", "reversed_at")  # columns that say when a row ceased to hold


class micros(FunctionElement[int]):  # noqa: N801 (reads as a SQL function)
    """Epoch microseconds (BIGINT, UTC) of a timestamp column. Belongs in the innermost subquery."""

    type = sa.BigInteger()
    inherit_cache = True
    name = "micros"


@compiles(micros)
def _duckdb(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    return f"epoch_us({compiler.process(element.clauses, **kw)})"


@compiles(micros, "postgresql")
def _postgresql(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    return f"CAST(extract(epoch from {compiler.process(element.clauses, **kw)}) * 1000000 AS BIGINT)"


@compiles(micros, "databricks")
@compiles(micros, "bigquery")
def _unix_micros(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    return f"unix_micros({_as_time(element, compiler, **kw)})"


def _as_time(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    (of,) = element.clauses  # these engines' functions take no date
    return compiler.process(sa.cast(of, sa.TIMESTAMP()) if isinstance(of.type, sa.Date) else of, **kw)


@compiles(micros, "clickhousedb")
@compiles(micros, "clickhouse")
def _clickhouse(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    return f"toUnixTimestamp64Micro(toDateTime64({compiler.process(element.clauses, **kw)}, 6, 'UTC'))"


@compiles(sa.TIMESTAMP, "clickhousedb")
def _clickhouse_time(type_: sa.TIMESTAMP, compiler: TypeCompiler, **kw: object) -> str:  # noqa: ARG001 (its form)
    """Its own TIMESTAMP holds whole seconds of the session's zone."""
    return "DateTime64(6, 'UTC')"


@compiles(micros, "trino")
def _trino(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    return f"CAST(round(to_unixtime({_as_time(element, compiler, **kw)}) * 1000000) AS BIGINT)"


@compiles(micros, "snowflake")
def _snowflake(element: micros, compiler: SQLCompiler, **kw: object) -> str:
    return f"date_part(epoch_microsecond, {compiler.process(element.clauses, **kw)})"


class from_micros(FunctionElement[dt.datetime]):  # noqa: N801 (reads as a SQL function)
    """The timestamp of epoch microseconds, on engines that read no timestamp from text or driver unharmed."""

    type = sa.TIMESTAMP(timezone=True)
    inherit_cache = True
    name = "from_micros"


# Elsewhere the driver hands a time over as a time, and the function is nothing but its argument.
_TIMES_AS_MICROS = {
    "databricks": "timestamp_micros({})",
    "bigquery": "timestamp_micros({})",
    "clickhousedb": "fromUnixTimestamp64Micro({}, 'UTC')",
    "trino": "from_unixtime_nanos({} * 1000)",
    "snowflake": "to_timestamp_tz({}, 6)",
}


@compiles(from_micros)
def _from_micros(element: from_micros, compiler: SQLCompiler, **kw: object) -> str:
    return _TIMES_AS_MICROS.get(compiler.dialect.name, "{}").format(compiler.process(element.clauses, **kw))


class time_at(FunctionElement[dt.datetime]):  # noqa: N801 (reads as a SQL function)
    """The timestamp of a column of epoch microseconds, on every engine."""

    type = sa.TIMESTAMP(timezone=True)
    inherit_cache = True
    name = "time_at"


_TIME_AT = _TIMES_AS_MICROS | {
    "duckdb": "make_timestamptz({})",
    "postgresql": "(TIMESTAMPTZ 'epoch' + {} * INTERVAL '1 microsecond')",
}


@compiles(time_at)
def _time_at(element: time_at, compiler: SQLCompiler, **kw: object) -> str:
    return _TIME_AT[compiler.dialect.name].format(compiler.process(element.clauses, **kw))


class Instant(sa.types.TypeDecorator[dt.datetime]):
    """An aware time as a bound value: the driver's own kind where that is exact, else epoch microseconds."""

    impl = sa.TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        counted = dialect.name in _TIMES_AS_MICROS
        return dialect.type_descriptor(sa.BigInteger() if counted else sa.TIMESTAMP(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | int | None:
        if value is None or dialect.name not in _TIMES_AS_MICROS:
            return value
        return min((value - _START) // dt.timedelta(microseconds=1), _LATEST_US)

    process_literal_param = process_bind_param  # type: ignore[assignment]  # the literal's own type writes it

    def bind_expression(self, bindparam: sa.BindParameter[dt.datetime]) -> ColumnElement[dt.datetime]:
        return from_micros(bindparam)


class number_in(FunctionElement[float]):  # noqa: N801 (reads as a SQL function)
    """The number that a text holds, NULL where it holds none. Takes a plain text column."""

    type = sa.Double()
    inherit_cache = True
    name = "number_in"


# What every engine reads alike: digits in reason, a point, an exponent; never underscores, hexadecimals or names.
_NUMBER = "^[-+]{0,1}([0-9]{1,30}([.][0-9]{0,30}){0,1}|[.][0-9]{1,30})([eE][-+]{0,1}[0-9]{1,2}){0,1}$"


@compiles(number_in)
@compiles(number_in, "duckdb")
def _number_duckdb(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    text = compiler.process(element.clauses, **kw)
    # What begins with a letter is no number, and a cast that fails costs ten times one that does not.
    return f"CASE WHEN {text} >= ':' OR contains({text}, '_') THEN NULL ELSE TRY_CAST({text} AS DOUBLE) END"


@compiles(number_in, "postgresql")
def _number_postgresql(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {text} ~ '{_NUMBER}' THEN CAST({text} AS DOUBLE PRECISION) END"


@compiles(number_in, "clickhousedb")
@compiles(number_in, "clickhouse")
def _number_clickhouse(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"CASE WHEN match({text}, '{_NUMBER}') THEN toFloat64OrNull({text}) END"


@compiles(number_in, "databricks")
def _number_databricks(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    text = compiler.process(
        element.clauses, **kw
    )  # a cast alone takes Java's words, such as 1.5f and Infinity
    return f"CASE WHEN {text} RLIKE '{_NUMBER}' THEN try_cast({text} AS DOUBLE) END"


@compiles(number_in, "trino")
def _number_try(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    return f"try_cast({compiler.process(element.clauses, **kw)} AS DOUBLE)"


@compiles(number_in, "snowflake")
def _number_snowflake(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    return f"try_to_double({compiler.process(element.clauses, **kw)})"


@compiles(number_in, "bigquery")
def _number_bigquery(element: number_in, compiler: SQLCompiler, **kw: object) -> str:
    return f"safe_cast({compiler.process(element.clauses, **kw)} AS float64)"


def real(value: float) -> ColumnElement[float]:
    """A typed constant: untyped ones become DECIMAL on Spark and fail (field notes, rule 2)."""
    return sa.literal_column(repr(float(value)), sa.Double())


def double(column: ColumnElement[Any]) -> ColumnElement[float]:
    return sa.cast(column, sa.Double)


def whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    return sa.cast(column, sa.BigInteger)


def day_number(us: ColumnElement[int]) -> ColumnElement[int]:
    """Days since 1970-01-01 of epoch microseconds, on every engine (no date functions, no floor division)."""
    return whole(sa.func.floor(double(us) / real(DAY_US)))


def day_of(date: dt.date) -> int:
    return (date - EPOCH).days


def date_of(day: int) -> dt.date:
    return EPOCH + dt.timedelta(days=int(day))


@dataclass(frozen=True)
class Span:
    """Whole UTC days, `first` to `last`, both included (days since 1970-01-01)."""

    first: int
    last: int

    def start(self) -> dt.datetime:
        return dt.datetime.combine(date_of(self.first), dt.time(), dt.UTC)

    def end(self) -> dt.datetime:
        return dt.datetime.combine(date_of(self.last + 1), dt.time(), dt.UTC)


Limit = tuple[str, str, int]  # a dimension, one value of it, and the last day that counts of that value


@dataclass(frozen=True)
class Facts:
    """What a rollup's SELECT may read in one run.

    `tables` are the warehouse's tables, already cut to what was known at `as_of`. `dims` are the resolved
    slicing columns to keep. `span` bounds the days asked for, `where` pins dimensions (name, value).
    `observed_us` is how far the sources are complete (epoch microseconds), where the rollup asks for it.
    `rows` are the rows of a table by day, where the table itself shows only some of them.
    `limits` are last days of single values of a dimension (name, value, day), for rollups that keep to them.
    """

    tables: Mapping[str, FromClause]
    dims: tuple[str, ...] = ()
    span: Span | None = None
    where: tuple[tuple[str, str], ...] = field(default=())
    observed_us: int = 0
    rows: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()

    def __getitem__(self, name: str) -> FromClause:
        return self.tables[name]

    def within(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Rows of the span, as a plain range on the timestamp column (an index or a partition can serve it)."""
        if self.span is None:
            return sa.true()
        bounds = (_utc(self.span.start()), _utc(self.span.end()))
        return sa.and_(column >= bounds[0], column < bounds[1])

    def pinned(self, table: FromClause) -> ColumnElement[bool]:
        """The `where` of the scope, for those dimensions that are columns of `table`."""
        tests = [table.c[name] == value for name, value in self.where if name in table.c]
        return sa.and_(sa.true(), *tests)

    def limited(self, table: FromClause, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Rows of `table` up to the last day of their group, told by its timestamp `column`."""
        tests = [
            sa.or_(table.c[name].is_(None), table.c[name] != value, column < _utc(Span(day, day).end()))
            for name, value, day in self.limits
        ]
        return sa.and_(sa.true(), *tests)


def _utc(time: dt.datetime) -> ColumnElement[dt.datetime]:
    return sa.literal(time, Instant())


def known_at(table: FromClause, as_of: dt.datetime | None) -> FromClause:
    """`table` as it was known at `as_of`; rows that never say when they were loaded were always known.

    What was undone later still held then: a merge reverted after `as_of` has no `reverted_at` in this view.
    """
    if as_of is None:
        return table
    loaded = table.c.loaded_at
    undone = {n: sa.case((table.c[n] <= _utc(as_of), table.c[n])).label(n) for n in UNDONE if n in table.c}
    kept = sa.select(*(undone.get(c.name, c) for c in table.c)).where(
        sa.or_(loaded.is_(None), loaded <= _utc(as_of))
    )
    return kept.subquery(table.name if isinstance(table, sa.Table) else None)

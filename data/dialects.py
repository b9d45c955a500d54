"""The engines whose SQL the app can write, and a statement's text in their words, without a server.

`run` says whether the tests run every rollup there and compare the digits; the others are compiled and parsed only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.sql import functions

from data import sql_paths


@dataclass(frozen=True)
class Engine:
    """One engine: its name for the user, SQLAlchemy's entry point, sqlglot's grammar, the package that knows it."""

    name: str
    entry: str
    grammar: str
    package: str
    run: bool


ENGINES = (
    Engine("duckdb", "duckdb", "duckdb", "duckdb-sqlalchemy", run=True),
    Engine("postgresql", "postgresql.psycopg", "postgres", "psycopg", run=True),
    Engine("spark", "databricks.spark", "spark", "databricks-sqlalchemy", run=True),
    Engine("clickhouse", "clickhousedb", "clickhouse", "clickhouse-connect", run=True),
    Engine("databricks", "databricks", "databricks", "databricks-sqlalchemy", run=False),
    Engine("trino", "trino", "trino", "trino", run=False),
    Engine("snowflake", "snowflake", "snowflake", "snowflake-sqlalchemy", run=False),
    Engine("bigquery", "bigquery", "bigquery", "sqlalchemy-bigquery", run=False),
)
NAMES = tuple(e.name for e in ENGINES)

# ClickHouse reads NULL and UNION as other engines do only when told to; no other dialect knows the option.
OPTIONS = {"settings": {"join_use_nulls": 1, "cast_keep_nullable": 1, "union_default_mode": "DISTINCT"}}

sql_paths.teach()
registry.register("databricks.spark", "data.spark", "SparkDialect")


def engine_at(url: str, **options: bool | int) -> sa.Engine:
    """A SQLAlchemy engine on a company's warehouse, told what its dialect must be told. Connects when first used."""
    return sa.create_engine(url, execution_options=OPTIONS, **options)


class NoDialectError(ValueError):
    """A dialect that is not installed here, or of which the app knows nothing."""


def engine_of(name: str) -> Engine:
    """The engine of a name. Raises NoDialectError with the names there are."""
    found = next((e for e in ENGINES if e.name == name), None)
    if found is None:
        raise NoDialectError(f"no SQL dialect {name!r}; there is: {', '.join(NAMES)}")
    return found


def dialect_of(name: str) -> sa.Dialect:
    """A SQLAlchemy dialect by name, without a server. Raises NoDialectError where its package is not installed."""
    engine = engine_of(name)
    known = functions._registry["_default"]  # noqa: SLF001 (there is no public look at it)
    before = dict(known)
    try:
        return cast("sa.Dialect", registry.load(engine.entry)(paramstyle="named"))
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise NoDialectError(f"{name} needs a package: pip install {engine.package}") from error
    finally:  # trino's package puts lead and lag of its own, which are not cached, in every dialect's place
        for extra in set(known) - set(before):
            del known[extra]


def text_of(statement: sa.SelectBase, dialect: sa.Dialect) -> str:
    """The statement in a dialect with its constants written out, as one would type it (one % for a modulo)."""
    compiled = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    doubled = getattr(dialect.identifier_preparer, "_double_percents", False)
    return compiled.replace("%%", "%") if doubled else compiled

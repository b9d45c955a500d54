"""ClickHouse inside this process (chdb), and the lake's rows in it."""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data.dialects import engine_at
from data.lake import Lake, quoted
from tests.exports import export


def installed() -> bool:
    return importlib.util.find_spec("chdb") is not None


def url() -> str:
    """SQLAlchemy's address of the engine; all connections of a process see the same databases."""
    return "clickhousedb://localhost/default?interface=chdb"


@contextlib.contextmanager
def mirrored(lake: Lake, schema: str) -> Iterator[str]:
    """The lake's rows as tables of a database, columns as Parquet has them (text and numbers may be NULL).

    Yields the address. The database lives as long as some connection of this process does; one stays open here.
    """
    engine = engine_at(url())
    with tempfile.TemporaryDirectory(prefix="throughline-ch-") as folder, engine.connect() as db:
        db.exec_driver_sql(f"DROP DATABASE IF EXISTS `{schema}`")
        db.exec_driver_sql(f"CREATE DATABASE `{schema}`")
        for name, path in export(lake, Path(folder) / "rows").items():
            rows = f"file({quoted(str(path / '*.parquet'))}, 'Parquet')"
            db.exec_driver_sql(
                f"CREATE TABLE `{schema}`.`{name}` ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM {rows}"
            )
        yield url()
    engine.dispose()

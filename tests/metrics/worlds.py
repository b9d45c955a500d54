"""The brute-force engine's worlds as tables of an in-process DuckDB, so that its answers can judge the SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from app.measure.slices import cut
from data import schema
from data.engines import DuckPool
from data.sql import Facts
from metrics.core.metric import Rollup
from tests.metrics.rows import ENGINE
from tests.oracle.engine import EPOCH, World

_ARROW = {
    "text": pa.string(),
    "float": pa.float64(),
    "int": pa.int64(),
    "bit": pa.int16(),
    "bool": pa.bool_(),
}
_COMPILED: dict[tuple[str, tuple[str, ...], int], Any] = {}


def _typed(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return EPOCH + dt.timedelta(microseconds=value)
    return value


def _arrow(table: sa.Table, rows: Sequence[dict[str, Any]]) -> pa.Table:
    columns = {}
    for c in table.columns:
        kind = c.info["kind"]
        typed = pa.timestamp("us", tz="UTC") if kind == "time" else _ARROW[kind]
        columns[c.name] = pa.array([_typed(kind, r.get(c.name)) for r in rows], typed)
    return pa.table(columns)


def cells(
    worlds: World, rollups: Sequence[Rollup[Any]], by: Sequence[str] = ()
) -> dict[str, dict[tuple[str | None, ...], Any]]:
    """The typed cells of each rollup over a world, by the values of `by`."""
    return {
        k: {tuple(v for _, v in s.by): c for s, c in found}
        for k, found in _found(worlds, rollups, by).items()
    }


def _found(
    world: World, rollups: Sequence[Rollup[Any]], by: Sequence[str]
) -> dict[str, list[tuple[Any, Any]]]:
    out = {}
    with ENGINE.begin() as connection:
        for name in {t for r in rollups for t in r.tables}:
            table = schema.METADATA.tables[name]
            connection.connection.register("given", _arrow(table, world.rows.get(name, [])))
            connection.exec_driver_sql(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")
        for rollup in rollups:
            dims = tuple(by) if not rollup.stored else rollup.resolved_dims(schema.METADATA.tables)
            columns = DuckPool.columns(connection, _statement(rollup, dims, world.end))
            columns = rollup.derived(columns) if rollup.derived else columns
            cuts = cut(columns, tuple(by), rollup.inner, rollup.shapes)
            told = {"observed_us": [world.end]} if rollup.observed else {}
            out[rollup.key] = [(s, rollup.cells(s.columns | told)) for s in cuts]
    return out


def _statement(rollup: Rollup[Any], dims: tuple[str, ...], end: int) -> Any:
    """One statement object a rollup and end: building one takes longer than running it on a small world."""
    key = (rollup.key, dims, end)
    if key not in _COMPILED:
        _COMPILED[key] = rollup.select(Facts(schema.METADATA.tables, dims, observed_us=end))
    return _COMPILED[key]

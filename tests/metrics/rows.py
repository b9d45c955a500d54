"""Rows in, typed cells out: a rollup's SELECT run on an in-process DuckDB, cut into slices as the app does it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from app.measure.slices import cut
from data import schema
from data.engines import DuckPool
from data.sql import Facts
from metrics.core.metric import Choice, Estimate, Metric, Rollup

DAY = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NONE = Choice()


def predictions(score: Sequence[float | None], **columns: Any) -> pd.DataFrame:
    """A frame of predictions with the columns a table must have; others by name."""
    n = len(score)
    frame = {
        "prediction_id": [str(i) for i in range(n)],
        "model_id": "m",
        "entity_id": "e",
        "predicted_at": DAY,
    }
    return pd.DataFrame({**frame, "score": score, **columns}, index=range(n), dtype=object)


def labels(values: Sequence[int | None]) -> pd.DataFrame:
    """Labels of predictions 0, 1, 2, ...; None where none has arrived."""
    kept = [(str(i), int(v), DAY) for i, v in enumerate(values) if v is not None]
    return pd.DataFrame(kept, columns=["prediction_id", "label", "labelled_at"])


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """The frame with None as NULL and NaN as NaN: DuckDB reads both of them as NULL from pandas."""
    return pa.table({c: pa.array([None if v is pd.NA else v for v in frame[c]]) for c in frame.columns})


ENGINE = sa.create_engine("duckdb:///:memory:", poolclass=StaticPool)


def warehouse(connection: sa.Connection, **frames: pd.DataFrame) -> dict[str, sa.FromClause]:
    """Put the frames in an in-memory DuckDB as the schema's tables, in place of what was there.

    No column is NOT NULL there: a company's own warehouse promises less than our loader.
    """
    tables: dict[str, sa.FromClause] = {}
    for name, frame in frames.items():
        extra = tuple(c for c in frame.columns if schema.open_kind(c))
        tables[name] = schema.extended(schema.METADATA.tables[name], extra)
        connection.connection.register("given", _arrow(frame))
        typed = [
            f"CAST({c.name if c.name in frame else 'NULL'} AS {c.type.compile(ENGINE.dialect)}) AS {c.name}"
            for c in tables[name].columns
        ]
        connection.exec_driver_sql(f"CREATE OR REPLACE TABLE {name} AS SELECT {', '.join(typed)} FROM given")
    return tables


def slices(
    rollup: Rollup[Any], by: Sequence[str] = (), **frames: pd.DataFrame
) -> dict[tuple[str | None, ...], Any]:
    """The finaliser's cells of each group of `by`, by the group's values."""
    with ENGINE.begin() as connection:
        tables = warehouse(connection, **frames)
        dims = tuple(by) if not rollup.stored else rollup.resolved_dims(tables)
        columns = DuckPool.columns(connection, rollup.select(Facts(tables, dims)))
        columns = rollup.derived(columns) if rollup.derived else columns
    cuts = cut(columns, tuple(by), rollup.inner, rollup.shapes)
    return {tuple(v for _, v in s.by): rollup.cells(s.columns) for s in cuts}


def estimate(metric: Metric[Any], **frames: pd.DataFrame) -> Estimate:
    """A metric's estimate over all rows."""
    assert metric.finalise is not None
    return metric.finalise(slices(metric.rollup, **frames)[()], metric.choice(()))

"""The brute-force engine's worlds as tables of an in-process DuckDB, so that its answers can judge the SQL."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
import pyarrow as pa
import sqlalchemy as sa
from hypothesis import strategies as st

from app.measure.slices import cut
from data import schema
from data.engines import DuckPool
from data.sql import Facts
from metrics.core.metric import Rollup
from tests.metrics.rows import ENGINE
from tests.oracle.engine import EPOCH, View, World, world
from tests.oracle.warehouses import END, LATER, side_by_side, warehouses

BATCH = 100
Figures = dict[str, Any]

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


# ----- many random warehouses, judged in one go -----


@functools.cache
def drawn(end: float, examples: int, seed: int = 0) -> tuple[dict[str, list[dict[str, Any]]], ...]:
    """Random warehouses observed until `end` seconds after the base."""
    found: list[dict[str, list[dict[str, Any]]]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, deadline=None, phases=[hypothesis.Phase.generate], database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(warehouses(st.just(end)))
    def collect(tables: dict[str, list[dict[str, Any]]]) -> None:
        found.append(tables)

    collect()
    return tuple(found)


def many(seed: int, examples: int) -> dict[str, list[dict[str, Any]]]:
    """Random warehouses side by side in one."""
    return side_by_side(drawn(LATER, examples, seed))


@dataclass(frozen=True)
class Judges:
    """What two engines say of a world: ours from what was asked of all its rows once, theirs world by world."""

    asked: Callable[[World], Any]
    ours: Callable[[Any, View], Figures]
    theirs: Callable[[World], Figures]


def disagreements(
    judges: Judges, views: Sequence[View], examples: int
) -> tuple[View, Figures, Figures] | None:
    """The figures of the SQL and of the slow engine on the first random warehouse on which they differ; else None.

    Many warehouses are put side by side and judged by one run of the SQL for all views; the engine judges each alone.
    """
    for end in (END, LATER):
        worlds_ = drawn(end, max(examples // 2, 1))
        for at in range(0, len(worlds_), BATCH):
            batch = worlds_[at : at + BATCH]
            for view in _differ(judges, views, batch):
                one = _first_bad(judges, view, batch)
                told = judges.ours(judges.asked(world(one, view)), view)
                return view, told, judges.theirs(world(one, view))
    return None


def _first_bad(judges: Judges, view: View, given: Sequence[Any]) -> Any:
    while len(given) > 1:
        half = given[: len(given) // 2]
        given = half if _differ(judges, (view,), half) else given[len(given) // 2 :]
    return given[0]


def _differ(judges: Judges, views: Sequence[View], given: Sequence[Any]) -> list[View]:
    """The views under which the engines differ."""
    asked = judges.asked(world(side_by_side(given), views[0]))
    return [
        v for v in views if _unlike(judges.ours(asked, v), [judges.theirs(world(one, v)) for one in given])
    ]


def _unlike(told: Figures, alone: Sequence[Figures]) -> bool:
    summed = {k: sum((a[k] for a in alone[1:]), alone[0][k]) for k in told}
    return any(
        sorted(told[k]) != sorted(summed[k]) if isinstance(told[k], list) else abs(told[k] - summed[k]) > 1e-9
        for k in told
    )

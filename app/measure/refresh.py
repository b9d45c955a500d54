"""Warehouse -> rollups. Only days whose rows changed are computed, so cost follows new data, not history."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from app.measure.store import RollupStore, period_of
from data import schema
from data.engines import Columns, Dirty, Warehouse
from data.manifest import NO_DAY, Refreshed
from data.sql import Facts, Span, micros
from metrics.core.metric import C, Rollup

ROWS_A_QUERY = 4_000_000  # bounds the memory of a join in the embedded engine


@dataclass(frozen=True)
class Progress:
    """One step of a refresh: `done` of `days` days of a rollup."""

    rollup: str
    done: int
    days: int


@dataclass(frozen=True)
class Outcome:
    """What a refresh of one rollup did."""

    rollup: str
    days: int
    rows: int
    seconds: float
    full: bool


def refresh(
    rollups: Iterable[Rollup[object]],
    warehouse: Warehouse,
    store: RollupStore,
    now: Callable[[], dt.datetime],
    *,
    full: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Outcome, ...]:
    """Bring stored rollups up to date; one commit a rollup, so a crash leaves each whole, old or new."""
    with store.lake.lock("refresh"):
        outcomes = tuple(
            refresh_one(rollup, warehouse, store, now, full=full, progress=progress)
            for rollup in rollups
            if rollup.stored
        )
        store.lake.sweep()
    return outcomes


def refresh_one(
    rollup: Rollup[C],
    warehouse: Warehouse,
    store: RollupStore,
    now: Callable[[], dt.datetime],
    *,
    full: bool,
    progress: Callable[[Progress], None],
) -> Outcome:
    """Recompute the dirty days of one rollup and commit them."""
    started = time.perf_counter()
    tables = warehouse.tables()
    dims = rollup.resolved_dims(tables)
    definition = f"v{rollup.version}:{','.join(dims)}"
    state = store.state(rollup.key)
    full = full or state is None or state.definition != definition
    dirty = warehouse.dirty(rollup.tables, None if full or state is None else state.mark)
    days = _days(rollup, dirty, warehouse)
    if not days and state is not None and not full:
        return Outcome(rollup.key, 0, 0, time.perf_counter() - started, full=False)
    parts: list[Columns] = []
    as_of = None if state is None or full else state.as_of_us
    done = 0
    for chunk in _chunks(days, rollup, warehouse):
        cells, newest = _cells(rollup, warehouse, tables, dims, chunk)
        parts.append(cells)
        as_of = max((t for t in (as_of, newest) if t is not None), default=None)
        done += len(chunk)
        progress(Progress(rollup.key, done, len(days)))
    add, remove, rows = store.replace(rollup, dims, parts, days, full=full)
    seconds = time.perf_counter() - started
    at = now().isoformat()
    new = Refreshed(rollup.key, dirty.mark, definition, as_of, len(days), rows, seconds, at)
    store.lake.manifest.commit_rollup(add, remove, new)
    return Outcome(rollup.key, len(days), rows, seconds, full)


def _days(rollup: Rollup[C], dirty: Dirty, warehouse: Warehouse) -> tuple[int, ...]:
    """The rollup's days to recompute. A change in a table without days touches every day."""
    undated = [n for n in dirty.days if not schema.METADATA.tables[n].info["event"]]
    if undated:
        dirty = warehouse.dirty(rollup.tables, None)
    return tuple(sorted({d for days in dirty.days.values() for d in days if d != NO_DAY}))


def _chunks(days: Sequence[int], rollup: Rollup[C], warehouse: Warehouse) -> list[list[int]]:
    """Runs of dirty days within one month, cut where a query would join more than ROWS_A_QUERY rows."""
    chunks: list[list[int]] = []
    sizes = warehouse.sizes(rollup.tables)
    rows = 0
    for day in days:
        size = sizes.get(day, 0)
        joins = chunks and day == chunks[-1][-1] + 1 and period_of(day) == period_of(chunks[-1][-1])
        if joins and rows + size <= ROWS_A_QUERY:
            chunks[-1].append(day)
            rows += size
        else:
            chunks.append([day])
            rows = size
    return chunks


def _cells(
    rollup: Rollup[C],
    warehouse: Warehouse,
    tables: Mapping[str, sa.FromClause],
    dims: tuple[str, ...],
    days: Sequence[int],
) -> tuple[Columns, int | None]:
    """Cells of a run of days, and the newest load (epoch microseconds) among the rows they came from."""
    span = Span(days[0], days[-1])
    with warehouse.session(rollup.tables, span) as session:
        cells = session.columns(rollup.select(Facts(tables, dims, span)))
        newest = [session.columns(_newest(tables[name], name, span))["newest"] for name in rollup.tables]
    known = [int(float(n[0])) for n in newest if n.size and not np.isnan(float(n[0]))]
    return cells, max(known, default=None)


def _newest(table: sa.FromClause, name: str, span: Span) -> sa.Select[tuple[int]]:
    info = schema.METADATA.tables[name].info
    rows = sa.select(micros(table.c.loaded_at).label("us"))
    if info["event"] and not info["day_of"]:
        rows = rows.where(Facts({}, span=span).within(table.c[info["event"]]))
    inner = rows.subquery()
    return sa.select(sa.func.max(inner.c.us).label("newest"))

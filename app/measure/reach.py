"""What a run must see of each table: which days, and how far the sources are complete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import sqlalchemy as sa

from data import schema
from data.engines import Warehouse
from data.sql import Span, micros
from metrics.core.metric import C, Reach, Rollup

FAR = 3_000_000  # a day that never comes


def spans(rollup: Rollup[C], span: Span) -> dict[str, Span]:
    """Days needed of each dated table for the cells of a span."""
    reach = dict(rollup.reach)
    needed: dict[str, Span] = {}
    for name in rollup.tables:
        if not schema.METADATA.tables[name].info["event"]:
            continue
        match reach.get(name, Reach.OWN):
            case Reach.OWN:
                needed[name] = span
            case Reach.LATER:  # from the day before: clocks may differ by a few seconds over midnight
                needed[name] = Span(span.first - 1, FAR)
            case Reach.ALL:
                continue
    return needed


class Observing(Protocol):
    """A rollup or a list of cases: what says which sources bound it."""

    @property
    def observed(self) -> tuple[str, ...]: ...


def observed_us(
    rollup: Observing,
    warehouse: Warehouse,
    tables: Mapping[str, sa.FromClause],
    as_of: dt.datetime | None = None,
) -> int:
    """How far the rollup's sources are complete: the smallest watermark among them, else their newest event.

    Never later than `as_of`: what had not happened then could not be observed.
    """
    if not rollup.observed:
        return 0
    found = _observed_us(rollup, warehouse, tables)
    return min(found, round(as_of.timestamp() * 1e6)) if as_of else found


def _observed_us(rollup: Observing, warehouse: Warehouse, tables: Mapping[str, sa.FromClause]) -> int:
    names = (*rollup.observed, "data_watermarks")
    with warehouse.session(names) as session:
        marks = session.columns(_watermark(tables["data_watermarks"], rollup.observed))["us"].astype(float)
        if not np.isnan(marks[0]):
            return int(marks[0])
        dated = [n for n in rollup.observed if schema.METADATA.tables[n].info["event"]]
        newest = [session.columns(_newest_event(tables[n], n))["us"].astype(float)[0] for n in dated]
    return int(max((us for us in newest if not np.isnan(us)), default=0))


def _watermark(table: sa.FromClause, sources: tuple[str, ...]) -> sa.Select[tuple[int]]:
    rows = sa.select(micros(table.c.complete_through_at).label("us"))
    inner = rows.where(table.c.source.in_(("all", *sources))).subquery()
    return sa.select(sa.func.min(inner.c.us).label("us"))


def _newest_event(table: sa.FromClause, name: str) -> sa.Select[tuple[int]]:
    inner = sa.select(micros(table.c[schema.METADATA.tables[name].info["event"]]).label("us")).subquery()
    return sa.select(sa.func.max(inner.c.us).label("us"))

"""Which days one query of a refresh asks for: as many as keep its rows, and so its memory, within bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.measure.reach import spans
from app.measure.store import period_of
from data import schema
from data.engines import Warehouse
from data.sql import Span
from metrics.core.metric import C, Rollup

# Bounds the memory of a query whose days stand alone. Where other tables are read beyond the days asked for, each query
# reads them anew and a refresh grows with the square of its rows: that is one query, and what exceeds the engine's memory
# goes to disk (docs/scale.md: at 100 million rows 0.4 to 0.6 of the time of four queries, in less memory).
ROWS_A_QUERY = 8_000_000
# Where a statement keeps only what some days speak of (`Rollup.by_days`), the looking is the smaller part, as long as
# there are few such queries, however long the history.
ROWS_A_QUERY_BY_DAYS = 17_000_000
QUERIES_BY_DAYS = 8


def chunks(days: Sequence[int], rollup: Rollup[C], warehouse: Warehouse) -> list[list[int]]:
    """Dirty days in groups, one query each: as many as keep a query below the rows it may read.

    Clean days between two dirty ones are read too, and dropped by the store: a statement costs more to plan than a
    few small days to read. A warehouse that bounds its own memory is asked month by month.
    """
    found: list[list[int]] = []
    sizes = warehouse.sizes(tuple(n for n in rollup.tables if shares_days(rollup, n)))
    most = _most(rollup, sum(sizes.get(d, 0) for d in days))
    rows = 0
    for day in days:
        added = (
            sum(sizes.get(d, 0) for d in range(found[-1][-1] + 1, day + 1)) if found else sizes.get(day, 0)
        )
        joins = bool(found) and (bool(sizes) or period_of(day) == period_of(found[-1][-1]))
        if joins and rows + added <= most:
            found[-1].append(day)
            rows += added
        else:
            found.append([day])
            rows = sizes.get(day, 0)
    return found


def shares_days(rollup: Rollup[C], name: str) -> bool:
    """Whether a table's rows are kept under the days of the rollup's cells."""
    info = schema.METADATA.tables[name].info
    return name == rollup.tables[0] or (info["day_of"] or ("",))[0] == rollup.tables[0]


def _most(rollup: Rollup[C], rows: int) -> float:
    """How many rows a query may read, of `rows` in all."""
    if rollup.by_days:
        return max(ROWS_A_QUERY_BY_DAYS, rows / QUERIES_BY_DAYS)
    return math.inf if _reads_further(rollup) else ROWS_A_QUERY


def _reads_further(rollup: Rollup[C]) -> bool:
    """Whether some table is read beyond the days that cells are asked for."""
    own = Span(0, 0)
    return any(spans(rollup, own).get(name) != own for name in rollup.tables)

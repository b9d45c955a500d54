"""The time grid of activation cells: fine enough that a quantile errs by less than 0.4 %, and exact on small data.

What has ended is kept by a logarithmic bucket of its length, 2**-8 wide, beside the exact sum. What still waits is
kept by when it began, so that its age can be told at any later observation end: by the second on days with few
rows, by the minute on others. That depends on the rows of the day alone, so no order of loading can move it.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, double, micros, real, whole
from metrics.core.shapes import Columns, Floats

SECOND = 1_000_000.0
BUCKETS_PER_E = 256
EPOCH_2000_S = 946_684_800  # beginnings are kept as seconds since 2000: they fit 32 bits until 2068
FEW = 20_000  # rows of a day up to which beginnings are kept by the second


def log_bucket(us: ColumnElement[int]) -> ColumnElement[int]:
    """Bucket of a length in microseconds."""
    return whole(sa.func.floor(sa.func.ln(double(us) / real(SECOND) + real(1)) * real(BUCKETS_PER_E)))


def crowded_days(facts: Facts, table: str, column: str) -> sa.Subquery:
    """Days of the span with more than FEW rows: crowded_day."""
    if table in facts.rows:
        return _listed([day for day, rows in facts.rows[table].items() if rows > FEW])
    t = facts[table]
    times = (
        sa.select(micros(t.c[column]).label("us"))
        .where(facts.within(t.c[column]), facts.pinned(t))
        .subquery("times")
    )
    days = sa.select(day_number(times.c.us).label("crowded_day")).subquery("days_of_times")
    return (
        sa.select(days.c.crowded_day)
        .group_by(days.c.crowded_day)
        .having(sa.func.count() > FEW)
        .subquery("crowded")
    )


def _listed(days: list[int]) -> sa.Subquery:
    names = [sa.literal_column(str(d), sa.BigInteger()).label("crowded_day") for d in sorted(days)]
    none = sa.select(sa.literal_column("0", sa.BigInteger()).label("crowded_day")).where(sa.false())
    return sa.union_all(none, *(sa.select(n) for n in names)).subquery("crowded")


def began_us(us: ColumnElement[int], crowded: sa.Subquery) -> ColumnElement[int]:
    """Start of the grid cell that a beginning falls in, epoch microseconds; rows are outer joined with `crowded`."""
    step = sa.case((crowded.c.crowded_day.is_(None), real(1)), else_=real(60))
    return whole(sa.func.floor(double(us) / real(SECOND) / step) * step) * 1_000_000


def began_bucket(began: ColumnElement[int]) -> ColumnElement[int]:
    return whole(sa.func.floor(double(began) / real(SECOND))) - EPOCH_2000_S


def beginnings(columns: Columns, mean_us: Floats) -> Floats:
    """When what waits began, epoch microseconds: its grid cell plus the mean within it."""
    return (columns["bucket"].astype(float) + EPOCH_2000_S) * SECOND + np.asarray(mean_us)

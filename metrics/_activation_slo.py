"""The service level of activation: each signal counts, good or bad, at the minute its answer was due.

A signal in its window counts as good when it was sent; a late or missed one as bad when its window closed (Beyer et al.
2018, The Site Reliability Workbook, chapter 5, for burn rates and their windows).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, day_number, double, real, whole
from metrics._activation_states import (
    IN_WINDOW,
    LATE,
    MINUTE_US,
    MISSED,
    SOURCES,
    STATE_CELLS,
    resolved_states,
)
from metrics.core.estimates import WILSON
from metrics.core.intervals import wilson
from metrics.core.metric import Choice, Estimate, Rollup, Setting, undefined
from metrics.core.shapes import Columns, Counts, Ints

WINDOWS = {"5m": 5, "30m": 30, "1h": 60, "6h": 360, "3d": 4320, "30d": 43200}
OBJECTIVE = Setting("objective", "0.95", "share of signals meant to be activated in their window")
WINDOW = Setting("window", "30d", "how far back from the observation end", tuple(WINDOWS))
# (burn rate, long window, short window, what to do): both windows must burn, so an alert ends when the trouble does.
ALERTS = ((14.4, "1h", "5m", "page"), (6.0, "6h", "30m", "page"), (1.0, "3d", "6h", "ticket"))


@dataclass(frozen=True)
class DueCells:
    """Signals by the minute they counted in (minutes since 1970), good and bad; arrays have one entry a minute."""

    minute: Ints
    good: Ints
    bad: Ints
    end_minute: float

    @classmethod
    def of(cls, columns: Columns) -> DueCells:
        minute, good, bad = (columns[k].astype(np.int64) for k in ("minute", "good", "bad"))
        return cls(minute, good, bad, float(columns["observed_us"][0]) / MINUTE_US)


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    rows = resolved_states(facts)
    closing = rows.c.us + rows.c.window_ms * 1000
    sent = sa.case((rows.c.sent_us > rows.c.us, rows.c.sent_us), else_=rows.c.us)
    at = sa.case((rows.c.code == IN_WINDOW, sent), else_=closing)
    due = (
        sa.select(
            day_number(rows.c.us).label("day"), *(rows.c[d] for d in facts.dims),
            whole(sa.func.floor(double(at) / real(MINUTE_US))).label("minute"),
            sa.case((rows.c.code == IN_WINDOW, 1), else_=0).label("good"),
        )
        .where(rows.c.code.in_((IN_WINDOW, LATE, MISSED)))
        .subquery("due")
    )  # fmt: skip
    keys = [due.c[k] for k in ("day", *facts.dims, "minute")]
    return sa.select(
        *keys, whole(sa.func.sum(due.c.good)).label("good"), whole(sa.func.sum(1 - due.c.good)).label("bad")
    ).group_by(*keys)


DUE: Rollup[DueCells] = Rollup(
    key="activation.due",
    title="Signals by the minute their answer was due",
    tables=STATE_CELLS.tables,
    dims=tuple(d for d in STATE_CELLS.dims if d != "state"),
    inner=("minute",),
    shapes=(Counts(("good", "bad")),),
    select=_select,
    cells=DueCells.of,
    touched=STATE_CELLS.touched,
    reach=STATE_CELLS.reach,
    observed=SOURCES,
)


def burn(cells: DueCells, choice: Choice) -> Estimate:
    """Bad share over the error budget, in the window before the observation end."""
    budget = 1 - float(choice["objective"])
    if not 0 < budget < 1:
        raise ValueError(f"objective={choice['objective']}: a share between 0 and 1 is needed")
    recent = (cells.minute > cells.end_minute - WINDOWS[choice["window"]]) & (
        cells.minute <= cells.end_minute
    )
    good, bad = int(cells.good[recent].sum()), int(cells.bad[recent].sum())
    n = good + bad
    if n == 0:
        return undefined(f"no signal was due in the last {choice['window']}")
    rate = wilson(bad, n)
    few = ("fewer than 30 signals: read the counts, not the rate",) if n < 30 else ()
    return Estimate(
        rate.value / budget,
        rate.low / budget,
        rate.high / budget,
        n,
        float(bad),
        n * budget,
        WILSON,
        warnings=few,
    )

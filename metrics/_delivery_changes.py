"""How often something new goes live, and how often that breaks something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, day_number, micros, whole
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Rollup, undefined
from metrics.core.poisson import garwood
from metrics.core.shapes import Columns, Counts

DEPLOYED, FAILED = "deployment", "deployment_failed"


@dataclass(frozen=True)
class ChangeCells:
    """Deployments of one slice: how many went well, how many failed, and the first and last day (since 1970) of any."""

    good: int
    failed: int
    first: int
    last: int

    @property
    def n(self) -> int:
        return self.good + self.failed

    @classmethod
    def of(cls, columns: Columns) -> ChangeCells:
        days = columns["date"].astype(np.int64)
        good, failed = (int(columns[k].sum()) for k in ("good", "failed"))
        return cls(good, failed, int(days.min()), int(days.max()))


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    d = facts["delivery_events"]
    rows = (
        sa.select(micros(d.c.event_at).label("us"), *(d.c[k] for k in facts.dims), d.c.event)
        .where(d.c.event.in_((DEPLOYED, FAILED)), facts.within(d.c.event_at), facts.pinned(d))
        .subquery("deployments")
    )
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_deployments")
    keys = [dated.c[k] for k in ("day", *facts.dims)]
    good, failed = (whole(sa.func.sum(sa.case((dated.c.event == k, 1), else_=0))) for k in (DEPLOYED, FAILED))
    return sa.select(*keys, dated.c.day.label("date"), good.label("good"), failed.label("failed")).group_by(
        *keys
    )


CHANGES: Rollup[ChangeCells] = Rollup(
    key="delivery.changes",
    title="Deployments by day",
    tables=("delivery_events",),
    dims=("initiative_id",),
    inner=("date",),
    shapes=(Counts(("good", "failed")),),
    select=_select,
    cells=ChangeCells.of,
)


def per_week(cells: ChangeCells, _: Choice) -> Estimate:
    """Deployments a week between the first and the last: the first one opens the stretch and is not counted in it."""
    weeks, later = (cells.last - cells.first) / 7, cells.n - 1
    if weeks <= 0:
        return undefined("all deployments lie on one day: no rate can be told", cells.n)
    low, high = garwood(later)
    return Estimate(later / weeks, low / weeks, high / weeks, cells.n, later, weeks, "exact Poisson")


def failure_rate(cells: ChangeCells, _: Choice) -> Estimate:
    return share(cells.failed, cells.n, "no deployment in this scope")

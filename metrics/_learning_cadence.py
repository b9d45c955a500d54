"""How fast experiments conclude, and how often models are retrained, from the milestones of delivery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import DAY_US, Facts, day_number, double, micros, real, whole
from metrics.core.contact import end_of
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Reach, Rollup, Setting, undefined
from metrics.core.poisson import garwood
from metrics.core.shapes import Columns, Counts, Floats, Ints
from metrics.core.survival import kaplan_meier, quantile

QUARTER = 365.25 / 4  # days
CONCLUDED, RETRAINED = "experiment_concluded", "retrained"
GRACE = Setting("grace_days", "0", "days after the planned one on which a retraining still counts as on time")


@dataclass(frozen=True)
class ConcludedCells:
    """Experiments concluded in one slice, with the first and the last day (since 1970) of any."""

    n: int
    first: int
    last: int

    @classmethod
    def of(cls, columns: Columns) -> ConcludedCells:
        days = columns["date"].astype(np.int64)
        return cls(int(columns["concluded"].sum()), int(days.min()), int(days.max()))


@dataclass(frozen=True)
class GapCells:
    """Stretches from one retraining to the next, one entry a cell: seconds so far, those ended, those still open."""

    seconds: Floats
    ended: Ints
    open: Ints

    @classmethod
    def of(cls, columns: Columns) -> GapCells:
        n, closed = columns["n"].astype(np.int64), columns["closed"].astype(np.int64) == 1
        return cls(columns["seconds"].astype(float), np.where(closed, n, 0), np.where(closed, 0, n))


@dataclass(frozen=True)
class PlannedCells:
    """Retrainings that had a planned day, by calendar days late (below 0: early), and how many had none."""

    late: Ints
    n: Ints
    unplanned: int

    @classmethod
    def of(cls, columns: Columns) -> PlannedCells:
        late, n = columns["late_days"].astype(np.int64), columns["planned"].astype(np.int64)
        return cls(late, n, int(columns["unplanned"].sum()))


def _concluded(facts: Facts) -> sa.Select[tuple[object, ...]]:
    d = facts["delivery_events"]
    rows = (
        sa.select(micros(d.c.event_at).label("us"), d.c.initiative_id)
        .where(d.c.event == CONCLUDED, facts.within(d.c.event_at), facts.pinned(d))
        .subquery("conclusions")
    )
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_conclusions")
    keys = [dated.c[k] for k in ("day", *facts.dims)]
    return sa.select(*keys, dated.c.day.label("date"), whole(sa.func.count()).label("concluded")).group_by(
        *keys
    )


def _retrained(facts: Facts) -> sa.Subquery:
    """Every retraining that was observed: initiative_id, ref (the model), us, planned_us."""
    d = facts["delivery_events"]
    every = (
        sa.select(
            d.c.delivery_id, d.c.initiative_id, sa.func.coalesce(d.c.ref, "").label("ref"),
            micros(d.c.event_at).label("us"), micros(d.c.planned_at).label("planned_us"),
        )
        .where(d.c.event == RETRAINED)
        .subquery("retrainings")
    )  # fmt: skip
    return sa.select(every).where(every.c.us <= end_of(facts)).subquery("known_retrainings")


def _inside(facts: Facts, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    pins = [rows.c[k] == v for k, v in facts.where if k in rows.c]
    if facts.span is None:
        return pins
    return [*pins, rows.c.us >= facts.span.first * DAY_US, rows.c.us < (facts.span.last + 1) * DAY_US]


def _gaps(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """The time from each retraining of a model to its next one; the last one's is open until the observation end."""
    known = _retrained(facts)
    order = (known.c.us, known.c.delivery_id)
    after = sa.func.lead(known.c.us).over(partition_by=(known.c.initiative_id, known.c.ref), order_by=order)
    paired = sa.select(known.c.initiative_id, known.c.ref, known.c.us, after.label("next_us")).subquery(
        "paired"
    )
    took = sa.func.coalesce(paired.c.next_us, end_of(facts)) - paired.c.us
    rows = (
        sa.select(
            day_number(paired.c.us).label("day"), paired.c.initiative_id, paired.c.ref,
            sa.case((paired.c.next_us.is_(None), 0), else_=1).label("closed"),
            whole(sa.func.floor(double(took) / real(1e6))).label("seconds"),
        )
        .where(*_inside(facts, paired))
        .subquery("gaps")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, "closed", "seconds")]
    return sa.select(*keys, whole(sa.func.count()).label("n")).group_by(*keys)


def _planned(facts: Facts) -> sa.Select[tuple[object, ...]]:
    known = _retrained(facts)
    late = day_number(known.c.us) - day_number(known.c.planned_us)
    rows = (
        sa.select(
            day_number(known.c.us).label("day"), known.c.initiative_id, known.c.ref,
            whole(sa.func.coalesce(late, 0)).label("late_days"),
            sa.case((known.c.planned_us.is_(None), 0), else_=1).label("with_plan"),
        )
        .where(*_inside(facts, known))
        .subquery("planned_retrainings")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, "late_days")]
    planned = whole(sa.func.sum(rows.c.with_plan)).label("planned")
    return sa.select(
        *keys, planned, whole(sa.func.sum(1 - rows.c.with_plan)).label("unplanned")
    ).group_by(*keys)  # fmt: skip


CONCLUSIONS: Rollup[ConcludedCells] = Rollup(
    key="learning.concluded",
    title="Experiments concluded by day",
    tables=("delivery_events",),
    dims=("initiative_id",),
    inner=("date",),
    shapes=(Counts(("concluded",)),),
    select=_concluded,
    cells=ConcludedCells.of,
)
GAPS: Rollup[GapCells] = Rollup(
    key="learning.retraining_gaps",
    title="Time from one retraining to the next",
    tables=("delivery_events", "data_watermarks"),
    dims=("initiative_id", "ref"),
    inner=("closed", "seconds"),
    shapes=(Counts(("n",)),),
    select=_gaps,
    cells=GapCells.of,
    reach=(("delivery_events", Reach.ALL),),
    observed=("delivery_events",),
    stored=False,
)
PLANNED: Rollup[PlannedCells] = Rollup(
    key="learning.retraining_plan",
    title="Retrainings against the day they were planned for",
    tables=("delivery_events", "data_watermarks"),
    dims=("initiative_id", "ref"),
    inner=("late_days",),
    shapes=(Counts(("planned", "unplanned")),),
    select=_planned,
    cells=PlannedCells.of,
    reach=(("delivery_events", Reach.ALL),),
    observed=("delivery_events",),
    stored=False,
)


def per_quarter(cells: ConcludedCells, _: Choice) -> Estimate:
    """Conclusions a quarter between the first and the last: the first one opens the stretch and is not counted in it."""
    quarters, later = (cells.last - cells.first) / QUARTER, cells.n - 1
    if quarters <= 0:
        return undefined("all conclusions lie on one day: no rate can be told", cells.n)
    low, high = garwood(later)
    return Estimate(
        later / quarters, low / quarters, high / quarters, cells.n, later, quarters, "exact Poisson"
    )


def interval(cells: GapCells, _: Choice) -> Estimate:
    """Kaplan-Meier median of the stretches; the one since the last retraining is censored at its age."""
    curve = kaplan_meier(cells.seconds, cells.ended, cells.open)
    n, ended = curve.n, int(curve.events.sum())
    if not n:
        return undefined("no model was retrained in this scope")
    found = quantile(curve, 0.5)
    if found.value is None:
        return undefined(f"not reached: {ended} of {n} stretches have ended by another retraining", n)
    bounded = found.low is not None and found.high is not None
    low, high = (found.low, found.high) if bounded else (None, None)
    notes = () if bounded else ("the upper limit is not reached: there is no bound",)
    return Estimate(found.value, low, high, n, ended, n, found.method, warnings=notes)


def on_plan(cells: PlannedCells, choice: Choice) -> Estimate:
    """Planned retrainings done by their day, or within the days of grace; those without a plan are told apart."""
    text = choice[GRACE.name]
    if not text.isdigit():
        raise ValueError(f"{GRACE.name}={text!r}: give a whole number of days, 0 or more, e.g. 7")
    in_time = int(cells.n[cells.late <= int(text)].sum())
    notes = (f"{cells.unplanned} retrainings had no planned day",) if cells.unplanned else ()
    return share(in_time, int(cells.n.sum()), "no retraining in this scope had a planned day", notes)

"""Of those who are meant to use an initiative: how many did in the last week, and how long the first use takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import DAY_US, Facts, day_number, double, micros, real, whole
from metrics.core.contact import end_of, instant
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Reach, Rollup, undefined
from metrics.core.shapes import Columns, Counts, Floats, Ints
from metrics.core.survival import kaplan_meier, quantile

WEEK = 7
SHOWN = "recommended"  # what was only shown was not used


@dataclass(frozen=True)
class WeekCells:
    """Users of one slice who were eligible at the end of the week, and those of them who used it in it."""

    eligible: int
    active: int

    @classmethod
    def of(cls, columns: Columns) -> WeekCells:
        return cls(*(int(columns[k].sum()) for k in ("eligible", "active")))


@dataclass(frozen=True)
class FirstCells:
    """Waits for the first use, one entry a cell: seconds, users who did use it, and users who did not so far."""

    seconds: Floats
    used: Ints
    waiting: Ints

    @classmethod
    def of(cls, columns: Columns) -> FirstCells:
        n, used = columns["n"].astype(np.int64), columns["used"].astype(np.int64) == 1
        return cls(columns["seconds"].astype(float), np.where(used, n, 0), np.where(used, 0, n))


def _eligible(facts: Facts) -> sa.Subquery:
    """Who may use what, from when to when: initiative_id, user_id, unit, from_us, to_us."""
    e = facts["eligible_users"]
    return sa.select(
        e.c.initiative_id, e.c.user_id, e.c.unit, micros(e.c.eligible_from).label("from_us"),
        micros(e.c.eligible_to).label("to_us"),
    ).subquery("eligible")  # fmt: skip


def _used(facts: Facts) -> sa.Subquery:
    """Every use that was observed: initiative_id, user_id, us."""
    u = facts["usage_events"]
    rows = sa.select(u.c.initiative_id, u.c.user_id, micros(u.c.used_at).label("us")).where(
        u.c.action != SHOWN
    )
    every = rows.subquery("uses")
    return sa.select(every).where(every.c.us <= end_of(facts)).subquery("observed_uses")


def _pinned(facts: Facts, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    return [rows.c[k] == v for k, v in facts.where if k in rows.c]


def week_end(facts: Facts) -> int:
    """The end of the last whole day that was observed and asked for, epoch microseconds."""
    whole_days = (facts.observed_us + 1) // DAY_US
    asked = whole_days if facts.span is None else min(whole_days, facts.span.last + 1)
    return asked * DAY_US


def _week(facts: Facts) -> sa.Select[tuple[object, ...]]:
    end = week_end(facts)
    who, uses = _eligible(facts), _used(facts)
    seen = (
        sa.select(uses.c.initiative_id, uses.c.user_id, whole(sa.func.count()).label("times"))
        .where(uses.c.us >= instant(end - WEEK * DAY_US), uses.c.us < instant(end))
        .group_by(uses.c.initiative_id, uses.c.user_id)
        .subquery("seen")
    )
    same = sa.and_(seen.c.initiative_id == who.c.initiative_id, seen.c.user_id == who.c.user_id)
    rows = (
        sa.select(
            sa.literal_column(str(end // DAY_US - 1), sa.Integer()).label("day"), who.c.initiative_id, who.c.unit,
            sa.case((seen.c.times.is_(None), 0), else_=1).label("here"),
        )
        .select_from(who.outerjoin(seen, same))
        .where(
            who.c.from_us < instant(end), sa.or_(who.c.to_us.is_(None), who.c.to_us >= instant(end)),
            *_pinned(facts, who),
        )
        .subquery("week")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims)]
    active = whole(sa.func.sum(rows.c.here)).label("active")
    return sa.select(*keys, whole(sa.func.count()).label("eligible"), active).group_by(*keys)


def _first(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """From the day on which a user may use it to the first use; to the end of that right, or of what was observed."""
    who, uses = _eligible(facts), _used(facts)
    same = sa.and_(uses.c.initiative_id == who.c.initiative_id, uses.c.user_id == who.c.user_id)
    keys = [who.c[k] for k in ("initiative_id", "user_id", "unit", "from_us", "to_us")]
    joined = (
        sa.select(*keys, whole(sa.func.min(uses.c.us)).label("first_us"))
        .select_from(who.outerjoin(uses, same))
        .where(who.c.from_us <= end_of(facts), *_pinned(facts, who), *_asked(facts, who))
        .group_by(*keys)
        .subquery("first_uses")
    )
    until = sa.case((joined.c.to_us < end_of(facts), joined.c.to_us), else_=end_of(facts))
    did = sa.and_(joined.c.first_us.is_not(None), joined.c.first_us <= until)
    took = sa.case((did, joined.c.first_us), else_=until) - joined.c.from_us
    rows = sa.select(
        day_number(joined.c.from_us).label("day"), joined.c.initiative_id, joined.c.unit,
        sa.case((did, 1), else_=0).label("used"),
        whole(sa.func.floor(double(sa.case((took > 0, took), else_=0)) / real(1e6))).label("seconds"),
    ).subquery("waits_for_first_use")  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, "used", "seconds")]
    return sa.select(*keys, whole(sa.func.count()).label("n")).group_by(*keys)


def _asked(facts: Facts, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    if facts.span is None:
        return []
    day = day_number(rows.c.from_us)
    return [day >= facts.span.first, day <= facts.span.last]


TABLES = ("eligible_users", "usage_events", "data_watermarks")
WEEKLY: Rollup[WeekCells] = Rollup(
    key="adoption.week",
    title="Eligible users and who of them was active in the last week",
    tables=TABLES,
    dims=("initiative_id", "unit"),
    shapes=(Counts(("eligible", "active")),),
    select=_week,
    cells=WeekCells.of,
    reach=(("usage_events", Reach.ALL),),
    observed=("usage_events",),
    stored=False,
)
FIRST: Rollup[FirstCells] = Rollup(
    key="adoption.first_use",
    title="Time from being eligible to the first use",
    tables=TABLES,
    dims=("initiative_id", "unit"),
    inner=("used", "seconds"),
    shapes=(Counts(("n",)),),
    select=_first,
    cells=FirstCells.of,
    reach=(("usage_events", Reach.ALL),),
    observed=("usage_events",),
    stored=False,
)


def active(cells: WeekCells, _: Choice) -> Estimate:
    return share(
        cells.active, cells.eligible, "nobody was eligible at the end of the week: load eligible_users"
    )


def first_use(cells: FirstCells, _: Choice) -> Estimate:
    """Kaplan-Meier median; who has not used it yet is censored, never dropped."""
    curve = kaplan_meier(cells.seconds, cells.used, cells.waiting)
    n, used = curve.n, int(curve.events.sum())
    if not n:
        return undefined("nobody is eligible in this scope: load eligible_users")
    found = quantile(curve, 0.5)
    if found.value is None:
        return undefined(f"not reached: {used:,} of {n:,} eligible users have used it", n)
    bounded = found.low is not None and found.high is not None
    low, high = (found.low, found.high) if bounded else (None, None)
    notes = () if bounded else ("the upper limit is not reached: there is no bound",)
    return Estimate(found.value, low, high, n, used, n, found.method, warnings=notes)

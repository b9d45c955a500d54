"""Acceptance before and after a day: what an intervention moved, if nothing else happened on that day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, date_of, day_number, day_of, micros, whole
from metrics._adoption_usage import ANSWERS
from metrics.core.estimates import share_difference
from metrics.core.metric import Choice, Estimate, Rollup, Setting, undefined
from metrics.core.shapes import Columns, Counts, Ints

AT = Setting(
    "at", "", "first day after the intervention, such as 2026-10-12; empty: the middle of the days asked for"
)
DAYS = Setting("days", "28", "days compared on each side, at most")


@dataclass(frozen=True)
class DailyCells:
    """Answers of one slice by day (since 1970): shapes (T,)."""

    date: Ints
    accepted: Ints
    answered: Ints

    @classmethod
    def of(cls, columns: Columns) -> DailyCells:
        return cls(*(columns[k].astype(np.int64) for k in ("date", "accepted", "answered")))


def _daily(facts: Facts) -> sa.Select[tuple[object, ...]]:
    u = facts["usage_events"]
    rows = (
        sa.select(
            micros(u.c.used_at).label("us"), u.c.initiative_id,
            sa.case((u.c.action == ANSWERS[0], 1), else_=0).label("yes"),
        )
        .where(u.c.action.in_(ANSWERS), facts.within(u.c.used_at), facts.pinned(u))
        .subquery("answers")
    )  # fmt: skip
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_answers")
    keys = [dated.c[k] for k in ("day", *facts.dims)]
    accepted = whole(sa.func.sum(dated.c.yes)).label("accepted")
    answered = whole(sa.func.count()).label("answered")
    return sa.select(*keys, dated.c.day.label("date"), accepted, answered).group_by(*keys)


DAILY: Rollup[DailyCells] = Rollup(
    key="adoption.daily",
    title="Answers to recommendations by day",
    tables=("usage_events",),
    dims=("initiative_id",),
    inner=("date",),
    shapes=(Counts(("accepted", "answered")),),
    select=_daily,
    cells=DailyCells.of,
)


def change(cells: DailyCells, choice: Choice) -> Estimate:
    """Share accepted in the days from a day on, less the share in as many days before it."""
    at, days = _at(cells, choice[AT.name]), _days(choice[DAYS.name])
    after = (cells.date >= at) & (cells.date < at + days)
    before = (cells.date < at) & (cells.date >= at - days)
    a, b = ((int(cells.accepted[side].sum()), int(cells.answered[side].sum())) for side in (after, before))
    if not a[1] or not b[1]:
        side = "from" if not a[1] else "before"
        return undefined(f"no recommendation was answered {side} {date_of(at):%Y-%m-%d}", a[1] + b[1])
    return share_difference(a, b, "")


def _at(cells: DailyCells, text: str) -> int:
    if not text:
        return int((cells.date.min() + cells.date.max() + 1) // 2)
    try:
        return day_of(dt.date.fromisoformat(text))
    except ValueError as error:
        raise ValueError(f"{AT.name}={text!r}: give a day, such as 2026-10-12") from error


def _days(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{DAYS.name}={text!r}: give a whole number of days above 0, e.g. 28")
    return int(text)

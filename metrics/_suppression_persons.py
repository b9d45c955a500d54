"""Persons, not messages: how many were reached against their will, and how long persons lived under a stop.

Distinct persons do not add up over days, so these are asked of the warehouse itself for the breakdown wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import DAY_US, Facts, day_number, double, real, whole
from metrics._suppression_base import SENT, People, number, text
from metrics._suppression_pairs import CLOCKS, FLAGS
from metrics._suppression_sends import DIMS, REACH, TABLES, judged
from metrics.core.contact import never
from metrics.core.metric import Choice, Rollup
from metrics.core.shapes import Columns, Counts, Floats, Ints, Sums


@dataclass(frozen=True)
class Persons:
    """Cells of one slice: clock (0, 1), n persons with a send, and of them those reached against a stop, by view."""

    clock: Ints
    n: Ints
    reached: dict[str, Ints]

    @classmethod
    def of(cls, columns: Columns) -> Persons:
        flags = {f: columns[f].astype(np.int64) for f in FLAGS}
        return cls(columns["clock"].astype(np.int64), columns["n"].astype(np.int64), flags)

    def messaged(self) -> int:
        return int(self.n[self.clock == 0].sum())

    def affected(self, choice: Choice) -> int:
        kept = self.clock == CLOCKS.index(choice["clock"])
        return int(self.reached[f"{choice['policy']}_{choice['identity']}"][kept].sum())


def _select_persons(facts: Facts) -> sa.Select[Any]:
    rows = judged(facts, People.of(facts))
    dims = [rows.c[d] for d in facts.dims]
    harmed = sa.or_(*(rows.c[f] > 0 for f in FLAGS))
    first = sa.func.coalesce(sa.func.min(sa.case((harmed, rows.c.day))), sa.func.min(rows.c.day))
    flags = [sa.func.max(rows.c[f]).label(f) for f in FLAGS]
    one = (
        sa.select(rows.c.root, *dims, rows.c.clock, first.label("day"), *flags)
        .where(rows.c.kind == SENT)
        .group_by(rows.c.root, *dims, rows.c.clock)
        .subquery("one")
    )
    keys: list[ColumnElement[Any]] = [one.c.day, *(one.c[d] for d in facts.dims), one.c.clock]
    sums = [whole(sa.func.sum(one.c[f])).label(f) for f in FLAGS]
    return sa.select(*keys, whole(sa.func.count()).label("n"), *sums).group_by(*keys)


PERSONS: Rollup[Persons] = Rollup(
    key="suppression.persons",
    title="Persons reached against a stop, by the day of the first time",
    tables=TABLES,
    dims=tuple(d for d in DIMS if d != "tier"),
    inner=("clock",),
    shapes=(Counts(("n", *FLAGS)),),
    select=_select_persons,
    cells=Persons.of,
    reach=REACH,
    stored=False,
)


@dataclass(frozen=True)
class Exposure:
    """Cells of one slice: clock, violations by view, and days that persons lived under a stop (clock 0 only)."""

    clock: Ints
    violations: dict[str, Ints]
    person_days: Floats

    @classmethod
    def of(cls, columns: Columns) -> Exposure:
        flags = {f: columns[f].astype(np.int64) for f in FLAGS}
        return cls(columns["clock"].astype(np.int64), flags, columns["person_days"].astype(float))

    def violated(self, choice: Choice) -> int:
        kept = self.clock == CLOCKS.index(choice["clock"])
        return int(self.violations[f"{choice['policy']}_{choice['identity']}"][kept].sum())


def _spells(facts: Facts, people: People) -> sa.Subquery:
    """Disjoint stretches of each person under any stop, up to the observation end: from_us, until_us."""
    stop, free = people.stops, people.free
    whole_stop = sa.and_(
        free.c.root == stop.c.root, free.c.us > stop.c.from_us,
        sa.or_(free.c.channels == text("*"), free.c.channels == stop.c.scope_channels),
        sa.or_(free.c.programmes.is_(None), free.c.programmes == text("*")),
    )  # fmt: skip
    freed = sa.func.coalesce(sa.func.min(free.c.us), never())
    ended = (
        sa.select(stop.c.root, stop.c.rank, stop.c.from_us, stop.c.expires_us, freed.label("freed_us"))
        .select_from(stop.outerjoin(free, whole_stop))
        .group_by(stop.c.root, stop.c.rank, stop.c.from_us, stop.c.expires_us)
        .subquery("freed")
    )
    until = sa.case((ended.c.expires_us < ended.c.freed_us, ended.c.expires_us), else_=ended.c.freed_us)
    cut = sa.case((until < facts.observed_us, until), else_=number(facts.observed_us))
    spans = sa.select(ended.c.root, ended.c.rank, ended.c.from_us, cut.label("until_us")).subquery("spells")
    before = sa.func.max(spans.c.until_us).over(
        partition_by=spans.c.root, order_by=[spans.c.from_us, spans.c.rank], rows=(None, -1)
    )
    seen = sa.select(spans, sa.func.coalesce(before, number(0)).label("before_us")).subquery("seen")
    since = sa.case((seen.c.before_us > seen.c.from_us, seen.c.before_us), else_=seen.c.from_us)
    apart = sa.select(since.label("from_us"), seen.c.until_us).subquery("apart")
    return sa.select(apart).where(apart.c.from_us < apart.c.until_us).subquery("stretches")


def _edges(stretches: FromClause, end: str, sign: int) -> sa.Select[Any]:
    """How many stretches start (or end) on a day, and the microseconds from there to midnight."""
    rows = sa.select(day_number(stretches.c[end]).label("day"), stretches.c[end].label("us")).subquery()
    rest = (rows.c.day + 1) * number(DAY_US) - rows.c.us
    return sa.select(
        rows.c.day,
        (whole(sa.func.count()) * sign).label("step"),
        (whole(sa.func.sum(rest)) * sign).label("rest"),
    ).group_by(rows.c.day)


def _days(first: sa.Subquery, last: int) -> sa.Subquery:
    """Ten thousand days from the first stretch on, no later than the last."""
    digits = sa.union_all(*(sa.select(number(i).label("d")) for i in range(10))).cte("digits")
    ones, tens, hundreds, thousands = (digits.alias() for _ in range(4))
    grid = sa.select(
        (first.c.day + ones.c.d + tens.c.d * 10 + hundreds.c.d * 100 + thousands.c.d * 1000).label("day")
    )
    rows = grid.select_from(
        first.join(ones, sa.true()).join(tens, sa.true()).join(hundreds, sa.true()).join(thousands, sa.true())
    ).subquery("grid")
    return sa.select(rows.c.day).where(rows.c.day <= last).subquery("days")


def _lived(facts: Facts, people: People) -> sa.Select[Any]:
    """Days lived under a stop, by day: those stopped at its start, and the part of the day of those who join or leave."""
    stretches = _spells(facts, people)
    moves = sa.union_all(_edges(stretches, "from_us", 1), _edges(stretches, "until_us", -1)).subquery("moves")
    steps = (
        sa.select(
            moves.c.day,
            whole(sa.func.sum(moves.c.step)).label("step"),
            whole(sa.func.sum(moves.c.rest)).label("rest"),
        )
        .group_by(moves.c.day)
        .cte("steps")
    )
    first = sa.select(sa.func.min(steps.c.day).label("day")).subquery("opening")
    days = _days(first, facts.observed_us // DAY_US)
    joined = days.outerjoin(steps, steps.c.day == days.c.day)
    level = sa.func.sum(sa.func.coalesce(steps.c.step, 0)).over(order_by=days.c.day, rows=(None, -1))
    rows = (
        sa.select(
            days.c.day,
            whole(sa.func.coalesce(level, 0)).label("held"),
            sa.func.coalesce(steps.c.rest, 0).label("rest"),
        )
        .select_from(joined)
        .subquery("levels")
    )
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    lived = double(rows.c.held) + double(rows.c.rest) / real(DAY_US)
    return sa.select(
        rows.c.day, number(0).label("clock"), number(0).label("n"), *(number(0).label(f) for f in FLAGS),
        lived.label("person_days"),
    ).where(inside)  # fmt: skip


def _select_exposure(facts: Facts) -> sa.Select[Any]:
    people = People.of(facts)
    rows = judged(facts, people)
    counted = (
        sa.select(
            rows.c.day, rows.c.clock, whole(sa.func.sum(rows.c.n)).label("n"),
            *(whole(sa.func.sum(rows.c[f])).label(f) for f in FLAGS), real(0).label("person_days"),
        )
        .where(rows.c.kind == SENT)
        .group_by(rows.c.day, rows.c.clock)
    )  # fmt: skip
    both = counted.union_all(_lived(facts, people)).subquery("exposed")
    names = ("n", *FLAGS)
    return sa.select(
        both.c.day, both.c.clock, *(whole(sa.func.sum(both.c[c])).label(c) for c in names),
        sa.func.sum(both.c.person_days).label("person_days"),
    ).group_by(both.c.day, both.c.clock)  # fmt: skip


EXPOSURE: Rollup[Exposure] = Rollup(
    key="suppression.exposure",
    title="Violations and days lived under a stop",
    tables=(*TABLES, "data_watermarks"),
    dims=(),
    inner=("clock",),
    shapes=(Counts(("n", *FLAGS)), Sums(("person_days",))),
    select=_select_exposure,
    cells=Exposure.of,
    reach=REACH,
    observed=("message_events", "suppression_events"),
    stored=False,
)

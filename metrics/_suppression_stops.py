"""One row a stop: did a violating send follow within thirty days? And releases that no person asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import DAY_US, Facts, Span, day_number, double, micros, real, whole
from metrics._suppression_attempts import attempts
from metrics._suppression_base import People, number, picked
from metrics._suppression_pairs import CLOCKS, SIDES, Sides, in_view, pairs
from metrics._suppression_touch import STOP_TOUCH
from metrics.core.metric import Choice, Reach, Rollup
from metrics.core.shapes import Columns, Counts, Ints

MATURE_DAYS = 30
MINUTE_US = 60_000_000
VIEWS = tuple(f"{p}_{i}_{c}" for (p, i), c in product(SIDES, CLOCKS))
DIMS = ("trigger_type", "origin_channel", "jurisdiction")


@dataclass(frozen=True)
class Stops:
    """Cells of one slice: the minute from which a stop is 30 days old (-1: not a stop), stops, those followed by a
    violation within 30 days by view, resurrecting releases, and how far the sources are complete (us).
    """

    ripe: Ints
    n: Ints
    resurrected: Ints
    broken: dict[str, Ints]
    observed_us: int

    @classmethod
    def of(cls, columns: Columns) -> Stops:
        ripe, n, back = (columns[c].astype(np.int64) for c in ("ripe", "n", "resurrected"))
        broken = {v: columns[v].astype(np.int64) for v in VIEWS}
        return cls(ripe, n, back, broken, int(columns["observed_us"][0]))

    def matured(self, choice: Choice) -> tuple[int, int, int]:
        """Clean stops, matured stops, and stops still too young to judge."""
        old = self.ripe * MINUTE_US <= self.observed_us
        view = f"{choice['policy']}_{choice['identity']}_{choice['clock']}"
        n = int(self.n[old].sum())
        return n - int(self.broken[view][old].sum()), n, int(self.n[~old].sum())


def _broken(facts: Facts, people: People) -> tuple[FromClause, sa.Subquery]:
    """Stops of the statement, and by rank the views in which a violating send followed within 30 days."""
    later = facts
    if facts.span is not None:
        later = replace(facts, span=Span(facts.span.first, facts.span.last + MATURE_DAYS + 1))
    tried = attempts(later, people, stopped_only=True)
    sides = Sides.of(facts, people, tried)
    pair, stop = pairs(sides), sides.stops
    flags = [
        whole(sa.func.max(sa.case((in_view(pair, p, i, c), 1), else_=0))).label(f"{p}_{i}_{c}")
        for (p, i), c in product(SIDES, CLOCKS)
    ]
    followed = (
        sa.select(pair.c.rank, *flags)
        .where(pair.c.seq == 0, pair.c.after_us <= number(MATURE_DAYS * DAY_US))
        .group_by(pair.c.rank)
        .subquery("followed")
    )
    return stop, followed


def _stop_rows(facts: Facts, people: People) -> sa.Select[Any]:
    stop, followed = _broken(facts, people)
    ripe = whole(sa.func.ceil(double(stop.c.from_us + number(MATURE_DAYS * DAY_US)) / real(MINUTE_US)))
    return sa.select(
        day_number(stop.c.from_us).label("day"), *(stop.c[d] for d in DIMS), ripe.label("ripe"), number(1).label("n"),
        number(0).label("resurrected"), *(sa.func.coalesce(followed.c[v], 0).label(v) for v in VIEWS),
    ).select_from(stop.outerjoin(followed, followed.c.rank == stop.c.rank))  # fmt: skip


def _resurrected_rows(facts: Facts) -> sa.Select[Any]:
    s = facts["suppression_events"]
    rows = (
        sa.select(micros(s.c.effective_at).label("us"), *(s.c[d] for d in DIMS))
        .where(s.c.action == "release", s.c.trigger_type != "re_opt_in")
        .subquery("raised")
    )
    return sa.select(
        day_number(rows.c.us).label("day"), *(rows.c[d] for d in DIMS), number(-1).label("ripe"), number(0).label("n"),
        number(1).label("resurrected"), *(number(0).label(v) for v in VIEWS),
    )  # fmt: skip


def _select(facts: Facts) -> sa.Select[Any]:
    rows = _stop_rows(facts, People.of(facts)).union_all(_resurrected_rows(facts)).subquery("stops")
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    keys: list[ColumnElement[Any]] = [rows.c.day, *(rows.c[d] for d in facts.dims), rows.c.ripe]
    sums = [whole(sa.func.sum(rows.c[c])).label(c) for c in ("n", "resurrected", *VIEWS)]
    return sa.select(*keys, *sums).where(inside, picked(rows, facts)).group_by(*keys)


STOPS: Rollup[Stops] = Rollup(
    key="suppression.stops",
    title="Stops, and whether sends followed them",
    tables=("suppression_events", "message_events", "activations", "person_merges", "data_watermarks"),
    dims=DIMS,
    inner=("ripe",),
    shapes=(Counts(("n", "resurrected", *VIEWS)),),
    select=_select,
    cells=Stops.of,
    touched=STOP_TOUCH,
    reach=tuple((name, Reach.ALL) for name in ("suppression_events", "message_events", "person_merges")),
    observed=("message_events", "suppression_events"),
)

"""Counts over the ledger's registers: who answers for what, which reviews are due, how long requests wait, what is risked.

Times in the ledger are text; `facts.observed_us` is the moment asked about, so that the same question gives the same
answer. Nothing here is additive over days: the ledger is asked as it stands.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.ledger_views import VERSIONS
from data.sql import Facts
from metrics.core.metric import Rollup
from metrics.core.shapes import Columns, Counts, Ints

AGED_DAYS = 90
REVIEWED = ("ownership", "risks", "controls", "operability", "postures", "appetites")
REQUESTS = ("acceptances", "exceptions")


@dataclass(frozen=True)
class Owned:
    """Counts of initiatives in use, shape (1,) each."""

    initiatives: Ints
    owned: Ints
    delegated: Ints


@dataclass(frozen=True)
class Reviews:
    """Counts of records that have a day of review, shape (1,) each."""

    reviews: Ints
    overdue: Ints


@dataclass(frozen=True)
class Waits:
    """Requests by how long they waited: seconds (T,), how many were decided (T,) and how many were not (T,)."""

    seconds: Ints
    decided: Ints
    undecided: Ints


def moment(facts: Facts, *, days_before: int = 0) -> dt.datetime:
    """The moment asked about, less some days."""
    return dt.datetime.fromtimestamp(facts.observed_us / 1e6, dt.UTC) - dt.timedelta(days=days_before)


def today(facts: Facts) -> str:
    """The day asked about, as the ledger writes days."""
    return moment(facts).date().isoformat()


def how_many(test: ColumnElement[bool]) -> ColumnElement[int]:
    return sa.func.count(sa.case((test, 1)))


def _undated(inner: FromClause, dims: tuple[str, ...], *counts: ColumnElement[Any]) -> sa.Select[Any]:
    """Counts by the dims; the day is that of no row."""
    keys = [inner.c[d] for d in dims]
    columns: list[ColumnElement[Any]] = [sa.func.min(inner.c.day).label("day"), *keys, *counts]
    return sa.select(*columns).select_from(inner).group_by(*keys)


DAY = sa.literal(0, sa.Integer).label("day")


def _owned(facts: Facts) -> sa.Select[Any]:
    i, o, u = facts["initiatives"], facts["ownership"], facts["users"]
    joined = i.outerjoin(o, sa.and_(o.c.record_id == i.c.record_id, o.c.state == "active")).outerjoin(
        u, sa.and_(u.c.record_id == o.c.accountable, u.c.state == "active")
    )
    inner = (
        sa.select(
            DAY, i.c.stage, i.c.materiality, u.c.record_id.label("who"), o.c.authority, o.c.delegate.label("deputy")
        )
        .select_from(joined)
        .where(i.c.state == "active", sa.or_(i.c.stage.is_(None), i.c.stage != "retired"))
        .subquery("i")
    )  # fmt: skip
    held = sa.and_(inner.c.who.is_not(None), inner.c.authority.is_not(None))
    return _undated(
        inner, facts.dims, sa.func.count().label("initiatives"), how_many(held).label("owned"),
        how_many(sa.and_(held, inner.c.deputy.is_not(None))).label("delegated"),
    )  # fmt: skip


def _reviews(facts: Facts) -> sa.Select[Any]:
    found = [
        sa.select(DAY, sa.literal(name, sa.Text).label("register"), facts[name].c.next_review)
        .where(facts[name].c.state == "active", facts[name].c.next_review.is_not(None))
        for name in REVIEWED
    ]  # fmt: skip
    inner = sa.union_all(*found).subquery("r")
    overdue = how_many(inner.c.next_review < today(facts))
    return _undated(inner, facts.dims, sa.func.count().label("reviews"), overdue.label("overdue"))


def _waits(facts: Facts) -> sa.Select[Any]:
    """Each time a request was handed in, with what came next: `since` and `until` as text, until `settled`."""
    found = []
    for name in REQUESTS:
        asked, after = facts[f"{name}{VERSIONS}"].alias(), facts[f"{name}{VERSIONS}"].alias()
        later = sa.and_(after.c.record_id == asked.c.record_id, after.c.version == asked.c.version + 1)
        found.append(
            sa.select(
                DAY, sa.literal(name, sa.Text).label("register"), asked.c.at.label("since"),
                after.c.at.label("until"), after.c.state.label("next"),
            )
            .select_from(asked.outerjoin(after, later))
            .where(asked.c.state == "submitted")
        )  # fmt: skip
    inner = sa.union_all(*found).subquery("w")
    keys = [inner.c[d] for d in facts.dims]
    decided = how_many(inner.c.next.in_(("accepted", "rejected")))
    columns: list[ColumnElement[Any]] = [
        sa.func.min(inner.c.day).label("day"), *keys, inner.c.since, inner.c.until,
        sa.func.count().label("requests"), decided.label("decided"),
    ]  # fmt: skip
    return sa.select(*columns).select_from(inner).group_by(*keys, inner.c.since, inner.c.until)


def settled(columns: Columns) -> Columns:
    """Times as whole seconds since 1970; -1 for a request that is still undecided."""
    names = ("since", "until")
    return columns | {n: np.array([_seconds(t) for t in columns[n]], dtype=np.int64) for n in names}


def _seconds(text: object) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp()) if isinstance(text, str) else -1


def wait_cells(columns: Columns) -> Waits:
    since, until = columns["since"].astype(np.int64), columns["until"].astype(np.int64)
    now = columns["observed_us"].astype(np.int64) // 1_000_000
    seconds = np.maximum(np.where(until < 0, now, until) - since, 0)
    decided = columns["decided"].astype(np.int64)
    return Waits(seconds, decided, columns["requests"].astype(np.int64) - decided)


def _ints(columns: Columns, name: str) -> Ints:
    return columns[name].astype(np.int64)


OWNED = Rollup(
    key="ownership.initiatives",
    title="Initiatives in use and who answers for them",
    tables=("initiatives", "ownership", "users"),
    dims=("stage", "materiality"),
    shapes=(Counts(("initiatives", "owned", "delegated")),),
    select=_owned,
    cells=lambda c: Owned(_ints(c, "initiatives"), _ints(c, "owned"), _ints(c, "delegated")),
    stored=False,
    ledger=True,
)
REVIEWS = Rollup(
    key="ownership.reviews",
    title="Records that are to be looked at again by a day",
    tables=REVIEWED,
    dims=("register",),
    shapes=(Counts(("reviews", "overdue")),),
    select=_reviews,
    cells=lambda c: Reviews(_ints(c, "reviews"), _ints(c, "overdue")),
    stored=False,
    ledger=True,
)
WAITS = Rollup(
    key="ownership.requests",
    title="Requests handed in and when they were decided",
    tables=REQUESTS,
    dims=("register",),
    inner=("since", "until"),
    shapes=(Counts(("requests", "decided")),),
    select=_waits,
    cells=wait_cells,
    derived=settled,
    stored=False,
    ledger=True,
)

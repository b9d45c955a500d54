"""Counts over the register of risks: ratings against appetite, age, acceptances relied on, indicators in breach."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.ledger_types import utc_text
from data.ledger_views import BOUNDS, VERSIONS, bounded_by
from data.sql import Facts
from metrics._ledger_cells import AGED_DAYS, DAY, how_many, moment, today
from metrics.core.metric import Rollup
from metrics.core.shapes import Columns, Counts, Ints

AGES = ("under 30 days", "30 to 90 days", "90 days to a year", "over a year")
SETTLED = ("met", "not met", "inconclusive")  # verdicts that rest on a measurement
BREACHED = "not met"


@dataclass(frozen=True)
class Risks:
    """Counts of active risks, shape (1,) each. `rated`: with a residual score and an appetite of their category."""

    risks: Ints
    rated: Ints
    above_appetite: Ints
    above_tolerance: Ints
    aged: Ints
    accepted: Ints
    unbacked: Ints
    unowned: Ints


@dataclass(frozen=True)
class Watched:
    """Counts of active risks with an indicator, of those measured today, and of those in breach; shape (1,) each."""

    watched: Ints
    measured: Ints
    breached: Ints


def _active(facts: Facts, *more: ColumnElement[Any]) -> sa.Select[Any]:
    """Active risks with when they were first written and their age band."""
    r, first = facts["risks"], facts[f"risks{VERSIONS}"].alias("first")
    bounds = tuple(utc_text(moment(facts, days_before=d)) for d in (30, 90, 365))
    band = sa.case(
        (first.c.at > bounds[0], AGES[0]), (first.c.at > bounds[1], AGES[1]), (first.c.at > bounds[2], AGES[2]),
        else_=AGES[3],
    )  # fmt: skip
    begun = sa.and_(first.c.record_id == r.c.record_id, first.c.version == 1)
    return (
        sa.select(
            DAY, r.c.record_id, r.c.initiative, r.c.category, r.c.treatment, sa.cast(band, sa.Text).label("age_band"),
            first.c.at.label("begun"), *more,
        )
        .select_from(r.join(first, begun))
        .where(r.c.state == "active")
    )  # fmt: skip


def _risks(facts: Facts) -> sa.Select[Any]:
    r = facts["risks"]
    residual = (r.c.residual_likelihood * r.c.residual_impact).label("residual")
    rated = _active(facts, residual, r.c.owner).subquery("rated")
    a = facts["appetites"]
    limits = sa.and_(a.c.record_id == rated.c.category, a.c.state == "active")
    held = _in_force(facts)
    inner = (
        sa.select(*rated.c, a.c.appetite, a.c.tolerance, held.c.risk.label("held"))
        .select_from(rated.outerjoin(a, limits).outerjoin(held, held.c.risk == rated.c.record_id))
        .subquery("risk")
    )
    known = sa.and_(inner.c.residual.is_not(None), inner.c.appetite.is_not(None))
    accepts = inner.c.treatment == "accept"
    counts = {
        "risks": sa.func.count(),
        "rated": how_many(known),
        "above_appetite": how_many(sa.and_(known, inner.c.residual > inner.c.appetite)),
        "above_tolerance": how_many(sa.and_(known, inner.c.residual > inner.c.tolerance)),
        "aged": how_many(inner.c.begun <= utc_text(moment(facts, days_before=AGED_DAYS))),
        "accepted": how_many(accepts),
        "unbacked": how_many(sa.and_(accepts, inner.c.held.is_(None))),
        "unowned": how_many(inner.c.owner.is_(None)),
    }
    return _counted(inner, facts.dims, counts)


def _in_force(facts: Facts) -> FromClause:
    """Risks with an acceptance that is accepted and has not come to its last day, nor to its tripwire."""
    a, b = facts["acceptances"], facts[BOUNDS]
    tripped = sa.and_(bounded_by(a, "tripwire", b), b.c.state == BREACHED)
    return (
        sa.select(a.c.risk)
        .select_from(a.outerjoin(b, tripped))
        .where(
            a.c.state == "accepted",
            sa.or_(a.c.expires.is_(None), a.c.expires >= today(facts)),
            b.c.state.is_(None),
        )
        .group_by(a.c.risk)
        .subquery("held")
    )


def _watched(facts: Facts) -> sa.Select[Any]:
    r, b = facts["risks"], facts[BOUNDS]
    bound = (r.c[f"indicator_{part}"] for part in ("metric", "comparator", "threshold", "scope"))
    active = _active(facts, *bound).where(r.c.indicator_metric.is_not(None)).subquery("active")
    joined = active.outerjoin(b, bounded_by(active, "indicator", b))
    inner = sa.select(*active.c, b.c.state).select_from(joined).subquery("watched")
    counts = {
        "watched": sa.func.count(),
        "measured": how_many(inner.c.state.in_(SETTLED)),
        "breached": how_many(inner.c.state == BREACHED),
    }
    return _counted(inner, facts.dims, counts)


def _counted(inner: FromClause, dims: tuple[str, ...], counts: dict[str, ColumnElement[Any]]) -> sa.Select[Any]:  # fmt: skip
    keys = [inner.c[d] for d in dims]
    named = [count.label(name) for name, count in counts.items()]
    columns: list[ColumnElement[Any]] = [sa.func.min(inner.c.day).label("day"), *keys, *named]
    return sa.select(*columns).select_from(inner).group_by(*keys)


def _risk_cells(columns: Columns) -> Risks:
    return Risks(*(columns[f.name].astype(np.int64) for f in fields(Risks)))


def _watched_cells(columns: Columns) -> Watched:
    return Watched(*(columns[f.name].astype(np.int64) for f in fields(Watched)))


DIMS = ("initiative", "category", "treatment", "age_band")
RISKS = Rollup(
    key="risk.register",
    title="Active risks, their ratings, ages and acceptances",
    tables=("risks", "appetites", "acceptances", BOUNDS),
    dims=DIMS,
    shapes=(Counts(tuple(f.name for f in fields(Risks))),),
    select=_risks,
    cells=_risk_cells,
    stored=False,
    ledger=True,
)
WATCHED = Rollup(
    key="risk.indicators",
    title="Active risks with an indicator, and what it says today",
    tables=("risks", BOUNDS),
    dims=DIMS,
    shapes=(Counts(tuple(f.name for f in fields(Watched))),),
    select=_watched,
    cells=_watched_cells,
    stored=False,
    ledger=True,
)

"""Promises kept and conclusions used, from the ledger: what was promised and never reached is in no table of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts
from metrics._ledger_cells import DAY, how_many, today
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Rollup
from metrics.core.shapes import Columns, Counts, Ints

CAPABILITY, DELIVERED = "capability", ("pilot", "production")
CHANGED = "changed a decision"


@dataclass(frozen=True)
class Promises:
    """Milestones whose day has come or that were reached, and how many of them in time: shape (1,) each."""

    abilities: Ints
    abilities_kept: Ints
    steps: Ints
    steps_kept: Ints


@dataclass(frozen=True)
class Conclusions:
    """Conclusions of experiments, and how many changed a decision: shape (1,) each."""

    conclusions: Ints
    changed: Ints


def _promises(facts: Facts) -> sa.Select[Any]:
    m, now = facts["milestones"], today(facts)
    reached = sa.case((m.c.reached <= now, m.c.reached))  # a day that has not come is a plan, not a fact
    inner = (
        sa.select(DAY, m.c.initiative, m.c.kind, m.c.due, reached.label("reached"))
        .where(m.c.state == "active", sa.or_(m.c.due < now, m.c.reached <= now))
        .subquery("promises")
    )
    kept = sa.and_(inner.c.reached.is_not(None), inner.c.reached <= inner.c.due)
    able, step = inner.c.kind == CAPABILITY, inner.c.kind.in_(DELIVERED)
    counts = {
        "abilities": how_many(able), "abilities_kept": how_many(sa.and_(able, kept)),
        "steps": how_many(step), "steps_kept": how_many(sa.and_(step, kept)),
    }  # fmt: skip
    return _counted(inner, facts.dims, counts)


def _conclusions(facts: Facts) -> sa.Select[Any]:
    c = facts["conclusions"]
    inner = (
        sa.select(DAY, c.c.initiative, c.c.effect)
        .where(c.c.state == "active", c.c.concluded <= today(facts))
        .subquery("conclusions")
    )
    counts = {"conclusions": sa.func.count(), "changed": how_many(inner.c.effect == CHANGED)}
    return _counted(inner, facts.dims, counts)


def _counted(
    inner: sa.Subquery, dims: tuple[str, ...], counts: dict[str, ColumnElement[Any]]
) -> sa.Select[Any]:
    keys = [inner.c[d] for d in dims]
    named = [n.label(name) for name, n in counts.items()]
    columns: list[ColumnElement[Any]] = [sa.func.min(inner.c.day).label("day"), *keys, *named]
    return sa.select(*columns).select_from(inner).group_by(*keys)


def _promise_cells(columns: Columns) -> Promises:
    return Promises(*(columns[f.name].astype(np.int64) for f in fields(Promises)))


def _conclusion_cells(columns: Columns) -> Conclusions:
    return Conclusions(*(columns[f.name].astype(np.int64) for f in fields(Conclusions)))


PROMISES: Rollup[Promises] = Rollup(
    key="learning.promises",
    title="Milestones promised and reached",
    tables=("milestones",),
    dims=("initiative", "kind"),
    shapes=(Counts(tuple(f.name for f in fields(Promises))),),
    select=_promises,
    cells=_promise_cells,
    stored=False,
    ledger=True,
)
CONCLUDED: Rollup[Conclusions] = Rollup(
    key="learning.conclusions",
    title="Conclusions of experiments and what became of them",
    tables=("conclusions",),
    dims=("initiative", "effect"),
    shapes=(Counts(tuple(f.name for f in fields(Conclusions))),),
    select=_conclusions,
    cells=_conclusion_cells,
    stored=False,
    ledger=True,
)


def promised(total: str, kept: str, what: str) -> Callable[[Promises, Choice], Estimate]:
    """The share of promises kept by their day, of those whose day has come or that were reached before it."""

    def finalise(cells: Promises, _: Choice) -> Estimate:
        nothing = f"no {what} in the ledger has come to its day: write down what is promised by when"
        return share(int(getattr(cells, kept).sum()), int(getattr(cells, total).sum()), nothing)

    return finalise


def changed(cells: Conclusions, _: Choice) -> Estimate:
    nothing = "no conclusion of an experiment is recorded in the ledger: write down what each trial taught"
    return share(int(cells.changed.sum()), int(cells.conclusions.sum()), nothing)

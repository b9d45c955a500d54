"""Every initiative in use against every item of readiness: its best evidence and the record that is it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.ledger_views import BOUNDS, CONTRACT_STATES
from data.sql import Facts
from metrics._ledger_cells import DAY, how_many
from metrics._readiness_items import ITEMS
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Rollup
from metrics.core.shapes import Columns, Counts, Ints

OBSERVED, INFERRED, ABSENT = "observed", "inferred", "absent"
NO_RECORD = "none"
TABLES = (
    "initiatives", "ownership", "decisions", "postures", "operability", "risks", "evidence", "contracts", "targets",
    "check_ins", "baselines", "studies", "study_results", "gate_reviews", "gate_decisions", BOUNDS, CONTRACT_STATES,
)  # fmt: skip


@dataclass(frozen=True)
class ItemCells:
    """Items by their place in ITEMS, (T,): how many initiatives were asked, with evidence observed and inferred."""

    code: Ints
    asked: Ints
    observed: Ints
    inferred: Ints

    @classmethod
    def of(cls, columns: Columns) -> ItemCells:
        return cls(*(columns[k].astype(np.int64) for k in ("code", "asked", "observed", "inferred")))


def _whole(number: int) -> ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer())


def _evidence(facts: Facts) -> sa.Subquery:
    """The best evidence of each initiative and item: rank 2 observed, 1 inferred; of equals the first by name."""
    parts = []
    for code, item in enumerate(ITEMS):
        for rank, sources in ((2, item.shown), (1, item.said)):
            for source in sources:
                rows = source(facts).subquery()
                parts.append(
                    sa.select(
                        rows.c.initiative,
                        rows.c.evidence,
                        _whole(code).label("code"),
                        _whole(rank).label("rank"),
                    )
                )
    every = sa.union_all(*parts).cte("evidence_found")
    best = (
        sa.select(every.c.initiative, every.c.code, sa.func.max(every.c.rank).label("rank"))
        .group_by(every.c.initiative, every.c.code)
        .subquery("best")
    )
    same = sa.and_(
        best.c.initiative == every.c.initiative, best.c.code == every.c.code, best.c.rank == every.c.rank
    )
    return (
        sa.select(
            every.c.initiative, every.c.code, every.c.rank, sa.func.min(every.c.evidence).label("evidence")
        )
        .select_from(every.join(best, same))
        .group_by(every.c.initiative, every.c.code, every.c.rank)
        .subquery("named_evidence")
    )


def _once(facts: Facts) -> Facts:
    """The same tables under one name each, so that an engine reads a register once and not for every item."""
    tables = {name: sa.select(*facts[name].c).cte(f"{name}_now") for name in TABLES}
    return replace(facts, tables=tables)


def _items(facts: Facts) -> sa.Select[Any]:
    facts = _once(facts)
    i, found = facts["initiatives"], _evidence(facts)
    asked = [
        sa.select(
            i.c.record_id.label("initiative"), i.c.stage, _whole(code).label("code"),
            sa.literal(item.pillar, sa.Text).label("pillar"), sa.literal(item.name, sa.Text).label("item"),
        ).where(i.c.state == "active", sa.or_(i.c.stage.is_(None), i.c.stage != "retired"))
        for code, item in enumerate(ITEMS)
    ]  # fmt: skip
    every = sa.union_all(*asked).subquery("asked")
    joined = every.outerjoin(
        found, sa.and_(found.c.initiative == every.c.initiative, found.c.code == every.c.code)
    )
    basis = sa.case((found.c.rank == 2, OBSERVED), (found.c.rank == 1, INFERRED), else_=ABSENT)
    inner = (
        sa.select(
            DAY, every.c.initiative, every.c.stage, every.c.pillar, every.c.item, every.c.code,
            sa.cast(basis, sa.Text).label("basis"), sa.func.coalesce(found.c.evidence, NO_RECORD).label("evidence"),
        )
        .select_from(joined)
        .subquery("items")
    )  # fmt: skip
    keys = [inner.c[k] for k in (*facts.dims, "code")]
    columns: list[ColumnElement[Any]] = [
        sa.func.min(inner.c.day).label("day"), *keys, sa.func.count().label("asked"),
        how_many(inner.c.basis == OBSERVED).label("observed"), how_many(inner.c.basis == INFERRED).label("inferred"),
    ]  # fmt: skip
    return sa.select(*columns).select_from(inner).group_by(*keys)


EVERY: Rollup[ItemCells] = Rollup(
    key="readiness.items",
    title="Items of readiness with their evidence",
    tables=TABLES,
    dims=("initiative", "stage", "pillar", "item", "basis", "evidence"),
    inner=("code",),
    shapes=(Counts(("asked", "observed", "inferred")),),
    select=_items,
    cells=ItemCells.of,
    stored=False,
    ledger=True,
)


def shown(pillar: str) -> Callable[[ItemCells, Choice], Estimate]:
    """Items of a pillar observed, of all; what is only declared is told beside it and never counted."""
    codes = np.array([at for at, item in enumerate(ITEMS) if item.pillar == pillar])

    def finalise(cells: ItemCells, _: Choice) -> Estimate:
        own = np.isin(cells.code, codes)
        asked, observed, inferred = (int(n[own].sum()) for n in (cells.asked, cells.observed, cells.inferred))
        notes = (f"{inferred} more of {asked} are declared and shown by nothing",) if inferred else ()
        return share(observed, asked, "no initiative in use is recorded in the ledger in this scope", notes)

    return finalise

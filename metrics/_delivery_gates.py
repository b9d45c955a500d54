"""How long a request to pass a gate waits for the council's decision, from the ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.ledger_views import VERSIONS
from data.sql import Facts
from metrics._ledger_cells import DAY, Waits, how_many, settled, wait_cells
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Rollup, Unit, undefined
from metrics.core.shapes import Counts
from metrics.core.survival import kaplan_meier, quantile

OPENED, WITHDRAWN = "opened", "withdrawn"


def _reviews(facts: Facts) -> sa.Select[Any]:
    """Each review with when it was opened and when it was decided or withdrawn. A decision bears its review's number."""
    r, first = facts["gate_reviews"], facts[f"gate_reviews{VERSIONS}"].alias("opening")
    d = facts["gate_decisions"]
    joined = r.join(first, sa.and_(first.c.record_id == r.c.record_id, first.c.version == 1)).outerjoin(
        d, d.c.review == r.c.record_id
    )
    gone = sa.case((r.c.state == WITHDRAWN, r.c.at))
    inner = (
        sa.select(
            DAY, r.c.initiative, r.c.gate, r.c.track, first.c.at.label("since"),
            sa.func.coalesce(d.c.at, gone).label("until"), d.c.record_id.label("decision"),
        )
        .select_from(joined)
        .subquery("reviews")
    )  # fmt: skip
    keys = [inner.c[k] for k in facts.dims]
    columns: list[ColumnElement[Any]] = [
        sa.func.min(inner.c.day).label("day"), *keys, inner.c.since, inner.c.until,
        sa.func.count().label("requests"), how_many(inner.c.decision.is_not(None)).label("decided"),
    ]  # fmt: skip
    return sa.select(*columns).select_from(inner).group_by(*keys, inner.c.since, inner.c.until)


GATE_WAITS: Rollup[Waits] = Rollup(
    key="delivery.gate_reviews",
    title="Gate reviews opened and when they were decided",
    tables=("gate_reviews", "gate_decisions"),
    dims=("initiative", "gate", "track"),
    inner=("since", "until"),
    shapes=(Counts(("requests", "decided")),),
    select=_reviews,
    cells=wait_cells,
    derived=settled,
    stored=False,
    ledger=True,
)


def cycle_of(cells: Waits, _: Choice) -> Estimate:
    """Kaplan-Meier median: reviews still open are censored at their age, withdrawn ones when they were withdrawn."""
    n, decided = int((cells.decided + cells.undecided).sum()), int(cells.decided.sum())
    if n == 0:
        return undefined("no gate review was ever opened: open one on the page Council")
    found = quantile(kaplan_meier(cells.seconds.astype(float), cells.decided, cells.undecided), 0.5)
    if found.value is None:
        return undefined(f"not reached: {decided} of {n} reviews were decided so far", n)
    bounded = found.low is not None and found.high is not None
    low, high = (found.low, found.high) if bounded else (None, None)
    notes = () if bounded else ("the upper limit is not reached: there is no bound",)
    return Estimate(found.value, low, high, n, decided, n, found.method, warnings=notes)


GATE_CYCLE: Metric[Waits] = Metric(
    key="delivery.gate_cycle_median",
    title="Gate cycle time",
    question="How long does half of the gate reviews take from the request to the decision?",
    definition=(
        "Kaplan-Meier median from the opening of a gate review to its decision. Reviews still open are censored at their age, "
        "withdrawn ones when they were withdrawn."
    ),
    why="A council that decides late decides all the same: the work goes on, or stops, without it.",
    dimension=Dimension.PROCESS,
    unit=Unit.SECONDS,
    direction=Direction.LOWER,
    rollup=GATE_WAITS,
    interval="Kaplan-Meier, log-log transform",
    owner="council chair",
    finalise=cycle_of,
    min_n=5,
)

"""Channel continuity: whether the signals of a failing channel are still activated in time through another one.

A channel is degraded in a quarter of an hour when the share of its attempts that were delivered is surely below
its objective (the upper Wilson limit lies under it). A signal belongs to the channel of its first linked
activation, sent or not; it is concerned when it was scored or due in such a quarter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, double, micros, real, whole
from metrics._activation_states import (
    IN_WINDOW,
    LATE,
    MINUTE_US,
    MISSED,
    SOURCES,
    STATE_CELLS,
    resolved_states,
)
from metrics.core.contact import end_of, never, real_activations
from metrics.core.estimates import share
from metrics.core.intervals import Z
from metrics.core.metric import Choice, Estimate, Rollup, undefined
from metrics.core.shapes import Columns, Counts, Floats, Ints, Sums

QUARTER_US = 15 * MINUTE_US
SETTLED_US = 60 * MINUTE_US  # a quarter is judged when its reports have had an hour to come in
OBJECTIVE = 0.9  # share of attempts delivered
FEWEST = 5  # attempts in a quarter below which one failure would condemn a channel
ATTEMPTS = ("sent", "failed", "rejected")
REROUTED, SAME, STRANDED = 0, 1, 2


@dataclass(frozen=True)
class ContinuityCells:
    """Signals concerned by degraded time, one entry a cell: how each fared, n, and the model's own expected value."""

    fate: Ints
    n: Ints
    expected: Floats

    @classmethod
    def of(cls, columns: Columns) -> ContinuityCells:
        fate, n = (columns[k].astype(np.int64) for k in ("fate", "n"))
        return cls(fate, n, columns["expected"].astype(float))


@dataclass(frozen=True)
class DegradedCells:
    """Quarters of an hour with enough attempts, and those of them that were degraded, one entry a cell."""

    judged: Ints
    degraded: Ints

    @classmethod
    def of(cls, columns: Columns) -> DegradedCells:
        judged, degraded = (columns[k].astype(np.int64) for k in ("judged", "degraded"))
        return cls(judged, degraded)


def _quarter(us: ColumnElement[int]) -> ColumnElement[int]:
    return whole(sa.func.floor(double(us) / real(QUARTER_US)))


def wilson_high(k: ColumnElement[float], n: ColumnElement[float]) -> ColumnElement[float]:
    """Upper 95 % Wilson limit of k of n."""
    square = real(Z * Z)
    spread = sa.func.sqrt(k * (n - k) / n + square / real(4.0))
    return (k + square / real(2.0) + real(Z) * spread) / (n + square)


def quarters(facts: Facts) -> sa.Subquery:
    """Quarters of an hour of each channel with enough attempts: channel, quarter, degraded (0 or 1).

    Channels that never report a delivery are not judged: no news is not bad news.
    """
    a, e = facts["activations"], facts["message_events"]
    events = (
        sa.select(a.c.channel, e.c.activation_id, e.c.event_type, micros(e.c.event_at).label("us"))
        .select_from(e.join(a, a.c.activation_id == e.c.activation_id))
        .where(e.c.event_type.in_((*ATTEMPTS, "delivered")), real_activations(facts))
        .subquery("delivery_reports")
    )
    tried = sa.case((events.c.event_type.in_(ATTEMPTS), events.c.us), else_=never())
    each = (
        sa.select(
            events.c.channel, events.c.activation_id, sa.func.min(tried).label("us"),
            sa.func.max(sa.case((events.c.event_type == "delivered", 1), else_=0)).label("delivered"),
        )
        .where(events.c.us <= end_of(facts))
        .group_by(events.c.channel, events.c.activation_id)
        .subquery("attempts")
    )  # fmt: skip
    reporting = sa.select(each.c.channel).where(each.c.delivered == 1)
    placed = (
        sa.select(each.c.channel, _quarter(each.c.us).label("quarter"), each.c.delivered)
        .where(each.c.us < never(), each.c.channel.in_(reporting))
        .subquery("placed_attempts")
    )
    counted = (
        sa.select(
            placed.c.channel, placed.c.quarter, whole(sa.func.count()).label("n"),
            whole(sa.func.sum(placed.c.delivered)).label("k"),
        )
        .group_by(placed.c.channel, placed.c.quarter)
        .subquery("counted_attempts")
    )  # fmt: skip
    low = wilson_high(double(counted.c.k), double(counted.c.n)) < real(OBJECTIVE)
    settled = (counted.c.quarter + 1) * QUARTER_US + SETTLED_US <= end_of(facts)
    return (
        sa.select(counted.c.channel, counted.c.quarter, sa.case((low, 1), else_=0).label("degraded"))
        .where(counted.c.n >= FEWEST, settled)
        .subquery("quarters")
    )


def _meant(facts: Facts) -> sa.Subquery:
    """The channel each signal was meant for, that of its first linked activation: signal_id, meant."""
    a, link = facts["activations"], facts["activation_signals"]
    linked = (
        sa.select(link.c.signal_id, a.c.activation_id, a.c.channel, micros(a.c.created_at).label("us"))
        .select_from(link.join(a, a.c.activation_id == link.c.activation_id))
        .where(a.c.purpose == "marketing", real_activations(facts))
        .subquery("planned")
    )
    made = sa.func.coalesce(linked.c.us, never())
    turn = sa.func.row_number().over(partition_by=linked.c.signal_id, order_by=[made, linked.c.activation_id])
    turned = sa.select(linked.c.signal_id, linked.c.channel.label("meant"), turn.label("turn")).subquery(
        "plans"
    )
    return sa.select(turned.c.signal_id, turned.c.meant).where(turned.c.turn == 1).subquery("meant")


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    rows, plan, bad = resolved_states(facts), _meant(facts), quarters(facts)
    closing = rows.c.us + rows.c.window_ms * 1000
    due = sa.case((rows.c.code == IN_WINDOW, rows.c.sent_us), else_=closing)
    hit = sa.and_(
        bad.c.channel == plan.c.meant, bad.c.degraded == 1,
        sa.or_(bad.c.quarter == _quarter(rows.c.us), bad.c.quarter == _quarter(due)),
    )  # fmt: skip
    fate = sa.case(
        (rows.c.code != IN_WINDOW, STRANDED), (rows.c.channel == plan.c.meant, SAME), else_=REROUTED
    )
    pins = [(plan.c.meant if k == "channel" else rows.c[k]) == v for k, v in facts.where if k in rows.c]
    dims = {d: plan.c.meant if d == "channel" else rows.c[d] for d in facts.dims}
    concerned = (
        sa.select(
            rows.c.signal_id, day_number(rows.c.us).label("day"), *(c.label(d) for d, c in dims.items()),
            fate.label("fate"), rows.c.expected,
        )
        .distinct()
        .select_from(rows.join(plan, plan.c.signal_id == rows.c.signal_id).join(bad, hit))
        .where(rows.c.code.in_((IN_WINDOW, LATE, MISSED)), *pins)
        .subquery("concerned")
    )  # fmt: skip
    keys = [concerned.c[k] for k in ("day", *facts.dims, "fate")]
    total = sa.func.sum(concerned.c.expected).label("expected")
    return sa.select(*keys, whole(sa.func.count()).label("n"), total).group_by(*keys)


def _select_degraded(facts: Facts) -> sa.Select[tuple[object, ...]]:
    found = quarters(facts)
    pins = [found.c[k] == v for k, v in facts.where if k in found.c]
    rows = (
        sa.select(found, day_number(found.c.quarter * QUARTER_US).label("day"))
        .where(*pins)
        .subquery("quarter_days")
    )
    span = facts.span
    inside = sa.true() if span is None else rows.c.day.between(span.first, span.last)
    keys = [rows.c[k] for k in ("day", *facts.dims)]
    return (
        sa.select(
            *keys,
            whole(sa.func.count()).label("judged"),
            whole(sa.func.sum(rows.c.degraded)).label("degraded"),
        )
        .where(inside)
        .group_by(*keys)
    )


def continuity(cells: ContinuityCells, _: Choice) -> Estimate:
    """Signals concerned that went out in their window through another channel / all signals concerned."""
    by_fate = {fate: int(cells.n[cells.fate == fate].sum()) for fate in (REROUTED, SAME, STRANDED)}
    lost = float(cells.expected[cells.fate == STRANDED].sum())
    notes = (
        f"{by_fate[STRANDED]:,} stranded, worth {lost:,.2f} by the model's own expected value (claimed)",
        f"{by_fate[SAME]:,} went out in their window through the degraded channel itself",
    )
    none = "no signal was scored or due while its channel was degraded"
    return share(by_fate[REROUTED], int(cells.n.sum()), none, notes)


def minutes_degraded(cells: DegradedCells, _: Choice) -> Estimate:
    """Minutes in quarters of an hour that were surely below the objective."""
    n = int(cells.judged.sum())
    if not n:
        return undefined(f"no quarter of an hour has {FEWEST} attempts in a channel that reports deliveries")
    return Estimate(15.0 * int(cells.degraded.sum()), n=n, method="exact count of quarters of an hour")


CONTINUITY: Rollup[ContinuityCells] = Rollup(
    key="activation.continuity",
    title="Signals scored or due while their channel was degraded",
    tables=STATE_CELLS.tables,
    dims=("model_id", "model_version", "signal_name", "channel"),
    inner=("fate",),
    shapes=(Counts(("n",)), Sums(("expected",))),
    select=_select,
    cells=ContinuityCells.of,
    stored=False,
    reach=STATE_CELLS.reach,
    observed=SOURCES,
)
DEGRADED: Rollup[DegradedCells] = Rollup(
    key="activation.degraded",
    title="Quarters of an hour by channel, and those degraded",
    tables=("message_events", "activations", "data_watermarks"),
    dims=("channel",),
    shapes=(Counts(("judged", "degraded")),),
    select=_select_degraded,
    cells=DegradedCells.of,
    stored=False,
    observed=("message_events", "activations"),
)

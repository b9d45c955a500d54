"""The steps a signal takes from its score to the person, and the share of them that waits for a person's hand.

Of activated signals only. `scored` and `sent` come from the signal and its first send where no row says them; the
steps join neighbouring hops that are present, so a missing middle hop is one unobserved stretch a->c. Which hops a
chain holds is a bit mask, kept as a key: whether it is complete is told by the slice it is read in.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.schema import HOPS
from data.sql import Facts, day_number, micros, whole
from metrics._activation_grid import log_bucket
from metrics._activation_hop_cells import WAITS, ChainCells, StepCells
from metrics._activation_hours import worked_us
from metrics._activation_states import (
    SKEW_US,
    SOURCES,
    STATE_CELLS,
    resolved_states,
)
from metrics._activation_touch import days_of, signals_of_links
from metrics.core.contact import end_of, never
from metrics.core.metric import Reach, Rollup
from metrics.core.shapes import Counts

TO_SENT = HOPS.index("sent") + 1  # hops of the way to the person; those after it are feedback
IN_WINDOW, LATE = 5, 6


def _place(hop: ColumnElement[str]) -> ColumnElement[int]:
    return sa.case(*((hop == name, i) for i, name in enumerate(HOPS)), else_=-1)


def _logged(facts: Facts, active: sa.CTE) -> sa.Select[Any]:
    """Earliest logged entry of each hop of each activated signal: signal_id, place, us, manual, said, low_us, high_us."""
    h = facts["activation_hops"]
    raw = (
        sa.select(h.c.signal_id, h.c.activation_id, _place(h.c.hop).label("place"), micros(h.c.entered_at).label("us"),
                  micros(h.c.entered_at_lo).label("low_us"), micros(h.c.entered_at_hi).label("high_us"), h.c.mode)
        .where(sa.or_(h.c.outcome.is_(None), h.c.outcome == "ok"))
        .subquery("hop_rows")
    )  # fmt: skip
    own = sa.and_(
        raw.c.signal_id == active.c.signal_id,
        sa.or_(raw.c.activation_id.is_(None), raw.c.activation_id == active.c.activation_id),
        raw.c.us <= end_of(facts),
    )
    order = sa.func.row_number().over(
        partition_by=[raw.c.signal_id, raw.c.place], order_by=[raw.c.us, raw.c.mode]
    )
    ranked = (
        sa.select(raw.c.signal_id, raw.c.place, raw.c.us, sa.case((raw.c.mode == "manual", 1), else_=0).label("manual"),
                  sa.case((raw.c.low_us < raw.c.us, raw.c.low_us), else_=raw.c.us).label("low_us"),
                  sa.case((raw.c.high_us > raw.c.us, raw.c.high_us), else_=raw.c.us).label("high_us"),
                  order.label("turn"))
        .select_from(raw.join(active, own))
        .subquery("ranked_hops")
    )  # fmt: skip
    return sa.select(
        ranked.c.signal_id,
        ranked.c.place,
        ranked.c.us,
        ranked.c.manual,
        sa.literal_column("1", sa.Integer()).label("said"),
        ranked.c.low_us,
        ranked.c.high_us,
    ).where(ranked.c.turn == 1)


def _visits(facts: Facts) -> tuple[sa.CTE, sa.Subquery]:
    """Activated signals, and the earliest entry of each hop of each: signal_id, place, us, manual, said, low_us, high_us."""
    rows = resolved_states(facts)
    active = sa.select(rows).where(rows.c.code.in_((IN_WINDOW, LATE))).cte("activated")
    said = _logged(facts, active)
    none = sa.literal_column("0", sa.Integer())
    ends = [
        sa.select(
            active.c.signal_id,
            sa.literal_column(str(place), sa.Integer()),
            column,
            none,
            none,
            column,
            column,
        )
        for place, column in ((HOPS.index("scored"), active.c.us), (HOPS.index("sent"), active.c.sent_us))
    ]
    every = sa.union_all(said, *ends).subquery("every_hop")
    best = sa.func.row_number().over(
        partition_by=[every.c.signal_id, every.c.place], order_by=every.c.said.desc()
    )
    chosen = sa.select(every, best.label("best")).subquery("chosen_hops")
    kept = ("signal_id", "place", "us", "manual", "said", "low_us", "high_us")
    visits = sa.select(*(chosen.c[k] for k in kept))
    return active, visits.where(chosen.c.best == 1).subquery("visits")


def _steps(facts: Facts) -> tuple[sa.CTE, sa.CTE]:
    """Steps between neighbouring hops present: signal_id, from, to, us (clamped), inverted, manual of the later."""
    active, v = _visits(facts)

    def following(column: ColumnElement[int], default: ColumnElement[int] | int) -> ColumnElement[int]:
        return sa.func.lead(column, 1, default).over(partition_by=v.c.signal_id, order_by=v.c.place)

    to_place, own = following(v.c.place, -1), sa.and_(v.c.said == 1, v.c.place < TO_SENT)
    said = sa.case((own, 1), (to_place >= TO_SENT, 0), else_=following(v.c.said, 0))
    nxt = sa.select(
        v.c.signal_id, v.c.place, v.c.us, to_place.label("to_place"), following(v.c.us, never()).label("to_us"),
        following(v.c.manual, 0).label("manual"), said.label("said"),
        (following(v.c.low_us, never()) - v.c.high_us).label("least"),
        (following(v.c.high_us, never()) - v.c.low_us).label("most"),
    ).subquery("pairs")  # fmt: skip
    length = nxt.c.to_us - nxt.c.us
    steps = (
        sa.select(
            nxt.c.signal_id, nxt.c.place, nxt.c.to_place, nxt.c.manual, nxt.c.said, nxt.c.us.label("from_us"),
            nxt.c.to_us,
            sa.case((length < 0, 0), else_=length).label("us"),
            sa.case((length < 0, 0), else_=worked_us(nxt.c.to_us) - worked_us(nxt.c.us)).label("worked_us"),
            sa.case((length < -SKEW_US, 1), else_=0).label("inverted"),
            sa.case((nxt.c.least < 0, 0), else_=nxt.c.least).label("least_us"),
            sa.case((nxt.c.most < 0, 0), else_=nxt.c.most).label("most_us"),
        )
        .where(nxt.c.to_place >= 0)
        .cte("steps")
    )  # fmt: skip
    return active, steps


def _chains(steps: sa.CTE) -> sa.Subquery:
    """One row an activated signal: mask of the hops up to sent, whether one of these steps is inverted, waits."""
    on_way = steps.c.to_place < TO_SENT
    bit = sa.case(*((steps.c.to_place == i, 1 << i) for i in range(1, TO_SENT)), else_=0)
    zero = sa.literal_column("0", sa.Integer())
    by_hand = sa.and_(on_way, steps.c.inverted == 0, steps.c.manual == 1)
    sent_us = sa.func.max(sa.case((steps.c.to_place == TO_SENT - 1, steps.c.to_us), else_=zero))
    scored_us = sa.func.max(sa.case((steps.c.place == 0, steps.c.from_us), else_=zero))
    chains = (
        sa.select(
            steps.c.signal_id,
            (whole(sa.func.sum(bit)) + 1).label("mask"),
            whole(sa.func.max(sa.case((on_way, steps.c.inverted), else_=zero))).label("broken"),
            whole(sa.func.sum(sa.case((by_hand, steps.c.us), else_=zero))).label("manual_us"),
            whole(sa.func.sum(sa.case((by_hand, steps.c.worked_us), else_=zero))).label("manual_worked_us"),
            whole(sa.func.max(sa.case((on_way, steps.c.manual), else_=zero))).label("manual"),
            whole(sa.func.max(steps.c.said)).label("said"),
            whole(scored_us).label("scored_us"), whole(sent_us).label("sent_us"),
        )
        .group_by(steps.c.signal_id)
        .subquery("chains_of_hops")
    )  # fmt: skip
    worked = worked_us(chains.c.sent_us) - worked_us(chains.c.scored_us)
    return sa.select(
        chains, (chains.c.sent_us - chains.c.scored_us).label("total_us"), worked.label("total_worked_us")
    ).subquery("chains")


def manual_waits(facts: Facts) -> tuple[sa.CTE, sa.Subquery]:
    """Activated signals, and of each its wait for manual hops up to sent: signal_id, manual (0 or 1), manual_us."""
    active, steps = _steps(facts)
    return active, _chains(steps)


DIMS = STATE_CELLS.dims[:-1]  # all but the state: these are activated
TOUCHED = (
    *STATE_CELLS.touched,
    ("activation_hops", days_of(signals_of_links("activation_hops"), "signal_id")),
)
REACH = (*STATE_CELLS.reach, ("activation_hops", Reach.LATER))
TABLES = (*STATE_CELLS.tables, "activation_hops")


SUMMED = ("observed", "manual", *WAITS)
STEP_KEYS = ("step", "mask", "broken", "bucket", "low_bucket", "high_bucket")


def _bounds(active: sa.CTE, steps: sa.CTE) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Least and greatest microseconds of a step; both its length unless they differ by more than W / 10."""
    told = (steps.c.most_us - steps.c.least_us) * 10 <= active.c.window_ms * 1000
    exact = sa.or_(told, steps.c.inverted == 1)
    low, high = (sa.case((exact, steps.c.us), else_=steps.c[k]) for k in ("least_us", "most_us"))
    return low, high


def _select_steps(facts: Facts) -> sa.Select[tuple[object, ...]]:
    active, steps = _steps(facts)
    chains = _chains(steps)
    low, high = _bounds(active, steps)
    rows = (
        sa.select(
            day_number(active.c.us).label("day"), *(active.c[d] for d in facts.dims if d != "hop"),
            sa.case(*((steps.c.to_place == i, name) for i, name in enumerate(HOPS)), else_="").label("hop"),
            (steps.c.place * 100 + steps.c.to_place).label("step"), chains.c.mask, chains.c.broken,
            log_bucket(steps.c.us).label("bucket"), log_bucket(low).label("low_bucket"), log_bucket(high).label("high_bucket"),
            steps.c.us, low.label("low_us"), high.label("high_us"), steps.c.inverted,
        )
        .select_from(active.join(steps, steps.c.signal_id == active.c.signal_id)
                     .join(chains, chains.c.signal_id == active.c.signal_id))
        .subquery("step_rows")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, *STEP_KEYS)]
    return sa.select(
        *keys,
        whole(sa.func.sum(1 - rows.c.inverted)).label("n"),
        whole(sa.func.sum(rows.c.inverted)).label("inverted"),
        *(whole(sa.func.sum(rows.c[k])).label(k) for k in ("us", "low_us", "high_us")),
    ).group_by(*keys)


def _select_chains(facts: Facts) -> sa.Select[tuple[object, ...]]:
    active, steps = _steps(facts)
    chains = _chains(steps)
    seen = chains.c.said == 1
    rows = (
        sa.select(
            day_number(active.c.us).label("day"), *(active.c[d] for d in facts.dims), chains.c.mask, chains.c.broken,
            chains.c.said.label("observed"), chains.c.manual,
            *(sa.case((seen, chains.c[c]), else_=0).label(c) for c in ("manual_us", "manual_worked_us")),
            *(sa.case((sa.and_(seen, chains.c[c] > 0), chains.c[c]), else_=0).label(c) for c in ("total_us", "total_worked_us")),
        )
        .select_from(active.join(chains, chains.c.signal_id == active.c.signal_id))
        .subquery("chain_rows")
    )  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, "mask", "broken")]
    return sa.select(
        *keys,
        sa.func.count().label("n"),
        *(whole(sa.func.sum(rows.c[k])).label(k) for k in SUMMED),
    ).group_by(*keys)


STEPS: Rollup[StepCells] = Rollup(
    key="activation.steps",
    title="Steps from score to person and back",
    tables=TABLES,
    dims=(*DIMS, "hop"),
    inner=STEP_KEYS,
    shapes=(Counts(("n", "inverted", "us", "low_us", "high_us")),),
    select=_select_steps,
    version=2,
    cells=StepCells.of,
    touched=TOUCHED,
    reach=REACH,
    observed=SOURCES,
)
CHAINS: Rollup[ChainCells] = Rollup(
    key="activation.chains",
    title="Chains of hops of activated signals",
    tables=TABLES,
    dims=DIMS,
    inner=("mask", "broken"),
    shapes=(Counts(("n", *SUMMED)),),
    select=_select_chains,
    version=3,
    cells=ChainCells.of,
    touched=TOUCHED,
    reach=REACH,
    observed=SOURCES,
)

"""The steps a signal takes from its score to the person, and the share of them that waits for a person's hand.

Of activated signals only. `scored` and `sent` come from the signal and its first send where no row says them; the
steps join neighbouring hops that are present, so a missing middle hop is one unobserved stretch a->c. Which hops a
chain holds is a bit mask, kept as a key: whether it is complete is told by the slice it is read in. Signals without any
logged hop have one step, from their score to their send: nothing is put in order for them.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.schema import HOPS
from data.sql import Facts, micros, whole
from metrics._activation_hop_cells import WAITS
from metrics._activation_hours import worked_us
from metrics._activation_states import IN_WINDOW, LATE, SKEW_US, resolved_states
from metrics.core.contact import end_of, never

TO_SENT = HOPS.index("sent") + 1  # hops of the way to the person; those after it are feedback


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


def _activated(facts: Facts) -> sa.CTE:
    """Signals that were sent, in their window or late."""
    rows = resolved_states(facts)
    return sa.select(rows).where(rows.c.code.in_((IN_WINDOW, LATE))).cte("activated")


def _visits(facts: Facts, active: sa.CTE) -> sa.Subquery:
    """The earliest entry of each hop of activated signals: signal_id, place, us, manual, said, low_us, high_us."""
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
    return visits.where(chosen.c.best == 1).subquery("visits")


def _length(us: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """A step's length, 0 where clocks turn it around, and whether they do so beyond their tolerance."""
    return sa.case((us < 0, 0), else_=us), sa.case((us < -SKEW_US, 1), else_=0)


def _steps(facts: Facts, active: sa.CTE) -> sa.CTE:
    """Steps between neighbouring hops present: signal_id, from, to, us (clamped), inverted, manual of the later."""
    v = _visits(facts, active)

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
    us, inverted = _length(length)
    return (
        sa.select(
            nxt.c.signal_id, nxt.c.place, nxt.c.to_place, nxt.c.manual, nxt.c.said, nxt.c.us.label("from_us"),
            nxt.c.to_us,
            us.label("us"),
            sa.case((length < 0, 0), else_=worked_us(nxt.c.to_us) - worked_us(nxt.c.us)).label("worked_us"),
            inverted.label("inverted"),
            sa.case((nxt.c.least < 0, 0), else_=nxt.c.least).label("least_us"),
            sa.case((nxt.c.most < 0, 0), else_=nxt.c.most).label("most_us"),
        )
        .where(nxt.c.to_place >= 0)
        .cte("steps")
    )  # fmt: skip


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
    active = _activated(facts)
    return active, _chains(_steps(facts, active))


def _halves(facts: Facts, own: tuple[str, ...]) -> tuple[sa.CTE, sa.Subquery]:
    """Activated signals of which hops were logged, and in one row each, as a step and as a chain, those of which none was.

    `own`: columns of theirs to keep.
    """
    h, found = facts["activation_hops"], _activated(facts)
    names = dict.fromkeys(("signal_id", "activation_id", "us", "sent_us", *own))
    active = sa.select(*(found.c[k] for k in names)).cte("narrowed")
    told = active.c.signal_id.in_(sa.select(h.c.signal_id).where(h.c.signal_id.is_not(None)))
    untold = sa.select(active).where(sa.not_(told)).subquery("untold")
    return sa.select(active).where(told).cte("logged"), _bare(untold)


def _bare(active: sa.Subquery) -> sa.Subquery:
    """Signals without a logged hop: their step from the score to the send is their whole chain."""
    zero = sa.literal_column("0", sa.Integer())
    us, inverted = _length(active.c.sent_us - active.c.us)
    mask = sa.literal_column(str(1 + (1 << TO_SENT - 1)), sa.Integer())
    return sa.select(
        active, zero.label("place"), sa.literal_column(str(TO_SENT - 1), sa.Integer()).label("to_place"),
        *(us.label(k) for k in ("step_us", "least_us", "most_us")), inverted.label("inverted"),
        mask.label("mask"), inverted.label("broken"), zero.label("said"), zero.label("manual"),
        *(zero.label(k) for k in WAITS),
    ).subquery("bare")  # fmt: skip


def each_activated(facts: Facts, of_steps: tuple[str, ...], of_chains: tuple[str, ...]) -> sa.Subquery:
    """Both halves: the signals' dims, `us` and `window_ms`, and what is asked for of steps (if anything) and chains."""
    own = ("us", "window_ms", *(d for d in facts.dims if d != "hop"))
    active, bare = _halves(facts, own)
    steps = _steps(facts, active)
    chains = _chains(steps)
    joined = active.join(chains, chains.c.signal_id == active.c.signal_id)
    if of_steps:
        joined = joined.join(steps, steps.c.signal_id == active.c.signal_id)
    step = [steps.c["us" if k == "step_us" else k].label(k) for k in of_steps]
    logged = sa.select(*(active.c[k] for k in own), *step, *(chains.c[k] for k in of_chains)).select_from(
        joined
    )
    others = sa.select(*(bare.c[k] for k in (*own, *of_steps, *of_chains)))
    return sa.union_all(logged, others).subquery("each_activated")

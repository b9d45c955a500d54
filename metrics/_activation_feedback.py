"""The way back: when an outcome reached the model again, and how old the data behind a score were.

An outcome reached the model at the earliest feedback event that names it, or at the fed_back hop of a signal of that
person whose converted hop has the outcome's time. Until then it is censored at the observation end, not dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, micros, whole
from metrics._activation_grid import SECOND, began_bucket, began_us, beginnings, crowded_days, log_bucket
from metrics._activation_states import SKEW_US, SOURCES
from metrics.core.contact import end_of, never
from metrics.core.metric import Reach, Rollup
from metrics.core.persons import rooted, roots
from metrics.core.shapes import Columns, Counts, Floats, Ints

REACHED, WAITING, INVALID = 1, 0, 2


@dataclass(frozen=True)
class WaitCells:
    """Waits of one slice, one entry a cell. code: REACHED (seconds: how long it took), WAITING (seconds: age at the
    observation end) or INVALID (before its cause by more than 5 s). n: outcomes or signals.
    """

    code: Ints
    seconds: Floats
    n: Ints

    @classmethod
    def of(cls, columns: Columns) -> WaitCells:
        code, n = columns["code"].astype(np.int64), columns["n"].astype(np.int64)
        mean = columns["us"].astype(float) / np.maximum(n, 1)
        age = float(columns["observed_us"][0]) - beginnings(columns, mean)
        us = np.where(code == WAITING, age, mean)
        return cls(code, us / SECOND, n)


def _counted_in(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """Outcomes of persons with a signal (not a test) at or before them: outcome_id, root, us, outcome_type."""
    o, s = facts["outcomes"], facts["signals"]
    joined, root = rooted(o, known)
    happened = (
        sa.select(o.c.outcome_id, root.label("root"), micros(o.c.occurred_at).label("us"), o.c.outcome_type)
        .select_from(joined)
        .where(facts.within(o.c.occurred_at), facts.pinned(o))
        .subquery("happened")
    )
    twin = sa.select(known).subquery("signal_roots")
    s_joined, s_root = rooted(s, twin)
    scored = (
        sa.select(s_root.label("root"), micros(s.c.scored_at).label("us"))
        .select_from(s_joined)
        .where(sa.or_(s.c.is_test.is_(None), s.c.is_test == sa.false()), s.c.person_id.is_not(None))
        # few persons have outcomes, most have signals
        .where(s_root.in_(sa.select(happened.alias("theirs").c.root)))
        .subquery("persons_scored")
    )
    first = (
        sa.select(scored.c.root, sa.func.min(scored.c.us).label("us"))
        .group_by(scored.c.root)
        .subquery("first_scored")
    )
    return (
        sa.select(happened)
        .select_from(
            happened.join(first, sa.and_(first.c.root == happened.c.root, first.c.us <= happened.c.us))
        )
        .where(happened.c.us <= end_of(facts))
        .subquery("counted")
    )


def _fed_back(facts: Facts, counted: sa.Subquery, known: sa.Subquery) -> sa.Subquery:
    """Earliest return of each outcome to the model: outcome_id, us."""
    f, h, s = facts["feedback_events"], facts["activation_hops"], facts["signals"]
    told = sa.select(f.c.outcome_id.label("outcome_id"), micros(f.c.ingested_at).label("us"))
    hops = (
        sa.select(
            h.c.signal_id,
            sa.func.coalesce(h.c.activation_id, "").label("way"),
            h.c.hop,
            micros(h.c.entered_at).label("us"),
        )
        .where(h.c.hop.in_(("converted", "fed_back")), sa.or_(h.c.outcome.is_(None), h.c.outcome == "ok"))
        .cte("back_hops")
    )
    won, back = hops.alias("won"), hops.alias("back")
    persons = sa.select(known).subquery("hop_roots")
    joined, root = rooted(s, persons)
    owner = sa.select(s.c.signal_id, root.label("root")).select_from(joined).subquery("owner")
    pair = sa.and_(back.c.signal_id == won.c.signal_id, back.c.way == won.c.way, back.c.hop == "fed_back")
    same = sa.and_(counted.c.root == owner.c.root, counted.c.us == won.c.us)
    by_hop = (
        sa.select(counted.c.outcome_id, back.c.us)
        .select_from(
            won.join(back, pair).join(owner, owner.c.signal_id == won.c.signal_id).join(counted, same)
        )
        .where(won.c.hop == "converted")
    )
    every = sa.union_all(told, by_hop).subquery("returns")
    return (
        sa.select(every.c.outcome_id, sa.func.min(every.c.us).label("us"))
        .where(every.c.us <= end_of(facts))
        .group_by(every.c.outcome_id)
        .subquery("first_return")
    )


def _waits(
    us: ColumnElement[int],
    began: ColumnElement[int],
    length: ColumnElement[int],
    *,
    done: ColumnElement[bool],
) -> list[sa.Label[int]]:
    """code, bucket and summed microseconds of a wait that began at `us`, in the grid cell `began`."""
    clamped = sa.case((sa.and_(done, length > 0), length), else_=0)
    waiting = sa.not_(done)
    return [
        sa.case((waiting, WAITING), (length < -SKEW_US, INVALID), else_=REACHED).label("code"),
        sa.case((waiting, began_bucket(began)), else_=log_bucket(clamped)).label("bucket"),
        sa.case((waiting, us - began), else_=clamped).label("us"),
    ]


def _select_feedback(facts: Facts) -> sa.Select[tuple[object, ...]]:
    known = roots(facts)
    counted = _counted_in(facts, known)
    back = _fed_back(facts, counted, known)
    joined = counted.outerjoin(back, back.c.outcome_id == counted.c.outcome_id)
    seen = (
        sa.select(
            counted,
            sa.func.coalesce(back.c.us, never()).label("back_us"),
            day_number(counted.c.us).label("day"),
        )
        .select_from(joined)
        .subquery("seen")
    )
    crowded = crowded_days(facts, "outcomes", "occurred_at")
    began = began_us(seen.c.us, crowded)
    waits = _waits(seen.c.us, began, seen.c.back_us - seen.c.us, done=seen.c.back_us < never())
    rows = (
        sa.select(seen.c.day, *(seen.c[d] for d in facts.dims), *waits)
        .select_from(seen.outerjoin(crowded, crowded.c.crowded_day == seen.c.day))
        .subquery("rows")
    )
    return _grouped(facts, rows)


def _grouped(facts: Facts, rows: sa.Subquery) -> sa.Select[tuple[object, ...]]:
    keys = [rows.c[k] for k in ("day", *facts.dims, "code", "bucket")]
    return sa.select(*keys, sa.func.count().label("n"), whole(sa.func.sum(rows.c.us)).label("us")).group_by(
        *keys
    )


def _select_staleness(facts: Facts) -> sa.Select[tuple[object, ...]]:
    s = facts["signals"]
    scored = (
        sa.select(micros(s.c.scored_at).label("us"), *(s.c[d] for d in facts.dims), micros(s.c.features_as_of).label("as_of_us"))
        .where(
            facts.within(s.c.scored_at), facts.pinned(s), s.c.features_as_of.is_not(None),
            sa.or_(s.c.is_test.is_(None), s.c.is_test == sa.false()),
        )
        .subquery("scored")
    )  # fmt: skip
    waits = _waits(scored.c.us, scored.c.us, scored.c.us - scored.c.as_of_us, done=sa.true())
    rows = sa.select(
        day_number(scored.c.us).label("day"), *(scored.c[d] for d in facts.dims), *waits
    ).subquery("rows")
    return _grouped(facts, rows)


FEEDBACK: Rollup[WaitCells] = Rollup(
    key="activation.feedback",
    title="Outcomes by when they reached the model",
    tables=("outcomes", "feedback_events", "activation_hops", "signals", "person_merges", "data_watermarks"),
    dims=("outcome_type",),
    inner=("code", "bucket"),
    shapes=(Counts(("n", "us")),),
    select=_select_feedback,
    cells=WaitCells.of,
    touched=(("data_watermarks", None),),
    reach=(
        ("feedback_events", Reach.ALL), ("activation_hops", Reach.ALL), ("signals", Reach.ALL), ("person_merges", Reach.ALL),
    ),
    observed=(*SOURCES, "feedback_events"),
    version=2,
)  # fmt: skip
STALENESS: Rollup[WaitCells] = Rollup(
    key="activation.staleness",
    title="Age of the data behind each score",
    tables=("signals",),
    dims=("model_id", "model_version", "signal_name"),
    inner=("code", "bucket"),
    shapes=(Counts(("n", "us")),),
    select=_select_staleness,
    cells=WaitCells.of,
    observed=("signals",),
)

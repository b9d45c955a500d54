"""The rollups of the model family: one GROUP BY that carries every metric, and the exact AUC asked on demand.

Grid: 1,024 logit bins on [-12, 12], each halved, united with the 0.1 calibration edges; the deployed decision is a key of
its own, so the confusion matrix at any deployed threshold is exact. Equal-width bins are forbidden: at a
0.1 % base rate they put the AUC wrong by 0.039 (`shared/field/model_metrics.md` section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, double, real, whole
from metrics.core.decisions import decided, finite
from metrics.core.intervals import Moment
from metrics.core.metric import ATTRIBUTES, Rollup
from metrics.core.shapes import Columns, Counts, Floats, Ints, Moments, Sums

BINS = 2048  # the definition's 1,024, each halved: a 0.1 % base rate then keeps its AUC bound h under 2e-3
LOGIT_LIMIT = 12.0
TINY = 1e-15  # scores are kept this far from 0 and 1 before a logarithm, as scikit-learn's log_loss does
NULL_SCORE, NOT_FINITE, OUT_OF_RANGE = -1, -2, -3  # bins of scores that are no probability, counted apart


@dataclass(frozen=True)
class ScoreCells:
    """Cells of one slice, ordered by score. All arrays have one entry a cell.

    bin: monotone code of the score's bin, or a negative code of a score that is no probability.
    decision: 1 flagged, 0 not, -1 unknown. label: 1, 0, or -1 where none has arrived.
    n: predictions. score, sq, sq2, ll, ll2: sums of the score, the squared error, its square, the log-loss
    (nats) and its square; errors are 0 where there is no label.
    """

    KEYS: ClassVar = ("bin", "decision", "label", "n")
    SUMS: ClassVar = ("score", "sq", "sq2", "ll", "ll2")

    bin: Ints
    decision: Ints
    label: Ints
    n: Ints
    score: Floats
    sq: Floats
    sq2: Floats
    ll: Floats
    ll2: Floats

    @classmethod
    def of(cls, columns: Columns) -> ScoreCells:
        order = np.argsort(columns["bin"], kind="stable")
        bin_, decision, label, n = (columns[k].astype(np.int64)[order] for k in cls.KEYS)
        score, sq, sq2, ll, ll2 = (columns[k].astype(float)[order] for k in cls.SUMS)
        return cls(bin_, decision, label, n, score, sq, sq2, ll, ll2)


def _judged(facts: Facts, *, bucketed: bool = False) -> sa.Subquery:
    """Adds `usable` (2 a probability, else 0: with the label one code) and the score kept inside (0, 1) for the logarithms."""
    rows = decided(facts, bucketed=bucketed)
    usable = sa.and_(rows.c.score >= real(0), rows.c.score <= real(1))
    # Shrinking towards one half by 1e-15 moves a score by less than it is known; a clamp would cost two tests.
    inside = rows.c.score * real(1 - 2 * TINY) + real(TINY)
    return sa.select(
        rows,
        sa.case((usable, 2), else_=0).label("usable"),
        sa.case((usable, inside), else_=real(0.5)).label("inside"),
    ).subquery("judged")


def logs_of(facts: Facts, *, bucketed: bool = False) -> sa.Subquery:
    """One row a prediction as `decided` makes it, with ln(s) and ln(1 - s), each taken once: bin and log-loss both need them."""
    rows = _judged(facts, bucketed=bucketed)
    inside = rows.c.inside
    return sa.select(
        rows, sa.func.ln(inside).label("ln_s"), sa.func.ln(real(1) - inside).label("ln_t")
    ).subquery("logs")


def bin_of(rows: sa.Subquery) -> ColumnElement[int]:
    """Monotone bin code: 10 x logit bin + tenth, so that a 0.1 edge splits the logit bin that it falls in."""
    step = sa.func.floor((rows.c.ln_s - rows.c.ln_t + real(LOGIT_LIMIT)) * real(BINS / (2 * LOGIT_LIMIT)))
    clamped = sa.case((step < real(0), real(0)), (step > real(BINS - 1), real(BINS - 1)), else_=step)
    tenth = sa.case((rows.c.score >= real(1), real(9)), else_=sa.func.floor(rows.c.score * real(10)))
    return sa.case(
        (rows.c.usable == 2, whole(clamped * real(10) + tenth)),
        (rows.c.score.is_(None), NULL_SCORE),
        (finite(rows.c.score), OUT_OF_RANGE),
        else_=NOT_FINITE,
    )


def _errors(facts: Facts) -> sa.Subquery:
    """Per prediction: grouping keys as plain columns, squared error and log-loss (0 where unlabelled)."""
    rows = logs_of(facts)
    gap = rows.c.score - double(rows.c.label)
    return sa.select(
        day_number(rows.c.us).label("day"),
        *(rows.c[d] for d in facts.dims),
        bin_of(rows).label("bin"),
        rows.c.decision,
        rows.c.label,
        sa.case((rows.c.usable == 2, rows.c.score), else_=real(0)).label("s"),
        sa.case((rows.c.usable + rows.c.label >= 2, gap * gap), else_=real(0)).label("sq"),
        sa.case(
            (rows.c.usable + rows.c.label == 3, -rows.c.ln_s),
            (rows.c.usable + rows.c.label == 2, -rows.c.ln_t),
            else_=real(0),
        ).label("ll"),
    ).subquery("errors")


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    rows = _errors(facts)
    keys = [rows.c.day, *(rows.c[d] for d in facts.dims), rows.c.bin, rows.c.decision, rows.c.label]
    return sa.select(
        *keys,
        sa.func.count().label("n"),
        sa.func.sum(rows.c.s).label("score"),
        sa.func.sum(rows.c.sq).label("sq"),
        sa.func.sum(rows.c.sq * rows.c.sq).label("sq2"),
        sa.func.sum(rows.c.ll).label("ll"),
        sa.func.sum(rows.c.ll * rows.c.ll).label("ll2"),
    ).group_by(*keys)


SCORES: Rollup[ScoreCells] = Rollup(
    key="model.scores",
    title="Scores by bin, decision and label",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version", ATTRIBUTES),
    inner=("bin", "decision", "label"),
    shapes=(Counts(("n",)), Sums(("score", "sq", "sq2", "ll", "ll2"))),
    select=_select,
    cells=ScoreCells.of,
)


@dataclass(frozen=True)
class Placements:
    """Placements of one slice's positives and negatives (DeLong 1988): count, mean and second moment."""

    positive: Moment
    negative: Moment

    @classmethod
    def of(cls, columns: Columns) -> Placements:
        return cls(_moment(columns, "positive"), _moment(columns, "negative"))


def _moment(columns: Columns, name: str) -> Moment:
    """The one row of a slice: the statement has one for each group, so there is nothing to merge."""
    n, mean, m2 = (columns[f"{name}_{part}"].astype(float) for part in ("n", "mean", "m2"))
    if len(n) > 1:
        raise ValueError("an exact AUC cannot be merged: ask for one group at a time")
    return Moment(float(n.sum()), float(mean.sum()), float(m2.sum()))


def _by_score(facts: Facts) -> sa.Subquery:
    """Labelled predictions of finite score, as positives p and negatives q for each distinct score."""
    rows = decided(facts)
    keys = [*(rows.c[d] for d in facts.dims), rows.c.score]
    return (
        sa.select(
            *keys,
            double(sa.func.sum(sa.case((rows.c.label == 1, 1), else_=0))).label("p"),
            double(sa.func.sum(sa.case((rows.c.label == 0, 1), else_=0))).label("q"),
        )
        .where(rows.c.label >= 0, finite(rows.c.score))
        .group_by(*keys)
        .subquery("by_score")
    )


def _ranked(facts: Facts) -> sa.Subquery:
    """Adds the totals m and k of the group, and the positives and negatives at or below each score."""
    rows = _by_score(facts)
    group = [rows.c[d] for d in facts.dims] or None  # an empty PARTITION BY is no SQL
    kept = [*(group or []), rows.c.score, rows.c.p, rows.c.q]
    return sa.select(
        *kept,
        sa.func.sum(rows.c.p).over(partition_by=group).label("m"),
        sa.func.sum(rows.c.q).over(partition_by=group).label("k"),
        sa.func.sum(rows.c.p).over(partition_by=group, order_by=rows.c.score).label("p_to"),
        sa.func.sum(rows.c.q).over(partition_by=group, order_by=rows.c.score).label("q_to"),
    ).subquery("ranked")


def _placed(facts: Facts) -> sa.Subquery:
    """Adds each score's placements: negatives below a positive, positives above a negative, as shares."""
    rows = _ranked(facts)
    below = (rows.c.q_to - rows.c.q * real(0.5)) / sa.case((rows.c.k > real(0), rows.c.k), else_=real(1))
    above = (rows.c.m - rows.c.p_to + rows.c.p * real(0.5)) / sa.case(
        (rows.c.m > real(0), rows.c.m), else_=real(1)
    )
    kept = [*(rows.c[d] for d in facts.dims), rows.c.p, rows.c.q, rows.c.m]
    return sa.select(*kept, below.label("below"), above.label("above")).subquery("placed")


def _centred(facts: Facts) -> sa.Subquery:
    """Adds the AUC of the group, so that the second moments are taken about it and lose no digits."""
    rows = _placed(facts)
    total = sa.func.sum(rows.c.p * rows.c.below).over(partition_by=[rows.c[d] for d in facts.dims] or None)
    auc = total / sa.case((rows.c.m > real(0), rows.c.m), else_=real(1))
    kept = [*(rows.c[d] for d in facts.dims), rows.c.p, rows.c.q, rows.c.below, rows.c.above]
    return sa.select(*kept, auc.label("auc"), sa.literal_column("0", sa.BigInteger()).label("day")).subquery(
        "centred"
    )


def _select_exact(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """One row a group: windows over distinct scores in the warehouse. Column `day` is always 0."""
    rows = _centred(facts)
    keys = [rows.c.day, *(rows.c[d] for d in facts.dims)]
    total = sa.func.sum
    from_positive, from_negative = rows.c.below - rows.c.auc, rows.c.above - rows.c.auc
    return sa.select(
        *keys,
        whole(total(rows.c.p + rows.c.q)).label("n"),
        total(rows.c.p).label("positive_n"),
        sa.func.max(rows.c.auc).label("positive_mean"),
        total(rows.c.p * from_positive * from_positive).label("positive_m2"),
        total(rows.c.q).label("negative_n"),
        sa.func.max(rows.c.auc).label("negative_mean"),
        total(rows.c.q * from_negative * from_negative).label("negative_m2"),
    ).group_by(*keys)


EXACT: Rollup[Placements] = Rollup(
    key="model.placements",
    title="Placements of positives and negatives by exact score",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version", ATTRIBUTES),
    shapes=(Counts(("n",)), Moments("positive"), Moments("negative")),
    select=_select_exact,
    cells=Placements.of,
    stored=False,
)

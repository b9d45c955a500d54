"""The AUC with the bins that blur it cut finer: one statement, in which the warehouse itself finds the offending bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, double, real, whole
from metrics._model_rollups import BINS, LOGIT_LIMIT, bin_of, logs_of
from metrics.core.discrimination import FINE, auc, hidden_class, rank
from metrics.core.metric import ATTRIBUTES, Choice, Dimension, Direction, Estimate, Metric, Rollup, Unit
from metrics.core.shapes import Columns, Counts, Ints

FINER = 4096  # parts of an offending bin
BEYOND = 23.0  # log-odds between the grid's end and the last score that a number can tell from 0 or 1
SHARE = FINE / BINS  # of the bound h that one bin may cause


@dataclass(frozen=True)
class Refined:
    """Outcomes by bin and part of it, ascending, (B,). `cut`: bins that were cut finer."""

    positives: Ints
    negatives: Ints
    cut: int

    @classmethod
    def of(cls, columns: Columns) -> Refined:
        bins, parts, p, q = (columns[k].astype(np.int64) for k in ("bin", "part", "positives", "negatives"))
        order = np.lexsort((parts, bins))
        return cls(p[order], q[order], len(np.unique(bins[parts > 0])))


def _parted(facts: Facts) -> sa.Subquery:
    """Outcomes of usable scores by dims, bin, and part of the bin (from 1), on the log-odds scale."""
    rows = logs_of(facts)
    at = rows.c.ln_s - rows.c.ln_t
    step = (at + real(LOGIT_LIMIT)) * real(BINS / (2 * LOGIT_LIMIT))
    inside = (step - sa.func.floor(step)) * real(FINER)
    outside = (sa.func.abs(at) - real(LOGIT_LIMIT)) * real(FINER / BEYOND)
    part = sa.case(  # beyond the grid's ends lie lower and higher parts of its outer bins
        (at < real(-LOGIT_LIMIT), real(FINER) - outside),
        (at > real(LOGIT_LIMIT), real(2 * FINER) + outside),
        else_=real(FINER) + inside,
    )
    coded = (
        sa.select(*rows.c, bin_of(rows).label("bin"), (whole(sa.func.floor(part)) + 1).label("part"))
        .where(rows.c.usable == 2, rows.c.label >= 0)
        .subquery("coded")
    )
    keys = [*(coded.c[d] for d in facts.dims), coded.c.bin, coded.c.part]
    return (
        sa.select(
            *keys,
            double(sa.func.sum(sa.case((coded.c.label == 1, 1), else_=0))).label("p"),
            double(sa.func.sum(sa.case((coded.c.label == 0, 1), else_=0))).label("q"),
        )
        .group_by(*keys)
        .subquery("parted")
    )


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """Bins whose share of h is too large in parts, the others whole (part 0). Column `day` is always 0."""
    rows = _parted(facts)
    group = [rows.c[d] for d in facts.dims]
    total = sa.func.sum
    sums = sa.select(
        *rows.c,
        total(rows.c.p).over(partition_by=group or None).label("m"),
        total(rows.c.q).over(partition_by=group or None).label("k"),
        total(rows.c.p).over(partition_by=[*group, rows.c.bin]).label("p_at"),
        total(rows.c.q).over(partition_by=[*group, rows.c.bin]).label("q_at"),
    ).subquery("sums")
    blurs = sums.c.p_at * sums.c.q_at > sums.c.m * sums.c.k * real(2 * SHARE)
    cut = sa.select(
        *(sums.c[d] for d in facts.dims), sums.c.bin, sums.c.p, sums.c.q,
        sa.case((blurs, sums.c.part), else_=0).label("part"),
    ).subquery("cut")  # fmt: skip
    keys = [*(cut.c[d] for d in facts.dims), cut.c.bin, cut.c.part]
    return sa.select(
        sa.literal_column("0", sa.BigInteger()).label("day"),
        *keys,
        whole(total(cut.c.p)).label("positives"),
        whole(total(cut.c.q)).label("negatives"),
    ).group_by(*keys)


FINER_BINS: Rollup[Refined] = Rollup(
    key="model.finer",
    title="Outcomes by score, offending bins cut finer",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version", ATTRIBUTES),
    inner=("bin", "part"),
    shapes=(Counts(("positives", "negatives")),),
    select=_select,
    cells=Refined.of,
    stored=False,
)


def _auc_of(cells: Refined, _: Choice) -> Estimate:
    m, k = float(cells.positives.sum()), float(cells.negatives.sum())
    missing = hidden_class(m, k)
    told = f"{cells.cut} bins cut into up to {FINER:,} parts"
    return missing or auc(rank(cells.positives, cells.negatives), (told,))


REFINED: Metric[Refined] = Metric(
    key="model.auc_refined",
    title="Ranking quality, blurred bins refined (AUC)",
    question="How often does the model score a true case above a false one, where the quick answer is too coarse?",
    definition=(
        "AUC as model.auc, with every bin that adds more than 5e-8 to its rounding h cut into 4,096 parts by the warehouse, "
        "asked each time. Equal scores stay together; what remains of h is told and widens the interval."
    ),
    why="A rare outcome or a model that says the same of most cases crowds few bins; these are then looked at closely.",
    dimension=Dimension.TECHNICAL,
    unit=Unit.SCORE,
    direction=Direction.HIGHER,
    rollup=FINER_BINS,
    interval="DeLong on the logit scale, widened by what is left of the binning bound h",
    owner="model owner",
    finalise=_auc_of,
    apart=("model_id",),
    references=("DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595",),
)

"""Quality with errors that know which predictions are of one person: asked of the warehouse, which hands over 64 sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, double, real
from metrics._model_rollups import bin_of, logs_of
from metrics.core.clusters import FEWEST, Placed, Spread, auc, auc_limits, buckets_of, rate, rate_limits
from metrics.core.discrimination import missing_class
from metrics.core.metric import (
    ATTRIBUTES,
    Choice,
    Dimension,
    Direction,
    Estimate,
    Metric,
    Rollup,
    Unit,
    undefined,
)
from metrics.core.shapes import Columns, Counts, Floats, Sums

COUNTS = ("n", "caught", "wrong", "missed")
PLACED = ("positives", "negatives", "below", "above", "below2", "above2", "ties")
WOLTER = "Wolter 2007, Introduction to Variance Estimation, ISBN 978-0-387-32917-8, chapter 2"
LINEARISED = "Student t between 64 buckets of persons"


@dataclass(frozen=True)
class Clusters:
    """Sums of each bucket, (G,): predictions, flagged and true, flagged and false, true and not flagged, placements, ties."""

    n: Floats
    caught: Floats
    wrong: Floats
    missed: Floats
    placed: Placed
    ties: Floats

    @classmethod
    def of(cls, columns: Columns) -> Clusters:
        n, caught, wrong, missed = (columns[k].astype(float) for k in COUNTS)
        *placed, ties = (columns[k].astype(float) for k in PLACED)
        return cls(n, caught, wrong, missed, Placed(*placed), ties)


def _binned(facts: Facts) -> sa.Subquery:
    """Counts by dims, bucket and bin: positives p and negatives q with a usable score, decisions by outcome, all n."""
    rows = logs_of(facts, bucketed=True)

    def number(*tests: ColumnElement[bool]) -> ColumnElement[float]:
        return double(sa.func.sum(sa.case((sa.and_(*tests), 1), else_=0)))

    coded = sa.select(*rows.c, bin_of(rows).label("bin")).subquery("coded")
    usable = coded.c.usable == 2
    keys = [*(coded.c[d] for d in facts.dims), coded.c.bucket, coded.c.bin]
    return (
        sa.select(
            *keys,
            double(sa.func.count()).label("n"),
            number(usable, coded.c.label == 1).label("p"),
            number(usable, coded.c.label == 0).label("q"),
            number(coded.c.decision == 1, coded.c.label == 1).label("caught"),
            number(coded.c.decision == 1, coded.c.label == 0).label("wrong"),
            number(coded.c.decision == 0, coded.c.label == 1).label("missed"),
        )
        .group_by(*keys)
        .subquery("binned")
    )


def _placed(facts: Facts) -> sa.Subquery:
    """Adds the placements of a bin's cases: share of negatives below a positive and of positives above a negative."""
    rows = _binned(facts)
    group = [rows.c[d] for d in facts.dims]
    total = partial(sa.func.sum)

    def over(
        column: ColumnElement[float], *more: ColumnElement[int], running: bool = False
    ) -> ColumnElement[float]:
        parts = [*group, *more] or None  # an empty PARTITION BY is no SQL
        return total(column).over(partition_by=parts, order_by=rows.c.bin if running else None)

    sums = sa.select(
        *rows.c,
        over(rows.c.p).label("m"), over(rows.c.q).label("k"),
        over(rows.c.p, rows.c.bin).label("p_at"), over(rows.c.q, rows.c.bin).label("q_at"),
        over(rows.c.p, running=True).label("p_to"), over(rows.c.q, running=True).label("q_to"),
    ).subquery("sums")  # fmt: skip
    m, k = (sa.case((sums.c[x] > real(0), sums.c[x]), else_=real(1)) for x in ("m", "k"))
    return sa.select(
        *sums.c,
        ((sums.c.q_to - sums.c.q_at * real(0.5)) / k).label("lower"),
        ((sums.c.m - sums.c.p_to + sums.c.p_at * real(0.5)) / m).label("upper"),
    ).subquery("placed")


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    """One row a group and bucket. Column `day` is always 0."""
    rows = _placed(facts)
    r, total = rows.c, sa.func.sum
    group = [*(r[d] for d in facts.dims), r.bucket]
    whole = [sa.cast(total(r[name]), sa.BigInteger).label(name) for name in COUNTS]
    return sa.select(
        sa.literal_column("0", sa.BigInteger()).label("day"),
        *group,
        *whole,
        total(r.p).label("positives"),
        total(r.q).label("negatives"),
        total(r.p * r.lower).label("below"),
        total(r.q * r.upper).label("above"),
        total(r.p * r.lower * r.lower).label("below2"),
        total(r.q * r.upper * r.upper).label("above2"),
        total(r.p * r.q_at * real(0.5)).label("ties"),
    ).group_by(*group)


CLUSTERS: Rollup[Clusters] = Rollup(
    key="model.clusters",
    title="Placements and decisions by bucket of persons",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version", ATTRIBUTES),
    inner=("bucket",),
    shapes=(Counts(COUNTS), Sums(PLACED)),
    select=_select,
    cells=Clusters.of,
    stored=False,
)


def _few(buckets: int, n: int) -> Estimate | None:
    if buckets >= FEWEST:
        return None
    return undefined(f"persons in {buckets} of 64 buckets only: {FEWEST} are needed to tell the error", n)


def _told(found: Spread) -> tuple[str, ...]:
    if not np.isfinite(found.wider):
        return ()
    return (f"{found.wider:.2f} times as wide as if no two predictions were of one person",)


def _auc_of(cells: Clusters, _: Choice) -> Estimate:
    m, k = float(cells.placed.positives.sum()), float(cells.placed.negatives.sum())
    n = round(m + k)
    if min(m, k) < 2:
        return undefined(missing_class(m, k) or "two outcomes of each kind are needed", n)
    few = _few(buckets_of(cells.placed.positives, cells.placed.negatives), n)
    if few is not None:
        return few
    found = auc(cells.placed)
    limits = auc_limits(found, float(cells.ties.sum()) / (m * k))
    return Estimate(limits.value, limits.low, limits.high, n, warnings=_told(found))


Part = Callable[[Clusters], tuple[Floats, Floats]]


def _rate_of(part: Part, nothing: str) -> Callable[[Clusters, Choice], Estimate]:
    """Finaliser of a share: what counts and among what, by bucket."""

    def finalise(cells: Clusters, _: Choice) -> Estimate:
        hits, among = part(cells)
        n = round(float(among.sum()))
        if n == 0:
            return undefined(nothing)
        few = _few(buckets_of(among), n)
        if few is not None:
            return few
        found = rate(hits, among)
        limits = rate_limits(found, float(n))
        return Estimate(
            limits.value, limits.low, limits.high, n, round(float(hits.sum())), n, warnings=_told(found)
        )

    return finalise


_metric = partial(
    Metric[Clusters], dimension=Dimension.TECHNICAL, rollup=CLUSTERS, owner="model owner", direction=Direction.HIGHER,
    apart=("model_id",),
    why=(
        "A customer scored every week is one customer: an interval that counts each week as news is too narrow, and calls "
        "chance a change."
    ),
)  # fmt: skip
_share = partial(
    _metric, unit=Unit.SHARE, interval=f"Wilson, effective size, {LINEARISED}",
    references=(WOLTER, "Liang and Zeger 1986, doi:10.1093/biomet/73.1.13"),
)  # fmt: skip
BUCKETED = (
    "Persons lie in 64 buckets by a digest of their identifier, asked of the warehouse each time; only the buckets' sums "
    "leave it."
)
AUC_CLUSTERED = _metric(
    key="model.auc_clustered",
    title="Ranking quality, error by person (AUC)",
    question="How sure is the ranking quality, when predictions of one person go together?",
    definition=(
        "The AUC of the score histogram; its error from DeLong's influence of each prediction summed by bucket of persons. "
        f"{BUCKETED}"
    ),
    unit=Unit.SCORE,
    finalise=_auc_of,
    interval=f"DeLong on the logit scale, {LINEARISED}, widened by the binning bound h",
    references=(
        "Obuchowski 1997, doi:10.2307/2533958",
        "Wolter 2007, Introduction to Variance Estimation, chapter 2",
    ),
)
PRECISION_CLUSTERED = _share(
    key="model.precision_clustered",
    title="Flagged and right, error by person (precision)",
    question="How sure is the share of right flags, when predictions of one person go together?",
    definition=f"Flagged with a positive outcome / flagged with a known outcome. {BUCKETED}",
    finalise=_rate_of(lambda c: (c.caught, c.caught + c.wrong), "no flagged prediction has an outcome yet"),
)
RECALL_CLUSTERED = _share(
    key="model.recall_clustered",
    title="True cases caught, error by person (recall)",
    question="How sure is the share of true cases caught, when predictions of one person go together?",
    definition=f"Flagged with a positive outcome / all with a positive outcome and a decision. {BUCKETED}",
    finalise=_rate_of(
        lambda c: (c.caught, c.caught + c.missed),
        "no positive outcome among labelled predictions with a decision",
    ),
)

CLUSTER_METRICS = (AUC_CLUSTERED, PRECISION_CLUSTERED, RECALL_CLUSTERED)

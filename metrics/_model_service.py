"""What a model costs to ask and how fast it answers, and how often it is renewed.

Latencies are kept in a histogram whose bins grow by 1.6 % each, so any quantile over any days is exact to 0.8 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from scipy.special import bdtrik

from data.sql import Facts, date_of, day_number, double, micros, real, whole
from metrics.core.decisions import finite
from metrics.core.intervals import TAIL, Moment, student
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Rollup, Unit, undefined
from metrics.core.shapes import Columns, Counts, Floats, Ints, Moments

FINENESS = 64  # bins for each factor e of a latency
ERROR = math.expm1(0.5 / FINENESS)
SHIFT = 2000  # puts the code of the shortest latency above 0
SHORTEST_MS = 1e-6
UNTIMED = -1
DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class ServiceCells:
    """Predictions by latency bin (UNTIMED: none recorded), (C,), and the moments of their cost."""

    bin: Ints
    n: Ints
    cost: Moment

    @classmethod
    def of(cls, columns: Columns) -> ServiceCells:
        n, mean, m2 = (columns[f"cost_{k}"].astype(float) for k in ("n", "mean", "m2"))
        held = n > 0
        total = float(n[held].sum())
        grand = float(n[held] @ mean[held] / total) if total else 0.0
        within = float(m2[held].sum() + n[held] @ (mean[held] - grand) ** 2)
        order = np.argsort(columns["latency"], kind="stable")
        bins, count = (columns[k].astype(np.int64)[order] for k in ("latency", "n"))
        return cls(bins, count, Moment(total, grand, within))


def _timed(facts: Facts) -> sa.Subquery:
    """One row a prediction: day, dims, latency bin, cost (NULL where none is recorded)."""
    p = facts["predictions"]
    ms = double(p.c.latency_ms)
    rows = (
        sa.select(
            micros(p.c.predicted_at).label("us"),
            *(p.c[d].label(d) for d in facts.dims),
            ms.label("ms"),
            double(p.c.cost_amount).label("cost"),
        )
        .where(facts.within(p.c.predicted_at), facts.pinned(p))
        .subquery("raw_service")
    )
    usable = sa.and_(finite(rows.c.ms), rows.c.ms >= real(0))
    size = sa.case((sa.and_(usable, rows.c.ms > real(SHORTEST_MS)), rows.c.ms), else_=real(SHORTEST_MS))
    step = whole(sa.func.floor(sa.func.ln(size) * real(FINENESS)) + real(SHIFT))
    return sa.select(
        day_number(rows.c.us).label("day"),
        *(rows.c[d] for d in facts.dims),
        sa.case((usable, step), else_=UNTIMED).label("latency"),
        sa.case((finite(rows.c.cost), rows.c.cost)).label("cost"),
    ).subquery("timed")


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    rows = _timed(facts)
    keys = [rows.c.day, *(rows.c[d] for d in facts.dims), rows.c.latency]
    known = sa.func.sum(sa.case((rows.c.cost.is_(None), 0), else_=1))
    return sa.select(
        *keys,
        sa.func.count().label("n"),
        known.label("cost_n"),
        sa.func.avg(rows.c.cost).label("cost_mean"),
        (sa.func.var_pop(rows.c.cost) * known).label("cost_m2"),
    ).group_by(*keys)


SERVICE: Rollup[ServiceCells] = Rollup(
    key="model.service",
    title="Predictions by latency, with their cost",
    tables=("predictions",),
    dims=("model_id", "model_version"),
    inner=("latency",),
    shapes=(Counts(("n",)), Moments("cost")),
    select=_select,
    cells=ServiceCells.of,
)


def latency_at(code: Ints | float) -> Floats | float:
    """Seconds in the middle of a latency bin."""
    found: Floats | float = np.exp((np.asarray(code, dtype=float) - SHIFT + 0.5) / FINENESS) / 1000
    return found


def _latency(p: float) -> Callable[[ServiceCells, Choice], Estimate]:
    """Finaliser of a quantile: the order statistics that bound it at 95 %, at the far edges of their bins."""

    def finalise(cells: ServiceCells, _: Choice) -> Estimate:
        timed = cells.bin >= 0
        n = int(cells.n[timed].sum())
        if n == 0:
            return undefined("no latency is recorded: load predictions with latency_ms")
        codes, upto = cells.bin[timed], np.cumsum(cells.n[timed])

        def at(rank: float) -> int:
            return int(codes[min(int(np.searchsorted(upto, min(max(rank, 1), n))), len(codes) - 1)])

        value = float(latency_at(at(math.ceil(p * n))))
        first, last = (float(bdtrik(x, n, p)) for x in (TAIL, 1 - TAIL))
        low = float(latency_at(at(math.floor(first)) - 0.5))
        high = float(latency_at(at(math.ceil(last) + 1) + 0.5))
        untimed = int(cells.n[~timed].sum())
        told = (f"{untimed:,} predictions without a latency are left out",) if untimed else ()
        return Estimate(
            value, min(low, value), max(high, value), n, warnings=(f"exact to {ERROR:.1%}", *told)
        )

    return finalise


def _cost_of(cells: ServiceCells, _: Choice) -> Estimate:
    cost = cells.cost
    n = round(cost.n)
    if n == 0:
        return undefined("no cost is recorded: load predictions with cost_amount")
    if n == 1:
        return undefined("one priced prediction only: an interval needs two", 1)
    mean = cost.mean * 1000
    if cost.constant:
        return Estimate(mean, mean, mean, n, cost.mean * n, n, method="every prediction costs the same")
    found = student(cost)
    return Estimate(mean, found.low * 1000, found.high * 1000, n, cost.mean * n, n)


@dataclass(frozen=True)
class Releases:
    """Predictions by version and day, (C,): of all days, whichever were asked for. `last`: newest day asked for."""

    version: NDArray[np.object_]
    on: Ints
    last: int

    @classmethod
    def of(cls, columns: Columns) -> Releases:
        whole_of = "all_" if "all_on" in columns else ""
        version = np.asarray(columns[f"{whole_of}version"], dtype=object)
        on = columns[f"{whole_of}on"].astype(np.int64)
        last = int(columns["on"].max(initial=0)) if len(columns["on"]) else 0
        known = (on <= last) & (version != "")
        return cls(version[known], on[known], last)

    def starts(self) -> Ints:
        """First day of each version, ascending (days since 1970)."""
        _, at = np.unique(self.version.astype(str), return_inverse=True)
        first = np.full(int(at.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, at, self.on)
        return np.sort(first)


def _select_releases(facts: Facts) -> sa.Select[tuple[object, ...]]:
    p = facts["predictions"]
    rows = (
        sa.select(
            micros(p.c.predicted_at).label("us"),
            *(p.c[d].label(d) for d in facts.dims),
            sa.case(
                (p.c.model_version.is_(None), sa.literal_column("''", sa.Text())), else_=p.c.model_version
            ).label("version"),
        )
        .where(facts.within(p.c.predicted_at), facts.pinned(p))
        .subquery("raw_releases")
    )
    keyed = sa.select(
        day_number(rows.c.us).label("day"), *(rows.c[d] for d in facts.dims), rows.c.version
    ).subquery("keyed")
    keys = [keyed.c.day, *(keyed.c[d] for d in facts.dims), keyed.c.version]
    return sa.select(*keys, keyed.c.day.label("on"), sa.func.count().label("n")).group_by(*keys)


RELEASES: Rollup[Releases] = Rollup(
    key="model.releases",
    title="Predictions by version and day",
    tables=("predictions",),
    dims=("model_id",),
    inner=("on", "version"),
    words=("version",),
    history=True,
    shapes=(Counts(("n",)),),
    select=_select_releases,
    cells=Releases.of,
)


def _age_of(cells: Releases, _: Choice) -> Estimate:
    starts = cells.starts()
    if not len(starts):
        return undefined("no prediction names its model_version")
    told = f"in use since {date_of(int(starts[-1])).isoformat()}"
    age = (cells.last - int(starts[-1])) * DAY_SECONDS
    return Estimate(age, n=len(starts), method="exact, whole days", warnings=(told,))


def _cadence_of(cells: Releases, _: Choice) -> Estimate:
    starts = cells.starts()
    if len(starts) < 2:
        return undefined(f"{len(starts)} version so far: a cadence needs two", len(starts))
    gaps = np.diff(starts)
    mean = float(gaps.mean()) * DAY_SECONDS
    told = f"longest {int(gaps.max())} days, of {len(gaps)}"
    return Estimate(mean, n=len(gaps), method="mean of whole days", warnings=(told,))


_metric = partial(
    Metric[ServiceCells], dimension=Dimension.PROCESS, rollup=SERVICE, owner="model owner",
    direction=Direction.LOWER, apart=("model_id",),
)  # fmt: skip


def _quantile(name: str, title: str, p: float, words: str) -> Metric[ServiceCells]:
    return _metric(
        key=f"model.latency_{name}",
        title=title,
        question=f"How long does an answer take, {words}?",
        definition=(
            f"The latency that {p:.0%} of predictions do not exceed, from a histogram whose bins grow by 1.6 % each: "
            f"exact to {ERROR:.1%}."
        ),
        why="An answer that comes after the moment has passed is no answer, however right it is.",
        unit=Unit.SECONDS,
        finalise=_latency(p),
        interval="order statistics (binomial), widened by the bins",
        references=("Conover 1999, Practical Nonparametric Statistics, section 3.2",),
    )


COST = _metric(
    key="model.cost_per_1000",
    title="Cost of a thousand predictions",
    question="What do a thousand answers of the model cost?",
    definition="1,000 x mean cost of the predictions whose cost is recorded.",
    why="A model must earn more than it costs to ask, and the price of asking moves without notice.",
    unit=Unit.MONEY,
    finalise=_cost_of,
    interval="Student t, from centred moments",
    references=(),
)
_release = partial(
    Metric[Releases], dimension=Dimension.PROCESS, rollup=RELEASES, owner="model owner", unit=Unit.SECONDS,
    apart=("model_id",), min_n=1, references=(),
)  # fmt: skip
RELEASE_AGE = _release(
    key="model.release_age",
    title="Age of the version in use",
    question="How long ago was the model last renewed?",
    definition="Newest day with a prediction - first day of the version that appeared last.",
    why="A model ages from its first day; how fast, its drift and its results tell.",
    direction=Direction.LOWER,
    finalise=_age_of,
    interval="none: exact days",
)
CADENCE = _release(
    key="model.retraining_cadence",
    title="Time between versions (retraining cadence)",
    question="How often is the model renewed?",
    definition="Mean days from the first prediction of one version to that of the next.",
    why="A plan to retrain each quarter is kept or not; this is the record.",
    direction=Direction.NEITHER,
    finalise=_cadence_of,
    interval="none: exact days",
)

SERVICE_METRICS = (
    _quantile("median", "Time to answer (median)", 0.5, "usually"),
    _quantile("p95", "Time to answer, slow cases (95 %)", 0.95, "in all but one case of 20"),
    _quantile("p99", "Time to answer, slowest cases (99 %)", 0.99, "in all but one case of 100"),
    COST,
    RELEASE_AGE,
    CADENCE,
)

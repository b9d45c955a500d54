"""The top of a model's ranking and the honesty of its probabilities: average precision, the first k, calibration error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from metrics._model_rollups import SCORES, ScoreCells
from metrics._model_scores import BAND, aside, labelled, score_histogram
from metrics.core.agreement import effective
from metrics.core.discrimination import hidden_class
from metrics.core.ece import calibration_error
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Setting, Unit, undefined
from metrics.core.shapes import Ints
from metrics.core.top import Ordered, average_precision, average_precision_limits, first, hits

K = Setting("k", "10%", "how many of the highest scores: a share such as 10% or a number such as 500")
ORDERING = "Wilson, effective size, widened by the order inside the bins"


def _classes(cells: ScoreCells) -> tuple[Ints, Ints] | Estimate:
    """Positives and negatives per bin, or why there is no ranking."""
    bins = score_histogram(cells)
    m, k = float(bins.positives.sum()), float(bins.negatives.sum())
    return hidden_class(m, k, aside(cells)) or (bins.positives, bins.negatives)


def average_precision_of(cells: ScoreCells, _: Choice) -> Estimate:
    found = _classes(cells)
    if isinstance(found, Estimate):
        return found
    p, q = found
    one = average_precision(p, q)
    low, high = average_precision_limits(p, q)
    order = f"the order inside the bins moves it by {one.best - one.value:.1e} at most"
    return Estimate(one.value, low, high, int(p.sum() + q.sum()), warnings=(*aside(cells), order))


@dataclass(frozen=True)
class Top:
    """The first k of n cases, m of them positive: hits with their order's worst and best, and the rate at the cut."""

    hits: Ordered
    k: int
    n: int
    m: int
    at_cut: float


Part = Callable[
    [Top], tuple[float, float, float]
]  # (cases the hits are counted among, scale, variance of the share)


def _precision(t: Top) -> tuple[float, float, float]:
    """Where the list is cut by rank, the score at the cut is a draw too, which adds to the binomial part."""
    share, cut = t.hits.value / t.k, t.k / t.n
    return float(t.k), 1.0, (share * (1 - share) + (1 - cut) * (share - t.at_cut) ** 2) / t.k


def _recall(t: Top) -> tuple[float, float, float]:
    share, cut = t.hits.value / max(t.m, 1), t.k / t.n
    binomial = share * (1 - share) * (1 - 2 * t.at_cut) / max(t.m, 1)
    return float(t.m), 1.0, max(binomial + t.at_cut**2 * cut * (1 - cut) * t.n / max(t.m, 1) ** 2, 0.0)


def _lift(t: Top) -> tuple[float, float, float]:
    cases, _, variance = _recall(t)
    return cases, t.n / t.k, variance


def _at_cut(p: Ints, q: Ints, k: int, n: int) -> float:
    """Share of true cases around the k-th score."""
    reach = max(k // 5, 10)
    low, high = max(k - reach, 0), min(k + reach, n)
    below = hits(p, q, low).value if low else 0.0
    return (hits(p, q, high).value - below) / (high - low)


def _top(part: Part) -> Callable[[ScoreCells, Choice], Estimate]:
    """Finaliser of a rate in the first k."""

    def finalise(cells: ScoreCells, choice: Choice) -> Estimate:
        bins = score_histogram(cells)
        p, q = bins.positives, bins.negatives
        m, n = int(p.sum()), int(p.sum() + q.sum())
        k = first(dict(choice.values).get("k", K.default), n)
        if n == 0 or k > n:
            reason = f"the first {k:,} are more than the {n:,} predictions whose outcome is known"
            nothing = "no outcome has arrived yet for a usable score: load labels"
            return undefined(reason if n else nothing, n, aside(cells))
        top = Top(hits(p, q, k), k, n, m, _at_cut(p, q, k, n))
        cases, scale, variance = part(top)
        if cases == 0:
            return undefined(f"no positive outcome among {n:,} labelled predictions", n, aside(cells))
        low, middle, high = (
            effective(min(h, cases) / cases, variance, cases)
            for h in (top.hits.worst, top.hits.value, top.hits.best)
        )
        return Estimate(
            middle.value * scale, low.low * scale, high.high * scale, n, top.hits.value, cases,
            method=ORDERING, warnings=(*aside(cells), f"the first {k:,} of {n:,}"),
        )  # fmt: skip

    return finalise


def ece_of(cells: ScoreCells, _: Choice) -> Estimate:
    known = labelled(cells)
    n, score = cells.n[known].astype(float), cells.score[known]
    if not len(n):
        return undefined("no outcome has arrived yet for a usable score: load labels", 0, aside(cells))
    tenth = cells.bin[known] % BAND
    mean = score / n
    rows = (n, score, n * cells.label[known], n * mean * (1 - mean))
    totals = [np.bincount(tenth, x, BAND).astype(float) for x in rows]
    held = totals[0] > 0
    found = calibration_error(*(x[held] for x in totals))
    told = f"plain figure {found.plain:.4f}; 95 % of perfectly calibrated models of this size lie below {found.perfect:.4f}"
    inside = (
        "inside the band of perfect models"
        if found.plain <= found.perfect
        else "outside the band of perfect models"
    )
    return Estimate(found.value, found.low, found.high, int(n.sum()), warnings=(*aside(cells), told, inside))


_metric = partial(
    Metric[ScoreCells], dimension=Dimension.TECHNICAL, rollup=SCORES, owner="model owner", apart=("model_id",)
)
_k = partial(
    _metric, unit=Unit.SHARE, direction=Direction.HIGHER, interval=ORDERING, settings=(K,),
    references=("Wilson 1927, doi:10.1080/01621459.1927.10502953",),
)  # fmt: skip

AVERAGE_PRECISION = _metric(
    key="model.average_precision",
    title="Precision down the whole list (average precision)",
    question="Going down the list from the highest score, how right is it on average?",
    definition=(
        "Mean over true cases of the share of true cases among all scored as high; the middle of its ordering interval, "
        "as the order inside a bin is unknown. A list in random order gives the base rate."
    ),
    why="Where true cases are rare the AUC flatters; this figure does not.",
    unit=Unit.SCORE,
    direction=Direction.HIGHER,
    finalise=average_precision_of,
    interval="Poisson bootstrap of the counts, logit scale, widened by the order inside the bins",
    references=("Boyd, Eng and Page 2013, doi:10.1007/978-3-642-40994-3_29",),
)
PRECISION_AT_K = _k(
    key="model.precision_at_k",
    title="Right among the highest scores (precision at k)",
    question="Of the first k on the list, how many are true cases?",
    definition=(
        "True cases among the k highest scores / k, of predictions whose outcome is known; k is 10 % of them unless set. "
        "Where k cuts a bin, its share counts and the interval covers every order."
    ),
    why="A team that can handle k cases a week lives on exactly this part of the list.",
    finalise=_top(_precision),
)
RECALL_AT_K = _k(
    key="model.recall_at_k",
    title="True cases among the highest scores (recall at k)",
    question="Of all true cases, how many are among the first k on the list?",
    definition=(
        "True cases among the k highest scores / all true cases, of predictions whose outcome is known; k is 10 % of them "
        "unless set."
    ),
    why="It says what a given capacity can reach at best, before anything is spent on more.",
    finalise=_top(_recall),
)
LIFT_AT_K = _metric(
    key="model.lift_at_k",
    title="Gain over a random list (lift at k)",
    question="How many times as many true cases are among the first k as among k drawn at random?",
    definition=(
        "Precision at k / base rate, which is recall at k / (k / n); k is 10 % of predictions whose outcome is known "
        "unless set. 1 is no gain."
    ),
    why="It is what the model adds to working through the list in any order.",
    unit=Unit.RATIO,
    direction=Direction.HIGHER,
    interval=ORDERING,
    settings=(K,),
    finalise=_top(_lift),
    references=("Wilson 1927, doi:10.1080/01621459.1927.10502953",),
)
ECE = _metric(
    key="model.ece",
    title="Calibration error, chance removed (ECE)",
    question="How far are the promised probabilities from what comes true, beyond chance?",
    definition=(
        "Mean over tenths of the score, weighted by predictions, of |share that came true - mean score|, less what chance "
        "alone adds. The band in which perfectly calibrated models of this size lie is told beside it."
    ),
    why="The plain figure punishes small samples: a perfect model of 200 predictions shows 0.05.",
    unit=Unit.SCORE,
    direction=Direction.LOWER,
    finalise=ece_of,
    interval="parametric bootstrap of the tenths",
    references=("Roelofs et al. 2022, arXiv:2012.08668", "Brocker 2012, doi:10.1007/s00382-011-1191-1"),
)

TOP_METRICS = (AVERAGE_PRECISION, PRECISION_AT_K, RECALL_AT_K, LIFT_AT_K, ECE)

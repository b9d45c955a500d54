"""What quality must be, while outcomes are still out: confidence-based performance estimation from the histogram.

An isotonic map from score to observed rate, learned where outcomes are known, gives each bin of all predictions its
expected positives; every figure follows from these. It assumes that the same score still means the same (no change of
concept); it cannot see one, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from metrics._model_rollups import SCORES, ScoreCells
from metrics.core.intervals import Z
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Rollup, Unit, undefined
from metrics.core.shapes import Columns, Floats, Ints
from metrics.core.top import SEED

RESAMPLES = 50
FEW = 100  # known outcomes without which no map is drawn
ASSUMED = "estimated: assumes that a score means what it meant where outcomes are known"


@dataclass(frozen=True)
class EstimateCells:
    """All predictions of the days asked for, and the cells of all days, whose known outcomes teach the map."""

    asked: ScoreCells
    taught: ScoreCells

    @classmethod
    def of(cls, columns: Columns) -> EstimateCells:
        asked = ScoreCells.of(columns)
        whole = {k.removeprefix("all_"): v for k, v in columns.items() if k.startswith("all_")}
        return cls(asked, ScoreCells.of(whole) if whole else asked)


SCORES_OF_ALL_DAYS: Rollup[EstimateCells] = Rollup(
    key=SCORES.key,  # the same stored cells, seen with those of all days
    title=SCORES.title,
    tables=SCORES.tables,
    dims=SCORES.dims,
    inner=SCORES.inner,
    shapes=SCORES.shapes,
    select=SCORES.select,
    cells=EstimateCells.of,
    history=True,
)


@dataclass(frozen=True)
class Known:
    """Distinct bins with known outcomes, ascending: cases, positives, mean score, (B,)."""

    code: Ints
    n: Floats
    positives: Floats
    score: Floats


def known_of(cells: ScoreCells) -> Known:
    kept = (cells.bin >= 0) & (cells.label >= 0)
    code, at = np.unique(cells.bin[kept], return_inverse=True)
    n = np.bincount(at, cells.n[kept], len(code)).astype(float)
    positives = np.bincount(at, cells.n[kept] * cells.label[kept], len(code)).astype(float)
    return Known(code, n, positives, np.bincount(at, cells.score[kept], len(code)) / np.maximum(n, 1))


def isotonic(n: Floats, positives: Floats) -> Floats:
    """The rising rates that fit best, (B,), of bins by ascending score with n > 0."""
    from scipy.optimize import isotonic_regression  # slow to load, and seldom used

    fitted: Floats = np.asarray(isotonic_regression(positives / n, weights=n).x, dtype=float)
    return fitted


def _asked(cells: ScoreCells) -> tuple[Floats, Floats, Floats]:
    """Bins of the predictions asked for: cases, mean score and flagged cases, (B,) ascending."""
    kept = cells.bin >= 0
    code, at = np.unique(cells.bin[kept], return_inverse=True)
    n, flagged, score = (
        np.bincount(at, x, len(code)).astype(float)
        for x in (cells.n[kept], cells.n[kept] * (cells.decision[kept] == 1), cells.score[kept])
    )
    return n, score / np.maximum(n, 1), flagged


@dataclass(frozen=True)
class Outcomes:
    """Outcomes by ascending bin, expected or drawn, (..., B): positives and negatives of the flagged and of the others."""

    flagged_positives: Floats
    flagged_negatives: Floats
    other_positives: Floats
    other_negatives: Floats


Figure = Callable[[Outcomes], Floats]  # (...,) with NaN where it does not exist


def _ratio(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
    return found


def auc_expected(o: Outcomes) -> Floats:
    p, q = o.flagged_positives + o.other_positives, o.flagged_negatives + o.other_negatives
    wins = (p * (np.cumsum(q, axis=-1) - q / 2)).sum(axis=-1)
    return _ratio(wins, p.sum(axis=-1) * q.sum(axis=-1))


def precision_expected(o: Outcomes) -> Floats:
    right = o.flagged_positives.sum(axis=-1)
    return _ratio(right, right + o.flagged_negatives.sum(axis=-1))


def recall_expected(o: Outcomes) -> Floats:
    caught = o.flagged_positives.sum(axis=-1)
    return _ratio(caught, caught + o.other_positives.sum(axis=-1))


def estimated(figure: Figure, nothing: str) -> Callable[[EstimateCells, Choice], Estimate]:
    """Finaliser of a figure under the map; limits from drawing the map's own outcomes and those still to come."""

    def finalise(cells: EstimateCells, _: Choice) -> Estimate:
        known, (n, score, flagged) = known_of(cells.taught), _asked(cells.asked)
        total = int(n.sum())
        if not total:
            return undefined("no usable score in this scope")
        if known.n.sum() < FEW or not 0 < known.positives.sum() < known.n.sum():
            few = (
                f"{known.n.sum():,.0f} known outcomes cannot teach what a score means: {FEW} of both kinds do"
            )
            return undefined(few, total)
        rate = np.interp(score, known.score, isotonic(known.n, known.positives))
        value = float(figure(_split(rate, n, flagged)))
        if np.isnan(value):
            return undefined(nothing, total)
        again = figure(_drawn(known, score, n, flagged))
        reach = Z * float(np.nanstd(again, ddof=1)) if np.isfinite(again).sum() > 1 else 1.0
        return Estimate(value, max(0.0, value - reach), min(1.0, value + reach), total, warnings=(ASSUMED,))

    return finalise


def _split(rate: Floats, n: Floats, flagged: Floats) -> Outcomes:
    others = n - flagged
    return Outcomes(flagged * rate, flagged * (1 - rate), others * rate, others * (1 - rate))


def _drawn(known: Known, score: Floats, n: Floats, flagged: Floats) -> Outcomes:
    """Poisson draws of the map's outcomes and, under each map, of those asked for, (RESAMPLES, B)."""
    draw = np.random.default_rng(SEED)
    hit = draw.poisson(known.positives, (RESAMPLES, len(known.n)))
    miss = draw.poisson(known.n - known.positives, (RESAMPLES, len(known.n)))
    rates = np.stack([_map(h, m, known, score) for h, m in zip(hit, miss, strict=True)])
    expected = _split(rates, n, flagged)
    parts = (
        expected.flagged_positives,
        expected.flagged_negatives,
        expected.other_positives,
        expected.other_negatives,
    )
    return Outcomes(*(draw.poisson(np.maximum(x, 0)).astype(float) for x in parts))


def _map(hit: Ints, miss: Ints, known: Known, score: Floats) -> Floats:
    """The rates at `score` under one draw of the known outcomes; bins drawn empty say nothing."""
    held = (hit + miss) > 0
    return np.interp(
        score, known.score[held], isotonic((hit + miss)[held].astype(float), hit[held].astype(float))
    )


_metric = partial(
    Metric[EstimateCells], dimension=Dimension.TECHNICAL, rollup=SCORES_OF_ALL_DAYS, owner="model owner",
    direction=Direction.HIGHER, apart=("model_id",), interval="Poisson bootstrap of predictions and map",
    references=("Białek et al. 2023, arXiv:2301.08649",),
)  # fmt: skip

AUC_ESTIMATED = _metric(
    key="model.auc_estimated",
    title="Ranking quality, estimated (AUC)",
    question="How well does the model rank those whose outcome is not known yet?",
    definition=(
        "AUC expected from the scores of all predictions, known or not, when each score comes true as often as it did "
        "where outcomes are known (isotonic map). It cannot see a change in what a score means."
    ),
    why="Where outcomes take months this is the only early word on quality; it is an estimate and is called one.",
    unit=Unit.SCORE,
    finalise=estimated(auc_expected, "no class of outcome is expected at all"),
)
PRECISION_ESTIMATED = _metric(
    key="model.precision_estimated",
    title="Flagged and right, estimated (precision)",
    question="Of those flagged, how many will turn out right, as far as can be said today?",
    definition=(
        "Expected true cases among the flagged / flagged, from the isotonic map of the known outcomes, over all "
        "predictions, known or not."
    ),
    why="It tells a change of the people scored from the wait for their outcomes.",
    unit=Unit.SHARE,
    finalise=estimated(precision_expected, "no prediction is flagged"),
)
RECALL_ESTIMATED = _metric(
    key="model.recall_estimated",
    title="True cases caught, estimated (recall)",
    question="Of the true cases to come, how many were flagged, as far as can be said today?",
    definition=(
        "Expected true cases among the flagged / expected true cases, from the isotonic map of the known outcomes, over "
        "all predictions, known or not."
    ),
    why="Missed cases are the last to be heard of; waiting for them is waiting too long.",
    unit=Unit.SHARE,
    finalise=estimated(recall_expected, "no true case is expected at all"),
)

ESTIMATED_METRICS = (AUC_ESTIMATED, PRECISION_ESTIMATED, RECALL_ESTIMATED)

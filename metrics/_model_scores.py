"""The finalisers of the model family and its charts: pure functions of one slice's cells.

Realised figures use labelled predictions only: a missing label is not a negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from metrics._model_rollups import (
    BINS,
    LOGIT_LIMIT,
    NOT_FINITE,
    NULL_SCORE,
    OUT_OF_RANGE,
    TINY,
    Placements,
    ScoreCells,
)
from metrics.core.calibration import Reliability, reliability_curve, slope
from metrics.core.discrimination import Ranking, Roc, auc, hidden_class, rank, roc_curve
from metrics.core.estimates import count, share
from metrics.core.intervals import bounded_mean
from metrics.core.metric import Choice, Estimate, undefined
from metrics.core.shapes import Floats, Ints

BAND = 10  # bin code = BAND x logit bin + tenth of the score
WORST_LOSS = float(-np.log(TINY))


@dataclass(frozen=True)
class ScoreHistogram:
    """Counts by outcome in each bin that holds a usable score, ascending, (B,). score: centre of the bin."""

    score: Floats
    positives: Ints
    negatives: Ints
    unlabelled: Ints


def score_histogram(cells: ScoreCells) -> ScoreHistogram:
    """The score histogram of one slice: where the model puts those who turned out positive and negative."""
    usable = cells.bin >= 0
    codes, at = np.unique(cells.bin[usable], return_inverse=True)
    label, n = cells.label[usable], cells.n[usable]
    by = (np.bincount(at, np.where(label == value, n, 0), len(codes)) for value in (1, 0, -1))
    return ScoreHistogram(_centre(codes), *(np.rint(x).astype(np.int64) for x in by))


def roc(cells: ScoreCells) -> Roc:
    """ROC curve of one slice; empty where a class is missing."""
    bins = score_histogram(cells)
    return roc_curve(bins.positives, bins.negatives)


def reliability(cells: ScoreCells) -> Reliability:
    """Mean score against observed rate in each tenth of [0, 1], labelled predictions only."""
    known = labelled(cells)
    n = cells.n[known].astype(float)
    return reliability_curve(cells.bin[known] % BAND, n, cells.score[known], n * cells.label[known])


def _centre(codes: Ints) -> Floats:
    """Probability in the middle of each bin (on the log-odds scale), kept inside the bin's tenth."""
    step = 2 * LOGIT_LIMIT / BINS
    middle = expit((codes // BAND + 0.5) * step - LOGIT_LIMIT)
    tenth = codes % BAND
    inside: Floats = np.clip(middle, tenth / BAND, (tenth + 1) / BAND)
    return inside


def labelled(cells: ScoreCells) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (cells.bin >= 0) & (cells.label >= 0)


def _sum(cells: ScoreCells, **keys: int) -> int:
    """Predictions with the given decision and label."""
    kept = np.ones(len(cells.n), dtype=bool)
    for name, value in keys.items():
        kept &= getattr(cells, name) == value
    return int(cells.n[kept].sum())


def aside(cells: ScoreCells) -> tuple[str, ...]:
    """Says how many labelled predictions have no usable score, if any."""
    lost = int(cells.n[(cells.bin < 0) & (cells.label >= 0)].sum())
    return (f"{lost:,} labelled predictions without a score in [0, 1] are left out",) if lost else ()


def _ranking(cells: ScoreCells) -> Ranking | Estimate:
    """The ranking of a slice, or why there is none."""
    bins = score_histogram(cells)
    m, k = float(bins.positives.sum()), float(bins.negatives.sum())
    return hidden_class(m, k, aside(cells)) or rank(bins.positives, bins.negatives)


def auc_of(cells: ScoreCells, _: Choice) -> Estimate:
    found = _ranking(cells)
    return found if isinstance(found, Estimate) else auc(found, aside(cells))


def bound_of(cells: ScoreCells, _: Choice) -> Estimate:
    found = _ranking(cells)
    if isinstance(found, Estimate):
        return found
    coarse = (
        ()
        if found.fine
        else (
            "above a tenth of the standard error: ask model.auc_refined or, to the last digit, model.auc_exact",
        )
    )
    n = round(found.m + found.k)
    return Estimate(found.bound, n=n, method="exact, from the counts", warnings=(*aside(cells), *coarse))


def auc_exact_of(cells: Placements, _: Choice) -> Estimate:
    m, k = cells.positive.n, cells.negative.n
    missing = hidden_class(m, k)
    return missing or auc(Ranking(m, k, cells.positive.mean, 0.0, cells.positive.m2, cells.negative.m2))


def predictions_of(cells: ScoreCells, _: Choice) -> Estimate:
    return count(_sum(cells), "no predictions in this scope")


def mean_error(
    total: Callable[[ScoreCells], float], squares: Callable[[ScoreCells], float], floor: float, ceiling: float
) -> Callable[[ScoreCells, Choice], Estimate]:
    """Finaliser of a mean over labelled predictions, from its sum and sum of squares over the cells."""

    def finalise(cells: ScoreCells, _: Choice) -> Estimate:
        n = int(cells.n[labelled(cells)].sum())
        warnings = aside(cells)
        if n == 0:
            return undefined("no outcome has arrived yet for a usable score: load labels", 0, warnings)
        if n == 1:
            return undefined("one labelled prediction only: an interval needs two", 1, warnings)
        mean = bounded_mean(n, total(cells), squares(cells), floor, ceiling)
        return Estimate(mean.value, mean.low, mean.high, n, total(cells), n, warnings=warnings)

    return finalise


def excess(cells: ScoreCells) -> float:
    """Sum of score minus outcome over labelled predictions; its squares are the squared errors."""
    known = labelled(cells)
    return float(cells.score[known].sum() - (cells.n * cells.label)[known].sum())


def slope_of(cells: ScoreCells, _: Choice) -> Estimate:
    known = labelled(cells)
    codes, at = np.unique(cells.bin[known], return_inverse=True)
    n, label = cells.n[known].astype(float), cells.label[known]
    total, score, hits = (
        np.bincount(at, x, len(codes)).astype(float) for x in (n, cells.score[known], n * label)
    )
    if len(codes) == 0:
        return undefined("no outcome has arrived yet for a usable score: load labels", 0, aside(cells))
    return slope(logit(np.clip(score / total, TINY, 1 - TINY)), total, hits, aside(cells))


def coverage_of(cells: ScoreCells, _: Choice) -> Estimate:
    total = _sum(cells)
    return share(total - _sum(cells, label=-1), total, "no predictions in this scope")


def base_rate_of(cells: ScoreCells, _: Choice) -> Estimate:
    labelled = int(cells.n[cells.label >= 0].sum())
    return share(
        _sum(cells, label=1),
        labelled,
        f"no outcome has arrived yet for {_sum(cells):,} predictions: load labels",
    )


def _undecided(cells: ScoreCells) -> tuple[str, ...]:
    lost = _sum(cells, decision=-1)
    return (f"{lost:,} predictions have neither a decision nor a threshold and are left out",) if lost else ()


def flagged_of(cells: ScoreCells, _: Choice) -> Estimate:
    decided = int(cells.n[cells.decision >= 0].sum())
    nothing = f"none of {_sum(cells):,} predictions has a decision or a threshold"
    return share(_sum(cells, decision=1), decided, nothing, _undecided(cells))


def precision_of(cells: ScoreCells, _: Choice) -> Estimate:
    right, wrong = _sum(cells, decision=1, label=1), _sum(cells, decision=1, label=0)
    nothing = f"no flagged prediction has an outcome yet; {_sum(cells, decision=1):,} were flagged"
    return share(right, right + wrong, nothing, _undecided(cells))


def recall_of(cells: ScoreCells, _: Choice) -> Estimate:
    caught, missed = _sum(cells, decision=1, label=1), _sum(cells, decision=0, label=1)
    labelled = int(cells.n[(cells.label >= 0) & (cells.decision >= 0)].sum())
    nothing = f"no positive outcome among {labelled:,} labelled predictions with a decision"
    return share(caught, caught + missed, nothing, _undecided(cells))


def unusable_of(cells: ScoreCells, _: Choice) -> Estimate:
    kinds = {"missing": NULL_SCORE, "not finite": NOT_FINITE, "outside [0, 1]": OUT_OF_RANGE}
    found = {name: _sum(cells, bin=code) for name, code in kinds.items()}
    warnings = tuple(f"{n:,} {name}" for name, n in found.items() if n)
    return share(sum(found.values()), _sum(cells), "no predictions in this scope", warnings)

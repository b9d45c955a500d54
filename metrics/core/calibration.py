"""Whether predicted probabilities come true: calibration slope and the reliability diagram, from bins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from metrics.core.intervals import Z, wilson_limits
from metrics.core.metric import Estimate, undefined
from metrics.core.shapes import Floats, Ints

WALD = "Wald, logistic regression"
STEPS = 50
CLOSE = 1e-10
TENTHS = 10


def slope(logits: Floats, n: Floats, positives: Floats, warnings: tuple[str, ...] = ()) -> Estimate:
    """Slope of a logistic regression of the outcome on the predicted log-odds (Cox 1958), Wald interval.

    `logits`, `n`, `positives`: log-odds of the mean score, labelled predictions and positives per bin, (B,).
    1 is right; below 1 the scores are too extreme. Undefined where no finite slope fits.
    """
    labelled = round(float(n.sum()))
    reason = _no_slope(logits, n, positives)
    if reason:
        return undefined(reason, labelled, warnings)
    centre = float(logits @ n / n.sum())  # a centred regressor keeps the 2 x 2 system well conditioned
    fit = _fit(logits - centre, n, positives)
    if fit is None:
        return undefined(
            "no finite slope fits: the outcomes are all but separated by the score", labelled, warnings
        )
    value, se = fit
    return Estimate(value, value - Z * se, value + Z * se, labelled, method=WALD, warnings=warnings)


def _no_slope(x: Floats, n: Floats, p: Floats) -> str:
    """Why no finite slope exists, in words; empty where one does."""
    low, high = x[p > 0], x[n > p]
    if len(low) == 0 or len(high) == 0:
        missing = "positive" if len(low) == 0 else "negative"
        return f"no {missing} outcome among {n.sum():,.0f} labelled predictions"
    if x.max() - x.min() < CLOSE:
        return "all scores are equal: there is no slope through one point"
    if high.max() <= low.min() or low.max() <= high.min():
        return "the score separates the outcomes completely: no finite slope fits"
    return ""


def _fit(x: Floats, n: Floats, p: Floats) -> tuple[float, float] | None:
    """(slope, standard error) by Newton with halved steps; None where it does not settle."""
    rate = p.sum() / n.sum()
    beta = np.array([math.log(rate / (1 - rate)), 0.0])
    for _ in range(STEPS):
        gradient, information = _score_and_information(beta, x, n, p)
        covariance = _inverse(information)
        if covariance is None:
            return None
        step = covariance @ gradient
        size = 1.0
        while _likelihood(beta + size * step, x, n, p) < _likelihood(beta, x, n, p) - CLOSE and size > CLOSE:
            size /= 2
        beta = beta + size * step
        if float(np.abs(size * step).max()) < CLOSE:
            return float(beta[1]), math.sqrt(float(covariance[1, 1]))
    return None


def _inverse(information: Floats) -> Floats | None:
    """Inverse of a 2 x 2 information matrix; None where it is singular: the weights lie on one point."""
    (a, b), (_, c) = information
    determinant = float(a * c - b * b)
    if not determinant > CLOSE * a * c:
        return None
    return np.array([[c, -b], [-b, a]]) / determinant


def _likelihood(beta: Floats, x: Floats, n: Floats, p: Floats) -> float:
    eta = beta[0] + beta[1] * x
    return float(p @ eta - n @ np.logaddexp(0.0, eta))


def _score_and_information(beta: Floats, x: Floats, n: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Gradient (2,) and Fisher information (2, 2) of the log-likelihood."""
    mu = expit(beta[0] + beta[1] * x)
    weight = n * mu * (1 - mu)
    residual = p - n * mu
    cross = float(weight @ x)
    information = np.array([[weight.sum(), cross], [cross, weight @ (x * x)]])
    return np.array([residual.sum(), residual @ x]), information


@dataclass(frozen=True)
class Reliability:
    """Reliability diagram: one entry for each tenth of [0, 1] that holds labelled predictions, at most ten.

    score: mean predicted probability. observed, low, high: share of positives, Wilson limits. n: counts.
    """

    score: Floats
    observed: Floats
    low: Floats
    high: Floats
    n: Ints


def reliability_curve(tenth: Ints, n: Floats, score: Floats, positives: Floats) -> Reliability:
    """From cells of labelled predictions: tenth of the score (0..9), count, sum of scores, positives."""
    totals, sums, hits = (np.bincount(tenth, x, TENTHS).astype(float) for x in (n, score, positives))
    held = totals > 0
    totals, sums, hits = totals[held], sums[held], hits[held]
    low, high = wilson_limits(hits, totals)
    return Reliability(sums / totals, hits / totals, low, high, np.rint(totals).astype(np.int64))

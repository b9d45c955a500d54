"""How well a score ranks: AUC, its interval and the ROC curve, from counts in score-ordered bins.

With p_b positives and q_b negatives in bin b (m and k in all) every order inside the bins gives an AUC within
h = sum p_b q_b / (2 m k) of the midpoint, so the exact AUC lies in [auc - h, auc + h]. All sums are float64:
a product of counts may pass 2**63, and an integer overflow turned pROC's interval into 1 to 1 (its issue 19).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from metrics.core.intervals import Z
from metrics.core.metric import Estimate, undefined
from metrics.core.shapes import Floats, Ints

DELONG = "DeLong, logit scale"
BOUNDARY = "Newcombe 2006, method 5"
FEW = 30
FINE, FINE_OF_SE = 1e-4, 0.1


@dataclass(frozen=True)
class Ranking:
    """The ranking of m positives against k negatives: AUC, bound h, centred second moments of placements.

    A positive's placement is the share of negatives below it (ties half); a negative's, positives above it.
    """

    m: float
    k: float
    auc: float
    bound: float
    m2_positive: float
    m2_negative: float

    @property
    def variance(self) -> float | None:
        """DeLong's variance of the AUC; None with fewer than two of either class."""
        if min(self.m, self.k) < 2:
            return None
        return self.m2_positive / (self.m - 1) / self.m + self.m2_negative / (self.k - 1) / self.k

    @property
    def fine(self) -> bool:
        """Whether the bins are fine enough: h at most 1e-4, or a tenth of the standard error."""
        return self.bound <= max(FINE, FINE_OF_SE * math.sqrt(self.variance or 0.0))


def missing_class(m: float, k: float) -> str:
    """Why there is no ranking, in words; empty where both classes are there."""
    if m + k == 0:
        return "no outcome has arrived yet for a usable score: load labels"
    if m == 0:
        return f"no positive outcome among {k:,.0f} labelled predictions"
    if k == 0:
        return f"no negative outcome among {m:,.0f} labelled predictions"
    return ""


def rank(positives: Ints | Floats, negatives: Ints | Floats) -> Ranking:
    """The ranking of counts per bin, arrays (B,) in ascending order of score; both totals above 0."""
    p, q = positives.astype(float), negatives.astype(float)
    m, k = float(p.sum()), float(q.sum())
    below = (np.cumsum(q) - q / 2) / k
    above = 1 - (np.cumsum(p) - p / 2) / m
    auc = float(p @ below / m)
    return Ranking(
        m=m,
        k=k,
        auc=auc,
        bound=float(p @ q / (2 * m * k)),
        m2_positive=float(p @ (below - auc) ** 2),
        m2_negative=float(q @ (above - auc) ** 2),
    )


def auc(ranking: Ranking, warnings: tuple[str, ...] = ()) -> Estimate:
    """AUC with DeLong's interval on the logit scale, widened by the binning bound.

    At the boundary (perfect separation, all scores equal, a class of one) DeLong's variance is 0 or does not
    exist; there Newcombe's method 5 inverts a Hanley-McNeil variance, so a perfect score is never "1 to 1".
    """
    variance = ranking.variance
    value = min(max(ranking.auc, 0.0), 1.0)
    if variance is None or variance <= 0 or value in (0.0, 1.0):
        low, high = _newcombe(value, ranking.m, ranking.k)
        method = BOUNDARY
    else:
        reach = Z * math.sqrt(variance) / (value * (1 - value))
        low, high = (float(expit(logit(value) + side * reach)) for side in (-1, 1))
        method = DELONG
    if ranking.bound > 0:
        method += f", widened by h = {ranking.bound:.1e}"
    scarce = _scarce(ranking)
    return Estimate(
        value=value,
        low=max(0.0, min(low, value) - ranking.bound),
        high=min(1.0, max(high, value) + ranking.bound),
        n=round(ranking.m + ranking.k),
        method=method,
        warnings=(*warnings, scarce) if scarce else warnings,
    )


def _scarce(ranking: Ranking) -> str:
    few, name = min((ranking.m, "positive"), (ranking.k, "negative"))
    return f"only {few:,.0f} {name} outcomes" if few < FEW else ""


def _newcombe(value: float, m: float, k: float) -> tuple[float, float]:
    """Newcombe (2006, Stat Med 25:559), method 5; symmetric in the classes."""
    return _newcombe_low(value, m, k), 1 - _newcombe_low(1 - value, m, k)


def _newcombe_low(value: float, m: float, k: float) -> float:
    from scipy.optimize import brentq  # slow to load, and seldom used

    size = (m + k) / 2 - 1

    def excess(theta: float) -> float:
        shape = 1 + size * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return value - theta - Z * math.sqrt(theta * (1 - theta) * shape / (m * k))

    if value <= 0:
        return 0.0
    return float(brentq(excess, 0.0, min(value, 1 - 1e-12), xtol=1e-14))


def hidden_class(m: float, k: float, warnings: tuple[str, ...] = ()) -> Estimate | None:
    """The undefined AUC where a class is missing, else None."""
    reason = missing_class(m, k)
    return undefined(reason, round(m + k), warnings) if reason else None


@dataclass(frozen=True)
class Roc:
    """Corners of the ROC curve from (0, 0) to (1, 1), arrays (B + 1,); empty where a class is missing."""

    false_positive_rate: Floats
    true_positive_rate: Floats


def roc_curve(positives: Ints | Floats, negatives: Ints | Floats) -> Roc:
    """ROC curve of counts per bin, arrays (B,) in ascending order of score."""
    p, q = positives.astype(float), negatives.astype(float)
    if p.sum() == 0 or q.sum() == 0:
        return Roc(np.empty(0), np.empty(0))
    from_top = (np.concatenate([[0.0], np.cumsum(x[::-1])]) / x.sum() for x in (q, p))
    return Roc(*from_top)


@dataclass(frozen=True)
class RocBand:
    """Where the whole true ROC curve lies with 95 % confidence: limits of the true positive rate, arrays of one shape."""

    false_positive_rate: Floats
    low: Floats
    high: Floats


def roc_band(curve: Roc, positives: float, negatives: float) -> RocBand:
    """Simultaneous band of an ROC curve of `positives` and `negatives` outcomes.

    Each class's distribution lies within its own Dvoretzky-Kiefer-Wolfowitz limits with confidence sqrt(0.95), so the
    curve lies within their rectangles with 0.95 (Campbell 1994, doi:10.1002/sim.4780130508; Massart 1990).
    """
    up, aside = (math.sqrt(math.log(2 / (1 - math.sqrt(0.95))) / (2 * n)) for n in (positives, negatives))
    x, y = curve.false_positive_rate, curve.true_positive_rate
    at = np.unique(np.concatenate([x, np.clip(x - aside, 0, 1), np.clip(x + aside, 0, 1)]))
    right = np.interp(at + aside, x, y, right=1.0)
    # interp answers the upper end of a vertical stretch; just before it lies the lower end, which the lower limit needs
    left = np.interp(np.nextafter(at - aside, -np.inf), x, y, left=0.0)
    return RocBand(at, np.clip(left - up, 0, 1), np.clip(right + up, 0, 1))
